"""The syncer's Pod: its environment, its probes, and how little it is allowed."""

from collections.abc import Mapping
from typing import Final

from pulumi_kubernetes.core.v1 import (
    AffinityArgs,
    CapabilitiesArgs,
    ConfigMapEnvSourceArgs,
    ContainerArgs,
    ContainerPortArgs,
    EnvFromSourceArgs,
    EnvVarArgs,
    EnvVarSourceArgs,
    HTTPGetActionArgs,
    LocalObjectReferenceArgs,
    ObjectFieldSelectorArgs,
    PodAffinityTermArgs,
    PodAntiAffinityArgs,
    PodSecurityContextArgs,
    PodSpecArgs,
    ProbeArgs,
    ProjectedVolumeSourceArgs,
    ResourceRequirementsArgs,
    SeccompProfileArgs,
    SecretEnvSourceArgs,
    SecretKeySelectorArgs,
    SecurityContextArgs,
    ServiceAccountTokenProjectionArgs,
    TolerationArgs,
    TopologySpreadConstraintArgs,
    VolumeArgs,
    VolumeMountArgs,
    VolumeProjectionArgs,
    WeightedPodAffinityTermArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs

from .clusterkeys import Limits, Requests, Syncer, Toleration, TopologySpread
from .identity import Given, Token
from .keys import Settings
from .secretenv import split

CONTAINER: Final = "nlb-sync"
HTTP_PORT: Final = 8080
PROBE_PORT: Final = 8081  # for the kubelet alone: clients of the other port cannot fill it
USER: Final = 65532  # `nonroot` of the distroless images
TOKEN_SECONDS: Final = 86400
GRACE_SECONDS: Final = 30  # SIGTERM lets the AWS call in flight end, then leaves


def env_secret_name(syncer: Syncer) -> str:
    """The Secret with the secret values of `syncer.env`."""
    return f"{syncer.name}-env"


def pod_spec(settings: Settings, given: Given) -> PodSpecArgs:
    """The Pod of the Deployment's template.

    ConfigMap and Secrets are referred to by plain names. The engine makes the whole `spec` of the Deployment
    unknown, and so replaces it, where it holds an Output of an object that is being replaced.
    """
    syncer = settings.syncer
    return PodSpecArgs(
        service_account_name=f"{syncer.name}-sa",
        automount_service_account_token=True,
        enable_service_links=False,  # a Service called nlb-sync would set NLB_SYNC_PORT
        node_selector=dict(syncer.node_selector) or None,
        tolerations=[toleration(item) for item in syncer.tolerations] or None,
        affinity=None if syncer.topology_spread else apart(syncer),
        topology_spread_constraints=[spread(syncer, item) for item in syncer.topology_spread] or None,
        priority_class_name=syncer.priority_class_name,
        image_pull_secrets=[LocalObjectReferenceArgs(name=each) for each in syncer.image_pull_secrets]
        or None,
        host_network=syncer.host_network or None,
        dns_policy="ClusterFirstWithHostNet" if syncer.host_network else None,
        termination_grace_period_seconds=GRACE_SECONDS,
        security_context=PodSecurityContextArgs(
            run_as_non_root=True,
            run_as_user=USER,
            run_as_group=USER,
            seccomp_profile=SeccompProfileArgs(type="RuntimeDefault"),
        ),
        containers=[container(syncer, given)],
        volumes=[token_volume(given.token)] if given.token else None,
    )


def apart(syncer: Syncer) -> AffinityArgs:
    """The replicas on nodes of their own where there are enough."""
    term = PodAffinityTermArgs(
        label_selector=LabelSelectorArgs(match_labels={"app": syncer.name}),
        topology_key="kubernetes.io/hostname",
    )
    weighted = WeightedPodAffinityTermArgs(weight=100, pod_affinity_term=term)
    return AffinityArgs(
        pod_anti_affinity=PodAntiAffinityArgs(preferred_during_scheduling_ignored_during_execution=[weighted])
    )


def spread(syncer: Syncer, item: TopologySpread) -> TopologySpreadConstraintArgs:
    """A topology spread constraint over the syncer's own Pods."""
    return TopologySpreadConstraintArgs(
        label_selector=LabelSelectorArgs(match_labels={"app": syncer.name}),
        topology_key=item.topology_key,
        max_skew=item.max_skew,
        when_unsatisfiable=item.when_unsatisfiable,
    )


def container(syncer: Syncer, given: Given) -> ContainerArgs:
    """The image's own entry point runs; everything it needs to know is in the environment."""
    limits, requests = syncer.resources.limits, syncer.resources.requests
    plain, secret = split(syncer.env)
    sources = [EnvFromSourceArgs(config_map_ref=ConfigMapEnvSourceArgs(name=syncer.name))]
    if secret:  # the last source of a variable is the one that counts
        sources.append(EnvFromSourceArgs(secret_ref=SecretEnvSourceArgs(name=env_secret_name(syncer))))
    return ContainerArgs(
        name=CONTAINER,
        image=syncer.image,
        env=environment(syncer, given, plain),
        env_from=sources,
        volume_mounts=[token_mount(given.token)] if given.token else None,
        ports=[
            ContainerPortArgs(name="http", container_port=HTTP_PORT, protocol="TCP"),
            ContainerPortArgs(name="probes", container_port=PROBE_PORT, protocol="TCP"),
        ],
        liveness_probe=probe("/healthz", period=10, failures=6),  # /healthz itself waits 60 s for the loop
        readiness_probe=probe("/readyz", period=2, failures=3),
        resources=ResourceRequirementsArgs(requests=amounts(requests), limits=amounts(limits)),
        security_context=SecurityContextArgs(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=CapabilitiesArgs(drop=["ALL"]),
        ),
    )


def environment(syncer: Syncer, given: Given, plain: Mapping[str, str]) -> list[EnvVarArgs]:
    """The Pod's own first, so that `syncer.env` may refer to $(POD_IP); then credentials and user's own."""

    def secret(name: str, key: str) -> EnvVarArgs:
        selector = SecretKeySelectorArgs(name=syncer.secret_name, key=key)
        return EnvVarArgs(name=name, value_from=EnvVarSourceArgs(secret_key_ref=selector))

    def field(name: str, path: str) -> EnvVarArgs:
        selector = ObjectFieldSelectorArgs(api_version="v1", field_path=path)
        return EnvVarArgs(name=name, value_from=EnvVarSourceArgs(field_ref=selector))

    keys = (
        secret("AWS_ACCESS_KEY_ID", "aws_access_key"),
        secret("AWS_SECRET_ACCESS_KEY", "aws_secret_key"),
        secret("NLB_SYNC_TARGET_GROUPS", "nlb_sync_targetgroup_arns"),
    )
    return [
        field("POD_IP", "status.podIP"),
        field("POD_NAME", "metadata.name"),
        *(keys if given.keys is not None else ()),
        *(EnvVarArgs(name=name, value=value) for name, value in given.variables.items()),
        *(EnvVarArgs(name=name, value=value) for name, value in sorted(plain.items())),
    ]


def token_volume(token: Token) -> VolumeArgs:
    """A token of the ServiceAccount that only its audience takes; the kubelet renews it."""
    projection = ServiceAccountTokenProjectionArgs(
        audience=token.audience, expiration_seconds=TOKEN_SECONDS, path=token.name
    )
    projected = ProjectedVolumeSourceArgs(sources=[VolumeProjectionArgs(service_account_token=projection)])
    return VolumeArgs(name=token.volume, projected=projected)


def token_mount(token: Token) -> VolumeMountArgs:
    """Mount the token where the container's variables expect it."""
    return VolumeMountArgs(name=token.volume, mount_path=token.directory, read_only=True)


def probe(path: str, *, period: int, failures: int) -> ProbeArgs:
    """An HTTP probe; times in seconds."""
    get = HTTPGetActionArgs(path=path, port="probes", scheme="HTTP")
    return ProbeArgs(http_get=get, period_seconds=period, failure_threshold=failures, timeout_seconds=2)


def amounts(quantities: Requests | Limits) -> dict[str, str]:
    """As Kubernetes names them."""
    return {"cpu": quantities.cpu, "memory": quantities.memory}


def toleration(item: Toleration) -> TolerationArgs:
    """A toleration; without an effect it meets every effect."""
    return TolerationArgs(key=item.key, operator=item.operator, value=item.value, effect=item.effect)
