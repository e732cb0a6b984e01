"""aws:iam/role, rolePolicy, rolePolicyAttachment (internal/service/iam/role.go and two more files)."""

import json
from typing import Any, Final
from urllib.parse import unquote

from sandbox.plugins.aws import tags
from sandbox.plugins.aws.iam import GONE, same_text
from sandbox.plugins.aws.names import prefix_of, unique
from sandbox.plugins.aws.session import Aws, AwsError, doing, tolerating
from sandbox.plugins.provider import ProviderError
from sandbox.plugins.values import PropertyMap

_DELETE_S: Final = 120.0  # propagationTimeout of the official provider


class Role:
    """An IAM role; the id is the name."""

    def create(self, aws: Aws, inputs: PropertyMap) -> tuple[str, PropertyMap]:
        """CreateRole."""
        name = inputs.get("name") or unique(inputs.get("namePrefix"))
        asked: dict[str, Any] = {
            "Description": inputs.get("description"),
            "PermissionsBoundary": inputs.get("permissionsBoundary"),
            "Tags": tags.as_list(inputs["tagsAll"]),
        }
        with doing(f"creating IAM Role ({name})"):
            aws.iam.create_role(
                RoleName=name,
                Path=inputs["path"],
                AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
                MaxSessionDuration=inputs["maxSessionDuration"],
                **{key: value for key, value in asked.items() if value},
            )
        return name, {}

    def settle(self, aws: Aws, ident: str, inputs: PropertyMap, timeout_s: float) -> None:
        """No further steps."""

    def read(self, aws: Aws, ident: str, prior: PropertyMap) -> PropertyMap | None:
        """GetRole, with tags and inline policies."""
        try:
            with doing(f"reading IAM Role ({ident})"):
                found: Any = aws.iam.get_role(RoleName=ident)["Role"]
                attached = aws.iam.list_attached_role_policies(RoleName=ident)["AttachedPolicies"]
                tagged = aws.iam.list_role_tags(RoleName=ident)["Tags"]
        except AwsError as error:
            if error.code not in GONE:
                raise
            return None
        return {
            "arn": found["Arn"],
            "assumeRolePolicy": same_text(prior.get("assumeRolePolicy"), _document(found)),
            "createDate": found["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "description": found.get("Description") or None,
            "inlinePolicies": prior.get("inlinePolicies") or [],
            "managedPolicyArns": sorted(each["PolicyArn"] for each in attached),
            "maxSessionDuration": found.get("MaxSessionDuration", 3600),
            "name": found["RoleName"],
            "namePrefix": prefix_of(found["RoleName"]),
            "path": found["Path"],
            "permissionsBoundary": (found.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
            "uniqueId": found["RoleId"],
            **tags.as_properties(aws, tagged, prior),
        }

    def update(
        self, aws: Aws, ident: str, old: PropertyMap, new: PropertyMap, changed: frozenset[str]
    ) -> str:
        """Update every part of a role by a separate call."""
        with doing(f"updating IAM Role ({ident})"):
            if "assumeRolePolicy" in changed:
                policy = new["assumeRolePolicy"]
                aws.iam.update_assume_role_policy(RoleName=ident, PolicyDocument=policy)
            if changed & {"description", "maxSessionDuration"}:
                # Both in a single call: moto drops the fields missing in an UpdateRole.
                aws.iam.update_role(
                    RoleName=ident,
                    Description=new.get("description") or "",
                    MaxSessionDuration=new["maxSessionDuration"],
                )
            if "permissionsBoundary" in changed and new.get("permissionsBoundary"):
                boundary = new["permissionsBoundary"]
                aws.iam.put_role_permissions_boundary(RoleName=ident, PermissionsBoundary=boundary)
            elif "permissionsBoundary" in changed:
                aws.iam.delete_role_permissions_boundary(RoleName=ident)
        if "tagsAll" in changed:
            tags.update_role(aws, ident, old.get("tagsAll", {}), new["tagsAll"])
        return ident

    def delete(self, aws: Aws, ident: str, state: PropertyMap, timeout_s: float) -> None:
        """Leave instance profiles, remove policies with `forceDetachPolicies`, DeleteRole."""
        with tolerating(*GONE):
            with doing(f"removing IAM Role ({ident}) from instance profiles"):
                for profile in aws.iam.list_instance_profiles_for_role(RoleName=ident)["InstanceProfiles"]:
                    name = profile["InstanceProfileName"]
                    aws.iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=ident)
            if state.get("forceDetachPolicies"):
                _drop_policies(aws, ident)
            aws.retry(lambda: _delete(aws, ident), frozenset({"DeleteConflict"}), timeout_s or _DELETE_S)


class RolePolicy:
    """A policy inside a role; the id is `ROLE:POLICY`."""

    def create(self, aws: Aws, inputs: PropertyMap) -> tuple[str, PropertyMap]:
        """PutRolePolicy."""
        name = inputs.get("name") or unique(inputs.get("namePrefix"))
        _put(aws, inputs["role"], name, inputs["policy"])
        return f"{inputs['role']}:{name}", {}

    def settle(self, aws: Aws, ident: str, inputs: PropertyMap, timeout_s: float) -> None:
        """No further steps."""

    def read(self, aws: Aws, ident: str, prior: PropertyMap) -> PropertyMap | None:
        """GetRolePolicy."""
        role, name = _policy_key(ident)
        try:
            with doing(f"reading IAM Role Policy ({ident})"):
                found: Any = aws.iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        except AwsError as error:
            if error.code not in GONE:
                raise
            return None
        document = json.loads(unquote(found)) if isinstance(found, str) else found
        return {
            "name": name,
            "namePrefix": prefix_of(name),
            "policy": same_text(prior.get("policy"), document),
            "role": role,
        }

    def update(
        self, aws: Aws, ident: str, old: PropertyMap, new: PropertyMap, changed: frozenset[str]
    ) -> str:
        """PutRolePolicy again."""
        _ = old, changed
        _put(aws, *_policy_key(ident), new["policy"])
        return ident

    def delete(self, aws: Aws, ident: str, state: PropertyMap, timeout_s: float) -> None:
        """DeleteRolePolicy."""
        _ = state, timeout_s
        role, name = _policy_key(ident)
        with tolerating(*GONE), doing(f"deleting IAM Role Policy ({ident})"):
            aws.iam.delete_role_policy(RoleName=role, PolicyName=name)


class RolePolicyAttachment:
    """A managed policy attached to a role; the id of an import is `ROLE/POLICY-ARN`."""

    def create(self, aws: Aws, inputs: PropertyMap) -> tuple[str, PropertyMap]:
        """AttachRolePolicy."""
        role, policy = inputs["role"], inputs["policyArn"]
        with doing(f"attaching IAM Policy ({policy}) to IAM Role ({role})"):
            aws.iam.attach_role_policy(RoleName=role, PolicyArn=policy)
        return unique(f"{role}-"), {}

    def settle(self, aws: Aws, ident: str, inputs: PropertyMap, timeout_s: float) -> None:
        """No further steps."""

    def read(self, aws: Aws, ident: str, prior: PropertyMap) -> PropertyMap | None:
        """ListAttachedRolePolicies of the role."""
        role, _, policy = ident.partition("/")
        role, policy = prior.get("role", role), prior.get("policyArn", policy)
        try:
            with doing(f"reading IAM Role Policy Attachment ({ident})"):
                found = aws.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        except AwsError as error:
            if error.code not in GONE:
                raise
            return None
        if policy not in {each["PolicyArn"] for each in found}:
            return None
        return {"policyArn": policy, "role": role}

    def update(
        self, aws: Aws, ident: str, old: PropertyMap, new: PropertyMap, changed: frozenset[str]
    ) -> str:
        """Return the id: no update in place, both properties replace the attachment."""
        _ = aws, old, new, changed
        return ident

    def delete(self, aws: Aws, ident: str, state: PropertyMap, timeout_s: float) -> None:
        """DetachRolePolicy."""
        _ = timeout_s
        with tolerating(*GONE), doing(f"detaching IAM Policy from IAM Role ({ident})"):
            aws.iam.detach_role_policy(RoleName=state["role"], PolicyArn=state["policyArn"])


def _document(found: Any) -> Any:
    """Return a role's trust policy, already parsed by boto3."""
    document = found["AssumeRolePolicyDocument"]
    return json.loads(unquote(document)) if isinstance(document, str) else document


def _put(aws: Aws, role: str, name: str, policy: str) -> None:
    with doing(f"putting IAM Role ({role}) Policy ({name})"):
        aws.iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=policy)


def _delete(aws: Aws, name: str) -> None:
    with doing(f"deleting IAM Role ({name})"):
        aws.iam.delete_role(RoleName=name)


def _drop_policies(aws: Aws, name: str) -> None:
    with doing(f"removing the policies of IAM Role ({name})"):
        for each in aws.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            aws.iam.detach_role_policy(RoleName=name, PolicyArn=each["PolicyArn"])
        for policy in aws.iam.list_role_policies(RoleName=name)["PolicyNames"]:
            aws.iam.delete_role_policy(RoleName=name, PolicyName=policy)


def _policy_key(ident: str) -> tuple[str, str]:
    role, _, name = ident.partition(":")
    if not role or not name:
        raise ProviderError(f"unexpected format for ID ({ident}), expected ROLE-NAME:POLICY-NAME")
    return role, name
