"""Answers to the reads of infra/preflight.py, from a few facts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError

Args = dict[str, Any]


@dataclass(slots=True)
class Known:
    """What AWS has, by id: VPCs and tags of groups, rules, Elastic IPs, and free addresses of subnets.

    `ipv6` are the IPv6 blocks of subnets, and the prefix lists of IPv6. `holders` are instance and
    interface description of an address, `interfaces` subnet and description.
    """

    vpc_id: str = ""
    existing: dict[str, str] = field(default_factory=dict)
    kept: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    groups: dict[str, str] = field(default_factory=dict)
    group_tags: dict[str, dict[str, str]] = field(default_factory=dict)
    rules: list[dict[str, Any]] = field(default_factory=list)
    quota: int = 60
    address_quota: int = 5
    prefix_lists: dict[str, int] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    holders: dict[str, tuple[str, str]] = field(default_factory=dict)
    free: dict[str, int] = field(default_factory=dict)
    interfaces: list[tuple[str, str]] = field(default_factory=list)
    ipv6: dict[str, str] = field(default_factory=dict)
    certificates: dict[str, str] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    hosted_zones: dict[str, str] = field(default_factory=dict)
    state: dict[str, Any] | None = None  # of the stack: type and outputs by URN
    state_reads: list[str] = field(default_factory=list)
    unreachable: bool = False
    unconfigured: bool = False  # a preview whose provider has no value yet: reads have no values


def security_group(cloud: Known, args: Args) -> Any:
    home = cloud.groups.get(args["id"], cloud.vpc_id)
    if not home:
        return {}, [("id", "no matching EC2 Security Group found")]
    return {"id": args["id"], "vpcId": home}


def security_groups(cloud: Known, args: Args) -> Any:
    if cloud.unconfigured:
        return {}
    ids = [ident for ident, tags in cloud.group_tags.items() if args["tags"].items() <= tags.items()]
    return {"ids": ids, "vpcIds": [cloud.groups.get(ident, cloud.vpc_id) for ident in ids]}


def security_group_rules(cloud: Known, args: Args) -> Any:
    (group,) = args["filters"][0]["values"]
    own = [index for index, rule in enumerate(cloud.rules) if rule.get("group", group) == group]
    return {"ids": [f"sgr-{index}" for index in own]}


def security_group_rule(cloud: Known, args: Args) -> Any:
    rule = cloud.rules[int(args["securityGroupRuleId"].removeprefix("sgr-"))]
    return {"isEgress": False, "description": "", **rule}


def service_quota(cloud: Known, args: Args) -> Any:
    wanted = {("vpc", "L-0EA8095F"): cloud.quota, ("ec2", "L-0263D0A3"): cloud.address_quota}
    return {"value": float(wanted[args["serviceCode"], args["quotaCode"]])}


def managed_prefix_list(cloud: Known, args: Args) -> Any:
    if args["id"] not in cloud.prefix_lists:
        return {}, [("id", "no matching EC2 Managed Prefix List found")]
    family = "IPv6" if args["id"] in cloud.ipv6 else "IPv4"
    return {"id": args["id"], "maxEntries": cloud.prefix_lists[args["id"]], "addressFamily": family}


def elastic_ip(cloud: Known, args: Args) -> Any:
    ident = args["id"]
    kept = dict(cloud.kept)
    if ident not in cloud.existing and ident not in kept:
        return {}, [("id", "no matching EC2 EIP found")]
    instance, interface = cloud.holders.get(ident, ("", ""))
    tags = {**kept.get(ident, {}), **cloud.tags.get(ident, {})}
    found = {"publicIp": cloud.existing.get(ident, "192.0.2.1"), "tags": tags}
    return {"id": ident, "instanceId": instance, "networkInterfaceId": interface and "eni-1", **found}


def hosted_zone(cloud: Known, args: Args) -> Any:
    if args["zoneId"] not in cloud.hosted_zones:
        return {}, [("zoneId", "reading Route 53 Hosted Zone: api error NoSuchHostedZone: No hosted zone")]
    return {"zoneId": args["zoneId"], "name": cloud.hosted_zones[args["zoneId"]]}


def network_interface(cloud: Known, args: Args) -> Any:
    about = next(about for _, about in cloud.holders.values() if about)
    return {"id": args["id"], "description": about}


def network_interfaces(cloud: Known, args: Args) -> Any:
    wanted = {each["name"]: each["values"] for each in args["filters"]}
    (subnet,), patterns = wanted["subnet-id"], wanted["description"]
    found = [
        s for s, text in cloud.interfaces if s == subnet and any(fnmatch(text, each) for each in patterns)
    ]
    return {"ids": [f"eni-{one}" for one in found]}


def state(cloud: Known, args: Args) -> Any:
    cloud.state_reads.append(args["stackName"])
    if cloud.state is None:
        return {}, [("stackName", "failed to load checkpoint: EOF")]
    return {"name": args["stackName"], "outputs": cloud.state}


READS: dict[str, tuple[str, Callable[[Known, Args], Any]]] = {
    "getSecurityGroup": ("ec2:DescribeSecurityGroups", security_group),
    "readStackResourceOutputs": ("", state),
    "getSecurityGroups": ("ec2:DescribeSecurityGroups", security_groups),
    "getSecurityGroupRules": ("ec2:DescribeSecurityGroupRules", security_group_rules),
    "getSecurityGroupRule": ("ec2:DescribeSecurityGroupRules", security_group_rule),
    "getServiceQuota": ("servicequotas:GetServiceQuota", service_quota),
    "getManagedPrefixList": ("ec2:DescribeManagedPrefixLists", managed_prefix_list),
    "getElasticIp": ("ec2:DescribeAddresses", elastic_ip),
    "getZone": ("route53:GetHostedZone", hosted_zone),
    "getNetworkInterface": ("ec2:DescribeNetworkInterfaces", network_interface),
    "getNetworkInterfaces": ("ec2:DescribeNetworkInterfaces", network_interfaces),
}


@dataclass(frozen=True, slots=True)
class Acm:
    """ACM as boto3 has it: certificates are issued, except the known ones; a status "" is a missing one."""

    cloud: Known

    def describe_certificate(self, *, CertificateArn: str) -> Args:  # noqa: N803 (boto3's name)
        status = self.cloud.certificates.get(CertificateArn, "ISSUED")
        code = "" if status else "ResourceNotFoundException"
        if "acm:DescribeCertificate" in self.cloud.denied:
            code = "AccessDeniedException"
        if self.cloud.unreachable:
            raise EndpointConnectionError(endpoint_url="https://acm.eu-central-1.amazonaws.com")
        if code:
            text = "not authorized to perform: acm:DescribeCertificate" if code[0] == "A" else "not found"
            raise ClientError({"Error": {"Code": code, "Message": text}}, "DescribeCertificate")
        return {"Certificate": {"Status": status}}


def answer(cloud: Known, token: str, args: Args) -> Any:
    """The answer to a read; None for a read of infra/network.py."""
    action, read = READS.get(token.rpartition(":")[2], ("", None))
    if action in cloud.denied:
        return {}, [("id", f"api error UnauthorizedOperation: not authorized to perform: {action}")]
    return None if read is None else read(cloud, args)
