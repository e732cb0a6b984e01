import errno
import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.loopback import Address, Loopback

addresses = st.tuples(
    st.integers(0, 255).map(lambda last: f"127.64.16.{last}"), st.sampled_from([80, 443, 30080, 31443])
)


def loopback(path: Path, *, every: bool = True, low: bool = True) -> Loopback:
    return Loopback(path=path / "map.json", every_address=every, low_ports=low)


def test_an_address_stands_for_itself_where_the_whole_loopback_answers(tmp_path: Path) -> None:
    assert loopback(tmp_path).place("127.9.8.7", 80) == Address("127.9.8.7", 80)
    assert loopback(tmp_path).source("127.9.8.7") == ("127.9.8.7", 0)


def test_a_low_port_moves_up_where_it_may_not_be_bound(tmp_path: Path) -> None:
    place = loopback(tmp_path, low=False).place
    assert place("127.9.8.7", 443) == Address("127.9.8.7", 8443)
    assert place("127.9.8.7", 30080) == Address("127.9.8.7", 30080)


def test_with_127_0_0_1_only_every_pair_has_a_port_of_its_own(tmp_path: Path) -> None:
    place = loopback(tmp_path, every=False).place
    places = [place(f"127.64.16.{last}", port) for last in range(40) for port in (30080, 31443)]
    assert len(set(places)) == len(places)
    assert {address.ip for address in places} == {"127.0.0.1"}
    assert loopback(tmp_path, every=False).source("127.64.16.1") is None


@settings(max_examples=25, deadline=None)
@given(st.lists(addresses, max_size=8))
def test_every_process_finds_the_same_place(pairs: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        first, second = (loopback(Path(directory), every=False) for _ in range(2))
        assert [first.place(*pair) for pair in pairs] == [second.place(*pair) for pair in reversed(pairs)][
            ::-1
        ]


def test_n1_what_listens_beside_a_server_on_every_address_gets_another_port(tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104
        port = server.getsockname()[1]
        listening = loopback(tmp_path).listen("127.9.8.7", port)
        place = loopback(tmp_path).place("127.9.8.7", port)  # as another process sees it
        with listening:
            assert place == listening.getsockname()
            assert place.ip == "127.9.8.7"
            assert place.port != port
            socket.create_connection(place, timeout=5).close()
        with loopback(tmp_path).listen("127.9.8.7", port) as again:
            assert again.getsockname() == place  # a restarted listener is where it was
        assert loopback(tmp_path).place("127.9.8.8", port) == Address("127.9.8.8", port)


def test_n1_a_low_port_that_is_taken_moves_up_by_8000_where_that_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.create_server

    def with_80_taken(address: tuple[str, int], **options: Any) -> socket.socket:
        if address[1] == 80:
            raise OSError(errno.EADDRINUSE, "taken")
        return real(address, **options)

    monkeypatch.setattr(socket, "create_server", with_80_taken)
    with loopback(tmp_path).listen("127.9.8.7", 80) as listening:
        assert listening.getsockname() == ("127.9.8.7", 8080)
        assert loopback(tmp_path).place("127.9.8.7", 80) == Address("127.9.8.7", 8080)


def test_n1_two_sandboxes_with_one_address_never_have_the_same_port(tmp_path: Path) -> None:
    pairs = [("127.64.16.1", 30080), ("127.64.16.1", 80), ("127.0.0.1", 8080)]
    with ExitStack() as up:
        sandboxes = [loopback(tmp_path / name, every=False) for name in ("one", "two", "three")]
        bound = [up.enter_context(one.listen(*pair)) for one in sandboxes for pair in pairs]
        places = [tuple(one.place(*pair)) for one in sandboxes for pair in pairs]
        assert places == [each.getsockname() for each in bound]
        assert len(set(places)) == 9


def test_n1_a_port_reserved_for_a_program_is_free_and_is_found_by_everybody(tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104
        port = server.getsockname()[1]
        reserved = loopback(tmp_path).reserve("127.9.8.7", port)
        assert reserved == loopback(tmp_path).place("127.9.8.7", port)
        with socket.create_server(reserved):
            assert reserved.port != port


def test_n1_an_address_of_another_machine_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="assign"):
        loopback(tmp_path).listen("192.0.2.1", 30080)


def test_n1_a_damaged_record_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text('{"127.9.8.7:80": 2')
    assert loopback(tmp_path).place("127.9.8.7", 80) == Address("127.9.8.7", 80)
    with loopback(tmp_path, every=False).listen("127.9.8.7", 80) as listening:
        assert loopback(tmp_path, every=False).place("127.9.8.7", 80) == listening.getsockname()
