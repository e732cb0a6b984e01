"""Every key of the stack configuration and the component: type, default, range and reason, declared once.

The declarations are the source of validation, docs/keys.md, the `config:` block of Pulumi.yaml, the editors'
JSON Schema and the types of `NodeNlbArgs` (infra/reference.py). Ranges of health checks and delays are from
botocore's elbv2 model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi

from .aroundkeys import Alarms, Dns, EndpointService
from .clusterkeys import LABEL_VALUE, QUALIFIED_ANNOTATION, QUALIFIED_LABEL, Ingress, Syncer, strings
from .edgekeys import LARGEST_WEIGHT, Attachment, Edge
from .givengroups import ARN_PATTERN
from .healthkeys import LOCAL, HealthCheck, TargetHealth
from .identitykeys import Identity
from .listenerkeys import DEFAULT_LISTENERS, Listener
from .loadbalancerkeys import LoadBalancer
from .problems import VALUE
from .shapes import CHARACTER, Cidr, Entries, Flag, Record, Rows, Text, Whole, declared, is_ipv6
from .zonekeys import ZONE_NAME, Addresses, Zone

TARGETS_OF_A_GROUP: Final = 1000
# Without the ASCII characters that AWS refuses in a tag; infra/tags.py has the rules for other scripts.
TAG_CHARACTER: Final = r"[^\x00-\x1f!-*,;<>?\[-^`{-\x9f\ud800-\udfff]"
LOAD_BALANCER: Final = "loadBalancer"  # in `allowReplacement`


@dataclass(frozen=True, slots=True, kw_only=True)
class Firewall:
    """The allowed sources of packets to the NodePorts, in the node security group."""

    source: str = declared(
        Text(
            reason="load-balancer: the load balancer alone; clients: clientCidrs too; any: 0.0.0.0/0, as in "
            "the predecessor.",
            allowed="load-balancer, clients or any",
            choices=("load-balancer", "clients", "any"),
            default="load-balancer",
            example="load-balancer",
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """The handling of established connections when their target leaves or fails."""

    end_with_drain: bool = declared(
        Flag(
            default=False,
            reason="true resets connections that are still open at the end of the deregistration delay.",
        )
    )
    end_when_unhealthy: bool = declared(
        Flag(
            default=True,
            reason="true resets connections to a target that fails its check, so that clients of a dead node "
            "reconnect at once; false keeps the connections while the ingress controller restarts.",
        )
    )
    preserve_client_ip: bool = declared(
        Flag(
            default=True,
            reason="false hides the client's address, and allows a node to call its own load balancer. UDP "
            "keeps the address.",
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a stack or a user of the component says."""

    vpc_id: pulumi.Input[str] = declared(
        Text(
            output=True,
            reason="The VPC of the cluster, and of the target groups and the load balancer's security group.",
            allowed="the id of a VPC; absent only with targetGroups",
            pattern=r"(vpc-[0-9a-f]{8,17})?",
            default="",
            example="vpc-0123456789abcdef0",
        )
    )
    zones: Mapping[str, Zone] = declared(
        Entries(
            item=Record(build=Zone),
            default={},
            key_pattern=ZONE_NAME,
            reason="A subnet and a static IP for each availability zone, by the name of the zone.",
            allowed="availability zones such as eu-central-1a, each with a subnetId; absent only with "
            "targetGroups or edge",
        )
    )
    node_security_group_id: pulumi.Input[str] = declared(
        Text(
            output=True,
            reason="The security group of the nodes; the stack adds a rule for each NodePort.",
            allowed="the id of a security group; absent with nodeSecurityGroupIds, nodeSecurityGroupTags, "
            "targetGroups or cluster false",
            pattern=r"(sg-[0-9a-f]{8,17})?",
            default="",
            example="sg-0123456789abcdef0",
        )
    )
    node_security_group_ids: tuple[pulumi.Input[str], ...] = declared(
        Rows(
            item=Text(
                output=True,
                reason="A security group of nodes.",
                allowed="the id of a security group",
                pattern=r"sg-[0-9a-f]{8,17}",
                example="sg-0123456789abcdef0",
            ),
            reason="In place of nodeSecurityGroupId for node pools with different security groups.",
            allowed="a list of security group ids",
            default=[],
        )
    )
    node_security_group_tags: Mapping[str, str] = declared(
        Entries(
            item=Text(
                reason="",
                allowed="a tag's value in quotes, at most 256 letters, digits, spaces and _.:/=+-@",
                pattern=rf"{TAG_CHARACTER}{{0,256}}",
                example=VALUE,
            ),
            key_pattern=rf"{TAG_CHARACTER}{{1,128}}",
            default={},
            reason="Security groups of nodes by their tags, beside the ids: every group of the VPC with all "
            "of the tags, read in each run.",
            allowed="tag keys such as aws:eks:cluster-name, with string values",
        )
    )
    target_groups: Mapping[str, pulumi.Input[str]] = declared(
        Entries(
            item=Text(
                output=True,
                reason="",
                allowed="the ARN of a target group",
                pattern=ARN_PATTERN,
                example="arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/http/0123456789abcdef",
            ),
            default={},
            reason="Target groups of an existing load balancer, by the name of their ingress port. The stack "
            "then creates only the syncer and its identity, adopts the Service, and keeps the targets of "
            "other owners.",
            allowed="ARNs of target groups, by the names of ingress.ports",
        )
    )
    edge: Edge = declared(
        Record(
            build=Edge, reason="The load balancer of another stack, which forwards to this stack's groups."
        )
    )
    cluster: bool = declared(
        Flag(
            default=True,
            reason="false makes a load balancer without a cluster: it forwards to attachments alone.",
        )
    )
    weight: int = declared(
        Whole(
            low=0,
            high=LARGEST_WEIGHT,
            default=100,
            reason="The share of the stack's own target groups beside attachments, as attachments.*.weight.",
        )
    )
    attachments: Mapping[str, Attachment] = declared(
        Entries(
            item=Record(build=Attachment),
            default={},
            key_pattern=r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?",
            reason="Target groups of other stacks, by names of your choice: the listeners forward to them "
            "by weight.",
            allowed="names of at most 32 lower-case letters, digits and hyphens; at most 5 groups for each "
            "listener",
        )
    )
    load_balancer: LoadBalancer = declared(
        Record(build=LoadBalancer, reason="Scheme, name and attributes of the load balancer.")
    )
    listeners: tuple[Listener, ...] = declared(
        Rows(
            item=Record(build=Listener),
            least=1,
            default=DEFAULT_LISTENERS,
            reason="The ports that clients reach; each has a target group.",
            allowed="a list of listeners",
        )
    )
    dns: Dns = declared(Record(build=Dns, reason="Names of the load balancer in Route 53; none by default."))
    endpoint_service: EndpointService = declared(
        Record(
            build=EndpointService,
            reason="A PrivateLink endpoint service of the load balancer; off by default.",
        )
    )
    alarms: Alarms = declared(
        Record(build=Alarms, reason="CloudWatch alarms of the load balancer; off by default.")
    )
    health_check: HealthCheck = declared(
        Record(
            build=HealthCheck,
            reason="Every group, https too, is checked over HTTP, as in the predecessor.",
        )
    )
    target_health: TargetHealth = declared(
        Record(build=TargetHealth, reason="What happens in a zone with too few healthy targets of a group.")
    )
    addresses: Addresses = declared(
        Record(
            build=Addresses,
            reason="Static IPs are in the allow-lists of clients, so they outlive the stack by default.",
        )
    )
    allow_replacement: tuple[str, ...] = declared(
        Rows(
            item=Text(
                reason="A resource that may be replaced.",
                allowed="loadBalancer",
                choices=(LOAD_BALANCER,),
                example=LOAD_BALANCER,
            ),
            default=[],
            reason="Resources that an edit may replace. A new load balancer has a new DNS name and ARN, and "
            "there is no service for some minutes.",
            allowed="a list of: loadBalancer",
        )
    )
    client_cidrs: tuple[str, ...] = declared(
        Rows(
            item=Cidr(reason="A network of clients."),
            default=["0.0.0.0/0"],
            reason="The clients that may connect to the listeners, by the load balancer's security group.",
            allowed="a list of networks, IPv6 with loadBalancer.ipAddressType dualstack; empty only beside "
            "loadBalancer.clientPrefixLists or securityGroupIds",
        )
    )
    firewall: Firewall = declared(
        Record(
            build=Firewall,
            reason="The rules on the nodes' security group.",
        )
    )
    connections: Connections = declared(
        Record(
            build=Connections,
            reason="The handling of established connections.",
        )
    )
    deregistration_delay: int = declared(
        Whole(
            low=0,
            high=3600,
            unit="seconds",
            default=120,
            reason="The time for a leaving node to finish its connections; AWS advises at least 120 for an "
            "NLB.",
        )
    )
    cross_zone: bool = declared(
        Flag(
            default=False,
            reason="true spreads each static IP over the nodes of all zones, at the cost of traffic between "
            "zones and of a quota of 500 targets in total instead of 500 in each zone.",
        )
    )
    target_quota: int = declared(
        Whole(
            low=50,
            high=3000,
            default=500,
            reason="AWS's quota of targets for each zone of a load balancer, with crossZone for all zones "
            "together; with more nodes the syncer selects a stable subset.",
        )
    )
    ingress: Ingress = declared(
        Record(build=Ingress, reason="The NodePort Service before the ingress controller.")
    )
    preset: str = declared(
        Text(
            reason="predecessor: nodeSelector, toleration and label filter of the Go project's manifests.",
            allowed="none or predecessor",
            choices=("none", "predecessor"),
            default="none",
            example="predecessor",
        )
    )
    syncer: Syncer = declared(
        Record(build=Syncer, reason="The controller that keeps the target groups in step with the nodes.")
    )
    identity: Identity = declared(
        Record(
            build=Identity,
            reason="The credentials of the syncer's AWS calls.",
        )
    )
    tags: Mapping[str, pulumi.Input[str]] = declared(
        Entries(
            item=Text(
                output=True,
                reason="",
                allowed="a tag's value in quotes, at most 256 letters, digits, spaces and _.:/=+-@",
                pattern=rf"{TAG_CHARACTER}{{0,256}}",
                example=VALUE,
            ),
            key_pattern=rf"(?![aA][wW][sS]:){CHARACTER}{{1,128}}",
            default={},
            reason="Tags of every AWS resource that supports tags.",
            allowed="at most 50 with those of the stack; keys of at most 128 characters that do not begin "
            "with aws:, with string values",
        )
    )

    labels: Mapping[str, str] = declared(
        strings(
            "Labels of every Kubernetes object of the stack, the syncer's Pods included; no selector has "
            "these labels. Labels of syncer.labels win.",
            key_pattern=QUALIFIED_LABEL,
            pattern=LABEL_VALUE,
            allowed="label keys with their values",
        )
    )
    annotations: Mapping[str, str] = declared(
        strings(
            "Annotations of every Kubernetes object of the stack, the syncer's Pods included. Annotations of "
            "ingress.annotations and syncer.annotations win.",
            key_pattern=QUALIFIED_ANNOTATION,
            allowed="annotation keys with their values",
        )
    )

    @property
    def replaceable(self) -> bool:
        """Return whether an edit may replace the load balancer."""
        return LOAD_BALANCER in self.allow_replacement

    @property
    def attached(self) -> bool:
        """Return whether the load balancer is that of another stack, with target groups of this stack."""
        return self.edge.security_group_id != ""

    @property
    def balances(self) -> bool:
        """Return whether the stack has a load balancer."""
        return not self.target_groups and not self.attached

    @property
    def creates_groups(self) -> bool:
        """Return whether the stack has target groups of its own."""
        return self.cluster and not self.target_groups

    def weights(self, listener: str) -> dict[str, int]:
        """Return the weights of the groups of a listener by attachment, "" for the stack's own group."""
        own = {"": self.weight} if self.creates_groups else {}
        others = {
            name: each.weight for name, each in self.attachments.items() if listener in each.target_groups
        }
        return {**own, **others}

    # Not a key: the groups that `node_security_group_tags` select (infra/taggedgroups.py), sorted.
    tagged_node_groups: tuple[str, ...] = ()

    @property
    def given_node_groups(self) -> tuple[pulumi.Input[str], ...]:
        """Return the nodes' security groups that are given by id, from either of the two keys."""
        one = self.node_security_group_id
        return self.node_security_group_ids or (() if one == "" else (one,))

    @property
    def node_groups(self) -> tuple[pulumi.Input[str], ...]:
        """Return the nodes' security groups: those given by id, then those found by tag."""
        return (*self.given_node_groups, *self.tagged_node_groups)

    @property
    def syncer_namespace(self) -> pulumi.Input[str]:
        """Return the syncer's namespace; by default the ingress controller's, as with the predecessor."""
        return self.ingress.namespace if self.syncer.namespace is None else self.syncer.namespace

    @property
    def service_ports(self) -> dict[str, str]:
        """Return the name of the ingress port of every target group."""
        if self.target_groups:
            return {name: name for name in self.target_groups}
        return {item.name: item.service_port for item in self.listeners}

    @property
    def target_limit(self) -> int:
        """Return the maximum of targets in a group: the groups of a load balancer share its quota.

        AWS counts the quota per zone, and with cross-zone load balancing of any group for all zones
        together; a group holds at most 1,000 targets regardless of the load balancer's quota (AWS's default
        quotas of an NLB).
        """
        crossed = self.cross_zone or any(item.cross_zone for item in self.listeners)
        counted = self.target_quota * (1 if crossed else len(self.zones))
        return min(TARGETS_OF_A_GROUP, counted // len(self.listeners))

    @property
    def cross_zone_everywhere(self) -> bool:
        """Return whether every group serves all zones; otherwise the syncer plans zone by zone."""
        return all(self.crosses(item) for item in self.listeners)

    def crosses(self, item: Listener) -> bool:
        """Return whether the nodes of all zones serve a listener's group."""
        return self.cross_zone if item.cross_zone is None else item.cross_zone

    @property
    def health_checks(self) -> tuple[HealthCheck, ...]:
        """Return the health check of each listener's group, in the listeners' order."""
        return tuple(item.checked_by(self.health_check) for item in self.listeners)

    @property
    def used_service_ports(self) -> tuple[str, ...]:
        """Return the names of the ingress ports that the load balancer must reach on the nodes."""
        checked = {check.service_port for check in self.health_checks if check.port is None}
        return tuple(sorted({item.service_port for item in self.listeners} | checked))

    def transports(self, service_port: str) -> tuple[str, ...]:
        """Return the IP protocols by which the load balancer reaches an ingress port, checks included."""
        used = {
            each for item in self.listeners if item.service_port == service_port for each in item.transports
        }
        if any(check.port is None and check.service_port == service_port for check in self.health_checks):
            used.add("tcp")
        return tuple(sorted(used))

    @property
    def client_cidrs_ipv4(self) -> tuple[str, ...]:
        """Return the IPv4 networks of clients; clients of the others reach the nodes over IPv4 too."""
        return tuple(each for each in self.client_cidrs if not is_ipv6(each))

    @property
    def client_rule_count(self) -> int:
        """Return the number of rules for one network of clients."""
        return sum(len(item.transports) for item in self.listeners)

    @property
    def node_rule_count(self) -> int:
        """Return the number of rules for the NodePorts of one node security group and one source."""
        return sum(len(self.transports(port)) for port in self.used_service_ports)

    @property
    def checks_locally(self) -> bool:
        """Return whether a group is checked on the Service's healthCheckNodePort."""
        return any(check.port == LOCAL for check in self.health_checks)

    @property
    def used_health_ports(self) -> tuple[int, ...]:
        """Return the ports of health checks that are no NodePort in use, as far as NodePorts are fixed."""
        used = set(self.used_service_ports)
        fixed = {port.node_port for port in self.ingress.ports if port.name in used}
        checked = {check.node_port for check in self.health_checks}
        return tuple(sorted(port for port in checked - fixed if port is not None))

    @property
    def health_port_count(self) -> int:
        """Return the number of ports that are open for health checks alone."""
        return len(self.used_health_ports) + int(self.checks_locally)


ROOT: Final = Record(build=Settings)
