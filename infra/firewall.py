"""Single rules between the load balancer and the nodes; the nodes' group keeps all its other rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws import vpc

from .component import Component
from .keys import Settings

NODES: Final = "nodes"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """One NodePort in one node security group.

    `label` stands for the group in logical names, `former` are labels of other configurations and releases.
    """

    service_port: str
    number: int
    node_port: pulumi.Output[int]
    node_group: pulumi.Input[str]
    label: str
    former: tuple[str, ...]


class Firewall(Component):
    """For each NodePort and node security group: out of the load balancer's group, into the nodes' group.

    Without the first, health checks fail too: the provider strips a new group's default egress rule.
    Logical names hold the Service port's number and, where there are several groups, the group. A rule under
    a new logical name would be created before the old one is deleted, and AWS refuses the duplicate.
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
            for node_group, (label, *former) in zip(
                settings.node_groups, labels(settings.node_groups), strict=True
            ):
                way = _Way(
                    service_port=service_port,
                    number=numbers[service_port],
                    node_port=node_ports[service_port],
                    node_group=node_group,
                    label=label,
                    former=tuple(former),
                )
                self._out_of_load_balancer(way, load_balancer_group)
                self._into_nodes(way, load_balancer_group)
        self.register_outputs({})

    def _out_of_load_balancer(self, way: _Way, group: pulumi.Input[str]) -> None:
        vpc.SecurityGroupEgressRule(
            f"{self._name}-{way.number}-to-{way.label}",
            security_group_id=group,
            referenced_security_group_id=way.node_group,
            ip_protocol="tcp",
            from_port=way.node_port,
            to_port=way.node_port,
            description=f"NodePort {way.service_port} of the nodes",
            tags=self._settings.tags,
            opts=self._formerly(way, "{port}-to-{label}"),
        )

    def _into_nodes(self, way: _Way, group: pulumi.Input[str]) -> None:
        """Client CIDRs are an addition: health checks always come from the load balancer itself."""
        source = self._settings.firewall.source
        cidrs = {"load-balancer": (), "clients": self._settings.client_cidrs, "any": ("0.0.0.0/0",)}[source]
        if source != "any":
            self._rule(way, "load-balancer", group=group)
        for cidr in cidrs:
            self._rule(way, cidr, cidr=cidr)

    def _rule(
        self,
        way: _Way,
        source: str,
        *,
        group: pulumi.Input[str] | None = None,
        cidr: str | None = None,
    ) -> None:
        vpc.SecurityGroupIngressRule(
            f"{self._name}-{way.label}-{way.number}-from-{source}",
            security_group_id=way.node_group,
            referenced_security_group_id=group,
            cidr_ipv4=cidr,
            ip_protocol="tcp",
            from_port=way.node_port,
            to_port=way.node_port,
            description=f"NodePort {way.service_port} of the ingress controller",
            tags=self._settings.tags,
            opts=self._formerly(way, f"{{label}}-{{port}}-from-{source}"),
        )

    def _formerly(self, way: _Way, pattern: str) -> pulumi.ResourceOptions:
        """Other labels of the same group; releases up to 0.1 named rules after the Service port's name."""
        names = [pattern.format(label=label, port=way.number) for label in way.former]
        if NODES in (way.label, *way.former):
            names.append(pattern.format(label=NODES, port=way.service_port))
        return self.beneath(aliases=[pulumi.Alias(name=f"{self._name}-{name}") for name in names])


def labels(groups: Sequence[pulumi.Input[str]]) -> list[tuple[str, ...]]:
    """What each group is called in logical names, and what it may have been called before.

    One group is `nodes`, whatever its id: so an id that only `up` knows makes no difference. Several are
    called by their ids, so that their order means nothing; Outputs, which have no id yet, by their places.
    """
    if len(groups) == 1:
        return [(NODES, *(each for each in groups if isinstance(each, str)))]
    return [
        (each if isinstance(each, str) else f"{NODES}-{number}", *([NODES] if number == 1 else []))
        for number, each in enumerate(groups, 1)
    ]
