import io

from sandbox.toolchain import Progress, Step
from sandbox.toolchain.display import Log


def test_a_report_tells_tool_step_how_far_and_how_long() -> None:
    report = Progress(
        tool="etcd", version="3.7.3", step=Step.COMPILING, done=210, total=565, unit="packages", elapsed=8.4
    )
    assert report.line() == "etcd 3.7.3: compiling, 210/565 packages, 8 s"


def test_a_report_of_unknown_size_tells_what_is_done() -> None:
    report = Progress(tool="etcd", version="3.7.3", step=Step.FETCHING_MODULES, done=12, unit="modules")
    assert report.line() == "etcd 3.7.3: fetching Go modules, 12 modules"


def test_a_log_takes_a_change_of_step_at_once_and_leaves_out_what_is_no_news() -> None:
    stream = io.StringIO()
    log = Log(stream)
    for done in range(100):
        log(
            Progress(tool="etcd", version="3.7.3", step=Step.COMPILING, done=done, total=100, unit="packages")
        )
    log(Progress(tool="etcd", version="3.7.3", step=Step.READY, note="built with Go"))
    assert stream.getvalue().splitlines() == [
        "etcd 3.7.3: compiling, 0/100 packages",
        "etcd 3.7.3: ready, built with Go",
    ]
