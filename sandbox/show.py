"""Draws a sandbox's status as tables for people."""

import sys
from pathlib import Path

from rich.console import Console, RenderableType
from rich.console import Group as Stacked
from rich.table import Table

from sandbox.status import Group, Status


def summary(status: Status) -> RenderableType:
    """What `make up` ends with: addresses, listeners, groups, nodes, the syncer, and what to try next."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for zone, ip in sorted(status.static_ips.items()):
        places = [
            f"{name} {status.entries[f'{zone}/{name}']}"
            for name, _ in sorted(status.listeners.items(), key=lambda item: item[1])
        ]
        table.add_row(f"static IP, {zone}", ip, "  ".join(places))
    for group in status.groups:
        table.add_row(f"target group {group.name}", f"{group.healthy}/{len(group.targets)} healthy", "")
    ready = sum(node.ready for node in status.nodes)
    table.add_row("nodes", f"{ready}/{len(status.nodes)} ready", " ".join(node.name for node in status.nodes))
    table.add_row("syncer", status.syncer or "not running", "ready" if status.syncer_ready else "not ready")
    return table


def next_steps(status: Status, command: str) -> RenderableType:
    """Three commands to try, each as it can be pasted."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0), title_justify="left", title="Try next")
    place = next(iter(status.entries.values()), None)
    draining = next((target.node for group in status.groups for target in group.targets), "NAME")
    if place:
        port = "" if place.port == 80 else f":{place.port}"  # noqa: PLR2004  (the port that http:// implies)
        table.add_row(f"curl http://{place.ip}{port}/", "which node serves it?")
    table.add_row(f"{command} node add 2", "two nodes join both groups by themselves")
    table.add_row(f"{command} node drain {draining}", "one leaves, and no connection fails")
    return table


def details(status: Status) -> RenderableType:
    """`sandbox status`: the summary, then each target of each group."""
    return Stacked(summary(status), *(_targets(group) for group in status.groups))


def _targets(group: Group) -> Table:
    table = Table(
        "node",
        "instance",
        "port",
        "state",
        "reason",
        title=f"target group {group.name}",
        title_justify="left",
    )
    for target in sorted(group.targets, key=lambda each: (each.node, each.id, each.port)):
        table.add_row(target.node or "-", target.id, str(target.port), target.state, target.reason)
    return table


def command_name() -> str:
    """How the `sandbox` command is typed from here."""
    command = Path(sys.executable).parent / "sandbox"
    try:
        return str(command.relative_to(Path.cwd()))
    except ValueError:
        return str(command)


def console() -> Console:
    """Standard output, as wide as it is."""
    return Console(highlight=False, soft_wrap=True)
