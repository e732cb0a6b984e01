"""Arguments of a program: wrong values are refused before a resource, and outputs once they are known."""

from functools import partial
from typing import Any

import pulumi
import pytest
from pulumi.errors import InputPropertiesError

from infra import NodeNlb
from infra.problems import SettingsError
from tests.program.test_host import arguments, construct
from tests.program.world import Config, RunProgram

SYNCER = "node-nlb-sync:syncer"


def component(config: Config, **syncer: Any) -> None:
    """A program with the stack's arguments, and these in `syncer`."""
    args = {key.partition(":")[2]: value for key, value in config.items() if key.startswith("node-nlb-sync:")}
    NodeNlb("nlb", {**args, "syncer": {**args["syncer"], **syncer}})  # type: ignore[typeddict-item]


def test_a_program_gets_the_line_before_anything_is_registered(
    run_program: RunProgram, config: Config
) -> None:
    with pytest.raises(SettingsError) as refused:
        run_program(lambda: component(config, env={"NLB_SYNC_PORT": "0"}), preview=True)
    assert str(refused.value) == (
        'nlb: syncer.env.NLB_SYNC_PORT: read "0"; allowed: 1 to 65535; '
        "fix: remove syncer.env.NLB_SYNC_PORT, or correct its value"
    )
    assert run_program.last.resources == []


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("secret", [True, False])
def test_the_value_of_an_output_is_checked_once_it_is_known(
    run_program: RunProgram, config: Config, *, secret: bool, preview: bool
) -> None:
    def value() -> pulumi.Output[str]:
        return pulumi.Output.secret("hunter2") if secret else pulumi.Output.from_input("hunter2")

    with pytest.raises(
        Exception, match=r"env\.NLB_SYNC_PORT: read a value that is not shown; all"
    ) as refused:
        run_program(lambda: component(config, env={"NLB_SYNC_PORT": value()}), preview=preview)
    assert "hunter2" not in str(refused.value)
    made = {item.type for item in run_program.last.resources}
    assert "kubernetes:apps/v1:Deployment" not in made


def test_an_output_that_is_unknown_or_right_is_accepted(run_program: RunProgram, config: Config) -> None:
    unknown: pulumi.Output[str] = pulumi.Output.from_input(pulumi.UNKNOWN)  # type: ignore[arg-type]
    for value in (unknown, pulumi.Output.secret("9090")):
        env = {"NLB_SYNC_PORT": value}
        record = run_program(partial(component, config, env=env), preview=True)
        assert len(record.of("kubernetes:apps/v1:Deployment")) == 1


def test_programs_in_other_languages_get_the_property(run_program: RunProgram, config: Config) -> None:
    config[SYNCER] |= {"env": {"NLB_SYNC_PORT": "0"}, "labelFilter": "a b"}
    with pytest.raises(InputPropertiesError) as refused:
        run_program(construct(arguments(config)), preview=True)
    paths = [each["property_path"] for each in refused.value.errors or []]
    assert paths == ["syncer.env.NLB_SYNC_PORT", "syncer.labelFilter"]
    assert run_program.last.resources == []


def test_a_program_gets_all_of_it_in_lines(run_program: RunProgram, config: Config) -> None:
    config["node-nlb-sync:tags"] = {"AWS:x": "y"}
    wrong = {"image": "Team/app", "resources": {"limits": {"memory": "400m"}}}
    with pytest.raises(SettingsError) as refused:
        run_program(lambda: component(config, **wrong), preview=True)
    paths = [line.split(": ")[1] for line in str(refused.value).split("\n")]
    assert paths == ["syncer.image", "syncer.resources.limits.memory", "tags"]
    assert run_program.last.resources == []


def test_an_output_is_held_to_the_form_once_it_is_known(run_program: RunProgram, config: Config) -> None:
    with pytest.raises(Exception, match=r'syncer\.image: read "Team/app"; allowed: an image reference'):
        run_program(lambda: component(config, image=pulumi.Output.from_input("Team/app")), preview=True)
