"""Refuse edits that would replace the load balancer, before the first resource is registered.

The AWS provider replaces a Network Load Balancer when a subnet mapping is removed or changed, and AWS does
the same in place by SetSubnets (terraform-provider-aws#41418).
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_aws import ec2, lb

from .balancers import Balancer
from .keys import LOAD_BALANCER, Settings
from .loadbalancerkeys import INTERNAL
from .policy import region_of
from .problems import NAMESPACE, Change, Problem, SettingsError, Ways
from .shapes import child
from .zonekeys import Zone

_PAGE: Final = "docs/zones.md"
_OPT_IN: Final = f"or allowReplacement with {LOAD_BALANCER}"


@dataclass(frozen=True, slots=True)
class Guard:
    """The comparison of the load balancer in AWS, if one exists, with the configuration.

    `owned` are the stack's created addresses by zone; `state_arn` is that of the stack's state, or "".
    """

    settings: Settings
    found: Balancer | None
    owned: Mapping[str, Sequence[str]]
    state_arn: str = ""

    @property
    def same(self) -> bool:
        """Return whether AWS has exactly the configured zones, subnets and addresses.

        The state may then have old mappings without an effect: the engine must not compare with the state.
        """
        return (
            self.found is not None
            and self.found.internal == self.settings.load_balancer.internal
            and self.found.zones.keys() == self.settings.zones.keys()
            and all(
                isinstance(place.subnet_id, str)
                and isinstance(place.allocation_id, str | None)
                and not any(differing(zone, place, self.found, self.owned))
                for zone, place in self.settings.zones.items()
            )
        )

    def unchanged(self, component: str) -> list[str]:
        """Return the load balancer's inputs that the engine must not compare with its state."""
        kept = ["name"] if self.keeps_name(component) else []
        return [*kept, "subnet_mappings"] if self.same else kept

    def problems(self) -> Iterator[Problem]:
        """Report every key whose value would replace or delete the load balancer."""
        found, settings = self.found, self.settings
        if found is None:
            yield from self._in_another_region()
            return
        if not settings.balances:
            key, given = ("edge", "an edge") if settings.attached else ("targetGroups", "target groups")
            read = f"{given}, and this stack has the load balancer {found.name}"
            fix = "use another stack for these groups, or run `pulumi destroy` on this one first"
            yield Problem(key, read, "nothing in a stack with a load balancer", fix)
        if not settings.balances or settings.replaceable:
            return
        if isinstance(settings.vpc_id, str) and settings.vpc_id != found.vpc_id:
            read = f"{settings.vpc_id}, and the load balancer {found.name} is in {found.vpc_id}"
            back = Change("vpcId", found.vpc_id, after=", or use another stack")
            yield Problem("vpcId", read, f"{found.vpc_id}, {_OPT_IN}", back)
            return
        yield from self._renamed(found)
        if settings.load_balancer.internal != found.internal:
            path, has = "loadBalancer.scheme", INTERNAL if found.internal else "internet-facing"
            read = f"{settings.load_balancer.scheme}, and the load balancer {found.name} is {has}"
            yield Problem(path, read, f"{has}, {_OPT_IN}", Change(path, has))
            return
        wrong = list(self._changed_zones())
        stays = found.zones.keys() - {zone for zone, _ in wrong}
        for _, problem in wrong:
            yield problem if stays else Problem(problem.path, problem.read, problem.allowed, _one_stays())

    def _in_another_region(self) -> Iterator[Problem]:
        """Report zones of another Region than that of the load balancer and of its addresses."""
        zones = self.settings.zones
        region = region_of(self.state_arn) if self.state_arn else ""
        if region and zones and not any(zone.startswith(region) for zone in zones):
            read = f"{min(zones)}, and the load balancer of this stack is in {region}"
            fix = f"use another stack for the other Region, or put aws:region and zones back to {region}"
            yield Problem("zones", read, f"zones of {region}", fix)

    def _renamed(self, found: Balancer) -> Iterator[Problem]:
        """Report another name; an absent name keeps the present one (`keeps_name`)."""
        name = self.settings.load_balancer.name
        if name is not None and name != found.name:
            path = "loadBalancer.name"
            read = f"{name}, and the load balancer is named {found.name}"
            fix = Change(path, found.name, before="remove the key, or ")
            yield Problem(path, read, f"{found.name}, {_OPT_IN}", fix)

    def keeps_name(self, component: str) -> bool:
        """Return whether the engine must keep a name that `loadBalancer.name` had before its removal."""
        if self.found is None or self.settings.replaceable or self.settings.load_balancer.name is not None:
            return False
        return re.fullmatch(rf"{re.escape(component[:24])}-[0-9a-f]{{7}}", self.found.name) is None

    def _changed_zones(self) -> Iterator[tuple[str, Problem]]:
        found = self.found
        if found is None:
            return
        for zone in found.zones:
            place = self.settings.zones.get(zone)
            if place is None:
                read = f"nothing, and the load balancer {self._name} is in that zone"
                allowed = f"the zones of the load balancer and more, {_OPT_IN}"
                yield zone, Problem(child("zones", zone), read, allowed, self._way)
                continue
            for key, wanted, has in differing(zone, place, found, self.owned):
                yield zone, self._moved(zone, key, wanted, has)

    def _moved(self, zone: str, key: str, wanted: str, has: str) -> Problem:
        read = f"{wanted or 'nothing'}, and the load balancer {self._name} has {has} in that zone"
        return Problem(child(child("zones", zone), key), read, f"{has}, {_OPT_IN}", self._way)

    @property
    def _name(self) -> str:
        return self.found.name if self.found else ""

    @property
    def _way(self) -> Ways:
        words = command(self.settings, self.found.arn if self.found else "")
        after = f"then pulumi up --refresh ({_PAGE})"
        return Ways(f"python -m infra.zones --apply, {after}", f"{words} --apply, {after}")

    def subnet_id(self, zone: str, subnet_id: pulumi.Input[str]) -> pulumi.Input[str]:
        """Return the subnet's id; an Output is compared once the value is known."""
        return self._later(zone, "subnetId", subnet_id)

    def allocation_id(self, zone: str, allocation_id: pulumi.Input[str]) -> pulumi.Input[str]:
        """Return the allocation's id; an Output is compared once the value is known."""
        return self._later(zone, "allocationId", allocation_id)

    def _later(self, zone: str, key: str, value: pulumi.Input[str]) -> pulumi.Input[str]:
        there = self.found.zones.get(zone) if self.found else None
        if there is None or isinstance(value, str) or self.settings.replaceable:
            return value
        later: pulumi.Output[str] = pulumi.Output.from_input(value)
        has = there.subnet_id if key == "subnetId" else there.allocation_id

        def check(known: str) -> str:
            if known != has:
                raise SettingsError([self._moved(zone, key, known, has)], component=NAMESPACE)
            return known

        return later.apply(check)

    def arn(self, arn: pulumi.Output[str], reading: pulumi.InvokeOptions) -> pulumi.Output[str]:
        """Return the ARN after a check of added zones: an old state hides an addition from the engine."""
        if self.found is None or self.same or self.settings.replaceable:
            return arn

        def check(known: str) -> str:
            if not pulumi.runtime.is_dry_run() and (absent := self._absent(known, reading)):
                read = f"{', '.join(absent)}, and the load balancer is not in that zone"
                fix = "pulumi up --refresh"
                problem = Problem("zones", read, "zones that `up` added", fix)
                raise SettingsError([problem], component=NAMESPACE)
            return known

        return arn.apply(check)

    def _absent(self, arn: str, reading: pulumi.InvokeOptions) -> list[str]:
        found = lb.get_load_balancer(arn=arn, opts=reading).subnet_mappings or []
        there = {ec2.get_subnet(id=each.subnet_id, opts=reading).availability_zone for each in found}
        return sorted(self.settings.zones.keys() - there)


def differing(
    zone: str, place: Zone, found: Balancer, owned: Mapping[str, Collection[str]]
) -> Iterator[tuple[str, str, str]]:
    """Yield the keys of a zone with another value than AWS: key, wanted value, value in AWS."""
    there = found.zones[zone]
    subnet_id: Any = place.subnet_id
    if isinstance(subnet_id, str) and subnet_id != there.subnet_id:
        yield "subnetId", subnet_id, there.subnet_id
    private = place.private_address or ""
    if found.internal:
        if private != there.private_address:
            yield "privateAddress", private, there.private_address or "an address of AWS's choice"
        return
    allocation_id: Any = place.allocation_id
    if allocation_id is None:
        if there.allocation_id not in owned.get(zone, ()):
            yield "allocationId", "", f"{there.allocation_id} without the stack's tags"
    elif isinstance(allocation_id, str) and allocation_id != there.allocation_id:
        yield "allocationId", allocation_id, there.allocation_id


def command(settings: Settings, arn: str) -> str:
    """Return the command for programs with the component, with all values where they are known."""
    words = ["python -m node_nlb_sync.zones", f"--load-balancer {arn}"]
    for zone, place in settings.zones.items():
        subnet_id = place.subnet_id if isinstance(place.subnet_id, str) else "SUBNET"
        allocation_id = place.allocation_id if isinstance(place.allocation_id, str | None) else "ALLOCATION"
        address = allocation_id or place.private_address
        words.append(f"--zone {zone}={subnet_id}{f',{address}' if address else ''}")
    return " ".join([*words, *(f"--release {zone}" for zone in settings.addresses.release)])


def _one_stays() -> str:
    return "keep one zone of the load balancer as it is, and change it in a later run"
