"""The syncer's Pod: its environment, its probes, and how little it is allowed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from syncer.manifests import Manifest, present
from syncer.manifests.credentials import Credentials, Token

CONTAINER: Final = "nlb-sync"
HTTP_PORT: Final = 8080
PROBE_PORT: Final = 8081  # for the kubelet alone: clients of the other port cannot fill it
USER: Final = 65532  # `nonroot` of the distroless images
TOKEN_SECONDS: Final = 86400
GRACE_SECONDS: Final = 30  # SIGTERM lets the AWS call in flight end, then leaves


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What differs between one syncer and another; lists and maps are as the Pod has them.

    `env` are entries of the container's `env`; with `env_secret` the Secret of that name has more variables.
    `labels` override `app.kubernetes.io/managed-by` alone, whose default is `managed_by`.
    """

    name: Any
    namespace: Any
    image: Any
    credentials: Credentials
    managed_by: Any
    secret_name: Any = "nlb-secret"  # noqa: S105 - a name
    env_secret: str | None = None
    env: Sequence[Any] = ()
    replicas: Any = 2
    requests: Any = field(default_factory=lambda: {"cpu": "250m", "memory": "200Mi"})
    limits: Any = field(default_factory=lambda: {"cpu": "500m", "memory": "400Mi"})
    labels: Mapping[Any, Any] = field(default_factory=dict)
    annotations: Mapping[Any, Any] = field(default_factory=dict)
    node_selector: Any = None
    tolerations: Any = None
    topology_spread: Sequence[Manifest] = ()
    image_pull_secrets: Any = None
    priority_class_name: Any = None
    host_network: bool = False
    egress_ports: Sequence[Any] = (443, 6443)

    @property
    def app(self) -> Manifest:
        """`app` is the predecessor's; the selector of a Deployment is immutable, so nothing else is in it."""
        return {"app": self.name}

    @property
    def spreads(self) -> Any:
        """Topology spread constraints over the syncer's own Pods."""
        selector = {"labelSelector": {"matchLabels": self.app}}
        return [{**each, **selector} for each in self.topology_spread] or None

    @property
    def affinity(self) -> Any:
        """Without constraints the replicas prefer different nodes."""
        return None if self.topology_spread else apart(self)

    def with_host_network(self, then: Any, otherwise: Any) -> Any:
        """`then` on the network of the node, else `otherwise`."""
        return then if self.host_network else otherwise


def service_account_name(name: Any) -> Any:
    """The ServiceAccount of the syncer with this name."""
    return name + "-sa"


def env_entries(variables: Mapping[str, Any]) -> list[Manifest]:
    """Entries of a container's `env`, by name."""
    return [{"name": name, "value": value} for name, value in sorted(variables.items())]


def pod_spec(workload: Workload) -> Manifest:
    """The Pod of the Deployment's template.

    ConfigMap and Secrets are referred to by plain names. Pulumi's engine makes the whole `spec` of the
    Deployment unknown, and so replaces it, where it holds an Output of an object that is being replaced.
    """
    token = workload.credentials.token
    return present(
        serviceAccountName=service_account_name(workload.name),
        automountServiceAccountToken=True,
        enableServiceLinks=False,  # a Service called nlb-sync would set NLB_SYNC_PORT
        nodeSelector=workload.node_selector or None,
        tolerations=workload.tolerations or None,
        affinity=workload.affinity,
        topologySpreadConstraints=workload.spreads,
        priorityClassName=workload.priority_class_name,
        imagePullSecrets=workload.image_pull_secrets or None,
        hostNetwork=workload.with_host_network(then=True, otherwise=None),
        dnsPolicy=workload.with_host_network("ClusterFirstWithHostNet", None),
        terminationGracePeriodSeconds=GRACE_SECONDS,
        securityContext={
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        containers=[container(workload)],
        volumes=[token_volume(token)] if token else None,
    )


def apart(workload: Workload) -> Manifest:
    """Prefer spreading the replicas across nodes."""
    term = {"labelSelector": {"matchLabels": workload.app}, "topologyKey": "kubernetes.io/hostname"}
    preferred = [{"weight": 100, "podAffinityTerm": term}]
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def container(workload: Workload) -> Manifest:
    """The image's own entry point runs; everything it needs to know is in the environment."""
    token = workload.credentials.token
    sources: list[Manifest] = [{"configMapRef": {"name": workload.name}}]
    if workload.env_secret:  # the last source of a variable is the one that counts
        sources.append({"secretRef": {"name": workload.env_secret}})
    return present(
        name=CONTAINER,
        image=workload.image,
        env=environment(workload),
        envFrom=sources,
        volumeMounts=[token_mount(token)] if token else None,
        ports=[
            {"name": "http", "containerPort": HTTP_PORT, "protocol": "TCP"},
            {"name": "probes", "containerPort": PROBE_PORT, "protocol": "TCP"},
        ],
        livenessProbe=probe("/healthz", period=10, failures=6),  # /healthz itself waits 60 s for the loop
        readinessProbe=probe("/readyz", period=2, failures=3),
        resources={"requests": workload.requests, "limits": workload.limits},
        securityContext={
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    )


def environment(workload: Workload) -> list[Any]:
    """The Pod's own first, so that `env` may refer to $(POD_IP); then credentials and the user's own."""

    def field_of(name: str, path: str) -> Manifest:
        return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}

    def secret(name: str, key: str) -> Manifest:
        return {"name": name, "valueFrom": {"secretKeyRef": {"name": workload.secret_name, "key": key}}}

    credentials = workload.credentials
    return [
        field_of("POD_IP", "status.podIP"),
        field_of("POD_NAME", "metadata.name"),
        *(secret(name, key) for name, key in credentials.secret_keys.items()),
        *({"name": name, "value": value} for name, value in credentials.variables.items()),
        *workload.env,
    ]


def token_volume(token: Token) -> Manifest:
    """A token of the ServiceAccount that only its audience takes; the kubelet renews it."""
    projection = {"audience": token.audience, "expirationSeconds": TOKEN_SECONDS, "path": token.name}
    return {"name": token.volume, "projected": {"sources": [{"serviceAccountToken": projection}]}}


def token_mount(token: Token) -> Manifest:
    """Mount the token where the container's variables expect it."""
    return {"name": token.volume, "mountPath": token.directory, "readOnly": True}


def probe(path: str, *, period: int, failures: int) -> Manifest:
    """An HTTP probe; times in seconds."""
    return {
        "httpGet": {"path": path, "port": "probes", "scheme": "HTTP"},
        "periodSeconds": period,
        "failureThreshold": failures,
        "timeoutSeconds": 2,
    }
