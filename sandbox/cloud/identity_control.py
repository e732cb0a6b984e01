"""The sandbox's endpoints for identity: the deployer's policy, sessions, and the metadata of instances."""

import json
from datetime import UTC, datetime
from typing import Any, Protocol

from sandbox.cloud.ec2 import Ec2
from sandbox.cloud.iam import ADMINISTRATOR
from sandbox.cloud.identity import Identity
from sandbox.cloud.policy import statements_of

Reply = tuple[int, dict[str, Any]]


class Accounts(Protocol):
    """The identities and instances that these endpoints read and change."""

    identity: Identity
    ec2: Ec2


def answer(accounts: Accounts, method: str, path: str, body: bytes) -> Reply | None:
    """Answer a request; None for an unknown path."""
    match method, path.split("/"):
        case "GET", ["deployer-policy"]:
            return 200, accounts.identity.iam.deployer_policy
        case "POST", ["deployer-policy"]:
            return 200, _set_deployer_policy(accounts, json.loads(body))
        case "DELETE", ["deployer-policy"]:
            return 200, _set_deployer_policy(accounts, ADMINISTRATOR)
        case "GET", ["calls"]:
            return 200, accounts.identity.calls.shown()
        case "GET", ["user-agents"]:
            return 200, {"user_agents": sorted(accounts.identity.calls.user_agents)}
        case "DELETE", ["calls"]:
            accounts.identity.calls.clear()
            return 200, {}
        case "DELETE", ["sessions"]:
            return 200, {"expired": accounts.identity.sessions.expire()}
        case "GET", ["instances", ident]:
            return _metadata(accounts, ident)
        case "POST", ["instances", ident, "credentials"]:
            return _credentials(accounts, ident)
    return None


def _set_deployer_policy(accounts: Accounts, document: dict[str, Any]) -> dict[str, Any]:
    """Apply a policy document to the deployer's key."""
    for statement in statements_of(document):
        if statement["Effect"] not in {"Allow", "Deny"}:
            raise ValueError(f"unknown Effect: {statement['Effect']}; allowed: Allow, Deny")
    accounts.identity.iam.deployer_policy = document
    return document


def _metadata(accounts: Accounts, instance_id: str) -> Reply:
    options = accounts.ec2.metadata_options(instance_id)
    role = accounts.identity.role_of_profile(options.profile_arn)
    name = role.name if role else None
    return 200, {"role": name, "hop_limit": options.hop_limit, "tokens": options.tokens}


def _credentials(accounts: Accounts, instance_id: str) -> Reply:
    role = accounts.identity.role_of_profile(accounts.ec2.metadata_options(instance_id).profile_arn)
    if role is None:
        return 404, {"error": f"{instance_id} has no role that EC2 may assume"}
    session = accounts.identity.instance_session(role, instance_id)
    return 200, {
        "Code": "Success",
        "Type": "AWS-HMAC",
        "LastUpdated": _stamp(datetime.now(UTC)),
        "AccessKeyId": session.access_key,
        "SecretAccessKey": session.secret_key,
        "Token": session.token,
        "Expiration": _stamp(session.expiration),
    }


def _stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
