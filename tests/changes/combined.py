"""Edits of several keys at once, by what they do to the stack."""

from tests.changes.edits import Edit, Keys, each, put
from tests.changes.stand import Stand


def targets_given(keys: Keys, stand: Stand) -> None:
    """Give the stack's own group as a group of another owner."""
    groups = stand.outputs()["targetGroups"]
    for key in ("vpcId", "zones", "nodeSecurityGroupId", "listeners", "healthCheck", "crossZone"):
        keys.pop(key, None)
    for key in ("deregistrationDelay", "addresses"):
        keys.pop(key, None)
    keys["targetGroups"] = {"http": groups["http"]}
    keys["ingress"] = {"create": False, "ports": [{"name": "http", "port": 80}]}


def datagrams_added(keys: Keys, _: Stand) -> None:
    """Add a Service port of UDP and its listener."""
    keys["ingress"]["ports"].append({"name": "quic", "port": 8443, "protocol": "UDP"})
    keys["listeners"].append({"name": "quic", "port": 8443, "servicePort": "quic", "protocol": "UDP"})


def datagrams_removed(keys: Keys, _: Stand) -> None:
    """Remove the listener of UDP and its Service port."""
    keys["ingress"]["ports"].pop()
    keys["listeners"].pop()


def service_port_added(keys: Keys, _: Stand) -> None:
    """Add a Service port of HTTP and a listener on port 8080 for it."""
    keys["ingress"]["ports"].append({"name": "plain", "port": 81})
    keys["listeners"].append({"name": "extra", "port": 8080, "servicePort": "plain"})


def service_ports_exchanged(keys: Keys, _: Stand) -> None:
    """Exchange the Service ports of the first and the last listener."""
    one, *_rest, last = keys["listeners"]
    one["servicePort"], last["servicePort"] = last["servicePort"], one["servicePort"]


def service_port_removed(keys: Keys, _: Stand) -> None:
    """Remove the last Service port and the last listener."""
    keys["ingress"]["ports"].pop()
    keys["listeners"].pop()


def listeners_swapped(keys: Keys, _: Stand) -> None:
    """Swap the ports of the first two listeners."""
    one, two, *_rest = keys["listeners"]
    one["port"], two["port"] = two["port"], one["port"]


def listener_added(keys: Keys, _: Stand) -> None:
    """Add a listener on port 8080."""
    keys["listeners"].append({"name": "extra", "port": 8080, "servicePort": "http"})


def listener_removed(keys: Keys, _: Stand) -> None:
    """Remove the listener on port 8080."""
    keys["listeners"].pop()


def listeners_renamed(keys: Keys, _: Stand) -> None:
    """Rename both listeners."""
    for item, name in zip(keys["listeners"], ("web", "secure"), strict=True):
        item["name"] = name


def ports_renamed(keys: Keys, _: Stand) -> None:
    """Rename the ports of the Service, and their uses."""
    names = {"http": "plain", "https": "tls"}
    for item in keys["ingress"]["ports"]:
        item["name"] = names[item["name"]]
    for item in keys["listeners"]:
        item["servicePort"] = names[item["servicePort"]]
    keys["healthCheck"]["servicePort"] = "plain"


def no_preset(keys: Keys, stand: Stand) -> None:
    """Set the ports of the Service, which the preset gave."""
    keys["ingress"] = stand.base()["ingress"]


def node_ports(http: int, https: int) -> Edit:
    """Set the NodePorts of the Service."""
    return each(put("ingress.ports.http.nodePort", http), put("ingress.ports.https.nodePort", https))


def second_pool(keys: Keys, stand: Stand) -> None:
    """Add a security group of nodes."""
    first = keys.pop("nodeSecurityGroupId")
    keys["nodeSecurityGroupIds"] = [first, stand.security_group()]


def pool_in_front(keys: Keys, stand: Stand) -> None:
    """Add a security group of nodes in front of the former one."""
    second_pool(keys, stand)
    keys["nodeSecurityGroupIds"].reverse()


def pools_by_tag(keys: Keys, stand: Stand) -> None:
    """Name the same security groups of nodes by a tag."""
    keys["nodeSecurityGroupTags"] = stand.tag(keys.pop("nodeSecurityGroupIds"))
