"""`python -m infra.dependents` against the simulated AWS: what keeps a stack's resources from deletion."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.layout import REGION
from tests.integration.cloud.world import ZONES, Cloud, name

ROOT = Path(__file__).resolve().parents[3]


def _group(cloud: Cloud) -> str:
    return cloud.ec2.create_security_group(
        GroupName=name("group"), Description="for a test", VpcId=cloud.network.vpc_id
    )["GroupId"]


def _rule(cloud: Cloud, group: str, names: str) -> str:
    pair: Any = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "UserIdGroupPairs": [{"GroupId": names}]}
    made = cloud.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[pair])
    return made["SecurityGroupRules"][0]["SecurityGroupRuleId"]


def _resource(kind: str, ident: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "id": ident, "outputs": {"region": REGION}, **more}


def _asked(cloud: Cloud, *resources: dict[str, Any]) -> tuple[int, list[str]]:
    """The command's exit code and lines for a state with these resources."""
    stack = {"type": "pulumi:pulumi:Stack", "outputs": {}}
    exported = json.dumps({"version": 3, "deployment": {"resources": [stack, *resources]}})
    environ = {
        **os.environ,
        "AWS_ENDPOINT_URL": cloud.url,
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
    }
    done = subprocess.run(
        [sys.executable, "-m", "infra.dependents"],
        check=False,
        cwd=ROOT,
        env=environ,
        input=exported,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


GROUP = "aws:ec2/securityGroup:SecurityGroup"
EIP = "aws:ec2/eip:Eip"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


def test_a_foreign_rule_is_named_with_the_command_that_revokes_it(cloud: Cloud) -> None:
    ours, nodes, foreign = _group(cloud), _group(cloud), _group(cloud)
    own, other = _rule(cloud, nodes, ours), _rule(cloud, foreign, ours)
    state = (_resource(GROUP, ours), _resource(RULE, own))
    code, told = _asked(cloud, *state)
    revoke = (
        f"run: aws ec2 revoke-security-group-ingress --group-id {foreign} --security-group-rule-ids {other}"
    )
    assert (code, told) == (
        1,
        [f"security group {ours}: rule {other} of security group {foreign} refers to it; {revoke}"],
    )
    cloud.ec2.revoke_security_group_ingress(GroupId=foreign, SecurityGroupRuleIds=[other])
    assert _asked(cloud, *state) == (0, ["no resource outside the stack uses the stack's resources"])
    cloud.ec2.revoke_security_group_ingress(GroupId=nodes, SecurityGroupRuleIds=[own])
    cloud.ec2.delete_security_group(GroupId=ours)


def test_an_associated_address_is_named_with_what_has_it(cloud: Cloud) -> None:
    address, kept = cloud.address(), cloud.address()
    node = cloud.fresh_node()
    for one in (address, kept):
        cloud.ec2.associate_address(AllocationId=one, InstanceId=node, AllowReassociation=True)
    cloud.ec2.associate_address(AllocationId=address, InstanceId=node, AllowReassociation=True)
    found: Any = cloud.ec2.describe_addresses(AllocationIds=[address])["Addresses"][0]
    code, told = _asked(cloud, _resource(EIP, address), _resource(EIP, kept, retainOnDelete=True))
    assert code == 1
    line = (
        f"address {address} ({found['PublicIp']}): network interface {found['NetworkInterfaceId']} "
        f"(instance {node}) has it; run: aws ec2 disassociate-address "
        f"--association-id {found['AssociationId']}"
    )
    assert told == [line]


def test_only_the_interfaces_of_the_stacks_own_load_balancer_are_expected(cloud: Cloud) -> None:
    cloud.faults(interface_linger_s=600)
    group, address = _group(cloud), cloud.address()
    mapping = {"SubnetId": cloud.network.subnet_ids[ZONES[0]], "AllocationId": address}
    balancer = cloud.balancer(SubnetMappings=[mapping], SecurityGroups=[group])
    suffix = balancer.partition(":loadbalancer/")[2]
    own = {"type": "aws:lb/loadBalancer:LoadBalancer", "id": balancer, "outputs": {"arnSuffix": suffix}}
    state = (_resource(GROUP, group), _resource(EIP, address))
    assert _asked(cloud, *state, own)[0] == 0

    cloud.elb.delete_load_balancer(LoadBalancerArn=balancer)
    code, told = _asked(cloud, *state)
    assert code == 1
    assert [line.partition(":")[0] for line in told] == [
        f"security group {group}",
        told[1].partition(":")[0],
    ]
    assert told[1].startswith(f"address {address} (")
    for line in told:
        assert f"(ELB {suffix})" in line
        assert "wait, then run `pulumi destroy` again" in line


@pytest.mark.parametrize("text", ["", "{}", "[1]"])
def test_a_state_that_is_none_is_one_line(text: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.dependents"],
        check=False,
        cwd=ROOT,
        input=text,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout == "state is malformed; run: pulumi stack export | python -m infra.dependents\n"


def test_a_denied_read_is_one_line(cloud: Cloud) -> None:
    cloud.faults(deny=["ec2:DescribeSecurityGroupRules"])
    code, told = _asked(cloud, _resource(GROUP, "sg-0123456789abcdef0"))
    assert code == 2
    assert len(told) == 1
    assert "DescribeSecurityGroupRules" in told[0]
