"""The HTTP port over real TCP: slow, silent and rude clients hold up nobody."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from syncer import web
from syncer.errors import MisconfiguredError
from syncer.web import Routes, document, serving, shared, text

HOST = "127.0.0.1"


def broken() -> web.Answer:
    raise RuntimeError("broken page")


ROUTES: Routes = {
    "/healthz": lambda: text(200, "ok"),
    "/status": lambda: document({"a": 1}),
    "/broken": broken,
    "/": lambda: web.Answer(200, b"<p>" * 1000, "text/html", headers=(("X-More", "yes"),), etag='W/"1"'),
}


@asynccontextmanager
async def site() -> AsyncIterator[int]:
    server = await asyncio.start_server(lambda _r, w: w.close(), HOST, 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with serving(ROUTES, HOST, port):
        yield port


async def ask(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


def get(path: str, method: str = "GET", *headers: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


def test_paths_answer_and_unknown_ones_name_those_there_are() -> None:
    async def story() -> None:
        async with site() as port:
            assert (await ask(port, get("/healthz?verbose=1"))).endswith(b"\r\n\r\nok\n")
            assert b"200 OK" in await ask(port, get("/status"))
            assert (await ask(port, get("/status", "HEAD"))).endswith(b"\r\n\r\n")
            missing = await ask(port, get("/nothing"))
            assert b"404 Not Found" in missing
            assert b"/healthz, /status" in missing
            assert b"405 Method Not Allowed" in await ask(port, get("/healthz", "DELETE"))

    asyncio.run(story())


def test_a_large_answer_is_compressed_for_who_asks_for_it() -> None:
    async def story() -> None:
        async with site() as port:
            plain = await ask(port, get("/"))
            head, _, body = (await ask(port, get("/", "GET", "Accept-Encoding: br, gzip"))).partition(
                b"\r\n\r\n"
            )
            assert plain.endswith(gzip.decompress(body))
            assert b"Content-Encoding: gzip" in head
            assert b"X-More: yes" in head
            assert b"gzip" not in await ask(port, get("/healthz", "GET", "Accept-Encoding: gzip"))
            length = f"Content-Length: {len(body)}".encode()
            assert length in await ask(port, get("/", "HEAD", "Accept-Encoding: gzip"))

    asyncio.run(story())


def test_many_who_ask_for_a_costly_answer_share_it_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0

    def costly() -> web.Answer:
        nonlocal made
        made += 1
        time.sleep(0.01)
        return document(made)

    async def story() -> None:
        monkeypatch.setattr(web, "_KEPT_FOR", 1e6)
        route = shared(costly)
        assert [route().body for _ in range(20)] == [b"1\n"] * 20
        monkeypatch.setattr(web, "_KEPT_FOR", 0)
        again = shared(costly)
        assert again().body == b"2\n"
        await asyncio.sleep(0.01)
        assert again().body == b"3\n"

    asyncio.run(story())


def test_what_the_browser_has_already_is_not_sent_again() -> None:
    async def story() -> None:
        async with site() as port:
            assert b'ETag: W/"1"' in await ask(port, get("/"))
            again = await ask(port, get("/", "GET", 'If-None-Match: W/"1"'))
            assert again.startswith(b"HTTP/1.1 304 Not Modified\r\n")
            assert again.endswith(b"\r\n\r\n")
            assert b"200 OK" in await ask(port, get("/", "GET", 'If-None-Match: W/"2"'))
            assert b"Cache-Control: no-store" in await ask(port, get("/status"))

    asyncio.run(story())


def test_a_page_that_fails_fails_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async with site() as port:
            assert b"500 Internal Server Error" in await ask(port, get("/broken"))
            assert b"200 OK" in await ask(port, get("/healthz"))

    asyncio.run(story())
    assert "cannot answer /broken" in caplog.text


def test_silent_clients_hold_up_nobody_and_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_PATIENCE_S", 0.3)

    async def story() -> None:
        async with site() as port:
            silent = [await asyncio.open_connection(HOST, port) for _ in range(20)]
            for _, writer in silent:
                writer.write(b"GET /heal")
            assert b"200 OK" in await asyncio.wait_for(ask(port, get("/healthz")), 0.2)
            ends = await asyncio.wait_for(
                asyncio.gather(*(reader.read() for reader, _ in silent), return_exceptions=True), 2
            )
            assert all(end == b"" or isinstance(end, ConnectionResetError) for end in ends)
            for _, writer in silent:
                writer.close()

    asyncio.run(story())


def test_a_head_without_end_is_cut_off() -> None:
    async def story() -> None:
        async with site() as port:
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(b"GET /" + b"a" * 100_000)
            with suppress(ConnectionResetError):
                assert await asyncio.wait_for(reader.read(), 2) == b""
            writer.close()

    asyncio.run(story())


def test_a_port_that_is_taken_is_named_with_what_to_set() -> None:
    async def story() -> None:
        async with site() as port:
            with pytest.raises(MisconfiguredError) as raised:
                async with serving(ROUTES, HOST, port):
                    pass
        assert str(raised.value) == (
            f"cannot listen on {HOST}:{port}: address already in use; set NLB_SYNC_ADDRESS and NLB_SYNC_PORT"
        )

    asyncio.run(story())
