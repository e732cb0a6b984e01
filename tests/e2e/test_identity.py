"""Each kind of identity in a running sandbox, and switches between them, with traffic.

Each kind is entered and left once; NLB_SYNC_TEST_SWITCHES=all plays every switch, in 8 minutes.
"""

import base64
import itertools
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.cluster import Rest
from sandbox.stack import outputs
from tests.control import NO_USERS, control
from tests.e2e.driver import Sandbox, stack_dev, traffic, write_config
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(1800)

DENIED = re.compile(r"AccessDenied|InvalidClientTokenId|ExpiredToken|not authorized|credentials:")
BY_HAND = "by-hand"
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def oidc_provider(sandbox: Sandbox) -> str:
    (found,) = sandbox.aws("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    return str(found["Arn"])


def callers(sandbox: Sandbox) -> list[str]:
    """Whose DescribeTargetHealth the cloud has seen since the last switch."""
    calls = control(sandbox.layout.aws_url, "GET", "calls")
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


def kinds_of(sandbox: Sandbox) -> dict[str, tuple[dict[str, Any], str]]:
    """The kinds: stack keys, and a part of the ARN by which AWS knows the syncer then."""
    arn = oidc_provider(sandbox)
    return {
        "pod-identity": ({"identity": {"clusterName": "sandbox"}}, "/eks-sandbox-"),
        "irsa": ({"identity": {"kind": "irsa", "oidcProviderArn": arn}}, ":assumed-role/node-nlb-"),
        "node-role": (
            {"identity": {"kind": "node-role", "roleName": "nodes.sandbox"}},
            ":assumed-role/nodes.sandbox/",
        ),
        "external": (external(sandbox), f":user/{BY_HAND}"),
        "user-keys": ({"identity": {"kind": "user-keys"}}, ":user/node-nlb-"),
    }


def external(sandbox: Sandbox) -> dict[str, Any]:
    """A user made by hand, with the policy that the stack exports; its keys go into `syncer.env`."""
    iam, syncer = sandbox.aws("iam"), stack_dev()["syncer"]
    iam.create_user(UserName=BY_HAND)
    policy = outputs(sandbox.layout)["policy"]
    iam.put_user_policy(UserName=BY_HAND, PolicyName="syncer", PolicyDocument=policy)
    key = iam.create_access_key(UserName=BY_HAND)["AccessKey"]
    env = {**syncer["env"], "AWS_ACCESS_KEY_ID": key["AccessKeyId"]}
    env["AWS_SECRET_ACCESS_KEY"] = key["SecretAccessKey"]
    return {"identity": {"kind": "external"}, "syncer": {**syncer, "env": env}}


def remove_external(sandbox: Sandbox) -> None:
    """Delete the user; other tests of this sandbox look for users that the stack left."""
    iam = sandbox.aws("iam")
    for key in iam.list_access_keys(UserName=BY_HAND)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=BY_HAND, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=BY_HAND, PolicyName="syncer")
    iam.delete_user(UserName=BY_HAND)


def every_switch(kinds: Sequence[str]) -> list[str]:
    """A round trip from the first kind that goes from each kind to each other one once."""
    last = len(kinds) - 1
    there_and_back = [each for i in range(last) for j in range(i + 1, last + 1) for each in (i, j)]
    return [kinds[i] for i in (*there_and_back[1:], 0)]


def each_once(kinds: Sequence[str]) -> list[str]:
    """A round trip from the first kind, which begins and ends each kind once."""
    return [*kinds[1:], kinds[0]]


def test_every_switch_of_the_round_trips_is_another_one() -> None:
    trip = ["a", *every_switch("abcde")]
    assert len(set(itertools.pairwise(trip))) == len(trip) - 1 == 5 * 4
    assert each_once("abc") == ["b", "c", "a"]


def test_a_kind_takes_over_from_another_one_without_a_failed_call(sandbox: Sandbox, tmp_path: Path) -> None:
    kinds, file = kinds_of(sandbox), tmp_path / "Pulumi.dev.yaml"
    keys = [kinds["external"][0]["syncer"]["env"]["AWS_SECRET_ACCESS_KEY"]]
    before, seen = "pod-identity", {"pod-identity"}
    # All 20 switches take 8 minutes.
    trip = every_switch if os.environ.get("NLB_SYNC_TEST_SWITCHES") == "all" else each_once
    for kind in trip(list(kinds)):
        config, caller = kinds[kind]
        statements = [ALL] if "user-keys" in (kind, before) else [ALL, NO_USERS]
        policy = {"Version": "2012-10-17", "Statement": statements}
        control(sandbox.layout.aws_url, "POST", "deployer-policy", policy)
        control(sandbox.layout.aws_url, "DELETE", "calls")
        with traffic(sandbox) as record:
            write_config(file, **config)
            hide_secret(sandbox, file)
            sandbox.apply(file)
            if kind not in seen:
                sandbox.expect_no_changes(file)
        assert record.failures == [], (before, kind)
        assert record.requests
        expect_caller(sandbox, caller)
        keys += in_clear(sandbox)
        assert bool(in_clear(sandbox)) == (kind == "user-keys")
        seen.add(kind)
        before = kind
    control(sandbox.layout.aws_url, "DELETE", "deployer-policy")
    assert [user["UserName"] for user in sandbox.aws("iam").list_users()["Users"]] == [BY_HAND]
    remove_external(sandbox)
    expect_not_in_clear(sandbox, keys)


def test_another_generation_of_keys_takes_over_without_a_failed_call(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    file, keys = tmp_path / "Pulumi.dev.yaml", []
    for generation in (1, 2):
        control(sandbox.layout.aws_url, "DELETE", "calls")
        with traffic(sandbox) as record:
            sandbox.reconfigure(file, identity={"kind": "user-keys", "keyGeneration": generation})
        assert record.failures == []
        expect_caller(sandbox, ":user/node-nlb-")
        keys += in_clear(sandbox)
    assert len(set(keys)) == 2
    sandbox.reconfigure(file)
    expect_not_in_clear(sandbox, keys)


def hide_secret(sandbox: Sandbox, file: Path) -> None:
    """Encrypt the key in the file of configuration, as a user does."""
    key = "AWS_SECRET_ACCESS_KEY"
    env = yaml.safe_load(file.read_text())["config"]["node-nlb-sync:syncer"]["env"]
    if key in env:
        path = f"node-nlb-sync:syncer.env.{key}"
        sandbox.pulumi("config", "set", "--secret", "--path", path, env[key], "--config-file", str(file))


def expect_caller(sandbox: Sandbox, caller: str) -> None:
    """AWS sees the syncer as `caller`, and none of its calls has failed for want of a right."""
    eventually(lambda: any(caller in arn for arn in callers(sandbox)), within=40)
    said = pod_logs(sandbox)
    assert any(said.values()), "the syncer's log is where this test reads it"
    # The Pods of this kind are read while they run: a Pod's log goes with the Pod.
    lines = [line for text in said.values() for line in text.splitlines()]
    assert [line for line in lines if DENIED.search(line)] == [], caller


def expect_not_in_clear(sandbox: Sandbox, keys: Sequence[str]) -> None:
    for path in (*sandbox.layout.pulumi_backend.rglob("*.json"), *sandbox.layout.logs.glob("*.log")):
        assert not any(value in path.read_text(errors="replace") for value in keys), path


def test_an_oidc_provider_that_aws_does_not_have_is_named_with_the_fix(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    wrong = {"kind": "irsa", "oidcProviderArn": oidc_provider(sandbox) + "0"}
    file = tmp_path / "Pulumi.dev.yaml"
    write_config(file, identity=wrong)
    with pytest.raises(AssertionError, match=r"identity\.oidcProviderArn: read .*; fix: "):
        sandbox.pulumi("preview", "--config-file", str(file), "--non-interactive")
