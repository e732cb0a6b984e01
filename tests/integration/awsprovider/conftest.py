"""One simulated AWS and one plugin process for all tests of this folder."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import pytest

from sandbox import process
from sandbox.cloud.network import Network, ensure_network
from sandbox.layout import REGION, Layout
from tests.integration.awsprovider.plugin import Made, Plugin, started

VPC_NETWORK = IPv4Network("127.64.0.0/16")


@pytest.fixture(scope="session")
def aws_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    layout = Layout.ephemeral(tmp_path_factory.mktemp("aws"))
    layout.save()
    command: list[str | Path] = [sys.executable, "-m", "sandbox.cloud", "--dir", layout.directory]
    begun = process.start(layout, "cloud", command)
    try:
        process.wait_until(lambda: _answers(layout.aws_url), begun, layout, 30)
        yield layout.aws_url
    finally:
        process.stop(layout, "cloud")


@pytest.fixture(scope="session")
def network(aws_url: str) -> Network:
    return ensure_network(aws_url, VPC_NETWORK)


@pytest.fixture(scope="session")
def config(aws_url: str) -> dict[str, str]:
    """The stack configuration of a sandbox, as the engine hands it over: nested values as JSON text."""
    ours = ("cloudwatch", "ec2", "eks", "elasticloadbalancingv2", "iam", "route53", "servicequotas", "sts")
    urls = ", ".join(f'"{service}": "{aws_url}"' for service in ours)
    return {
        "region": REGION,
        "accessKey": "sandbox",
        "secretKey": "sandbox",
        "skipMetadataApiCheck": "true",
        "endpoints": f"[{{{urls}}}]",
        "version": "7.51.1",
    }


@pytest.fixture(scope="session")
def plugin(config: dict[str, str]) -> Iterator[Plugin]:
    with started() as one:
        assert one.configure(config) == []
        yield one


@pytest.fixture
def made(plugin: Plugin) -> Iterator["Workbench"]:
    """Creates resources that are deleted after the test, the last first."""
    with ExitStack() as stack:
        yield Workbench(plugin, stack)


class Workbench:
    """Makes resources for one test."""

    def __init__(self, plugin: Plugin, stack: ExitStack) -> None:
        self._plugin = plugin
        self._stack = stack

    def __call__(self, token: str, inputs: dict[str, Any], name: str = "web") -> Made:
        made = self._plugin.create(token, inputs, name)
        self._stack.callback(self._plugin.delete, made)
        return made


@pytest.fixture(scope="session")
def boto(aws_url: str) -> "Clients":
    return Clients(aws_url)


class Clients:
    """AWS as another writer would use it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = boto3.Session("sandbox", "sandbox", region_name=REGION)

    def __getattr__(self, service: str) -> Any:
        factory: Any = self._session.client
        return factory(service, endpoint_url=self._url)


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/_sandbox/ready", timeout=2):  # noqa: S310
            return True
    except OSError:
        return False
