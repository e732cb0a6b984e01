"""A tool is built with Go through its wrapper module: once, whole, taken up again when interrupted."""

import signal
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import pytest

from sandbox.toolchain import Step, ToolchainError, ensure
from tests.integration.toolchain.machine import Publisher, Reports, pins_of, tool_of

ROOT = Path(__file__).parents[3]
PACKAGES = 60

pytestmark = pytest.mark.usefixtures("with_go")


def test_a_corrupt_download_is_built_instead_with_the_reason_said(
    program: Path, reports: Reports, publisher: Publisher
) -> None:
    publisher.publish("tool", b"program")
    publisher.assets["/tool"] = b"programme"
    path = ensure(["tool"], reports, pins_of(tool_of(program, publisher.release("tool"))))["tool"]
    assert subprocess.check_output([path], text=True) == "v1.2.3\n"
    assert "the download is corrupt" in reports.notes(Step.FALLING_BACK)[0]
    assert reports.notes(Step.READY) == ["built with Go"]


def test_what_is_built_is_never_built_again(program: Path, reports: Reports) -> None:
    tool = tool_of(program)
    first = ensure(["tool"], reports, pins_of(tool))["tool"]
    before = first.stat()
    reports.all.clear()
    assert ensure(["tool"], reports, pins_of(tool)) == {"tool": first}
    assert [(report.step, report.note) for report in reports.all] == [(Step.READY, "cached")]
    assert (first.stat().st_ino, first.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_two_runs_at_once_build_once(program: Path) -> None:
    both = [Reports(), Reports()]
    threads = [
        threading.Thread(target=ensure, args=(["tool"], reports, pins_of(tool_of(program))))
        for reports in both
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(note for reports in both for note in reports.notes(Step.READY)) == [
        "built with Go",
        "cached",
    ]
    assert any(report.step is Step.WAITING for reports in both for report in reports.all)


def test_a_failed_build_says_what_go_said_and_installs_nothing(
    program: Path, reports: Reports, cache: Path
) -> None:
    (program / "main.go").write_text("package main\n\nfunc main() { undefined() }\n")
    with pytest.raises(ToolchainError) as caught:
        ensure(["tool"], reports, pins_of(tool_of(program)))
    assert "undefined: undefined" in str(caught.value)
    assert "GOPROXY" in str(caught.value)
    assert list(cache.glob("*/tool")) == []


def test_a_wrapper_that_is_not_pinned_whole_is_not_mended_on_the_way(program: Path, reports: Reports) -> None:
    (program / "main.go").write_text('package main\n\nimport _ "example.org/near"\n\nfunc main() {}\n')
    (program / "near").mkdir()
    (program / "near/go.mod").write_text("module example.org/near\n")
    (program / "near/near.go").write_text("package near\n")
    unpinned = "module example\n\ngo 1.21\n\nreplace example.org/near => ./near\n"  # and no `require`
    (program / "go.mod").write_text(unpinned)
    with pytest.raises(ToolchainError, match=r"example\.org/near"):
        ensure(["tool"], reports, pins_of(tool_of(program)))
    assert (program / "go.mod").read_text() == unpinned


def write_long_program(module: Path) -> None:
    """A program of many packages, none of which Go's build cache can know."""
    for number in range(PACKAGES):
        package = module / f"p{number}"
        package.mkdir()
        lines = "\n".join(
            f"func F{i}(x map[string]int) int {{ x[mark] += {i}; return len(x) }}" for i in range(150)
        )
        (package / "p.go").write_text(f'package p{number}\n\nconst mark = "{uuid.uuid4()}"\n\n{lines}\n')
    imports = "\n".join(f'import _ "example/p{number}"' for number in range(PACKAGES))
    (module / "imports.go").write_text(f"package main\n\n{imports}\n")


def write_pins(tmp_path: Path) -> None:
    (tmp_path / "pins.toml").write_text(
        '[go]\nminimum = "1.21"\n[tools.tool]\nversion = "1.2.3"\nask = ["--version"]\n'
        '[tools.tool.build]\nmodule = "module"\npackage = "example"\n'
        '[tools.tool.build.version_ldflags]\n"main.version" = "v{version}"\n'
    )


def start_build(tmp_path: Path) -> subprocess.Popen[str]:
    """`ensure` in a process of its own that prints `step done total` for each report."""
    script = (
        "from pathlib import Path; from sandbox.toolchain import ensure, pins;"
        f"root = Path({str(tmp_path)!r});"
        "known = pins.load(path=root / 'pins.toml', wrappers=root);"
        "ensure(['tool'], lambda at: print(at.step.name, at.done, at.total, flush=True), known)"
    )
    return subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )


def test_an_interrupted_build_leaves_nothing_running_and_goes_on_in_the_next_run(
    tmp_path: Path, program: Path, cache: Path
) -> None:
    write_long_program(program)
    write_pins(tmp_path)
    with start_build(tmp_path) as run:
        assert run.stdout
        total = 0
        for line in run.stdout:
            step, done, total_text = line.split()
            if step == "COMPILING" and int(done) >= PACKAGES // 3:
                total = int(total_text)
                run.send_signal(signal.SIGINT)
                break
        _, errors = run.communicate(timeout=10)
        assert "KeyboardInterrupt" in errors
    assert total >= PACKAGES
    assert processes_below(program) == []
    assert [path.name for path in cache.iterdir()] == [".lock"]

    with start_build(tmp_path) as run:
        output, errors = run.communicate(timeout=60)
        assert run.returncode == 0, errors
    first = next(line.split() for line in output.splitlines() if line.startswith("COMPILING"))
    assert int(first[2]) <= total - PACKAGES // 4
    assert subprocess.check_output([cache / "tool-1.2.3/tool"], text=True) == "v1.2.3\n"


def processes_below(directory: Path) -> list[str]:
    """The commands of the processes that work in `directory` (Linux; elsewhere none are seen)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(directory):
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found
