"""The component: a load balancer on static IPs, and the syncer that keeps its targets in step."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from .args import NodeNlbArgs
from .component import Component
from .deployed import deployed
from .groups import attached_groups, created_groups, given_groups, nothing
from .ingress import IngressService
from .keys import ROOT, Settings
from .network import Network, survey
from .places import Stack
from .preflight import advise, preflight
from .problems import SettingsError
from .providers import aws_provider
from .settings import examined
from .spelling import as_config
from .taggedgroups import with_tagged_groups

# Name of the component in the project's own program; kept addresses of its stacks are found by the VPC.
PROGRAM: Final = "node-nlb"


class NodeNlb(Component):
    """An AWS Network Load Balancer with a static IP a zone, in front of a Kubernetes ingress controller.

    It makes the load balancer, its addresses, listeners and target groups, the rules between it and the
    nodes, the NodePort Service, and the syncer, which keeps the target groups in step with the cluster's
    nodes. AWS and Kubernetes providers are taken from the resource options.
    """

    TYPE = "node-nlb-sync:index:NodeNlb"

    static_ips: pulumi.Output[Mapping[str, str]]
    """The public IP of each zone."""
    dns_name: pulumi.Output[str]
    """The load balancer's own DNS name."""
    hosted_zone_id: pulumi.Output[str]
    """The Route 53 hosted zone of `dns_name`, for alias records."""
    load_balancer_arn: pulumi.Output[str]
    """The load balancer's ARN."""
    security_group_id: pulumi.Output[str]
    """The load balancer's security group."""
    endpoint_service: pulumi.Output[Mapping[str, str]]
    """The endpoint service's name as `serviceName`; with a private DNS name also the TXT record that AWS
    checks, as `verificationName` and `verificationValue`."""
    listeners: pulumi.Output[Mapping[str, int]]
    """The port of each listener, by the listener's name."""
    target_groups: pulumi.Output[Mapping[str, str]]
    """The ARN of each listener's target group, by the listener's name."""
    node_ports: pulumi.Output[Mapping[str, int]]
    """The NodePort of each ingress port, by the port's name."""
    policy: pulumi.Output[str]
    """The IAM policy that the syncer needs, as JSON."""
    syncer_target_groups: pulumi.Output[str]
    """What the syncer reads from NLB_SYNC_TARGET_GROUPS."""
    syncer: pulumi.Output[Mapping[str, str]]
    """The namespace and the name of the syncer's Deployment, as `namespace` and `deployment`."""

    def __init__(self, name: str, args: NodeNlbArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Raise SettingsError with a line per wrong argument, before a resource is registered."""
        settings, network = checked(name, args, opts)
        super().__init__(name, opts)
        here, mark = self.beneath(), stack_mark(name, settings)
        ingress = IngressService(name, settings, here) if settings.cluster else None
        node_ports = ingress.node_ports if ingress else {}
        reached = {**node_ports, **(ingress.check_ports if ingress else {})}
        if settings.target_groups:
            groups = given_groups(settings)
        elif settings.attached:
            groups = attached_groups(name, settings, network.state, node_ports=reached, opts=here)
        else:
            groups = created_groups(name, settings, network, mark=mark, node_ports=reached, opts=here)
        syncer = deployed(name, settings, groups, ingress, self) if ingress else None
        self.static_ips = together(groups.public_ips)
        self.dns_name, self.hosted_zone_id = groups.dns_name, groups.hosted_zone_id
        self.load_balancer_arn, self.security_group_id = groups.load_balancer_arn, groups.security_group_id
        self.endpoint_service = together(groups.endpoint_service)
        ports = {item.name: item.port for item in settings.listeners} if settings.balances else {}
        self.listeners = pulumi.Output.from_input(ports)
        self.target_groups = together(groups.arns)
        self.node_ports = together(node_ports)
        self.policy = syncer.policy if syncer else nothing()
        self.syncer_target_groups = syncer.followed if syncer else nothing()
        self.syncer = syncer.names if syncer else together({})
        # As exported by a stack. Maps stay maps, so that an unknown value does not hide the others.
        self.outputs: dict[str, Any] = {
            "staticIps": groups.public_ips,
            "dnsName": self.dns_name,
            "hostedZoneId": self.hosted_zone_id,
            "loadBalancerArn": self.load_balancer_arn,
            "securityGroupId": self.security_group_id,
            "endpointService": groups.endpoint_service,
            "listeners": self.listeners,
            "targetGroups": groups.arns,
            "nodePorts": node_ports,
            "policy": self.policy,
            "syncerTargetGroups": self.syncer_target_groups,
            "syncer": self.syncer,
        }
        self.register_outputs(self.outputs)


def together(values: Mapping[str, Any]) -> pulumi.Output[Any]:
    """Return an Output of the map; `Output.all` would make an empty map a list."""
    return pulumi.Output.from_input(dict(values))


def checked(name: str, args: NodeNlbArgs, opts: pulumi.ResourceOptions | None) -> tuple[Settings, Network]:
    """Return the arguments with defaults, and the reads from AWS. Raises SettingsError with every problem."""
    provider = aws_provider(opts)
    raw = as_config(args, ROOT)
    reading = pulumi.InvokeOptions(provider=provider)
    settings, problems, readable = examined(raw, aws.config.region, own_provider=provider is not None)
    network = None
    if settings is not None and readable:
        mark = stack_mark(name, settings)
        settings = with_tagged_groups(settings, reading, problems)
        try:
            network = survey(name, settings, mark, reading)
        except SettingsError as wrong:
            problems = [*problems, *wrong.problems]
        found = network.guard.found if network else None
        names = frozenset(each for each in (settings.load_balancer.name, found and found.name) if each)
        stack, owned = Stack(name, mark, names), network.guard.owned if network else None
        problems = [*problems, *preflight(settings, stack, owned, reading, opts)]
    if problems or settings is None or network is None:
        raise SettingsError(problems, component=name)
    for line in advise(settings):
        pulumi.log.warn(line)
    settings = replace(settings, identity=network.identity, target_groups=network.target_groups)
    return settings, network


def stack_mark(name: str, settings: Settings) -> str:
    """Return the value of STACK_TAG: project, stack, and the VPC's id or the component's name.

    A VPC given as an Output has no id yet when addresses are searched.
    """
    scope = settings.vpc_id if name == PROGRAM and isinstance(settings.vpc_id, str) else name
    return f"{pulumi.get_project()}/{pulumi.get_stack()}/{scope}"
