"""Single rules between the load balancer and the nodes; all other rules of the nodes' group remain."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_aws import vpc

from .component import Component
from .healthkeys import LOCAL
from .ingress import CHECK_PORT
from .keys import Settings
from .stackstate import State

NODES: Final = "nodes"
_HEALTH: Final = "health"
_CHECKS: Final = "Health checks of the nodes"
_EGRESS: Final = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
_INGRESS: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
# The output that has the node security group, by the type of the rule.
_NODE_GROUP: Final = {_EGRESS: "referencedSecurityGroupId", _INGRESS: "securityGroupId"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """A NodePort in a node security group, or a port of health checks alone, without a `service_port`.

    `label` stands for the group in logical names, `number` for the port; `transport` is tcp or udp.
    """

    service_port: str | None
    number: str
    node_port: pulumi.Input[int]
    node_group: pulumi.Input[str]
    label: str
    transport: str

    @property
    def mark(self) -> str:
        """Return port and protocol in logical names."""
        return self.number if self.transport == "tcp" else f"{self.number}-{self.transport}"

    def describe(self, owner: str) -> str:
        """Return the description of the rule; `owner` is who has the NodePort."""
        return f"NodePort {self.service_port} of the {owner}" if self.service_port else _CHECKS


class Firewall(Component):
    """Rules per NodePort and node security group: out of the load balancer's group, into the nodes' group.

    Without the egress rule, health checks fail too: the provider strips a new group's default egress rule.
    Logical names contain the Service port (`number_of`) and, with several groups, the group. A rule under a
    new logical name would be created before the old rule is deleted, and AWS refuses the duplicate. So a rule
    that the stack's state has under another name keeps its place in the state, by an alias (`former_name`).
    """

    TYPE = "node-nlb-sync:firewall:Firewall"

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        load_balancer_group: pulumi.Input[str],
        node_ports: Mapping[str, pulumi.Output[int]],
        state: State,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self._name, self._settings = name, settings
        self._state = state.beneath(self.TYPE)
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
            for node_group, label in zip(settings.node_groups, named, strict=True):
                way = _Way(
                    service_port=service_port,
                    number=number,
                    node_port=node_port,
                    node_group=node_group,
                    label=label,
                    transport=transport,
                )
                self._out_of_load_balancer(way, load_balancer_group)
                self._into_nodes(way, load_balancer_group)
        self.register_outputs({})

    def _out_of_load_balancer(self, way: _Way, group: pulumi.Input[str]) -> None:
        description = way.describe("nodes")
        vpc.SecurityGroupEgressRule(
            f"{self._name}-{way.mark}-to-{way.label}",
            security_group_id=group,
            referenced_security_group_id=way.node_group,
            ip_protocol=way.transport,
            from_port=way.node_port,
            to_port=way.node_port,
            description=description,
            tags=self._settings.tags,
            opts=self._formerly(_EGRESS, way, f"{self._name}-{{port}}-to-{{label}}", description),
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
        description = way.describe("ingress controller")
        vpc.SecurityGroupIngressRule(
            f"{self._name}-{way.label}-{way.mark}-from-{source}",
            security_group_id=way.node_group,
            ip_protocol=way.transport,
            from_port=way.node_port,
            to_port=way.node_port,
            description=description,
            tags=self._settings.tags,
            opts=self._formerly(_INGRESS, way, f"{self._name}-{{label}}-{{port}}-from-{source}", description),
            **peer,
        )

    def _formerly(self, type_: str, way: _Way, pattern: str, description: str) -> pulumi.ResourceOptions:
        found = former_name(self._state, type_, way, pattern, description)
        own = pattern.format(label=way.label, port=way.mark)
        return self.beneath(aliases=[pulumi.Alias(name=found)] if found not in {None, own} else [])


def former_name(
    state: Mapping[tuple[str, str], Mapping[str, Any]], type_: str, way: _Way, pattern: str, description: str
) -> str | None:
    """Return the name that a rule has in the stack's state; None for a new rule.

    `state` has the outputs of rules by type and name, `pattern` is the name with label and port as
    fields. A rule is the same if the node group, the protocol and the Service port are the same; the
    description has the name of the Service port, and a renamed port keeps its number. A node group that is an
    Output has no id yet, and is never found.
    """
    port = re.escape(way.mark)
    if way.service_port:  # the name alone is a port of release 0.1
        word = re.escape(way.service_port)
        port += f"|[0-9]+(-udp)?|{_HEALTH}-{word}(-udp)?|{word}"
    label = f"{NODES}(-[0-9]+)?|{re.escape(str(way.node_group))}"
    name = re.compile(
        re.escape(pattern).replace(r"\{label\}", f"({label})").replace(r"\{port\}", f"(?P<port>{port})")
    )
    same = [
        (rule.get("description") != description, each)
        for (kind, each), rule in state.items()
        if kind == type_
        and (found := name.fullmatch(each))
        and rule.get(_NODE_GROUP[type_]) == way.node_group
        and rule.get("ipProtocol") == way.transport
        and (rule.get("description") == description or found["port"] == way.mark)
    ]
    return min(same, default=(False, None))[1]


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


def labels(groups: Sequence[pulumi.Input[str]], *, tagged: bool = False) -> list[str]:
    """Return the label of every group in logical names.

    A single group is `nodes`, regardless of the id, so an id known only to `up` makes no difference. Several
    groups, and `tagged` ones, which may become more in any run, have their ids as labels, so the order is
    irrelevant; Outputs, without an id yet, have their positions.
    """
    if len(groups) == 1 and not tagged:
        return [NODES]
    return [each if isinstance(each, str) else f"{NODES}-{number}" for number, each in enumerate(groups, 1)]
