"""What an operator sees of stack dev: kept addresses return, errors are lines."""

from collections.abc import Iterator

import pytest

from sandbox.cloud.client import ec2_client
from sandbox.layout import Layout
from tests.integration.infra.conftest import DevStack

pytestmark = pytest.mark.toolchain


@pytest.fixture
def kept(stack: DevStack) -> Iterator[DevStack]:
    before = stack.configure(addresses={"keep": True})
    yield stack
    stack.configure(**before)
    stack.destroy().ok()


def test_a_stack_that_was_destroyed_takes_its_kept_addresses_again_and_leaves_their_tags(
    kept: DevStack, aws: Layout
) -> None:
    kept.up().ok()
    addresses = kept.output("staticIps")
    kept.destroy().ok()
    ec2 = ec2_client(aws.aws_url)
    found = ec2.describe_addresses(PublicIps=sorted(addresses.values()))["Addresses"]
    allocations = [each["AllocationId"] for each in found]
    ec2.create_tags(Resources=allocations, Tags=[{"Key": "cost-centre", "Value": "4711"}])
    kept.up().ok()
    assert kept.output("staticIps") == addresses
    kept.up("--refresh", "--expect-no-changes").ok()
    for each in ec2.describe_addresses(AllocationIds=allocations)["Addresses"]:
        assert {"Key": "cost-centre", "Value": "4711"} in each["Tags"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"preset": "predecesor"},
            'node-nlb-sync:preset: read "predecesor"; allowed: none or predecessor; fix: pulumi config set',
        ),
        (
            {"zones": {"eu-central-1a": {"subnetId": "subnet-0123456789abcdef0"}}},
            "zones.eu-central-1a.subnetId: read subnet-0123456789abcdef0, and AWS returned: InvalidSubnetID",
        ),
        (
            {"nodeSecurityGroupId": "sg-0123456789abcdef0"},
            "nodeSecurityGroupId: read sg-0123456789abcdef0, which does not exist; allowed: a security group",
        ),
        (
            {"ingress": {"namespace": "absent"}},
            "ingress.namespace: read absent, which the cluster lacks; allowed: a namespace of the cluster",
        ),
        (
            {"clientCidrs": [f"10.0.{number}.0/24" for number in range(31)]},
            "clientCidrs: read 31 networks for 2 listeners, which are 62 rules; allowed: at most 60 inbound",
        ),
    ],
    ids=[
        "a value that is not allowed",
        "a subnet that AWS does not know",
        "a security group that AWS does not know",
        "a namespace that the cluster does not know",
        "more rules than the quota",
    ],
)
def test_a_wrong_configuration_is_one_line_and_no_traceback(
    stack: DevStack, change: dict[str, object], line: str
) -> None:
    before = stack.configure(**change)
    said = stack.run("preview", "--stack=dev")
    stack.configure(**before)
    assert said.code != 0
    assert line in said.text
    assert "Traceback" not in said.text
