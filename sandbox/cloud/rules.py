"""Security group rules where moto 5.2.5 falls short of what the provider relies on.

moto shows no description of a rule that names a group; in ModifySecurityGroupRules it ignores a changed
group, an IPv6 range and a dropped description, and wants ports of a rule for all protocols. The provider
changes rules in place (internal/service/ec2/vpc_security_group_ingress_rule.go): each would be lasting drift.
"""

import re
from typing import Any

from sandbox.cloud.errors import AwsError
from sandbox.layout import ACCOUNT

Fields = dict[str, str]
_RULE_ID = re.compile(r"SecurityGroupRule\.(\d+)\.SecurityGroupRuleId")


class Rules:
    """The rules of every security group in moto's backend."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def all(self) -> dict[str, Any]:
        """Every rule by its id."""
        return {
            rule.id: rule
            for groups in self._backend.groups.values()
            for group in groups.values()
            for rule in (*group.ingress_rules, *group.egress_rules)
        }

    def require(self, fields: Fields) -> None:
        """Raise InvalidSecurityGroupRuleId.NotFound for a missing rule, where moto says InvalidPermission."""
        known = self.all()
        for key, rule_id in fields.items():
            if key.startswith("SecurityGroupRuleId.") and rule_id not in known:
                raise AwsError(
                    "InvalidSecurityGroupRuleId.NotFound", f"The security group rule {rule_id} does not exist"
                )

    def require_unnamed(self, group_id: str) -> None:
        """Raise DependencyViolation while another group's rule names the group."""
        for rule in self.all().values():
            if (rule.source_group or {}).get("GroupId") == group_id and rule.group_id != group_id:
                raise AwsError("DependencyViolation", f"resource {group_id} has a dependent object")

    def with_ports(self, fields: Fields) -> Fields:
        """The fields of ModifySecurityGroupRules with the ports that moto wants of protocol -1."""
        filled = dict(fields)
        for key, value in fields.items():
            rule, _, name = key.rpartition(".")
            if name == "IpProtocol" and value == "-1":
                filled.setdefault(f"{rule}.FromPort", "-1")
                filled.setdefault(f"{rule}.ToPort", "-1")
        return filled

    def complete(self, fields: Fields) -> None:
        """Take over from a call that succeeded what moto has not."""
        rules = self.all()
        for key, rule_id in fields.items():
            if (found := _RULE_ID.fullmatch(key)) and rule_id in rules:
                _change(rules[rule_id], fields, f"SecurityGroupRule.{found[1]}.SecurityGroupRule.")
        for rule in rules.values():
            if rule.source_group.get("Description") and not rule.ip_range:
                rule.ip_range = {"Description": rule.source_group["Description"]}


def _change(rule: Any, fields: Fields, prefix: str) -> None:
    if group_id := fields.get(f"{prefix}ReferencedGroupId"):
        rule.source_group = {"GroupId": group_id, "UserId": ACCOUNT}
    if f"{prefix}Description" not in fields:
        rule.ip_range.pop("Description", None)
    if cidr := fields.get(f"{prefix}CidrIpv6"):
        rule.ip_range["CidrIpv6"] = cidr
