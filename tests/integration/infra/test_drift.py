"""What was changed outside Pulumi is found by the next `preview` and put back by the next `up`."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.cloud.client import ec2_client, elbv2_client
from sandbox.cloud.network import NODE_GROUP_ID
from sandbox.layout import Layout
from tests.integration.infra.conftest import DevStack
from tests.integration.infra.test_zones import ops

pytestmark = [pytest.mark.changes, pytest.mark.toolchain, pytest.mark.timeout(600)]

DELAY = "deregistration_delay.timeout_seconds"


@pytest.fixture
def up(stack: DevStack) -> Iterator[DevStack]:
    stack.up().ok()
    yield stack
    stack.destroy().ok()


def node_rules(aws: Layout) -> list[dict[str, Any]]:
    """The inbound rules of the nodes' group that the stack made."""
    wanted: Any = [{"Name": "group-id", "Values": [NODE_GROUP_ID]}]
    found = ec2_client(aws.aws_url).describe_security_group_rules(Filters=wanted)["SecurityGroupRules"]
    return [
        dict(each)
        for each in found
        if not each["IsEgress"] and each.get("Description", "").startswith("NodePort ")
    ]


def ports(aws: Layout) -> set[int]:
    return {each["FromPort"] for each in node_rules(aws)}


def listeners(aws: Layout) -> dict[int, str]:
    elb = elbv2_client(aws.aws_url)
    (balancer,) = elb.describe_load_balancers()["LoadBalancers"]
    found = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    return {each["Port"]: each["ListenerArn"] for each in found}


def delays(aws: Layout) -> dict[str, str]:
    elb, found = elbv2_client(aws.aws_url), {}
    for group in elb.describe_target_groups()["TargetGroups"]:
        arn = group["TargetGroupArn"]
        attributes = elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        found[arn] = next(each["Value"] for each in attributes if each["Key"] == DELAY)
    return found


def test_a_rule_a_listener_and_an_attribute_changed_by_hand_are_put_back(up: DevStack, aws: Layout) -> None:
    ec2, elb = ec2_client(aws.aws_url), elbv2_client(aws.aws_url)
    had, there, before = ports(aws), set(listeners(aws)), delays(aws)
    assert len(had) == len(there) == 2
    rule = node_rules(aws)[0]["SecurityGroupRuleId"]
    ec2.revoke_security_group_ingress(GroupId=NODE_GROUP_ID, SecurityGroupRuleIds=[rule])
    elb.delete_listener(ListenerArn=listeners(aws)[443])
    group = next(iter(before))
    elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[{"Key": DELAY, "Value": "3000"}])
    assert (len(ports(aws)), set(listeners(aws))) == (1, {80})

    # Without the refresh of Pulumi.yaml the engine compares with its state alone.
    assert not ops(up, "--refresh=false")
    assert sorted(ops(up).values()) == ["create", "create", "update"]
    up.up().ok()
    assert (ports(aws), set(listeners(aws)), delays(aws)) == (had, there, before)
    up.up("--expect-no-changes").ok()
    # Without a refresh the provider fails to delete a listener that is gone; the fixture destroys.
    elb.delete_listener(ListenerArn=listeners(aws)[443])
