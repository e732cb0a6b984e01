"""The ARNs for the authorisation of a call, from the service authorisation reference (source 9)."""

from typing import Any

from sandbox.layout import ACCOUNT, REGION

_ELB = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
_IAM = f"arn:aws:iam::{ACCOUNT}"


def of_load_balancing(action: str, params: dict[str, Any]) -> tuple[str, ...]:
    """Return the resources of an ELBv2 call; `*` for Describe actions (source 9: no resource level)."""
    if action.startswith("Describe"):
        return ("*",)
    if action == "CreateTargetGroup":
        return (f"{_ELB}:targetgroup/{params['Name']}/*",)
    if action == "CreateLoadBalancer":
        return (f"{_ELB}:loadbalancer/net/{params['Name']}/*",)
    for key in ("TargetGroupArn", "ListenerArn", "LoadBalancerArn"):
        if key in params:
            return (params[key],)
    return tuple(params.get("ResourceArns", [])) or ("*",)


def of_identity(fields: dict[str, str], known_role: Any = None) -> tuple[str, ...]:
    """Return the resources of an IAM call about a user, a role or an OIDC provider; other calls need `*`.

    `known_role` is moto's role of the name in the call; only CreateRole names the role's path.
    """
    if "UserName" in fields:
        return (f"{_IAM}:user/{fields['UserName']}",)
    if "RoleName" in fields:
        return (
            known_role.arn if known_role else f"{_IAM}:role{fields.get('Path', '/')}{fields['RoleName']}",
        )
    if "OpenIDConnectProviderArn" in fields:
        return (fields["OpenIDConnectProviderArn"],)
    return ("*",)
