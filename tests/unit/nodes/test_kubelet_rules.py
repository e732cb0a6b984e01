"""The kubelet's arithmetic: quantities, backoff, NodePorts, Pod phase and conditions."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.kubelet.backoff import MAX_S, Backoff
from sandbox.kubelet.quantity import in_units_of, parse
from sandbox.kubelet.status import PodView, Record, Running, Terminated, Waiting, phase, pod_status

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("0.5", 0.5), ("250m", 0.25), ("1Ki", 1024), ("2Mi", 2 * 1024**2), ("3G", 3e9), ("1e3", 1000)],
)
def test_a_quantity_is_its_number_in_its_unit(text: str, value: float) -> None:
    assert parse(text) == value


@pytest.mark.parametrize("text", ["", "Mi", "1 Mi", "1Zi", "one"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        parse(text)


@given(st.integers(0, 10**9))
def test_a_quantity_in_its_own_unit_is_its_number(number: int) -> None:
    assert in_units_of(f"{number}m", "1m") == number


def test_restarts_wait_as_the_kubelet_has_them_wait() -> None:
    backoff = Backoff()

    assert [backoff.after(1) for _ in range(8)] == [0, 10, 20, 40, 80, 160, 300, 300]


def test_a_container_that_ran_long_is_started_again_at_once() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.after(1)

    assert backoff.after(2 * MAX_S) == 0


def record(state: Waiting | Running | Terminated, **more: Any) -> Record:
    return Record(name="main", image="node-nlb-sync", state=state, **more)


def ended(code: int) -> Terminated:
    return Terminated(exit_code=code, reason="Error" if code else "Completed", started=NOW, finished=NOW)


def view(*main: Record, init: tuple[Record, ...] = (), policy: str = "Always") -> PodView:
    pod = {"metadata": {"generation": 3}, "spec": {"restartPolicy": policy}}
    return PodView(pod=pod, pod_ip="127.0.0.9", host_ip="127.0.0.8", started=NOW, init=init, main=main)


@pytest.mark.parametrize(
    ("pod", "said"),
    [
        (view(record(Waiting("ContainerCreating"))), "Pending"),
        (view(record(Running(NOW))), "Running"),
        (view(record(Waiting("CrashLoopBackOff"), last=ended(1))), "Running"),
        (view(record(ended(0))), "Running"),
        (view(record(ended(0)), policy="Never"), "Succeeded"),
        (view(record(ended(0)), policy="OnFailure"), "Succeeded"),
        (view(record(ended(1)), policy="OnFailure"), "Running"),
        (view(record(ended(1)), policy="Never"), "Failed"),
        (view(record(Running(NOW)), init=(record(Running(NOW)),)), "Pending"),
        (view(record(Waiting("PodInitializing")), init=(record(ended(1)),), policy="Never"), "Failed"),
    ],
)
def test_the_phase_follows_the_containers(pod: PodView, said: str) -> None:
    assert phase(pod) == said


def conditions(status: dict[str, Any]) -> dict[str, str]:
    return {condition["type"]: condition["status"] for condition in status["conditions"]}


def test_a_pod_is_ready_when_its_containers_are_and_its_gates_are_open() -> None:
    pod = view(record(Running(NOW), ready=True))
    gated = PodView(
        pod={"metadata": {}, "spec": {"readinessGates": [{"conditionType": "lb"}]}},
        pod_ip="",
        host_ip="",
        started=NOW,
        init=(),
        main=pod.main,
    )
    opened = {"conditions": [{"type": "lb", "status": "True", "lastTransitionTime": "x"}]}

    assert conditions(pod_status(pod, {}, NOW))["Ready"] == "True"
    assert conditions(pod_status(gated, {}, NOW))["Ready"] == "False"
    assert conditions(pod_status(gated, opened, NOW))["Ready"] == "True"


def test_a_condition_that_did_not_change_keeps_its_time() -> None:
    before = pod_status(view(record(Running(NOW))), {}, NOW)
    later = pod_status(view(record(Running(NOW), ready=True)), before, NOW + dt.timedelta(hours=1))
    times = {condition["type"]: condition["lastTransitionTime"] for condition in later["conditions"]}

    assert times["Initialized"] == "2026-11-23T12:00:00Z"
    assert times["Ready"] == "2026-11-23T13:00:00Z"


def test_a_container_that_ran_under_an_earlier_runner_counts_as_restarted() -> None:
    known = {"restartCount": 2, "state": {"running": {"startedAt": "2026-11-23T11:00:00Z"}}}

    taken = Record.taken_up("main", "node-nlb-sync", known, NOW)

    assert taken.restarts == 3
    assert taken.last is not None
    assert (taken.last.exit_code, taken.last.reason) == (255, "Unknown")
