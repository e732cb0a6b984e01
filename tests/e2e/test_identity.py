"""Each kind of identity in a running sandbox, and each switch between two of them, with traffic."""

import base64
import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.cluster import Rest
from tests.e2e.driver import ROOT, Sandbox
from tests.e2e.test_whole_loop import traffic
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(1200)

DENIED = re.compile(r"AccessDenied|InvalidClientTokenId|ExpiredToken|not authorized|credentials:")
# What no organisation that forbids IAM users allows.
NO_USERS = {"Effect": "Deny", "Action": ["iam:*User*", "iam:*AccessKey*"], "Resource": "*"}
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def control(sandbox: Sandbox, method: str, path: str, body: object = None) -> Any:
    """Ask the sandbox's cloud for something that AWS does not have."""
    request = urllib.request.Request(  # noqa: S310 (loopback)
        f"{sandbox.layout.aws_url}/_sandbox/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 (loopback)
        return json.loads(answer.read() or b"null")


def oidc_provider(sandbox: Sandbox) -> str:
    (found,) = sandbox.aws("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    return str(found["Arn"])


def callers(sandbox: Sandbox) -> list[str]:
    """Whose DescribeTargetHealth the cloud has seen since the last switch."""
    calls = control(sandbox, "GET", "calls")
    return [arn for arn, actions in calls.items() if "elasticloadbalancing:DescribeTargetHealth" in actions]


def pod_logs(sandbox: Sandbox) -> dict[Path, str]:
    found = [*sandbox.layout.pods.rglob("*.log"), *sandbox.layout.pods.rglob("stdout")]
    return {path: path.read_text(errors="replace") for path in found}


def in_clear(sandbox: Sandbox) -> list[str]:
    """The keys in the cluster's Secrets."""
    return [
        base64.b64decode(item["data"]["aws_secret_key"]).decode()
        for item in Rest(sandbox.layout).get("/api/v1/secrets")["items"]
        if "aws_secret_key" in item.get("data", {})
    ]


def test_each_kind_takes_over_from_the_last_one_without_a_failed_call(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    kinds: list[tuple[dict[str, Any], str]] = [
        ({"kind": "irsa", "oidcProviderArn": oidc_provider(sandbox)}, ":assumed-role/node-nlb-"),
        ({"kind": "node-role", "roleName": "nodes.sandbox"}, ":assumed-role/nodes.sandbox/"),
        ({"kind": "user-keys"}, ":user/node-nlb-"),
        ({"kind": "user-keys", "keyGeneration": 2}, ":user/node-nlb-"),
        ({"clusterName": "sandbox"}, "/eks-sandbox-"),
    ]
    keys: list[str] = []
    for identity, caller in kinds:
        uses_users = "keys" in identity.get("kind", "") or bool(keys)
        statements = [ALL] if uses_users else [ALL, NO_USERS]
        control(sandbox, "POST", "deployer-policy", {"Version": "2012-10-17", "Statement": statements})
        control(sandbox, "DELETE", "calls")
        with traffic(sandbox) as record:
            sandbox.reconfigure(tmp_path / "Pulumi.dev.yaml", identity=identity)
        assert record.failures == [], identity
        assert record.requests
        eventually(lambda caller=caller: any(caller in arn for arn in callers(sandbox)), within=40)  # type: ignore[misc]
        said = pod_logs(sandbox)
        assert any(said.values()), "the syncer's log is where this test reads it"
        # The Pods of this kind are read while they run: a Pod's log goes with the Pod.
        lines = [line for text in said.values() for line in text.splitlines()]
        assert [line for line in lines if DENIED.search(line)] == [], identity
        keys += in_clear(sandbox)
        assert bool(in_clear(sandbox)) == (identity.get("kind") == "user-keys")
    control(sandbox, "DELETE", "deployer-policy")
    assert len(set(keys)) == 2, "the second generation has another key"
    assert sandbox.aws("iam").list_users()["Users"] == []
    for path in (*sandbox.layout.pulumi_backend.rglob("*.json"), *sandbox.layout.logs.glob("*.log")):
        assert not any(value in path.read_text(errors="replace") for value in keys), path


def test_an_oidc_provider_that_aws_does_not_have_is_named_with_the_fix(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    wrong = {"kind": "irsa", "oidcProviderArn": oidc_provider(sandbox) + "0"}
    stack = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    stack["config"]["node-nlb-sync:identity"] = wrong
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(yaml.safe_dump(stack))
    with pytest.raises(AssertionError, match=r"identity\.oidcProviderArn: read .*; fix: "):
        sandbox.pulumi("preview", "--config-file", str(file), "--non-interactive")
