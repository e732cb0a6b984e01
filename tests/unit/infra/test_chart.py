"""The files of the Helm chart follow from the objects, and its schema is strict."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from infra.chartvalues import VALUES
from infra.helmchart import CHART, written
from infra.templates import Each, Expr, IfSet, Spread, When, lines, merged
from syncer.decide.selector import Selector, SelectorError
from syncer.manifests.credentials import KINDS

GROUP: dict[str, Any] = {
    "arn": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/http/0123456789abcdef",
    "namespace": "edge",
    "service": "traefik",
    "port": 80,
}


@pytest.mark.parametrize("path", written(), ids=lambda path: path.name)
def test_the_chart_is_up_to_date(path: Path) -> None:
    assert path.read_text() == written()[path], "run: python -m infra.helmchart"


def test_the_chart_has_no_other_file() -> None:
    assert {path for path in CHART.rglob("*") if path.is_file()} == set(written())


@pytest.fixture
def values() -> dict[str, Any]:
    """The chart's defaults with what is required."""
    found: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
    found |= {"image": "registry.example.com/node-nlb-sync:1", "targetGroups": [GROUP]}
    found["identity"]["kind"] = "external"
    return found


def check(values: dict[str, Any]) -> None:
    jsonschema.validate(values, json.loads((CHART / "values.schema.json").read_text()))


@pytest.mark.parametrize("kind", KINDS)
def test_the_defaults_are_accepted_with_what_is_required(values: dict[str, Any], kind: str) -> None:
    role = "arn:aws:iam::123456789012:role/nlb-sync" if kind == "irsa" else ""
    values["identity"] |= {"kind": kind, "roleArn": role}
    check(values)


def objects_of(schema: Any) -> Iterator[dict[str, Any]]:
    """Each part of the schema that describes an object."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for each in schema.values():
            yield from objects_of(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from objects_of(each)


def test_every_object_of_the_schema_refuses_unknown_keys() -> None:
    found = list(objects_of(json.loads((CHART / "values.schema.json").read_text())))
    loose = [each for each in found if each.get("additionalProperties") not in (False, {"type": "string"})]
    assert len(found) > 8
    assert loose == [{"type": "object"}]  # `global`, which helm adds


@pytest.mark.parametrize(
    "wrong",
    [
        {"replicas": "two"},
        {"repicas": 2},
        {"image": ""},
        {"targetGroups": []},
        {"targetGroups": [{**GROUP, "port": 0}]},
        {"targetGroups": [{**GROUP, "port": 65536}]},
        {"targetGroups": [{**GROUP, "port": "99999"}]},
        {"targetGroups": [{**GROUP, "port": "-web"}]},
        {"targetGroups": [{**GROUP, "arn": GROUP["arn"][:-1]}]},
        {"hostNetwork": "yes"},
        {"topologySpread": [{"topologyKey": "zone", "maxSkew": 0}]},
        {"targetGroups": [{"arn": GROUP["arn"]}]},
        {"identity": {"kind": "irsa", "roleArn": ""}},
        {"identity": {"kind": "node-role", "roleArn": "arn:aws:iam::123456789012:role/x"}},
        {"labels": {"app": "x"}},
        {"annotations": {"node-nlb-sync/configuration": "x"}},
        {"env": {"NLB_SYNC_PORT": 80}},
        {"env": {"NLB_SYNC_ZONES": "a"}},
        {"identity": {"kind": "node-role"}, "env": {"AWS_ROLE_ARN": "x"}},
    ],
    ids=json.dumps,
)
def test_a_wrong_value_is_refused(values: dict[str, Any], wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        check({**values, **wrong})


@given(st.text(st.sampled_from("ab/._-1!=<>(), inot")))
@example("a in (b, c)")
@example("x.y/a notin ()")
@example("a == b,!c")
@example("a>-5")
@example("a=b,,c")
@example("a in b")
def test_the_chart_takes_the_label_selectors_of_the_syncer(text: str) -> None:
    try:
        Selector.parse(text)
    except SelectorError:
        taken = False
    else:
        taken = True
    pattern = next(value.schema["pattern"] for value in VALUES if value.name == "labelFilter")
    assert (re.search(pattern, text, re.ASCII) is not None) is taken


def test_entries_keep_their_order_where_kinds_differ() -> None:
    common = {"name": "a"}, Each("$.Values.env", {"name": Expr("$name")})
    variants = {
        "one": [common[0], {"name": "b"}, common[1]],
        "two": [common[0], {"name": "c"}, common[1]],
        "none": [common[0], common[1]],
    }
    first, *between, last = merged(variants)
    assert (first, last) == common
    assert {each.kinds: each.value for each in between} == {("one",): {"name": "b"}, ("two",): {"name": "c"}}


def test_a_field_of_some_kinds_is_conditional_and_an_empty_value_leaves_its_field_out() -> None:
    tree = merged({"one": {"a": 1, "b": IfSet("$.Values.b")}, "two": {"b": IfSet("$.Values.b")}})
    assert tree == {"a": When(("one",), 1), "b": IfSet("$.Values.b")}
    assert lines(tree) == [
        '{{- if eq $.Values.identity.kind "one" }}',
        "a: 1",
        "{{- end }}",
        "{{- with $.Values.b }}",
        "b: {{ toJson . }}",
        "{{- end }}",
    ]


def test_a_map_of_the_user_overrides_what_is_before_it_alone() -> None:
    found = lines({"a": "x", Spread("$.Values.labels"): None, "b": "true"})
    assert found[:3] == ['{{- if not (hasKey $.Values.labels "a") }}', "a: x", "{{- end }}"]
    assert found[-1] == 'b: "true"'
