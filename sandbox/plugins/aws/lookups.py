"""aws:ec2/getSubnet and getEips, aws:lb/getLbs, getLoadBalancer and getTargetGroup.

After vpc_subnet_data_source.go and ec2_eips_data_source.go of internal/service/ec2, and
load_balancers_data_source.go, load_balancer_data_source.go and target_group_data_source.go of
internal/service/elbv2.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.plugins.aws import identity_lookups, network_lookups, tags
from sandbox.plugins.aws.load_balancer import LoadBalancer
from sandbox.plugins.aws.record import get_zone
from sandbox.plugins.aws.session import Aws, doing, tolerating
from sandbox.plugins.aws.target_group import TargetGroup
from sandbox.plugins.provider import ProviderError
from sandbox.plugins.values import PropertyMap

_SUBNET_FILTERS: Final = {
    "availabilityZone": "availabilityZone",
    "availabilityZoneId": "availabilityZoneId",
    "cidrBlock": "cidrBlock",
    "ipv6CidrBlock": "ipv6-cidr-block-association.ipv6-cidr-block",
    "state": "state",
    "vpcId": "vpc-id",
}


def get_subnet(aws: Aws, args: PropertyMap) -> PropertyMap:
    """Return the only subnet that matches `args`. Raises ProviderError for none or several."""
    filters = [
        {"Name": name, "Values": [args[key]]} for key, name in _SUBNET_FILTERS.items() if args.get(key)
    ]
    if args.get("defaultForAz"):
        filters.append({"Name": "defaultForAz", "Values": ["true"]})
    filters += _filters(args)
    asked: dict[str, Any] = {"SubnetIds": [args["id"]] if args.get("id") else None, "Filters": filters}
    with doing("reading EC2 Subnet"):
        found = aws.ec2.describe_subnets(**{key: value for key, value in asked.items() if value})["Subnets"]
    if not found:
        raise ProviderError("no matching EC2 Subnet found")
    if len(found) > 1:
        raise ProviderError(
            "multiple EC2 Subnets matched; "
            "use additional constraints to reduce matches to a single EC2 Subnet"
        )
    return _subnet(aws, found[0], args)


def get_eips(aws: Aws, args: PropertyMap) -> PropertyMap:
    """Return every Elastic IP that matches `args`; no match is not an error."""
    filters: list[Any] = _filters(args)
    with doing("reading EC2 EIPs"):
        found = aws.ec2.describe_addresses(Filters=filters)["Addresses"]
    return {
        "id": aws.region,
        "region": aws.region,
        "allocationIds": [each["AllocationId"] for each in found if each.get("AllocationId")],
        "publicIps": [each["PublicIp"] for each in found if each.get("PublicIp")],
        "filters": args.get("filters"),
        "tags": args.get("tags"),
    }


def get_lbs(aws: Aws, args: PropertyMap) -> PropertyMap:
    """Return the ARN of every load balancer with all of the tags; tags are read per load balancer."""
    wanted = args.get("tags") or {}
    found = []
    with doing("reading ELBv2 Load Balancers"):
        for page in aws.elbv2.get_paginator("describe_load_balancers").paginate():
            found += [each["LoadBalancerArn"] for each in page["LoadBalancers"]]
    if wanted:
        found = [arn for arn in found if wanted.items() <= _tags_of(aws, arn).items()]
    return {"id": aws.region, "region": aws.region, "arns": sorted(found), "tags": args.get("tags")}


def get_load_balancer(aws: Aws, args: PropertyMap) -> PropertyMap:
    """Return the load balancer with an ARN. Raises ProviderError for a missing one."""
    read = LoadBalancer().read(aws, args["arn"], {}) if args.get("arn") else None
    if read is None:
        raise ProviderError("Search returned 0 results, please revise so only one is returned")
    hidden = ("namePrefix", "tagsAll")
    return {
        **{key: value for key, value in read.items() if key not in hidden},
        "id": args["arn"],
        "region": aws.region,
        "tags": read.get("tagsAll", {}),
    }


def get_target_group(aws: Aws, args: PropertyMap) -> PropertyMap:
    """Return the target group with an ARN or a name. Raises ProviderError for a missing group."""
    arn = args.get("arn")
    if not arn and args.get("name"):
        with tolerating("TargetGroupNotFound"), doing("reading ELBv2 Target Group"):
            found = aws.elbv2.describe_target_groups(Names=[args["name"]])["TargetGroups"]
            arn = found[0]["TargetGroupArn"]
    read = TargetGroup().read(aws, arn, {}) if arn else None
    if read is None:
        raise ProviderError("no matching ELBv2 Target Group found")
    absent = {"loadBalancingAlgorithmType": "", "loadBalancingAnomalyMitigation": "", "targetControlPort": 0}
    hidden = ("ipAddressType", "namePrefix", "tagsAll", "targetGroupHealth", "targetHealthStates")
    return {
        **absent,
        **{key: value for key, value in read.items() if key not in hidden},
        "id": arn,
        "deregistrationDelay": str(read.get("deregistrationDelay", "")),  # a string only in the data source
        "region": aws.region,
        "tags": read.get("tagsAll", {}),
    }


LOOKUPS: Final[Mapping[str, Callable[[Aws, PropertyMap], PropertyMap]]] = {
    "aws:ec2/getSubnet:getSubnet": get_subnet,
    "aws:ec2/getEips:getEips": get_eips,
    "aws:lb/getLbs:getLbs": get_lbs,
    "aws:lb/getLoadBalancer:getLoadBalancer": get_load_balancer,
    "aws:lb/getTargetGroup:getTargetGroup": get_target_group,
    "aws:ec2/getSecurityGroup:getSecurityGroup": network_lookups.get_security_group,
    "aws:ec2/getSecurityGroups:getSecurityGroups": network_lookups.get_security_groups,
    "aws:ec2/getElasticIp:getElasticIp": network_lookups.get_elastic_ip,
    "aws:ec2/getManagedPrefixList:getManagedPrefixList": network_lookups.get_managed_prefix_list,
    "aws:ec2/getNetworkInterface:getNetworkInterface": network_lookups.get_network_interface,
    "aws:ec2/getNetworkInterfaces:getNetworkInterfaces": network_lookups.get_network_interfaces,
    "aws:vpc/getSecurityGroupRule:getSecurityGroupRule": network_lookups.get_security_group_rule,
    "aws:vpc/getSecurityGroupRules:getSecurityGroupRules": network_lookups.get_security_group_rules,
    "aws:servicequotas/getServiceQuota:getServiceQuota": network_lookups.get_service_quota,
    "aws:route53/getZone:getZone": get_zone,
    "aws:eks/getCluster:getCluster": identity_lookups.get_cluster,
    "aws:iam/getRole:getRole": identity_lookups.get_role,
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": identity_lookups.get_oidc_provider,
}


def _tags_of(aws: Aws, arn: str) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in tags.of_elbv2(aws, arn)}


def _filters(args: PropertyMap) -> list[Any]:
    tagged = [{"Name": f"tag:{key}", "Values": [value]} for key, value in (args.get("tags") or {}).items()]
    return tagged + [{"Name": each["name"], "Values": each["values"]} for each in args.get("filters") or ()]


def _subnet(aws: Aws, found: Mapping[str, Any], args: PropertyMap) -> PropertyMap:
    associations = found.get("Ipv6CidrBlockAssociationSet") or [{}]
    owner, ident = found.get("OwnerId", aws.account), found["SubnetId"]
    naming = found.get("PrivateDnsNameOptionsOnLaunch") or {}
    return {
        "id": ident,
        "arn": found.get("SubnetArn") or f"arn:{aws.partition}:ec2:{aws.region}:{owner}:subnet/{ident}",
        "assignIpv6AddressOnCreation": found.get("AssignIpv6AddressOnCreation", False),
        "availabilityZone": found["AvailabilityZone"],
        "availabilityZoneId": found.get("AvailabilityZoneId", ""),
        "availableIpAddressCount": found.get("AvailableIpAddressCount", 0),
        "cidrBlock": found.get("CidrBlock", ""),
        "customerOwnedIpv4Pool": found.get("CustomerOwnedIpv4Pool", ""),
        "defaultForAz": found.get("DefaultForAz", False),
        "enableDns64": found.get("EnableDns64", False),
        "enableLniAtDeviceIndex": found.get("EnableLniAtDeviceIndex", 0),
        "enableResourceNameDnsARecordOnLaunch": naming.get("EnableResourceNameDnsARecord", False),
        "enableResourceNameDnsAaaaRecordOnLaunch": naming.get("EnableResourceNameDnsAAAARecord", False),
        "filters": args.get("filters"),
        "ipv6CidrBlock": associations[0].get("Ipv6CidrBlock", ""),
        "ipv6CidrBlockAssociationId": associations[0].get("AssociationId", ""),
        "ipv6Native": found.get("Ipv6Native", False),
        "mapCustomerOwnedIpOnLaunch": found.get("MapCustomerOwnedIpOnLaunch", False),
        "mapPublicIpOnLaunch": found.get("MapPublicIpOnLaunch", False),
        "outpostArn": found.get("OutpostArn", ""),
        "ownerId": owner,
        "privateDnsHostnameTypeOnLaunch": naming.get("HostnameType", ""),
        "region": aws.region,
        "state": found.get("State", ""),
        "tags": {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])},
        "vpcId": found["VpcId"],
    }
