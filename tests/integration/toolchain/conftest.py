"""A machine of its own for each test: a PATH, a cache, a publisher on the loopback, a small Go program."""

import os
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.integration.toolchain.machine import Publisher, Reports

_REAL_PATH = os.environ.get("PATH", "")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("NODE_NLB_SYNC_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache/tools"


@pytest.fixture(autouse=True)
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """An empty PATH; gives a function that puts a script on it."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))

    def put(name: str, script: str) -> Path:
        path = directory / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return put


@pytest.fixture
def with_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go on PATH, and no way to any module proxy."""
    go = shutil.which("go", path=_REAL_PATH)
    if go is None:
        pytest.skip("Go is not on PATH")
    (tmp_path / "bin/go").symlink_to(Path(go).resolve())
    monkeypatch.setenv("GOPROXY", "off")


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    """A release server on the loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = state.assets.get(self.path)
            if self.path in state.silent:
                state.closing.wait(30)
                return
            if content is None or self.path in state.missing:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if self.path in state.truncated else content)
            if f"{self.path}#body" in state.silent:
                state.closing.wait(30)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Publisher(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield state
    state.closing.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A wrapper module without dependencies; its program prints the version it was stamped with."""
    module = tmp_path / "module"
    module.mkdir()
    (module / "go.mod").write_text("module example\n\ngo 1.21\n")
    # The mark keeps it out of Go's build cache, which outlives the test.
    (module / "main.go").write_text(
        f'package main\n\nimport "os"\n\nconst mark = "{uuid.uuid4()}"\n\nvar version = "unstamped"\n\n'
        'func main() { os.Stdout.WriteString(version + "\\n") }\n'
    )
    return module


@pytest.fixture
def reports() -> Reports:
    """What was reported."""
    return Reports()
