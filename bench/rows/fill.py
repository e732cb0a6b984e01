"""Time from process start to full groups, and the memory for the start and afterwards."""

from statistics import median

from bench.cloud import REGISTER
from bench.measures import Known
from bench.run import Figures, Run

_STARTS = 3
_IDLE_S = 60
_WITHIN_S = 900.0


def measure(run: Run) -> Figures:
    """Return the median of three starts, and memory after the last start.

    The remark has the CPU of a start, because CPU depends less on other load of the machine.
    """
    run.settle()
    starts = [row for row in run.wanted if row.startswith("start")]
    memories = [row for row in run.wanted if row.startswith("memory")]
    times: list[float] = []
    calls: list[int] = []
    cpu: list[float] = []
    memory = (0.0, 0.0)
    rounds = run.few(_STARTS, 1) if starts else 1
    for number in range(rounds):
        run.world.reset_aws()
        with run.started() as watch:
            run.note(f"start {number + 1} of {rounds}")
            times.append(watch.until_right(_WITHIN_S) - watch.process.started_at)
            cpu.append(watch.process.cpu())
            calls.append(watch.ledger.count(lambda call: call.operation == REGISTER))
            if memories and number == rounds - 1:
                run.pause(watch, run.few(_IDLE_S, 5), "idle")
                memory = watch.process.memory()
    return {
        **{row: Known((median(times), median(calls)), _spread(times, cpu)) for row in starts},
        **{row: Known(memory) for row in memories},
    }


def _spread(times: list[float], cpu: list[float]) -> str:
    return f"{min(times):.1f} to {max(times):.1f} s, CPU {median(cpu):.1f} s"
