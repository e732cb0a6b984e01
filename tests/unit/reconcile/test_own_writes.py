"""A read that looks at its changes alone finds what a look at every write would find."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncer.decide.listing import Listing
from syncer.model import InstanceId, Target, TargetHealth, TargetState
from syncer.reconcile.own_writes import OwnWrites, Undone, _draw_over, _is_registered

TARGETS = [Target(InstanceId(f"i-{number:017x}"), 30080) for number in range(4)]
STATES = (TargetState.INITIAL, TargetState.HEALTHY, TargetState.DRAINING)
ENTRIES = {each: [TargetHealth(target=each, state=state) for state in STATES] for each in TARGETS}

WRITE = st.tuples(st.sampled_from(TARGETS), st.booleans())
READ = st.tuples(*(st.sampled_from([None, *ENTRIES[each]]) for each in TARGETS))
FORGET = st.sampled_from(TARGETS)
STEP = st.tuples(st.sampled_from([0.5, 5.0, 20.0, 70.0, 700.0]), st.one_of(WRITE, READ, READ, FORGET))


class EveryWrite(OwnWrites):
    """Compares each write at each read."""

    def read(
        self, began: float, listed: Mapping[Target, TargetHealth], known: Listing
    ) -> tuple[Mapping[Target, TargetHealth], list[Undone]]:
        self._drained_at.update(dict.fromkeys(known.draining, began))
        shown, undone = dict(listed), list[Undone]()
        for target, write in list(self._last.items()):
            health = listed.get(target)
            if self._may_lag(target, write, health, began):
                _draw_over(shown, target, health or known.targets.get(target), registered=write.registered)
            elif _is_registered(health) is not write.registered:
                undone.append(Undone(target, write.registered))
                self.forget([target])
        self._drained_at.update((t, began) for t, h in listed.items() if h.state is TargetState.DRAINING)
        self._recent |= dict.fromkeys(self._last)
        self._forget_old(began, listed)
        return shown, undone


def steps_of(writes: OwnWrites, steps: list[tuple[float, Any]]) -> list[Any]:
    """Return the results of the reads."""
    now, listing, found = 100.0, Listing(), list[Any]()
    for seconds, step in steps:
        now += seconds
        if isinstance(step, Target):
            writes.forget([step])
        elif isinstance(step[0], Target):
            target, registered = step
            writes.wrote(target, listing.targets.get(target), now, registered=registered)
        else:
            listed = {health.target: health for health in step if health is not None}
            shown, undone = writes.read(now, listed, listing)
            listing = Listing(shown)
            found.append((shown, sorted(undone)))
    return found


@given(st.lists(STEP, max_size=30))
def test_a_read_costs_its_changes_and_finds_the_same(steps: list[tuple[float, Any]]) -> None:
    writes, reference = OwnWrites(), EveryWrite()
    assert steps_of(writes, steps) == steps_of(reference, steps)
    assert writes._last == reference._last


@given(st.lists(STEP, max_size=30))
def test_an_old_registration_is_not_compared_again(steps: list[tuple[float, Any]]) -> None:
    writes = OwnWrites()
    steps_of(writes, [*steps, (70.0, (None,) * len(TARGETS)), (700.0, (None,) * len(TARGETS))])
    assert not writes._recent
