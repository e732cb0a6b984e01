"""The steps that change the zones of a load balancer in place: zones removed, addresses released."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from .kept import STACK_TAG, ZONE_TAG

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client

WITHIN_S: Final = 600.0  # AWS: up to 3 minutes for the removal of a zone
_EVERY_S: Final = 2.0
_SHOWN_S: Final = 10.0


class ZonesError(Exception):
    """An error for the user, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The wanted zones of the load balancer `arn`: subnet, and given allocation or private address.

    None stands for an Elastic IP of the stack, or for a private address that AWS chooses.

    `mark` is the value of STACK_TAG on the stack's addresses.
    """

    arn: str
    zones: Mapping[str, tuple[str, str | None]]
    release: Sequence[str]
    mark: str

    @property
    def region(self) -> str:
        """Return the load balancer's region. Raises ZonesError for a malformed ARN."""
        parts = self.arn.split(":")
        if len(parts) < 6 or not parts[5].startswith("loadbalancer/net/"):  # noqa: PLR2004 (parts of an ARN)
            raise ZonesError(f"load balancer ARN is malformed: {self.arn}; allowed: that of an NLB")
        return parts[3]

    def marked(self, mark: str) -> "Wanted":
        """Return the wanted zones with the mark of the load balancer's tag, where it has one."""
        return replace(self, mark=mark or self.mark)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The removal of a zone, or with `release` the release of the zone's address."""

    text: str
    zone: str
    subnet_id: str = ""
    release: str = ""


@dataclass(frozen=True, slots=True)
class Aws:
    """Reads and changes of one load balancer and its addresses."""

    elb: "ElasticLoadBalancingv2Client"
    ec2: "EC2Client"

    def tag(self, arn: str, key: str) -> str:
        """Return the value of a load balancer's tag, or ""."""
        found = self.elb.describe_tags(ResourceArns=[arn])["TagDescriptions"]
        return next((tag.get("Value", "") for each in found for tag in each["Tags"] if tag["Key"] == key), "")

    def mappings(self, arn: str) -> dict[str, dict[str, str]]:
        """Return the zones of the load balancer as subnet mappings of SetSubnets."""
        (balancer,) = self.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
        return {each["ZoneName"]: _mapping(each) for each in balancer["AvailabilityZones"]}

    def addresses(self, filters: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        """Return the Elastic IPs that match."""
        wanted: Any = [{"Name": name, "Values": [value]} for name, value in filters.items()]
        return self.ec2.describe_addresses(Filters=wanted)["Addresses"]

    def owned(self, mark: str, zone: str) -> Sequence[Mapping[str, Any]]:
        """Return the stack's created addresses of a zone."""
        return self.addresses({f"tag:{STACK_TAG}": mark, f"tag:{ZONE_TAG}": zone})

    def interfaces(self, arn: str, subnet_id: str) -> list[str]:
        """Return the load balancer's network interfaces in a subnet."""
        description = f"ELB {arn.partition(':loadbalancer/')[2]}"
        filters: Any = [
            {"Name": "description", "Values": [description]},
            {"Name": "subnet-id", "Values": [subnet_id]},
        ]
        found = self.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
        return [each["NetworkInterfaceId"] for each in found]


def _mapping(zone: Mapping[str, Any]) -> dict[str, str]:
    """Return a zone with all its addresses: a mapping without them could lose them."""
    # A dual-stack load balancer has a second entry, for IPv6.
    every = zone.get("LoadBalancerAddresses") or []
    kept = ("AllocationId", "PrivateIPv4Address", "IPv6Address")
    addresses = {key: each[key] for each in every for key in kept if each.get(key)}
    return {"SubnetId": zone["SubnetId"], **addresses}


def plan(wanted: Wanted, aws: Aws) -> list[Step]:
    """Return the steps from AWS's present state. Raises ZonesError where no zone would stay."""
    found = aws.mappings(wanted.arn)
    steps: list[Step] = []
    for zone, mapping in sorted(found.items()):
        if why := _difference(zone, mapping, wanted, aws):
            place = f"{zone} ({mapping['SubnetId']}, {_shown(mapping.get('AllocationId', ''), aws)})"
            text = f"remove {place} from the load balancer: {why}; connections through it end"
            steps.append(Step(text=text, zone=zone, subnet_id=mapping["SubnetId"]))
    if found and len(steps) == len(found):
        raise ZonesError(
            f"every zone of the load balancer would be removed: {', '.join(sorted(found))}; "
            "keep one zone as it is, and change it in a later run"
        )
    for zone in wanted.release:
        if zone in wanted.zones and wanted.zones[zone][1] is None:
            raise ZonesError(f"zone to release is in use: {zone}; remove it from addresses.release")
        for address in aws.owned(wanted.mark, zone) if wanted.mark else ():
            ident = address["AllocationId"]
            text = f"release {ident} ({address['PublicIp']}), the address of {zone}: it is lost for good"
            steps.append(Step(text=text, zone=zone, release=ident))
    return steps


def _difference(zone: str, mapping: Mapping[str, str], wanted: Wanted, aws: Aws) -> str:
    """Return why a zone must be removed, or ""."""
    if zone not in wanted.zones:
        return "not in zones"
    subnet, address = wanted.zones[zone]
    if subnet != mapping["SubnetId"]:
        return f"the subnet is to be {subnet}"
    allocation_id = mapping.get("AllocationId", "")
    private = mapping.get("PrivateIPv4Address", "")
    if not allocation_id:  # an internal load balancer
        return "" if private == (address or "") else f"the address is to be {address or 'chosen by AWS'}"
    if address is None:
        owned = {each["AllocationId"] for each in aws.owned(wanted.mark, zone)} if wanted.mark else {""}
        known = allocation_id in owned or owned == {""}
        return "" if known else "its address is to be a created one, and has none of the stack's tags"
    return "" if address == allocation_id else f"the address is to be {address}"


def _shown(allocation_id: str, aws: Aws) -> str:
    found = aws.addresses({"allocation-id": allocation_id}) if allocation_id else ()
    return ", ".join([allocation_id or "no Elastic IP", *(each["PublicIp"] for each in found)])


def apply(step: Step, wanted: Wanted, aws: Aws) -> Iterator[str]:
    """Do a step, and yield a line every 10 s until AWS has completed the step.

    Reads AWS first: a step that an earlier run began is not repeated. Raises ZonesError after 10 minutes.
    """
    if step.release:
        aws.ec2.release_address(AllocationId=step.release)
        return
    left = aws.mappings(wanted.arn)
    if step.zone in left:
        rest: Any = [mapping for zone, mapping in sorted(left.items()) if zone != step.zone]
        if not rest:
            raise ZonesError(f"{step.zone} is the last zone of the load balancer; it is not removed")
        aws.elb.set_subnets(LoadBalancerArn=wanted.arn, SubnetMappings=rest)
    began = shown = time.monotonic()
    while waiting := _remaining(step, wanted, aws):
        now = time.monotonic()
        if now - began > WITHIN_S:
            raise ZonesError(f"{step.zone}: AWS still has {waiting}; run the command again to continue")
        if now - shown >= _SHOWN_S:
            shown = now
            yield f"AWS removes {waiting}"
        time.sleep(_EVERY_S)


def _remaining(step: Step, wanted: Wanted, aws: Aws) -> str:
    """Return what AWS still has of the zone: its address is in use until the interface is gone."""
    if step.zone in aws.mappings(wanted.arn):
        return f"zone {step.zone}"
    return ", ".join(aws.interfaces(wanted.arn, step.subnet_id))
