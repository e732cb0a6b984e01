"""Edits of a stack that carries traffic: none loses a request, and AWS's ids stay what they are."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.cloud.network import NODE_GROUP_ID, VPC_ID
from tests.e2e.driver import Sandbox, traffic
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(1200)


def listeners(*rows: tuple[str, int, str]) -> list[dict[str, Any]]:
    return [{"name": name, "port": port, "servicePort": service} for name, port, service in rows]


def ids(sandbox: Sandbox) -> dict[str, list[str]]:
    """What clients reach, and what the syncer fills."""
    elb, ec2 = sandbox.aws("elbv2"), sandbox.aws("ec2")
    (balancer,) = elb.describe_load_balancers()["LoadBalancers"]
    arn = balancer["LoadBalancerArn"]
    return {
        "balancer": [arn],
        "addresses": sorted(each["AllocationId"] for each in ec2.describe_addresses()["Addresses"]),
        "listeners": sorted(
            each["ListenerArn"] for each in elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
        ),
        "groups": sorted(each["TargetGroupArn"] for each in elb.describe_target_groups()["TargetGroups"]),
    }


def test_no_edit_of_a_stack_with_traffic_loses_a_request(sandbox: Sandbox, tmp_path: Path) -> None:
    pool = sandbox.aws("ec2").create_security_group(GroupName="pool", Description="pool", VpcId=VPC_ID)
    renamed = {
        "ingress": {
            "createNamespace": True,
            "ports": [{"name": "plain", "port": 80}, {"name": "tls", "port": 443}],
        },
        "healthCheck": {"interval": 5, "timeout": 2, "servicePort": "plain"},
    }
    edits: dict[str, dict[str, Any]] = {
        "settings, labels and annotations of the syncer": {
            "syncer": {
                "image": "node-nlb-sync:dev",
                "env": {"NLB_SYNC_ADDRESS": "$(POD_IP)", "NO_PROXY": "*"},
                "labelFilter": "kubernetes.io/os=linux",
                "labels": {"team": "edge"},
                "annotations": {"example.com/owner": "edge"},
            }
        },
        "names of listeners and ingress ports": {
            **renamed,
            "listeners": listeners(("web", 80, "plain"), ("secure", 443, "tls")),
        },
        "names of listeners, swapped": {
            **renamed,
            "listeners": listeners(("secure", 80, "plain"), ("web", 443, "tls")),
        },
        "a second node security group": {
            "nodeSecurityGroupId": None,
            "nodeSecurityGroupIds": [NODE_GROUP_ID, pool["GroupId"]],
        },
        "attributes, the check, tags, and the namespace left to others": {
            "ingress": {"createNamespace": False},
            "deregistrationDelay": 20,
            "healthCheck": {"interval": 10, "timeout": 3},
            "connections": {"endWhenUnhealthy": False},
            "tags": {"example.com/owner": "edge"},
        },
        "none": {},
    }
    before = ids(sandbox)
    for edit, keys in edits.items():
        with traffic(sandbox) as record:
            sandbox.reconfigure(tmp_path / "Pulumi.dev.yaml", **keys)
        assert record.requests, edit
        assert record.failures == [], edit
        assert ids(sandbox) == before, edit
        eventually(
            lambda: all(group.healthy == len(group.targets) > 0 for group in sandbox.groups()), within=60
        )
    sandbox.aws("ec2").delete_security_group(GroupId=pool["GroupId"])
