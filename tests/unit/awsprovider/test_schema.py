"""Names and types read from the source text of the SDK, and where they are kept."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.plugins.aws import schema
from sandbox.plugins.aws.package import package_schema
from sandbox.plugins.aws.schema import FUNCTIONS, PROVIDER, RESOURCES, Shape, shapes


@pytest.fixture(scope="module")
def extracted() -> dict[str, Shape]:
    """The whole table, from the source text of the SDK: a second of parsing."""
    return schema._extract(schema._sdk())


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extracted: dict[str, Shape]) -> Iterator[Path]:
    """An empty cache, before which the source text is read."""
    monkeypatch.setenv("NODE_NLB_SYNC_CACHE", str(tmp_path))
    monkeypatch.setattr(schema, "_extract", lambda _: extracted)
    schema._shapes.cache_clear()
    yield tmp_path
    schema._shapes.cache_clear()


@pytest.mark.parametrize("token", RESOURCES)
def test_every_input_is_an_output_too(token: str) -> None:
    shape = shapes()[token]
    assert set(shape.inputs) <= set(shape.outputs)


def test_types_nest_as_deep_as_the_sdk_does() -> None:
    health = shapes()["aws:lb/targetGroup:TargetGroup"].inputs["targetGroupHealth"]
    assert health.properties["dnsFailover"].properties["minimumHealthyTargetsCount"].kind == "string"
    mappings = shapes()["aws:lb/loadBalancer:LoadBalancer"].inputs["subnetMappings"]
    assert mappings.item is not None
    assert mappings.item.properties["allocationId"].kind == "string"
    assert shapes()["aws:iam/userPolicy:UserPolicy"].inputs["policy"].json
    assert shapes()["aws:ec2/getSubnet:getSubnet"].inputs["tags"].kind == "map"
    endpoints = shapes()[PROVIDER].inputs["endpoints"].item
    assert endpoints is not None
    assert {"ec2", "elbv2", "elasticloadbalancingv2", "iam", "sts"} <= set(endpoints.properties)


def test_the_table_is_kept_and_read_again_the_same(
    cache: Path, monkeypatch: pytest.MonkeyPatch, extracted: dict[str, Shape]
) -> None:
    assert shapes() == extracted
    kept = list(cache.iterdir())
    assert [each.suffix for each in kept] == [".json"]
    schema._shapes.cache_clear()
    monkeypatch.setattr(schema, "_extract", lambda _: {})
    assert shapes() == extracted
    assert set(extracted) == {*RESOURCES, *FUNCTIONS, PROVIDER}


@pytest.mark.parametrize("broken", ["", '{"a": {"inputs": {"b": {}}}}'])
def test_a_broken_cache_is_replaced(cache: Path, extracted: dict[str, Shape], broken: str) -> None:
    assert shapes() == extracted
    kept = next(cache.iterdir())
    kept.write_text(broken)
    schema._shapes.cache_clear()
    assert shapes() == extracted
    assert len(kept.read_text()) > len(broken)


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = cache / "file"
    blocked.write_text("")
    monkeypatch.setenv("NODE_NLB_SYNC_CACHE", str(blocked))
    assert set(RESOURCES) <= set(shapes())


def test_the_package_schema_has_each_token_and_no_reference_without_a_type() -> None:
    package = package_schema("7.51.1", shapes())
    assert set(package["resources"]) == set(RESOURCES)
    assert set(package["functions"]) == set(FUNCTIONS)
    references = set(re.findall(r'"#/types/([^"]+)"', json.dumps(package)))
    assert references == set(package["types"])
    balancer = package["resources"]["aws:lb/loadBalancer:LoadBalancer"]
    mapping = "aws:lb/LoadBalancerSubnetMappings:LoadBalancerSubnetMappings"
    assert balancer["inputProperties"]["subnetMappings"]["items"] == {"$ref": f"#/types/{mapping}"}
    assert package["types"][mapping]["properties"]["allocationId"] == {"type": "string"}
    assert balancer["properties"]["dnsName"] == {"$ref": "pulumi.json#/Any"}
    assert package["resources"]["aws:lb/listener:Listener"]["requiredInputs"] == [
        "defaultActions",
        "loadBalancerArn",
    ]
