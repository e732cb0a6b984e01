"""Prints a sandbox's status as tables for users; lines are never cut, at any width of the terminal."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from sandbox.loopback import Address
from sandbox.status import Group, Status

NOTHING_UP = "no sandbox is running here; run `make up`"
_WEB = {"http": 80, "https": 443}


def summary(status: Status) -> str:
    """The last output of `make up`: addresses and listeners, groups, nodes, the syncer."""
    rows = [
        (f"static IP, {zone}", ip, ", ".join(_entry(status, zone, name) for name in _by_port(status)))
        for zone, ip in sorted(status.static_ips.items())
    ]
    rows += [
        (f"target group {group.name}", f"{group.healthy}/{len(group.targets)} healthy", "")
        for group in status.groups
    ]
    ready = sum(node.ready for node in status.nodes)
    rows.append(("nodes", f"{ready}/{len(status.nodes)} ready", " ".join(node.name for node in status.nodes)))
    rows.append(("syncer", "ready" if status.syncer_ready else "not ready", status.syncer))
    rows.append(
        ("syncer's Pods", f"by {status.runtime}", status.image)
        if status.image
        else ("syncer's Pods", "processes", "")
    )
    rows += [(f"Pulumi plugin {plugin.name}", plugin.version, plugin.kind) for plugin in status.plugins]
    refused = [line for plugin in status.plugins for line in plugin.refused]
    return "\n".join([_aligned(rows), *refused])


def next_steps(status: Status, command: str) -> str:
    """Return commands to try, ready to paste."""
    rows = [
        (f"{command} node add 2", "# two nodes join both groups"),
        (f"{command} node drain {_a_target(status)}", "# a node leaves without a failed connection"),
        (f"{command} ask explain {_a_target(status)}", "# the reason why it is a target or not"),
    ]
    place = next(iter(status.entries.values()), None)
    if place:
        rows.insert(0, (f"curl {_url('http', place)}", "# the node that serves the request"))
    return "Try next\n" + _aligned([("", *row) for row in rows])


def details(status: Status) -> str:
    """The output of `sandbox status`: ended processes, the summary, then all targets of all groups."""
    if not status.processes:
        return NOTHING_UP
    parts = [summary(status), *(_targets(group) for group in status.groups)]
    if not status.groups:
        parts.append("stack dev is not provisioned; run `make up`")
    if alarms := _alarms(status):
        parts.insert(0, "\n".join(alarms))
    return "\n\n".join(parts)


def _alarms(status: Status) -> list[str]:
    """Return a line for every process that does not run or was restarted."""
    lines = [not_running(status.missing)] if status.missing else []
    for name, incident in sorted(status.incidents.items()):
        if incident.lost:
            lines.append(
                f"{name} ended at {incident.last} and its state is lost; `make up` creates a fresh sandbox"
            )
        elif incident.restarts:
            times = "once" if incident.restarts == 1 else f"{incident.restarts} times"
            lines.append(f"{name} was restarted {times}; last end at {incident.last}")
    if not status.supervised:
        lines.append("supervisor: not running, no process is restarted; run `make up`")
    return lines


def not_running(missing: Sequence[str]) -> str:
    """Return the line for a sandbox with missing processes."""
    return f"not running: {', '.join(missing)}; run `make up`"


def _by_port(status: Status) -> list[str]:
    return sorted(status.listeners, key=lambda name: status.listeners[name])


def _entry(status: Status, zone: str, listener: str) -> str:
    """Return a listener and its actual address, as a URL if possible."""
    place = status.entries[f"{zone}/{listener}"]
    return _url(listener, place) if listener in _WEB else f"{listener} {place}"


def _url(scheme: str, place: Address) -> str:
    port = "" if place.port == _WEB[scheme] else f":{place.port}"
    return f"{scheme}://{place.ip}{port}/"


def _a_target(status: Status) -> str:
    return next((target.node for group in status.groups for target in group.targets if target.node), "NAME")


def _targets(group: Group) -> str:
    rows = [("node", "instance", "port", "state", "reason")]
    rows += [
        (target.node or "-", target.id, str(target.port), target.state, target.reason)
        for target in sorted(group.targets, key=lambda each: (each.node, each.id, each.port))
    ]
    return f"target group {group.name}\n" + _aligned([("", *row) for row in rows])


def _aligned(rows: Iterable[Sequence[str]]) -> str:
    rows = list(rows)
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def command_name() -> str:
    """Return the `sandbox` command as typed from the current directory."""
    command = Path(sys.executable).parent / "sandbox"
    try:
        return str(command.relative_to(Path.cwd()))
    except ValueError:
        return str(command)
