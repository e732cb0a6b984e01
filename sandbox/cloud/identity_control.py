"""The sandbox's own endpoints of identity: the deployer's policy, sessions, and the metadata of instances."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.cloud.iam import ADMINISTRATOR
from sandbox.cloud.policy import statements_of

if TYPE_CHECKING:
    from sandbox.cloud.front import Front

Reply = tuple[int, dict[str, Any]]


def answer(front: "Front", method: str, path: str, body: bytes) -> Reply | None:
    """Answer a request; None for a path that is another's."""
    match method, path.split("/"):
        case "GET", ["deployer-policy"]:
            return 200, front.identity.iam.deployer_policy
        case "POST", ["deployer-policy"]:
            return 200, _set_deployer_policy(front, json.loads(body))
        case "DELETE", ["deployer-policy"]:
            return 200, _set_deployer_policy(front, ADMINISTRATOR)
        case "GET", ["calls"]:
            return 200, front.identity.calls.shown()
        case "GET", ["user-agents"]:
            return 200, {"user_agents": sorted(front.identity.calls.user_agents)}
        case "DELETE", ["calls"]:
            front.identity.calls.clear()
            return 200, {}
        case "DELETE", ["sessions"]:
            return 200, {"expired": front.identity.sessions.expire()}
        case "GET", ["instances", ident]:
            return _metadata(front, ident)
        case "POST", ["instances", ident, "credentials"]:
            return _credentials(front, ident)
    return None


def _set_deployer_policy(front: "Front", document: dict[str, Any]) -> dict[str, Any]:
    """Hold the deployer's key to a policy document."""
    for statement in statements_of(document):
        if statement["Effect"] not in {"Allow", "Deny"}:
            raise ValueError(f"Effect is Allow or Deny, not {statement['Effect']}")
    front.identity.iam.deployer_policy = document
    return document


def _metadata(front: "Front", instance_id: str) -> Reply:
    options = front.ec2.metadata_options(instance_id)
    role = front.identity.role_of_profile(options.profile_arn)
    name = role.name if role else None
    return 200, {"role": name, "hop_limit": options.hop_limit, "tokens": options.tokens}


def _credentials(front: "Front", instance_id: str) -> Reply:
    role = front.identity.role_of_profile(front.ec2.metadata_options(instance_id).profile_arn)
    if role is None:
        return 404, {"error": f"{instance_id} has no role that EC2 may assume"}
    session = front.identity.instance_session(role, instance_id)
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
