"""aws:ec2/getSecurityGroup(s), getElasticIp, getNetworkInterface(s) and aws:vpc/getSecurityGroupRule(s).

After vpc_security_group(s)_data_source.go, ec2_eip_data_source.go, vpc_network_interface_data_source.go,
vpc_network_interfaces_data_source.go, vpc_security_group_rule_data_source.go and
vpc_security_group_rules_data_source.go of internal/service/ec2.
"""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.plugins.aws.eip import reverse_name
from sandbox.plugins.aws.session import Aws, AwsError, doing
from sandbox.plugins.provider import ProviderError
from sandbox.plugins.values import PropertyMap

_GONE: Final = frozenset(
    {
        "InvalidGroup.NotFound",
        "InvalidSecurityGroupID.NotFound",
        "InvalidAllocationID.NotFound",
        "InvalidNetworkInterfaceID.NotFound",
        "InvalidSecurityGroupRuleId.NotFound",
    }
)


def get_security_group(aws: Aws, args: PropertyMap) -> PropertyMap:
    """DescribeSecurityGroups. Raises ProviderError for none or several."""
    asked = _asked(args, "GroupIds", {"name": "group-name", "vpcId": "vpc-id"})
    found = _one("EC2 Security Group", lambda: aws.ec2.describe_security_groups(**asked)["SecurityGroups"])
    return {
        "id": found["GroupId"],
        "arn": aws.arn("ec2", f"security-group/{found['GroupId']}"),
        "description": found["Description"],
        "filters": args.get("filters"),
        "name": found["GroupName"],
        "region": aws.region,
        "tags": _tags(found.get("Tags")),
        "vpcId": found.get("VpcId", ""),
    }


def get_security_groups(aws: Aws, args: PropertyMap) -> PropertyMap:
    """Return the ids and VPCs of every security group that matches; no match is not an error."""
    with doing("reading EC2 Security Groups"):
        pages = aws.ec2.get_paginator("describe_security_groups").paginate(Filters=_filters(args))
        found = [group for page in pages for group in page["SecurityGroups"]]
    return {
        **_listed(aws, args),
        "arns": [aws.arn("ec2", f"security-group/{each['GroupId']}") for each in found],
        "ids": [each["GroupId"] for each in found],
        "vpcIds": [each.get("VpcId", "") for each in found],
    }


def get_elastic_ip(aws: Aws, args: PropertyMap) -> PropertyMap:
    """DescribeAddresses and DescribeAddressesAttribute. Raises ProviderError for none or several."""
    asked = _asked(args, "AllocationIds", {})
    if args.get("publicIp"):
        asked["PublicIps"] = [args["publicIp"]]
    found = _one("EC2 EIP", lambda: aws.ec2.describe_addresses(**asked)["Addresses"])
    ident = found["AllocationId"]
    names = {
        "associationId": "AssociationId",
        "carrierIp": "CarrierIp",
        "customerOwnedIp": "CustomerOwnedIp",
        "customerOwnedIpv4Pool": "CustomerOwnedIpv4Pool",
        "domain": "Domain",
        "instanceId": "InstanceId",
        "networkInterfaceId": "NetworkInterfaceId",
        "networkInterfaceOwnerId": "NetworkInterfaceOwnerId",
        "privateIp": "PrivateIpAddress",
        "publicIp": "PublicIp",
        "publicIpv4Pool": "PublicIpv4Pool",
    }
    return {
        **{key: found.get(name) or "" for key, name in names.items()},
        "id": ident,
        "arn": aws.arn("ec2", f"elastic-ip/{ident}"),
        "filters": args.get("filters"),
        "ptrRecord": reverse_name(aws, ident),
        "region": aws.region,
        "tags": _tags(found.get("Tags")),
    }


def get_network_interface(aws: Aws, args: PropertyMap) -> PropertyMap:
    """DescribeNetworkInterfaces. Raises ProviderError for none or several."""
    asked = _asked(args, "NetworkInterfaceIds", {})
    found = _one(
        "EC2 Network Interface",
        lambda: aws.ec2.describe_network_interfaces(**asked)["NetworkInterfaces"],
    )
    ident, held = found["NetworkInterfaceId"], found.get("Attachment")
    keys = {"attachmentId": "AttachmentId", "deviceIndex": "DeviceIndex", "instanceId": "InstanceId"}
    attachment = {key: held[name] for key, name in keys.items() if name in held} if held else {}
    return {
        "id": ident,
        "arn": aws.arn("ec2", f"network-interface/{ident}"),
        "attachments": [{**attachment, "instanceOwnerId": held.get("InstanceOwnerId", "")}] if held else [],
        "availabilityZone": found.get("AvailabilityZone", ""),
        "description": found.get("Description", ""),
        "filters": args.get("filters"),
        "interfaceType": found.get("InterfaceType", ""),
        "macAddress": found.get("MacAddress", ""),
        "ownerId": found.get("OwnerId", ""),
        "privateIp": found.get("PrivateIpAddress", ""),
        "region": aws.region,
        "requesterId": found.get("RequesterId", ""),
        "securityGroups": [each["GroupId"] for each in found.get("Groups", [])],
        "subnetId": found.get("SubnetId", ""),
        "tags": _tags(found.get("TagSet")),
        "vpcId": found.get("VpcId", ""),
    }


def get_network_interfaces(aws: Aws, args: PropertyMap) -> PropertyMap:
    """Return the ids of every interface that matches; no match is not an error."""
    with doing("reading EC2 Network Interfaces"):
        pages = aws.ec2.get_paginator("describe_network_interfaces").paginate(Filters=_filters(args))
        ids = [each["NetworkInterfaceId"] for page in pages for each in page["NetworkInterfaces"]]
    return {**_listed(aws, args), "ids": ids}


def get_managed_prefix_list(aws: Aws, args: PropertyMap) -> PropertyMap:
    """Return a prefix list with its entries. Raises ProviderError for none or several."""
    asked = _asked(args, "PrefixListIds", {"name": "prefix-list-name"})
    found = _one(
        "EC2 Managed Prefix List",
        lambda: aws.ec2.describe_managed_prefix_lists(**asked)["PrefixLists"],
    )
    ident = found["PrefixListId"]
    with doing(f"reading EC2 Managed Prefix List ({ident}) Entries"):
        entries = aws.ec2.get_managed_prefix_list_entries(PrefixListId=ident)["Entries"]
    return {
        "id": ident,
        "addressFamily": found.get("AddressFamily", ""),
        "arn": found.get("PrefixListArn", ""),
        "entries": [{"cidr": each["Cidr"], "description": each.get("Description", "")} for each in entries],
        "filters": args.get("filters"),
        "maxEntries": found.get("MaxEntries", 0),
        "name": found.get("PrefixListName", ""),
        "ownerId": found.get("OwnerId", ""),
        "region": aws.region,
        "tags": _tags(found.get("Tags")),
        "version": found.get("Version", 0),
    }


def get_security_group_rules(aws: Aws, args: PropertyMap) -> PropertyMap:
    """Return the ids of every rule that matches; no match is not an error."""
    with doing("reading Security Group Rules"):
        pages = aws.ec2.get_paginator("describe_security_group_rules").paginate(Filters=_filters(args))
        ids = [each["SecurityGroupRuleId"] for page in pages for each in page["SecurityGroupRules"]]
    return {**_listed(aws, args), "ids": ids}


def get_security_group_rule(aws: Aws, args: PropertyMap) -> PropertyMap:
    """DescribeSecurityGroupRules. Raises ProviderError for none or several."""
    asked: dict[str, Any] = {"Filters": _filters(args)} if args.get("filters") else {}
    if args.get("securityGroupRuleId"):
        asked["SecurityGroupRuleIds"] = [args["securityGroupRuleId"]]
    found = _one(
        "Security Group Rule", lambda: aws.ec2.describe_security_group_rules(**asked)["SecurityGroupRules"]
    )
    ident = found["SecurityGroupRuleId"]
    names = {
        "cidrIpv4": "CidrIpv4",
        "cidrIpv6": "CidrIpv6",
        "description": "Description",
        "fromPort": "FromPort",
        "ipProtocol": "IpProtocol",
        "isEgress": "IsEgress",
        "prefixListId": "PrefixListId",
        "securityGroupId": "GroupId",
        "toPort": "ToPort",
    }
    return {
        **{key: found.get(name) for key, name in names.items()},
        "id": ident,
        "arn": aws.arn("ec2", f"security-group-rule/{ident}"),
        "filters": args.get("filters"),
        "referencedSecurityGroupId": (found.get("ReferencedGroupInfo") or {}).get("GroupId"),
        "region": aws.region,
        "securityGroupRuleId": ident,
        "tags": _tags(found.get("Tags")),
    }


def get_service_quota(aws: Aws, args: PropertyMap) -> PropertyMap:
    """GetAWSDefaultServiceQuota, then GetServiceQuota (internal/service/servicequotas)."""
    service, code = args["serviceCode"], args.get("quotaCode")
    if not code:
        raise ProviderError("the offline AWS provider finds a quota by quotaCode only")
    client = aws.clients.client("service-quotas", aws.region)
    with doing(f"getting Default Service Quota for ({service}/{code})"):
        default: Any = client.get_aws_default_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]
    value, arn = default["Value"], default["QuotaArn"]
    try:
        with doing(f"getting Service Quota for ({service}/{code})"):
            found: Any = client.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]
        value, arn = found["Value"], found["QuotaArn"]
    except AwsError as error:
        if error.code != "NoSuchResourceException":
            raise
    return {
        "id": default["QuotaArn"],
        "adjustable": default["Adjustable"],
        "arn": arn,
        "defaultValue": default["Value"],
        "globalQuota": default["GlobalQuota"],
        "quotaCode": code,
        "quotaName": default["QuotaName"],
        "region": aws.region,
        "serviceCode": service,
        "serviceName": default["ServiceName"],
        "usageMetrics": [],
        "value": value,
    }


def _one(kind: str, read: Any) -> Any:
    """Return the only object that AWS lists (tfresource.SingularDataSourceFindError)."""
    try:
        with doing(f"reading {kind}"):
            found = read()
    except AwsError as error:
        if error.code not in _GONE:
            raise
        found = []
    if not found:
        raise ProviderError(f"no matching {kind} found")
    if len(found) > 1:
        raise ProviderError(
            f"multiple {kind}s matched; use additional constraints to reduce matches to a single {kind}"
        )
    return found[0]


def _asked(args: PropertyMap, ids: str, names: Mapping[str, str]) -> dict[str, Any]:
    filters = [{"Name": name, "Values": [args[key]]} for key, name in names.items() if args.get(key)]
    filters += _filters(args)
    asked = {ids: [args["id"]] if args.get("id") else None, "Filters": filters}
    return {key: value for key, value in asked.items() if value}


def _listed(aws: Aws, args: PropertyMap) -> PropertyMap:
    known = {"filters": args.get("filters"), "tags": args.get("tags")}
    return {"id": aws.region, "region": aws.region, **known}


def _filters(args: PropertyMap) -> list[Any]:
    tagged = [{"Name": f"tag:{key}", "Values": [value]} for key, value in (args.get("tags") or {}).items()]
    return tagged + [{"Name": each["name"], "Values": each["values"]} for each in args.get("filters") or ()]


def _tags(found: Any) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in found or ()}
