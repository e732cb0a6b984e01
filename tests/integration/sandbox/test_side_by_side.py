"""Sandboxes side by side have their own ports and addresses, and keep them while they are free."""

import io
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from rich.console import Console

from sandbox import process
from sandbox.cloud.client import ec2_client
from sandbox.layout import HOST, Layout
from sandbox.progress import Progress
from sandbox.up import start_cloud


class Clone:
    """The sandbox of one clone, as far as its cloud."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.layout = Layout.load(directory)
        self.said = ""

    def up(self) -> Layout:
        said = io.StringIO()
        self.layout = start_cloud(Layout.load(self.directory), Progress(Console(file=said)))
        self.said = said.getvalue()
        return self.layout

    def down(self) -> None:
        process.stop(self.layout, "cloud")
        if self.layout.present:
            self.layout.clear()


@pytest.fixture
def clones(tmp_path: Path) -> Iterator[list[Clone]]:
    made = [Clone(tmp_path / name) for name in ("one", "two", "three")]
    yield made
    for clone in made:
        clone.down()


def test_n1_clones_that_come_up_at_the_same_moment_share_nothing(clones: list[Clone]) -> None:
    with ThreadPoolExecutor() as at_once:
        layouts = list(at_once.map(Clone.up, clones))
    ports = [port for layout in layouts for port in layout.ports().values()]
    assert len(set(ports)) == len(ports)
    for layout in layouts:
        ec2 = ec2_client(layout.aws_url)
        ip = IPv4Address(ec2.allocate_address(Domain="vpc")["PublicIp"])
        (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["sandbox"]}])["Vpcs"]
        assert [each for each in layouts if ip in each.elastic_network] == [layout]
        assert vpc["CidrBlock"] == str(layout.vpc_network)
        assert Layout.load(layout.directory) == layout  # its other processes find it
        assert len(ec2.describe_addresses()["Addresses"]) == 1  # a cloud of its own


def test_n1_a_second_run_has_the_same_ports_and_one_that_finds_them_taken_says_so(
    clones: list[Clone],
) -> None:
    clone = clones[0]
    first = clone.up()
    assert clone.up() == first
    clone.down()
    assert clone.up() == first
    assert "another program" not in clone.said
    clone.down()
    with socket.create_server((HOST, first.apiserver_port)):
        second = clone.up()
    assert second != first
    assert Layout.load(clone.directory) == second
    assert (
        f"another program has port {first.aws_port} of the last run or one after it: "
        f"this sandbox now has {second.aws_port} and those after it"
    ) in " ".join(clone.said.split())


def test_n1_ports_that_other_sandboxes_used_before_are_no_obstacle(clones: list[Clone]) -> None:
    taken = (14566, 16443, 12379, 12380, 20257, 20259, 4566, 6443, 2379)
    held = []
    try:
        for port in taken:
            try:
                held.append(socket.create_server(("0.0.0.0", port)))  # noqa: S104
            except OSError:
                continue  # another program holds it: as good
        layout = clones[0].up()
    finally:
        for each in held:
            each.close()
    assert not set(taken) & set(layout.ports().values())
