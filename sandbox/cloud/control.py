"""The sandbox's own endpoints below /_sandbox/: unsigned, loopback only, JSON."""

import json
from dataclasses import asdict
from typing import Any, Protocol

from sandbox.cloud import identity_control
from sandbox.cloud.elbv2.health import CheckResult, record
from sandbox.cloud.elbv2.store import Elbv2
from sandbox.cloud.errors import AwsError
from sandbox.cloud.faults import Faults
from sandbox.cloud.revision import Revision
from sandbox.elbv2.throttle import Throttle

Reply = tuple[int, dict[str, Any]]


class Cloud(identity_control.Accounts, Protocol):
    """The parts of the cloud that these endpoints read and change."""

    elbv2: Elbv2
    revision: Revision
    throttle: Throttle


def answer(cloud: Cloud, method: str, path: str, body: bytes) -> Reply:
    """Answer a request to /_sandbox/...; every reply is a JSON object, errors have the key `error`."""
    try:
        match method, path.removeprefix("/_sandbox/"):
            case "GET", "ready":
                return 200, {"ready": True}
            case "GET", "revision":
                return 200, {"revision": cloud.revision.current()}
            case "POST", "target-health":
                return 200, {"changed": _take_results(cloud, body)}
            case "GET", "faults":
                return 200, asdict(cloud.elbv2.faults)
            case "POST", "faults":
                return 200, _set_faults(cloud, cloud.elbv2.faults.changed(json.loads(body)))
            case "DELETE", "faults":
                return 200, _set_faults(cloud, Faults())
            case _:
                found = identity_control.answer(cloud, method, path.removeprefix("/_sandbox/"), body)
                if found is not None:
                    return found
    except AwsError as error:
        return 400, {"error": error.message}
    except (ValueError, KeyError, TypeError) as error:
        return 400, {"error": f"{method} {path}: {type(error).__name__}: {error}"}
    return 404, {"error": f"unknown endpoint: {method} {path}"}


def _take_results(cloud: Cloud, body: bytes) -> int:
    """`{"results": [{target_group_arn, id, port, state, reason}]}` from the data plane's health checks."""
    results = [
        CheckResult(
            target_group_arn=one["target_group_arn"],
            instance_id=one["id"],
            port=int(one["port"]),
            state=_state(one["state"]),
            reason=one.get("reason"),
        )
        for one in json.loads(body)["results"]
    ]
    changed = record(cloud.elbv2, results)
    if changed:
        cloud.revision.bump()
    return changed


def _state(text: str) -> str:
    if text not in {"healthy", "unhealthy"}:
        raise ValueError(f"unknown state: {text}; allowed: healthy, unhealthy")
    return text


def _set_faults(cloud: Cloud, faults: Faults) -> dict[str, Any]:
    cloud.elbv2.faults = faults
    cloud.throttle.refill()
    cloud.revision.bump()
    return asdict(faults)
