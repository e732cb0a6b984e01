"""A Pod on a node: volumes, init containers, containers, status, and termination."""

import asyncio
import datetime as dt
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from sandbox.cluster.rest import ApiError
from sandbox.kubelet import environment, image, volumes, webhook
from sandbox.kubelet.container import Container, Prepared, Surroundings
from sandbox.kubelet.environment import Facts
from sandbox.kubelet.events import Events
from sandbox.kubelet.objects import Reader
from sandbox.kubelet.runtimes import PodContainer, Runtime
from sandbox.kubelet.status import CONDITIONS, PodView, Record, pod_status
from sandbox.kubelet.volumes import Volumes
from sandbox.loopback import Loopback
from sandbox.nodes.cloud import Cloud
from sandbox.nodes.kube import Kube, Object
from sandbox.nodes.linklocal import Endpoints
from sandbox.retry import Retry

log = logging.getLogger(__name__)

_GRACE_DEFAULT_S = 30
# Changes within this time are combined into one write.
_GATHER_S = 0.03
_RETRY_S = 1.0
# In a new namespace, the root CA's ConfigMap can appear 100 ms after the binding of the first Pod.
_MOUNT_RETRY_S = 0.3
# The kubelet updates volumes in its sync loop, once a minute.
_REFRESH_S = 60.0
_NOT_FOUND, _CONFLICT = 404, 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The shared parts of all Pods of a runner, and the additional variables of their containers."""

    kube: Kube
    cloud: Cloud
    session: aiohttp.ClientSession
    directory: Path
    base: Mapping[str, str]
    loopback: Loopback
    runtime: Callable[[], Runtime]


class PodRun:
    """A Pod on its node: `run` until the end; `update` on each change of the object."""

    def __init__(self, host: Host, pod: Object, facts: Facts, links: Endpoints) -> None:
        metadata = pod["metadata"]
        self.pod = pod
        self.uid: str = metadata["uid"]
        self.directory = host.directory / f"{metadata['namespace']}_{metadata['name']}_{self.uid}"
        self._host, self._facts, self._links = host, facts, links
        self._grant: webhook.Grant | None = None
        self._known = False  # the grant of the Pod is decided once, as by a webhook
        self._path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        self._volumes = Volumes(host.kube, self.directory / "volumes")
        self._events = Events(host.kube, pod)
        self._objects = Reader(host.kube, metadata["namespace"])
        self._dirty, self._deleted = asyncio.Event(), asyncio.Event()
        self._published = False
        self._retry = Retry(f"status of {self._path}", log, _RETRY_S)
        now = dt.datetime.now(dt.UTC)
        known = pod.get("status", {})
        self._started = dt.datetime.fromisoformat(known["startTime"]) if "startTime" in known else now
        self._init = self._containers("initContainers", "initContainerStatuses", now)
        self._main = self._containers("containers", "containerStatuses", now)
        self.update(pod)

    def update(self, pod: Object) -> None:
        """Use the object's newest state; a deletion timestamp ends the Pod.

        Wrong conditions by another writer are overwritten: the node controller marks the Pods of an
        unresponsive node not ready, and the kubelet must mark them ready again (its status manager's
        `needsReconcile`).
        """
        self.pod = pod
        if "deletionTimestamp" in pod["metadata"]:
            self._deleted.set()
        elif self._published and _verdicts(pod.get("status", {})) != _verdicts(self._status()):
            self._dirty.set()

    async def run(self) -> None:
        """Run to the end. On cancellation, all processes are killed at once, without a report."""
        writer = asyncio.create_task(self._keep_status())
        living = asyncio.create_task(self._live())
        living.add_done_callback(self._log_fault)
        try:
            await self._deleted.wait()
            await self._end(living)
            writer.cancel()
            self._remove_mounts()
            await self._finish()
        finally:
            for task in (writer, living):
                task.cancel()
            await asyncio.gather(writer, living, return_exceptions=True)
            await self._events.close()
            self._remove_mounts()

    async def stop(self, grace_s: float) -> None:
        """End all processes, for a runner that is stopped; the Pod stays in the cluster."""
        await asyncio.gather(*(one.stop(grace_s) for one in (*self._init, *self._main) if one.begun))

    def _remove_mounts(self) -> None:
        for part in ("volumes", "root", "bundles"):
            volumes.remove(self.directory / part)

    async def _live(self) -> None:
        self._dirty.set()
        await self._mount()
        for container in self._init:
            await container.run()
            if not container.succeeded:
                return
        running = [container.run() for container in self._main]
        await asyncio.gather(self._refresh(), *running)

    def _log_fault(self, living: asyncio.Task[None]) -> None:
        if not living.cancelled() and living.exception():
            log.error("%s is stuck", self._path, exc_info=living.exception())

    async def _mount(self) -> None:
        said = ""
        while not await self._mounted(said):
            said = self._trouble
            await asyncio.sleep(_MOUNT_RETRY_S)

    async def _mounted(self, said: str) -> bool:
        try:
            if not self._known:
                self._grant, self._known = await self._find_grant(), True
            pod = webhook.granted(self.pod, self._grant)
            objects = await self._objects.read(volumes.references(pod))
            await self._volumes.write(pod, self._facts, objects)
        except Exception as error:  # noqa: BLE001  (retry after any answer)
            self._trouble = str(error) or type(error).__name__
            if self._trouble != said:
                self._events.publish("FailedMount", f"MountVolume.SetUp failed: {self._trouble}")
            return False
        return True

    async def _find_grant(self) -> webhook.Grant | None:
        namespace = self.pod["metadata"]["namespace"]
        account = self.pod["spec"].get("serviceAccountName", "default")
        if await self._host.cloud.associated(namespace, account):
            return webhook.pod_identity(self._links.agent)
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}"
        return webhook.service_account_role(await self._host.kube.get(path))

    async def _refresh(self) -> None:
        """Update volumes, mainly tokens, until cancelled; errors are reported and retried."""
        said = ""
        while True:
            await asyncio.sleep(_REFRESH_S)
            said = "" if await self._mounted(said) else self._trouble

    async def _end(self, living: asyncio.Task[None]) -> None:
        grace = self.pod["metadata"].get("deletionGracePeriodSeconds", _GRACE_DEFAULT_S)
        begun = [one for one in (*self._init, *self._main) if one.begun]
        for container in begun:
            if container.running:
                self._events.publish("Killing", f"Stopping container {container.record.name}")
        await asyncio.gather(*(container.stop(grace) for container in begun))
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)

    async def _finish(self) -> None:
        """Write the last status, then delete the object for good: only a kubelet may do the deletion."""
        while True:
            try:
                await self._write_status()
                body = {"gracePeriodSeconds": 0, "preconditions": {"uid": self.uid}}
                await self._host.kube.delete(self._path, body)
            except ApiError as error:
                if error.status in {_NOT_FOUND, _CONFLICT}:
                    return
                await asyncio.sleep(self._retry.failed(error))
            except Exception as error:  # noqa: BLE001
                await asyncio.sleep(self._retry.failed(error))
            else:
                return

    async def _keep_status(self) -> None:
        while True:
            await self._dirty.wait()
            await asyncio.sleep(_GATHER_S)
            self._dirty.clear()
            try:
                await self._write_status()
            except Exception as error:  # noqa: BLE001
                if isinstance(error, ApiError) and error.status in {_NOT_FOUND, _CONFLICT}:
                    continue  # the Pod is deleted or replaced: the runner receives the change
                self._dirty.set()
                await asyncio.sleep(self._retry.failed(error))
            else:
                self._retry.succeeded()

    def _status(self) -> Object:
        view = PodView(
            pod=self.pod,
            pod_ip=self._facts.pod_ip,
            host_ip=self._facts.host_ip,
            started=self._started,
            init=[one.record for one in self._init],
            main=[one.record for one in self._main],
        )
        return pod_status(view, self.pod.get("status", {}), dt.datetime.now(dt.UTC))

    async def _write_status(self) -> None:
        body = {"metadata": {"uid": self.uid}, "status": self._status()}
        written = await self._host.kube.patch(f"{self._path}/status", body)
        self.pod["status"] = written["status"]
        self._published = True

    def _containers(self, specs: str, statuses: str, now: dt.datetime) -> list[Container]:
        known = {one["name"]: one for one in self.pod.get("status", {}).get(statuses, [])}
        return [
            Container(
                spec,
                self._surroundings(spec, once=specs == "initContainers"),
                Record.taken_up(spec["name"], spec["image"], known.get(spec["name"], {}), now),
            )
            for spec in self.pod["spec"].get(specs, [])
        ]

    def _surroundings(self, spec: Mapping[str, Any], *, once: bool) -> Surroundings:
        policy = self.pod["spec"].get("restartPolicy", "Always")
        return Surroundings(
            session=self._host.session,
            pod_ip=self._facts.pod_ip,
            restart_policy="OnFailure" if once and policy == "Always" else policy,
            grace_s=self.pod["spec"].get("terminationGracePeriodSeconds", _GRACE_DEFAULT_S),
            log=self.directory / f"{spec['name']}.log",
            pid_file=self.directory / f"{spec['name']}.pid",
            prepare=self._preparing(spec),
            changed=self._dirty.set,
            publish=self._events.publish,
        )

    def _preparing(self, spec: Mapping[str, Any]) -> Callable[[], Any]:
        async def prepare() -> Prepared:
            pod = webhook.granted(self.pod, self._grant)
            every = (*pod["spec"].get("initContainers", []), *pod["spec"]["containers"])
            container = next(one for one in every if one["name"] == spec["name"])
            objects = await self._objects.read(environment.references(container))
            runtime = self._host.runtime()
            place = PodContainer(container=container, pod=pod, directory=self.directory)
            declared = environment.Declared(container=container, pod=pod, facts=self._facts, objects=objects)
            base = {**self._host.base, **runtime.base(place), **self._own_base()}
            env = environment.environment(declared, base)
            env |= webhook.moved_agent(env, self._links.agent)
            moved = self._move_ports(env)
            words = [environment.expand(word, env) for word in image.words(container, runtime.start())]
            return Prepared(kind=runtime.name, command=runtime.command(place, words, env), moved=moved)

        return prepare

    def _own_base(self) -> dict[str, str]:
        """Return the undeclared variables of this Pod."""
        on_host = self.pod["spec"].get("hostNetwork")
        metadata = self._links.metadata_of_node if on_host else self._links.metadata
        return {
            "HOSTNAME": self._hostname,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata,
        }

    def _move_ports(self, env: dict[str, str]) -> dict[int, int]:
        """Choose other ports for container ports in use by a program on all addresses; set them in `env`."""
        moved = {}
        for variable, usual in image.PORTS.items():
            try:
                asked = int(env.get(variable, usual))
                port = self._host.loopback.reserve(self._facts.pod_ip, asked).port
            except (ValueError, OverflowError, OSError):
                continue  # no port, or an invalid port that the container refuses
            if port != asked:
                env[variable] = str(port)
                moved[asked] = port
        return moved

    @property
    def _hostname(self) -> str:
        return str(self.pod["spec"].get("hostname") or self.pod["metadata"]["name"])


def _verdicts(status: Object) -> dict[str, str]:
    """Return the status of the conditions owned by a kubelet."""
    found = {one["type"]: one["status"] for one in status.get("conditions", [])}
    return {kind: found.get(kind, "") for kind in CONDITIONS}
