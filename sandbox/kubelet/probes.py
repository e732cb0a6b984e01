"""Startup, liveness and readiness probes and lifecycle hooks, with the kubelet's thresholds and defaults."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from sandbox.kubelet.runtimes import Command

# Probe defaults of the Kubernetes API reference, core/v1 Probe.
_PERIOD_S, _TIMEOUT_S, _SUCCESSES, _FAILURES = 10, 1, 1, 3
_HTTP_GOOD = range(200, 400)

Check = Callable[[], Awaitable[str]]  # returns the failure, "" for success


class ProbeError(Exception):
    """The probe's kind is not simulated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The target of a container's probes: the Pod's address, its named ports, and the start command.

    `moved` maps a port to the container's actual port.
    """

    session: aiohttp.ClientSession
    pod_ip: str
    ports: Mapping[str, int]
    moved: Mapping[int, int]
    command: Command


async def run(probe: Mapping[str, Any], place: Place, report: Callable[[bool, str], bool]) -> None:
    """Probe until `report` returns false; `report(good, reason)` is called at each reached threshold."""
    check = _check(probe, place)
    timeout = probe.get("timeoutSeconds", _TIMEOUT_S)
    await asyncio.sleep(probe.get("initialDelaySeconds", 0))
    good_in_row = bad_in_row = 0
    while True:
        wrong = await _within(check, timeout)
        good_in_row, bad_in_row = (0, bad_in_row + 1) if wrong else (good_in_row + 1, 0)
        reached = (
            bad_in_row >= probe.get("failureThreshold", _FAILURES)
            if wrong
            else good_in_row >= probe.get("successThreshold", _SUCCESSES)
        )
        if reached and not report(not wrong, wrong):
            return
        await asyncio.sleep(probe.get("periodSeconds", _PERIOD_S))


async def act(handler: Mapping[str, Any], place: Place, timeout_s: float) -> str:
    """Run a lifecycle hook once; return the failure, "" for success."""
    if "sleep" in handler:
        return await _within(lambda: _sleep(handler["sleep"]["seconds"]), timeout_s)
    try:
        return await _within(_check(handler, place), timeout_s)
    except ProbeError as error:
        return str(error)


async def _sleep(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return ""


async def _within(check: Check, timeout_s: float) -> str:
    try:
        async with asyncio.timeout(timeout_s):
            return await check()
    except TimeoutError:
        return f"no answer within {timeout_s:g} s"
    except (OSError, aiohttp.ClientError) as error:
        return str(error) or type(error).__name__


def _check(probe: Mapping[str, Any], place: Place) -> Check:
    if "httpGet" in probe:
        return lambda: _http(probe["httpGet"], place)
    if "tcpSocket" in probe:
        return lambda: _tcp(probe["tcpSocket"], place)
    if "exec" in probe:
        return lambda: _exec(probe["exec"]["command"], place)
    raise ProbeError("unknown probe; simulated in the sandbox: httpGet, tcpSocket, exec")


async def _http(action: Mapping[str, Any], place: Place) -> str:
    scheme = action.get("scheme", "HTTP").lower()
    host, path = action.get("host") or place.pod_ip, action.get("path", "/")
    url = f"{scheme}://{host}:{_port(action['port'], place)}{path}"
    headers = {"User-Agent": "kube-probe/1.36", "Connection": "close"}
    headers |= {one["name"]: one["value"] for one in action.get("httpHeaders", [])}
    async with place.session.get(url, headers=headers, allow_redirects=False, ssl=False) as answer:
        return "" if answer.status in _HTTP_GOOD else f"HTTP probe failed with statuscode: {answer.status}"


async def _tcp(action: Mapping[str, Any], place: Place) -> str:
    _, writer = await asyncio.open_connection(
        action.get("host") or place.pod_ip, _port(action["port"], place)
    )
    writer.close()
    return ""


async def _exec(command: list[str], place: Place) -> str:
    process = await asyncio.create_subprocess_exec(
        *place.command.inside,
        *command,
        env=place.command.env,
        cwd=place.command.directory,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    return f"command exited with {code}" if code else ""


def _port(port: int | str, place: Place) -> int:
    number = port if isinstance(port, int) else place.ports.get(port)
    if number is None:
        raise OSError(f"the container declares no port named {port!r}")
    return place.moved.get(number, number)
