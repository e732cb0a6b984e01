"""The syncer in the cluster: what it is told (ConfigMap, Secret), Deployment, budget, network policy."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
from pulumi_kubernetes.apps.v1 import (
    Deployment,
    DeploymentSpecArgs,
    DeploymentStrategyArgs,
    RollingUpdateDeploymentArgs,
)
from pulumi_kubernetes.core.v1 import ConfigMap, PodTemplateSpecArgs, Secret
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import (
    IPBlockArgs,
    NetworkPolicy,
    NetworkPolicyEgressRuleArgs,
    NetworkPolicyIngressRuleArgs,
    NetworkPolicyPeerArgs,
    NetworkPolicyPortArgs,
    NetworkPolicySpecArgs,
)
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget, PodDisruptionBudgetSpecArgs

from .clusterkeys import Syncer
from .identity import Given
from .keys import Settings
from .part import Part
from .pod import CONTAINER, HTTP_PORT, PROBE_PORT, env_secret_name, pod_spec
from .secretenv import digest, split
from .settings import SKIP_CONTAINERS, STAMP

# In given groups there may be targets of other owners.
TRACKED: Final = {"NLB_SYNC_OWNERSHIP": "tracked"}
# Long enough for an image pull; the engine's own default of ten minutes hides a Pod that cannot be placed.
ROLLOUT = pulumi.CustomTimeouts(create="5m", update="5m")


class Workload(Part):
    """`deployment`, and everything it needs to start beneath it."""

    TYPE = "node-nlb-sync:workload:Workload"

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        region: pulumi.Output[str],
        groups: pulumi.Output[str],
        given: Given,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self._name, self._settings = name, settings
        told: dict[str, pulumi.Input[str]] = {"AWS_REGION": region, **told_to_syncer(settings)}
        stamped: dict[str, pulumi.Input[str]] = {**told, "NLB_SYNC_TARGET_GROUPS": groups}
        if given.keys is None:
            told = stamped
        else:
            stamped["AWS_ACCESS_KEY_ID"] = given.keys[0]
        _, hidden = split(settings.syncer.env)
        before: list[pulumi.Resource] = [
            ConfigMap(name, metadata=self._metadata(), data=told, opts=self.beneath()),
            self._network_policy(given.link_local),
        ]
        if given.keys is not None:
            before.append(self._secret(groups, given.keys))
        if hidden:
            before.append(self._env_secret(hidden))
        self._disruption_budget()
        stamp = pulumi.Output.all(stamped, hidden, groups).apply(
            lambda known: fingerprint(known[0], digest(known[1], salt=known[2]))
        )
        # A digest of secrets is no secret; left secret, it would hide every change of the template.
        self.deployment = self._deployment(pulumi.Output.unsecret(stamp) if hidden else stamp, given, before)
        self.register_outputs({})

    @property
    def _labels(self) -> dict[str, str]:
        """`app` is the predecessor's; the selector of a Deployment is immutable, so nothing else is in it."""
        return {"app": self._settings.syncer.name}

    def _metadata(self, name: str | None = None) -> ObjectMetaArgs:
        return ObjectMetaArgs(
            name=name or self._settings.syncer.name,
            namespace=self._settings.syncer_namespace,
            labels=self._all_labels,
        )

    @property
    def _all_labels(self) -> dict[str, str]:
        return {
            "app.kubernetes.io/managed-by": "pulumi",
            **self._settings.syncer.labels,
            **self._labels,
            "app.kubernetes.io/name": "node-nlb-sync",
            "app.kubernetes.io/instance": self._settings.syncer.name,
        }

    def _secret(
        self, groups: pulumi.Output[str], keys: tuple[pulumi.Output[str], pulumi.Output[str]]
    ) -> Secret:
        """Under the predecessor's keys. `data`, not `stringData`: the latter differs at every refresh."""
        values = {
            "aws_access_key": keys[0],
            "aws_secret_key": keys[1],
            "nlb_sync_targetgroup_arns": groups,
        }
        data = {key: value.apply(encoded) for key, value in values.items()}
        return Secret(
            self._name,
            metadata=self._metadata(self._settings.syncer.secret_name),
            data=data,
            opts=self.beneath(),
        )

    def _env_secret(self, values: Mapping[str, pulumi.Output[str]]) -> Secret:
        return Secret(
            f"{self._name}-env",
            metadata=self._metadata(env_secret_name(self._settings.syncer)),
            data={name: secretly_encoded(value) for name, value in values.items()},
            opts=self.beneath(),
        )

    def _network_policy(self, link_local: Sequence[str]) -> NetworkPolicy:
        """In: the HTTP ports, for probes and Prometheus. Out: DNS, AWS, the API server, and credentials."""

        def ports(protocol: str, *numbers: int) -> list[NetworkPolicyPortArgs]:
            return [NetworkPolicyPortArgs(protocol=protocol, port=number) for number in numbers]

        outward = [*ports("UDP", 53), *ports("TCP", 53, *self._settings.syncer.egress_ports)]
        egress = [NetworkPolicyEgressRuleArgs(ports=outward)]
        if link_local:
            peers = [NetworkPolicyPeerArgs(ip_block=IPBlockArgs(cidr=cidr)) for cidr in link_local]
            egress.append(NetworkPolicyEgressRuleArgs(to=peers, ports=ports("TCP", 80)))
        spec = NetworkPolicySpecArgs(
            pod_selector=LabelSelectorArgs(match_labels=self._labels),
            policy_types=["Ingress", "Egress"],
            ingress=[NetworkPolicyIngressRuleArgs(ports=ports("TCP", HTTP_PORT, PROBE_PORT))],
            egress=egress,
        )
        return NetworkPolicy(self._name, metadata=self._metadata(), spec=spec, opts=self.beneath())

    def _disruption_budget(self) -> None:
        """One Pod at a time may be evicted; with a single replica a minimum would block every node drain."""
        spec = PodDisruptionBudgetSpecArgs(
            max_unavailable=1, selector=LabelSelectorArgs(match_labels=self._labels)
        )
        PodDisruptionBudget(self._name, metadata=self._metadata(), spec=spec, opts=self.beneath())

    def _deployment(
        self, stamp: pulumi.Output[str], given: Given, before: list[pulumi.Resource]
    ) -> Deployment:
        syncer = self._settings.syncer
        annotations: dict[str, pulumi.Input[str]] = {
            "prometheus.io/scrape": "true",
            "prometheus.io/port": str(HTTP_PORT),
            **syncer.annotations,
            STAMP: stamp,
        }
        if not given.from_webhook:
            annotations[SKIP_CONTAINERS] = CONTAINER
        template = PodTemplateSpecArgs(
            metadata=ObjectMetaArgs(labels=self._all_labels, annotations=annotations),
            spec=pod_spec(self._settings, given),
        )
        spec = DeploymentSpecArgs(
            replicas=syncer.replicas,
            strategy=rolling(syncer),
            selector=LabelSelectorArgs(match_labels=self._labels),
            template=template,
        )
        metadata = self._metadata()
        metadata.annotations = dict(syncer.annotations) or None
        options = self.beneath(depends_on=before, custom_timeouts=ROLLOUT)
        return Deployment(self._name, metadata=metadata, spec=spec, opts=options)


def rolling(syncer: Syncer) -> DeploymentStrategyArgs:
    """A new Pod is ready before an old one ends, so that a wrong node selector stops its own rollout.

    With hostNetwork two Pods of one node would need the same ports: there an old one ends first.
    """
    surge, unavailable = (0, 1) if syncer.host_network else (1, 0)
    return DeploymentStrategyArgs(
        type="RollingUpdate",
        rolling_update=RollingUpdateDeploymentArgs(max_surge=surge, max_unavailable=unavailable),
    )


def target_groups(
    settings: Settings, arns: Mapping[str, pulumi.Output[str]], followed: Mapping[str, pulumi.Input[str]]
) -> pulumi.Output[str]:
    """The syncer's list: `ARN=namespace/service:port`, comma-separated, in the listeners' order."""
    entries = [
        pulumi.Output.format("{}={}", arns[name], followed[port])
        for name, port in settings.service_ports.items()
    ]
    return pulumi.Output.all(*entries).apply(",".join)


def told_to_syncer(settings: Settings) -> dict[str, str]:
    """The ConfigMap. Nobody else's targets belong in groups that the stack made: `exclusive`."""
    told = {
        "NLB_SYNC_NAME": settings.syncer.name,
        "NLB_SYNC_PROBE_PORT": str(PROBE_PORT),
        "NLB_SYNC_OWNERSHIP": "exclusive",
        "NLB_SYNC_ZONES": ",".join(sorted(settings.zones)),
        "NLB_SYNC_CROSS_ZONE": "true" if settings.cross_zone else "false",
        "NLB_SYNC_TARGET_LIMIT": str(settings.target_limit),
    }
    if settings.target_groups:  # zones and quota are those of a load balancer that the stack does not know
        told = {**{key: told[key] for key in ("NLB_SYNC_NAME", "NLB_SYNC_PROBE_PORT")}, **TRACKED}
    if settings.syncer.label_filter is not None:
        told["NLB_SYNC_NODE_SELECTOR"] = settings.syncer.label_filter
    return told


def fingerprint(told: Mapping[str, str], secrets: str) -> str:
    """Changes whenever the container's environment does, so that the Deployment rolls; made of no secret."""
    text = "\n".join([*(f"{key}={told[key]}" for key in sorted(told)), secrets])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def encoded(text: str) -> str:
    """base64, as a Secret's `data` wants it."""
    return base64.b64encode(text.encode()).decode()


def secretly_encoded(value: pulumi.Output[str]) -> pulumi.Output[str]:
    """`encoded`, secret even where `value` is an Output that is not."""
    secret: pulumi.Output[str] = pulumi.Output.secret(value)
    return secret.apply(encoded)
