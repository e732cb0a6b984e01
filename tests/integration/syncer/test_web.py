"""The HTTP port over real TCP: slow, silent and rude clients hold up nobody."""

import asyncio
import gzip
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager

import pytest

from sandbox.layout import free_ports
from syncer.errors import MisconfiguredError
from syncer.telemetry import web
from syncer.telemetry.web import (
    Answer,
    Queried,
    RefusedError,
    Routes,
    Shared,
    document,
    server,
    serving,
    shared,
    text,
)
from syncer.telemetry.web.connection import Phase

HOST = "127.0.0.1"
LIMIT = server._CLIENTS_OF_A_SOURCE


OPENED: list[asyncio.StreamWriter] = []


def broken() -> Answer:
    raise RuntimeError("broken page")


LARGE = Answer(200, bytes(range(256)) * 8000)
ROUTES: Routes = {
    "/healthz": lambda: text(200, "ok"),
    "/status": lambda: document({"a": 1}),
    "/broken": broken,
    "/never": Future,
    "/": lambda: Answer(200, b"<p>" * 1000, "text/html", headers=(("X-More", "yes"),), etag='W/"1"'),
    "/large": lambda: LARGE,
}


@asynccontextmanager
async def site(routes: Routes = ROUTES) -> AsyncIterator[int]:
    (port,) = free_ports(1)
    async with serving(routes, HOST, port):
        yield port


def at_site(story: Callable[[int], Awaitable[None]], routes: Routes = ROUTES) -> None:
    async def whole() -> None:
        try:
            async with site(routes) as port:
                await asyncio.wait_for(story(port), 60)
        finally:
            for writer in OPENED:
                writer.transport.abort()
            OPENED.clear()
            await asyncio.sleep(0)

    asyncio.run(whole())


async def ask(port: int, request: bytes, *, half_close: bool = False) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(request)
    if half_close:
        writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


async def silent(port: int, source: str = HOST) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(HOST, port, local_addr=(source, 0))
    OPENED.append(writer)
    return reader, writer


async def end(client: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> bytes:
    """What comes until the other side closes."""
    try:
        return await asyncio.wait_for(client[0].read(), 5)
    except ConnectionError:
        return b""


def get(path: str, method: str = "GET", *headers: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]).encode()


def test_paths_answer_and_unknown_ones_name_those_there_are() -> None:
    async def story(port: int) -> None:
        assert (await ask(port, get("/healthz?verbose=1"))).endswith(b"\r\n\r\nok\n")
        assert b"200 OK" in await ask(port, get("/status"))
        assert (await ask(port, get("/status", "HEAD"))).endswith(b"\r\n\r\n")
        missing = await ask(port, get("/nothing"))
        assert b"404 Not Found" in missing
        assert b"/healthz, /large" in missing
        refused = await ask(port, get("/healthz", "DELETE"))
        assert b"405 Method Not Allowed" in refused
        assert b"Allow: GET, HEAD\r\n" in refused

    at_site(story)


def test_a_route_with_a_query_gets_it_and_may_refuse_it() -> None:
    def answer(query: str) -> Answer:
        if query == "no":
            raise RefusedError(400, "query is 'no'; allowed: yes")
        return text(200, f"asked {query!r}")

    async def story(port: int) -> None:
        assert (await ask(port, get("/status"))).endswith(b"asked ''\n")
        assert (await ask(port, get("/status?page=1&find=%20"))).endswith(b"asked 'page=1&find=%20'\n")
        refused = await ask(port, get("/status?no"))
        assert refused.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert refused.endswith(b"\r\n\r\nquery is 'no'; allowed: yes\n")
        assert b"404 Not Found" in await ask(port, get("/nothing?page=1"))

    at_site(story, {"/status": Queried(answer)})


def test_a_large_answer_is_compressed_for_who_asks_for_it() -> None:
    async def story(port: int) -> None:
        plain = await ask(port, get("/"))
        answer = await ask(port, get("/", "GET", "Accept-Encoding: br, gzip"))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert plain.endswith(gzip.decompress(body))
        assert b"Content-Encoding: gzip" in head
        assert b"X-More: yes" in head
        assert b"gzip" not in await ask(port, get("/healthz", "GET", "Accept-Encoding: gzip"))
        length = f"Content-Length: {len(body)}".encode()
        assert length in await ask(port, get("/", "HEAD", "Accept-Encoding: gzip"))

    at_site(story)


def test_what_the_browser_has_already_is_not_sent_again() -> None:
    async def story(port: int) -> None:
        assert b'ETag: W/"1"' in await ask(port, get("/"))
        again = await ask(port, get("/", "GET", 'If-None-Match: W/"1"'))
        assert again.startswith(b"HTTP/1.1 304 Not Modified\r\n")
        assert again.endswith(b"\r\n\r\n")
        assert b"200 OK" in await ask(port, get("/", "GET", 'If-None-Match: W/"2"'))
        assert b"Cache-Control: no-store" in await ask(port, get("/healthz"))

    at_site(story)


def test_a_page_that_fails_fails_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def story(port: int) -> None:
        assert b"500 Internal Server Error" in await ask(port, get("/broken"))
        assert b"200 OK" in await ask(port, get("/healthz"))

    at_site(story)
    assert "cannot answer /broken" in caplog.text


def test_s1_many_who_ask_for_a_costly_answer_share_it_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def observe() -> int:
        assert threading.current_thread() is threading.main_thread()
        time.sleep(0.01)
        seen.append("")
        return len(seen)

    def render(number: int) -> Answer:
        assert threading.current_thread() is not threading.main_thread()
        return text(200, f"{number}")

    async def story() -> None:
        monkeypatch.setattr(shared, "KEPT_FOR", 1e6)
        async with site({"/status": Shared(observe, render)}) as port:
            answers = await asyncio.gather(*(ask(port, get("/status")) for _ in range(40)))
            assert [answer.rpartition(b"\r\n")[2] for answer in answers] == [b"1\n"] * 40
        monkeypatch.setattr(shared, "KEPT_FOR", 0)
        async with site({"/status": Shared(observe, render)}) as port:
            for expected in (b"2\n", b"3\n"):
                assert (await ask(port, get("/status"))).endswith(expected)
                await asyncio.sleep(0.05)

    asyncio.run(story())


def test_s1_a_document_that_cannot_be_made_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    whole = [False]

    def observe() -> int:
        if not whole[0]:
            raise RuntimeError("broken state")
        return 1

    async def story() -> None:
        async with site({"/status": Shared(observe, lambda number: text(200, str(number)))}) as port:
            assert b"500 Internal Server Error" in await ask(port, get("/status"))
            whole[0] = True
            async with asyncio.timeout(10):
                while b"200 OK" not in await ask(port, get("/status")):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)

    asyncio.run(story())
    assert "cannot answer /status" in caplog.text


def test_s1_silent_clients_are_cut_off_after_a_second() -> None:
    async def story(port: int) -> None:
        mute, begun = await silent(port), await silent(port)
        begun[1].write(b"GET /heal")
        assert b"200 OK" in await ask(port, get("/healthz"))
        assert await end(mute) == b""
        assert (await end(begun)).startswith(b"HTTP/1.1 408 Request Timeout\r\n")

    at_site(story)


def test_s1_a_byte_now_and_then_prolongs_nothing() -> None:
    async def story(port: int) -> None:
        reader, writer = await silent(port)
        answer = asyncio.create_task(reader.read(200))
        sent = 0
        while not answer.done():
            writer.write(get("/healthz")[sent : sent + 1])
            sent += 1
            await asyncio.sleep(0.1)
        assert answer.result().startswith(b"HTTP/1.1 408 ")
        assert sent < len(get("/healthz"))

    at_site(story)


@pytest.mark.parametrize("surplus", [0, 1, 100])
def test_s1_of_too_many_from_one_source_the_oldest_silent_one_is_closed(
    surplus: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(server._PATIENCE_S, Phase.SILENT, 60.0)

    async def story(port: int) -> None:
        other = await silent(port, "127.0.0.2")
        clients = [await silent(port) for _ in range(LIMIT - 1 + surplus)]
        assert b"200 OK" in await ask(port, get("/healthz"))
        for client in clients[:surplus]:
            assert await end(client) == b""
        for client in (other, *clients[surplus + 1 :]):
            client[1].write(get("/healthz"))
            assert b"200 OK" in await end(client)

    at_site(story)


def test_s1_many_sources_fill_nothing_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(server._PATIENCE_S, Phase.SILENT, 60.0)

    async def story(port: int) -> None:
        clients = [await silent(port, f"127.0.{number // 250}.{number % 250 + 2}") for number in range(400)]
        assert b"200 OK" in await ask(port, get("/healthz"))
        assert [await end(client) for client in clients[:140]] == [b""] * 140
        for client in clients[-100:]:
            client[1].write(get("/healthz"))
            assert b"200 OK" in await end(client)

    at_site(story)


async def slow_reader(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await silent(port)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(get("/large"))
    return reader, writer


def test_s1_readers_of_a_large_answer_get_all_of_it_beside_slow_ones() -> None:
    async def story(port: int) -> None:
        for _ in range(2 * LIMIT):
            await slow_reader(port)
        assert b"200 OK" in await ask(port, get("/healthz"))
        answers = await asyncio.gather(*(ask(port, get("/large")) for _ in range(40)))
        assert [len(a) for a in answers if not a.endswith(LARGE.body)] == []

    at_site(story)


def test_s1_slow_readers_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(server._PATIENCE_S, Phase.SENDING, 0.5)

    async def story(port: int) -> None:
        reader, writer = await slow_reader(port)
        await asyncio.sleep(1)
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert len(await end((reader, writer))) < len(LARGE.body)

    at_site(story)


def test_s1_an_answer_that_never_comes_is_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(server._PATIENCE_S, Phase.WAITING, 0.3)

    async def story(port: int) -> None:
        waiting = asyncio.create_task(ask(port, get("/never")))
        assert b"200 OK" in await ask(port, get("/healthz"))
        assert (await waiting).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")

    at_site(story)


def test_s1_a_busy_loop_keeps_no_probe_waiting() -> None:
    """The loop that the controller runs on is blocked, and the probe is answered in the meantime."""

    async def story(port: int) -> None:
        answers: list[bytes] = []

        def kubelet() -> None:
            with socket.create_connection((HOST, port), timeout=5) as connection:
                connection.sendall(get("/healthz"))
                answers.append(connection.recv(4096))

        asking = threading.Thread(target=kubelet)
        asking.start()
        asking.join(5)  # on the loop: nothing else runs on it
        assert answers[0].startswith(b"HTTP/1.1 200 OK\r\n")

    at_site(story)


@pytest.mark.parametrize(
    "request_bytes",
    [
        get("/healthz") + b"GET / HTTP/1.1\r\n\x00\xff garbage" * 50,
        b"POST /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"4000\r\n" * 1
        + b"x" * 0x4000
        + b"\r\n0\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500000\r\n\r\n" + b"x" * 500_000,
        b"GET /" + b"a" * 100_000,
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000,
        b"\r\n\r\n" * 5000,
        b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + b"\x00" * 160 + b"\r\n\r\n",
    ],
    ids=["pipelined", "chunked", "body", "long path", "large head", "empty heads", "TLS"],
)
def test_s1_rude_requests_get_an_answer_and_hurt_nobody(request_bytes: bytes) -> None:
    async def story(port: int) -> None:
        answer = await ask(port, request_bytes)
        assert answer.startswith(b"HTTP/1.1 ")
        assert answer.count(b"HTTP/1.1 ") == 1
        assert b"500 " not in answer
        assert b"200 OK" in await ask(port, get("/healthz"))

    at_site(story)


def test_s1_a_head_without_end_is_too_large() -> None:
    async def story(port: int) -> None:
        assert (await ask(port, b"GET /" + b"a" * 100_000)).startswith(b"HTTP/1.1 431 ")

    at_site(story)


def test_s1_a_client_that_closes_its_half_or_all_of_it_is_no_trouble(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(port: int) -> None:
        assert (await ask(port, get("/large"), half_close=True)).endswith(LARGE.body)
        for begin in (b"", b"GET /", get("/large"), get("/never")):
            gone = await silent(port)
            gone[1].write(begin)
            await asyncio.sleep(0.05)
            gone[1].transport.abort()
        assert b"200 OK" in await ask(port, b"GET /healthz HTTP/1.0\r\n\r\n")

    at_site(story)
    assert caplog.text == ""


def test_s7_a_page_of_another_host_reads_nothing() -> None:
    async def story(port: int) -> None:
        for path in ROUTES:
            request = f"GET {path} HTTP/1.1\r\nHost: attacker.example:{port}\r\n\r\n".encode()
            answer = await ask(port, request)
            assert answer.startswith(b"HTTP/1.1 421 Misdirected Request\r\n")
            assert b"allowed: an IP address, localhost, " in answer
        assert b"200 OK" in await ask(port, get("/status"))

    at_site(story)


def test_an_ipv6_address_is_listened_on() -> None:
    (port,) = free_ports(1)

    async def story() -> None:
        async with serving(ROUTES, "::1", port):
            reader, writer = await asyncio.open_connection("::1", port)
            writer.write(f"GET /healthz HTTP/1.1\r\nHost: [::1]:{port}\r\n\r\n".encode())
            assert b"200 OK" in await reader.read()
            writer.close()
            await writer.wait_closed()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("a..b", "not a host name"),
        ("a" * 64, "not a host name"),
        ("192.0.2.1", "cannot assign requested address"),
    ],
)
def test_an_address_that_is_not_ours_is_one_line(address: str, why: str) -> None:
    (port,) = free_ports(1)

    async def story() -> None:
        with pytest.raises(MisconfiguredError) as raised:
            async with serving(ROUTES, address, port):
                pass
        assert str(raised.value) == (
            f"cannot listen on {address}:{port}: {why}; set NLB_SYNC_ADDRESS and NLB_SYNC_PORT"
        )

    asyncio.run(story())


def test_a_port_that_is_taken_is_named_with_what_to_set() -> None:
    async def story(port: int) -> None:
        for setting in ("NLB_SYNC_PORT", "NLB_SYNC_PROBE_PORT"):
            with pytest.raises(MisconfiguredError) as raised:
                async with serving(ROUTES, HOST, port, setting=setting):
                    pass
            assert str(raised.value) == (
                f"cannot listen on {HOST}:{port}: address already in use; set NLB_SYNC_ADDRESS and {setting}"
            )

    at_site(story)
    assert web.serving is serving


def test_s5_clients_in_every_state_are_no_trouble_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    async def story(port: int) -> None:
        for begin in (b"", b"GET /", get("/large"), get("/never"), get("/healthz")):
            for _ in range(5):
                _, writer = await silent(port)
                writer.transport.pause_reading()  # type: ignore[attr-defined]
                writer.write(begin)
        await asyncio.sleep(0.1)

    before = threading.active_count()
    at_site(story)
    assert threading.active_count() <= before + 1  # the pool of asyncio ends with the loop
    assert caplog.text == ""
