"""The load balancer: its security group, and a listener and a target group per declared port."""

from collections.abc import Mapping
from typing import Final

import pulumi
from pulumi_aws import ec2, lb, vpc

from .component import Component
from .keys import Listener, Settings
from .policy import region_of

# The group's port is immutable and not in the data path: targets are registered with the live NodePort.
TARGET_GROUP_PORT: Final = 80
# Deletion of a group in use fails after 90 s, not 15 minutes; less is not possible (docs/adr/0022).
GROUP_TIMEOUTS: Final = pulumi.CustomTimeouts(delete="30s")


class LoadBalancer(Component):
    """`nlb`, its `region` and `security_group`, and `target_groups` and `listeners` by listener name."""

    TYPE = "node-nlb-sync:loadbalancer:LoadBalancer"

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        marks: Mapping[str, str],
        unchanged: bool,
        subnet_ids: Mapping[str, pulumi.Input[str]],
        allocation_ids: Mapping[str, pulumi.Input[str]],
        health_port: pulumi.Output[int],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self._name, self._settings = name, settings
        self.security_group = self._security_group()
        self.nlb = self._nlb(subnet_ids, allocation_ids, marks, unchanged=unchanged)
        self.region = self.nlb.arn.apply(region_of)
        self.target_groups = {item.name: self._target_group(item, health_port) for item in settings.listeners}
        self.listeners = {item.name: self._listener(item) for item in settings.listeners}
        self.register_outputs({"dnsName": self.nlb.dns_name})

    def _security_group(self) -> ec2.SecurityGroup:
        """Create the security group: an NLB created without a group can never be given one.

        Rules are separate resources.
        """
        group = ec2.SecurityGroup(
            self._name,
            description="Clients of the load balancer and its way to the nodes",  # immutable
            vpc_id=self._settings.vpc_id,
            tags=self._settings.tags,
            opts=self.beneath(custom_timeouts=GROUP_TIMEOUTS),
        )
        for item in self._settings.listeners:
            for cidr in self._settings.client_cidrs:
                vpc.SecurityGroupIngressRule(
                    f"{self._name}-{item.port}-from-{cidr}",
                    security_group_id=group.id,
                    ip_protocol="tcp",
                    from_port=item.port,
                    to_port=item.port,
                    cidr_ipv4=cidr,
                    description=f"Clients of listener {item.name}",
                    tags=self._settings.tags,
                    opts=self._formerly(f"{item.name}-from-{cidr}"),
                )
        return group

    def _nlb(
        self,
        subnet_ids: Mapping[str, pulumi.Input[str]],
        allocation_ids: Mapping[str, pulumi.Input[str]],
        marks: Mapping[str, str],
        *,
        unchanged: bool,
    ) -> lb.LoadBalancer:
        """Create the NLB with subnets sorted by zone, so that the order of the configuration is no change.

        A replacement must delete first: the addresses are in use until the deletion is complete
        (terraform-provider-aws#15031). Without the opt-in a replacement creates first, so that AWS refuses
        the second load balancer and the first one stays. Where AWS has the configured zones (`unchanged`),
        the mappings of an older state do not count.
        """
        mappings = [
            lb.LoadBalancerSubnetMappingArgs(subnet_id=subnet_ids[zone], allocation_id=allocation_ids[zone])
            for zone in sorted(self._settings.zones)
        ]
        return lb.LoadBalancer(
            self._name,
            load_balancer_type="network",
            internal=False,
            ip_address_type="ipv4",
            security_groups=[self.security_group.id],
            subnet_mappings=mappings,
            enable_cross_zone_load_balancing=self._settings.cross_zone,
            tags={**self._settings.tags, **marks},
            opts=self.beneath(
                delete_before_replace=self._settings.replaceable,
                protect=self._settings.addresses.protect or None,
                ignore_changes=["subnetMappings"] if unchanged else None,
            ),
        )

    def _target_group(self, item: Listener, health_port: pulumi.Output[int]) -> lb.TargetGroup:
        """Create an empty, unnamed group for the syncer: named groups are irreplaceable (pulumi-aws#4220)."""
        check, connections = self._settings.health_check, self._settings.connections
        # Always set: the provider keeps the found value of an unset attribute and would not revert the value.
        end = lb.TargetGroupTargetHealthStateArgs(
            enable_unhealthy_connection_termination=connections.end_when_unhealthy
        )
        return lb.TargetGroup(
            f"{self._name}-{item.port}",
            port=TARGET_GROUP_PORT,
            protocol=item.protocol,
            target_type="instance",
            vpc_id=self._settings.vpc_id,
            deregistration_delay=self._settings.deregistration_delay,
            connection_termination=connections.end_with_drain,
            preserve_client_ip="true" if connections.preserve_client_ip else "false",
            target_health_states=[end],
            health_check=lb.TargetGroupHealthCheckArgs(
                enabled=True,
                protocol="HTTP",
                port=health_port.apply(str),
                path=check.path,
                interval=check.interval,
                timeout=check.timeout,
                healthy_threshold=check.healthy_threshold,
                unhealthy_threshold=check.unhealthy_threshold,
                matcher=check.matcher,
            ),
            tags=self._settings.tags,
            opts=self._formerly(item.name),
        )

    def _listener(self, item: Listener) -> lb.Listener:
        forward = lb.ListenerDefaultActionArgs(
            type="forward", target_group_arn=self.target_groups[item.name].arn
        )
        return lb.Listener(
            f"{self._name}-{item.port}",
            load_balancer_arn=self.nlb.arn,
            port=item.port,
            protocol=item.protocol,
            default_actions=[forward],
            tags=self._settings.tags,
            opts=self._formerly(item.name),
        )

    def _formerly(self, name: str) -> pulumi.ResourceOptions:
        """Return the logical name of releases up to 0.1 as an alias.

        The old name contains the listener's name instead of the port, so a rename replaced everything.
        """
        return self.beneath(aliases=[pulumi.Alias(name=f"{self._name}-{name}")])
