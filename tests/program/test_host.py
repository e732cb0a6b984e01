"""The component as programs in other languages get it: raw arguments from the wire, errors by property."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pulumi.errors import InputPropertiesError

import syncer.version
from infra.host import NodeNlbProvider
from infra.settings import decoded
from tests.program.world import ROOT, Config, Record, RunProgram, as_text

TOKEN = "node-nlb-sync:index:NodeNlb"


def from_the_wire(value: Any) -> Any:
    """As the engine hands arguments over: every number is a double."""
    if isinstance(value, dict):
        return {key: from_the_wire(each) for key, each in value.items()}
    if isinstance(value, list):
        return [from_the_wire(each) for each in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def arguments(config: Config) -> dict[str, Any]:
    found: dict[str, Any] = from_the_wire(dict(decoded(as_text(config))))
    return found


def construct(arguments: dict[str, Any]) -> Callable[[], None]:
    def program() -> None:
        NodeNlbProvider().construct("node-nlb", TOKEN, arguments)

    return program


def test_it_gets_the_resources_of_the_stack_of_the_same_arguments(
    run_program: RunProgram, config: Config, record: Record
) -> None:
    found = run_program(construct(arguments(config)))
    stack = {(item.type, item.name): item.inputs for item in record.resources}
    assert {(item.type, item.name) for item in found.resources} == set(stack)
    ports = [item.inputs["port"] for item in found.of("aws:lb/listener:Listener").values()]
    assert sorted(ports) == [80, 443]


def test_every_wrong_argument_is_an_error_of_its_property(run_program: RunProgram, config: Config) -> None:
    wrong = arguments(config) | {"crossZone": "yes", "targetQuotas": 1.0, "deregistrationDelay": 1.5}
    with pytest.raises(InputPropertiesError) as refused:
        run_program(construct(wrong))
    errors = {each["property_path"]: each["reason"] for each in refused.value.errors or []}
    assert set(errors) == {"crossZone", "targetQuotas", "deregistrationDelay"}
    assert errors["targetQuotas"].endswith("fix: did you mean targetQuota?")
    assert errors["crossZone"] == 'crossZone: read "yes"; allowed: true or false; fix: set crossZone to false'
    assert run_program.last.resources == []


def test_its_version_is_the_syncers() -> None:
    assert NodeNlbProvider().version == syncer.version.VERSION


def test_the_schema_has_each_argument_with_its_type() -> None:
    schema = json.loads((ROOT / "plugin/schema.json").read_text())
    component = schema["resources"][TOKEN]
    assert component["isComponent"]
    assert component.get("requiredInputs", []) == []
    zone = schema["types"]["node-nlb-sync:index:Zone"]["properties"]["subnetId"]
    assert zone["type"] == "string"
    assert "plain" not in zone, "an id may be an Output"
    assert {"staticIps", "dnsName", "hostedZoneId", "policy"} <= set(component["properties"])
