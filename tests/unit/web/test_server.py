"""The order in which one round of the serving thread acts.

A test runs the rounds itself, one by one: no thread and no buffer of a network decides who is writable.
"""

import contextlib
import socket
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from typing import cast

import pytest

from syncer.telemetry.web.answer import Answer, Routes
from syncer.telemetry.web.connection import Connection
from syncer.telemetry.web.hosts import Hosts
from syncer.telemetry.web.server import Server

HEAD = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
SMALL = Answer(200, b"ok\n", "text/plain")
LARGE = Answer(200, b"x" * 50_000_000, "text/plain")
AT_ONCE = 4


class Listener:
    """Accepts one end of a pair of sockets for each client that called."""

    def __init__(self) -> None:
        self._ready, self._rings = socket.socketpair()
        self._calling = deque[socket.socket]()
        self.fileno = self._ready.fileno

    def call(self, path: bytes) -> socket.socket:
        """A client that has sent the head of its request."""
        client, accepted = socket.socketpair()
        client.setblocking(False)
        client.sendall(HEAD % path)
        self._calling.append(accepted)
        self._rings.send(b"\0")
        return client

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        if not self._calling:
            raise BlockingIOError
        self._ready.recv(1)
        return self._calling.popleft(), ("127.0.0.1", 1)

    def close(self) -> None:
        self._ready.close()
        self._rings.close()


class Served:
    """A server whose rounds the test runs."""

    def __init__(self) -> None:
        made: Future[Answer] = Future()
        made.set_result(LARGE)
        self.listener = Listener()
        routes: Routes = {"/large": lambda: made, "/small": lambda: SMALL}
        self.server = Server(routes, [cast("socket.socket", self.listener)], Hosts())
        self.sends: list[Connection] = []

    def round(self) -> list[Connection]:
        """The clients to which one round sends, in its order."""
        self.sends.clear()
        for act in self.server._in_turn(self.server._selector.select(0)):
            act()
        return self.sends[:]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    made = Served()
    send = Connection.send

    def noted_send(self: Connection) -> bool:
        made.sends.append(self)
        return send(self)

    monkeypatch.setattr(Connection, "send", noted_send)
    yield made
    made.server.stop()
    made.server.run()  # closes all sockets


def drain(client: socket.socket) -> int:
    """Read all that was sent, so that the server may send more; answer how much it was."""
    size = 0
    with contextlib.suppress(BlockingIOError):
        while part := client.recv(1_000_000):
            size += len(part)
    return size


def test_s1_a_round_sends_to_a_few_clients_and_each_gets_its_turn(served: Served) -> None:
    with contextlib.ExitStack() as opened:
        readers = [opened.enter_context(served.listener.call(b"/large")) for _ in range(30)]
        rounds = list[list[Connection]]()
        received = [0] * len(readers)
        for _ in range(24):
            rounds.append(served.round())
            received = [size + drain(reader) for size, reader in zip(received, readers, strict=True)]
        # Four that were writable, and four whose document was ready.
        assert max(map(len, rounds)) <= 2 * AT_ONCE
        assert all(received)
        begun, turn = rounds[:16], rounds[16:]  # every eight rounds are a turn of 30 clients
        assert len({client for sends in begun for client in sends}) == len(readers)
        assert [len(sends) for sends in turn] == [AT_ONCE] * len(turn)
        assert len({client for sends in turn for client in sends}) == len(readers)
        # A probe comes before them.
        probe = opened.enter_context(served.listener.call(b"/small"))
        sends = served.round()
        assert len(sends) == 1 + AT_ONCE
        assert probe.recv(4096).startswith(b"HTTP/1.1 200 OK")
        assert sends[0] not in {client for sends in turn for client in sends}


def test_s1_a_client_that_reads_nothing_takes_no_turn_of_another(served: Served) -> None:
    with contextlib.ExitStack() as opened:
        slow, *readers = [opened.enter_context(served.listener.call(b"/large")) for _ in range(AT_ONCE + 1)]
        received = [0] * len(readers)
        for _ in range(10):
            served.round()
            received = [size + drain(reader) for size, reader in zip(received, readers, strict=True)]
        assert len(served.round()) == AT_ONCE
        assert all(received)
        assert drain(slow) > 0


def test_s1_answers_that_were_waited_for_are_begun_a_few_at_a_time(served: Served) -> None:
    acted: list[int] = []
    for number in range(40):
        served.server._post(lambda number=number: acted.append(number))  # type: ignore[misc]
    counts = list[int]()
    for _ in range(10):
        served.round()
        counts.append(len(acted))
    assert counts == list(range(AT_ONCE, 41, AT_ONCE))
    assert acted == list(range(40))
