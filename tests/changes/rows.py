"""The rows of docs/changes.md: edits of stack dev, one after another."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sandbox.cloud.network import NODE_ROLE, VPC_ID
from tests.changes import byhand, combined
from tests.changes.edits import Edit, Keys, drop, each, nothing, put
from tests.changes.stand import PROJECT, Stand

LAST: Final = "eu-central-1c"
ZONE: Final = f"zones.{LAST}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An edit, what is done by hand before `up`.

    `once`: the next row starts where this one started; otherwise it starts where this one ended.
    `zonal`: the command for zones runs before `up`; requests to the changed zone do not count.
    `previewed`: `up` shows its preview first, and `preview` refuses what `up` would.
    `restores` takes a change by hand back after `up`.
    """

    name: str
    edit: Edit = nothing
    by_hand: Callable[[Stand], None] | None = None
    restores: Callable[[Stand], None] | None = None
    zonal: bool = False
    previewed: bool = False
    once: bool = False

    def edited(self, keys: Keys, stand: Stand) -> Keys:
        """Return the configuration after the edit."""
        self.edit(keys, stand)
        return keys


def setting(path: str, value: object, *, once: bool = False) -> Row:
    """A row that sets a key; the name is the key with its value."""
    shown = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    return Row(name=f"`{path}: {shown}`", edit=put(path, value), once=once)


def refused(name: str, edit: Edit) -> Row:
    """A row whose edit does not stay: `up` refuses it."""
    return Row(name=name, edit=edit, previewed=True, once=True)


def preset(name: str) -> Row:
    """A row that takes selector, ports and health check from a preset, for the Service of today."""

    def edit(keys: Keys, _: Stand) -> None:
        place = {"namespace": "ingress-traefik", "name": "traefik-ingress-service-nlb"}
        keys["ingress"] = {"preset": name, **place, "createNamespace": True}

    return Row(name=f"`ingress.preset: {name}`, with the Service's namespace and name", edit=edit)


TLS: Final = each(
    put("listeners.https.protocol", "TLS"),
    put("listeners.https.certificateArns", lambda stand: [stand.certificate("a.example")]),
)
TWO_CERTIFICATES: Final = put(
    "listeners.https.certificateArns", lambda stand: [stand.certificate(f"{name}.example") for name in "ab"]
)
TCP_AGAIN: Final = each(
    put("listeners.https.protocol", "TCP"),
    drop("listeners.https.certificateArns"),
    drop("listeners.https.sslPolicy"),
    drop("listeners.https.alpnPolicy"),
)
OTHER_VPC: Final = VPC_ID[:-1] + ("0" if VPC_ID[-1] != "0" else "1")

REFUSED: Final = (
    refused("a zone removed", drop(ZONE)),
    refused("another subnet in a zone", put(f"{ZONE}.subnetId", lambda stand: stand.second_subnet(LAST))),
    refused("another Elastic IP in a zone", put(f"{ZONE}.allocationId", Stand.own_address)),
    refused(
        "the stack's own Elastic IP as `allocationId`",
        put(f"{ZONE}.allocationId", lambda stand: stand.created_address(LAST)),
    ),
    refused("`addresses.release` of a zone of `zones`", put("addresses.release", [LAST])),
    refused("another `vpcId`", put("vpcId", OTHER_VPC)),
    refused("`loadBalancer.scheme: internal`", put("loadBalancer.scheme", "internal")),
    refused("`loadBalancer.name: edge`", put("loadBalancer.name", "edge")),
    refused("`targetGroups` in a stack with a load balancer", combined.targets_given),
    refused(
        "`ingress.create: false` for the stack's own Service",
        each(put("ingress.create", False), drop("ingress.createNamespace")),
    ),
)
BALANCER: Final = (
    setting("loadBalancer.deletionProtection", True),
    setting("loadBalancer.zonalShift", True),
    setting("loadBalancer.dnsClientRouting", "availability_zone_affinity"),
    setting("loadBalancer.minimumCapacity", 3000),
    setting("loadBalancer.enforcePrivateLink", False),
    Row(
        name="`loadBalancer.accessLogs` with a bucket",
        edit=put("loadBalancer.accessLogs", {"enabled": True, "bucket": "logs", "prefix": "prod"}),
    ),
    setting("loadBalancer.accessLogs.enabled", False),
    Row(
        name="`loadBalancer.securityGroupIds`, one more",
        edit=put("loadBalancer.securityGroupIds", lambda stand: [stand.security_group()]),
    ),
    Row(
        name="`loadBalancer.clientPrefixLists`, one more",
        edit=put("loadBalancer.clientPrefixLists", lambda stand: [stand.prefix_list()]),
    ),
    setting("loadBalancer.ipAddressType", "dualstack"),
    Row(name="`clientCidrs`, every IPv6 client", edit=put("clientCidrs", ["0.0.0.0/0", "::/0"])),
    Row(
        name="`loadBalancer` removed, with all its keys",
        edit=each(drop("loadBalancer"), put("clientCidrs", ["0.0.0.0/0"])),
    ),
    setting("crossZone", False),
    Row(name="`clientCidrs`, one more", edit=put("clientCidrs", ["0.0.0.0/0", "127.0.0.0/8"])),
    setting("firewall.source", "clients"),
    setting("firewall.source", "any"),
    Row(
        name="`nodeSecurityGroupTags` of the nodes' group and of one more, for the id",
        edit=each(combined.second_pool, combined.pools_by_tag),
        once=True,
    ),
    Row(name="`nodeSecurityGroupIds`, one more in front", edit=combined.pool_in_front, once=True),
    Row(name="`nodeSecurityGroupIds`, one more", edit=combined.second_pool),
    Row(
        name="`nodeSecurityGroupTags` of the same groups, for the ids", edit=combined.pools_by_tag, once=True
    ),
    Row(name="`tags`, one more", edit=put("tags", {"node-nlb-sync:environment": "sandbox", "owner": "edge"})),
    Row(
        name="`labels` and `annotations`",
        edit=each(put("labels", {"team": "edge"}), put("annotations", {"owner": "edge"})),
    ),
    setting("addresses.keep", True),
    setting("addresses.protect", True),
    setting("addresses.protect", False),
)
AROUND: Final = (
    Row(
        name="`dns` with two names",
        edit=put(
            "dns",
            lambda stand: {"zoneId": stand.hosted_zone(), "names": ["example.com", "www.example.com"]},
        ),
    ),
    Row(name="a name of `dns` removed", edit=put("dns.names", ["www.example.com"])),
    setting("endpointService.enabled", True),
    setting("endpointService.acceptanceRequired", False),
    Row(
        name="`endpointService.allowedPrincipals`, one more",
        edit=put("endpointService.allowedPrincipals", ["arn:aws:iam::210987654321:root"]),
    ),
    setting("alarms.enabled", True),
    setting("alarms.minutes", 10),
    Row(
        name="`dns`, `endpointService` and `alarms` removed",
        edit=each(drop("dns"), drop("endpointService"), drop("alarms")),
    ),
)
LISTENERS: Final = (
    setting("listeners.http.idleTimeout", 600),
    setting("listeners.https.crossZone", True),
    setting("listeners.https.proxyProtocol", True),
    setting("listeners.https.stickiness", True),
    Row(
        name="`listeners.https.healthCheck: {protocol: TCP}`",
        edit=put("listeners.https.healthCheck", {"protocol": "TCP"}),
    ),
    Row(
        name="proxy protocol, stickiness and health check of a listener removed",
        edit=each(
            drop("listeners.https.proxyProtocol"),
            drop("listeners.https.stickiness"),
            drop("listeners.https.healthCheck"),
        ),
    ),
    Row(name="`listeners.https.protocol: TLS` with a certificate", edit=TLS),
    Row(name="a second certificate", edit=TWO_CERTIFICATES),
    setting("listeners.https.sslPolicy", "ELBSecurityPolicy-TLS13-1-2-2021-06"),
    setting("listeners.https.alpnPolicy", "HTTP2Preferred"),
    Row(name="`listeners.https.protocol: TCP` again", edit=TCP_AGAIN),
    Row(name="a listener added", edit=combined.listener_added),
    Row(name="a listener of UDP added", edit=combined.datagrams_added),
    Row(name="a listener of UDP removed", edit=combined.datagrams_removed),
    Row(name="a listener removed", edit=combined.listener_removed),
    Row(name="the ports of two listeners swapped: port 80 serves TLS", edit=combined.listeners_swapped),
    Row(name="the ports of two listeners swapped back: port 80 serves HTTP", edit=combined.listeners_swapped),
    Row(name="listeners renamed", edit=combined.listeners_renamed, once=True),
)
GROUPS: Final = (
    Row(
        name="`healthCheck.interval: 10`, `timeout: 3`",
        edit=each(put("healthCheck.interval", 10), put("healthCheck.timeout", 3)),
    ),
    setting("healthCheck.healthyThreshold", 3),
    setting("healthCheck.matcher", "200"),
    setting("healthCheck.protocol", "TCP"),
    Row(
        name="`healthCheck: {port: kube-proxy}`",
        edit=put("healthCheck", {"interval": 5, "timeout": 2, "port": "kube-proxy"}),
    ),
    Row(
        name="`healthCheck: {port: local}`",
        edit=put("healthCheck", {"interval": 5, "timeout": 2, "port": "local"}),
    ),
    Row(name="`healthCheck.port` removed", edit=put("healthCheck", {"interval": 5, "timeout": 2})),
    setting("targetHealth.dnsFailoverCount", 2),
    setting("targetHealth.unhealthyRoutingPercentage", 50),
    setting("deregistrationDelay", 20),
    setting("connections.endWithDrain", True),
    setting("connections.endWhenUnhealthy", False),
    setting("connections.preserveClientIp", False),
    setting("targetQuota", 1000),
    Row(
        name="the keys of the target groups back to their former values",
        edit=each(
            put("healthCheck", {"interval": 5, "timeout": 2}),
            drop("targetHealth"),
            put("deregistrationDelay", 15),
            drop("connections"),
        ),
    ),
)
INGRESS: Final = (
    Row(name="`ingress.annotations`, another one", edit=put("ingress.annotations", {"owner": "edge"})),
    setting("ingress.createNamespace", False),
    Row(name="the ports of the Service renamed", edit=combined.ports_renamed, once=True),
    Row(
        name="another number of a listener's Service port, with the former `targetPort`",
        edit=each(put("ingress.ports.http.port", 8000), put("ingress.ports.http.targetPort", 80)),
        once=True,
    ),
    preset("ingress-nginx"),
    preset("envoy-gateway"),
    preset("istio"),
    preset("haproxy"),
    Row(
        name="`ingress.preset: cilium`, with the chart's Service",
        edit=put("ingress", {"preset": "cilium"}),
        by_hand=byhand.create_cilium_service,
        once=True,
    ),
    preset("traefik"),
    Row(name="`ingress.preset` removed", edit=combined.no_preset),
    Row(name="a Service port added, with a listener", edit=combined.service_port_added),
    Row(name="the Service ports of two listeners exchanged", edit=combined.service_ports_exchanged),
    Row(name="the Service ports exchanged back", edit=combined.service_ports_exchanged),
    Row(name="the Service port and its listener removed", edit=combined.service_port_removed),
    Row(name="NodePorts set", edit=combined.node_ports(30010, 30043)),
    Row(name="NodePorts changed", edit=combined.node_ports(30011, 30044)),
    setting("ingress.keep", True),
    Row(
        name="`ingress.create: false`, with `ingress.keep: true` before",
        edit=each(put("ingress.create", False), drop("ingress.createNamespace")),
    ),
    Row(
        name="`ingress.create: true` for an adopted Service",
        edit=put("ingress.create", True),
        once=True,
    ),
    Row(
        name="`ingress.create: true` after the adopted Service was deleted by hand",
        edit=each(put("ingress.create", True), drop("ingress.keep")),
        by_hand=byhand.delete_service,
    ),
    Row(name="the Service deleted by hand", by_hand=byhand.delete_service),
)
SYNCER: Final = (
    setting("syncer.replicas", 1),
    setting("syncer.image", "node-nlb-sync:next"),
    Row(
        name="`syncer.env`, one more",
        edit=put("syncer.env", {"NLB_SYNC_ADDRESS": "$(POD_IP)", "NO_PROXY": "*"}),
    ),
    Row(name="`syncer.labels`, one more", edit=put("syncer.labels", {"tier": "edge"})),
    setting("syncer.labelFilter", "kubernetes.io/os=linux"),
    setting("syncer.serverSideSelector", True),
    setting("preset", "none"),
    setting("syncer.namespace", "default"),
    setting("syncer.name", "other"),
    setting("identity.doctorRights", True),
    Row(name="`identity.kind: user-keys`", edit=put("identity", {"kind": "user-keys"})),
    setting("identity.keyGeneration", 2),
    Row(
        name="`identity.kind: irsa`",
        edit=put("identity", lambda stand: {"kind": "irsa", "oidcProviderArn": stand.oidc_provider()}),
    ),
    Row(
        name="`identity.kind: node-role`",
        edit=put("identity", {"kind": "node-role", "roleName": NODE_ROLE}),
    ),
    Row(name="`identity.kind: pod-identity`", edit=put("identity", {"clusterName": "sandbox"})),
)
BY_HAND: Final = (
    Row(name="a rule of the nodes' group removed by hand", by_hand=byhand.remove_rule),
    Row(name="a listener deleted by hand", by_hand=byhand.delete_listener),
    Row(name="the deregistration delay changed by hand", by_hand=byhand.change_delay),
    Row(name="the syncer's Deployment deleted by hand", by_hand=byhand.delete_syncer),
    Row(
        name="`pulumi stack rename`",
        by_hand=lambda stand: stand.rename("moved"),
        restores=lambda stand: stand.rename("dev"),
    ),
    Row(
        name="another name of the project, with `pulumi stack rename`",
        by_hand=lambda stand: stand.rename("dev", project="edge"),
        restores=lambda stand: stand.rename("dev", project=PROJECT),
    ),
)
ZONES: Final = (
    Row(name="a zone removed, with `python -m infra.zones --apply`", edit=drop(ZONE), zonal=True),
    Row(name="a zone added", edit=put(ZONE, lambda stand: stand.base()["zones"][LAST])),
    Row(
        name="another subnet in a zone, with `python -m infra.zones --apply`",
        edit=put(f"{ZONE}.subnetId", lambda stand: stand.second_subnet(LAST)),
        zonal=True,
    ),
    Row(
        name="another Elastic IP in a zone, with `python -m infra.zones --apply`",
        edit=put(f"{ZONE}.allocationId", Stand.own_address),
        zonal=True,
    ),
)
REPLACED: Final = (
    setting("listeners.https.backendProtocol", "TLS", once=True),
    Row(
        name="`ingress.name` and NodePorts changed",
        edit=each(put("ingress.name", "other"), combined.node_ports(30012, 30045)),
    ),
    Row(
        name="a zone removed, with `allowReplacement: [loadBalancer]`",
        edit=each(drop(ZONE), put("allowReplacement", ["loadBalancer"])),
    ),
)
SECTIONS: Final[Mapping[str, Sequence[Row]]] = {
    "Refused edits": REFUSED,
    "Load balancer, firewall and addresses": BALANCER,
    "DNS names, PrivateLink and alarms": AROUND,
    "Listeners": LISTENERS,
    "Target groups": GROUPS,
    "Ingress": INGRESS,
    "Syncer and identity": SYNCER,
    "Changes by hand, and the stack's name": BY_HAND,
    "Zones": ZONES,
    "Replacements": REPLACED,
}
ROWS: Final = tuple(row for rows in SECTIONS.values() for row in rows)
# Two sandboxes apply the rows side by side.
BALANCER_ROWS: Final = (*REFUSED, *BALANCER, *AROUND, *LISTENERS)
CLUSTER_ROWS: Final = ROWS[len(BALANCER_ROWS) :]


def start(row: Row, stand: Stand) -> Keys:
    """Return the configuration before a row: the edits of the rows before it that stay."""
    keys = stand.base()
    for each_row in ROWS:
        if each_row is row:
            break
        if not each_row.once:
            keys = each_row.edited(keys, stand)
    return keys
