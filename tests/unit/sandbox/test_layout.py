"""Ports of a sandbox that is not the machine's one."""

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from sandbox import layout
from sandbox.layout import HOST, Layout, free_ports

NODE_PORTS_BEGIN = 30_000


def test_chosen_ports_are_free_all_different_and_never_given_away_by_kernel_or_cluster() -> None:
    ports = free_ports(50)
    assert len(set(ports)) == 50
    assert max(ports) < NODE_PORTS_BEGIN
    with ExitStack() as held:
        for port in ports:
            held.enter_context(socket.create_server((HOST, port)))


def test_a_port_on_which_something_listens_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, free = free_ports(2)
    monkeypatch.setattr(layout, "_TO_CHOOSE_FROM", [taken, free])
    with socket.create_server((HOST, taken)):
        assert [free_ports(1) for _ in range(20)] == [[free]] * 20


def test_the_servers_of_a_test_keep_clear_of_the_machines_one_sandbox(tmp_path: Path) -> None:
    own, default = Layout.ephemeral(tmp_path).ports(), Layout(directory=tmp_path).ports()
    assert own.keys() == default.keys()
    assert not set(own.values()) & set(default.values())
