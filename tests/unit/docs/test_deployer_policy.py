"""docs/deployer-policy.md and its policies: what they allow, for which kinds, and how they are found."""

import json
import os
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from infra.identitykeys import EXTERNAL, KINDS, USER_KEYS
from sandbox.deployer import COMMON, DOCUMENTS, NOT_CALLED, PARTS, PLACEHOLDERS, actions

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/deployer-policy.md").read_text()
ROW = re.compile(r"^\| `(?P<kind>[a-z-]+)` \| (?P<files>\[.+?) \| (?P<placeholders>.+) \|$", re.MULTILINE)
MODELS = {
    "acm": "acm",
    "ec2": "ec2",
    "elasticloadbalancing": "elbv2",
    "iam": "iam",
    "eks": "eks",
    "ecr": "ecr",
    "servicequotas": "service-quotas",
    "route53": "route53",
    "cloudwatch": "cloudwatch",
}
# Actions that are no operation of their service.
PERMISSIONS_ONLY = {"iam:PassRole"}
# IAM's quota for a managed policy, without white space.
MOST_CHARACTERS = 6144
# For an image that `pulumi up` builds: there is no ECR in the sandbox, so no test calls any of it.
IMAGE = "image"
FILES = sorted(DOCUMENTS.glob("*.json"))


def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DOCUMENTS / f"{name}.json").read_text())
    return found


def test_every_kind_has_a_row_with_its_policies_and_their_placeholders() -> None:
    rows = {row["kind"]: row for row in ROW.finditer(PAGE)}
    assert set(rows) == set(KINDS)
    for kind, row in rows.items():
        names = [COMMON] if kind == EXTERNAL else [COMMON, kind]
        assert re.findall(r"\[[a-z-]+\]\(deployer-policy/([a-z-]+)\.json\)", row["files"]) == names
        text = "".join((DOCUMENTS / f"{name}.json").read_text() for name in names)
        used = {name for name in PLACEHOLDERS if re.search(rf"\b{name}\b", text)}
        assert set(re.findall(r"`([A-Z]+)`", row["placeholders"])) == used


def test_every_part_around_the_load_balancer_has_its_policy_and_its_placeholders() -> None:
    row = r"^\| key `\w+` \| \[([a-z-]+)\]\(deployer-policy/([a-z-]+)\.json\) \| (.+) \|$"
    found = re.findall(row, PAGE, re.MULTILINE)
    assert sorted(file for _, file, _ in found) == list(PARTS)
    for name, file, placeholders in found:
        text = (DOCUMENTS / f"{file}.json").read_text()
        assert name == file
        assert set(re.findall(r"`([A-Z]+)`", placeholders)) == {
            each for each in PLACEHOLDERS if re.search(rf"\b{each}\b", text)
        }


def test_the_pages_command_creates_policies_without_placeholders(tmp_path: Path) -> None:
    command = PAGE.partition("## Create the policies")[2].split("```")[1].replace("/tmp", str(tmp_path))  # noqa: S108
    aws = tmp_path / "aws"
    aws.write_text(
        f'#!/bin/sh\necho "$4" >> {tmp_path}/created; cat "${{6#file://}}" >> {tmp_path}/documents\n'
    )
    aws.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["bash", "-euc", command], cwd=ROOT, env={"PATH": path}, check=True)
    names = ["node-nlb-sync-deployer-common", "node-nlb-sync-deployer-pod-identity"]
    assert (tmp_path / "created").read_text().split() == names
    documents = (tmp_path / "documents").read_text()
    assert documents.count('"Version"') == 2
    assert [name for name in PLACEHOLDERS if re.search(rf"\b{name}\b", documents)] == []


def test_no_policy_is_left_over() -> None:
    assert {file.stem for file in FILES} == {COMMON, IMAGE, *PARTS, *KINDS} - {EXTERNAL}


@pytest.mark.parametrize("name", sorted({COMMON, *KINDS} - {EXTERNAL, USER_KEYS}))
def test_only_user_keys_needs_actions_on_users_and_access_keys(name: str) -> None:
    found = actions(document(name)) | actions(document(name), marked=True)
    assert [each for each in found if re.match(r"iam:.*(User|AccessKey)", each)] == []


@cache
def operations() -> frozenset[str]:
    """Every operation of the services that a deployer calls, as a policy names it: models of megabytes."""
    session = botocore.session.get_session()
    return frozenset(
        f"{service}:{operation}"
        for service, model in MODELS.items()
        for operation in session.get_service_model(model).operation_names
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_policy_names_actions_that_exist_and_fits_into_a_managed_policy(file: Path) -> None:
    found = json.loads(file.read_text())
    assert (actions(found) | actions(found, marked=True)) - operations() - PERMISSIONS_ONLY == set()
    assert len(re.sub(r"\s", "", file.read_text())) < MOST_CHARACTERS


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_no_test_calls_is_marked(file: Path) -> None:
    found = json.loads(file.read_text())
    marked = actions(found, marked=True)
    if file.stem == IMAGE:
        assert actions(found) == set()
        return
    assert marked == set(NOT_CALLED.get(file.stem, {}))
    assert marked & actions(found) == set()


def test_a_role_is_passed_to_eks_alone() -> None:
    (passing,) = [each for each in document("pod-identity")["Statement"] if "iam:PassRole" in each["Action"]]
    assert passing["Action"] == ["iam:PassRole"]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "pods.eks.amazonaws.com"}}
