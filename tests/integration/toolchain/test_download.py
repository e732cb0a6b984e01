"""An official release is kept only when it is whole and what its publisher says; else the reason is told."""

import hashlib
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.toolchain import Step, ToolchainError, ensure
from sandbox.toolchain.pins import Release
from tests.integration.toolchain.machine import (
    Publisher,
    Reports,
    pins_of,
    renamed,
    tarball,
    tool_of,
    zipped,
)


def refused(release: Release, program: Path, reports: Reports, cache: Path) -> str:
    """Why `release` was not taken, on a machine that cannot build either; nothing is installed."""
    with pytest.raises(ToolchainError):
        ensure(["tool"], reports, pins_of(tool_of(program, release)))
    assert list(cache.glob("*/tool")) == []
    assert list(cache.glob(".staging-*")) == []
    [why] = reports.notes(Step.FALLING_BACK)
    return why


def test_an_archive_is_unpacked_with_what_its_publisher_ships_beside_the_tool(
    program: Path, reports: Reports, cache: Path, publisher: Publisher
) -> None:
    publisher.publish(
        "tool-1.tar.gz", tarball(tool=b"program", tool_python_host=b"host", tool_nodejs=b"other")
    )
    release = publisher.release("tool-1.tar.gz", "tool", "*python*")
    path = ensure(["tool"], reports, pins_of(tool_of(program, release)))["tool"]
    assert path == cache / "tool-1.2.3/tool"
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == {
        "tool": b"program",
        "tool-python-host": b"host",
    }
    assert all(os.access(file, os.X_OK) for file in path.parent.iterdir())
    assert reports.notes(Step.READY) == [f"downloaded from {release.url}"]


def test_a_zip_is_unpacked_likewise(program: Path, reports: Reports, publisher: Publisher) -> None:
    publisher.publish("tool.zip", zipped(tool=b"program", README=b"read me"))
    path = ensure(["tool"], reports, pins_of(tool_of(program, publisher.release("tool.zip", "tool"))))["tool"]
    assert [(file.name, file.read_bytes()) for file in path.parent.iterdir()] == [("tool", b"program")]


def test_a_bare_program_is_checked_against_a_digest_alone(
    program: Path, reports: Reports, publisher: Publisher
) -> None:
    publisher.assets["/bin/tool"] = b"program"
    publisher.assets["/bin/tool.sha256"] = hashlib.sha256(b"program").hexdigest().encode()
    release = Release(
        url=f"{publisher.url}/bin/tool",
        checksums_url=f"{publisher.url}/bin/tool.sha256",
        sha256=None,
        keep=(),
    )
    path = ensure(["tool"], reports, pins_of(tool_of(program, release)))["tool"]
    assert path.read_bytes() == b"program"


def test_a_corrupt_download_is_refused_with_both_digests(
    program: Path, reports: Reports, cache: Path, publisher: Publisher
) -> None:
    publisher.publish("tool", b"program")
    publisher.assets["/tool"] = b"programme"
    why = refused(publisher.release("tool"), program, reports, cache)
    assert "the download is corrupt" in why
    assert hashlib.sha256(b"program").hexdigest() in why
    assert hashlib.sha256(b"programme").hexdigest() in why


def test_a_pinned_digest_is_believed_more_than_the_publisher(
    program: Path, reports: Reports, cache: Path, publisher: Publisher
) -> None:
    publisher.publish("tool", b"program")
    release = replace(publisher.release("tool"), sha256=hashlib.sha256(b"another").hexdigest())
    assert "the download is corrupt" in refused(release, program, reports, cache)


def test_a_pinned_digest_needs_no_checksum_file(
    program: Path, reports: Reports, publisher: Publisher
) -> None:
    publisher.publish("tool", b"program")
    publisher.missing.add("/SHA256SUMS")
    release = replace(publisher.release("tool"), sha256=hashlib.sha256(b"program").hexdigest())
    assert ensure(["tool"], reports, pins_of(tool_of(program, release)))["tool"].read_bytes() == b"program"


def test_a_download_that_breaks_off_is_refused(
    program: Path, reports: Reports, cache: Path, publisher: Publisher
) -> None:
    publisher.publish("tool", b"program" * 1000)
    publisher.truncated.add("/tool")
    assert "ended after 3500 of 7000 bytes" in refused(publisher.release("tool"), program, reports, cache)


def test_a_release_that_is_not_there_is_told_with_its_address(
    program: Path, reports: Reports, cache: Path, publisher: Publisher
) -> None:
    publisher.publish("tool", b"program")
    publisher.missing.add("/tool")
    release = publisher.release("tool")
    assert refused(release, program, reports, cache) == f"{release.url} answers 404"


def test_a_checksum_file_without_the_release_is_refused(
    program: Path, reports: Reports, cache: Path, publisher: Publisher
) -> None:
    publisher.publish("other", b"program")
    publisher.assets["/tool"] = b"program"
    assert "has no checksum of" in refused(publisher.release("tool"), program, reports, cache)


def test_an_archive_without_the_tool_is_refused(
    program: Path, reports: Reports, cache: Path, publisher: Publisher
) -> None:
    publisher.publish("tool.tar.gz", tarball(other=b"program"))
    assert "has no tool" in refused(publisher.release("tool.tar.gz", "tool"), program, reports, cache)


def test_what_is_no_archive_is_refused(
    program: Path, reports: Reports, cache: Path, publisher: Publisher
) -> None:
    publisher.publish("tool.tar.gz", b"<html>please log in</html>")
    why = refused(publisher.release("tool.tar.gz", "tool"), program, reports, cache)
    assert "not a readable archive" in why


def test_a_member_that_climbs_out_of_its_archive_stays_inside(
    program: Path, reports: Reports, publisher: Publisher, tmp_path: Path
) -> None:
    publisher.publish("tool.tar.gz", tarball(**{"tool": b"program", "../../../../tool_python": b"climber"}))
    release = publisher.release("tool.tar.gz", "tool", "*python*")
    path = ensure(["tool"], reports, pins_of(tool_of(program, release)))["tool"]
    assert [found.parent for found in tmp_path.rglob("tool-python")] == [path.parent]


def test_a_publisher_that_never_answers_costs_five_tools_together_less_than_5_s(
    program: Path, reports: Reports, publisher: Publisher
) -> None:
    publisher.silent.add("/SHA256SUMS")
    tools = renamed(tool_of(program, publisher.release("tool")), "a", "b", "c", "d", "e")
    began = time.monotonic()
    with pytest.raises(ToolchainError, match=r"within 4 s|timed out"):
        ensure(list("abcde"), reports, pins_of(*tools))
    assert time.monotonic() - began < 5
    assert len([report for report in reports.all if report.step is Step.ASKING]) >= 4


def test_a_download_that_stalls_is_given_up_within_5_s(
    program: Path, reports: Reports, cache: Path, publisher: Publisher
) -> None:
    publisher.publish("tool", b"program" * 1000)
    publisher.truncated.add("/tool")
    publisher.silent.add("/tool#body")
    began = time.monotonic()
    why = refused(publisher.release("tool"), program, reports, cache)
    assert time.monotonic() - began < 5
    assert "sent nothing for 4 s" in why or "timed out" in why
