"""Single rules between the load balancer and the nodes; all other rules of the nodes' group remain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws import vpc

from .component import Component
from .healthkeys import LOCAL
from .ingress import CHECK_PORT
from .keys import Settings

NODES: Final = "nodes"
_HEALTH: Final = "health"
_CHECKS: Final = "Health checks of the nodes"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """A NodePort in a node security group, or a port of health checks alone, without a `service_port`.

    `label` stands for the group in logical names, `former` are labels of other configurations and releases;
    `number` stands for the port, `transport` is tcp or udp.
    """

    service_port: str | None
    number: str
    node_port: pulumi.Input[int]
    node_group: pulumi.Input[str]
    label: str
    former: tuple[str, ...]
    transport: str

    @property
    def mark(self) -> str:
        """Return port and protocol in logical names."""
        return self.number if self.transport == "tcp" else f"{self.number}-{self.transport}"


class Firewall(Component):
    """Rules per NodePort and node security group: out of the load balancer's group, into the nodes' group.

    Without the egress rule, health checks fail too: the provider strips a new group's default egress rule.
    Logical names contain the Service port (`number_of`) and, with several groups, the group. A rule under a
    new logical name would be created before the old rule is deleted, and AWS refuses the duplicate.
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
        ports: list[tuple[str | None, str, str, pulumi.Input[int]]] = [
            *(
                (port, transport, number_of(settings, port), node_ports[port])
                for port in settings.used_service_ports
                for transport in settings.transports(port)
            ),
            *((None, "tcp", f"check-{port}", port) for port in settings.used_health_ports),
        ]
        if settings.checks_locally:
            ports.append((None, "tcp", f"check-{LOCAL}", node_ports[CHECK_PORT]))
        for service_port, transport, number, node_port in ports:
            named = labels(settings.node_groups, tagged=bool(settings.tagged_node_groups))
            for node_group, (label, *former) in zip(settings.node_groups, named, strict=True):
                way = _Way(
                    service_port=service_port,
                    number=number,
                    node_port=node_port,
                    node_group=node_group,
                    label=label,
                    former=tuple(former),
                    transport=transport,
                )
                self._out_of_load_balancer(way, load_balancer_group)
                self._into_nodes(way, load_balancer_group)
        self.register_outputs({})

    def _out_of_load_balancer(self, way: _Way, group: pulumi.Input[str]) -> None:
        vpc.SecurityGroupEgressRule(
            f"{self._name}-{way.mark}-to-{way.label}",
            security_group_id=group,
            referenced_security_group_id=way.node_group,
            ip_protocol=way.transport,
            from_port=way.node_port,
            to_port=way.node_port,
            description=f"NodePort {way.service_port} of the nodes" if way.service_port else _CHECKS,
            tags=self._settings.tags,
            opts=self._formerly(way, "{port}-to-{label}"),
        )

    def _into_nodes(self, way: _Way, group: pulumi.Input[str]) -> None:
        """Add ingress rules. Client CIDRs are additional: health checks always come from the NLB itself."""
        source = self._settings.firewall.source
        clients = self._settings.client_cidrs_ipv4  # IPv6 clients have an IPv4 address of the load balancer
        cidrs = {"load-balancer": (), "clients": clients, "any": ("0.0.0.0/0",)}[source]
        if way.service_port is None:
            source, cidrs = "load-balancer", ()
        if source != "any":
            self._rule(way, "load-balancer", referenced_security_group_id=group)
        for cidr in cidrs:
            self._rule(way, cidr, cidr_ipv4=cidr)
        if source == "clients":
            for prefix_list in self._settings.load_balancer.client_prefix_lists:
                self._rule(way, prefix_list, prefix_list_id=prefix_list)

    def _rule(self, way: _Way, source: str, **peer: pulumi.Input[str]) -> None:
        vpc.SecurityGroupIngressRule(
            f"{self._name}-{way.label}-{way.mark}-from-{source}",
            security_group_id=way.node_group,
            ip_protocol=way.transport,
            from_port=way.node_port,
            to_port=way.node_port,
            description=f"NodePort {way.service_port} of the ingress controller"
            if way.service_port
            else _CHECKS,
            tags=self._settings.tags,
            opts=self._formerly(way, f"{{label}}-{{port}}-from-{source}"),
            **peer,
        )

    def _formerly(self, way: _Way, pattern: str) -> pulumi.ResourceOptions:
        """Return aliases: other labels of the group, and other words for the port in it.

        Those are the words before the port had its first listener or lost its last one, and the Service
        port's name as in releases up to 0.1.
        """
        names = [pattern.format(label=label, port=way.mark) for label in way.former]
        if way.service_port and way.transport == "tcp":
            both = {f"{_HEALTH}-{way.service_port}", str(port_number(self._settings, way.service_port))}
            (other,) = both - {way.number}
            names += [pattern.format(label=label, port=other) for label in (way.label, *way.former)]
        if way.service_port and way.transport == "tcp" and NODES in (way.label, *way.former):
            names.append(pattern.format(label=NODES, port=way.service_port))
        return self.beneath(aliases=[pulumi.Alias(name=f"{self._name}-{name}") for name in names])


def number_of(settings: Settings, service_port: str) -> str:
    """Return what stands for a Service port in logical names: its number, or its name without a listener.

    Kubernetes keeps the NodePort of a renamed port and of one with another number. Ports of listeners are
    renamed; the port of health checks has another number in another preset.
    """
    if any(item.service_port == service_port for item in settings.listeners):
        return str(port_number(settings, service_port))
    return f"{_HEALTH}-{service_port}"


def port_number(settings: Settings, service_port: str) -> int:
    """Return the number of a Service port."""
    return next(port.port for port in settings.ingress.ports if port.name == service_port)


def labels(groups: Sequence[pulumi.Input[str]], *, tagged: bool = False) -> list[tuple[str, ...]]:
    """Return the label of every group in logical names, and possible former labels.

    A single group is `nodes`, regardless of the id, so an id known only to `up` makes no difference. Several
    groups, and `tagged` ones, which may become more in any run, have their ids as labels, so the order is
    irrelevant; Outputs, without an id yet, have their positions.
    """
    if len(groups) == 1 and not tagged:
        return [(NODES, *(each for each in groups if isinstance(each, str)))]
    return [
        (each if isinstance(each, str) else f"{NODES}-{number}", *([NODES] if number == 1 else []))
        for number, each in enumerate(groups, 1)
    ]
