"""The keys of a stack that describe a hand-made load balancer, and the reasons why it cannot be adopted."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from .adoptreads import Group, Listening, Port, Standing
from .healthkeys import KUBE_PROXY, KUBE_PROXY_PORT, TCP, TRAFFIC_PORT
from .listenerkeys import IDLE_TIMEOUT, TLS

_LONGEST_NAME: Final = 15
_FIRST_NAMES: Final = "port"
_SWITCH: Final = {"true": True, "false": False}
_CROSS_ZONE: Final = "load_balancing.cross_zone.enabled"
_BESIDE: Final = (
    "keep the load balancer outside the stack, and give its groups in targetGroups (docs/adopt.md)"
)
_OFF: Final = "off"
_LIMITS: Final = "target_group_health"
# Keys of a group's attributes that the stack has once for all groups.
_COMMON: Final = {
    "deregistration_delay.timeout_seconds": "deregistrationDelay",
    "deregistration_delay.connection_termination.enabled": "connections.endWithDrain",
    "preserve_client_ip.enabled": "connections.preserveClientIp",
    "target_health_state.unhealthy.connection_termination.enabled": "connections.endWhenUnhealthy",
    f"{_LIMITS}.dns_failover.minimum_healthy_targets.count": "targetHealth.dnsFailoverCount",
    f"{_LIMITS}.dns_failover.minimum_healthy_targets.percentage": "targetHealth.dnsFailoverPercentage",
    f"{_LIMITS}.unhealthy_state_routing.minimum_healthy_targets.count": "targetHealth.unhealthyRoutingCount",
    f"{_LIMITS}.unhealthy_state_routing.minimum_healthy_targets.percentage": (
        "targetHealth.unhealthyRoutingPercentage"
    ),
}


def refusals(found: Standing, ports: Sequence[Port]) -> Iterator[str]:
    """Yield a line for everything that AWS or the stack cannot keep as it is."""
    if found.kind != "network":
        yield f"{found.name} is a load balancer of type {found.kind}; allowed: network"
        return
    if not found.security_groups:
        yield (
            f"{found.name} was made without a security group, and AWS can never give it one; the rules "
            f"of the stack need one: {_BESIDE}, or make a new load balancer"
        )
    if found.internal and found.address_type != "ipv4":
        yield f"{found.name} is internal with IP address type {found.address_type}; allowed: ipv4; {_BESIDE}"
    for zone, place in found.zones.items():
        addresses = place.get("LoadBalancerAddresses") or [{}]
        if not found.internal and not addresses[0].get("AllocationId"):
            yield (
                f"{zone} has an address of AWS's choice, and AWS cannot change an address in place: remove "
                "the zone by `aws elbv2 set-subnets` and add it again with an Elastic IP, or "
                f"{_BESIDE}"
            )
    for item in found.listeners:
        yield from _listener_refusals(item, found, ports)


def _listener_refusals(item: Listening, found: Standing, ports: Sequence[Port]) -> Iterator[str]:
    where = f"listener {item.port}"
    if item.protocol not in {TCP, TLS}:
        yield f"{where} has protocol {item.protocol}; allowed: TCP or TLS; {_BESIDE}"
    if item.mutual_tls:
        yield f"{where} verifies client certificates (mutual TLS), which has no key; {_BESIDE}"
    if len(item.groups) != 1:
        yield f"{where} forwards to {len(item.groups)} groups; allowed: one group; {_BESIDE}"
        return
    group = found.groups[item.groups[0]]
    sharing = [each.port for each in found.listeners if each.groups == item.groups]
    if len(sharing) > 1 and item.port == sharing[0]:
        shown = ", ".join(map(str, sharing))
        yield (
            f"group {group.name} is used by the listeners {shown}; allowed: a group for each listener: give "
            "each further listener a group with `aws elbv2 create-target-group` and `modify-listener`"
        )
    if group.target_type != "instance":
        yield f"group {group.name} has target type {group.target_type}, which is immutable; allowed: instance"
    if group.protocol not in {TCP, TLS}:
        yield f"group {group.name} has protocol {group.protocol}, which is immutable; allowed: TCP or TLS"
    if group.target_type == "instance" and service_port(group, ports) is None:
        wanted = ", ".join(map(str, sorted(node_ports(group))))
        has = ", ".join(str(each.node_port) for each in ports if each.node_port) or "no NodePort"
        yield (
            f"group {group.name} sends to port {wanted}, and the Service has {has}: give the Service of the "
            "group in --service"
        )


def node_ports(group: Group) -> frozenset[int]:
    """Return the ports of the registered targets, or the group's own port without targets."""
    return group.ports or frozenset({group.port})


def service_port(group: Group, ports: Sequence[Port]) -> Port | None:
    """Return the Service port with the NodePort of a group."""
    wanted = node_ports(group)
    found = [each for each in ports if each.node_port in wanted]
    return found[0] if len(found) == 1 and len(wanted) == 1 else None


def name_of(port: Port) -> str:
    """Return the name of a Service port; the only port of a Service may have none."""
    return port.name or "http"


def keys(
    found: Standing, ports: Sequence[Port], service: tuple[str, str], node_groups: Sequence[str]
) -> dict[str, Any]:
    """Return the keys of the stack, without those of the syncer and its identity."""
    names = listener_names(found, ports)
    first = found.groups[found.listeners[0].groups[0]] if found.listeners else None
    common = health_check(first, ports) if first else {}
    rows = [
        listener(item, names[item.port], found.groups[item.groups[0]], ports, common)
        for item in found.listeners
    ]
    used = {name_of(each): each for each in ports if each.node_port}
    namespace, name = service
    nodes = (
        {"nodeSecurityGroupId": node_groups[0]}
        if len(node_groups) == 1
        else {"nodeSecurityGroupIds": list(node_groups)}
    )
    return {
        "vpcId": found.vpc_id,
        "zones": {zone: _zone(place, internal=found.internal) for zone, place in sorted(found.zones.items())},
        **nodes,
        "loadBalancer": _load_balancer(found),
        "clientCidrs": [],  # the given security groups have the rules of clients
        "crossZone": found.attributes.get(_CROSS_ZONE) == "true",
        "listeners": rows,
        "healthCheck": common,
        **(_of_the_groups(first) if first else {}),
        "ingress": {
            "create": False,
            "namespace": namespace,
            "name": name,
            "ports": [{"name": key, "port": each.port} for key, each in used.items()],
        },
        "tags": _common_tags(found),
    }


def listener_names(found: Standing, ports: Sequence[Port]) -> dict[int, str]:
    """Return a name for each listener port: that of the Service port where only one listener has it."""
    wanted = {}
    for item in found.listeners:
        port = service_port(found.groups[item.groups[0]], ports)
        wanted[item.port] = name_of(port) if port else ""
    every = list(wanted.values())
    return {
        port: name
        if every.count(name) == 1 and name[:1].isalpha() and len(name) <= _LONGEST_NAME
        else f"{_FIRST_NAMES}-{port}"
        for port, name in wanted.items()
    }


def listener(
    item: Listening, name: str, group: Group, ports: Sequence[Port], common: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a row of `listeners`, without keys that have their default."""
    port = service_port(group, ports)
    own = health_check(group, ports)
    differing = {key: value for key, value in own.items() if common.get(key) != value}
    row: dict[str, Any] = {
        "name": name,
        "port": item.port,
        "servicePort": name_of(port) if port else "",
        "targetGroup": {"name": group.name, "port": group.port},
    }
    if item.protocol == TLS:
        row |= {"protocol": TLS, "certificateArns": list(item.certificates), "sslPolicy": item.ssl_policy}
        row |= {"alpnPolicy": item.alpn} if item.alpn and item.alpn != "None" else {}
    if group.protocol == TLS:
        row["backendProtocol"] = TLS
    crossing = _SWITCH.get(group.attributes.get(_CROSS_ZONE, ""))
    optional = {
        "idleTimeout": item.idle_seconds if item.idle_seconds != IDLE_TIMEOUT else None,
        "crossZone": crossing,
        "proxyProtocol": group.attributes.get("proxy_protocol_v2.enabled") == "true" or None,
        "stickiness": group.attributes.get("stickiness.enabled") == "true" or None,
        "healthCheck": differing or None,
    }
    return row | {key: value for key, value in optional.items() if value is not None}


def health_check(group: Group, ports: Sequence[Port]) -> dict[str, Any]:
    """Return the health check of a group as keys."""
    found, protocol = group.check, group.check["HealthCheckProtocol"]
    number = found["HealthCheckPort"]
    by_number = {str(each.node_port): name_of(each) for each in ports if each.node_port}
    where = {"port": number}
    if number in by_number:
        where = {"servicePort": by_number[number]}
    elif number == str(KUBE_PROXY_PORT):
        where = {"port": KUBE_PROXY}
    elif number == TRAFFIC_PORT:
        where = {"port": TRAFFIC_PORT}
    asked = {} if protocol == TCP else {"path": found["HealthCheckPath"], "matcher": _matcher(found)}
    return {
        **where,
        "protocol": protocol,
        **asked,
        "interval": found["HealthCheckIntervalSeconds"],
        "timeout": found["HealthCheckTimeoutSeconds"],
        "healthyThreshold": found["HealthyThresholdCount"],
        "unhealthyThreshold": found["UnhealthyThresholdCount"],
    }


def _matcher(found: Mapping[str, Any]) -> str:
    return str((found.get("Matcher") or {}).get("HttpCode") or "200-399")


def _zone(place: Mapping[str, Any], *, internal: bool) -> dict[str, str]:
    address: Mapping[str, str] = next(iter(place.get("LoadBalancerAddresses") or ()), {})
    key, name = ("privateAddress", "PrivateIPv4Address") if internal else ("allocationId", "AllocationId")
    return {"subnetId": place["SubnetId"], **({key: address[name]} if address.get(name) else {})}


def _load_balancer(found: Standing) -> dict[str, Any]:
    attributes = found.attributes
    return {
        "name": found.name,
        "scheme": "internal" if found.internal else "internet-facing",
        "ipAddressType": found.address_type,
        "securityGroupIds": list(found.security_groups),
        "deletionProtection": attributes.get("deletion_protection.enabled") == "true",
        "zonalShift": attributes.get("zonal_shift.config.enabled") == "true",
        "dnsClientRouting": attributes.get("dns_record.client_routing_policy", "any_availability_zone"),
        "minimumCapacity": found.capacity,
    }


def _of_the_groups(group: Group) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    for attribute, key in _COMMON.items():
        value = group.attributes.get(attribute)
        if value is None or value == _OFF:
            continue
        record, _, field = key.rpartition(".")
        typed = _SWITCH[value] if value in _SWITCH else int(value)
        (keys.setdefault(record, {}) if record else keys)[field] = typed
    return keys


def _common_tags(found: Standing) -> dict[str, str]:
    """Return the tags that every adopted resource has: the stack has one set of tags for all."""
    every = [
        found.tags,
        *(each.tags for each in found.listeners),
        *(each.tags for each in found.groups.values()),
    ]
    return {key: value for key, value in found.tags.items() if all(each.get(key) == value for each in every)}


def notes(found: Standing) -> Iterator[str]:
    """Yield a line for what the first `up` changes in place."""
    groups = [found.groups[item.groups[0]] for item in found.listeners]
    for attribute, key in _COMMON.items():
        values = [group.attributes.get(attribute) for group in groups]
        for group, value in zip(groups, values, strict=True):
            if value != values[0]:
                yield f"group {group.name} has {attribute} {value}; `up` sets {values[0]}, the stack's {key}"
    kept = _common_tags(found)
    resources = [
        (f"load balancer {found.name}", found.tags),
        *((f"listener {each.port}", each.tags) for each in found.listeners),
        *((f"group {each.name}", each.tags) for each in found.groups.values()),
    ]
    for name, tags in resources:
        if lost := sorted(tags.keys() - kept.keys()):
            yield f"{name} has tags that are not common to all; `up` removes them: {', '.join(lost)}"
