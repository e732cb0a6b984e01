"""Downloads a tool's official release: verified by digest, with short waits on a dead network."""

import hashlib
import shutil
import tarfile
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from http.client import HTTPException, HTTPResponse
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import urlsplit

from sandbox.toolchain.errors import DownloadError
from sandbox.toolchain.pins import Release, Tool

# Without a network all tools are built; the 4 s for the detection are spent only once for all tools.
_PATIENCE_S = 4.0
_TICK_S = 0.5
_CHUNK = 1 << 16
_CHECKSUMS_AT_MOST = 1 << 20
_SHA256_DIGITS = 64


def digests(tools: Iterable[Tool], tick: Callable[[], None]) -> dict[str, str | DownloadError]:
    """Request the sha256 of all releases concurrently; return the digest or the error by tool name.

    Takes 4 s at most. A pinned digest is also requested, so that a dead network is detected only once.
    """
    answers: dict[str, str | DownloadError] = {}
    threads = []
    for tool in tools:
        if tool.release is None:
            answers[tool.name] = DownloadError("no official release for this platform")
            continue
        # Not an executor: the exit would wait for its threads, and a name lookup can hang for a minute.
        thread = threading.Thread(target=_ask, args=(tool.name, tool.release, answers), daemon=True)
        thread.start()
        threads.append((tool.name, thread))
    deadline = time.monotonic() + _PATIENCE_S
    for name, thread in threads:
        while thread.is_alive() and time.monotonic() < deadline:
            thread.join(min(_TICK_S, max(0.0, deadline - time.monotonic())))
            tick()
        answers.setdefault(name, DownloadError(f"no answer within {_PATIENCE_S:.0f} s"))
    return dict(answers)


def download(release: Release, digest: str, into: Path, tick: Callable[[int, int | None], None]) -> None:
    """Put the release's file, or the kept members of its archive, into the directory `into`.

    `tick(done, total)` is called twice a second with the bytes so far. Raises DownloadError for a failed
    transfer, a stall of 4 s, or a wrong digest.
    """
    transfer = _Transfer(release.url, into / ".download")
    transfer.thread.start()
    try:
        _watch(transfer, tick)
        _check(transfer, digest)
        _unpack(transfer.path, release, into)
    finally:
        transfer.abandoned.set()
        transfer.path.unlink(missing_ok=True)


@dataclass
class _Transfer:
    """A download on its own thread, because a name lookup has no timeout and cannot be interrupted."""

    url: str
    path: Path
    done: int = 0
    total: int | None = None
    sha256: str = ""
    failure: str = ""
    abandoned: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            with _open(self.url) as response, self.path.open("wb") as file:
                self.total = int(response.headers.get("Content-Length") or 0) or None
                self._copy(response, file)
        except (OSError, HTTPException, ValueError) as error:
            self.failure = _why(self.url, error)

    def _copy(self, response: HTTPResponse, file: IO[bytes]) -> None:
        digest = hashlib.sha256()
        while not self.abandoned.is_set() and (chunk := response.read(_CHUNK)):
            file.write(chunk)
            digest.update(chunk)
            self.done += len(chunk)
        self.sha256 = digest.hexdigest()


def _watch(transfer: _Transfer, tick: Callable[[int, int | None], None]) -> None:
    seen, moved = 0, time.monotonic()
    while transfer.thread.is_alive():
        transfer.thread.join(_TICK_S)
        tick(transfer.done, transfer.total)
        if transfer.done > seen:
            seen, moved = transfer.done, time.monotonic()
        if time.monotonic() - moved > _PATIENCE_S:
            raise DownloadError(f"{_host(transfer.url)} sent nothing for {_PATIENCE_S:.0f} s")


def _check(transfer: _Transfer, digest: str) -> None:
    if transfer.failure:
        raise DownloadError(transfer.failure)
    if transfer.total is not None and transfer.done < transfer.total:
        raise DownloadError(f"the download ended after {transfer.done} of {transfer.total} bytes")
    if transfer.sha256 != digest:
        raise DownloadError(
            f"the download is corrupt: {transfer.url} has sha256 {transfer.sha256}, expected {digest}"
        )


def _unpack(file: Path, release: Release, into: Path) -> None:
    """Extract the kept files by their base names, so that a member's path cannot choose the place."""
    if not release.keep:
        shutil.copyfile(file, into / PurePosixPath(urlsplit(release.url).path).name)
        return
    try:
        if release.url.endswith(".zip"):
            with zipfile.ZipFile(file) as bundle:
                for info in bundle.infolist():
                    if not info.is_dir() and _kept(info.filename, release):
                        with bundle.open(info) as source:
                            _write(source, into / PurePosixPath(info.filename).name)
            return
        with tarfile.open(file) as archive:
            for member in archive:
                if (
                    member.isfile()
                    and _kept(member.name, release)
                    and (content := archive.extractfile(member))
                ):
                    _write(content, into / PurePosixPath(member.name).name)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise DownloadError(f"{release.url} is not a readable archive: {error}") from error


def _kept(member: str, release: Release) -> bool:
    name = PurePosixPath(member).name
    return any(fnmatch(name, pattern) for pattern in release.keep)


def _write(source: IO[bytes], target: Path) -> None:
    with target.open("wb") as file:
        shutil.copyfileobj(source, file)


def _ask(name: str, release: Release, answers: dict[str, str | DownloadError]) -> None:
    """Put the digest of `release`, or the error, into `answers`."""
    try:
        with _open(release.checksums_url) as response:
            text = response.read(_CHECKSUMS_AT_MOST).decode(errors="replace")
    except (OSError, HTTPException, ValueError) as error:
        answered = isinstance(error, urllib.error.HTTPError)
        why = DownloadError(_why(release.checksums_url, error))
        answers[name] = (release.sha256 if answered else None) or why
        return
    digest = release.sha256 or _listed(text, PurePosixPath(urlsplit(release.url).path).name)
    answers[name] = digest or DownloadError(f"{release.checksums_url} has no checksum of {release.url}")


def _listed(text: str, asset: str) -> str | None:
    """Return the digest of `asset` in a checksum file: `digest  name` lines, or only a digest."""
    for line in text.splitlines():
        digest, *names = line.split()[:2] or [""]
        if len(digest) == _SHA256_DIGITS and (not names or names[0].lstrip("*") == asset):
            return digest.lower()
    return None


def _open(url: str) -> HTTPResponse:
    request = urllib.request.Request(url, headers={"User-Agent": "node-nlb-sync"})  # noqa: S310 (pinned URL)
    response: HTTPResponse = urllib.request.urlopen(request, timeout=_PATIENCE_S)  # noqa: S310 (the same)
    return response


def _why(url: str, error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"{url} answers {error.code}"
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return f"{_host(url)} cannot be reached ({reason})"


def _host(url: str) -> str:
    return urlsplit(url).netloc
