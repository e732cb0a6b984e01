"""The syncer's Pod: environment, probes and minimal rights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from syncer.manifests import Manifest, present
from syncer.manifests.credentials import Credentials, Token

CONTAINER: Final = "nlb-sync"
HTTP_PORT: Final = 8080
PROBE_PORT: Final = 8081  # for the kubelet alone: clients of the other port cannot fill this port
USER: Final = 65532  # `nonroot` of the distroless images
TOKEN_SECONDS: Final = 86400
GRACE_SECONDS: Final = 30  # after SIGTERM the AWS call in flight ends, then the process ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The differences between syncers; lists and maps have the Pod's form.

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
        """The predecessor's label `app`; a Deployment's selector is immutable, so it has no other label."""
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
        """Return `then` on the network of the node, else `otherwise`."""
        return then if self.host_network else otherwise


def service_account_name(name: Any) -> Any:
    """Return the ServiceAccount's name for the syncer of this name."""
    return name + "-sa"


def env_entries(variables: Mapping[str, Any]) -> list[Manifest]:
    """Return entries of a container's `env`, sorted by name."""
    return [{"name": name, "value": value} for name, value in sorted(variables.items())]


def pod_spec(workload: Workload) -> Manifest:
    """Return the Pod of the Deployment's template.

    ConfigMap and Secrets are referenced by plain names. With an Output of an object under replacement,
    Pulumi's engine makes the Deployment's whole `spec` unknown, and so replaces the Deployment.
    """
    token = workload.credentials.token
    return present(
        serviceAccountName=service_account_name(workload.name),
        automountServiceAccountToken=True,
        enableServiceLinks=False,  # a Service named nlb-sync would set NLB_SYNC_PORT
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
    """Return the container: the image's own entry point, configured by the environment alone."""
    token = workload.credentials.token
    sources: list[Manifest] = [{"configMapRef": {"name": workload.name}}]
    if workload.env_secret:  # the last source of a variable counts
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
    """Return the Pod's variables first, so that `env` may refer to $(POD_IP); then credentials and `env`."""

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
    """Return the volume of a token for one audience; the kubelet renews the token."""
    projection = {"audience": token.audience, "expirationSeconds": TOKEN_SECONDS, "path": token.name}
    return {"name": token.volume, "projected": {"sources": [{"serviceAccountToken": projection}]}}


def token_mount(token: Token) -> Manifest:
    """Mount the token at the path in the container's variables."""
    return {"name": token.volume, "mountPath": token.directory, "readOnly": True}


def probe(path: str, *, period: int, failures: int) -> Manifest:
    """Return an HTTP probe; times in seconds."""
    return {
        "httpGet": {"path": path, "port": "probes", "scheme": "HTTP"},
        "periodSeconds": period,
        "failureThreshold": failures,
        "timeoutSeconds": 2,
    }
