"""What must not change unnoticed: type tokens, documented keys, the CLI's schema, module names."""

import importlib.util
import sys
from pathlib import Path

import pytest
import yaml

from infra import shapes
from infra.keys import ROOT as KEYS
from infra.reference import PAGE, with_table
from infra.settings import load
from infra.shapes import REQUIRED, Optional, camel
from tests.unit.infra.world import ROOT, Record, as_text

PROGRAM = ROOT / "infra"


def test_type_tokens_are_frozen_because_they_are_state(record: Record) -> None:
    tokens = {item.type for item in record.resources if item.type.startswith("node-nlb-sync:")}
    assert tokens == {
        "node-nlb-sync:addresses:StaticAddresses",
        "node-nlb-sync:firewall:Firewall",
        "node-nlb-sync:identity:UserIdentity",
        "node-nlb-sync:index:NodeNlb",
        "node-nlb-sync:ingress:IngressService",
        "node-nlb-sync:loadbalancer:LoadBalancer",
        "node-nlb-sync:rights:Rights",
        "node-nlb-sync:workload:Workload",
    }


def test_every_resource_has_a_component_as_its_parent(record: Record) -> None:
    components = {item.urn for item in record.resources if item.type.startswith("node-nlb-sync:")}
    assert [item.name for item in record.resources if item.parent not in components] == ["node-nlb"]


def test_only_the_types_and_functions_of_the_offline_plugins_are_used(record: Record) -> None:
    kinds = {item.type for item in record.resources if item.type.startswith("aws:")}
    assert kinds == {
        "aws:ec2/eip:Eip",
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "aws:lb/loadBalancer:LoadBalancer",
        "aws:lb/targetGroup:TargetGroup",
        "aws:lb/listener:Listener",
        "aws:iam/user:User",
        "aws:iam/userPolicy:UserPolicy",
        "aws:iam/accessKey:AccessKey",
    }


def test_the_documented_keys_are_the_keys_that_there_are() -> None:
    page = PAGE.read_text()
    assert page == with_table(page), "run: python -m infra.reference"


def test_the_projects_schema_declares_each_key_with_its_type_and_default() -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    own = [key for key in declared if ":" not in key]
    assert own == [camel(name) for name in KEYS.fields]
    for name, shape in KEYS.fields.items():
        entry = declared[camel(name)]
        kind = shape.inner.kind if isinstance(shape, Optional) else shape.kind
        assert entry["type"] == kind
        if "default" in entry:
            assert entry["default"] == shape.default
        else:
            assert shape.default is REQUIRED or isinstance(shape, shapes.Record)


def test_the_example_stack_is_a_whole_configuration() -> None:
    stack = yaml.safe_load((ROOT / "docs/examples/Pulumi.prod.yaml").read_text())["config"]
    settings = load(as_text(stack), stack["aws:region"])
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
