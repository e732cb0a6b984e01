"""Single rules between the load balancer and the nodes; the nodes' group keeps all its other rules."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import vpc

from infra.options import Settings
from infra.part import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """One NodePort in one node security group; `first` is the group that had the rules of release 0.1."""

    service_port: str
    number: int
    node_port: pulumi.Output[int]
    node_group: str
    first: bool


class Firewall(Part):
    """For each NodePort and node security group: out of the load balancer's group, into the nodes' group.

    Without the first, health checks fail too: the provider strips a new group's default egress rule.
    Logical names hold the Service port's number and the group's id. A rule under a new logical name would be
    created before the old one is deleted, and AWS refuses the duplicate.
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
        numbers = {port.name: port.port for port in settings.ingress.ports}
        for service_port in settings.used_service_ports:
            for index, node_group in enumerate(settings.node_groups):
                way = _Way(
                    service_port=service_port,
                    number=numbers[service_port],
                    node_port=node_ports[service_port],
                    node_group=node_group,
                    first=index == 0,
                )
                self._out_of_load_balancer(way, load_balancer_group)
                self._into_nodes(way, load_balancer_group)
        self.register_outputs({})

    def _out_of_load_balancer(self, way: "_Way", group: pulumi.Input[str]) -> None:
        vpc.SecurityGroupEgressRule(
            f"{self._name}-{way.number}-to-{way.node_group}",
            security_group_id=group,
            referenced_security_group_id=way.node_group,
            ip_protocol="tcp",
            from_port=way.node_port,
            to_port=way.node_port,
            description=f"NodePort {way.service_port} of the nodes",
            tags=self._settings.tags,
            opts=self._formerly(way, f"{way.service_port}-to-nodes"),
        )

    def _into_nodes(self, way: "_Way", group: pulumi.Input[str]) -> None:
        """Client CIDRs are an addition: health checks always come from the load balancer itself."""
        source = self._settings.firewall.source
        cidrs = {"load-balancer": (), "clients": self._settings.client_cidrs, "any": ("0.0.0.0/0",)}[source]
        if source != "any":
            self._rule(way, "load-balancer", group=group)
        for cidr in cidrs:
            self._rule(way, cidr, cidr=cidr)

    def _rule(
        self,
        way: "_Way",
        source: str,
        *,
        group: pulumi.Input[str] | None = None,
        cidr: str | None = None,
    ) -> None:
        vpc.SecurityGroupIngressRule(
            f"{self._name}-{way.node_group}-{way.number}-from-{source}",
            security_group_id=way.node_group,
            referenced_security_group_id=group,
            cidr_ipv4=cidr,
            ip_protocol="tcp",
            from_port=way.node_port,
            to_port=way.node_port,
            description=f"NodePort {way.service_port} of the ingress controller",
            tags=self._settings.tags,
            opts=self._formerly(way, f"nodes-{way.service_port}-from-{source}"),
        )

    def _formerly(self, way: "_Way", name: str) -> pulumi.ResourceOptions:
        """Releases up to 0.1 named rules after the Service port's name, and had one node security group."""
        return self.beneath(aliases=[pulumi.Alias(name=f"{self._name}-{name}")] if way.first else [])
