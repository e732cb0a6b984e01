"""How long the Kubernetes stand-in waits for a deletion."""

from typing import Any, cast

import pytest

from sandbox.plugins.kubernetes import waiting
from sandbox.plugins.kubernetes.connection import Connection
from sandbox.plugins.kubernetes.waiting import NotReadyError, Waiter


class _Stuck:
    """A cluster whose object a finalizer keeps."""

    def get(self, _path: str) -> dict[str, Any]:
        return {"metadata": {"uid": "1", "finalizers": ["kept/for-ever"]}}


class _Clock:
    """Time that passes by waiting alone; stands for the module `time` and for the engine's cancellation."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return False


@pytest.mark.parametrize("kind", ["Namespace", "ConfigMap"])
@pytest.mark.parametrize(
    ("custom_s", "annotations", "waited_s"),
    [(0.0, {}, 600), (30.0, {}, 30), (0.0, {"pulumi.com/timeoutSeconds": "45"}, 45)],
)
def test_a_deletion_is_waited_for_ten_minutes_unless_the_program_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, kind: str, custom_s: float, annotations: dict[str, str], waited_s: int
) -> None:
    clock, told = _Clock(), list[str]()
    monkeypatch.setattr(waiting, "time", clock)
    waiter = Waiter(cast("Connection", _Stuck()), cast("Any", clock), told.append)
    inputs = {"kind": kind, "metadata": {"annotations": annotations}}
    with pytest.raises(NotReadyError, match=r"timed out waiting for deletion \(finalizers: kept/for-ever\)"):
        waiter.gone("/path", "1", inputs, custom_s)
    assert clock.now == pytest.approx(waited_s, abs=1)
    assert told == ["waiting for deletion (finalizers: kept/for-ever)"]
