"""Security groups of nodes that are found by their tags."""

import pytest

from infra.problems import SettingsError
from tests.program.test_program import EGRESS_RULE, INGRESS_RULE, NODES_GROUP, rules
from tests.program.world import VPC, Cloud, Config, Record, RunProgram

KEY = "node-nlb-sync:nodeSecurityGroupTags"
EKS = {"aws:eks:cluster-name": "prod"}
ONE, OTHER = "sg-0000000000000000a", "sg-0000000000000000b"


@pytest.fixture(autouse=True)
def by_tag(config: Config, cloud: Cloud) -> None:
    """Two groups with the tag, one of these in another VPC, and a group of another cluster."""
    del config["node-nlb-sync:nodeSecurityGroupId"]
    config[KEY] = EKS
    cloud.group_tags = {ONE: {**EKS, "Name": "x"}, OTHER: EKS, NODES_GROUP: {"Name": "y"}}
    cloud.groups[OTHER] = "vpc-1"


def line(run: RunProgram) -> str:
    with pytest.raises(SettingsError) as refused:
        run(preview=True)
    assert run.last.resources == []
    (only,) = str(refused.value).split("\n")
    return only


def grouped(record: Record) -> set[str]:
    groups = [each.inputs["securityGroupId"] for each in record.of(INGRESS_RULE).values()]
    return {each for each in groups if isinstance(each, str) and each != "sg-node-nlb"}


def test_the_groups_of_the_vpc_with_the_tags_get_the_rules(run_program: RunProgram) -> None:
    found = run_program()
    assert grouped(found) == {ONE}
    assert rules(found, INGRESS_RULE, ONE) == {(31080, "sg-node-nlb"), (31443, "sg-node-nlb")}
    assert rules(found, EGRESS_RULE, "sg-node-nlb") == {(31080, ONE), (31443, ONE)}


def test_a_further_group_leaves_the_rules_of_the_first(run_program: RunProgram, cloud: Cloud) -> None:
    before = run_program().of(INGRESS_RULE)
    cloud.groups[OTHER] = VPC
    after = run_program(fresh=True).of(INGRESS_RULE)
    assert before.keys() < after.keys()
    assert all(after[name].inputs == each.inputs for name, each in before.items())


def test_ids_and_tags_are_one_list(run_program: RunProgram, config: Config) -> None:
    config["node-nlb-sync:nodeSecurityGroupId"] = NODES_GROUP
    found = run_program()
    assert grouped(found) == {NODES_GROUP, ONE}
    config["node-nlb-sync:nodeSecurityGroupId"] = ONE
    assert grouped(run_program()) == {ONE}


def test_tags_of_no_group_are_one_line(run_program: RunProgram, config: Config) -> None:
    config[KEY] = {"aws:eks:cluster-name": "other"}
    assert line(run_program) == (
        "node-nlb-sync:nodeSecurityGroupTags: read aws:eks:cluster-name=other, the tags of no security "
        f"group; allowed: tags of security groups of vpcId {VPC}; fix: list the tags with: aws ec2 "
        "describe-security-groups --filters Name=vpc-id,Values=<vpcId>"
    )


def test_tags_of_a_group_of_another_vpc_are_one_line(run_program: RunProgram, cloud: Cloud) -> None:
    cloud.groups[ONE] = "vpc-1"
    read = f"aws:eks:cluster-name=prod, the tags of {ONE} of vpc-1, {OTHER} of vpc-1; allowed: "
    assert f"nodeSecurityGroupTags: read {read}" in line(run_program)


def test_tags_of_the_stacks_own_group_are_refused(run_program: RunProgram, config: Config) -> None:
    config["node-nlb-sync:tags"] = {"team": "edge", "env": "prod"}
    config[KEY] = {"team": "edge"}
    with pytest.raises(SettingsError, match="read team, which tags sets on the load balancer's"):
        run_program()
    config["node-nlb-sync:tags"] = {"team": "core"}
    assert "no security group" in line(run_program)


def test_a_denied_read_names_the_right(run_program: RunProgram, cloud: Cloud) -> None:
    cloud.denied = {"ec2:DescribeSecurityGroups"}
    assert "docs/deployer-policy.md" in line(run_program)


def test_too_many_groups_are_refused_under_the_key(run_program: RunProgram, cloud: Cloud) -> None:
    cloud.group_tags = {f"sg-{each:017x}": EKS for each in range(31)}
    cloud.groups.clear()
    assert "nodeSecurityGroupTags: read 31 groups for 2 NodePorts, which are 62 rules" in line(run_program)


def test_a_full_group_is_refused_under_the_key(run_program: RunProgram, cloud: Cloud) -> None:
    cloud.rules = [{"group": ONE} for _ in range(59)]
    assert f"nodeSecurityGroupTags: read {ONE} with 59 rules, beside 2 of the stack" in line(run_program)


def test_a_preview_without_a_configured_provider_has_no_rules(run_program: RunProgram, cloud: Cloud) -> None:
    cloud.unconfigured = True
    assert grouped(run_program(preview=True)) == set()


def test_a_wildcard_is_no_tag(run_program: RunProgram, config: Config) -> None:
    config[KEY] = {"Name": "eks-cluster-sg-*"}
    assert 'nodeSecurityGroupTags.Name: read "eks-cluster-sg-*"; allowed: a tag' in line(run_program)
