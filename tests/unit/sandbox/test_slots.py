"""No two sandboxes of a machine share a port or a loopback network, and none takes another program's port."""

import itertools
import random
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from sandbox import slots
from sandbox.errors import SandboxError
from sandbox.layout import HOST, Layout


@pytest.fixture
def four_slots(monkeypatch: pytest.MonkeyPatch) -> int:
    """A range of four slots, all free now; answers its first port.

    Between the real slots and the ports of other tests, of which any may be taken at any moment.
    """
    while True:
        first = random.randrange(19_600, 20_900)  # noqa: S311
        try:
            with ExitStack() as held:
                for port in range(first, first + 64):
                    held.enter_context(socket.create_server((HOST, port)))
        except OSError:
            continue
        break
    monkeypatch.setattr(slots, "_FIRST_PORT", first)
    monkeypatch.setattr(slots, "_BLOCKS", range(2, 10, 2))
    return first


def unused(directory: Path) -> Layout:
    return Layout(directory=directory)


@pytest.mark.usefixtures("four_slots")
def test_n1_sandboxes_that_are_up_share_neither_port_nor_network(tmp_path: Path) -> None:
    with ExitStack() as up:
        claimed = [slots.claim(unused(tmp_path / str(number))) for number in range(4)]
        for _, held in claimed:
            up.enter_context(held)
        layouts = [layout for layout, _ in claimed]
        ports = [port for layout in layouts for port in layout.ports().values()]
        assert len(set(ports)) == len(ports)
        networks = [n for layout in layouts for n in (layout.vpc_network, layout.elastic_network)]
        assert not any(one.overlaps(other) for one, other in itertools.combinations(networks, 2))
        with pytest.raises(SandboxError, match="no free ports for a sandbox: each group of 16 between"):
            slots.claim(unused(tmp_path / "fifth"))


@pytest.mark.usefixtures("four_slots")
def test_n1_the_claim_is_the_listening_socket_of_the_aws_port_and_ends_with_it(tmp_path: Path) -> None:
    layout, held = slots.claim(unused(tmp_path / "one"))
    assert held.getsockname() == (HOST, layout.aws_port)
    other, other_held = slots.claim(layout)
    other_held.close()
    assert other != layout
    held.close()
    again, held = slots.claim(layout)
    held.close()
    assert again == layout


@pytest.mark.usefixtures("four_slots")
@pytest.mark.parametrize("name", list(Layout(directory=Path()).ports()))
@pytest.mark.parametrize("address", [HOST, "0.0.0.0"])  # noqa: S104
def test_n1_a_stored_port_that_another_program_has_taken_is_chosen_again(
    tmp_path: Path, name: str, address: str
) -> None:
    stored, held = slots.claim(unused(tmp_path))
    held.close()
    with socket.create_server((address, stored.ports()[name])):
        chosen, held = slots.claim(stored)
        held.close()
    assert chosen != stored
    assert stored.ports()[name] not in chosen.ports().values()
    assert not chosen.vpc_network.overlaps(stored.vpc_network)


@pytest.mark.usefixtures("four_slots")
def test_n1_ports_of_another_version_or_of_a_test_are_no_slot(tmp_path: Path) -> None:
    stored = Layout.ephemeral(tmp_path)
    chosen, held = slots.claim(stored)
    held.close()
    assert not set(chosen.ports().values()) & set(stored.ports().values())


def test_n1_ports_that_the_kernel_gives_to_clients_come_last(
    four_slots: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "ip_local_port_range"
    given.write_text(f"{four_slots + 17}\t{four_slots + 63}\n")
    monkeypatch.setattr(slots, "_LOCAL_PORTS", given)
    for number in range(8):
        chosen, held = slots.claim(unused(tmp_path / str(number)))
        held.close()
        assert chosen.aws_port == four_slots
    given.write_text("1024 65535\n")  # no port is left out then
    chosen, held = slots.claim(unused(tmp_path))
    held.close()
    assert chosen.aws_port in range(four_slots, four_slots + 64)


def test_n1_no_slot_meets_test_sandboxes_node_ports_or_the_machines_own_addresses(tmp_path: Path) -> None:
    every = slots._in_order(unused(tmp_path))
    ports = {port for slot in every for port in slot.ports().values()}
    blocks = {block for slot in every for block in (slot.block, slot.block + 1)}
    assert len(every) > 90
    assert ports.isdisjoint(range(21_000, 65_536))
    assert min(ports) > 1024
    assert blocks <= set(range(66, 255))
