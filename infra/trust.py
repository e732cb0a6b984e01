"""Trust policies of the IAM roles that the syncer assumes, as JSON."""

import json
from collections.abc import Mapping

from syncer.manifests.credentials import STS_AUDIENCE


def statement(
    kind: str,
    principal: str,
    actions: list[str],
    condition: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """Return a trust policy with a single statement, as JSON."""
    entry = {"Effect": "Allow", "Principal": {kind: principal}, "Action": actions}
    if condition:
        entry["Condition"] = {operator: dict(tests) for operator, tests in condition.items()}
    return json.dumps({"Version": "2012-10-17", "Statement": [entry]})


def web_identity(provider_arn: str, subject: str) -> str:
    """Trust the tokens of a ServiceAccount from an issuer, with STS as audience (EKS user guide, IRSA)."""
    issuer = provider_arn.partition("oidc-provider/")[2]
    equals = {f"{issuer}:sub": subject, f"{issuer}:aud": STS_AUDIENCE}
    return statement("Federated", provider_arn, ["sts:AssumeRoleWithWebIdentity"], {"StringEquals": equals})
