"""The keys of the stack configuration that concern the cluster: the ingress Service and the syncer.

Names are the predecessor's.
"""

from infra.options import Ingress, IngressPort, Quantities, Resources, Syncer, Toleration, TopologySpread
from infra.shapes import CHARACTER, Entries, Flag, Optional, Record, Rows, Text, Whole
from infra.words import (
    ENV_NAME,
    LABEL_KEY,
    LABEL_VALUE,
    QUANTITY,
    SUBDOMAIN,
    name,
    port,
    port_name,
    strings,
)

INGRESS_PORT = Record(
    build=IngressPort,
    fields={
        "name": port_name("By this name listeners and the health check mean the port."),
        "port": port("The Service's own port inside the cluster."),
        "target_port": Optional(
            inner=port("The port of the ingress controller's Pods; absent: the same as `port`.")
        ),
        "node_port": Optional(
            inner=port(
                "A NodePort of your choice; absent: the cluster allocates one, and nobody needs to know it."
            )
        ),
    },
)

INGRESS = Record(
    build=Ingress,
    reason="The NodePort Service before the ingress controller.",
    fields={
        "create": Flag(
            default=True, reason="false adopts a NodePort Service that exists: it is read, never changed."
        ),
        "create_namespace": Flag(
            default=False, reason="The ingress controller usually brings its namespace."
        ),
        "namespace": name("ingress-traefik", "Where the ingress controller runs."),
        "name": name("traefik-ingress-service-nlb", "The Service's name."),
        "selector": strings("The ingress controller's Pods.", {"k8s-app": "traefik-ingress-lb"}),
        "annotations": strings("Annotations of the Service.", {"prometheus.io/scrape": "true"}),
        "ports": Rows(
            item=INGRESS_PORT,
            least=1,
            reason="The Service's ports; of an adopted Service, those that listeners may name.",
            allowed="a list of ports",
            default=[{"name": "http", "port": 80}, {"name": "https", "port": 443}],
        ),
    },
)


def quantities(cpu: str, memory: str) -> Record:
    """CPU and memory."""

    def amount(default: str, reason: str) -> Text:
        allowed = "a Kubernetes quantity such as 250m or 200Mi"
        return Text(default=default, reason=reason, allowed=allowed, pattern=QUANTITY, example=default)

    return Record(
        build=Quantities,
        fields={
            "cpu": amount(cpu, "As the predecessor had it."),
            "memory": amount(memory, "As the predecessor had it; 5,000 nodes need half of it."),
        },
    )


TOLERATION = Record(
    build=Toleration,
    fields={
        "key": Text(
            reason="The taint's key.", allowed="a taint key", pattern=r"[\w./-]{1,317}", example="process"
        ),
        "operator": Text(
            reason="Exists matches any value.",
            allowed="Equal or Exists",
            choices=("Equal", "Exists"),
            default="Equal",
            example="Equal",
        ),
        "value": Optional(
            inner=Text(
                reason="The taint's value.", allowed="a string", pattern=r"[\w.-]{0,63}", example="critical"
            )
        ),
        "effect": Optional(
            inner=Text(
                reason="Absent: any effect.",
                allowed="NoSchedule, PreferNoSchedule or NoExecute",
                choices=("NoSchedule", "PreferNoSchedule", "NoExecute"),
                example="NoSchedule",
            )
        ),
    },
)

TOPOLOGY_SPREAD = Record(
    build=TopologySpread,
    fields={
        "topology_key": Text(
            reason="The label of the nodes by which the replicas are spread.",
            allowed="a label key such as topology.kubernetes.io/zone",
            pattern=LABEL_KEY,
            example="topology.kubernetes.io/zone",
        ),
        "max_skew": Whole(
            low=1, high=5, default=1, reason="By how many replicas two of those places may differ."
        ),
        "when_unsatisfiable": Text(
            reason="DoNotSchedule stops a rollout where the new replica finds no place.",
            allowed="ScheduleAnyway or DoNotSchedule",
            choices=("ScheduleAnyway", "DoNotSchedule"),
            default="ScheduleAnyway",
            example="ScheduleAnyway",
        ),
    },
)

SYNCER = Record(
    build=Syncer,
    reason="The controller that keeps the target groups in step with the nodes.",
    fields={
        "image": Text(
            reason="The syncer's image; give a digest, so that what runs is what was reviewed.",
            allowed="an image reference",
            pattern=r"[a-z0-9][\w.:/-]*(@sha256:[0-9a-f]{64})?",
            example="registry.example.com/node-nlb-sync@sha256:<digest>",
        ),
        "namespace": Optional(inner=name("ingress-traefik", "Absent: the ingress namespace.")),
        "name": name("nlb-sync", "The Deployment's name; what belongs to it is named after it."),
        "secret_name": name("nlb-secret", "The Secret with the syncer's AWS keys and its target groups."),
        "replicas": Whole(
            low=0,
            high=5,
            default=2,
            reason="One of them writes, the others stand by; 0 stops the syncer and leaves the targets.",
        ),
        "resources": Record(
            build=Resources,
            reason="",
            fields={"requests": quantities("250m", "200Mi"), "limits": quantities("500m", "400Mi")},
        ),
        "env": Entries(
            item=Text(
                reason="",
                allowed="a string; write numbers and true/false in quotes",
                pattern=rf"{CHARACTER}*",
                example="''",
            ),
            key_pattern=ENV_NAME,
            reason="More environment for the syncer, NLB_SYNC_* or AWS endpoints; `$(POD_IP)` is expanded. "
            "Values set with `--secret` go to a Kubernetes Secret and are not expanded.",
            allowed="environment variable names with their values",
            default={},
        ),
        "image_pull_secrets": Rows(
            item=Text(
                reason="A Secret's name.",
                allowed="the name of a Secret in the syncer's namespace",
                pattern=SUBDOMAIN,
                example="registry-credentials",
            ),
            reason="Secrets with the credentials of the image's registry.",
            allowed="a list of names",
            default=[],
        ),
        "priority_class_name": Optional(
            inner=Text(
                reason="The Pods' priority class; absent: the cluster's default.",
                allowed="the name of a PriorityClass",
                pattern=SUBDOMAIN,
                example="system-cluster-critical",
            )
        ),
        "labels": strings(
            "Labels of the syncer's Pods and of the objects of its Deployment.",
            key_pattern=LABEL_KEY,
            pattern=LABEL_VALUE,
            allowed="label keys with their values",
        ),
        "annotations": strings(
            "Annotations of the Deployment and its Pods.",
            key_pattern=LABEL_KEY,
            allowed="annotation keys with their values",
        ),
        "node_selector": strings("Which nodes the syncer may run on."),
        "tolerations": Rows(
            item=TOLERATION, reason="Which taints the syncer may run beside.", allowed="a list", default=[]
        ),
        "topology_spread": Rows(
            item=TOPOLOGY_SPREAD,
            reason="How the replicas are spread; without it on different nodes where there are enough.",
            allowed="a list of constraints",
            default=[],
        ),
        "host_network": Flag(
            default=False,
            reason="true uses the node's network, ports 8080 and 8081 included: one replica a node, no "
            "network policy; PodSecurity baseline and restricted refuse it.",
        ),
        "label_filter": Optional(
            inner=Text(
                reason="A Kubernetes label selector: only these nodes become targets; absent: all.",
                allowed="a label selector such as role=worker or !node-role.kubernetes.io/control-plane",
                pattern=r"[!-~ ]+",
                example="role=worker",
            )
        ),
        "egress_ports": Rows(
            item=port("A TCP port."),
            reason="Where the network policy lets the syncer go: AWS and the API server, beside DNS.",
            allowed="a list of TCP ports",
            default=[443, 6443],
            least=1,
        ),
    },
)
