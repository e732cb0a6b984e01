"""The order in which one round of the serving thread acts."""

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from syncer.telemetry.web.answer import Answer
from syncer.telemetry.web.connection import Connection
from syncer.telemetry.web.hosts import Hosts
from syncer.telemetry.web.server import Server

HEAD = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
SMALL = Answer(200, b"ok\n", "text/plain")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Server, int, list[list[str]]]]:
    """A server that runs, its port, and what was sent in each round: `large` or `small`."""
    rounds: list[list[str]] = [[]]
    send, select = Connection.send, selectors.DefaultSelector.select

    def noted_send(self: Connection) -> bool:
        size = sum(map(len, self._unsent))
        rounds[-1].append("large" if size >= 1000 else "small" if size else "nothing")
        return send(self)

    def noted_select(self: selectors.DefaultSelector, timeout: float | None = None) -> object:
        found = select(self, timeout)
        rounds.append([])
        return found

    monkeypatch.setattr(Connection, "send", noted_send)
    monkeypatch.setattr(selectors.DefaultSelector, "select", noted_select)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    made: Future[Answer] = Future()
    made.set_result(Answer(200, b"x" * 50_000_000, "text/plain"))
    server = Server({"/large": lambda: made, "/small": lambda: SMALL}, [listener], Hosts())
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server, listener.getsockname()[1], rounds
    finally:
        server.stop()
        thread.join()


def test_s1_a_round_sends_to_a_few_clients_and_each_gets_its_turn(
    served: tuple[Server, int, list[list[str]]],
) -> None:
    _, port, rounds = served
    with contextlib.ExitStack() as opened:
        readers = [opened.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(30)]
        for reader in readers:
            reader.sendall(HEAD % b"/large")
        left = {reader.fileno(): 0 for reader in readers}
        for _ in range(20):
            for reader in readers:
                left[reader.fileno()] += len(reader.recv(200_000))
        with socket.create_connection(("127.0.0.1", port)) as probe:
            probe.sendall(HEAD % b"/small")
            answer = b"".join(iter(lambda: probe.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert all(left.values())
    assert sum(sends.count("large") for sends in rounds) > 60  # the readers took many parts each
    # Four that were writable and four whose document was ready, and the probe before them.
    assert max(sends.count("large") for sends in rounds) <= 8
    (probed,) = [sends for sends in rounds if "small" in sends]
    assert probed[0] == "small"


def test_s1_answers_that_were_waited_for_are_begun_a_few_at_a_time(
    served: tuple[Server, int, list[list[str]]],
) -> None:
    server, port, rounds = served
    done = threading.Semaphore(0)
    asked: list[int] = []

    def act() -> None:
        asked.append(len(rounds))
        done.release()

    with socket.create_connection(("127.0.0.1", port)):  # a client, so that the thread looks again by itself
        for _ in range(40):
            server._post(act)
        for _ in range(40):
            assert done.acquire(timeout=10)
    assert max(asked.count(each) for each in asked) <= 4
