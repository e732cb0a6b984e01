"""The wording of a fix: a command on the stack configuration, or a change of an argument."""

import pytest

from infra.problems import Change, Problem, SettingsError

CHANGES = [
    (Change("targetQuota", "500"), "pulumi config set targetQuota 500", "set targetQuota to 500"),
    (
        Change("listeners[0].port", "80", after=", or remove it"),
        "pulumi config set --path 'node-nlb-sync:listeners[0].port' 80, or remove it",
        "set listeners[0].port to 80, or remove it",
    ),
    (
        Change('tags["a b/c"]', "x"),
        "pulumi config set --path 'node-nlb-sync:tags[\"a b/c\"]' x",
        'set tags["a b/c"] to x',
    ),
    (
        Change("syncer.build.password", "<password>", secret=True),
        "pulumi config set --secret --path 'node-nlb-sync:syncer.build.password' <password>",
        "set syncer.build.password to <password>",
    ),
    (
        Change("vpcId", None, before="stop, then "),
        "stop, then pulumi config rm node-nlb-sync:vpcId",
        "stop, then remove vpcId",
    ),
    (
        Change("zones.a.allocationId", None),
        "pulumi config rm --path 'node-nlb-sync:zones.a.allocationId'",
        "remove zones.a.allocationId",
    ),
]


@pytest.mark.parametrize(("fix", "command", "words"), CHANGES)
def test_a_change_is_a_command_for_a_stack_and_words_for_a_program(
    fix: Change, command: str, words: str
) -> None:
    problem = Problem("key", "1", "2", fix)
    assert problem.in_stack() == f"node-nlb-sync:key: read 1; allowed: 2; fix: {command}"
    assert problem.in_program() == f"key: read 1; allowed: 2; fix: {words}"


def test_the_error_names_the_component_whose_arguments_are_wrong() -> None:
    wrong = [Problem("key", "1", "2", "remove it")] * 52
    lines = str(SettingsError(wrong, component="edge")).splitlines()
    assert lines[0] == "edge: key: read 1; allowed: 2; fix: remove it"
    assert lines[-1] == "edge: 2 more problems; fix these first"
    assert str(SettingsError(wrong)).splitlines()[0].startswith("node-nlb-sync:key: ")
