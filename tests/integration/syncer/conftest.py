"""A control plane and a cloud of this folder's own, for its tests restart and break them."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import pytest

from sandbox import cluster as control
from sandbox import process
from sandbox.cloud.client import elbv2_client
from sandbox.cloud.network import ensure_network
from sandbox.layout import Layout
from syncer.__main__ import main
from tests.integration.syncer.household import Household
from tests.integration.syncer.questions import Ask


@pytest.fixture(scope="session")
def household(tmp_path_factory: pytest.TempPathFactory, tools: dict[str, Path]) -> Iterator[Household]:
    layout = Layout.ephemeral(tmp_path_factory.mktemp("household"))
    layout.save()
    command: list[str | Path] = [sys.executable, "-m", "sandbox.cloud", "--dir", layout.directory]
    try:
        cloud = process.start(layout, "cloud", command)
        control.start(layout, tools, control.STORE_AND_API)
        process.wait_until(lambda: _answers(layout.aws_url), cloud, layout, 30)
        network = ensure_network(layout.aws_url, layout.vpc_network)
        yield Household(layout, tools, control.Rest(layout), elbv2_client(layout.aws_url), network)
    finally:
        process.stop(layout, "cloud")
        control.stop(layout)


@pytest.fixture
def home(household: Household) -> Iterator[Household]:
    """Two empty groups, an ingress Service, no Node; syncers that a test starts are stopped after it."""
    household.furnish()
    yield household
    household.clear()


@pytest.fixture(scope="session")
def second_cluster(
    tmp_path_factory: pytest.TempPathFactory, household: Household, tools: dict[str, Path]
) -> Iterator[Household]:
    layout = Layout.ephemeral(tmp_path_factory.mktemp("neighbour"))
    layout = replace(layout, aws_port=household.layout.aws_port)
    layout.save()
    try:
        control.start(layout, tools, control.STORE_AND_API)
        yield Household(layout, tools, control.Rest(layout), household.elb, household.network)
    finally:
        control.stop(layout)


@pytest.fixture
def neighbour(home: Household, second_cluster: Household) -> Iterator[Household]:
    """Another cluster of the same cloud, whose ingress stands behind the same groups."""
    second_cluster.share(home)
    yield second_cluster
    second_cluster.clear()


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/_sandbox/ready", timeout=2):  # noqa: S310
            return True
    except OSError:
        return False


@pytest.fixture
def ask(home: Household, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Call the command in the syncer's own environment: exit code, standard output, standard error."""

    def call(*words: str, **changes: str) -> tuple[int, str, str]:
        for name in [name for name in os.environ if name.startswith(("NLB_SYNC_", "AWS_"))]:
            monkeypatch.delenv(name)
        for name, value in {**home.environment, **changes}.items():
            monkeypatch.setenv(name, value)
        code = main(words)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call
