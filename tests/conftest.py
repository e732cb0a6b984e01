"""What every test run shares: the list of tests that may be skipped."""

import os
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

# A machine under load is no failure: where a time is the requirement, a test measures it itself.
settings.register_profile("quick", deadline=None, max_examples=25)
settings.register_profile("thorough", deadline=None, max_examples=100)
settings.load_profile("quick")

# Without bytecode each `pulumi` command compiles the providers' libraries again: 8 s instead of 3.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Sandboxes of tests run the files that are tested, whatever image somebody built; some tests name one.
os.environ["SANDBOX_IMAGE"] = ""

LIST = Path(__file__).with_name("skips.txt")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--skips-as-listed",
        action="store_true",
        help="fail when the skipped tests are not exactly those in tests/skips.txt",
    )


_WAITING = {"changes", "e2e", "integration"}
# The folders below tests/integration whose tests share a control plane with controllers and nodes.
_ONE_CONTROL_PLANE = {"cluster", "dataplane", "identity", "nodes"}


class _ByControlPlane(LoadFileScheduling):  # type: ignore[misc]
    """Gives a worker whole files, and the files of one control plane to one worker.

    A control plane takes seconds of CPU to start and a twentieth of a core until the worker ends.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        _, *folders = file.split("/")
        return "control plane" if folders[0] == "integration" and folders[1] in _ONE_CONTROL_PLANE else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    return _ByControlPlane(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mix the files of tests that wait for processes evenly with the others, which fill the cores.

    The last fifth is files of others alone: a file of integration tests takes up to 2 minutes.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    places: dict[Path, float] = {}
    for waits, end in ((True, 0.8), (False, 1.0)):
        part = [path for path in files if _WAITING.isdisjoint(path.parts) is not waits]
        places |= {path: end * index / len(part) for index, path in enumerate(part)}
    items[:] = [item for path in sorted(places, key=places.__getitem__) for item in files[path]]


class Skips:
    """Collects what was skipped and compares it at the end with what is listed below the paths that ran."""

    def __init__(self, paths: list[str]) -> None:
        self.seen: set[str] = set()
        self.elsewhere: set[str] = set()
        self.listed = {test for test in listed() if not paths or test.startswith(tuple(paths))}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and report.nodeid.startswith(tuple(tested_elsewhere())):
            self.elsewhere.add(report.nodeid)
        elif report.skipped:
            self.seen.add(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.seen.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.seen != self.listed and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for test in sorted(self.seen - self.listed):
            terminalreporter.write_line(f"skipped but not in {LIST.name}: {test}")
        for test in sorted(self.listed - self.seen):
            terminalreporter.write_line(f"in {LIST.name} but not skipped: {test}")
        for prefix, reason in tested_elsewhere().items():
            count = sum(test.startswith(prefix) for test in self.elsewhere)
            if count:
                terminalreporter.write_line(f"NOT TESTED on this machine: {count} of {prefix}: {reason}")


def listed() -> set[str]:
    """The tests that are skipped everywhere."""
    lines = (line.split(": ")[0].strip() for line in LIST.read_text().splitlines())
    return {line for line in lines if line and not line.startswith(("#", "?"))}


def tested_elsewhere() -> dict[str, str]:
    """The folders whose tests a machine may lack something for, and what; CI lacks nothing."""
    lines = (
        line.removeprefix("? ").partition(": ") for line in LIST.read_text().splitlines() if line[:1] == "?"
    )
    return {prefix: reason for prefix, _, reason in lines}


def pytest_configure(config: pytest.Config) -> None:
    # A worker of a parallel run sees only its share; its reports reach the one that started it.
    if config.getoption("--skips-as-listed") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Skips(config.args), "skips")
