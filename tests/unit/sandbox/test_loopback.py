import socket
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.layout import HOST, Layout
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


def test_a_server_on_every_address_takes_a_port_from_all_static_ips(tmp_path: Path) -> None:
    mapping = Loopback.of(Layout.ephemeral(tmp_path))
    everywhere = "127.64.0.5" if mapping.every_address else HOST  # stands for 0.0.0.0
    with socket.create_server((everywhere, 0)) as server:
        port = server.getsockname()[1]
        assert mapping.taken(port)
    assert not mapping.taken(port)
