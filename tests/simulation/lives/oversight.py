"""Watches over one replica: every call it lets through, every answer it gets, every change it hears of."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from syncer.config.settings import ServicePort
from syncer.errors import AwsError, TooManyTargetsError
from syncer.model import InstanceId, Target, TargetGroupArn, TargetHealth
from syncer.reconcile.registry_format import key_of
from tests.simulation.cloud import WRITES
from tests.simulation.elb import Call
from tests.simulation.lives.effects import LAG_S
from tests.simulation.lives.judge import STALE_S, Choices, Judge
from tests.simulation.lives.known import GROUP, LATE_S, KnownCluster, KnownGroup
from tests.simulation.lives.refusals import Refusals
from tests.simulation.lives.rewrites import Rewrites
from tests.simulation.lives.shifts import traffic
from tests.simulation.virtual import EPOCH
from tests.simulation.world import Replica, World

_TRUSTED_S = 600.0
# So much of the Lease must be left.
SPARE_S = 3.0


@dataclass(slots=True)
class Oversight:
    """`tests.simulation.elb.Witness` of one replica. What is wrong is added to `wrong`, never raised."""

    world: World
    replica: Replica
    wrong: list[str]
    zone_of: Callable[[InstanceId], str]
    foreign: Mapping[TargetGroupArn, set[Target]]
    ours: Mapping[TargetGroupArn, set[Target]]
    confirmed: Mapping[tuple[TargetGroupArn, Target], float]
    elected: bool
    record_kept: Callable[[], bool]
    touched: Callable[[TargetGroupArn, Target], bool]
    strange: Collection[Target]
    versions: list[tuple[float, KnownCluster]] = field(default_factory=lambda: [(0.0, KnownCluster())])
    groups: dict[TargetGroupArn, KnownGroup] = field(default_factory=dict)
    stopping: bool = False
    frozen_at: float | None = None
    frozen_for: float = 0.0
    thawed_at: float = float("-inf")
    _leads: bool = False
    _settled_at: float = 0.0
    located: set[InstanceId] = field(default_factory=set)
    _rewrites: Rewrites = field(default_factory=Rewrites)
    _refusals: Refusals = field(init=False)
    _answers: dict[Call, tuple[float, Sequence[TargetHealth]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._refusals = Refusals(self._fact)
        for group in self.world.settings.groups:
            by_zone = not self.world.settings.cross_zone
            limit = self.world.settings.target_limit
            self.groups[group.group.arn] = KnownGroup(self._zone_of, by_zone, limit)
        self.replica.elb.witness = self
        self._unsettle()
        self.replica.cluster.told = self.learns

    def _zone_of(self, instance: InstanceId) -> str:
        """Where a Node or AWS has said that it is: AWS says nothing of an instance that does not run."""
        return self.zone_of(instance) if instance in self.located else GROUP

    def _fact(self, instance: InstanceId) -> object:
        return self.cluster.speeches.get(instance)

    def learns(self, nodes: Mapping[str, dict[str, Any]], ports: Mapping[tuple[str, str], int]) -> None:
        """The caches of the replica hold this."""
        self.versions = [
            *self.versions[:-1][-50:],
            self.versions[-1],
            (_now(), self.cluster.learns(nodes, ports, _now(), EPOCH + _now(), self._late())),
        ]
        self.located.update(self.cluster.speeches)
        self._refusals.release_changed(_now())
        for group in self.groups:
            self._adopt(group)

    @property
    def cluster(self) -> KnownCluster:
        """What the caches of the replica hold now."""
        return self.versions[-1][1]

    def freeze(self) -> None:
        """SIGSTOP: what was decided before may be sent when it goes on."""
        self.replica.frost.freeze()
        if self.frozen_at is None:
            self.frozen_at = _now()

    def thaw(self) -> None:
        """SIGCONT."""
        self.replica.frost.thaw()
        if self.frozen_at is not None:
            self.thawed_at, self.frozen_for, self.frozen_at = _now(), _now() - self.frozen_at, None
            if self.elected:  # the Lease may have run out, and is taken again before the next call
                self._takes_over()

    def _takes_over(self) -> None:
        """Another process may have led and written since: what this one registered may be gone."""
        self._rewrites.forget()
        for known in self.groups.values():
            known.effects.forget_registrations()

    def _late(self) -> float:
        """For how long a decision may have been on its way; a frozen process sends it when it goes on."""
        if self.frozen_at is not None:
            return LATE_S + _now() - self.frozen_at
        return LATE_S + (self.frozen_for if _now() < self.thawed_at + LATE_S else 0.0)

    def _recent(self) -> Iterable[KnownCluster]:
        """What the caches held in the last second, the newest first; Nodes reach a plan later than ports."""
        recent: list[KnownCluster] = []
        for since, version in reversed(self.versions):
            recent.append(version)
            if since <= _now() - self._late():
                break
        for version in recent:
            for other in recent:
                if other is version or other.ports != version.ports:
                    mixed = replace(version, ports=other.ports, ports_since=other.ports_since)
                    yield from mixed.readings()

    def _unsettle(self) -> None:
        """Something may have been removed that reads do not show for a minute, and until the next of them."""
        self._settled_at = _now() + LAG_S + STALE_S

    def begins(self, call: Call) -> None:
        if self.replica.leads is not self._leads:
            self._leads = self.replica.leads
            self._unsettle()
            self._takes_over()
        self._blame(call, self._refusals.faults(call, _now()))
        if call.operation not in WRITES:
            return
        self._check_writer(call)
        faults = (self._faults(call, version) for version in self._recent())
        newest = next(faults)
        if newest and all(faults):
            self._blame(call, newest)
        if call.operation == "register":
            self._check_record(call)
            self._own(call.group, call.targets)
        if not self.groups[call.group].blind:
            touched = [target for target in call.targets if self.touched(call.group, target)]
            announced = set().union(*(version.announced for version in self._recent()))
            self._blame(call, self._rewrites.faults(call, _now(), touched, announced))

    def _faults(self, call: Call, version: KnownCluster) -> list[str]:
        judge = self.judge(call.group, version)
        if call.operation == "register":
            return list(judge.register(call))
        blind = self.groups[call.group].blind
        return [*judge.deregister(call), *(() if blind else traffic(self.groups[call.group], call.targets))]

    def takes_effect(self, call: Call, healths: Sequence[TargetHealth]) -> None:
        if call.operation == "describe":
            self._answers[call] = (_now(), healths)
        elif call.operation in WRITES:
            registered = call.operation == "register"
            self.groups[call.group].wrote(call.targets, _now(), registered=registered)
            self._rewrites.took_effect(call, _now())

    def ends(self, call: Call, error: AwsError | None) -> None:
        answer, known = self._answers.pop(call, None), self.groups[call.group]
        if error is None:
            self._refusals.drop(call)
            if call.operation in WRITES:
                self._rewrites.add(call, _now())
                registered = call.operation == "register"
                known.effects.carried_out(call.targets, _now(), registered=registered)
                known.note(_now())
            if answer is not None:
                self.located.update(health.target.id for health in answer[1] if health.zone)
                known.answered(*answer, _now(), call.asked)
                self._adopt(call.group)
            return
        if call.operation == "describe":
            known.fresh, known.blind = False, error.code == "AccessDenied" or known.blind
            self._adopt(call.group)
        if call.operation == "register" and error.unsure:
            known.unsure.update(call.targets)
        elif call.operation == "deregister" and error.unsure:
            self._unsettle()
        self._refusals.add(call, error, _now())
        if isinstance(error, TooManyTargetsError) and len(call.targets) == 1:
            known.learnt, known.learnt_until = len(known.view), _now() + _TRUSTED_S

    def judge(self, group: TargetGroupArn, cluster: KnownCluster | None = None) -> Judge:
        """The judge of what the replica does to a group now, by what it knows of the cluster."""
        now = _now()
        confirmed = {t for (arn, t), until in self.confirmed.items() if arn == group and until >= now}
        return Judge(
            known=self.groups[group],
            cluster=cluster or self.cluster,
            port=self.port(group, cluster or self.cluster),
            port_since=(cluster or self.cluster).ports_since.get(self._source(group), now),
            registered_somewhere=self._registered_somewhere(),
            choices=Choices(
                self.world.settings, self.foreign[group], confirmed, partial(self._recorded, group)
            ),
            now=now,
            contested=self._contested(group),
            idle_zones=self._idle_zones(),
            unsettled=now < self._settled_at,
            refused=self._refusals.targets(group),
            scarce=any(known.limit(now) is not None for known in self.groups.values()),
        )

    def _recorded(self, group: TargetGroupArn, target: Target) -> bool:
        return target not in self.strange and self._ever_recorded(group, target)

    def _ever_recorded(self, group: TargetGroupArn, target: Target) -> bool:
        return self.record_kept() and (key_of(group), target) in self.world.stored.ever

    def _idle_zones(self) -> set[str]:
        """Where a group has an unused target, although it has others in use, and none is in use there."""
        seen = [known for known in self.groups.values() if not known.blind]
        used = set().union(*(known.zones_in_use() for known in seen))
        return {zone for known in seen if known.zones_in_use() for zone in known.unused_zones()} - used

    def _registered_somewhere(self) -> set[InstanceId]:
        """The instances that are targets as far as is known; of a group that is blind, what was ever ours."""
        believed = (
            self.ours[arn] if known.blind else known.lately(_now()) for arn, known in self.groups.items()
        )
        return {target.id for targets in believed for target in targets}

    def port(self, arn: TargetGroupArn, cluster: KnownCluster) -> int | None:
        """Where the replica could know that the group's targets are wanted."""
        return cluster.ports.get(self._source(arn))

    def _source(self, arn: TargetGroupArn) -> tuple[str, str]:
        source = next(each.port for each in self.world.settings.groups if each.group.arn == arn)
        assert isinstance(source, ServicePort)
        return source.service, source.port

    def _contested(self, arn: TargetGroupArn) -> Collection[Target]:
        return {
            held.target
            for group in self.replica.controller.groups
            if group.arn == arn
            for held in (group.plan.held if group.plan else ())
            if held.why == "Contested"
        }

    def _adopt(self, group: TargetGroupArn) -> None:
        """What sits on our port and belongs to a Node that is wanted or leaving is ours on sight."""
        registered = self.groups[group].registered()
        for target in list(self.foreign[group]):
            # A replica that stopped meanwhile may have adopted it, and this one may not read the group.
            if target not in registered and not self._ever_recorded(group, target):
                continue
            for version in self._recent():
                speech = version.speeches.get(target.id)
                if speech and speech.standing != "out" and target.port == self.port(group, version):
                    self._own(group, [target])

    def _own(self, group: TargetGroupArn, targets: Iterable[Target]) -> None:
        self.ours[group].update(targets)
        self.foreign[group].difference_update(targets)

    def _check_writer(self, call: Call) -> None:
        """Rule 9: the holder of the Lease writes, and nobody after a SIGTERM."""
        if self.stopping:
            self._blame(call, ["begins after SIGTERM (rule 9)"])
        lease = self.world.lease.record
        if not self.elected:
            return
        if lease is None or lease.holder != self.replica.name:
            self._blame(call, [f"is sent while {self.world.lease.holder!r} holds the Lease (rule 9)"])
        elif (left := lease.renewed + lease.duration - EPOCH - _now()) < SPARE_S:
            self._blame(call, [f"is sent with {left:.1f} s of the Lease left (rule 9)"])
        elif (known := self.groups[call.group]).fresh and known.as_of < lease.acquired - EPOCH:
            self._blame(call, ["is sent before the new leader has read the group (rule 9)"])

    def _check_record(self, call: Call) -> None:
        """Rule 6: the record is written before RegisterTargets. Rule 3: what was refused waits."""
        stored = self.world.stored.targets(call.group)
        for target in call.targets:
            if self._refusals.is_quarantined(call.group, target, _now()):
                self._blame(call, [f"{target} was refused and is not set aside (rule 3)"])
            if self.record_kept() and target not in stored:
                self._blame(call, [f"{target} is not in the record (rule 6)"])

    def _blame(self, call: Call, faults: Iterable[str]) -> None:
        for fault in faults:
            name = call.group.split("/")[1]
            self.wrong.append(f"{_now():.3f} {self.replica.name} {call.operation} {name}: {fault}")


def _now() -> float:
    return asyncio.get_running_loop().time()
