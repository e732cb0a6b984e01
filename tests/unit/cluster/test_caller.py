"""Small requests of one kind: a fault stands for a second, whoever asks."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from syncer.cluster import caller as module
from syncer.cluster.api import RefusedError
from syncer.cluster.caller import Caller
from syncer.errors import ClusterError, ConflictError, DeniedError


class Request:
    """A request that answers `ok`, or raises what it is told to; it counts how often it was sent."""

    def __init__(self) -> None:
        self.sent = 0
        self.fault: Exception | None = None

    def __call__(self) -> str:
        self.sent += 1
        if self.fault is not None:
            raise self.fault
        return "ok"


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set the time."""
    time = [0.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: time[0]))
    return lambda moment: time.__setitem__(0, moment)


def outcome(caller: Caller, request: Request) -> str:
    async def ask() -> str:
        return await caller.call(request)

    try:
        return asyncio.run(ask())
    except ClusterError as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize(
    "fault",
    [
        *(ClusterError("no answer"), KeyError("metadata")),
        *(RefusedError(status, "sick") for status in (401, 410, 429, 500, 503)),
    ],
    ids=lambda fault: str(getattr(fault, "status", fault)),
)
def test_a_fault_is_met_once_a_second_however_often_it_is_asked(
    fault: Exception, now: Callable[[float], None]
) -> None:
    caller, request = Caller("any"), Request()
    request.fault = fault
    for tenth in range(30):
        now(tenth / 10)
        assert str(fault) in outcome(caller, request)
    assert request.sent == 3
    request.fault = None
    now(3.0)
    assert [outcome(caller, request) for _ in range(3)] == ["ok"] * 3


@pytest.mark.parametrize(
    ("status", "meaning"), [(403, DeniedError), (404, ConflictError), (409, ConflictError)]
)
def test_an_answer_that_means_something_is_no_fault(
    status: int, meaning: type[ClusterError], now: Callable[[float], None]
) -> None:
    caller, request = Caller("any"), Request()
    now(0.0)
    request.fault = RefusedError(status, "no")
    assert outcome(caller, request) == f"{meaning.__name__}: no"
    request.fault = None
    assert outcome(caller, request) == "ok"
