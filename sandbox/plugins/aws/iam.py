"""aws:iam/user, userPolicy and accessKey (internal/service/iam/user.go, user_policy.go, access_key.go)."""

import base64
import hashlib
import hmac
import json
from typing import Any, Final
from urllib.parse import unquote

from sandbox.plugins.aws import tags
from sandbox.plugins.aws.names import prefix_of, unique
from sandbox.plugins.aws.session import Aws, AwsError, doing, tolerating
from sandbox.plugins.provider import ProviderError
from sandbox.plugins.values import PropertyMap

GONE: Final = ("NoSuchEntity", "NoSuchEntityException")


class User:
    """An IAM user; the id is the name, changeable in place."""

    def create(self, aws: Aws, inputs: PropertyMap) -> tuple[str, PropertyMap]:
        """CreateUser."""
        name = inputs["name"]
        asked: dict[str, Any] = {
            "PermissionsBoundary": inputs.get("permissionsBoundary"),
            "Tags": tags.as_list(inputs["tagsAll"]),
        }
        with doing(f"creating IAM User ({name})"):
            aws.iam.create_user(
                UserName=name, Path=inputs["path"], **{key: value for key, value in asked.items() if value}
            )
        return name, {}

    def settle(self, aws: Aws, ident: str, inputs: PropertyMap, timeout_s: float) -> None:
        """No further steps."""

    def read(self, aws: Aws, ident: str, prior: PropertyMap) -> PropertyMap | None:
        """GetUser and tags; a user renamed in place is found by name, not by id."""
        name = prior.get("name") or ident
        try:
            with doing(f"reading IAM User ({name})"):
                found = aws.iam.get_user(UserName=name)["User"]
                tagged = aws.iam.list_user_tags(UserName=name)["Tags"]
        except AwsError as error:
            if error.code not in GONE:
                raise
            return None
        boundary = found.get("PermissionsBoundary") or {}
        return {
            "arn": found["Arn"],
            "name": found["UserName"],
            "path": found["Path"],
            "permissionsBoundary": boundary.get("PermissionsBoundaryArn"),
            "uniqueId": found["UserId"],
            **tags.as_properties(aws, tagged, prior),
        }

    def update(
        self, aws: Aws, ident: str, old: PropertyMap, new: PropertyMap, changed: frozenset[str]
    ) -> str:
        """Rename by UpdateUser; change boundary and tags by separate calls."""
        ident = old.get("name") or ident
        if changed & {"name", "path"}:
            with doing(f"updating IAM User ({ident})"):
                aws.iam.update_user(UserName=ident, NewUserName=new["name"], NewPath=new["path"])
            ident = new["name"]
        if "permissionsBoundary" in changed:
            with doing(f"setting IAM User ({ident}) permissions boundary"):
                if new.get("permissionsBoundary"):
                    aws.iam.put_user_permissions_boundary(
                        UserName=ident, PermissionsBoundary=new["permissionsBoundary"]
                    )
                else:
                    aws.iam.delete_user_permissions_boundary(UserName=ident)
        if "tagsAll" in changed:
            tags.update_user(aws, ident, old.get("tagsAll", {}), new["tagsAll"])
        return ident

    def delete(self, aws: Aws, ident: str, state: PropertyMap, timeout_s: float) -> None:
        """Leave every group, delete the keys with `forceDestroy`, DeleteUser."""
        _ = timeout_s
        ident = state.get("name") or ident
        with tolerating(*GONE):
            with doing(f"removing IAM User ({ident}) group memberships"):
                for group in aws.iam.list_groups_for_user(UserName=ident)["Groups"]:
                    aws.iam.remove_user_from_group(UserName=ident, GroupName=group["GroupName"])
            if state.get("forceDestroy"):
                with doing(f"removing IAM User ({ident}) access keys"):
                    for key in aws.iam.list_access_keys(UserName=ident)["AccessKeyMetadata"]:
                        aws.iam.delete_access_key(UserName=ident, AccessKeyId=key["AccessKeyId"])
            with doing(f"deleting IAM User ({ident})"):
                aws.iam.delete_user(UserName=ident)


class UserPolicy:
    """A policy inside a user; the id is `USER:POLICY`."""

    def create(self, aws: Aws, inputs: PropertyMap) -> tuple[str, PropertyMap]:
        """PutUserPolicy."""
        name = inputs.get("name") or unique(inputs.get("namePrefix"))
        _put_policy(aws, inputs["user"], name, inputs["policy"])
        return f"{inputs['user']}:{name}", {}

    def settle(self, aws: Aws, ident: str, inputs: PropertyMap, timeout_s: float) -> None:
        """No further steps."""

    def read(self, aws: Aws, ident: str, prior: PropertyMap) -> PropertyMap | None:
        """GetUserPolicy."""
        user, name = _policy_key(ident)
        try:
            with doing(f"reading IAM User Policy ({ident})"):
                found: Any = aws.iam.get_user_policy(UserName=user, PolicyName=name)["PolicyDocument"]
        except AwsError as error:
            if error.code not in GONE:
                raise
            return None
        document = json.loads(unquote(found)) if isinstance(found, str) else found
        return {
            "name": name,
            "namePrefix": prefix_of(name),
            "policy": same_text(prior.get("policy"), document),
            "user": user,
        }

    def update(
        self, aws: Aws, ident: str, old: PropertyMap, new: PropertyMap, changed: frozenset[str]
    ) -> str:
        """PutUserPolicy again."""
        _ = old, changed
        user, name = _policy_key(ident)
        _put_policy(aws, user, name, new["policy"])
        return ident

    def delete(self, aws: Aws, ident: str, state: PropertyMap, timeout_s: float) -> None:
        """DeleteUserPolicy."""
        _ = state, timeout_s
        user, name = _policy_key(ident)
        with tolerating(*GONE), doing(f"deleting IAM User Policy ({ident})"):
            aws.iam.delete_user_policy(UserName=user, PolicyName=name)


class AccessKey:
    """A key of a user; the id is the key id.

    AWS returns the secret only at creation, so only the state keeps the secret.
    """

    def create(self, aws: Aws, inputs: PropertyMap) -> tuple[str, PropertyMap]:
        """CreateAccessKey."""
        user = inputs["user"]
        with doing(f"creating IAM Access Key ({user})"):
            made = aws.iam.create_access_key(UserName=user)["AccessKey"]
        secret = made["SecretAccessKey"]
        return made["AccessKeyId"], {
            "secret": secret,
            "sesSmtpPasswordV4": _ses_smtp_password(secret, aws.region),
        }

    def settle(self, aws: Aws, ident: str, inputs: PropertyMap, timeout_s: float) -> None:
        """Deactivate the key where the program wants an inactive key; a new key is active."""
        _ = timeout_s
        if inputs["status"] == "Inactive":
            with doing(f"deactivating IAM Access Key ({ident})"):
                aws.iam.update_access_key(UserName=inputs["user"], AccessKeyId=ident, Status="Inactive")

    def read(self, aws: Aws, ident: str, prior: PropertyMap) -> PropertyMap | None:
        """ListAccessKeys of the user; for an imported key the user is read from AWS."""
        user = prior.get("user") or _user_of(aws, ident)
        try:
            with doing(f"reading IAM Access Key ({ident})"):
                found = aws.iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
        except AwsError as error:
            if error.code not in GONE:
                raise
            return None
        key = next((each for each in found if each["AccessKeyId"] == ident), None)
        if key is None:
            return None
        return {
            "createDate": key["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "status": key["Status"],
            "user": key["UserName"],
        }

    def update(
        self, aws: Aws, ident: str, old: PropertyMap, new: PropertyMap, changed: frozenset[str]
    ) -> str:
        """Update the status, the only mutable property."""
        _ = old
        if "status" in changed:
            with doing(f"updating IAM Access Key ({ident})"):
                aws.iam.update_access_key(UserName=new["user"], AccessKeyId=ident, Status=new["status"])
        return ident

    def delete(self, aws: Aws, ident: str, state: PropertyMap, timeout_s: float) -> None:
        """DeleteAccessKey."""
        _ = timeout_s
        with tolerating(*GONE), doing(f"deleting IAM Access Key ({ident})"):
            aws.iam.delete_access_key(UserName=state["user"], AccessKeyId=ident)


def _put_policy(aws: Aws, user: str, name: str, policy: str) -> None:
    with doing(f"putting IAM User ({user}) Policy ({name})"):
        aws.iam.put_user_policy(UserName=user, PolicyName=name, PolicyDocument=policy)


def _policy_key(ident: str) -> tuple[str, str]:
    user, _, name = ident.partition(":")
    if not user or not name:
        raise ProviderError(f"unexpected format for ID ({ident}), expected USER-NAME:POLICY-NAME")
    return user, name


def same_text(written: Any, document: Any) -> str:
    """Return the program's text while equivalent to AWS's document (verify.LegacyPolicyToSet)."""
    if isinstance(written, str):
        try:
            if json.loads(written) == document:
                return written
        except ValueError:
            pass
    return json.dumps(document, separators=(",", ":"))


def _user_of(aws: Aws, key: str) -> str:
    with doing(f"fetching IAM Access Key ({key}) username via GetAccessKeyLastUsed"):
        return aws.iam.get_access_key_last_used(AccessKeyId=key)["UserName"]


def _ses_smtp_password(secret: str, region: str) -> str:
    """Convert a secret key into an SES SMTP password of a region, by AWS's documented algorithm."""
    signature = b"AWS4" + secret.encode()
    for message in ("11111111", region, "ses", "aws4_request", "SendRawEmail"):
        signature = hmac.new(signature, message.encode(), hashlib.sha256).digest()
    return base64.b64encode(b"\x04" + signature).decode()
