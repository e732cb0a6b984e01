"""Security group rules: corrections of moto 5.2.5 that the provider needs.

moto shows no description of a rule that names a group or a prefix list, and treats the description as part of
the rule's identity. In ModifySecurityGroupRules, moto ignores a changed group, a prefix list, an IPv6 range
and a removed description, requires ports for every protocol, and creates duplicate rules. The provider
changes rules in place (internal/service/ec2/vpc_security_group_ingress_rule.go): each fault would cause
permanent drift.
"""

import re
from collections import Counter
from typing import Any

from sandbox.cloud import permissions
from sandbox.cloud.errors import AwsError
from sandbox.cloud.permissions import Fields, Identity
from sandbox.layout import ACCOUNT

_RULE_ID = re.compile(r"SecurityGroupRule\.(\d+)\.SecurityGroupRuleId")
_DESCRIBED_ID = re.compile(r"SecurityGroupRuleDescription\.(\d+)\.SecurityGroupRuleId")


class Rules:
    """The rules of all security groups in moto's backend."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def all(self) -> dict[str, Any]:
        """Return all rules by id."""
        return {
            rule.id: rule
            for groups in self._backend.groups.values()
            for group in groups.values()
            for rule in (*group.ingress_rules, *group.egress_rules)
        }

    def prepare(self, action: str, fields: Fields) -> Fields:
        """Return the fields of a call about rules in moto's form.

        Raises AwsError InvalidPermission.Duplicate for a rule that already exists in the group,
        InvalidParameterValue for a rule named twice in the request, InvalidPermission.NotFound and
        InvalidSecurityGroupRuleId.NotFound for a missing rule.
        """
        fields = permissions.canonical(permissions.spread(fields))
        if action == "ModifySecurityGroupRules":
            self._require_different(fields)
        elif action.startswith("AuthorizeSecurityGroup"):
            self._require_new(fields, egress=action.endswith("Egress"))
        elif action.startswith("RevokeSecurityGroup"):
            self._require(fields, "SecurityGroupRuleId.")
            return self._by_id(fields, egress=action.endswith("Egress"))
        elif action.startswith("UpdateSecurityGroupRuleDescriptions"):
            self._find(fields, egress=action.endswith("Egress"))
            self._require(fields, "SecurityGroupRuleDescription.")
        return fields

    def require_unnamed(self, group_id: str) -> None:
        """Raise DependencyViolation while a rule of another group names the group."""
        for rule in self.all().values():
            if (rule.source_group or {}).get("GroupId") == group_id and rule.group_id != group_id:
                raise AwsError("DependencyViolation", f"resource {group_id} has a dependent object")

    def complete(self, action: str, fields: Fields) -> None:
        """Apply the parts of a successful call that moto ignores."""
        rules = self.all()
        fields = permissions.canonical(permissions.spread(fields))
        for key, rule_id in fields.items():
            if (found := _RULE_ID.fullmatch(key)) and rule_id in rules:
                _change(rules[rule_id], fields, f"SecurityGroupRule.{found[1]}.SecurityGroupRule.")
            elif (found := _DESCRIBED_ID.fullmatch(key)) and rule_id in rules:
                _describe(
                    rules[rule_id], fields.get(f"SecurityGroupRuleDescription.{found[1]}.Description", "")
                )
        if action.startswith(("AuthorizeSecurityGroup", "UpdateSecurityGroupRuleDescriptions")):
            own, egress = self._of_group(fields), action.endswith("Egress")
            for one, text in permissions.described(fields, self._group_named, egress=egress).items():
                if one in own:
                    _describe(own[one], text)

    def _require(self, fields: Fields, prefix: str) -> None:
        """Refuse an unknown rule id with InvalidSecurityGroupRuleId.NotFound (moto: InvalidPermission)."""
        known = self.all()
        for key, rule_id in fields.items():
            names_rule = key == f"{prefix}{key.rpartition('.')[2]}" or key.endswith(".SecurityGroupRuleId")
            if key.startswith(prefix) and names_rule and rule_id not in known:
                raise AwsError(
                    "InvalidSecurityGroupRuleId.NotFound", f"The security group rule {rule_id} does not exist"
                )

    def _require_new(self, fields: Fields, *, egress: bool) -> None:
        wanted = Counter(permissions.requested(fields, self._group_named, egress=egress))
        if any(count > 1 for count in wanted.values()):
            raise AwsError("InvalidParameterValue", "The same permission must not appear multiple times")
        existing = self._of_group(fields)
        for one in wanted:
            if one in existing:
                raise _duplicate(one)

    def _require_different(self, fields: Fields) -> None:
        """Refuse changes that would create a duplicate rule in a group."""
        rules = self.all()
        after = {rule.id: permissions.of_rule(rule) for rule in self._of_group(fields).values()}
        changed = []
        for key, rule_id in fields.items():
            if (found := _RULE_ID.fullmatch(key)) and rule_id in rules:
                prefix = f"SecurityGroupRule.{found[1]}.SecurityGroupRule."
                after[rule_id] = _wanted(fields, prefix, egress=rules[rule_id].is_egress)
                changed.append(rule_id)
        counted = Counter(after.values())
        for rule_id in changed:
            if counted[after[rule_id]] > 1:
                raise _duplicate(after[rule_id])

    def _by_id(self, fields: Fields, *, egress: bool) -> Fields:
        """Rewrite a Revoke request with permissions to a request with rule ids.

        AWS ignores descriptions, and revokes all rules or no rule.
        """
        found = self._find(fields, egress=egress)
        if not found:
            return fields
        kept = {key: value for key, value in fields.items() if not key.startswith("IpPermissions.")}
        return kept | {f"SecurityGroupRuleId.{n}": rule.id for n, rule in enumerate(found, start=1)}

    def _find(self, fields: Fields, *, egress: bool) -> list[Any]:
        """Return the rules that a request names by permissions. Raises InvalidPermission.NotFound."""
        existing = self._of_group(fields)
        wanted = list(permissions.requested(fields, self._group_named, egress=egress))
        missing = [one for one in wanted if one not in existing]
        # A new group has a ::/0 egress rule in a VPC with IPv6 alone. The provider revokes the rule in every
        # VPC: accept the call.
        for one in missing:
            if not (egress and one.source == "::/0"):
                raise AwsError(
                    "InvalidPermission.NotFound", "The specified rule does not exist in this security group."
                )
        return [existing[one] for one in wanted if one in existing]

    def _of_group(self, fields: Fields) -> dict[Identity, Any]:
        """Return the rules of the request's group, by identity."""
        group = self._backend.get_security_group_by_name_or_id(
            fields.get("GroupId") or fields.get("GroupName", "")
        )
        rules = (*group.ingress_rules, *group.egress_rules) if group else ()
        return {permissions.of_rule(rule): rule for rule in rules}

    def _group_named(self, name: str) -> str:
        group = self._backend.get_security_group_by_name_or_id(name)
        return group.id if group else name


def _duplicate(one: Identity) -> AwsError:
    return AwsError("InvalidPermission.Duplicate", f'the specified rule "{one}" already exists')


def _wanted(fields: Fields, prefix: str, *, egress: bool) -> Identity:
    """Return the rule's identity after ModifySecurityGroupRules; its `fields` have the prefix `prefix`."""
    sources = (
        fields.get(f"{prefix}{name}")
        for name in ("CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId")
    )
    return permissions.identity(
        egress=egress,
        protocol=fields.get(f"{prefix}IpProtocol", permissions.ALL),
        ports=(fields.get(f"{prefix}FromPort"), fields.get(f"{prefix}ToPort")),
        source=next(filter(None, sources), ""),
    )


def _change(rule: Any, fields: Fields, prefix: str) -> None:
    """Apply the parts of a changed rule that moto ignores; ports become numbers, as in a new rule of moto."""
    wanted = _wanted(fields, prefix, egress=rule.is_egress)
    rule.ip_protocol = wanted.protocol
    all_protocols = wanted.protocol == permissions.ALL
    rule.from_port, rule.to_port = (None, None) if all_protocols else (wanted.from_port, wanted.to_port)
    if group_id := fields.get(f"{prefix}ReferencedGroupId"):
        rule.source_group = {"GroupId": group_id, "UserId": ACCOUNT}
    if prefix_list := fields.get(f"{prefix}PrefixListId"):
        rule.prefix_list_id = prefix_list
    if cidr := fields.get(f"{prefix}CidrIpv6"):
        rule.ip_range["CidrIpv6"] = cidr
    _describe(rule, fields.get(f"{prefix}Description", ""))


def _describe(rule: Any, text: str) -> None:
    for place in (rule.ip_range, *([rule.source_group] if rule.source_group else [])):
        place.pop("Description", None)
        if text:
            place["Description"] = text
