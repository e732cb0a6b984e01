"""Reconciles the local Pods with the cluster: Pods of the syncer's image, on a running machine, not over."""

import asyncio
import ipaddress
import logging
from collections.abc import Iterable, Mapping

import aiohttp

from sandbox.kubelet import image, runtimes
from sandbox.kubelet.environment import Facts
from sandbox.kubelet.pod import Host, PodRun
from sandbox.kubelet.spawn import end_orphans
from sandbox.layout import HOST, Layout
from sandbox.loopback import Loopback
from sandbox.nodes.cloud import Cloud
from sandbox.nodes.ec2 import Instance
from sandbox.nodes.fleet import Fleet
from sandbox.nodes.kube import Kube, Object
from sandbox.nodes.linklocal import LinkLocal

log = logging.getLogger(__name__)

_OVER = frozenset({"Succeeded", "Failed"})
# `sandbox.process.stop` kills the runner 10 s after SIGTERM; the containers must end before.
_OWN_STOP_GRACE_S = 5.0
_POD_NETWORK = 24


class Runner:
    """Level-triggered: `reconcile` reads every Pod again and makes the missing changes."""

    def __init__(self, layout: Layout, kube: Kube, session: aiohttp.ClientSession, fleet: Fleet) -> None:
        self._fleet = fleet
        loopback = Loopback.of(layout)
        self._own_addresses = loopback.every_address
        self._runs: dict[str, tuple[PodRun, asyncio.Task[None], str]] = {}
        base = {
            "KUBERNETES_SERVICE_HOST": HOST,
            "KUBERNETES_SERVICE_PORT": str(layout.apiserver_port),
            "KUBERNETES_SERVICE_PORT_HTTPS": str(layout.apiserver_port),
            # In place of AWS's DNS names, which a sandbox Pod cannot reach.
            "AWS_ENDPOINT_URL": layout.aws_url,
        }
        cloud = Cloud(layout, session)
        self._links = LinkLocal(cloud, loopback)
        self._host = Host(
            kube=kube,
            cloud=cloud,
            session=session,
            directory=layout.pods,
            base=base,
            loopback=loopback,
            runtime=lambda: runtimes.of(layout),
        )
        orphans = end_orphans(layout)
        if orphans:
            log.info("ended %d containers of an earlier runner", orphans)

    def reconcile(self, pods: Iterable[Object], nodes: Mapping[tuple[str, str], Object]) -> None:
        """Start, update and end runs to match `pods`; `nodes` has the allocatable resources of the nodes."""
        wanted = {pod["metadata"]["uid"]: pod for pod in pods if self._alive(pod) and image.is_ours(pod)}
        for uid in set(self._runs) - set(wanted):
            _, task, _ = self._runs[uid]
            task.cancel()  # object or machine is missing: kill the processes
        self._links.keep({instance.id for instance in self._fleet.instances.values()})
        for uid, pod in wanted.items():
            if uid in self._runs:
                self._runs[uid][0].update(pod)
            elif pod.get("status", {}).get("phase") not in _OVER or "deletionTimestamp" in pod["metadata"]:
                self._start(pod, nodes)

    async def close(self) -> None:
        """End all containers gracefully; the Pods stay in the cluster for the next runner."""
        await asyncio.gather(*(run.stop(_OWN_STOP_GRACE_S) for run, _, _ in self._runs.values()))
        tasks = [task for _, task, _ in self._runs.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._links.close()

    def _alive(self, pod: Object) -> Instance | None:
        return self._fleet.alive(pod["spec"].get("nodeName", ""))

    def _start(self, pod: Object, nodes: Mapping[tuple[str, str], Object]) -> None:
        name = pod["spec"]["nodeName"]
        instance = self._fleet.instances[name]
        address = instance.ip if pod["spec"].get("hostNetwork") else self._address(instance, pod)
        allocatable = nodes.get(("", name), {}).get("status", {}).get("allocatable", {})
        facts = Facts(pod_ip=address, host_ip=instance.ip, allocatable=allocatable)
        run = PodRun(self._host, pod, facts, self._links.of(instance))
        task = asyncio.get_running_loop().create_task(run.run())
        self._runs[run.uid] = (run, task, address)
        task.add_done_callback(lambda task: self._ended(run.uid, task))

    def _ended(self, uid: str, task: asyncio.Task[None]) -> None:
        self._runs.pop(uid, None)
        if not task.cancelled() and task.exception():
            log.error("a Pod's run failed", exc_info=task.exception())

    def _address(self, instance: Instance, pod: Object) -> str:
        """Return an address of the node's subnet, from its last /24, the range of Pods.

        If only 127.0.0.1 is available, all Pods have this address.
        """
        if not self._own_addresses:
            return HOST
        network = ipaddress.IPv4Network(self._fleet.cidrs[instance.subnet])
        hosts = list(list(network.subnets(new_prefix=max(_POD_NETWORK, network.prefixlen)))[-1].hosts())
        taken = {address for _, _, address in self._runs.values()}
        known = pod.get("status", {}).get("podIP")
        if known and known not in taken:
            return str(known)
        return next(str(host) for host in hosts if str(host) not in taken)
