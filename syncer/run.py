"""Assemble the syncer: settings, log, cluster, AWS, controller, HTTP and signals."""

import asyncio
import contextlib
import os
import random
import signal
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from functools import partial

from syncer.clock import SystemClock
from syncer.cluster.access import configuration
from syncer.cluster.adapter import KubernetesCluster
from syncer.cluster.api import Api
from syncer.cluster.events import KubernetesEvents, own_workload
from syncer.cluster.lease import KubernetesLeases
from syncer.cluster.ownname import OwnName
from syncer.cluster.place import deployment_of, mounted_namespace, own_place
from syncer.cluster.record import KubernetesRecords
from syncer.config.settings import ServicePort, Settings, load
from syncer.decide.nodes import node_view
from syncer.elb.adapter import BotoElb
from syncer.interfaces import Leadership
from syncer.page import page
from syncer.reconcile.controller import Controller
from syncer.reconcile.leader_election import LeaderElection, Unelected
from syncer.reconcile.observe import snapshot
from syncer.telemetry import log
from syncer.telemetry.counters import Counters
from syncer.telemetry.lag import LoopLag
from syncer.telemetry.liveness import Liveness
from syncer.telemetry.metrics import CONTENT_TYPE, exposition
from syncer.telemetry.status import status
from syncer.telemetry.status_route import status_route
from syncer.telemetry.web import Answer, Hosts, Route, Routes, Shared, serving
from syncer.text.redaction import know_environment, redacted


def assemble(environment: Mapping[str, str], *, dry_run: bool = False) -> Controller:
    """Build the controller that `environment` describes.

    Raises:
        MisconfiguredError: if a setting is missing or wrong.

    """
    settings = load(environment)
    know_environment(environment)
    log.configure(settings.log_level, [settings.secret_key])
    if dry_run:
        settings = replace(settings, paused=True)
    counters, clock = Counters(), SystemClock()
    rng = random.Random()  # noqa: S311 - spreads calls, protects nothing
    api = Api(configuration(environment), partial(configuration, environment))
    place = own_place(environment, settings.namespace, settings.name)
    leadership: Leadership = Unelected()
    records = None
    if place is not None:
        own_name = OwnName(api, place)
        records = KubernetesRecords(api, place.namespace, place.name, own_name.check)
        if not settings.paused:  # without writes, no Lease is needed
            leases = KubernetesLeases(api, place.namespace, place.name, own_name.check)
            leadership = LeaderElection(leases, place.identity, clock, rng)
    elb = BotoElb(
        [each.group.arn for each in settings.groups],
        access_key=settings.access_key,
        secret_key=settings.secret_key,
        called=counters.called,
        may_write=leadership.may_write,
    )
    return Controller(
        settings=settings,
        cluster=_cluster(api, settings, counters),
        elb=elb,
        clock=clock,
        rng=rng,
        counters=counters,
        leadership=leadership,
        records=records,
        events=KubernetesEvents(api, own_workload(environment)),
    )


def _cluster(api: Api, settings: Settings, counters: Counters) -> KubernetesCluster:
    """Follow the Nodes, and every Service whose NodePort a group uses."""
    services = {each.port.service for each in settings.groups if isinstance(each.port, ServicePort)}
    view = partial(node_view, policy=settings.node_policy)
    return KubernetesCluster(api, view, sorted(services), counters.restarted, settings.sent_selector)


# Below the usual grace period of a Pod, 30 s.
_ENDED_S = 25.0
# How long a computing thread may delay the threads that answer probes. With Python's default of 5 ms after
# every system call, 40 readers of a large /status delayed a probe by up to 100 ms.
_SWITCH_S = 0.001


@contextlib.asynccontextmanager
async def attended(controller: Controller, environment: Mapping[str, str]) -> AsyncIterator[None]:
    """Answer HTTP and stop on SIGTERM or SIGINT while the block runs."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        controller.stop()
        # The process ends in time even if a thread or a name server hangs.
        last = threading.Timer(_ENDED_S, os._exit, (0,))
        last.daemon = True
        last.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    settings = controller.settings
    liveness = Liveness(partial(snapshot, controller), controller.clock)
    hosts = own_hosts(environment, settings)
    sys.setswitchinterval(_SWITCH_S)
    async with contextlib.AsyncExitStack() as opened:
        known = routes(controller, liveness)
        await opened.enter_async_context(serving(known, settings.address, settings.port, hosts))
        if settings.probe_port not in {None, settings.port}:
            await opened.enter_async_context(
                serving(probes(liveness), settings.address, settings.probe_port, hosts, "NLB_SYNC_PROBE_PORT")
            )
        lag = LoopLag(controller.counters, controller.clock)
        noting = [asyncio.create_task(each.run()) for each in (liveness, lag)]
        try:
            yield
        finally:
            for each in noting:
                each.cancel()


def own_hosts(environment: Mapping[str, str], settings: Settings) -> Hosts:
    """Return the host names of this Pod, and of a Service with the Deployment's name."""
    pods = [environment.get(name, "") for name in ("HOSTNAME", "POD_NAME")]
    own = {settings.name, *pods, *map(deployment_of, pods)}
    namespace = settings.namespace or mounted_namespace(environment)
    return Hosts.of(own, namespace, settings.http_hosts)


def probes(liveness: Liveness) -> Routes:
    """Return the routes of the kubelet's probes, answered without the controller's loop."""
    return {"/healthz": liveness.healthz, "/readyz": liveness.readyz}


def routes(controller: Controller, liveness: Liveness) -> Routes:
    """Return the handler of every path. NLB_SYNC_PROMETHEUS=false removes only /metrics."""
    front, observe = page(), partial(snapshot, controller)
    known: dict[str, Route] = {
        **probes(liveness),
        "/status": status_route(partial(observe, nodes=True), status),
        "/": lambda: front,
    }
    if controller.settings.metrics:
        known["/metrics"] = Shared(
            lambda: (observe(), controller.counters.copy()),
            lambda seen: Answer(200, redacted(exposition(*seen).decode()).encode(), CONTENT_TYPE),
        )
    return known
