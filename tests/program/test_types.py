"""Types that states, the sandbox's plugins and generated files depend on."""

from pathlib import Path

import pytest

from infra.reference import written
from tests.program.world import Record


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


@pytest.mark.parametrize("path", written(), ids=lambda path: path.name)
def test_what_follows_from_the_declarations_is_up_to_date(path: Path) -> None:
    assert path.read_text() == written()[path], "run: python -m infra.reference"
