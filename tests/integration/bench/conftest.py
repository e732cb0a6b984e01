"""The bench's AWS as a process of its own, asked through boto3."""

import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from bench.cloud import CloudClient
from sandbox.cloud.client import elbv2_client
from sandbox.layout import free_ports
from tests.waiting import eventually

if TYPE_CHECKING:
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client


@pytest.fixture(scope="module")
def cloud() -> Iterator[CloudClient]:
    (port,) = free_ports(1)
    process = subprocess.Popen([sys.executable, "-m", "bench.aws", "--port", str(port), "--latency", "0"])
    client = CloudClient(port)
    try:
        eventually(client.ready, within=20)
        yield client
    finally:
        client.close()
        process.terminate()
        process.wait(10)


@pytest.fixture
def elb(cloud: CloudClient) -> "ElasticLoadBalancingv2Client":
    return elbv2_client(cloud.url)
