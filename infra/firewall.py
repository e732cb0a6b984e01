"""Single rules between the load balancer and the nodes; the nodes' group keeps all its other rules."""

from collections.abc import Mapping

import pulumi
from pulumi_aws import vpc

from .keys import Settings
from .part import Part


class Firewall(Part):
    """For each NodePort in use: out of the load balancer's group, into the nodes' group.

    Without the first, health checks fail too: the provider strips a new group's default egress rule.
    """

    TYPE = "node-nlb-sync:firewall:Firewall"

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        load_balancer_group: pulumi.Input[str],
        node_ports: Mapping[str, pulumi.Output[int]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self._name, self._settings = name, settings
        for service_port in settings.used_service_ports:
            node_port = node_ports[service_port]
            vpc.SecurityGroupEgressRule(
                f"{name}-{service_port}-to-nodes",
                security_group_id=load_balancer_group,
                referenced_security_group_id=settings.node_security_group_id,
                ip_protocol="tcp",
                from_port=node_port,
                to_port=node_port,
                description=f"NodePort {service_port} of the nodes",
                tags=settings.tags,
                opts=self.beneath(),
            )
            self._into_nodes(service_port, node_port, load_balancer_group)
        self.register_outputs({})

    def _into_nodes(self, service_port: str, node_port: pulumi.Output[int], group: pulumi.Input[str]) -> None:
        """Client CIDRs are an addition: health checks always come from the load balancer itself."""
        source = self._settings.firewall.source
        cidrs = {"load-balancer": (), "clients": self._settings.client_cidrs, "any": ("0.0.0.0/0",)}[source]
        if source != "any":
            self._rule(f"nodes-{service_port}-from-load-balancer", service_port, node_port, group=group)
        for cidr in cidrs:
            self._rule(f"nodes-{service_port}-from-{cidr}", service_port, node_port, cidr=cidr)

    def _rule(
        self,
        suffix: str,
        service_port: str,
        node_port: pulumi.Output[int],
        *,
        group: pulumi.Input[str] | None = None,
        cidr: str | None = None,
    ) -> None:
        vpc.SecurityGroupIngressRule(
            f"{self._name}-{suffix}",
            security_group_id=self._settings.node_security_group_id,
            referenced_security_group_id=group,
            cidr_ipv4=cidr,
            ip_protocol="tcp",
            from_port=node_port,
            to_port=node_port,
            description=f"NodePort {service_port} of the ingress controller",
            tags=self._settings.tags,
            opts=self.beneath(),
        )
