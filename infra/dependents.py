"""List users of a stack's AWS resources from outside: `pulumi stack export | python -m infra.dependents`.

A deletion blocked by an outside user is silent, and AWS's error does not name the user (docs/adr/0022).
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

_GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
_ADDRESS: Final = "aws:ec2/eip:Eip"
_BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
_RULES: Final = frozenset(
    {
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    }
)
_LINGERS: Final = (
    "AWS removes the interface of a deleted load balancer within minutes: "
    "wait, then run `pulumi destroy` again"
)


@dataclass(frozen=True, slots=True)
class Owned:
    """Parts of a stack's state: ids of security groups, rules and addresses, interface descriptions."""

    region: str
    groups: frozenset[str]
    addresses: frozenset[str]
    rules: frozenset[str]
    interfaces: frozenset[str]
    """Descriptions of the interfaces of the stack's load balancers, which go with them."""

    @classmethod
    def parse(cls, exported: Mapping[str, Any]) -> "Owned":
        """Read the JSON of `pulumi stack export`, without addresses that outlive the stack."""
        made: Sequence[Mapping[str, Any]] = exported["deployment"].get("resources") or ()
        regions = {str(one["outputs"]["region"]) for one in made if "region" in one.get("outputs", {})}

        def ids(*types: str) -> frozenset[str]:
            return frozenset(
                str(one["id"])
                for one in made
                if one["type"] in types and one.get("id") and not one.get("retainOnDelete")
            )

        balancers = [one.get("outputs", {}) for one in made if one["type"] == _BALANCER]
        suffixes = [outputs["arnSuffix"] for outputs in balancers if "arnSuffix" in outputs]
        return cls(
            region=min(regions, default=""),
            groups=ids(_GROUP),
            addresses=ids(_ADDRESS),
            rules=ids(*_RULES),
            interfaces=frozenset(f"ELB {suffix}" for suffix in suffixes),
        )


def lines(owned: Owned, ec2: "EC2Client") -> Iterator[str]:
    """Yield a line for every rule, interface or association that blocks the deletion of a stack resource."""
    if owned.groups:
        yield from _rules(owned, ec2)
        yield from _interfaces(owned, ec2)
    if owned.addresses:
        yield from _associations(owned, ec2)


def _rules(owned: Owned, ec2: "EC2Client") -> Iterator[str]:
    """Yield rules of other groups; AWS has no filter for the group referenced by a rule."""
    for page in ec2.get_paginator("describe_security_group_rules").paginate():
        for rule in page["SecurityGroupRules"]:
            named, holder = rule.get("ReferencedGroupInfo", {}).get("GroupId", ""), rule["GroupId"]
            ident = rule["SecurityGroupRuleId"]
            if named not in owned.groups or holder in owned.groups or ident in owned.rules:
                continue
            verb = "revoke-security-group-egress" if rule["IsEgress"] else "revoke-security-group-ingress"
            yield (
                f"security group {named}: rule {ident} of security group {holder} refers to it; "
                f"run: aws ec2 {verb} --group-id {holder} --security-group-rule-ids {ident}"
            )


def _interfaces(owned: Owned, ec2: "EC2Client") -> Iterator[str]:
    pages = ec2.get_paginator("describe_network_interfaces").paginate(
        Filters=[{"Name": "group-id", "Values": sorted(owned.groups)}]
    )
    for one in (each for page in pages for each in page["NetworkInterfaces"]):
        if one.get("Description") in owned.interfaces:
            continue
        fix = _LINGERS if _of_balancer(one) else "delete the interface, or detach the security group from it"
        for group in sorted({each["GroupId"] for each in one["Groups"]} & owned.groups):
            yield f"security group {group}: network interface {_shown(one)} uses it; {fix}"


def _associations(owned: Owned, ec2: "EC2Client") -> Iterator[str]:
    found = ec2.describe_addresses(Filters=[{"Name": "allocation-id", "Values": sorted(owned.addresses)}])[
        "Addresses"
    ]
    used = {one["NetworkInterfaceId"]: one for one in found if one.get("NetworkInterfaceId")}
    if not used:
        return
    pages = ec2.get_paginator("describe_network_interfaces").paginate(
        Filters=[{"Name": "network-interface-id", "Values": sorted(used)}]
    )
    for interface in (each for page in pages for each in page["NetworkInterfaces"]):
        if interface.get("Description") in owned.interfaces:
            continue
        address = used[interface["NetworkInterfaceId"]]
        run = f"run: aws ec2 disassociate-address --association-id {address['AssociationId']}"
        fix = _LINGERS if _of_balancer(interface) else run
        shown = f"{address['AllocationId']} ({address['PublicIp']})"
        yield f"address {shown}: network interface {_shown(interface)} has it; {fix}"


def _of_balancer(interface: Mapping[str, Any]) -> bool:
    return bool(interface.get("RequesterManaged")) and _description(interface).startswith("ELB ")


def _shown(interface: Mapping[str, Any]) -> str:
    """Return the interface's id, with its instance or description."""
    instance = interface.get("Attachment", {}).get("InstanceId")
    about = f"instance {instance}" if instance else _description(interface)
    return f"{interface['NetworkInterfaceId']} ({about})" if about else str(interface["NetworkInterfaceId"])


def _description(interface: Mapping[str, Any]) -> str:
    return str(interface.get("Description") or "")


def run(exported: TextIO, out: TextIO) -> int:
    """Print the lines; return 0 for none, 1 for some, 2 where the state or AWS cannot be read."""
    import boto3  # noqa: PLC0415 - the program itself needs no boto3
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        owned = Owned.parse(json.load(exported))
    except (ValueError, KeyError, TypeError):
        out.write("state is malformed; run: pulumi stack export | python -m infra.dependents\n")
        return 2
    try:
        found = list(lines(owned, boto3.client("ec2", region_name=owned.region or None)))
    except (BotoCoreError, ClientError) as error:
        out.write(f"AWS cannot be read: {' '.join(str(error).split())}; check the AWS credentials\n")
        return 2
    out.writelines(
        f"{line}\n" for line in found or ["no resource outside the stack uses the stack's resources"]
    )
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(run(sys.stdin, sys.stdout))
