"""Pod status in the kubelet's form: pure, from the records of the containers."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

# The kubelet's conditions of a Pod; PodScheduled is the scheduler's, others are readiness gates.
CONDITIONS = ("PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not started, or waiting for a restart."""

    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """Started and not ended."""

    since: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminated:
    """Ended; `exit_code` is 128 + the signal's number after a signal."""

    exit_code: int
    reason: str
    started: dt.datetime
    finished: dt.datetime
    container_id: str = ""
    message: str = ""


State = Waiting | Running | Terminated


@dataclass(slots=True, kw_only=True)
class Record:
    """The known state of a container."""

    name: str
    image: str
    state: State = Waiting("ContainerCreating")
    last: Terminated | None = None
    restarts: int = 0
    started: bool = False
    ready: bool = False
    container_id: str = ""

    @classmethod
    def taken_up(cls, name: str, image: str, known: Mapping[str, Any], now: dt.datetime) -> "Record":
        """Return the record of a container already known to the API server.

        A container that was running has ended unobserved, with its machine or its runner: exit code 255 and
        reason Unknown, as in the kubelet after a reboot.
        """
        record = cls(name=name, image=image, restarts=known.get("restartCount", 0))
        if "running" in known.get("state", {}):
            record.restarts += 1
            since = dt.datetime.fromisoformat(known["state"]["running"]["startedAt"])
            record.last = Terminated(exit_code=255, reason="Unknown", started=since, finished=now)
        return record


@dataclass(frozen=True, slots=True, kw_only=True)
class PodView:
    """All inputs of a Pod's status."""

    pod: Mapping[str, Any]
    pod_ip: str
    host_ip: str
    started: dt.datetime
    init: Sequence[Record]
    main: Sequence[Record]


def stamp(moment: dt.datetime) -> str:
    """`metav1.Time`: whole seconds, UTC."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def phase(view: PodView) -> str:
    """Return Pending, Running, Succeeded or Failed, by the rules of k8s.io/kubernetes `getPhase`."""
    policy = view.pod["spec"].get("restartPolicy", "Always")
    if any(not _succeeded(record) for record in view.init):
        failed = any(isinstance(r.state, Terminated) and not _succeeded(r) for r in view.init)
        return "Failed" if failed and policy == "Never" else "Pending"
    states = [record.state for record in view.main]
    if any(isinstance(r.state, Waiting) and r.last is None for r in view.main):
        return "Pending"
    if any(not isinstance(state, Terminated) for state in states) or policy == "Always":
        return "Running"
    if all(map(_succeeded, view.main)):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def pod_status(view: PodView, known: Mapping[str, Any], now: dt.datetime) -> Json:
    """Return the status to write; unchanged conditions in `known` keep their transition times."""
    initialized = all(map(_succeeded, view.init))
    ready = all(record.ready for record in view.main)
    before = {condition["type"]: condition for condition in known.get("conditions", [])}
    gates = [gate["conditionType"] for gate in view.pod["spec"].get("readinessGates", [])]
    gates_open = all(before.get(gate, {}).get("status") == "True" for gate in gates)
    unready = [record.name for record in view.main if not record.ready]
    why = ("ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")
    conditions = [
        _condition("PodReadyToStartContainers", before, now, ok=True),
        _condition("Initialized", before, now, ok=initialized),
        _condition("ContainersReady", before, now, ok=ready, why=why),
        _condition("Ready", before, now, ok=ready and gates_open, why=why),
    ]
    return {
        "phase": phase(view),
        "conditions": conditions,
        "hostIP": view.host_ip,
        "hostIPs": [{"ip": view.host_ip}],
        "podIP": view.pod_ip,
        "podIPs": [{"ip": view.pod_ip}],
        "startTime": stamp(view.started),
        "observedGeneration": view.pod["metadata"].get("generation", 1),
        "initContainerStatuses": [_container(record) for record in view.init],
        "containerStatuses": [_container(record) for record in view.main],
    }


def _succeeded(record: Record) -> bool:
    return isinstance(record.state, Terminated) and record.state.exit_code == 0


def _condition(
    kind: str,
    before: Mapping[str, Mapping[str, Any]],
    now: dt.datetime,
    *,
    ok: bool,
    why: tuple[str, str] = ("", ""),
) -> Json:
    status = "True" if ok else "False"
    old = before.get(kind, {})
    since = old["lastTransitionTime"] if old.get("status") == status else stamp(now)
    reason, message = (None, None) if ok else (why[0] or None, why[1] or None)  # None clears the old value
    return {"type": kind, "status": status, "lastTransitionTime": since, "reason": reason, "message": message}


def _container(record: Record) -> Json:
    return {
        "name": record.name,
        "image": record.image,
        "imageID": record.image,
        "containerID": record.container_id,
        "ready": record.ready,
        "started": record.started,
        "restartCount": record.restarts,
        "state": _state(record.state),
        "lastState": _state(record.last) if record.last else {},
    }


def _state(state: State) -> Json:
    if isinstance(state, Waiting):
        return {"waiting": {"reason": state.reason, "message": state.message}}
    if isinstance(state, Running):
        return {"running": {"startedAt": stamp(state.since)}}
    return {
        "terminated": {
            "exitCode": state.exit_code,
            "reason": state.reason,
            "message": state.message,
            "startedAt": stamp(state.started),
            "finishedAt": stamp(state.finished),
            "containerID": state.container_id,
        }
    }
