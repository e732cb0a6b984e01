"""Where a tool comes from: PATH, the cache, its release, Go; and what is said when none has it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.toolchain import Step, ToolchainError, ensure
from tests.integration.toolchain.machine import Publisher, Reports, pins_of, renamed, tool_of

OnPath = Callable[[str, str], Path]


def put_in_cache(cache: Path, name: str = "tool") -> Path:
    home = cache / f"{name}-1.2.3"
    home.mkdir(parents=True)
    (home / name).write_text("#!/bin/sh\n")
    (home / name).chmod(0o755)
    return home / name


@pytest.mark.parametrize("answer", ["v1.2.3", "tool Version: 1.2.3", "Tool v1.2.3\nGo Version: go1.26.8"])
def test_the_right_version_on_path_is_used(
    answer: str, on_path: OnPath, program: Path, reports: Reports
) -> None:
    own = on_path("tool", f"printf '{answer}\\n'")
    assert ensure(["tool"], reports, pins_of(tool_of(program))) == {"tool": own}
    assert reports.notes(Step.READY) == ["on PATH"]


@pytest.mark.parametrize("answer", ["v1.2.4", "v1.2.30", "11.2.3", "v1.2.3-eks-4", "1.2.3.4", "nothing"])
def test_another_version_on_path_is_passed_over(
    answer: str, on_path: OnPath, program: Path, reports: Reports, cache: Path
) -> None:
    kept = put_in_cache(cache)
    on_path("tool", f"printf '{answer}\\n'")
    assert ensure(["tool"], reports, pins_of(tool_of(program))) == {"tool": kept}


def test_a_tool_on_path_that_does_not_run_is_passed_over(
    on_path: OnPath, program: Path, reports: Reports, cache: Path
) -> None:
    kept = put_in_cache(cache)
    on_path("tool", "").write_bytes(b"\x7fELF of another machine")
    assert ensure(["tool"], reports, pins_of(tool_of(program))) == {"tool": kept}


def test_path_goes_before_the_cache(on_path: OnPath, program: Path, reports: Reports, cache: Path) -> None:
    put_in_cache(cache)
    own = on_path("tool", "echo v1.2.3")
    assert ensure(["tool"], reports, pins_of(tool_of(program))) == {"tool": own}


def test_the_cache_goes_before_a_download(
    program: Path, reports: Reports, cache: Path, publisher: Publisher
) -> None:
    publisher.publish("tool", b"from the publisher")
    kept = put_in_cache(cache)
    found = ensure(["tool"], reports, pins_of(tool_of(program, publisher.release("tool"))))
    assert found == {"tool": kept}
    assert kept.read_text() == "#!/bin/sh\n"
    assert [report.step for report in reports.all] == [Step.READY]


def test_a_cached_tool_that_was_cut_short_is_fetched_again(
    program: Path, reports: Reports, publisher: Publisher
) -> None:
    publisher.publish("tool", b"whole")
    pins = pins_of(tool_of(program, publisher.release("tool")))
    installed = ensure(["tool"], reports, pins)["tool"]
    whole = installed.read_bytes()
    installed.write_bytes(whole[:-1])
    assert ensure(["tool"], reports, pins)["tool"].read_bytes() == whole


def test_a_half_made_file_of_a_killed_run_is_removed(
    program: Path, reports: Reports, cache: Path, publisher: Publisher
) -> None:
    publisher.publish("tool", b"whole")
    (cache / ".staging-killed/tool").mkdir(parents=True)
    (cache / ".staging-killed/tool/tool").write_bytes(b"half")
    ensure(["tool"], reports, pins_of(tool_of(program, publisher.release("tool"))))
    assert not list(cache.glob(".staging-*"))
    assert [path.name for path in (cache / "tool-1.2.3").iterdir()] == ["tool"]


def test_neither_network_nor_go_is_one_error_that_names_both_ways_out(
    program: Path, reports: Reports
) -> None:
    nowhere = Publisher("http://127.0.0.1:1").release("tool")  # nothing listens on port 1
    tools = renamed(tool_of(program, nowhere), "etcd", "pulumi")
    with pytest.raises(ToolchainError) as caught:
        ensure(["etcd", "pulumi"], reports, pins_of(*tools))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(
        "etcd 1.2.3, pulumi 1.2.3 can be neither downloaded (127.0.0.1:1 cannot be reached"
    )
    assert message.count("cannot be reached") == 1
    assert "Go is not on PATH (1.21 or newer is needed)" in message
    assert "either connect to the Internet, or install Go from https://go.dev/dl/" in message


def test_a_go_that_is_too_old_is_said_with_both_ways_out(
    on_path: OnPath, program: Path, reports: Reports
) -> None:
    old = on_path("go", "echo go version go1.20.14 linux/amd64")
    with pytest.raises(
        ToolchainError, match=r"too old: go1\.20\.14, 1\.21 or newer is needed.*go\.dev"
    ) as caught:
        ensure(["tool"], reports, pins_of(tool_of(program)))
    assert str(old) in str(caught.value)


def test_a_cache_that_cannot_be_made_is_said_with_the_variable_that_moves_it(
    program: Path, reports: Reports, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file where the directory should be")
    with pytest.raises(ToolchainError, match=r"cannot be kept in .*NODE_NLB_SYNC_CACHE"):
        ensure(["tool"], reports, pins_of(tool_of(program)))


def test_the_command_says_a_wrong_name_in_one_line() -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "sandbox.toolchain", "kubelet"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert (asked.returncode, asked.stdout) == (1, "")
    assert asked.stderr.startswith("error: unknown tool: 'kubelet'")
    assert asked.stderr.count("\n") == 1
