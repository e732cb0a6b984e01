"""What exists in AWS before the first resource is registered, held against the configuration."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pulumi_aws import ec2

from infra.options import Settings, Zone
from infra.settings import SettingsError
from infra.shapes import Problem, child

# By these two tags a kept address is found again; the value of the first is one stack in one VPC.
STACK_TAG: Final = "node-nlb-sync:stack"
ZONE_TAG: Final = "node-nlb-sync:zone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """By zone: the IPs of given allocations, and the allocations that an earlier stack left behind."""

    existing_ips: Mapping[str, str]
    kept_allocations: Mapping[str, str]


def survey(settings: Settings, stack_mark: str) -> Network:
    """Read the subnets and addresses that the configuration names.

    `stack_mark` is this stack's value of STACK_TAG. Raises SettingsError, one line for each subnet of another
    zone or VPC, each allocation that does not exist, and each zone with several kept addresses.
    """
    problems: list[Problem] = []
    existing: dict[str, str] = {}
    kept: dict[str, str] = {}
    for zone, place in settings.zones.items():
        problems.extend(misplaced(zone, place, settings.vpc_id))
        if place.allocation_id is not None:
            found = ec2.get_eips(
                filters=[ec2.GetEipsFilterArgs(name="allocation-id", values=[place.allocation_id])]
            ).public_ips
            if not found:
                problems.append(no_address(zone, place.allocation_id))
            existing[zone] = "".join(found[:1])
        elif settings.addresses.keep:
            ids = ec2.get_eips(tags={STACK_TAG: stack_mark, ZONE_TAG: zone}).allocation_ids
            if len(ids) > 1:
                problems.append(several_kept(zone, ids))
            elif ids:
                kept[zone] = ids[0]
    if problems:
        raise SettingsError(problems)
    return Network(existing_ips=existing, kept_allocations=kept)


def misplaced(zone: str, place: Zone, vpc_id: str) -> Iterator[Problem]:
    """A subnet that is not where its key says: the load balancer would stand somewhere else."""
    path = child(child("zones", zone), "subnetId")
    try:
        subnet = ec2.get_subnet(id=place.subnet_id)
    except Exception as error:  # noqa: BLE001 (the SDK raises no narrower class for a failed function)
        read = f"{place.subnet_id}, and AWS says: {last_words(error)}"
        yield Problem(
            path, read, f"a subnet of {zone}", "give one that exists, with credentials that may read it"
        )
        return
    if subnet.availability_zone != zone:
        read = f"{place.subnet_id}, a subnet of {subnet.availability_zone}"
        yield Problem(path, read, f"a subnet of {zone}", f"move it to the key {subnet.availability_zone}")
    if subnet.vpc_id != vpc_id:
        read = f"{place.subnet_id}, a subnet of {subnet.vpc_id}"
        yield Problem(path, read, f"a subnet of vpcId {vpc_id}", "give a subnet of that VPC, or change vpcId")


def last_words(error: Exception) -> str:
    """What AWS itself said, on one line: the provider and the engine wrap it in what they were doing."""
    text = " ".join(str(error).split())
    return text.rpartition("api error ")[2].rpartition("returned an error: ")[2]


def no_address(zone: str, allocation_id: str) -> Problem:
    """An allocation that AWS does not know."""
    path = child(child("zones", zone), "allocationId")
    return Problem(
        path, f"{allocation_id}, which does not exist", "an Elastic IP of this region", f"remove {path}"
    )


def several_kept(zone: str, ids: Sequence[str]) -> Problem:
    """Two addresses with the same tags: only a person knows which one the clients use."""
    path = child(child("zones", zone), "allocationId")
    read = f"nothing, and {len(ids)} kept addresses ({', '.join(sorted(ids))})"
    return Problem(
        path, read, "one kept address for each zone", f"pulumi config set --path '{path}' <the one in use>"
    )
