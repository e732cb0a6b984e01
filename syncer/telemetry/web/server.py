"""All clients of one port, served by one thread that waits for no single client."""

import asyncio
import contextlib
import errno
import logging
import resource
import selectors
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from functools import partial

from syncer.telemetry.web.answer import Answer, Routes, text
from syncer.telemetry.web.connection import Connection, Phase
from syncer.telemetry.web.hosts import Hosts
from syncer.telemetry.web.listen import listen
from syncer.telemetry.web.queries import Queried
from syncer.telemetry.web.request import RefusedError, Request, parse

log = logging.getLogger(__name__)

# The longest time of a connection in each phase. A kubelet sends its head at once; 2 MB of /status take 7 s
# at 2.5 Mbit/s; a document is late only where the controller's loop hangs.
_PATIENCE_S = {Phase.SILENT: 1.0, Phase.WAITING: 5.0, Phase.SENDING: 10.0, Phase.CLOSING: 1.0}
# The kubelet, Prometheus, a proxy and `kubectl port-forward` are one source each; a source may have 40 users.
_CLIENTS = 256
_CLIENTS_OF_A_SOURCE = 64
_OPEN_FILES_SHARE = 4  # the clients of a port use at most a fourth of the process's file limit
_ACCEPTED_AT_ONCE = 32
_SENDS_AT_ONCE = 4
_LOOK_S = 0.1
_FILES_SHORT = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_REPORT_S = 60.0


@contextlib.asynccontextmanager
async def serving(
    routes: Routes, address: str, port: int, hosts: Hosts | None = None, setting: str = "NLB_SYNC_PORT"
) -> AsyncIterator[None]:
    """Serve `routes` from a thread while the block runs; an empty address is every address of this host.

    Routes are called in the thread: their data must be handed over whole, or be made by `Shared`.

    MisconfiguredError if the address or the port (of the variable `setting`) cannot be bound.
    """
    listeners = await asyncio.to_thread(listen, address, port, setting)
    server = Server(routes, listeners, hosts or Hosts())
    thread = threading.Thread(target=server.run, name=f"http-{port}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.stop()
        thread.join()


class Server:
    """Accepts, reads, answers and closes, for all listeners of one port. `stop` is thread-safe."""

    def __init__(self, routes: Routes, listeners: Sequence[socket.socket], hosts: Hosts) -> None:
        self._routes, self._hosts, self._listeners = routes, hosts, listeners
        self._selector = selectors.DefaultSelector()
        self._clients: set[Connection] = set()
        self._sources: Counter[str] = Counter()
        self._limit = _most_clients()
        self._accept_again = 0.0
        self._reported = -_REPORT_S
        self._stopping = False
        self._posted: deque[Callable[[], None]] = deque()
        self._wakes, self._woken = socket.socketpair()
        for end in (self._wakes, self._woken):
            end.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, partial(self._woken.recv, 4096))
        self._listen_again()

    def run(self) -> None:
        """Serve until `stop`; then close all sockets."""
        try:
            while not self._stopping:
                look = _LOOK_S if self._clients or self._accept_again else None
                for act in self._in_turn(self._selector.select(0 if self._posted else look)):
                    self._guarded(act)
                self._sweep(time.monotonic())
        finally:
            self._selector.close()
            for client in self._clients:
                client.close()
            for sock in (*self._listeners, self._woken, self._wakes):
                sock.close()

    def stop(self) -> None:
        """End `run`, from another thread."""
        self._stopping = True
        self._post(lambda: None)

    def _post(self, act: Callable[[], None]) -> None:
        """Queue `act` for the serving thread; dropped after the thread's end."""
        self._posted.append(act)
        with contextlib.suppress(OSError):  # full: the thread is awake; closed: the thread has ended
            self._wakes.send(b"\0")

    def _in_turn(self, events: Sequence[tuple[selectors.SelectorKey, int]]) -> Iterator[Callable[[], None]]:
        """Yield new clients and requests first, possible probes, then a few clients of large answers.

        After each system call the thread may have to wait for the interpreter: 40 sends in a row took 0.1 s.
        """
        sending: list[Connection] = []
        for key, mask in events:
            if mask & selectors.EVENT_WRITE:
                sending.append(key.data)
            elif isinstance(key.data, Connection):
                yield partial(self._read, key.data)
            else:
                yield key.data
        sending.sort(key=lambda client: client.moved_at)
        yield from (partial(self._send_more, client) for client in sending[:_SENDS_AT_ONCE])
        yield from (self._posted.popleft() for _ in range(min(_SENDS_AT_ONCE, len(self._posted))))

    def _guarded(self, act: Callable[[], None]) -> None:
        """Keep the thread that answers probes alive after a fault with one client."""
        try:
            act()
        except Exception:
            log.exception("unforeseen fault while serving HTTP")

    # -- accept

    def _listen_again(self) -> None:
        self._accept_again = 0.0
        for listener in self._listeners:
            self._selector.register(listener, selectors.EVENT_READ, partial(self._accept, listener))

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                sock, place = listener.accept()
            except OSError as error:
                if error.errno in _FILES_SHORT:
                    self._pause(error)
                return  # the client has disconnected, or timed out
            self._make_room(source := str(place[0]))
            client = Connection(sock, source)
            self._enter(client, Phase.SILENT)
            self._clients.add(client)
            self._sources[source] += 1
            self._watch(client, selectors.EVENT_READ)
            self._read(client)  # most heads have already arrived

    def _make_room(self, source: str) -> None:
        """Close the client with the oldest progress: a new client may be a probe, and is never refused.

        The oldest is a silent client or a slow reader; a client that waits for a document comes last.
        """
        if self._sources[source] >= min(self._limit, _CLIENTS_OF_A_SOURCE):
            rivals = [each for each in self._clients if each.source == source]
        elif len(self._clients) >= self._limit:
            rivals = list(self._clients)
        else:
            return
        self._close(min(rivals, key=lambda each: (each.phase is Phase.WAITING, each.moved_at)))

    def _pause(self, error: OSError) -> None:
        """Stop accepting for a moment: a readable listener would wake the loop without end."""
        now = time.monotonic()
        if now - self._reported >= _REPORT_S:
            self._reported = now
            log.warning("cannot accept HTTP clients: %s; raise the limit of open files", error.strerror)
        if not self._accept_again:
            for listener in self._listeners:
                self._selector.unregister(listener)
        self._accept_again = now + _LOOK_S

    # -- serve

    def _read(self, client: Connection) -> None:
        try:
            head = client.read()
        except OSError:
            self._close(client)
            return
        if head is None:
            return
        if not head:
            self._send(client, text(431, "the head of the request is too large; allowed: 8 KiB"))
            return
        try:
            request = parse(head, self._hosts)
        except RefusedError as refused:
            self._send(client, refused.answer)
            return
        client.method, client.headers = request.method, dict(request.headers)
        self._answer(client, request)

    def _answer(self, client: Connection, request: Request) -> None:
        route = self._routes.get(request.path)
        if route is None:
            self._send(client, text(404, f"unknown path; allowed: {', '.join(sorted(self._routes))}"))
            return
        try:
            answer = route(request.query) if isinstance(route, Queried) else route()
        except RefusedError as refused:
            answer = refused.answer
        except Exception:
            log.exception("cannot answer %s", request.path)
            answer = text(500, "see the log")
        if isinstance(answer, Answer):
            self._send(client, answer)
            return
        self._enter(client, Phase.WAITING)
        self._watch(client, 0)
        answer.add_done_callback(
            lambda made: self._post(partial(self._send_made, client, made, request.path))
        )

    def _send_made(self, client: Connection, made: Future[Answer], path: str) -> None:
        if client not in self._clients or client.phase is not Phase.WAITING:
            return
        try:
            answer = made.result()
        except CancelledError:  # the controller is stopping
            answer = text(503, "stopping")
        except Exception:
            log.exception("cannot answer %s", path)
            answer = text(500, "see the log")
        self._send(client, answer)

    def _send(self, client: Connection, answer: Answer) -> None:
        client.answer(answer, client.method, client.headers)
        self._enter(client, Phase.SENDING)
        self._watch(client, selectors.EVENT_WRITE)
        self._send_more(client)

    def _send_more(self, client: Connection) -> None:
        try:
            done = client.send()
        except OSError:
            self._close(client)
            return
        if done:
            self._enter(client, Phase.CLOSING)
            self._watch(client, selectors.EVENT_READ)

    # -- close

    def _sweep(self, now: float) -> None:
        """Close connections that timed out; a client that may still read gets the reason."""
        if self._accept_again and now >= self._accept_again:
            self._listen_again()
        for client in [each for each in self._clients if now >= each.deadline]:
            if client.phase is Phase.SILENT and client.begun:
                self._send(client, text(408, "the head of the request did not end (CR LF CR LF) within 1 s"))
            elif client.phase is Phase.WAITING:
                self._send(client, text(503, "the controller's loop did not answer within 5 s"))
            else:
                self._close(client)

    def _enter(self, client: Connection, phase: Phase) -> None:
        client.phase, client.deadline = phase, time.monotonic() + _PATIENCE_S[phase]

    def _watch(self, client: Connection, events: int) -> None:
        """Wait for `events` of the client; 0 is none."""
        if client.sock in self._selector.get_map():
            self._selector.unregister(client.sock)
        if events:
            self._selector.register(client.sock, events, client)

    def _close(self, client: Connection) -> None:
        if client not in self._clients:
            return  # closed by an earlier event of the same round
        self._watch(client, 0)
        self._clients.remove(client)
        self._sources -= Counter([client.source])  # removes sources without clients
        client.close()


def _most_clients() -> int:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _CLIENTS if files == resource.RLIM_INFINITY else max(1, min(_CLIENTS, files // _OPEN_FILES_SHARE))
