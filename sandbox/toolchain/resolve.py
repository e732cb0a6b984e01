"""Finds the tools: on PATH, in the cache, as an official release, or built with Go, in this order."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.toolchain import build, fetch, pins, store
from sandbox.toolchain.errors import BuildError, DownloadError, GoUnusableError, ToolchainError
from sandbox.toolchain.pins import Pins, Tool
from sandbox.toolchain.progress import Progress, Report, Step

_ASK_S = 10.0
_MEGABYTE = 1_000_000


def ensure(
    tools: Iterable[str] | None = None, report: Report = lambda _: None, known: Pins | None = None
) -> dict[str, Path]:
    """Provide `tools` in their pinned versions; return their executables.

    The default is all tools of the sandbox.

    `report` is called at least every second during the work, and once with `Step.READY` for each tool.
    `known` replaces the pins of pins.toml. Raises ToolchainError for an unavailable tool.
    """
    known = known or pins.load()
    wanted = [known.tool(name) for name in dict.fromkeys(known.default if tools is None else tools)]
    try:
        paths = {tool.name: path for tool in wanted if (path := _at_hand(tool, report))}
        missing = [tool for tool in wanted if tool.name not in paths]
        if missing:
            paths |= _prepare(missing, known, report)
    except OSError as error:
        raise ToolchainError(
            f"the tools cannot be kept in {store.root()}: {error.strerror or error} ({error.filename}); "
            "make the directory writable, or set NODE_NLB_SYNC_CACHE to another directory"
        ) from error
    return {tool.name: paths[tool.name] for tool in wanted}


def _at_hand(tool: Tool, report: Report) -> Path | None:
    """Return the tool from PATH in exactly the pinned version, or from the cache."""
    kept = store.cached(tool)
    on_path = shutil.which(tool.name)
    path, note = kept, "cached"
    if on_path and (kept is None or not kept.samefile(on_path)) and _tells_version(Path(on_path), tool):
        path, note = Path(on_path).absolute(), "on PATH"
    if path:
        report(Progress(tool=tool.name, version=tool.version, step=Step.READY, note=note))
    return path


def _tells_version(executable: Path, tool: Tool) -> bool:
    """Whether `executable` prints the pinned version, as in `v3.250.0` or `etcd Version: 3.7.3`."""
    try:
        asked = subprocess.run(
            [executable, *tool.ask],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ASK_S,
            check=False,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return bool(re.search(rf"(?<![\w.+-])v?{re.escape(tool.version)}(?![\w.+-])", asked.stdout))


@dataclass
class _Job:
    """A tool in preparation: its reports, its staging directory, the error of its download."""

    tool: Tool
    report: Report
    files: Path
    refusal: str = ""
    began: float = field(default_factory=time.monotonic)

    def advance(
        self, step: Step, done: int = 0, total: int | None = None, unit: str = "", note: str = ""
    ) -> None:
        self.report(
            Progress(
                tool=self.tool.name,
                version=self.tool.version,
                step=step,
                done=done,
                total=total,
                unit=unit,
                elapsed=time.monotonic() - self.began,
                note=note,
            )
        )

    def ready(self, note: str) -> Path:
        path = store.install(self.tool, self.files)
        self.advance(Step.READY, note=note)
        return path


def _prepare(missing: Sequence[Tool], known: Pins, report: Report) -> dict[str, Path]:
    """Download or build the missing tools, under the lock of the cache."""

    def waiting(seconds: float) -> None:
        first = missing[0]
        report(Progress(tool=first.name, version=first.version, step=Step.WAITING, elapsed=seconds))

    with store.writing(waiting) as staging:
        # Another run may have prepared the tools during the wait.
        paths = {
            tool.name: path for tool in missing if store.cached(tool) and (path := _at_hand(tool, report))
        }
        jobs = [_Job(tool, report, staging / tool.name) for tool in missing if tool.name not in paths]
        for job in jobs:
            job.files.mkdir()
        paths |= _download(jobs)
        return paths | _build([job for job in jobs if job.refusal], known)


def _download(jobs: Sequence[_Job]) -> dict[str, Path]:
    """Fetch the official releases; a job without a release gets the reason in `refusal`."""
    paths = {}
    answers = fetch.digests([job.tool for job in jobs], lambda: jobs[0].advance(Step.ASKING))
    for job in jobs:
        job.began = time.monotonic()
        try:
            paths[job.tool.name] = _download_one(job, answers[job.tool.name])
        except DownloadError as error:
            job.refusal = str(error)
            job.advance(Step.FALLING_BACK, note=job.refusal)
    return paths


def _download_one(job: _Job, digest: str | DownloadError) -> Path:
    if isinstance(digest, DownloadError) or job.tool.release is None:
        raise digest if isinstance(digest, DownloadError) else DownloadError("no official release")

    def tick(done: int, total: int | None) -> None:
        in_mb = None if total is None else max(1, total // _MEGABYTE)
        job.advance(Step.DOWNLOADING, done // _MEGABYTE, in_mb, "MB")

    fetch.download(job.tool.release, digest, job.files, tick)
    if not (job.files / job.tool.name).is_file():
        raise DownloadError(f"{job.tool.release.url} has no {job.tool.name}")
    return job.ready(f"downloaded from {job.tool.release.url}")


def _build(jobs: Sequence[_Job], known: Pins) -> dict[str, Path]:
    if not jobs:
        return {}
    _require_go(jobs, known)
    return {job.tool.name: _build_one(job) for job in jobs}


def _require_go(jobs: Sequence[_Job], known: Pins) -> None:
    first = jobs[0]
    try:
        build.check_go(
            known.go_minimum,
            first.tool.build.module,
            lambda at: first.advance(at.step, at.done, at.total, at.unit),
        )
    except GoUnusableError as error:
        names = ", ".join(f"{job.tool.name} {job.tool.version}" for job in jobs)
        reasons = "; ".join(dict.fromkeys(job.refusal for job in jobs))
        raise ToolchainError(
            f"{names} can be neither downloaded ({reasons}) nor built ({error}): "
            "either connect to the Internet, or install Go from https://go.dev/dl/ and run this again"
        ) from error


def _build_one(job: _Job) -> Path:
    job.began = time.monotonic()
    try:
        build.build(
            job.tool, job.files / job.tool.name, lambda at: job.advance(at.step, at.done, at.total, at.unit)
        )
    except BuildError as error:
        raise ToolchainError(
            f"{job.tool.name} {job.tool.version} can be neither downloaded ({job.refusal}) nor built with Go "
            f"({error}): connect to the Internet or to a Go module proxy (GOPROXY)"
        ) from error
    return job.ready("built with Go")
