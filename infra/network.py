"""Compare the existing AWS resources with the configuration, before the first resource is registered."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pulumi
from pulumi_aws import ec2

from .balancers import arn_in, find_balancer
from .givengroups import checked_groups
from .guard import Guard
from .identitykeys import Identity
from .identityreads import checked_identity
from .kept import ZONE_TAG, Kept, kept_addresses, owned_addresses, renamed_addresses
from .keys import Settings
from .problems import NAMESPACE, Problem, Problems, SettingsError
from .reads import unreadable
from .shapes import child
from .sharing import checked_attachments
from .stackstate import State, read_state
from .zonekeys import Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """By zone: the subnets and the IPs of given allocations; the stack's own allocations.

    Further fields are the comparison with the load balancer in AWS, the syncer's identity, given target
    groups, and the groups of attachments.

    An Output of the configuration is checked once the value is known; the field is then an Output too, and no
    resource gets the value before the check.
    """

    subnet_ids: Mapping[str, pulumi.Input[str]]
    existing_ips: Mapping[str, pulumi.Input[str]]
    kept: Kept
    guard: Guard
    reading: pulumi.InvokeOptions
    identity: Identity
    target_groups: Mapping[str, pulumi.Input[str]]
    attached: Mapping[str, Mapping[str, pulumi.Input[str]]]
    state: State


def survey(name: str, settings: Settings, mark: str, reading: pulumi.InvokeOptions) -> Network:
    """Read the configured subnets and addresses and the load balancer, with the provider in `reading`.

    `name` is the component's, `mark` its value of STACK_TAG. Raises SettingsError with a line per subnet of
    another zone or VPC, missing allocation, zone with several kept addresses, and change that would replace
    the load balancer.
    """
    problems: list[Problem] = []
    subnets: dict[str, pulumi.Input[str]] = {}
    existing: dict[str, pulumi.Input[str]] = {}
    for zone, place in settings.zones.items():
        subnets[zone] = checked_subnet(zone, place, settings.vpc_id, reading, problems)
        if place.allocation_id is not None:
            existing[zone] = existing_ip(zone, place.allocation_id, reading, problems)
    state = read_state()
    guard, kept = compared(name, settings, mark, reading, problems, state=state)
    identity = checked_identity(settings.identity, reading, problems)
    groups = checked_groups(settings.target_groups, reading, problems)
    attached = checked_attachments(settings, reading, problems)
    if problems:
        raise SettingsError(problems)
    return Network(
        subnet_ids={zone: guard.subnet_id(zone, each) for zone, each in subnets.items()},
        existing_ips=existing,
        kept=kept,
        guard=guard,
        reading=reading,
        identity=identity,
        target_groups=groups,
        attached=attached,
        state=state,
    )


def compared(
    name: str,
    settings: Settings,
    mark: str,
    reading: pulumi.InvokeOptions,
    problems: Problems,
    *,
    state: State,
) -> tuple[Guard, Kept]:
    """Compare the stack's load balancer and addresses in AWS with the configuration."""
    given, before = not settings.balances, len(problems)
    owned = {} if given else owned_addresses(mark, reading, problems)
    former = {} if given else renamed_addresses(name, state, owned, reading, problems)
    for allocation_id, tags in former.items():
        owned.setdefault(tags[ZONE_TAG], []).append(allocation_id)
    allocations = {each for ids in owned.values() for each in ids}
    called = settings.load_balancer.name
    found = find_balancer(
        name, mark, allocations, reading, problems, state=state, called=called, named_only=given
    )
    guard = Guard(settings, found, owned, arn_in(state, name))
    if len(problems) > before:
        return guard, Kept()
    problems.extend(guard.problems())
    used = {zone: place.allocation_id for zone, place in found.zones.items()} if found else {}
    return guard, replace(kept_addresses(settings, owned, used, problems), renamed=former)


def checked_subnet(
    zone: str,
    place: Zone,
    vpc_id: pulumi.Input[str],
    reading: pulumi.InvokeOptions,
    problems: list[Problem],
) -> pulumi.Input[str]:
    """Return the subnet's id; add a problem for a wrong zone or VPC, or raise the problem for an Output."""

    def check(known: Sequence[str]) -> str:
        wrong = list(misplaced(zone, known[0], known[1], reading))
        if wrong:
            raise SettingsError(wrong, component=NAMESPACE)
        return known[0]

    subnet_id = place.subnet_id
    if isinstance(subnet_id, str) and isinstance(vpc_id, str):
        problems.extend(misplaced(zone, subnet_id, vpc_id, reading))
        return subnet_id
    return pulumi.Output.all(subnet_id, vpc_id).apply(check)


def existing_ip(
    zone: str, allocation_id: Any, reading: pulumi.InvokeOptions, problems: list[Problem]
) -> pulumi.Input[str]:
    """Return the public IP of an allocation; add a problem for a missing one, or raise it for an Output."""

    def find(known: str) -> Any:
        wanted = [ec2.GetEipsFilterArgs(name="allocation-id", values=[known])]
        found: Any = ec2.get_eips(filters=wanted, opts=reading).public_ips
        if found is None:  # a preview with an unconfigured provider
            return pulumi.UNKNOWN
        return found[0] if found else None

    def find_later(known: str) -> Any:
        found = find(known)
        if found is None:
            raise SettingsError([no_address(zone, known)], component=NAMESPACE)
        return found

    if not isinstance(allocation_id, str):
        return pulumi.Output.from_input(allocation_id).apply(find_later)
    try:
        found = find(allocation_id)
    except Exception as error:  # noqa: BLE001 (the SDK raises no narrower class for a failed function)
        path = child(child("zones", zone), "allocationId")
        allowed = "an Elastic IP of this region"
        problems.append(unreadable(path, allocation_id, error, allowed=allowed, fix="repeat the command"))
        return ""
    if found is None:
        problems.append(no_address(zone, allocation_id))
    return found or ""


def misplaced(zone: str, subnet_id: str, vpc_id: str, reading: pulumi.InvokeOptions) -> Iterator[Problem]:
    """Report a subnet outside the zone or VPC of its key: the load balancer would be in the wrong place."""
    path = child(child("zones", zone), "subnetId")
    try:
        subnet: Any = ec2.get_subnet(id=subnet_id, opts=reading)
    except Exception as error:  # noqa: BLE001 (the SDK raises no narrower class for a failed function)
        fix = "set an existing subnet, with credentials that may read it"
        yield unreadable(path, subnet_id, error, allowed=f"a subnet of {zone}", fix=fix)
        return
    if subnet.availability_zone is None:  # a preview with an unconfigured provider: `up` checks the subnet
        return
    if subnet.availability_zone != zone:
        read = f"{subnet_id}, a subnet of {subnet.availability_zone}"
        yield Problem(path, read, f"a subnet of {zone}", f"move it to the key {subnet.availability_zone}")
    if subnet.vpc_id != vpc_id:
        read = f"{subnet_id}, a subnet of {subnet.vpc_id}"
        yield Problem(path, read, f"a subnet of vpcId {vpc_id}", "set a subnet of that VPC, or change vpcId")


def no_address(zone: str, allocation_id: str) -> Problem:
    """Return the problem of an allocation that AWS does not have."""
    path = child(child("zones", zone), "allocationId")
    return Problem(
        path, f"{allocation_id}, which does not exist", "an Elastic IP of this region", f"remove {path}"
    )
