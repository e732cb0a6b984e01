"""What must not change unnoticed: type tokens, documented keys, the CLI's schema, module names."""

import importlib.util
import json
import sys
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from infra.effects import EFFECTS, effect
from infra.keys import ROOT as KEYS
from infra.keytable import table
from infra.settings import load
from infra.shapes import camel

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "infra"


def test_each_effect_belongs_to_a_key() -> None:
    keys = {line.split("`")[1] for line in table().splitlines()[2:]}
    assert set(EFFECTS) <= keys
    assert all(line.split(" | ")[-1] != " |" for line in table().splitlines())


def test_a_key_without_an_effect_is_an_error() -> None:
    assert effect("listeners[].healthCheck.path") == EFFECTS["listeners[].healthCheck"]
    with pytest.raises(KeyError, match="absent"):
        effect("absent.inner")


def test_the_cli_knows_each_key_with_its_type_and_default() -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    own = {key: entry for key, entry in declared.items() if ":" not in key}
    assert list(own) == [camel(name) for name in KEYS.fields]
    assert declared["deregistrationDelay"] == {
        "type": "integer",
        "description": KEYS.fields["deregistration_delay"].reason,
        "default": 120,
    }
    assert [key for key, entry in own.items() if "default" not in entry] == []


STACKS = [
    ROOT / "Pulumi.dev.yaml",
    *sorted((ROOT / "docs/examples").glob("Pulumi.*.yaml")),
    ROOT / "examples/kops/Pulumi.kops.yaml",
]


@pytest.mark.parametrize("stack", STACKS, ids=lambda path: path.name)
def test_an_editor_finds_nothing_wrong_with_the_stacks_here(stack: Path) -> None:
    schema = json.loads((ROOT / "docs/stack.schema.json").read_text())
    jsonschema.validate(yaml.safe_load(stack.read_text()), schema)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("node-nlb-sync:zones", {"eu-central-1a": {"subnetId": "sn-1"}}),
        ("node-nlb-sync:zons", {}),
        ("node-nlb-sync:crossZone", "yes"),
        ("node-nlb-sync:syncer", {"image": "x:1", "replicas": 6}),
    ],
)
def test_an_editor_marks_what_the_program_would_refuse(key: str, value: object) -> None:
    schema = json.loads((ROOT / "docs/stack.schema.json").read_text())
    stack = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    stack["config"][key] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(stack, schema)


def test_the_example_stack_is_a_whole_configuration() -> None:
    stack = yaml.safe_load((ROOT / "docs/examples/Pulumi.prod.yaml").read_text())["config"]
    text = {key: value if isinstance(value, str) else json.dumps(value) for key, value in stack.items()}
    settings = load(text, stack["aws:region"])
    assert settings.addresses.keep
    assert not settings.ingress.create


@pytest.mark.parametrize("module", sorted(PROGRAM.glob("*.py")), ids=lambda path: path.stem)
def test_no_module_of_the_program_shadows_a_library(module: Path) -> None:
    """Pulumi puts infra/ first on the path: a module named like a library would be imported in its stead."""
    if module.stem in {"__init__", "__main__"}:
        return
    assert module.stem not in sys.stdlib_module_names
    assert importlib.util.find_spec(module.stem) is None


def test_the_entry_point_is_short_enough_to_be_read_at_a_glance() -> None:
    assert len((PROGRAM / "__main__.py").read_text().splitlines()) <= 40
