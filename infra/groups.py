"""The target groups for the syncer: of a load balancer created here or of another stack, or given groups."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from .addresses import StaticAddresses
from .around import around
from .attachment import AttachedGroups
from .component import Component
from .firewall import Firewall
from .kept import STACK_TAG
from .keys import Settings
from .loadbalancer import LoadBalancer
from .network import Network
from .policy import region_of
from .stackstate import State

NodePorts = Mapping[str, pulumi.Output[int]]


def nothing() -> pulumi.Output[str]:
    """The value of an output without a load balancer created here."""
    return pulumi.Output.from_input("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """ARNs by listener, or by ingress port where groups are given; `parts` are created before the syncer.

    Without a load balancer of the stack, maps and texts are empty.
    """

    arns: Mapping[str, pulumi.Output[str]]
    region: pulumi.Output[str]
    parts: tuple[Component, ...] = ()
    public_ips: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    dns_name: pulumi.Output[str] = field(default_factory=nothing)
    hosted_zone_id: pulumi.Output[str] = field(default_factory=nothing)
    load_balancer_arn: pulumi.Output[str] = field(default_factory=nothing)
    security_group_id: pulumi.Output[str] = field(default_factory=nothing)
    endpoint_service: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)


def given_groups(settings: Settings) -> Groups:
    """Take the existing groups of the settings."""
    arns = {name: pulumi.Output.from_input(arn) for name, arn in settings.target_groups.items()}
    return Groups(arns=arns, region=arns[min(arns)].apply(region_of))


def attached_groups(
    name: str, settings: Settings, state: State, *, node_ports: NodePorts, opts: pulumi.ResourceOptions
) -> Groups:
    """Create groups and firewall rules for the load balancer of another stack.

    The groups are deleted before the rules: AWS refuses the deletion of a group that a listener still uses,
    and its targets then keep their connections.
    """
    source = settings.edge.security_group_id
    firewall = Firewall(
        name, settings, load_balancer_group=source, node_ports=node_ports, state=state, opts=opts
    )
    after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[firewall]))
    made = AttachedGroups(name, settings, node_ports, after)
    arns = {key: group.arn for key, group in made.target_groups.items()}
    return Groups(arns=arns, region=arns[min(arns)].apply(region_of), parts=(made, firewall))


def created_groups(
    name: str,
    settings: Settings,
    network: Network,
    *,
    mark: str,
    node_ports: NodePorts,
    opts: pulumi.ResourceOptions,
) -> Groups:
    """Create addresses, load balancer and firewall rules; `mark` is the component's value of STACK_TAG.

    Without a cluster there are neither groups nor rules of nodes.
    """
    addresses = StaticAddresses(name, settings, network, {STACK_TAG: mark}, opts)
    balancer = LoadBalancer(
        name,
        settings,
        marks={STACK_TAG: mark},
        unchanged=network.guard.unchanged(name),
        subnet_ids=network.subnet_ids,
        allocation_ids=addresses.allocation_ids,
        opts=opts,
    )
    parts: tuple[Component, ...] = (balancer,)
    if settings.cluster:
        source = balancer.security_group.id
        state = network.state
        parts += (
            Firewall(
                name, settings, load_balancer_group=source, node_ports=node_ports, state=state, opts=opts
            ),
        )
    balancer.listen(node_ports, network.attached, after=parts[1:])
    endpoint_service = around(name, settings, balancer, network.attached, opts)
    return Groups(
        arns={key: group.arn for key, group in balancer.target_groups.items()},
        region=balancer.region,
        parts=parts,
        public_ips=addresses.public_ips,
        dns_name=balancer.nlb.dns_name,
        hosted_zone_id=balancer.nlb.zone_id,
        load_balancer_arn=network.guard.arn(balancer.nlb.arn, network.reading),
        security_group_id=balancer.security_group.id,
        endpoint_service=endpoint_service,
    )
