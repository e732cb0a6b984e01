"""The stack configuration as frozen records, in the words of docs/stack.md; they hold values and no rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi

TARGETS_OF_A_GROUP: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """Where the load balancer stands in one availability zone, and on which address.

    `allocation_id` is an Elastic IP that exists already; None has one created.
    """

    subnet_id: str
    allocation_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A port that clients reach, and the ingress port (by name) that its connections go to."""

    name: str
    port: int
    service_port: str
    protocol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """How every target group asks a node whether it can serve; interval and timeout in seconds."""

    service_port: str
    path: str
    interval: int
    timeout: int
    healthy_threshold: int
    unhealthy_threshold: int
    matcher: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """What becomes of created Elastic IPs: kept when the stack is destroyed, protected from it."""

    keep: bool
    protect: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Firewall:
    """Whose packets the node security group lets in on the NodePorts."""

    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """What happens to established connections when their target leaves or fails."""

    end_with_drain: bool
    end_when_unhealthy: bool
    preserve_client_ip: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressPort:
    """One port of the ingress Service; `target_port` and `node_port` are None where the defaults serve."""

    name: str
    port: int
    target_port: int | None
    node_port: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingress:
    """The NodePort Service before the ingress controller: created here, or adopted as it is."""

    create: bool
    create_namespace: bool
    namespace: str
    name: str
    selector: Mapping[str, str]
    annotations: Mapping[str, str]
    ports: tuple[IngressPort, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantities:
    """CPU and memory in Kubernetes' notation."""

    cpu: str
    memory: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What the syncer's container is promised and what it may take."""

    requests: Quantities
    limits: Quantities


@dataclass(frozen=True, slots=True, kw_only=True)
class Toleration:
    """A taint that the syncer's Pod may be placed beside."""

    key: str
    operator: str
    value: str | None
    effect: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TopologySpread:
    """One topology spread constraint of the syncer's Pods."""

    topology_key: str
    max_skew: int
    when_unsatisfiable: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Syncer:
    """The controller's Deployment. Values of `env` that are Outputs go to a Kubernetes Secret."""

    image: str
    namespace: str | None
    name: str
    secret_name: str
    replicas: int
    resources: Resources
    env: Mapping[str, pulumi.Input[str]]
    image_pull_secrets: tuple[str, ...]
    priority_class_name: str | None
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    node_selector: Mapping[str, str]
    tolerations: tuple[Toleration, ...]
    topology_spread: tuple[TopologySpread, ...]
    host_network: bool
    label_filter: str | None
    egress_ports: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """By what right the syncer calls AWS."""

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the stack configuration says; `region` comes from the AWS provider's own."""

    vpc_id: str
    zones: Mapping[str, Zone]
    node_security_group_id: str
    node_security_group_ids: tuple[str, ...]
    listeners: tuple[Listener, ...]
    health_check: HealthCheck
    addresses: Addresses
    client_cidrs: tuple[str, ...]
    firewall: Firewall
    connections: Connections
    deregistration_delay: int
    cross_zone: bool
    target_quota: int
    ingress: Ingress
    preset: str
    syncer: Syncer
    identity: Identity
    tags: Mapping[str, str]
    region: str = ""

    @property
    def node_groups(self) -> tuple[str, ...]:
        """The security groups of the nodes, by whichever of the two keys they are given."""
        return self.node_security_group_ids or (self.node_security_group_id,)

    @property
    def syncer_namespace(self) -> str:
        """Where the syncer runs: beside the ingress controller, as the predecessor did, unless said."""
        return self.syncer.namespace or self.ingress.namespace

    @property
    def target_limit(self) -> int:
        """How many targets a group may hold: the groups of a load balancer share its quota.

        AWS counts the quota for each zone, with cross-zone load balancing for all zones together; a group
        holds at most 1,000 whatever the load balancer may (AWS's default quotas of an NLB).
        """
        counted = self.target_quota * (1 if self.cross_zone else len(self.zones))
        return min(TARGETS_OF_A_GROUP, counted // len(self.listeners))

    @property
    def used_service_ports(self) -> tuple[str, ...]:
        """The ingress ports, by name, that the load balancer must reach on the nodes."""
        return tuple(
            sorted({item.service_port for item in self.listeners} | {self.health_check.service_port})
        )
