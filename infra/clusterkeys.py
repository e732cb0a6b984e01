"""Keys for the cluster: the ingress Service and the syncer. Names are the predecessor's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from syncer.manifests.references import IMAGE

from .buildkeys import Build
from .ingresspresets import INGRESS_PRESETS
from .problems import VALUE
from .resourcekeys import Resources
from .shapes import CHARACTER, REQUIRED, Entries, Flag, Optional, Record, Rows, Text, Whole, declared

LABEL = r"(?=.{1,63}$)[a-z]([-a-z0-9]*[a-z0-9])?"  # RFC 1035, allowed by Kubernetes for a Service
PORT_NAME = r"(?=.{1,15}$)(?=.*[a-z])[a-z0-9]([-a-z0-9]*[a-z0-9])?"  # IANA service name
ENV_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
SUBDOMAIN_FORM = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"  # RFC 1123, any length
SUBDOMAIN = r"(?=.{1,253}$)" + SUBDOMAIN_FORM
# Without look-ahead, which the Go regular expressions of the chart's schema lack.
_LABEL_NAME = r"[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?"
LABEL_VALUE = rf"({_LABEL_NAME})?"
LABEL_KEY = r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?" + _LABEL_NAME
# The whole rule of the API server: LABEL_KEY also accepts empty parts of the domain, such as a..b/c.
_LENGTHS = r"(?=([^/]{1,253}/)?[^/]{1,63}$)"
QUALIFIED_LABEL = rf"{_LENGTHS}({SUBDOMAIN_FORM}/)?{_LABEL_NAME}"
# The API server reads the domain of an annotation's key in lower case.
QUALIFIED_ANNOTATION = rf"{_LENGTHS}({SUBDOMAIN_FORM.replace('a-z', 'A-Za-z')}/)?{_LABEL_NAME}"


def object_name(default: str, reason: str, *, output: bool = False) -> Text:
    """A Kubernetes object's name."""
    what = "a lower-case DNS label of at most 63 characters"
    return Text(default=default, reason=reason, allowed=what, pattern=LABEL, example=default, output=output)


def port_name(reason: str, default: Any = REQUIRED) -> Text:
    """The name of a port of the ingress Service."""
    allowed = "a port name of at most 15 lower-case letters, digits and hyphens"
    return Text(reason=reason, allowed=allowed, pattern=PORT_NAME, example="http", default=default)


def tcp_port(reason: str) -> Whole:
    """A TCP port."""
    return Whole(low=1, high=65535, reason=reason, example="<port>")


def node_port(reason: str) -> Whole:
    """A NodePort; clashes with ports of a node are checked across keys (infra/ports.py)."""
    return Whole(low=1024, high=65535, reason=reason, example="30080")


def strings(
    reason: str,
    default: object = None,
    *,
    allowed: str = "strings by key",
    pattern: str = rf"{CHARACTER}*",
    key_pattern: str = rf"{CHARACTER}+",
) -> Entries:
    """A map of the user's own strings."""
    item = Text(
        reason="",
        allowed="a string; write numbers and true/false in quotes",
        pattern=pattern,
        example=VALUE,
    )
    return Entries(
        item=item,
        reason=reason,
        allowed=allowed,
        key_pattern=key_pattern,
        default={} if default is None else default,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressPort:
    """One port of the ingress Service."""

    name: str = declared(port_name("Listeners and the health check refer to the port by this name."))
    port: int = declared(tcp_port("The port of the Service inside the cluster."))
    protocol: str = declared(
        Text(
            reason="TCP_UDP makes two ports of the Service with the same number and NodePort; the second "
            "name ends with -udp.",
            allowed="TCP, UDP or TCP_UDP",
            choices=("TCP", "UDP", "TCP_UDP"),
            default="TCP",
            example="UDP",
        )
    )
    target_port: int | None = declared(
        Optional(inner=tcp_port("The port of the ingress controller's Pods; absent: the same as `port`."))
    )
    node_port: int | None = declared(
        Optional(
            inner=node_port(
                "A fixed NodePort in the API server's range, by default 30000-32767; absent: the cluster "
                "allocates a NodePort."
            )
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingress:
    """The NodePort Service before the ingress controller: created here, or adopted unchanged."""

    preset: str | None = declared(
        Optional(
            inner=Text(
                reason="The Helm chart of the ingress controller: values (ingress-presets.md) for keys of "
                "ingress and healthCheck that the stack does not set.",
                allowed=" or ".join(", ".join(INGRESS_PRESETS).rsplit(", ", 1)),
                choices=tuple(INGRESS_PRESETS),
                example="traefik",
            )
        )
    )
    create: bool = declared(
        Flag(default=True, reason="false adopts an existing NodePort Service, without a change.")
    )
    keep: bool = declared(
        Flag(
            default=False,
            reason="true: the Service stays in the cluster when the stack no longer has it, so that a stack "
            "with create false can adopt it.",
        )
    )
    create_namespace: bool = declared(
        Flag(
            default=False, reason="The installation of the ingress controller usually creates the namespace."
        )
    )
    namespace: pulumi.Input[str] = declared(
        object_name("ingress-traefik", "The namespace of the ingress controller.", output=True)
    )
    name: pulumi.Input[str] = declared(
        object_name("traefik-ingress-service-nlb", "The name of the Service.", output=True)
    )
    selector: Mapping[str, str] = declared(
        strings(
            "Labels of the ingress controller's Pods.",
            {"k8s-app": "traefik-ingress-lb"},
            key_pattern=QUALIFIED_LABEL,
            pattern=LABEL_VALUE,
            allowed="label keys with their values",
        )
    )
    annotations: Mapping[str, str] = declared(
        strings(
            "Annotations of the Service.",
            {"prometheus.io/scrape": "true"},
            key_pattern=QUALIFIED_ANNOTATION,
            allowed="annotation keys with their values",
        )
    )
    ports: tuple[IngressPort, ...] = declared(
        Rows(
            item=Record(build=IngressPort),
            least=1,
            reason="The ports of the Service; for an adopted Service, the ports that listeners may refer to.",
            allowed="a list of ports",
            default=[{"name": "http", "port": 80}, {"name": "https", "port": 443}],
        )
    )
    health_check_node_port: int | None = declared(
        Optional(
            inner=node_port(
                "A fixed healthCheckNodePort beside healthCheck.port local; absent: the cluster allocates a "
                "port."
            )
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Toleration:
    """A taint that the syncer's Pod may be placed beside."""

    key: str | None = declared(
        Optional(
            inner=Text(
                reason="The taint's key; absent with operator Exists: all taints.",
                allowed="a taint key such as dedicated or example.com/dedicated",
                pattern=QUALIFIED_LABEL,
                example="process",
            )
        )
    )
    operator: str = declared(
        Text(
            reason="Exists matches any value.",
            allowed="Equal or Exists",
            choices=("Equal", "Exists"),
            default="Equal",
            example="Equal",
        )
    )
    value: str | None = declared(
        Optional(
            inner=Text(
                reason="The taint's value; none with operator Exists.",
                allowed="a taint value of at most 63 letters, digits and -_.",
                pattern=LABEL_VALUE,
                example="critical",
            )
        )
    )
    effect: str | None = declared(
        Optional(
            inner=Text(
                reason="Absent: any effect.",
                allowed="NoSchedule, PreferNoSchedule or NoExecute",
                choices=("NoSchedule", "PreferNoSchedule", "NoExecute"),
                example="NoSchedule",
            )
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TopologySpread:
    """One topology spread constraint of the syncer's Pods."""

    topology_key: str = declared(
        Text(
            reason="The label of the nodes by which the replicas are spread.",
            allowed="a label key such as topology.kubernetes.io/zone",
            pattern=QUALIFIED_LABEL,
            example="topology.kubernetes.io/zone",
        )
    )
    max_skew: int = declared(
        Whole(
            low=1,
            high=5,
            default=1,
            reason="The greatest difference in replicas between two values of the label.",
        )
    )
    when_unsatisfiable: str = declared(
        Text(
            reason="DoNotSchedule blocks a rollout if no node fits the new replica.",
            allowed="ScheduleAnyway or DoNotSchedule",
            choices=("ScheduleAnyway", "DoNotSchedule"),
            default="ScheduleAnyway",
            example="ScheduleAnyway",
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Syncer:
    """The controller's Deployment. Outputs in `env` go to a Kubernetes Secret."""

    image: pulumi.Input[str] | None = declared(
        Optional(
            inner=Text(
                output=True,
                reason="The syncer's image, preferably with a digest, so that the reviewed image runs. "
                "Absent: `pulumi up` builds and pushes the bundled image.",
                allowed="an image reference",
                pattern=IMAGE,
                example="registry.example.com/node-nlb-sync@sha256:<digest>",
            )
        )
    )
    build: Build = declared(
        Record(build=Build, reason="The build of the bundled image, in a stack without `image`.")
    )
    namespace: pulumi.Input[str] | None = declared(
        Optional(inner=object_name("ingress-traefik", "Absent: the ingress namespace.", output=True))
    )
    name: str = declared(
        object_name("nlb-sync", "The name of the Deployment; the names of its objects begin with it.")
    )
    secret_name: str = declared(
        object_name("nlb-secret", "The Secret with the syncer's AWS keys and its target groups.")
    )
    replicas: int = declared(
        Whole(
            low=0,
            high=5,
            default=2,
            reason="One replica writes, the other replicas stand by; 0 stops the syncer and keeps the "
            "targets.",
        )
    )
    resources: Resources = declared(
        Record(build=Resources, reason="Requests and limits of the syncer's container.")
    )
    env: Mapping[str, pulumi.Input[str]] = declared(
        Entries(
            item=Text(
                output=True,
                reason="",
                allowed="a string; write numbers and true/false in quotes",
                pattern=rf"{CHARACTER}*",
                example=VALUE,
            ),
            key_pattern=ENV_NAME,
            reason="Additional environment variables, NLB_SYNC_* or AWS endpoints; `$(POD_IP)` is expanded. "
            "Values set with `--secret` go to a Kubernetes Secret and are not expanded.",
            allowed="environment variable names with their values",
            default={},
        )
    )
    image_pull_secrets: tuple[str, ...] = declared(
        Rows(
            item=Text(
                reason="A Secret's name.",
                allowed="the name of a Secret in the syncer's namespace",
                pattern=SUBDOMAIN,
                example="registry-credentials",
            ),
            reason="Secrets with the credentials of the image's registry.",
            allowed="a list of names",
            default=[],
        )
    )
    priority_class_name: str | None = declared(
        Optional(
            inner=Text(
                reason="The Pods' priority class; absent: the cluster's default.",
                allowed="the name of a PriorityClass",
                pattern=SUBDOMAIN,
                example="system-cluster-critical",
            )
        )
    )
    labels: Mapping[str, str] = declared(
        strings(
            "Labels of the syncer's Pods and of the objects of its Deployment.",
            key_pattern=QUALIFIED_LABEL,
            pattern=LABEL_VALUE,
            allowed="label keys with their values",
        )
    )
    annotations: Mapping[str, str] = declared(
        strings(
            "Annotations of the Deployment and its Pods.",
            key_pattern=QUALIFIED_ANNOTATION,
            allowed="annotation keys with their values",
        )
    )
    node_selector: Mapping[str, str] = declared(
        strings(
            "Labels of the nodes that the syncer may run on.",
            allowed="labels with their values",
            pattern=LABEL_VALUE,
            key_pattern=QUALIFIED_LABEL,
        )
    )
    tolerations: tuple[Toleration, ...] = declared(
        Rows(
            item=Record(build=Toleration),
            reason="Taints of nodes that the syncer tolerates.",
            allowed="a list",
            default=[],
        )
    )
    topology_spread: tuple[TopologySpread, ...] = declared(
        Rows(
            item=Record(build=TopologySpread),
            reason="Topology spread constraints of the replicas; absent: different nodes are preferred.",
            allowed="a list of constraints",
            default=[],
        )
    )
    host_network: bool = declared(
        Flag(
            default=False,
            reason="true uses the network of the node, with its ports 8080 and 8081: one replica a node, no "
            "network policy, refused by PodSecurity baseline and restricted.",
        )
    )
    label_filter: str | None = declared(
        Optional(
            inner=Text(
                reason="A Kubernetes label selector: only these nodes become targets; absent: all.",
                allowed="a label selector such as role=worker or !node-role.kubernetes.io/control-plane",
                pattern=r"[!-~ ]+",
                example="role=worker",
            )
        )
    )
    server_side_selector: bool = declared(
        Flag(
            default=False,
            reason="true sends syncer.labelFilter to the API server, which then sends the syncer no other "
            "Node: for clusters above 10,000 nodes. A node that loses its label then looks like a deleted "
            "Node.",
        )
    )
    egress_ports: tuple[int, ...] = declared(
        Rows(
            item=tcp_port("A TCP port."),
            reason="TCP ports that the network policy opens beside DNS: those of AWS and of the API server.",
            allowed="a list of TCP ports",
            default=[443, 6443],
            least=1,
        )
    )
