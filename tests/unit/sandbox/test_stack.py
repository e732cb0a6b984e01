import json
import os
import re
from pathlib import Path

import pytest

from sandbox.layout import Layout
from sandbox.stack import Stack, StackError, interrupted, outputs


def stack(tmp_path: Path) -> Stack:
    return Stack(root=tmp_path, layout=Layout(directory=tmp_path), pulumi=tmp_path / "tools/pulumi")


def test_the_shell_knows_the_sandbox_and_no_account_of_the_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_PROFILE", "AWS_SECRET_ACCESS_KEY", "KUBECONFIG", "PULUMI_ACCESS_TOKEN"):
        monkeypatch.setenv(name, "mine")
    environment = stack(tmp_path).environment()
    assert "mine" not in environment.values()
    assert environment["KUBECONFIG"] == str(tmp_path / "kubeconfig")
    assert environment["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/pulumi"
    assert environment["AWS_ENDPOINT_URL"] == stack(tmp_path).layout.aws_url
    assert environment["PATH"].startswith(f"{tmp_path}/bin:{tmp_path}/tools:")


def test_dependents_are_asked_of_the_programs_own_command(tmp_path: Path) -> None:
    exporting = tmp_path / "tools/pulumi"
    exporting.parent.mkdir()
    exporting.write_text('#!/bin/sh\necho "state of $*"\n')
    exporting.chmod(0o755)
    command = tmp_path / "infra/dependents.py"
    command.parent.mkdir()
    (tmp_path / "infra/__init__.py").touch()
    command.write_text("import sys\nprint('asked with', sys.stdin.read().strip())\nsys.exit(1)\n")
    assert stack(tmp_path).dependents() == ["asked with state of stack export --stack dev"]
    command.write_text("print('no user')\n")
    assert stack(tmp_path).dependents() == []


def test_outputs_are_read_from_the_state_and_empty_without_one(tmp_path: Path) -> None:
    layout = Layout(directory=tmp_path)
    assert outputs(layout) == {}
    assert not stack(tmp_path).exists()
    path = layout.pulumi_backend / ".pulumi/stacks/node-nlb-sync/dev.json"
    path.parent.mkdir(parents=True)
    resources = [
        {"type": "aws:ec2/eip:Eip", "outputs": {"id": "x"}},
        {"type": "pulumi:pulumi:Stack", "outputs": {"dnsName": "lb"}},
    ]
    path.write_text(json.dumps({"checkpoint": {"latest": {"resources": resources}}}))
    assert outputs(layout) == {"dnsName": "lb"}
    assert stack(tmp_path).exists()


def test_an_emptied_stack_has_no_outputs(tmp_path: Path) -> None:
    path = tmp_path / "pulumi/.pulumi/stacks/node-nlb-sync/dev.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"checkpoint": {"latest": {}}}))
    assert outputs(Layout(directory=tmp_path)) == {}


@pytest.mark.parametrize(
    ("what", "key"),
    [
        ("Stack 'dev' is missing configuration value 'vpcId'", "vpcId"),
        ("Stack 'dev' with configuration key 'crossZone' must be of type 'boolean'", "crossZone"),
    ],
)
def test_a_configuration_that_the_engine_refuses_is_one_line_with_a_way_out(
    tmp_path: Path, what: str, key: str
) -> None:
    refusing = tmp_path / "tools/pulumi"
    refusing.parent.mkdir()
    refusing.write_text(f'#!/bin/sh\necho "error: validating stack config: {what}"\nexit 255\n')
    refusing.chmod(0o755)
    with pytest.raises(StackError) as refused:
        stack(tmp_path).up(print)
    assert str(refused.value) == (
        f"Pulumi.dev.yaml: {what}; set node-nlb-sync:{key} (allowed values: docs/keys.md)"
    )


@pytest.mark.parametrize(
    ("said", "repeated"),
    [
        ("  stack:\n    error: interval: read five\n    error: program exited with non-zero exit code: 1", 2),
        ("  stack:\n    error: program exited with non-zero exit code: 1", 2),
    ],
)
def test_of_a_failed_run_only_what_went_wrong_is_repeated(tmp_path: Path, said: str, repeated: int) -> None:
    failing = tmp_path / "tools/pulumi"
    failing.parent.mkdir()
    whole = f"Updating\nDiagnostics:\n{said}\n\nOutputs:\n    ip: 1\nDuration: 1s"
    failing.write_text(f"#!/bin/sh\ncat <<END\n{whole}\nEND\nexit 1\n")
    failing.chmod(0o755)
    with pytest.raises(StackError) as failed:
        stack(tmp_path).up(print)
    assert str(failed.value).splitlines()[1:] == said.splitlines()[:repeated]


def saved(layout: Layout, latest: dict[str, object], lock_of: int | None = None) -> Layout:
    """A sandbox with a state of the stack, locked by process `lock_of` if one is given."""
    state = layout.pulumi_backend / ".pulumi/stacks/node-nlb-sync/dev.json"
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({"checkpoint": {"latest": latest}}))
    if lock_of is not None:
        lock = layout.pulumi_backend / ".pulumi/locks/organization/node-nlb-sync/dev/1.json"
        lock.parent.mkdir(parents=True)
        lock.write_text(json.dumps({"pid": lock_of}))
    return layout


def test_a_run_that_ended_or_is_still_going_on_was_not_interrupted(tmp_path: Path) -> None:
    assert not interrupted(Layout(directory=tmp_path / "new"))
    assert not interrupted(saved(Layout(directory=tmp_path / "ended"), {"resources": []}))
    assert not interrupted(saved(Layout(directory=tmp_path / "working"), {}, lock_of=os.getpid()))


def test_an_operation_left_open_is_an_interrupted_run(tmp_path: Path) -> None:
    assert interrupted(saved(Layout(directory=tmp_path), {"pending_operations": [{"type": "creating"}]}))


def test_n2_the_configuration_in_git_names_no_address_and_no_port_of_a_sandbox() -> None:
    text = (Path(__file__).parents[3] / "Pulumi.dev.yaml").read_text()
    assert "aws:region" in text
    assert not re.search(r"127\.|localhost|://|\b\d{4,5}\b(?![\w=/+])", text.partition("config:")[2])
