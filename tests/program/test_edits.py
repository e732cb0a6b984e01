"""Logical names and options that decide whether an edit of the configuration replaces something."""

from typing import Any

import pytest

from tests.program.test_program import INGRESS_RULE, NODES_GROUP, object_names, rules
from tests.program.world import Cloud, Config, Record, RunProgram

POOLS = ("publicIpv4Pool", "ipamPoolId")
POOL = "sg-0123456789abcdef0"
GROUPS = "node-nlb-sync:nodeSecurityGroupIds"
GROUP = "node-nlb-sync:nodeSecurityGroupId"


def names(record: Record) -> set[str]:
    """Type and logical name of each resource in AWS."""
    return {f"{item.type.rpartition(':')[2]} {item.name}" for item in record.resources if "aws:" in item.type}


def test_logical_names_are_frozen_because_they_are_state(record: Record) -> None:
    assert names(record) == {
        "Eip node-nlb-eu-central-1a",
        "Eip node-nlb-eu-central-1b",
        "Eip node-nlb-eu-central-1c",
        "SecurityGroup node-nlb",
        "LoadBalancer node-nlb",
        "TargetGroup node-nlb-80",
        "TargetGroup node-nlb-443",
        "Listener node-nlb-80",
        "Listener node-nlb-443",
        "SecurityGroupIngressRule node-nlb-80-from-0.0.0.0/0",
        "SecurityGroupIngressRule node-nlb-443-from-0.0.0.0/0",
        "SecurityGroupEgressRule node-nlb-80-to-nodes",
        "SecurityGroupEgressRule node-nlb-443-to-nodes",
        "SecurityGroupIngressRule node-nlb-nodes-80-from-load-balancer",
        "SecurityGroupIngressRule node-nlb-nodes-443-from-load-balancer",
        "User node-nlb",
        "UserPolicy node-nlb",
        "AccessKey node-nlb",
    }


def test_version_0_1_0_is_found_by_its_names(record: Record) -> None:
    formerly = {item.name: item.aliases for item in record.resources if item.aliases}
    assert formerly == {
        "node-nlb-80": ("node-nlb-http",),
        "node-nlb-443": ("node-nlb-https",),
        "node-nlb-80-from-0.0.0.0/0": ("node-nlb-http-from-0.0.0.0/0",),
        "node-nlb-443-from-0.0.0.0/0": ("node-nlb-https-from-0.0.0.0/0",),
        "node-nlb-namespace-kept": ("node-nlb",),
    }


def test_names_of_listeners_and_ingress_ports_are_in_no_logical_name(
    run_program: RunProgram, config: Config, record: Record
) -> None:
    config["node-nlb-sync:ingress"] |= {"ports": [{"name": "a", "port": 80}, {"name": "b", "port": 443}]}
    config["node-nlb-sync:healthCheck"] |= {"servicePort": "a"}
    config["node-nlb-sync:listeners"] = [
        {"name": "one", "port": 80, "servicePort": "b"},
        {"name": "two", "port": 443, "servicePort": "a"},
    ]
    assert names(run_program()) == names(record)


def test_each_node_security_group_has_the_rules(run_program: RunProgram, config: Config) -> None:
    del config[GROUP]
    config[GROUPS] = [NODES_GROUP, POOL]
    record = run_program()
    for group in (NODES_GROUP, POOL):
        assert rules(record, INGRESS_RULE, group) == {(31080, "sg-node-nlb"), (31443, "sg-node-nlb")}


def test_the_rules_of_a_health_port_keep_their_names_in_another_preset(
    run_program: RunProgram, config: Config
) -> None:
    """Kubernetes keeps the NodePort of the port `health`, and AWS refuses a second rule for it."""
    del config["node-nlb-sync:healthCheck"]
    found = []
    for preset in ("traefik", "istio"):
        config["node-nlb-sync:ingress"] = {"preset": preset}
        found.append(names(run_program()))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("one", "several", "line"),
    [
        ("", [], "nodeSecurityGroupId: read nothing; allowed: the id of a security group, a list in"),
        (NODES_GROUP, [POOL], "beside nodeSecurityGroupIds; .* fix: put sg-74bf20f876ffc474c first in"),
        ("", [POOL, POOL], r"nodeSecurityGroupIds\[1\]: read .* a second time"),
        ("", ["pool"], r'nodeSecurityGroupIds\[0\]: read "pool"; allowed: the id of a security group'),
    ],
    ids=["none", "both keys", "twice", "no id"],
)
def test_node_security_groups_are_given_once(
    run_program: RunProgram, config: Config, one: str, several: list[Any], line: str
) -> None:
    config[GROUP], config[GROUPS] = one, several
    with pytest.raises(Exception, match=line):
        run_program()
    assert run_program.last.resources == []


def test_the_namespace_is_a_patch_which_no_deletion_deletes(record: Record) -> None:
    patch = record.one("kubernetes:core/v1:NamespacePatch")
    assert patch.inputs["metadata"] == {"name": "ingress-traefik"}
    assert patch.urn in record.before(record.one("kubernetes:core/v1:Service"))
    assert "kubernetes:core/v1:Namespace" not in {item.type for item in record.resources}


@pytest.mark.parametrize("ingress", [{"create": False}, {"createNamespace": False}])
def test_the_namespace_is_made_on_request_alone(
    run_program: RunProgram, config: Config, ingress: dict[str, Any]
) -> None:
    config["node-nlb-sync:ingress"] = ingress
    record = run_program(adopted={"http": 30001, "https": 30002})
    assert "Namespace ingress-traefik" not in object_names(record)


def test_the_tags_of_a_found_address_are_left_alone(
    run_program: RunProgram, config: Config, cloud: Cloud
) -> None:
    eip = "aws:ec2/eip:Eip"
    config["node-nlb-sync:addresses"] = {}
    made = run_program().of(eip)["node-nlb-eu-central-1b"]
    assert made.ignore_changes == POOLS
    cloud.kept.append(("eipalloc-0000000000000000b", {**made.inputs["tags"], "cost-centre": "4711"}))
    found = run_program().of(eip)["node-nlb-eu-central-1b"]
    assert found.ignore_changes == (*POOLS, "tags")
