"""The load balancer: its security group, and a listener and a target group per declared port.

Without a cluster there are no target groups, and no listener without an attached group.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
from pulumi_aws import ec2, lb, vpc

from .component import Component
from .forward import Attached, forward
from .keys import Settings
from .listenerkeys import TLS, Listener
from .loadbalancerkeys import LoadBalancer as Chosen
from .policy import region_of
from .shapes import is_ipv6
from .targetgroups import health_check, target_group

# Deletion of a group in use fails after 90 s, not 15 minutes; less is not possible (docs/adr/0022).
GROUP_TIMEOUTS: Final = pulumi.CustomTimeouts(delete="30s")


def enforced(chosen: Chosen) -> dict[str, object]:
    """Return the attributes that the provider resets on every refresh, unless the stack ignores them."""
    return {
        "enable_deletion_protection": chosen.deletion_protection,
        "enable_zonal_shift": chosen.zonal_shift,
        "dns_record_client_routing_policy": chosen.dns_client_routing,
        "minimum_load_balancer_capacity": chosen.minimum_capacity,
    }


def certificate_label(arn: pulumi.Input[str], number: int) -> str:
    """Return the label of a certificate in logical names: its id, or for an Output its place."""
    return arn.rpartition("/")[2] if isinstance(arn, str) else str(number)


def capacity(chosen: Chosen) -> lb.LoadBalancerMinimumLoadBalancerCapacityArgs | None:
    """Return the reserved capacity; without one the provider resets a reservation."""
    if not chosen.minimum_capacity:
        return None
    return lb.LoadBalancerMinimumLoadBalancerCapacityArgs(capacity_units=chosen.minimum_capacity)


def private_link(chosen: Chosen) -> str | None:
    """Return whether the inbound rules hold for PrivateLink, in the provider's words."""
    return {True: "on", False: "off", None: None}[chosen.enforce_private_link]


def access_logs(chosen: Chosen) -> lb.LoadBalancerAccessLogsArgs | None:
    """Return the access logs; without the block the provider leaves them alone."""
    logs = chosen.access_logs
    if logs.enabled is None:
        return None
    return lb.LoadBalancerAccessLogsArgs(
        enabled=logs.enabled, bucket=logs.bucket or "", prefix=logs.prefix or None
    )


class LoadBalancer(Component):
    """`nlb`, its `region` and `security_group`, and `target_groups` and `listeners` by listener name."""

    TYPE = "node-nlb-sync:loadbalancer:LoadBalancer"

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        marks: Mapping[str, str],
        unchanged: Sequence[str],
        subnet_ids: Mapping[str, pulumi.Input[str]],
        allocation_ids: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self._name, self._settings = name, settings
        self.security_group = self._security_group()
        self.nlb = self._nlb(subnet_ids, allocation_ids, marks, unchanged)
        self.region = self.nlb.arn.apply(region_of)
        self.target_groups: dict[str, lb.TargetGroup] = {}
        self.listeners: dict[str, lb.Listener] = {}

    def listen(
        self,
        node_ports: Mapping[str, pulumi.Output[int]],
        attached: Attached,
        *,
        after: Sequence[pulumi.Resource],
    ) -> None:
        """Create groups and listeners after the firewall, `after`: a check on a closed port fails."""
        settings, name = self._settings, self._name
        own = zip(settings.listeners, settings.health_checks, strict=True) if settings.creates_groups else ()
        late = pulumi.ResourceOptions(depends_on=[*after])
        self.target_groups = {
            item.name: target_group(
                name,
                settings,
                item,
                health_check(check, node_ports),
                pulumi.ResourceOptions.merge(self._formerly(item.name), late),
            )
            for item, check in own
        }
        self.listeners = {
            item.name: self._listener(item, forward(settings, item, self.target_groups, attached))
            for item in settings.listeners
            if settings.weights(item.name)
        }
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
            for transport in item.transports:
                for cidr in self._settings.client_cidrs:
                    peer = {"cidr_ipv6" if is_ipv6(cidr) else "cidr_ipv4": cidr}
                    # A URN's parts are separated by two colons.
                    self._clients(group, item, transport, cidr.replace(":", "-"), **peer)
                for prefix_list in self._settings.load_balancer.client_prefix_lists:
                    self._clients(group, item, transport, prefix_list, prefix_list_id=prefix_list)
        return group

    def _clients(
        self, group: ec2.SecurityGroup, item: Listener, transport: str, source: str, **peer: str
    ) -> None:
        """Admit the clients of `source` to a listener."""
        tcp = transport == "tcp"
        vpc.SecurityGroupIngressRule(
            f"{self._name}-{item.port}-from-{source}"
            if tcp
            else f"{self._name}-{item.port}-udp-from-{source}",
            security_group_id=group.id,
            ip_protocol=transport,
            from_port=item.port,
            to_port=item.port,
            description=f"Clients of listener {item.name}",
            tags=self._settings.tags,
            opts=self._formerly(f"{item.name}-from-{source}") if tcp else self.beneath(),
            **peer,
        )

    def _nlb(
        self,
        subnet_ids: Mapping[str, pulumi.Input[str]],
        allocation_ids: Mapping[str, pulumi.Input[str]],
        marks: Mapping[str, str],
        unchanged: Sequence[str],
    ) -> lb.LoadBalancer:
        """Create the NLB with subnets sorted by zone, so that the order of the configuration is no change.

        A replacement must delete first: the addresses are in use until the deletion is complete
        (terraform-provider-aws#15031). Without the opt-in a replacement creates first, so that AWS refuses
        the second load balancer and the first one stays. The engine does not compare the inputs in
        `unchanged` with an older state.
        """
        chosen = self._settings.load_balancer
        mappings = [
            lb.LoadBalancerSubnetMappingArgs(
                subnet_id=subnet_ids[zone],
                allocation_id=allocation_ids.get(zone),
                private_ipv4_address=place.private_address,
            )
            for zone, place in sorted(self._settings.zones.items())
        ]
        ignored = [name for name, value in enforced(chosen).items() if value is None]
        ignored += unchanged
        return lb.LoadBalancer(
            self._name,
            name=chosen.name,
            load_balancer_type="network",
            internal=chosen.internal,
            ip_address_type=chosen.ip_address_type,
            security_groups=[self.security_group.id, *chosen.security_group_ids],
            subnet_mappings=mappings,
            enable_cross_zone_load_balancing=self._settings.cross_zone,
            enable_deletion_protection=chosen.deletion_protection,
            enable_zonal_shift=chosen.zonal_shift,
            dns_record_client_routing_policy=chosen.dns_client_routing,
            minimum_load_balancer_capacity=capacity(chosen),
            enforce_security_group_inbound_rules_on_private_link_traffic=private_link(chosen),
            access_logs=access_logs(chosen),
            tags={**self._settings.tags, **marks},
            opts=self.beneath(
                delete_before_replace=self._settings.replaceable,
                protect=self._settings.addresses.protect or None,
                ignore_changes=ignored or None,
            ),
        )

    def _listener(self, item: Listener, action: lb.ListenerDefaultActionArgs) -> lb.Listener:
        made = lb.Listener(
            f"{self._name}-{item.port}",
            load_balancer_arn=self.nlb.arn,
            port=item.port,
            protocol=item.protocol,
            certificate_arn=item.certificate_arns[0] if item.certificate_arns else None,
            # Policies and timeout are always set: without an input the provider leaves a removed key's value.
            ssl_policy=item.tls_policy,
            alpn_policy=(item.alpn_policy or "None") if item.protocol == TLS else None,
            tcp_idle_timeout_seconds=item.idle_seconds,
            default_actions=[action],
            tags=self._settings.tags,
            opts=self._formerly(item.name),
        )
        for number, arn in enumerate(item.certificate_arns[1:], 1):
            lb.ListenerCertificate(
                f"{self._name}-{item.port}-certificate-{certificate_label(arn, number)}",
                listener_arn=made.arn,
                certificate_arn=arn,
                opts=self.beneath(),
            )
        return made

    def _formerly(self, name: str) -> pulumi.ResourceOptions:
        """Return the logical name of releases up to 0.1 as an alias.

        The old name contains the listener's name instead of the port, so a rename replaced everything.
        """
        return self.beneath(aliases=[pulumi.Alias(name=f"{self._name}-{name}")])
