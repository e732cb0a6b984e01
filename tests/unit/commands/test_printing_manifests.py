"""`nlb-sync manifests`: what it prints, and one line for each wrong choice of flags."""

import json
from typing import Any

import pytest
import yaml

from syncer.__main__ import main

GROUP = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/http/0123456789abcdef"
OTHER = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/https/fedcba9876543210"
DIGEST = f"registry.example.com/node-nlb-sync@sha256:{'0' * 64}"
ROLE = "arn:aws:iam::123456789012:role/nlb-sync"

Captured = pytest.CaptureFixture[str]


def run(*flags: str, **replaced: str) -> int:
    """The exit code with these flags beside the needed ones; `replaced` are needed ones."""
    needed = {
        "target-group": f"{GROUP}=edge/traefik:http",
        "identity": "external",
        "image": DIGEST,
        **replaced,
    }
    words = [word for name, value in needed.items() for word in (f"--{name}", value)]
    try:
        return main(["manifests", *words, *flags])
    except SystemExit as error:
        return int(error.code or 0)


def documents(text: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(text))


def test_yaml_and_json_hold_the_same_objects(capsys: Captured) -> None:
    assert run() == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "&id" not in shown.out
    assert run("--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert (listed["apiVersion"], listed["kind"]) == ("v1", "List")
    assert listed["items"] == documents(shown.out)


def test_a_role_is_held_to_the_services_of_its_namespace(capsys: Captured) -> None:
    groups = f"{GROUP}=edge/traefik:http,{OTHER}=web/nginx:443"
    third = f"{OTHER.removesuffix('3210')}aaaa=edge/haproxy"
    assert run("--target-group", third, **{"target-group": groups}) == 0
    found = {
        each["metadata"]["namespace"]: each["rules"][0]["resourceNames"]
        for each in documents(capsys.readouterr().out)
        if each["kind"] == "Role" and each["metadata"]["name"] == "nlb-sync-service"
    }
    assert found == {"edge": ["haproxy", "traefik"], "web": ["nginx"]}


def test_a_group_that_follows_no_service_needs_no_right_to_one(capsys: Captured) -> None:
    assert run(**{"target-group": f"{GROUP}=:30080"}) == 0
    assert "services" not in capsys.readouterr().out


def test_an_image_without_a_digest_is_reported_with_the_command_that_prints_it(capsys: Captured) -> None:
    assert run(image="registry.example.com/node-nlb-sync:1") == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "has no digest" in line
    assert "`docker buildx imagetools inspect registry.example.com/node-nlb-sync:1`" in line


@pytest.mark.parametrize(
    ("flags", "replaced", "says"),
    [
        ((), {"identity": "irsa"}, "--role-arn is missing"),
        (("--role-arn", ROLE), {}, "--role-arn without --identity irsa"),
        (("--role-arn", "nlb-sync"), {"identity": "irsa"}, "is not the ARN of an IAM role"),
        ((), {"identity": "keys"}, "choose from"),
        ((), {"image": "Node:1"}, "is not an image; allowed: NAME@sha256:DIGEST or NAME:TAG"),
        ((), {"target-group": "http"}, "is not the ARN of a target group"),
        ((), {"target-group": ","}, "--target-group is wrong"),
        ((), {"target-group": ""}, "--target-group is empty"),
        (("--target-group", GROUP), {}, "duplicate ARN"),
        (("--name", "Edge"), {}, "is not a lower-case DNS label"),
        (("--namespace", "a.b"), {}, "is not a lower-case DNS label"),
        (("--zones", "EU"), {}, "NLB_SYNC_ZONES is 'EU'"),
        (("--node-selector", "a in b"), {}, "NLB_SYNC_NODE_SELECTOR is 'a in b'"),
        (("--env", "NLB_SYNC_ZONE=a"), {}, "did you mean NLB_SYNC_ZONES?"),
        (("--env", "AWS_RETRY_MODE=foo"), {}, "allowed: legacy, standard, adaptive"),
        (("--env", "NLB_SYNC_ADDRESS"), {}, "allowed: NAME=VALUE"),
        (("--env", "NLB_SYNC_ADDRESS=127.1.2.3"), {}, "for the kubelet's probes"),
        (
            ("--env", "AWS_SECRET_ACCESS_KEY topsecret"),
            {},
            "--env begins with 'AWS_SECRET_ACCESS_KEY'; allowed",
        ),
        (("--zones", "eu-central-1"), {}, "is a Region, not an availability zone such as eu-central-1a"),
        (("--env", "A=1", "--env", "A=2"), {}, "--env A is a variable of the manifests"),
        (
            ("--env", "NLB_SYNC_TARGET_GROUPS=x"),
            {},
            "--env NLB_SYNC_TARGET_GROUPS is a variable of the manifests",
        ),
        (("--env", "AWS_ROLE_ARN=x"), {"identity": "node-role"}, "--env AWS_ROLE_ARN would replace"),
    ],
)
def test_a_wrong_choice_is_one_line_and_no_object(
    capsys: Captured, flags: tuple[str, ...], replaced: dict[str, str], says: str
) -> None:
    assert run(*flags, **replaced) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    assert says in line


def test_a_reference_to_the_pods_address_is_accepted(capsys: Captured) -> None:
    assert run("--env", "NLB_SYNC_ADDRESS=$(POD_IP)") == 0
    assert "value: $(POD_IP)" in capsys.readouterr().out
