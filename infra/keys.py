"""Every key of the stack configuration and the component: type, default, range and reason, declared once.

The declarations are the source of validation, docs/stack.md, the `config:` block of Pulumi.yaml, the editors'
JSON Schema and the types of `NodeNlbArgs` (infra/reference.py). Ranges of health checks and delays are from
botocore's elbv2 model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi

from .clusterkeys import Ingress, Syncer
from .givengroups import ARN_PATTERN
from .identitykeys import Identity
from .shapes import CHARACTER, Cidr, Entries, Flag, Optional, Record, Rows, Text, Whole, declared
from .words import port_name, tcp_port

TARGETS_OF_A_GROUP: Final = 1000
# Without the ASCII characters that AWS refuses in a tag; infra/tags.py has the rules for other scripts.
TAG_CHARACTER: Final = r"[^\x00-\x1f!-*,;<>?\[-^`{-\x9f\ud800-\udfff]"
DEFAULT_LISTENERS: Final = [
    {"name": "http", "port": 80, "servicePort": "http"},
    {"name": "https", "port": 443, "servicePort": "https"},
]


ZONE_NAME: Final = r"[a-z]{2,}(-[a-z0-9]+)*-\d+[a-z]"
LOAD_BALANCER: Final = "loadBalancer"  # in `allowReplacement`


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """Where the load balancer stands in one availability zone, and on which address.

    `allocation_id` is an Elastic IP that exists already; None has one created.
    """

    subnet_id: pulumi.Input[str] = declared(
        Text(
            output=True,
            reason="The public subnet the load balancer stands in; its nodes in this zone become reachable.",
            allowed="the id of a subnet of this zone",
            pattern=r"subnet-[0-9a-f]{8,17}",
            example="subnet-0123456789abcdef0",
        )
    )
    allocation_id: pulumi.Input[str] | None = declared(
        Optional(
            inner=Text(
                output=True,
                reason="An Elastic IP that exists already; without it one is created.",
                allowed="the allocation id of an Elastic IP that is free",
                pattern=r"eipalloc-[0-9a-f]{8,17}",
                example="eipalloc-0123456789abcdef0",
            )
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A port that clients reach, and the ingress port (by name) that its connections go to."""

    name: str = declared(
        Text(
            reason="Names the listener and its target group; of AWS's 32 characters 17 are taken.",
            allowed="1 to 15 lower-case letters, digits and hyphens, a letter first",
            pattern=r"[a-z]([a-z0-9-]{0,13}[a-z0-9])?",
            example="http",
        )
    )
    port: int = declared(tcp_port("The port that clients connect to on each static IP."))
    service_port: str = declared(port_name("The ingress port, by name, that the connections go to."))
    protocol: str = declared(
        Text(
            reason="The load balancer passes connections through; TLS ends in the ingress controller.",
            allowed="TCP",
            choices=("TCP",),
            default="TCP",
            example="TCP",
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """The health check of every target group; interval and timeout in seconds."""

    service_port: str = declared(
        port_name("The ingress port, by name, whose NodePort answers the check.", default="http")
    )
    path: str = declared(
        Text(
            reason="Traefik answers /ping when it can serve.",
            allowed="a path of at most 1024 characters that begins with /",
            pattern=r"/[!-~]{0,1023}",
            default="/ping",
            example="/ping",
        )
    )
    interval: int = declared(
        Whole(
            low=5,
            high=300,
            unit="seconds",
            default=10,
            reason="With the threshold: how soon a dead node is left.",
        )
    )
    timeout: int = declared(
        Whole(
            low=2, high=120, unit="seconds", default=5, reason="At most the interval; AWS's own default is 6."
        )
    )
    healthy_threshold: int = declared(
        Whole(low=2, high=10, default=2, reason="Answers in a row before a node gets traffic.")
    )
    unhealthy_threshold: int = declared(
        Whole(low=2, high=10, default=2, reason="Failures in a row before a node gets none.")
    )
    matcher: str = declared(
        Text(
            reason="The HTTP codes that count as an answer.",
            allowed="a code, a range or a list of them, 200 to 599, such as 200-399",
            pattern=r"[2-5]\d\d([-,][2-5]\d\d)*",
            default="200-399",
            example="200-399",
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The fate of created Elastic IPs: kept when the stack is destroyed, protected from destruction."""

    keep: bool = declared(
        Flag(
            default=True,
            reason="Created addresses outlive the stack, and the next `up` takes them again.",
        )
    )
    protect: bool = declared(
        Flag(
            default=False,
            reason="true refuses to destroy or replace the addresses and the load balancer.",
        )
    )
    release: tuple[str, ...] = declared(
        Rows(
            item=Text(
                reason="A zone whose created address is released.",
                allowed="an availability zone such as eu-central-1a",
                pattern=ZONE_NAME,
                example="eu-central-1a",
            ),
            default=[],
            reason="Removed zones whose created address `python -m infra.zones --apply` releases; no edit "
            "releases an address of another zone.",
            allowed="a list of availability zones",
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Firewall:
    """The allowed sources of packets to the NodePorts, in the node security group."""

    source: str = declared(
        Text(
            reason="load-balancer: only through the load balancer; clients: also clientCidrs; "
            "any: 0.0.0.0/0, as the predecessor had it.",
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
            reason="true resets what is still open when the deregistration delay is over.",
        )
    )
    end_when_unhealthy: bool = declared(
        Flag(
            default=True,
            reason="true resets connections to a target that fails its check, so that clients of a "
            "dead node learn it at once; false spares them while the ingress controller restarts.",
        )
    )
    preserve_client_ip: bool = declared(
        Flag(
            default=True,
            reason="false hides the client's address, and lets a node call its own load balancer.",
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a stack or a user of the component says."""

    vpc_id: pulumi.Input[str] = declared(
        Text(
            output=True,
            reason="The cluster's VPC: target groups and the load balancer's security group live in it.",
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
            reason="One subnet and one static IP for each availability zone, keyed by the zone's name.",
            allowed="availability zones such as eu-central-1a, each with a subnetId; none only with "
            "targetGroups",
        )
    )
    node_security_group_id: pulumi.Input[str] = declared(
        Text(
            output=True,
            reason="The nodes' security group: it gets one rule for each NodePort, and keeps all its own.",
            allowed="the id of a security group; absent with nodeSecurityGroupIds or targetGroups",
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
            reason="In place of nodeSecurityGroupId where node pools have security groups of their own.",
            allowed="a list of security group ids",
            default=[],
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
            reason="Groups of a load balancer that exists already, by the ingress port they lead to. The "
            "stack then makes only the syncer and its identity, adopts the Service, and leaves other owners' "
            "targets alone.",
            allowed="ARNs of target groups, by the names of ingress.ports",
        )
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
    health_check: HealthCheck = declared(
        Record(
            build=HealthCheck,
            reason="Every group, the https one too, is checked over HTTP, as the predecessor had it.",
        )
    )
    addresses: Addresses = declared(
        Record(
            build=Addresses,
            reason="Static IPs stand in other people's allow-lists, so they outlive the stack by default.",
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
            least=1,
            default=["0.0.0.0/0"],
            reason="Who may connect to the listeners; enforced by the load balancer's security group.",
            allowed="a list of IPv4 networks",
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
            reason="What happens to established connections.",
        )
    )
    deregistration_delay: int = declared(
        Whole(
            low=0,
            high=3600,
            unit="seconds",
            default=120,
            reason="How long a leaving node may finish its connections; AWS advises at least 120 for an NLB.",
        )
    )
    cross_zone: bool = declared(
        Flag(
            default=False,
            reason="true spreads each static IP over the nodes of all zones, at the cost of traffic between "
            "zones and of a quota of 500 targets in total instead of a zone.",
        )
    )
    target_quota: int = declared(
        Whole(
            low=50,
            high=3000,
            default=500,
            reason="AWS's quota of targets for each zone of a load balancer, with crossZone for all zones "
            "together; beyond it the syncer chooses a stable subset of the nodes.",
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
            reason="With whose credentials the syncer calls AWS.",
        )
    )
    tags: Mapping[str, pulumi.Input[str]] = declared(
        Entries(
            item=Text(
                output=True,
                reason="",
                allowed="a tag's value in quotes, at most 256 letters, digits, spaces and _.:/=+-@",
                pattern=rf"{TAG_CHARACTER}{{0,256}}",
                example="''",
            ),
            key_pattern=rf"(?![aA][wW][sS]:){CHARACTER}{{1,128}}",
            default={},
            reason="Tags of every AWS resource that can carry them.",
            allowed="at most 50 with those of the stack; keys of at most 128 characters that do not begin "
            "with aws:, with string values",
        )
    )

    @property
    def replaceable(self) -> bool:
        """Return whether an edit may replace the load balancer."""
        return LOAD_BALANCER in self.allow_replacement

    @property
    def node_groups(self) -> tuple[pulumi.Input[str], ...]:
        """Return the nodes' security groups, from either of the two keys."""
        return self.node_security_group_ids or (self.node_security_group_id,)

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

        AWS counts the quota per zone, and with cross-zone load balancing for all zones together; a group
        holds at most 1,000 targets regardless of the load balancer's quota (AWS's default quotas of an NLB).
        """
        counted = self.target_quota * (1 if self.cross_zone else len(self.zones))
        return min(TARGETS_OF_A_GROUP, counted // len(self.listeners))

    @property
    def used_service_ports(self) -> tuple[str, ...]:
        """Return the names of the ingress ports that the load balancer must reach on the nodes."""
        return tuple(
            sorted({item.service_port for item in self.listeners} | {self.health_check.service_port})
        )


ROOT: Final = Record(build=Settings)
