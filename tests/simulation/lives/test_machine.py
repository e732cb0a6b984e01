"""One machine for all of it: Nodes, targets, faults, restarts and the clock, on virtual time.

The real Controller, as one replica or as two with a Lease, is driven through random lives over the cloud,
the cluster and the API objects of `tests/simulation`, which keep AWS's rules. `oversight.py` watches every
call as it is sent, by the rules of `judge.py`; `settling.py` says what must come after the last fault. An
ordinary run plays the same lives each time. Others, and more of them, are played by

    NLB_SYNC_LIVES=5000 .venv/bin/pytest tests/simulation --timeout 0
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.constants_ast import Constants
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from syncer.model import TargetGroupArn
from tests.simulation.lives import chapters
from tests.simulation.lives.faults import FAULTS, LAGS, TROUBLES
from tests.simulation.lives.hands import ARNS, NAMES, STRANGERS
from tests.simulation.lives.known import EXCLUDED, TAINTS, TYPO
from tests.simulation.lives.life import Life, Start
from tests.simulation.lives.settling import settle
from tests.simulation.lives.shifts import SHIFTS, shift
from tests.simulation.virtual import VirtualLoop

STARTS = st.builds(
    Start,
    ownership=st.sampled_from(["exclusive", "tracked", "exclusive", "tracked", "add-only"]),
    share=st.sampled_from([0.5, 0.5, 0.5, 0.3, 1.0, 0.0]),
    cross_zone=st.sampled_from([True, True, False]),
    limit=st.sampled_from([None, None, None, 4, 6]),
    elected=st.booleans(),
    replicas=st.just(1),
    nodes=st.integers(0, 8),
    old=st.integers(0, 8),
    stale=st.integers(0, 4),
    recorded=st.booleans(),
)
ONE = st.sampled_from(NAMES)
SEVERAL = st.one_of(
    ONE.map(lambda name: (name,)),
    st.sampled_from([NAMES, NAMES[:4], NAMES[4:], NAMES[::3], NAMES[1::3]]),
)
HALVES = [(NAMES[:4], NAMES[4:]), (NAMES[:2], NAMES[2:4]), (NAMES[1:2], NAMES[:1])]
GROUP = st.sampled_from(ARNS)
PAUSE = st.sampled_from([0.0, 0.0, 0.03, 0.06, 0.11, 1.3, 6.0, 40.0])
PORT = st.sampled_from([30080, 30443, 31000])
OPERATIONS = st.sampled_from(["describe", "register", "deregister"])
INDEX = st.integers(0, 1)


class Machine(RuleBasedStateMachine):
    """The lives. Every rule does one thing at one moment, and lets some time pass."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualLoop()
        self.log = logging.getLogger("syncer")
        self.log_level = self.log.level
        self.log.setLevel(logging.CRITICAL + 1)  # nobody reads it, and it takes a third of the time

    def then(self, pause: float, *things: Callable[[], Awaitable[None] | None]) -> None:
        """Do these things at one moment, then let `pause` seconds pass."""

        async def story() -> None:
            for thing in things:
                done = thing()
                if done is not None:
                    await done
            await asyncio.sleep(pause)

        self.loop.run_until_complete(story())

    @initialize(start=STARTS, two=st.booleans())
    def begin(self, start: Start, two: bool) -> None:
        def born() -> None:
            self.life = Life(Start(**{**vars(start), "replicas": 2 if two and start.elected else 1}))

        self.then(0.0, born)

    @rule(names=SEVERAL, ready=st.booleans(), pause=PAUSE)
    def join(self, names: tuple[str, ...], ready: bool, pause: float) -> None:
        self.then(pause, *(lambda name=name: self.life.join(name, ready=ready) for name in names))

    @rule(names=SEVERAL, ready=st.booleans(), pause=PAUSE)
    def turn(self, names: tuple[str, ...], ready: bool, pause: float) -> None:
        self.then(pause, *(lambda name=name: self.life.face(name, ready=ready) for name in names))

    @rule(names=SEVERAL, key=st.sampled_from(TAINTS), pause=PAUSE)
    def taint(self, names: tuple[str, ...], key: str, pause: float) -> None:
        self.then(pause, *(lambda name=name: self.life.taint(name, key) for name in names))

    @rule(names=SEVERAL, key=st.sampled_from([EXCLUDED, TYPO]), pause=PAUSE)
    def label(self, names: tuple[str, ...], key: str, pause: float) -> None:
        self.then(pause, *(lambda name=name: self.life.label(name, key) for name in names))

    @rule(names=SEVERAL, pause=PAUSE)
    def forgive(self, names: tuple[str, ...], pause: float) -> None:
        self.then(pause, *(lambda name=name: self.life.forgive(name) for name in names))

    @rule(names=SEVERAL, announced=st.booleans(), pause=PAUSE)
    def delete(self, names: tuple[str, ...], announced: bool, pause: float) -> None:
        self.then(pause, *(lambda name=name: self.life.delete(name, announced=announced) for name in names))

    @rule(name=ONE, there=st.booleans(), pause=PAUSE)
    def twin(self, name: str, there: bool, pause: float) -> None:
        self.then(pause, lambda: self.life.twin(name) if there else self.life.untwin(name))

    @rule(group=GROUP, port=PORT, pause=PAUSE)
    def expose(self, group: TargetGroupArn, port: int, pause: float) -> None:
        self.then(pause, lambda: self.life.expose(group, port))

    @rule(names=SEVERAL, pause=PAUSE)
    def halt(self, names: tuple[str, ...], pause: float) -> None:
        self.then(pause, *(lambda name=name: self.life.halt(name) for name in names))

    @rule(names=SEVERAL, sick=st.booleans(), pause=PAUSE)
    def health(self, names: tuple[str, ...], sick: bool, pause: float) -> None:
        change = self.life.sicken if sick else self.life.cure
        self.then(pause, *(lambda name=name: change(name) for name in names))

    @rule(group=GROUP, name=st.sampled_from([*STRANGERS, *NAMES]), other=st.booleans(), pause=PAUSE)
    def put_by_hand(self, group: TargetGroupArn, name: str, other: bool, pause: float) -> None:
        port = 31999 if other else (30080 if group == ARNS[0] else 30443)
        self.then(pause, lambda: self.life.hands.put(group, name, port))

    @rule(group=GROUP, names=SEVERAL, pause=PAUSE)
    def remove_by_hand(self, group: TargetGroupArn, names: tuple[str, ...], pause: float) -> None:
        self.then(pause, *(lambda name=name: self.life.hands.remove(group, name) for name in names))

    @rule(group=GROUP, name=ONE, pause=PAUSE)
    def undo(self, group: TargetGroupArn, name: str, pause: float) -> None:
        self.then(pause, lambda: self.life.hands.undo(group, name))

    @rule(group=GROUP, name=ONE, pause=PAUSE)
    def insist(self, group: TargetGroupArn, name: str, pause: float) -> None:
        self.then(pause, lambda: self.life.hands.insist(group, name))

    @rule(kind=st.sampled_from(sorted(FAULTS)), operation=OPERATIONS, pause=PAUSE)
    def fail(self, kind: str, operation: str, pause: float) -> None:
        self.then(pause, lambda: self.life.fail(kind, operation))

    @rule(operation=st.sampled_from(["register", "deregister"]), pause=PAUSE)
    def lose_answers(self, operation: str, pause: float) -> None:
        self.then(pause, lambda: self.life.fail("silent", operation, lost=True))

    @rule(pause=PAUSE)
    def heal(self, pause: float) -> None:
        self.then(pause, self.life.heal)

    @rule(what=st.sampled_from(sorted(TROUBLES)), pause=PAUSE)
    def trouble(self, what: str, pause: float) -> None:
        self.then(pause, lambda: self.life.trouble(what))

    @rule(which=st.sampled_from(sorted(SHIFTS)), pause=PAUSE)
    def shift(self, which: str, pause: float) -> None:
        self.then(pause, lambda: shift(self.life.world.cloud, which))

    @rule(kind=st.sampled_from(sorted(LAGS)), pause=PAUSE)
    def lag(self, kind: str, pause: float) -> None:
        self.then(pause, lambda: self.life.lag(kind))

    @rule(index=INDEX, pause=PAUSE)
    def cut(self, index: int, pause: float) -> None:
        self.then(pause, lambda: self.life.cut(index))

    @rule(pause=PAUSE)
    def connect(self, pause: float) -> None:
        self.then(pause, self.life.connect)

    @rule(away=st.booleans(), pause=PAUSE)
    def api_server(self, away: bool, pause: float) -> None:
        self.life.world.lease.away = self.life.world.stored.away = away
        self.then(pause)

    @rule(group=GROUP, there=st.booleans(), pause=PAUSE)
    def lose_group(self, group: TargetGroupArn, there: bool, pause: float) -> None:
        self.then(pause, lambda: self.life.make_group(group) if there else self.life.lose_group(group))

    @rule(pause=PAUSE)
    def lose_record(self, pause: float) -> None:
        self.then(pause, self.life.lose_record)

    @rule(index=INDEX, pause=PAUSE)
    def kill(self, index: int, pause: float) -> None:
        self.then(pause, lambda: self.life.kill(index))

    @rule(index=INDEX, pause=PAUSE)
    def stop(self, index: int, pause: float) -> None:
        self.then(pause, lambda: self.life.stop(index))

    @rule(index=INDEX, pause=PAUSE)
    def freeze(self, index: int, pause: float) -> None:
        self.then(pause, lambda: self.life.freeze(index))

    @rule(names=SEVERAL, others=SEVERAL, seconds=st.sampled_from([4.0, 7.0, 13.0, 90.0]), pause=PAUSE)
    def sleepwalk(
        self, names: tuple[str, ...], others: tuple[str, ...], seconds: float, pause: float
    ) -> None:
        self.then(pause, lambda: chapters.sleepwalk(self.life, names, others, seconds))

    @rule(halves=st.sampled_from(HALVES), lost=st.booleans(), pause=PAUSE)
    def change_of_mind(
        self, halves: tuple[tuple[str, ...], tuple[str, ...]], lost: bool, pause: float
    ) -> None:
        self.then(pause, lambda: chapters.change_of_mind(self.life, *halves, lost=lost))

    @rule(names=SEVERAL, stay=st.booleans(), pause=PAUSE)
    def there_and_back(self, names: tuple[str, ...], stay: bool, pause: float) -> None:
        self.then(pause, lambda: chapters.there_and_back(self.life, names, stay=stay))

    @rule(names=SEVERAL, group=GROUP, port=PORT, pause=PAUSE)
    def move_house(self, names: tuple[str, ...], group: TargetGroupArn, port: int, pause: float) -> None:
        self.then(pause, lambda: chapters.move_house(self.life, names, group, port))

    @rule(names=SEVERAL, pause=PAUSE)
    def start_unlisted(self, names: tuple[str, ...], pause: float) -> None:
        self.then(pause, lambda: chapters.start_unlisted(self.life, names))

    @rule(
        which=st.sampled_from(sorted(SHIFTS)),
        key=st.sampled_from(TAINTS),
        seconds=st.sampled_from([7.0, 61.0, 130.0, 620.0]),
        pause=PAUSE,
    )
    def shift_away(self, which: str, key: str, seconds: float, pause: float) -> None:
        self.then(pause, lambda: chapters.shift_away(self.life, which, key=key, seconds=seconds))

    @rule(pause=PAUSE)
    def thaw(self, pause: float) -> None:
        self.then(pause, self.life.thaw)

    @rule(group=GROUP, pause=PAUSE)
    def confirm(self, group: TargetGroupArn, pause: float) -> None:
        self.then(pause, lambda: self.life.confirm(group))

    @rule(seconds=st.sampled_from([0.05, 1.0, 7.0, 25.0, 61.0, 130.0, 320.0, 610.0]))
    def advance(self, seconds: float) -> None:
        self.then(seconds)

    @rule(seconds=st.sampled_from([7.0, 61.0, 130.0]))
    def go_on(self, seconds: float) -> None:
        self.then(seconds)

    @rule()
    def settle(self) -> None:
        self.then(0.0, lambda: settle(self.life))

    @invariant()
    def nothing_is_wrong(self) -> None:
        if hasattr(self, "life"):
            wrong = [*self.life.wrong, *self.loop.run_until_complete(self.false_conflicts())]
            assert not wrong, "\n".join(wrong)

    async def false_conflicts(self) -> list[str]:
        return list(self.life.false_conflicts())

    def teardown(self) -> None:
        try:
            if hasattr(self, "life") and not self.life.wrong:
                self.settle()
                self.nothing_is_wrong()
        finally:
            self.end()

    def end(self) -> None:
        """Nothing of this life is left behind."""

        async def all_ends() -> None:
            if hasattr(self, "life"):
                await self.life.end()
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

        self.loop.run_until_complete(all_ends())
        self.loop.close()
        self.log.setLevel(self.log_level)


LIVES = int(os.environ.get("NLB_SYNC_LIVES", "0"))
SEED = 7  # of the lives of an ordinary run
SETTINGS = settings(
    max_examples=LIVES or 25,
    database=None,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
# Where Hypothesis keeps the constants of all modules that are loaded, from which it draws now and then.
_CONSTANTS = "hypothesis.internal.conjecture.providers"


@pytest.mark.timeout(1800)  # 4 minutes on a quiet machine: reads that lag make the lives long
def test_random_lives_keep_every_rule_and_end_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same lives in whatever process, and after whatever tests."""
    monkeypatch.setattr(f"{_CONSTANTS}._get_local_constants", Constants)
    monkeypatch.setattr(f"{_CONSTANTS}.CONSTANTS_CACHE", {})
    run_state_machine_as_test(Machine if LIVES else seed(SEED)(Machine), settings=SETTINGS)


@pytest.mark.parametrize(("ownership", "kind"), [("exclusive", "denied"), ("tracked", "inner")])
def test_l3_a_run_of_a_former_false_alarm_is_clean(ownership: str, kind: str) -> None:
    """The invariant checker took for foreign what a stopped replica had adopted and recorded."""
    machine = Machine()
    start = Start(
        ownership=ownership,
        share=0.5,
        cross_zone=True,
        limit=None,
        elected=True,
        replicas=1,
        nodes=3,
        old=8,
        stale=0,
        recorded=False,
    )
    machine.begin(start=start, two=False)
    machine.stop(index=0, pause=0.0)
    machine.fail(kind=kind, operation="describe", pause=0.06)
    machine.label(key="not-ingress", names=("a",), pause=0.0)
    machine.go_on(seconds=7.0)
    machine.nothing_is_wrong()
    machine.teardown()
