"""docs/manifests.md: its commands run, and its policies and samples are those of the code."""

import json
import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from botocore.model import ServiceModel

from infra.chartvalues import VALUES
from infra.helmchart import CHART
from infra.policy import policy
from infra.trust import web_identity
from syncer.__main__ import main
from syncer.commands.cli import _parser, parse
from syncer.commands.manifests import objects
from syncer.manifests.credentials import KINDS, STS_AUDIENCE, of_kind

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/manifests.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
JSON = [json.loads(text) for language, text in BLOCKS if language == "json"]
LINES = [line for language, text in BLOCKS if not language for line in text.splitlines()]
GROUP = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/http/0123456789abcdef"
ACCOUNT = "system:serviceaccount:kube-system:nlb-sync-sa"


def command(program: str) -> list[str]:
    """The words of the page's only command of a program, without a redirection."""
    (line,) = [line for line in LINES if line.startswith(f"{program} ")]
    return shlex.split(line.partition(" > ")[0])[1:]


def test_the_policy_is_the_components() -> None:
    assert JSON[0] == json.loads(policy([GROUP]))


def test_the_trust_policies_are_the_components() -> None:
    _, agent, web = JSON
    assert agent["Statement"][0]["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert agent["Statement"][0]["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert web == json.loads(
        web_identity("arn:aws:iam::123456789012:oidc-provider/oidc.example.com", ACCOUNT)
    )
    assert STS_AUDIENCE in json.dumps(web)


def test_every_kind_has_its_section() -> None:
    assert tuple(re.findall(r"^### `([a-z-]+)`$", PAGE, re.MULTILINE)) == KINDS


def test_the_command_prints_objects_for_the_account_of_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command("nlb-sync")) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    found = {each["kind"]: each for each in yaml.safe_load_all(shown.out)}
    account = found["ServiceAccount"]["metadata"]
    assert f"system:serviceaccount:{account['namespace']}:{account['name']}" == ACCOUNT


def sample() -> dict[str, Any]:
    """The values of the page."""
    (text,) = [text for language, text in BLOCKS if language == "yaml"]
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def test_the_values_are_the_choice_of_the_command() -> None:
    values = sample()
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())
    jsonschema.validate(
        {**defaults, **values, "identity": {**defaults["identity"], **values["identity"]}}, schema
    )
    group = values["targetGroups"][0]
    flags = {
        "--image": values["image"],
        "--identity": values["identity"]["kind"],
        "--zones": ",".join(values["zones"]),
        "--target-group": f"{group['arn']}={group['namespace']}/{group['service']}:{group['port']}",
    }
    given = objects(parse(["manifests", *(word for pair in flags.items() for word in pair)]))
    assert given == objects(parse(command("nlb-sync")))


def test_the_table_has_each_flag_and_names_values_of_the_chart() -> None:
    rows = dict(re.findall(r"^\| (`--.*?`) \| `([^`]+)` \|", PAGE, re.MULTILINE))
    flags = {flag for cell in rows for flag in re.findall(r"--[a-z-]+", cell)}
    actions = [each for each in _parser()._actions if each.dest == "command"]
    parser = actions[0].choices["manifests"]  # type: ignore[index]
    known = {flag for action in parser._actions for flag in action.option_strings}
    assert flags == known - {"-h", "--help", "--json"}
    assert set(rows.values()) - {value.name for value in VALUES} == {"helm --namespace"}


AWS = dict.fromkeys(
    line for line in [*LINES, *re.findall(r"`(aws [^`\n]+)`", PAGE)] if line.startswith("aws ")
)


def dashed(name: str) -> str:
    """An operation or parameter as the AWS CLI spells it."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


@cache
def service_model(name: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(name)


@pytest.mark.parametrize("line", AWS)
def test_aws_commands_name_operations_with_their_parameters(line: str) -> None:
    _, service, operation, *rest = shlex.split(line)
    model = service_model(service)
    names = {dashed(name): name for name in model.operation_names}
    shape = model.operation_model(names[operation]).input_shape
    assert shape is not None
    known = {dashed(name): name for name in shape.members}
    given = {word.removeprefix("--") for word in rest if word.startswith("--")} - {"query", "output"}
    assert given <= set(known)
    assert {known[name] for name in given} >= set(shape.required_members)


def test_the_secret_has_the_keys_that_the_pod_reads() -> None:
    (line,) = [line for line in LINES if "create secret" in line]
    assert set(re.findall(r"--from-literal=([a-z_]+)=", line)) == set(
        of_kind("user-keys").secret_keys.values()
    )
    assert "generic nlb-secret " in line
