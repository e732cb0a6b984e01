"""Closed, full and oddly encoded streams, and Ctrl-C in the first moments, of the command as a process."""

import io
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import syncer.__main__
from syncer.cluster.access import configuration
from syncer.commands import execute as command
from syncer.errors import MisconfiguredError
from syncer.telemetry.log import LogHandler
from syncer.text.streams import write_error
from tests.unit.commands.test_answering_from_files import raw_list, raw_node

ROOT = Path(__file__).resolve().parents[3]
NODE = {"kind": "Node", "metadata": {"name": "\u00e9\u202e\u65e5"}, "spec": {}}
QUIET = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}


@pytest.fixture
def node(tmp_path: Path) -> Path:
    path = tmp_path / "node.json"
    path.write_text(json.dumps(NODE))
    return path


def shell(words: str, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    """The exit code, and standard error, of `python -m syncer` with what the shell makes of `words`."""
    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m syncer {words}"],
        cwd=ROOT,
        env={**QUIET, **(environment or {})},
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr.decode(errors="replace")


NO_STANDARD_INPUT = (
    "nlb-sync: standard input cannot be read: the stream is closed; "
    "allowed: a file, or - for standard input\n"
)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("explain -f {} >&-", 1, "nlb-sync: cannot write the output: standard output is closed\n"),
        (
            "explain -f {} --json >&-",
            1,
            "nlb-sync: cannot write the output: standard output is closed\n",
        ),
        ("explain -f {} >/dev/full", 1, "nlb-sync: cannot write the output: No space left on device\n"),
        ("run --help >&-", 1, "nlb-sync: cannot write the output: standard output is closed\n"),
        ("run --help >/dev/full", 1, "nlb-sync: cannot write the output: No space left on device\n"),
        ("explain -f {} 2>&-", 0, ""),
        ("explain -f /nowhere 2>&-", 2, ""),
        ("explain -f /nowhere 2>/dev/full", 2, ""),
        ("explain -f {} >&- 2>&- <&-", 1, ""),
        (
            "explain -f - <&-",
            2,
            NO_STANDARD_INPUT,
        ),
        ("run 2>&-", 2, ""),
        ("run 2>/dev/full", 2, ""),
        ("run >&-", 2, "NLB_SYNC_TARGET_GROUPS is not set; allowed: "),
        ("bogus 2>/dev/full", 2, ""),
    ],
)
def test_l4_a_closed_or_full_stream_is_one_line_at_most(node: Path, words: str, code: int, says: str) -> None:
    found, said = shell(words.format(node))
    assert found == code
    assert said.startswith(says) if says else not said
    assert said.count("\n") <= 1


def test_l4_a_reader_that_reads_nothing_gets_no_traceback(node: Path) -> None:
    assert shell(f"explain -f {node} | head -c 0")[1] == ""
    assert shell("run --help | head -c 0")[1] == ""


def test_a_reader_that_has_gone_is_no_error_to_be_complained_of(tmp_path: Path) -> None:
    nodes = tmp_path / "nodes.json"
    nodes.write_text(json.dumps(raw_list(*(raw_node(n % 10) for n in range(3000)))))
    command = f"{sys.executable} -m syncer explain -f {nodes} | head -1"
    done = subprocess.run(["/bin/sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.split()[:2], done.stderr) == (["NODE", "INSTANCE"], "")


def test_an_answer_from_files_loads_no_sdk(tmp_path: Path) -> None:
    (tmp_path / "node.json").write_text(json.dumps(raw_node(1)))
    program = (
        "import sys; from syncer.__main__ import main; main(['explain', '-f', 'node.json']);"
        "sys.exit(bool({'boto3', 'botocore', 'kubernetes', 'urllib3'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, check=True)


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "C", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1:strict"},
        {"PYTHONIOENCODING": "utf-8:strict"},
        {"PYTHONIOENCODING": "cp1252"},
    ],
)
def test_s5_a_name_that_the_encoding_cannot_express_is_escaped(
    node: Path, environment: dict[str, str]
) -> None:
    assert shell(f"explain -f {node}", environment) == (0, "")
    assert shell(f"explain -f {node} --json", environment) == (0, "")
    code, said = shell("explain -f '/nowhere/\u00e9\u65e5'", environment)
    assert (code, said.count("\n")) == (2, 1)
    assert "Traceback" not in said


def test_s5_bytes_that_are_no_utf8_in_a_variable_or_a_file_name_are_one_line(node: Path) -> None:
    for words, variable in (("explain -f /nowhere/$(printf '\\377')", ""), (f"explain -f {node}", "\udcff")):
        environment = {"NLB_SYNC_ZONES": variable} if variable else {}
        code, said = shell(words, environment)
        assert (code, said.count("\n")) == (2, 1)
        assert "Traceback" not in said


def test_s5_what_nothing_foresaw_is_one_line_and_with_debug_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError("first\nsecond \u202e")

    monkeypatch.setattr(command, "run", fail)
    assert syncer.__main__.main(["run"]) == 70
    said = capsys.readouterr().err
    assert said.startswith("nlb-sync: unexpected error: ZeroDivisionError: first second \\u202e at ")
    assert said.count("\n") == 1
    assert syncer.__main__.main(["--debug", "run"]) == 70
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_s5_a_line_on_standard_error_is_printable_and_bounded(capsys: pytest.CaptureFixture[str]) -> None:
    write_error("a\nb\x1b[31m\ud800" + "x" * 100_000)
    said = capsys.readouterr().err
    assert said.startswith("a b\\x1b[31m\\ud800xxx")
    assert said.count("\n") == 1
    assert len(said) < 3000


# Raises SIGINT when this module is imported, as Ctrl-C may at any moment.
INTERRUPTED = """
import os, runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
sys.argv[1:] = {words!r}
runpy.run_module("syncer", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("syncer.commands.execute", ["explain", "-f", "/nowhere"]),
        ("syncer.config.settings", ["explain", "-f", "/nowhere"]),
        ("syncer.commands.status", ["status"]),
        ("asyncio", ["run"]),
        ("boto3", ["run"]),
        ("kubernetes", ["doctor"]),
        ("syncer.run", ["run"]),
    ],
)
def test_l4_ctrl_c_among_the_first_imports_ends_without_a_word(name: str, words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.format(name=name, words=words)],
        cwd=ROOT,
        env=QUIET,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


class Broken(io.StringIO):
    """A stream whose disk is full."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device", text)


def test_l4_a_log_that_cannot_be_written_is_told_once_and_ends_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = logging.Logger("full")  # noqa: LOG001 - one of its own
    log.addHandler(LogHandler(Broken()))
    for number in range(3):
        log.warning("line %d", number)
    assert capsys.readouterr().err == (
        "the log cannot be written: No space left on device; the syncer continues without it\n"
    )


def test_b10_without_a_home_and_a_passwd_entry_there_is_no_cluster_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54_321)
    with pytest.raises(MisconfiguredError, match=r"^cluster configuration is missing; set KUBECONFIG"):
        configuration({})


def test_b10_a_home_that_may_not_be_looked_into_is_no_cluster_either(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for home in (str(tmp_path / "file"), "/" + "x" * 5000, ""):
        monkeypatch.setenv("HOME", home)
        with pytest.raises(MisconfiguredError, match=r"^cluster configuration is missing; set KUBECONFIG"):
            configuration({})
