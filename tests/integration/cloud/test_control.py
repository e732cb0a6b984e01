import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.exceptions import ClientError

from sandbox.cloud.client import DATA_PLANE_KEY, SECRET_KEY
from sandbox.layout import REGION
from tests.integration.cloud.world import Cloud, refusal, wait_until


def test_the_revision_changes_with_every_write_and_stays_while_only_reading(cloud: Cloud) -> None:
    group, node = cloud.served_group(), cloud.node()
    before = cloud.revision()
    cloud.health(group)
    assert cloud.revision() == before
    cloud.register(group, node)
    registered = cloud.revision()
    assert registered != before
    cloud.report(group, node, "healthy")
    reported = cloud.revision()
    assert reported != registered
    cloud.report(group, node, "healthy")
    assert cloud.revision() == reported


def test_the_revision_stays_when_a_write_is_refused(cloud: Cloud) -> None:
    before = cloud.revision()
    refusal(cloud.ec2.delete_security_group, GroupId="sg-0123456789abcdef0")
    refusal(cloud.ec2.terminate_instances, InstanceIds=["i-0123456789abcdef0"])
    refusal(cloud.elb.delete_listener, ListenerArn="arn")
    assert cloud.revision() == before


def test_the_revision_changes_when_instances_and_security_groups_do(cloud: Cloud) -> None:
    before, node = cloud.revision(), cloud.fresh_node()
    started = cloud.revision()
    cloud.ec2.stop_instances(InstanceIds=[node])
    assert before < started < cloud.revision()


def test_the_revision_changes_when_time_alone_ends_a_drain(cloud: Cloud) -> None:
    group, node = cloud.served_group(), cloud.node()
    cloud.delay(group, 1)
    cloud.register(group, node)
    cloud.deregister(group, node)
    draining = cloud.revision()
    assert cloud.revision() == draining
    wait_until(lambda: cloud.revision() != draining)
    assert cloud.health(group) == {}


def test_a_reader_that_waits_gets_the_next_revision(cloud: Cloud) -> None:
    group, node = cloud.served_group(), cloud.node()
    before, began = cloud.revision(), time.monotonic()
    assert cloud.control("GET", f"revision?after={before}")["revision"] == before
    assert time.monotonic() - began > 0.5
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(cloud.control, "GET", f"revision?after={before}")
        cloud.register(group, node)
        assert waiting.result()["revision"] == cloud.revision() != before


def test_registrations_beyond_the_bucket_are_throttled_and_reads_are_not(cloud: Cloud) -> None:
    cloud.faults(rates={"RegisterTargets,DeregisterTargets": [0.001, 2]})
    group, node = cloud.served_group(), cloud.node()
    cloud.register(group, node)
    cloud.deregister(group, node)
    targets: Any = [{"Id": node, "Port": 30080}]
    code, message = refusal(cloud.elb.register_targets, TargetGroupArn=group, Targets=targets)
    assert (code, message) == ("ThrottlingException", "Rate exceeded")
    cloud.health(group)


def test_the_default_rates_are_those_of_an_account(cloud: Cloud) -> None:
    cloud.control("DELETE", "faults")
    assert cloud.control("GET", "faults")["rates"] == {
        "RegisterTargets,DeregisterTargets": [4.0, 20.0],
        "Describe*": [50.0, 200.0],
        "Modify*": [3.0, 20.0],
    }


def test_an_injected_error_hits_the_named_action_only(cloud: Cloud) -> None:
    cloud.faults(errors={"DescribeTargetHealth": "HealthUnavailable: try again"})
    group = cloud.served_group()
    assert refusal(cloud.elb.describe_target_health, TargetGroupArn=group) == (
        "HealthUnavailable",
        "try again",
    )
    cloud.register(group, cloud.node())


def test_a_share_of_calls_can_be_throttled_at_random(cloud: Cloud) -> None:
    cloud.faults(throttle={"DescribeTargetGroups": 0.5})
    refused = 0
    for _ in range(40):
        try:
            cloud.elb.describe_target_groups()
        except ClientError:
            refused += 1
    assert 0 < refused < 40


def test_a_denied_action_is_denied_to_the_administrator_too(cloud: Cloud) -> None:
    cloud.faults(deny=["elasticloadbalancing:Register*"])
    targets: Any = [{"Id": cloud.node()}]
    code, _ = refusal(cloud.elb.register_targets, TargetGroupArn=cloud.group(), Targets=targets)
    assert code == "AccessDenied"


def test_a_latency_delays_the_call_and_no_other(cloud: Cloud) -> None:
    cloud.faults(latency_s={"DescribeListeners": 0.3})
    balancer = cloud.balancer()
    began = time.monotonic()
    cloud.elb.describe_listeners(LoadBalancerArn=balancer)
    assert time.monotonic() - began >= 0.3


def test_the_data_plane_is_neither_throttled_nor_hit_by_faults(cloud: Cloud) -> None:
    cloud.faults(rates={"Describe*": [0.001, 1]}, deny=["*:*"])
    elb = boto3.client(
        "elbv2",
        endpoint_url=cloud.url,
        region_name=REGION,
        aws_access_key_id=DATA_PLANE_KEY,
        aws_secret_access_key=SECRET_KEY,
    )
    for _ in range(3):
        elb.describe_load_balancers()
    assert refusal(cloud.elb.describe_load_balancers)[0] == "AccessDenied"


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("faults", {"thortle": {}}, "thortle"),
        ("target-health", {"results": [{"id": "i-1"}]}, "target_group_arn"),
        ("target-health", {}, "results"),
        ("nowhere", {}, "unknown endpoint"),
    ],
)
def test_a_wrong_control_request_is_answered_with_what_is_wrong(
    cloud: Cloud, path: str, body: dict[str, Any], word: str
) -> None:
    with _answer(f"{cloud.url}/_sandbox/{path}", json.dumps(body).encode()) as answer:
        assert answer.code in {400, 404}
        assert word in json.load(answer)["error"]


def test_an_unsigned_request_to_aws_is_refused(cloud: Cloud) -> None:
    with _answer(cloud.url, b"Action=DescribeLoadBalancers&Version=2015-12-01") as answer:
        assert (answer.code, b"MissingAuthenticationToken" in answer.read()) == (403, True)


def _answer(url: str, body: bytes) -> HTTPError:
    """The error that a POST must end with."""
    with pytest.raises(HTTPError) as caught:
        urlopen(Request(url, data=body, method="POST"), timeout=5)  # noqa: S310
    return caught.value


def test_b4_a_read_of_targets_lags_behind_the_writes_and_the_data_plane_does_not(cloud: Cloud) -> None:
    group, node = cloud.served_group(), cloud.node()
    cloud.faults(health_lag_s={"*": [2, 2]})
    data_plane = boto3.client(
        "elbv2",
        endpoint_url=cloud.url,
        region_name=REGION,
        aws_access_key_id=DATA_PLANE_KEY,
        aws_secret_access_key=SECRET_KEY,
    )
    cloud.register(group, node)
    assert cloud.health(group) == {}
    assert len(data_plane.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]) == 1
    wait_until(lambda: list(cloud.health(group)) == [(node, 30080)])
    cloud.deregister(group, node)
    assert cloud.health(group)[node, 30080][0] != "draining"
    wait_until(lambda: cloud.health(group)[node, 30080][0] == "draining")
    cloud.faults(health_lag_s={"other-*": [60, 60]})
    cloud.register(group, node)
    assert cloud.health(group)[node, 30080][0] == "initial"
