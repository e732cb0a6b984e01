"""The stack's Elastic IPs in AWS: found by tags, kept for the zones of today and of former edits."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pulumi
from pulumi_aws import ec2

from .keys import Settings
from .problems import Change, Problem, Problems, Ways
from .reads import unreadable
from .shapes import child
from .stackstate import State
from .zonekeys import Zone

# Tags of a created address; an address is found again by both tags.
STACK_TAG: Final = "node-nlb-sync:stack"
ZONE_TAG: Final = "node-nlb-sync:zone"
PART: Final = "node-nlb-sync:addresses:StaticAddresses"  # the type of infra/addresses.py
_EIP: Final = "aws:ec2/eip:Eip"
APPLY: Final = Ways(
    "python -m infra.zones --apply (docs/zones.md)",
    "the command of docs/zones.md, which releases it",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Allocations by zone: `adopted` by the zones of the configuration, `retained` for no zone of it.

    `renamed` are the tags of allocations of the state that lack the stack's tag, by allocation.
    """

    adopted: Mapping[str, str] = field(default_factory=dict)
    retained: Mapping[str, str] = field(default_factory=dict)
    renamed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def owned_addresses(mark: str, reading: pulumi.InvokeOptions, problems: Problems) -> dict[str, list[str]]:
    """Return the allocations with `mark` in STACK_TAG by zone; add a problem for a failed read.

    Empty in a preview with an unconfigured provider.
    """
    found: dict[str, list[str]] = defaultdict(list)
    try:
        for allocation_id in ec2.get_eips(tags={STACK_TAG: mark}, opts=reading).allocation_ids or []:
            zone = (ec2.get_elastic_ip(id=allocation_id, opts=reading).tags or {}).get(ZONE_TAG)
            if zone:
                found[zone].append(allocation_id)
    except Exception as error:  # noqa: BLE001 (the SDK raises no narrower class for a failed function)
        allowed = "addresses that can be read"
        read = "those of the stack's tag"
        problems.append(unreadable("addresses", read, error, allowed=allowed, fix="run it again"))
    return {zone: sorted(ids) for zone, ids in found.items()}


def renamed_addresses(
    name: str,
    state: State,
    owned: Mapping[str, Sequence[str]],
    reading: pulumi.InvokeOptions,
    problems: Problems,
) -> dict[str, Mapping[str, str]]:
    """Return the tags of the allocations in the state of the component `name` that are not among `owned`.

    After `pulumi stack rename` the tags have the former name until an `up`, and other tools remove tags. The
    zone is that of the state. An allocation of the state that AWS lacks was released, and is left out.
    """
    known = {each for ids in owned.values() for each in ids}
    zones = {
        str(outputs.get("allocationId")): zone
        for (type_, each), outputs in state.beneath(PART).items()
        for zone in [str((outputs.get("tags") or {}).get(ZONE_TAG))]
        if type_ == _EIP and each == f"{name}-{zone}"
    }
    if not zones.keys() - known:
        return {}
    wanted = [ec2.GetEipsFilterArgs(name="allocation-id", values=sorted(zones.keys() - known))]
    try:
        return {
            each: {**(ec2.get_elastic_ip(id=each, opts=reading).tags or {}), ZONE_TAG: zones[each]}
            for each in ec2.get_eips(filters=wanted, opts=reading).allocation_ids or []
        }
    except Exception as error:  # noqa: BLE001 (the SDK raises no narrower class for a failed function)
        allowed = "addresses that can be read"
        read = "those of the stack's state"
        problems.append(unreadable("addresses", read, error, allowed=allowed, fix="run it again"))
        return {}


def kept_addresses(
    settings: Settings, owned: Mapping[str, Sequence[str]], used: Mapping[str, str], problems: Problems
) -> Kept:
    """Divide the stack's addresses; `used` is the load balancer's allocation of each zone.

    Adds a problem for a zone with several addresses of which none is in use, and for an address that
    `addresses.release` names and that AWS still has.
    """
    adopted: dict[str, str] = {}
    retained: dict[str, str] = {}
    for zone, every in owned.items():
        place = settings.zones.get(zone)
        created = place is not None and creates(settings, place)
        ids = [used[zone]] if len(every) > 1 and used.get(zone) in every else every
        if not created and zone in settings.addresses.release:
            problems.append(unreleased(settings.addresses.release.index(zone), zone, ids))
        elif created and not settings.addresses.keep:
            continue  # in the stack's state, or replaced by a new address
        elif place is not None and len(ids) > 1 and place.allocation_id in ids:
            continue  # the user's choice among the addresses; the others stay in AWS
        elif len(ids) > 1:
            problems.append(several_kept(zone, ids) if created else several_retained(zone, ids))
        else:
            (adopted if created else retained)[zone] = ids[0]
    return Kept(adopted=adopted, retained=retained)


def creates(settings: Settings, place: Zone) -> bool:
    """Return whether the stack has an address of its own for a zone of the configuration."""
    return place.allocation_id is None and not settings.load_balancer.internal


def unreleased(index: int, zone: str, ids: Sequence[str]) -> Problem:
    """Return the problem of an address to be released, which `up` never does."""
    read = f"{zone}, and AWS has its address {', '.join(ids)}"
    return Problem(f"addresses.release[{index}]", read, "a zone whose address is released", APPLY)


def released_zones(settings: Settings) -> Iterator[Problem]:
    """Report zones in `addresses.release` whose created address is in use by the configuration."""
    for index, zone in enumerate(settings.addresses.release):
        place = settings.zones.get(zone)
        if place is not None and creates(settings, place):
            path = f"addresses.release[{index}]"
            allowed = "a zone that is not in zones, or one with an allocationId"
            yield Problem(path, f"{zone}, a zone of zones", allowed, f"remove {path}")


def several_kept(zone: str, ids: Sequence[str]) -> Problem:
    """Return the problem of two addresses with the same tags: only the user knows the address in use."""
    path = child(child("zones", zone), "allocationId")
    read = f"nothing, and {len(ids)} kept addresses ({', '.join(ids)})"
    return Problem(path, read, "one kept address for each zone", Change(path, "<the one in use>"))


def several_retained(zone: str, ids: Sequence[str]) -> Problem:
    """Return the problem of several addresses of a removed zone, of which the state has at most one."""
    read = f"{len(ids)} addresses of the removed zone {zone} ({', '.join(ids)})"
    fix = f"aws ec2 delete-tags --resources <one of them> --tags Key={ZONE_TAG}"
    return Problem("addresses", read, "one address for each zone", fix)
