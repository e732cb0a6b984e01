"""All ELBv2 resources of the account, and the actions' shared look-ups with AWS's own errors."""

import secrets
from collections.abc import Callable, Iterable

from sandbox.cloud.ec2 import Ec2
from sandbox.cloud.elbv2.records import Listener, LoadBalancer, TargetGroup
from sandbox.cloud.errors import AwsError
from sandbox.cloud.faults import Faults
from sandbox.elbv2.account import Balancer, Conditions, Instance, Quotas, Reported
from sandbox.layout import ACCOUNT, REGION

_ARN = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"


class Elbv2:
    """The state of ELBv2; `sandbox.elbv2.account.Account` for the rules of targets.

    Not thread-safe: the front holds a lock around every request.
    """

    def __init__(self, ec2: Ec2, clock: Callable[[], float]) -> None:
        self.ec2 = ec2
        self.clock = clock
        self.faults = Faults()
        self.load_balancers: dict[str, LoadBalancer] = {}
        self.listeners: dict[str, Listener] = {}
        self.groups: dict[str, TargetGroup] = {}
        self._lingering: dict[str, float] = {}

    def load_balancer(self, arn: str) -> LoadBalancer:
        """Return the load balancer. Raises LoadBalancerNotFound."""
        if arn not in self.load_balancers:
            raise AwsError("LoadBalancerNotFound", f"Load balancer '{arn}' not found")
        return self.load_balancers[arn]

    def listener(self, arn: str) -> Listener:
        """Return the listener. Raises ListenerNotFound."""
        if arn not in self.listeners:
            raise AwsError("ListenerNotFound", f"One or more listeners not found: '{arn}'")
        return self.listeners[arn]

    def group(self, arn: str) -> TargetGroup:
        """Return the target group. Raises TargetGroupNotFound."""
        if arn not in self.groups:
            raise AwsError("TargetGroupNotFound", f"Target groups '{arn}' not found")
        return self.groups[arn]

    def listeners_of(self, load_balancer_arn: str) -> list[Listener]:
        """The listeners of a load balancer."""
        return [one for one in self.listeners.values() if one.load_balancer_arn == load_balancer_arn]

    def groups_of(self, load_balancer_arn: str) -> list[TargetGroup]:
        """Return the target groups of the load balancer's listeners."""
        arns = {arn for listener in self.listeners_of(load_balancer_arn) for arn in listener.group_arns}
        return [group for arn, group in self.groups.items() if arn in arns]

    def load_balancer_of(self, group_arn: str) -> LoadBalancer | None:
        """Return the load balancer whose listeners forward to the group, or None."""
        for listener in self.listeners.values():
            if group_arn in listener.group_arns:
                return self.load_balancers[listener.load_balancer_arn]
        return None

    def instance(self, instance_id: str) -> Instance | None:
        """Return the instance, also a terminated instance; None for an unknown id."""
        return self.ec2.instance(instance_id)

    def balancer_of(self, group: TargetGroup) -> Balancer | None:
        """Return the group's load balancer for the rules of targets."""
        owner = self.load_balancer_of(group.arn)
        return None if owner is None else self.balancer(owner)

    def balancer(self, owner: LoadBalancer) -> Balancer:
        """Return a load balancer for the rules of targets."""
        return Balancer(owner.zones, self.groups_of(owner.arn), owner.cross_zone)

    def conditions(self, _group: TargetGroup | None = None) -> Conditions:
        """Return the quotas and injected faults in force."""
        faults, quotas = self.faults, self.faults.quotas
        return Conditions(
            checks=Reported(faults.registration_delay_s),
            quotas=Quotas(
                group=quotas["targets-per-target-group"],
                zone=quotas["targets-per-availability-zone-per-network-load-balancer"],
                balancer=quotas["targets-per-network-load-balancer"],
                cross_zone=quotas["targets-per-network-load-balancer-cross-zone"],
            ),
            refused=faults.poison,
            shifts=faults.zonal_shift,
        )

    def leave_behind(self, interface_ids: Iterable[str]) -> None:
        """Keep interfaces of a deleted load balancer for the time set in the faults."""
        self._lingering.update(dict.fromkeys(interface_ids, self.clock()))
        self.remove_lingering()

    def remove_lingering(self) -> None:
        """Delete the interfaces whose linger time is over; their addresses and groups become free."""
        for interface_id, since in list(self._lingering.items()):
            if self.clock() >= since + self.faults.interface_linger_s:
                del self._lingering[interface_id]
                self.ec2.detach(interface_id)

    def new_arn(self, kind: str, path: str) -> str:
        """Return an ARN of this account with a fresh id: `kind/path/ID` (source 9 for the form)."""
        return f"{_ARN}:{kind}/{path}/{secrets.token_hex(8)}"


def named(pairs: Iterable[dict[str, str]] | None) -> dict[str, str]:
    """Return the API's tags or attributes as a dict. Raises DuplicateTagKeys."""
    listed = list(pairs or [])
    found = {pair["Key"]: pair.get("Value", "") for pair in listed}
    if len(found) < len(listed):
        raise AwsError("DuplicateTagKeys", "A tag key was specified more than once")
    return found


def pairs(values: dict[str, str]) -> list[dict[str, str]]:
    """Return a dict in the API's form of tags and attributes."""
    return [{"Key": key, "Value": value} for key, value in values.items()]
