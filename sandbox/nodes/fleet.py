"""Keeps node machines in step with EC2 (running instances) and the cluster (NodePorts)."""

import asyncio
import json
import logging
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from sandbox.cloud.client import ec2_client
from sandbox.layout import Layout
from sandbox.loopback import Loopback
from sandbox.nodes import certificate, ec2
from sandbox.nodes.ec2 import Instance
from sandbox.nodes.ingress import EntryPoint
from sandbox.nodes.machine import Machine
from sandbox.retry import Retry

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

log = logging.getLogger(__name__)

_POLL_S = 0.5
# An AWS stand-in without a revision is described at a rate that costs almost nothing.
_POLL_WITHOUT_REVISION_S = 2.0


class Fleet:
    """The machines in operation, and the killed machines (a power cut that is invisible to EC2)."""

    def __init__(self, layout: Layout, changed: Callable[[], None]) -> None:
        self.instances: dict[str, Instance] = {}
        self.machines: dict[str, Machine] = {}
        self.cidrs: dict[str, str] = {}
        self._layout = layout
        self._changed = changed
        self._loopback = Loopback.of(layout)
        self._tls = certificate.context(layout.directory / "nodes")
        self._killed = _Killed(layout.run / "killed.json")

    def alive(self, name: str) -> Instance | None:
        """Return the instance of node `name` if its machine works: running in EC2, and not killed."""
        instance = self.instances.get(name)
        works = instance and instance.state == ec2.RUNNING and instance.id not in self._killed
        return instance if works else None

    def killed(self, name: str) -> bool:
        """Whether node `name` was killed."""
        return name in self.instances and self.instances[name].id in self._killed

    def kill(self, name: str) -> None:
        """Cut the power of a machine. Raises KeyError for an unknown name."""
        self._killed.add(self.instances[name].id)
        if name in self.machines:
            self.machines[name].freeze()
        self._changed()

    def revive(self, name: str) -> None:
        """Switch a killed machine on again. Raises KeyError for an unknown name."""
        self._killed.discard(self.instances[name].id)
        if name in self.machines:
            self.machines.pop(name).switch_off()
        self._changed()

    def serve(self, ports: Mapping[int, EntryPoint], datagrams: Mapping[int, bool]) -> bool:
        """Apply EC2's instances and ports to machines and listeners; false if any port was refused."""
        running = {name: one for name, one in self.instances.items() if one.state == ec2.RUNNING and one.ip}
        for name in set(self.machines) - set(running):
            self.machines.pop(name).switch_off()
        complete = True
        for name, instance in running.items():
            machine = self.machines.get(name) or self._switch_on(instance)
            if not machine.frozen:
                complete &= machine.serve(ports) & machine.echo(datagrams)
                if instance.id in self._killed:
                    machine.freeze()
        return complete

    def mark_leaving(self, names: Collection[str]) -> None:
        """Fail the check of kube-proxy on the machines of `names` alone."""
        for name, machine in self.machines.items():
            machine.leaving = name in names

    def switch_off(self) -> None:
        """Close all ports of all machines."""
        for machine in self.machines.values():
            machine.switch_off()
        self.machines.clear()

    def _switch_on(self, instance: Instance) -> Machine:
        machine = Machine(instance.node, instance.ip, instance.zone, self._loopback, self._tls)
        self.machines[instance.node] = machine
        return machine

    async def follow_ec2(self) -> None:
        """Read EC2 after every change of its revision, until cancelled."""
        client = await asyncio.to_thread(ec2_client, self._layout.aws_url)
        seen: object = None
        retry = Retry("reading EC2", log, first_s=_POLL_S)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while True:
                revision = await self._revision(session)
                pause = _POLL_S if revision is not None else _POLL_WITHOUT_REVISION_S
                if revision is None or revision != seen:
                    try:
                        found, cidrs = await asyncio.to_thread(_read, client)
                        self._see({instance.node: instance for instance in found}, cidrs)
                    except Exception as error:  # noqa: BLE001  (machines serve after any answer of EC2)
                        pause = max(pause, retry.failed(error))
                    else:
                        seen = revision
                        retry.succeeded()
                await asyncio.sleep(pause)

    async def _revision(self, session: aiohttp.ClientSession) -> object:
        try:
            async with session.get(f"{self._layout.aws_url}/_sandbox/revision") as answer:
                return (await answer.json())["revision"] if answer.status == 200 else None  # noqa: PLR2004
        except Exception:  # noqa: BLE001  (other AWS stand-ins have no revision or an unreadable one)
            return None

    def _see(self, found: dict[str, Instance], cidrs: dict[str, str]) -> None:
        self.cidrs = cidrs
        if found != self.instances:
            self.instances = found
            self._killed.keep({instance.id for instance in found.values()})
            self._changed()


def _read(client: "EC2Client") -> tuple[list[Instance], dict[str, str]]:
    return ec2.instances(client), ec2.subnet_cidrs(client)


class _Killed:
    """The ids of killed instances, in a file, so that a restarted process has them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._ids: set[str] = set(json.loads(path.read_text()))
        except (OSError, ValueError):
            self._ids = set()

    def __contains__(self, instance_id: str) -> bool:
        return instance_id in self._ids

    def add(self, instance_id: str) -> None:
        self._write(self._ids | {instance_id})

    def discard(self, instance_id: str) -> None:
        self._write(self._ids - {instance_id})

    def keep(self, existing: set[str]) -> None:
        if self._ids - existing:
            self._write(self._ids & existing)

    def _write(self, ids: set[str]) -> None:
        self._ids = ids
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(sorted(ids)))
