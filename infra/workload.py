"""The syncer in the cluster: the resources of syncer/manifests/workload.py, and its Secrets."""

import base64
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Final

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import ConfigMap, Secret
from pulumi_kubernetes.networking.v1 import NetworkPolicy
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

from syncer.manifests import Manifest, present
from syncer.manifests import pod as manifest
from syncer.manifests import workload as manifests
from syncer.manifests.pod import PROBE_PORT, env_entries

from .clusterkeys import Toleration, TopologySpread
from .component import Component, arguments
from .identity import Given
from .keys import Settings
from .secretenv import digest, split

# Given groups may contain targets of other owners.
TRACKED: Final = {"NLB_SYNC_OWNERSHIP": "tracked"}
# Long enough for an image pull; the engine's default of ten minutes hides a Pod that cannot be scheduled.
ROLLOUT = pulumi.CustomTimeouts(create="5m", update="5m")


class Workload(Component):
    """`deployment` with all its prerequisites as children."""

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
        variables: dict[str, pulumi.Input[str]] = {"AWS_REGION": region, **syncer_variables(settings)}
        stamped: dict[str, pulumi.Input[str]] = {**variables, "NLB_SYNC_TARGET_GROUPS": groups}
        if given.keys is None:
            variables = stamped
        else:
            stamped["AWS_ACCESS_KEY_ID"] = given.keys[0]
        _, hidden = split(settings.syncer.env)
        workload = described(settings, given)
        before: list[pulumi.Resource] = [
            ConfigMap(
                name, **arguments(manifests.config_map(workload, variables), settings), opts=self.beneath()
            ),
            NetworkPolicy(
                name, **arguments(manifests.network_policy(workload), settings), opts=self.beneath()
            ),
        ]
        if given.keys is not None:
            found = manifests.secret(workload, workload.secret_name, keys_data(groups, given.keys))
            before.append(Secret(name, **arguments(found, settings), opts=self.beneath()))
        if hidden:
            data = {key: secretly_encoded(value) for key, value in hidden.items()}
            found = manifests.secret(workload, workload.env_secret, data)
            before.append(Secret(f"{name}-env", **arguments(found, settings), opts=self.beneath()))
        budget = manifests.disruption_budget(workload)
        PodDisruptionBudget(name, **arguments(budget, settings), opts=self.beneath())
        stamp = pulumi.Output.all(stamped, hidden, groups).apply(
            lambda known: manifests.fingerprint(known[0], digest(known[1], salt=known[2]))
        )
        # A digest of secrets is no secret; a secret digest would hide every change of the template.
        stamp = pulumi.Output.unsecret(stamp) if hidden else stamp
        options = self.beneath(depends_on=before, custom_timeouts=ROLLOUT)
        found = manifests.deployment(workload, stamp)
        self.deployment = Deployment(name, **arguments(found, settings), opts=options)
        self.register_outputs({})


def described(settings: Settings, given: Given) -> manifest.Workload:
    """Return the workload of the settings, the input of the syncer's objects."""
    syncer = settings.syncer
    plain, hidden = split(syncer.env)
    credentials = given.credentials
    if given.keys is not None:  # the predecessor's Secret has the target groups too
        keys = {**credentials.secret_keys, "NLB_SYNC_TARGET_GROUPS": "nlb_sync_targetgroup_arns"}
        credentials = replace(credentials, secret_keys=keys)
    return manifest.Workload(
        name=syncer.name,
        namespace=settings.syncer_namespace,
        image=syncer.image,
        credentials=credentials,
        managed_by="pulumi",
        secret_name=syncer.secret_name,
        env_secret=f"{syncer.name}-env" if hidden else None,
        env=env_entries(plain),
        replicas=syncer.replicas,
        requests=asdict(syncer.resources.requests),
        limits=asdict(syncer.resources.limits),
        labels={**settings.labels, **syncer.labels},
        annotations={**settings.annotations, **syncer.annotations},
        node_selector=dict(syncer.node_selector),
        tolerations=[toleration(item) for item in syncer.tolerations],
        topology_spread=[spread(item) for item in syncer.topology_spread],
        image_pull_secrets=[{"name": each} for each in syncer.image_pull_secrets],
        priority_class_name=syncer.priority_class_name,
        host_network=syncer.host_network,
        egress_ports=syncer.egress_ports,
    )


def keys_data(
    groups: pulumi.Output[str], keys: tuple[pulumi.Output[str], pulumi.Output[str]]
) -> dict[str, pulumi.Output[str]]:
    """Return the data of the Secret, under the predecessor's keys."""
    values = {"aws_access_key": keys[0], "aws_secret_key": keys[1], "nlb_sync_targetgroup_arns": groups}
    return {key: value.apply(encoded) for key, value in values.items()}


def toleration(item: Toleration) -> Manifest:
    """Return a toleration; without an effect, all effects match."""
    return present(key=item.key, operator=item.operator, value=item.value, effect=item.effect)


def spread(item: TopologySpread) -> Manifest:
    """Return a topology spread constraint over the syncer's Pods."""
    return {
        "topologyKey": item.topology_key,
        "maxSkew": item.max_skew,
        "whenUnsatisfiable": item.when_unsatisfiable,
    }


def target_groups(
    settings: Settings, arns: Mapping[str, pulumi.Output[str]], followed: Mapping[str, pulumi.Input[str]]
) -> pulumi.Output[str]:
    """Return the syncer's list: `ARN=namespace/service:port`, comma-separated, in the listeners' order."""
    entries = [
        pulumi.Output.format("{}={}", arns[name], followed[port])
        for name, port in settings.service_ports.items()
    ]
    return pulumi.Output.all(*entries).apply(",".join)


def syncer_variables(settings: Settings) -> dict[str, str]:
    """Return the data of the ConfigMap; groups created by the stack have no other owner: `exclusive`."""
    variables = {
        "NLB_SYNC_NAME": settings.syncer.name,
        "NLB_SYNC_PROBE_PORT": str(PROBE_PORT),
        "NLB_SYNC_OWNERSHIP": "exclusive",
        "NLB_SYNC_ZONES": ",".join(sorted(settings.zones)),
        "NLB_SYNC_CROSS_ZONE": "true" if settings.cross_zone_everywhere else "false",
        "NLB_SYNC_TARGET_LIMIT": str(settings.target_limit),
    }
    if settings.attached:  # as below, and no other owner
        del variables["NLB_SYNC_ZONES"], variables["NLB_SYNC_TARGET_LIMIT"]
    if settings.target_groups:  # zones and quota belong to a load balancer unknown to the stack
        variables = {**{key: variables[key] for key in ("NLB_SYNC_NAME", "NLB_SYNC_PROBE_PORT")}, **TRACKED}
    if settings.syncer.label_filter is not None:
        variables["NLB_SYNC_NODE_SELECTOR"] = settings.syncer.label_filter
    if settings.syncer.server_side_selector:
        variables["NLB_SYNC_SERVER_SIDE_SELECTOR"] = "true"
    return variables


def encoded(text: str) -> str:
    """Encode as base64, for a Secret's `data`."""
    return base64.b64encode(text.encode()).decode()


def secretly_encoded(value: pulumi.Output[str]) -> pulumi.Output[str]:
    """Return `encoded` as a secret, even for an Output that is not secret."""
    secret: pulumi.Output[str] = pulumi.Output.secret(value)
    return secret.apply(encoded)
