"""aws:vpc/securityGroupIngressRule, EgressRule (internal/service/ec2/vpc_security_group_ingress_rule.go)."""

from typing import Any, Final

from sandbox.plugins.aws import tags
from sandbox.plugins.aws.session import Aws, AwsError, doing, tolerating
from sandbox.plugins.values import PropertyMap

_GONE: Final = ("InvalidSecurityGroupRuleId.NotFound", "InvalidGroup.NotFound")
_FIELDS: Final = frozenset(
    {
        "cidrIpv4",
        "cidrIpv6",
        "description",
        "fromPort",
        "ipProtocol",
        "prefixListId",
        "referencedSecurityGroupId",
        "toPort",
    }
)


class SecurityGroupRule:
    """A rule of a security group, possibly not owned by the program; the id is the `sgr-` id."""

    def __init__(self, *, egress: bool) -> None:
        self._egress = egress

    def create(self, aws: Aws, inputs: PropertyMap) -> tuple[str, PropertyMap]:
        """AuthorizeSecurityGroupIngress or -Egress with exactly one source."""
        asked: dict[str, Any] = {
            "GroupId": inputs["securityGroupId"],
            "IpPermissions": [_permission(inputs)],
        }
        with doing("creating VPC Security Group Rule"):
            if self._egress:
                made = aws.ec2.authorize_security_group_egress(**asked)["SecurityGroupRules"]
            else:
                made = aws.ec2.authorize_security_group_ingress(**asked)["SecurityGroupRules"]
        return made[0]["SecurityGroupRuleId"], {}

    def settle(self, aws: Aws, ident: str, inputs: PropertyMap, timeout_s: float) -> None:
        """Create tags by a separate call."""
        _ = timeout_s
        if inputs["tagsAll"]:
            tags.update_ec2(aws, ident, {}, inputs["tagsAll"], "VPC Security Group Rule")

    def read(self, aws: Aws, ident: str, prior: PropertyMap) -> PropertyMap | None:
        """DescribeSecurityGroupRules; a port of -1 is omitted where the program omits the port."""
        found = self._find(aws, ident)
        if found is None:
            return None
        reference = found.get("ReferencedGroupInfo") or {}
        group, owner = reference.get("GroupId"), reference.get("UserId")
        foreign = group and owner and aws.account and owner != aws.account
        return {
            "arn": aws.arn("ec2", f"security-group-rule/{ident}"),
            "securityGroupRuleId": ident,
            "securityGroupId": found["GroupId"],
            "ipProtocol": found["IpProtocol"],
            "cidrIpv4": found.get("CidrIpv4") or None,
            "cidrIpv6": found.get("CidrIpv6") or None,
            "description": found.get("Description") or None,
            "prefixListId": found.get("PrefixListId") or None,
            "referencedSecurityGroupId": f"{owner}/{group}" if foreign else group,
            "fromPort": _port(found.get("FromPort"), prior.get("fromPort")),
            "toPort": _port(found.get("ToPort"), prior.get("toPort")),
            **tags.as_properties(aws, found.get("Tags", []), prior),
        }

    def update(
        self, aws: Aws, ident: str, old: PropertyMap, new: PropertyMap, changed: frozenset[str]
    ) -> str:
        """ModifySecurityGroupRules with the whole rule, and tags."""
        if changed & _FIELDS:
            with doing(f"updating VPC Security Group Rule ({ident})"):
                aws.ec2.modify_security_group_rules(
                    GroupId=new["securityGroupId"],
                    SecurityGroupRules=[{"SecurityGroupRuleId": ident, "SecurityGroupRule": _request(new)}],
                )
        if "tagsAll" in changed:
            tags.update_ec2(aws, ident, old.get("tagsAll", {}), new["tagsAll"], "VPC Security Group Rule")
        return ident

    def delete(self, aws: Aws, ident: str, state: PropertyMap, timeout_s: float) -> None:
        """RevokeSecurityGroupIngress or -Egress by the rule's id."""
        _ = timeout_s
        if self._find(aws, ident) is None:
            return
        asked: dict[str, Any] = {"GroupId": state["securityGroupId"], "SecurityGroupRuleIds": [ident]}
        with (
            tolerating(*_GONE, "InvalidPermission.NotFound"),
            doing(f"deleting VPC Security Group Rule ({ident})"),
        ):
            if self._egress:
                aws.ec2.revoke_security_group_egress(**asked)
            else:
                aws.ec2.revoke_security_group_ingress(**asked)

    def _find(self, aws: Aws, ident: str) -> Any:
        try:
            with doing(f"reading VPC Security Group Rule ({ident})"):
                found = aws.ec2.describe_security_group_rules(SecurityGroupRuleIds=[ident])
        except AwsError as error:
            if error.code not in _GONE:
                raise
            return None
        rules = [each for each in found["SecurityGroupRules"] if each.get("SecurityGroupRuleId") == ident]
        return next((each for each in rules if bool(each.get("IsEgress")) == self._egress), None)


def _permission(inputs: PropertyMap) -> dict[str, Any]:
    described = {"Description": inputs["description"]} if inputs.get("description") else {}
    permission: dict[str, Any] = {"IpProtocol": inputs["ipProtocol"], **_ports(inputs)}
    if inputs.get("cidrIpv4"):
        permission["IpRanges"] = [{"CidrIp": inputs["cidrIpv4"], **described}]
    if inputs.get("cidrIpv6"):
        permission["Ipv6Ranges"] = [{"CidrIpv6": inputs["cidrIpv6"], **described}]
    if inputs.get("prefixListId"):
        permission["PrefixListIds"] = [{"PrefixListId": inputs["prefixListId"], **described}]
    if reference := inputs.get("referencedSecurityGroupId"):
        owner, _, group = reference.rpartition("/")
        permission["UserIdGroupPairs"] = [
            {"GroupId": group, **({"UserId": owner} if owner else {}), **described}
        ]
    return permission


def _request(inputs: PropertyMap) -> Any:
    asked: dict[str, Any] = {
        "IpProtocol": inputs["ipProtocol"],
        "CidrIpv4": inputs.get("cidrIpv4"),
        "CidrIpv6": inputs.get("cidrIpv6"),
        "Description": inputs.get("description"),
        "PrefixListId": inputs.get("prefixListId"),
        "ReferencedGroupId": inputs.get("referencedSecurityGroupId"),
    }
    return {**{key: value for key, value in asked.items() if value}, **_ports(inputs)}


def _ports(inputs: PropertyMap) -> dict[str, int]:
    asked = {"FromPort": inputs.get("fromPort"), "ToPort": inputs.get("toPort")}
    return {key: value for key, value in asked.items() if value is not None}


def _port(found: Any, prior: Any) -> int | None:
    return None if found is None or (found == -1 and prior is None) else int(found)
