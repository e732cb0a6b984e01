"""Puts the real parts together: settings, log, cluster, AWS, controller, HTTP and signals."""

import asyncio
import contextlib
import random
import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from functools import partial

from syncer import log
from syncer.clock import SystemClock
from syncer.cluster.access import configuration
from syncer.cluster.adapter import KubernetesCluster
from syncer.cluster.api import Api
from syncer.cluster.events import KubernetesEvents, own_workload
from syncer.cluster.lease import KubernetesLeases
from syncer.cluster.ownname import OwnName
from syncer.cluster.place import own_place
from syncer.cluster.record import KubernetesRecords
from syncer.controller import Controller
from syncer.decide.nodes import node_view
from syncer.elb.adapter import BotoElb
from syncer.lease import Election, Unelected
from syncer.metrics import CONTENT_TYPE, Exposition
from syncer.page import page
from syncer.ports import Leadership
from syncer.settings import ServicePort, Settings, load
from syncer.status import alive, snapshot, unready
from syncer.tally import Tally
from syncer.web import Answer, Routes, document, serving, shared, text


def assemble(environment: Mapping[str, str], *, dry_run: bool = False) -> Controller:
    """The controller that `environment` describes; MisconfiguredError where it does not say enough."""
    settings = load(environment)
    secrets = (settings.secret_key, *(environment.get(name, "") for name in _SECRETS))
    log.configure(settings.log_level, secrets)
    if dry_run:
        settings = replace(settings, paused=True)
    tally, clock = Tally(), SystemClock()
    rng = random.Random()  # noqa: S311 - spreads calls, protects nothing
    api = Api(configuration(environment), partial(configuration, environment))
    place = own_place(environment, settings.namespace, settings.name)
    leadership: Leadership = Unelected()
    records = None
    if place is not None:
        own_name = OwnName(api, place)
        records = KubernetesRecords(api, place.namespace, place.name, own_name.check)
        if not settings.paused:  # who writes nothing keeps nobody else from writing
            leases = KubernetesLeases(api, place.namespace, place.name, own_name.check)
            leadership = Election(leases, place.identity, clock, rng)
    elb = BotoElb(
        [each.group.arn for each in settings.groups],
        access_key=settings.access_key,
        secret_key=settings.secret_key,
        called=tally.called,
        may_write=leadership.may_write,
    )
    return Controller(
        settings=settings,
        cluster=_cluster(api, settings, tally),
        elb=elb,
        clock=clock,
        rng=rng,
        tally=tally,
        leadership=leadership,
        records=records,
        events=KubernetesEvents(api, own_workload(environment)),
    )


def _cluster(api: Api, settings: Settings, tally: Tally) -> KubernetesCluster:
    """Follows every Node, and each Service whose NodePort a group follows."""
    services = {each.port.service for each in settings.groups if isinstance(each.port, ServicePort)}
    view = partial(node_view, policy=settings.node_policy)
    return KubernetesCluster(api, view, sorted(services), tally.restarted)


_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECRET_KEY")


@contextlib.asynccontextmanager
async def attended(controller: Controller) -> AsyncIterator[None]:
    """Answer HTTP and stop on SIGTERM or SIGINT while the block runs."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, controller.stop)
    settings = controller.settings
    async with serving(routes(controller), settings.address, settings.port):
        yield


def routes(controller: Controller) -> Routes:
    """What each path answers. NLB_SYNC_PROMETHEUS=false closes /metrics, and only that."""
    front = page()
    known = {
        "/healthz": lambda: text(200, "ok") if alive(controller) else text(503, "the loop hangs"),
        "/readyz": lambda: _readiness(unready(controller)),
        "/status": shared(lambda: document(snapshot(controller))),
        "/": lambda: front,
    }
    if controller.settings.metrics:
        exposition = Exposition(controller)
        known["/metrics"] = lambda: Answer(200, exposition.render(), CONTENT_TYPE)
    return known


def _readiness(missing: str) -> Answer:
    return text(503, missing) if missing else text(200, "ok")
