"""The one component of this program: a load balancer on static IPs, and the syncer that fills it."""

from collections.abc import Mapping
from typing import Any

import pulumi

from infra.addresses import StaticAddresses
from infra.firewall import Firewall
from infra.identity import UserIdentity
from infra.ingress import IngressService
from infra.loadbalancer import LoadBalancer
from infra.network import Network
from infra.options import Settings
from infra.part import Part
from infra.rights import Rights
from infra.workload import Workload


class NodeNlb(Part):
    """`outputs` is what a stack exports: staticIps, dnsName, listeners, targetGroups, nodePorts, syncer."""

    TYPE = "node-nlb-sync:index:NodeNlb"

    def __init__(
        self,
        name: str,
        settings: Settings,
        network: Network,
        *,
        marks: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`marks` are the tags by which this stack's kept addresses are found again."""
        super().__init__(name, opts)
        here = self.beneath()
        ingress = IngressService(name, settings.ingress, here)
        addresses = StaticAddresses(name, settings, network, marks, here)
        balancer = LoadBalancer(
            name,
            settings,
            allocation_ids=addresses.allocation_ids,
            health_port=ingress.node_ports[settings.health_check.service_port],
            opts=here,
        )
        firewall = Firewall(
            name,
            settings,
            load_balancer_group=balancer.security_group.id,
            node_ports=ingress.node_ports,
            opts=here,
        )
        arns = {key: group.arn for key, group in balancer.target_groups.items()}
        identity = UserIdentity(name, settings, target_group_arns=arns, opts=here)
        rights = Rights(name, settings, self.beneath(depends_on=[ingress]))
        # Everything by which the syncer can work is there before it, and goes after it.
        before = [ingress, balancer, firewall, identity, rights]
        self.workload = Workload(
            name,
            settings,
            target_group_arns=arns,
            followed=ingress.followed,
            credentials=identity.credentials,
            opts=self.beneath(depends_on=before),
        )
        self.outputs = self._outputs(settings, ingress, addresses, balancer)
        self.register_outputs(self.outputs)

    def _outputs(
        self, settings: Settings, ingress: IngressService, addresses: StaticAddresses, balancer: LoadBalancer
    ) -> dict[str, Any]:
        return {
            "staticIps": addresses.public_ips,
            "dnsName": balancer.nlb.dns_name,
            "listeners": {item.name: item.port for item in settings.listeners},
            "targetGroups": {key: group.arn for key, group in balancer.target_groups.items()},
            "nodePorts": ingress.node_ports,
            "syncer": {
                "namespace": self.workload.deployment.metadata.namespace,
                "deployment": self.workload.deployment.metadata.name,
            },
        }
