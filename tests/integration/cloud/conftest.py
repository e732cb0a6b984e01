"""One simulated AWS for all tests of this folder: the real process, reached over HTTP through boto3."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import boto3
import pytest
from botocore.config import Config

from sandbox import process
from sandbox.cloud.client import ec2_client
from sandbox.cloud.network import ensure_network
from sandbox.layout import REGION, Layout
from tests.integration.cloud.world import VPC_NETWORK, Cloud

if TYPE_CHECKING:
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client
    from types_boto3_iam import IAMClient


@pytest.fixture(scope="session")
def cloud_layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    layout = Layout.ephemeral(tmp_path_factory.mktemp("cloud"))
    layout.save()
    return layout


@pytest.fixture(scope="session")
def server(cloud_layout: Layout) -> Iterator[str]:
    layout = cloud_layout
    command: list[str | Path] = [sys.executable, "-m", "sandbox.cloud", "--dir", layout.directory]
    started = process.start(layout, "cloud", command)
    try:
        process.wait_until(lambda: _answers(layout.aws_url), started, layout, 30)
        yield layout.aws_url
    finally:
        process.stop(layout, "cloud")


@pytest.fixture(scope="session")
def the_cloud(server: str) -> Cloud:
    elb: ElasticLoadBalancingv2Client = boto3.client(
        "elbv2",
        endpoint_url=server,
        region_name=REGION,
        aws_access_key_id="sandbox",
        aws_secret_access_key="sandbox",
        # It is the server that must refuse, and once.
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )
    return Cloud(server, ec2_client(server), elb, ensure_network(server, VPC_NETWORK))


@pytest.fixture
def cloud(the_cloud: Cloud) -> Iterator[Cloud]:
    """The cloud without faults; targets are checked at once. What a test made of ELBv2 is gone after it."""
    the_cloud.control("DELETE", "faults")
    the_cloud.faults(registration_delay_s=0, provisioning_s=0, rates=None)
    yield the_cloud
    the_cloud.control("DELETE", "faults")
    the_cloud.remove_load_balancing()


@pytest.fixture(scope="session")
def iam(server: str) -> "IAMClient":
    client: IAMClient = boto3.client(
        "iam",
        endpoint_url=server,
        region_name=REGION,
        aws_access_key_id="sandbox",
        aws_secret_access_key="sandbox",
    )
    return client


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/_sandbox/ready", timeout=2):  # noqa: S310
            return True
    except OSError:
        return False
