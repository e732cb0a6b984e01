"""What a person reads when AWS refuses, and what is left behind."""

from collections.abc import Iterator
from threading import Timer
from typing import Any

import pytest

from sandbox.cloud.network import Network
from tests.integration.awsprovider.conftest import Clients, Workbench
from tests.integration.awsprovider.plugin import Failed, Plugin, started
from tests.integration.awsprovider.test_every_type import BALANCER, EIP, GROUP, KEY, POLICY, TARGETS, USER


@pytest.fixture
def second() -> Iterator[Plugin]:
    """A plugin process that a test may configure as it likes."""
    with started() as one:
        yield one


def test_a_refusal_is_one_line_with_what_was_done_and_the_code_of_aws(plugin: Plugin) -> None:
    with pytest.raises(Failed) as failed:
        plugin.create(KEY, {"user": "nobody"})
    message = str(failed.value)
    assert message.startswith("creating IAM Access Key (nobody): operation error IAM: CreateAccessKey")
    assert "api error NoSuchEntity: " in message
    assert "\n" not in message
    assert failed.value.recorded is None


def test_a_name_that_is_taken_is_not_taken_over(plugin: Plugin, made: Workbench, network: Network) -> None:
    program = {"name": "taken", "port": 80, "protocol": "TCP", "vpcId": network.vpc_id}
    made(TARGETS, program)
    with pytest.raises(Failed, match=r"ELBv2 Target Group \(taken\) already exists"):
        plugin.create(TARGETS, program)
    address = made(EIP, {"domain": "vpc"})
    mapping = {"subnetId": network.subnet_ids["eu-central-1a"], "allocationId": address.id}
    balancer = {"name": "taken", "loadBalancerType": "network", "subnetMappings": [mapping]}
    made(BALANCER, balancer)
    with pytest.raises(Failed, match=r"ELBv2 Load Balancer \(taken\) already exists"):
        plugin.create(BALANCER, balancer)


def test_a_resource_that_fails_half_way_stays_in_the_state_and_the_next_up_mends_it(
    plugin: Plugin, network: Network
) -> None:
    program = {"vpcId": network.vpc_id}
    rule = {"protocol": "tcp", "fromPort": 1, "toPort": 1, "securityGroups": ["sg-00000000000000000"]}
    with pytest.raises(Failed, match="authorizing Security Group") as failed:
        plugin.create(GROUP, {**program, "ingress": [rule]})
    left = failed.value.recorded
    assert left is not None
    assert left.id.startswith("sg-")
    assert plugin.diff(left, {**program, "ingress": [rule]}).fields == ["ingress"]
    mended = plugin.update(left, {**program, "ingress": []})
    assert mended.plain["ingress"] == []
    plugin.delete(mended)


def test_an_update_that_fails_half_way_records_what_aws_has_by_then(
    plugin: Plugin, made: Workbench, network: Network
) -> None:
    group = made(GROUP, {"vpcId": network.vpc_id})
    address = made(EIP, {"domain": "vpc"})
    mapping = {"subnetId": network.subnet_ids["eu-central-1a"], "allocationId": address.id}
    program = {"loadBalancerType": "network", "subnetMappings": [mapping], "securityGroups": [group.id]}
    balancer = made(BALANCER, program)
    wanted = {**program, "enableCrossZoneLoadBalancing": True, "securityGroups": ["sg-00000000000000000"]}
    with pytest.raises(Failed, match=r"setting ELBv2 Load Balancer .* security groups: ") as failed:
        plugin.update(balancer, wanted)
    left = failed.value.recorded
    assert left is not None
    assert left.plain["enableCrossZoneLoadBalancing"] is True
    assert left.plain["securityGroups"] == [group.id]
    assert plugin.diff(left, wanted).fields == ["securityGroups"]


def test_an_aws_that_does_not_answer_says_where_to_look(second: Plugin, config: dict[str, str]) -> None:
    silent = {**config, "endpoints": '[{"sts": "http://127.0.0.1:1"}]', "maxRetries": "0"}
    with pytest.raises(Failed, match=r"unable to validate AWS credentials: .*aws:endpoints"):
        second.configure(silent)


def test_an_account_that_is_not_allowed_is_refused(second: Plugin, config: dict[str, str]) -> None:
    with pytest.raises(Failed, match="AWS account ID not allowed: 123456789012"):
        second.configure({**config, "allowedAccountIds": '["210987654321"]'})
    with pytest.raises(Failed, match="AWS account ID not allowed"):
        second.configure({**config, "forbiddenAccountIds": '["123456789012"]'})


def test_default_tags_reach_aws_and_are_no_drift(
    second: Plugin, config: dict[str, str], boto: Clients
) -> None:
    assert second.configure({**config, "defaultTags": '{"tags": {"team": "edge"}}'}) == []
    address = second.create(EIP, {"domain": "vpc", "tags": {"a": "1"}})
    found = boto.ec2.describe_addresses(AllocationIds=[address.id])["Addresses"][0]
    assert {tag["Key"]: tag["Value"] for tag in found["Tags"]} == {"a": "1", "team": "edge"}
    assert address.plain["tags"] == {"a": "1"}
    again = second.read(address)
    assert again is not None
    assert again.outputs == address.outputs
    assert second.diff(again, {"domain": "vpc", "tags": {"a": "1"}}).fields == []
    second.delete(address)


def test_the_account_is_not_asked_for_where_the_stack_says_so(
    second: Plugin, config: dict[str, str], made: Workbench
) -> None:
    _ = made
    skipping = {"skipCredentialsValidation": "true", "skipRequestingAccountId": "true"}
    assert second.configure({**config, **skipping, "allowedAccountIds": '["1"]'}) == []
    address = second.create(EIP, {"domain": "vpc"})
    assert address.plain["arn"] == f"arn:aws:ec2:eu-central-1::elastic-ip/{address.id}"
    second.delete(address)


def test_a_group_that_a_load_balancer_still_uses_is_deleted_once_it_is_free(
    plugin: Plugin, network: Network, boto: Clients, made: Workbench
) -> None:
    group = plugin.create(GROUP, {"vpcId": network.vpc_id})
    address = made(EIP, {"domain": "vpc"})
    mapping = {"subnetId": network.subnet_ids["eu-central-1a"], "allocationId": address.id}
    program: dict[str, Any] = {"loadBalancerType": "network", "subnetMappings": [mapping]}
    balancer = plugin.create(BALANCER, {**program, "securityGroups": [group.id]})
    later = Timer(0.6, boto.elbv2.delete_load_balancer, kwargs={"LoadBalancerArn": balancer.id})
    later.start()
    plugin.delete(group)
    later.join()
    assert plugin.read(group) is None


def test_a_policy_that_aws_refuses_says_so(plugin: Plugin, made: Workbench) -> None:
    made(USER, {"name": "strict"})
    with pytest.raises(Failed, match=r"putting IAM User \(strict\) Policy \(p\): .*MalformedPolicyDocument"):
        plugin.create(POLICY, {"user": "strict", "name": "p", "policy": '{"Version":"2012-10-17"}'})
