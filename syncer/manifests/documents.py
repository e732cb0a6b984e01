"""The objects of a syncer for existing target groups, in the order of application."""

from collections.abc import Mapping
from typing import Any

from syncer.manifests import Manifest, present, rbac
from syncer.manifests.pod import PROBE_PORT, Workload, service_account_name
from syncer.manifests.workload import config_map, deployment, disruption_budget, network_policy


def settings(
    *, name: Any, region: Any, groups: Any, ownership: Any, zones: Any = None, node_selector: Any = None
) -> Manifest:
    """Return the data of the ConfigMap; None keeps the syncer's default."""
    return present(
        AWS_REGION=region,
        NLB_SYNC_NAME=name,
        NLB_SYNC_PROBE_PORT=str(PROBE_PORT),
        NLB_SYNC_OWNERSHIP=ownership,
        NLB_SYNC_ZONES=zones,
        NLB_SYNC_NODE_SELECTOR=node_selector,
        NLB_SYNC_TARGET_GROUPS=groups,
    )


def access(name: Any, namespace: Any, services: Mapping[Any, Any]) -> list[Manifest]:
    """Return the ServiceAccount and the rights; `services` are names of followed Services, by namespace."""
    account = service_account_name(name)
    nodes = rbac.cluster_role(name)
    bound_to = rbac.cluster_binding_name(name)
    roles = [
        *(rbac.service_role(name, where, names) for where, names in services.items()),
        rbac.node_events_role(name),
        rbac.events_role(name, namespace),
        rbac.state_role(name, namespace),
    ]
    return [
        rbac.service_account(name, namespace),
        nodes,
        rbac.binding(nodes, account, namespace, name=bound_to),
        *(each for role in roles for each in (role, rbac.binding(role, account, namespace))),
    ]


def running(workload: Workload, variables: Any, stamp: Any) -> list[Manifest]:
    """Return the Deployment after the needed objects; `variables` are the ConfigMap's data."""
    return [
        config_map(workload, variables),
        network_policy(workload),
        disruption_budget(workload),
        deployment(workload, stamp),
    ]
