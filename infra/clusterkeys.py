"""Keys for the cluster: the ingress Service and the syncer. Names are the predecessor's."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from .buildkeys import Build
from .problems import VALUE
from .resourcekeys import Resources
from .shapes import CHARACTER, Entries, Flag, Optional, Record, Rows, Text, Whole, declared
from .words import (
    ENV_NAME,
    IMAGE,
    LABEL_VALUE,
    QUALIFIED_ANNOTATION,
    QUALIFIED_LABEL,
    SUBDOMAIN,
    node_port,
    object_name,
    port_name,
    strings,
    tcp_port,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressPort:
    """One port of the ingress Service."""

    name: str = declared(port_name("By this name listeners and the health check mean the port."))
    port: int = declared(tcp_port("The Service's own port inside the cluster."))
    target_port: int | None = declared(
        Optional(inner=tcp_port("The port of the ingress controller's Pods; absent: the same as `port`."))
    )
    node_port: int | None = declared(
        Optional(
            inner=node_port(
                "A NodePort of your choice, in the API server's range, by default 30000-32767; absent: the "
                "cluster allocates one."
            )
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingress:
    """The NodePort Service before the ingress controller: created here, or adopted unchanged."""

    create: bool = declared(
        Flag(default=True, reason="false adopts a NodePort Service that exists: it is read, never changed.")
    )
    create_namespace: bool = declared(
        Flag(default=False, reason="The ingress controller usually brings its namespace.")
    )
    namespace: pulumi.Input[str] = declared(
        object_name("ingress-traefik", "Where the ingress controller runs.", output=True)
    )
    name: pulumi.Input[str] = declared(
        object_name("traefik-ingress-service-nlb", "The Service's name.", output=True)
    )
    selector: Mapping[str, str] = declared(
        strings(
            "The ingress controller's Pods.",
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
            reason="The Service's ports; of an adopted Service, those that listeners may name.",
            allowed="a list of ports",
            default=[{"name": "http", "port": 80}, {"name": "https", "port": 443}],
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
        Whole(low=1, high=5, default=1, reason="By how many replicas two of those places may differ.")
    )
    when_unsatisfiable: str = declared(
        Text(
            reason="DoNotSchedule stops a rollout where the new replica finds no place.",
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
                reason="The syncer's image; give a digest, so that what runs is what was reviewed. Absent: "
                "`pulumi up` builds and pushes the bundled one.",
                allowed="an image reference",
                pattern=IMAGE,
                example="registry.example.com/node-nlb-sync@sha256:<digest>",
            )
        )
    )
    build: Build = declared(
        Record(build=Build, reason="How the bundled image is built, where no `image` is given.")
    )
    namespace: pulumi.Input[str] | None = declared(
        Optional(inner=object_name("ingress-traefik", "Absent: the ingress namespace.", output=True))
    )
    name: str = declared(
        object_name("nlb-sync", "The Deployment's name; what belongs to it is named after it.")
    )
    secret_name: str = declared(
        object_name("nlb-secret", "The Secret with the syncer's AWS keys and its target groups.")
    )
    replicas: int = declared(
        Whole(
            low=0,
            high=5,
            default=2,
            reason="One of them writes, the others stand by; 0 stops the syncer and leaves the targets.",
        )
    )
    resources: Resources = declared(
        Record(build=Resources, reason="What the syncer's container is promised and may take.")
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
            reason="More environment for the syncer, NLB_SYNC_* or AWS endpoints; `$(POD_IP)` is expanded. "
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
            "Which nodes the syncer may run on.",
            allowed="labels with their values",
            pattern=LABEL_VALUE,
            key_pattern=QUALIFIED_LABEL,
        )
    )
    tolerations: tuple[Toleration, ...] = declared(
        Rows(
            item=Record(build=Toleration),
            reason="Which taints the syncer may run beside.",
            allowed="a list",
            default=[],
        )
    )
    topology_spread: tuple[TopologySpread, ...] = declared(
        Rows(
            item=Record(build=TopologySpread),
            reason="How the replicas are spread; without it on different nodes where there are enough.",
            allowed="a list of constraints",
            default=[],
        )
    )
    host_network: bool = declared(
        Flag(
            default=False,
            reason="true uses the node's network, ports 8080 and 8081 included: one replica a node, no "
            "network policy; PodSecurity baseline and restricted refuse it.",
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
    egress_ports: tuple[int, ...] = declared(
        Rows(
            item=tcp_port("A TCP port."),
            reason="Where the network policy lets the syncer go: AWS and the API server, beside DNS.",
            allowed="a list of TCP ports",
            default=[443, 6443],
            least=1,
        )
    )
