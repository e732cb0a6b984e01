"""Which groups are reconciled after a change: the group itself, or all groups."""

import logging
from collections.abc import Sequence

from syncer.interfaces import Clock
from syncer.model import Desired, GroupPlan
from syncer.reconcile.desired_state import DesiredState
from syncer.reconcile.group import Group
from syncer.reconcile.recorder import named
from syncer.telemetry.counters import PLAN, Counters

log = logging.getLogger(__name__)


class Wakeups:
    """Requests the passes that a change makes necessary.

    A group's own change requests a pass of this group. A new desired state requests a pass of every group;
    `desire` compares the inputs at every use, so that a change without a notification is found as well.
    """

    def __init__(
        self, groups: Sequence[Group], desired_state: DesiredState, clock: Clock, counters: Counters
    ) -> None:
        self._groups = groups
        self._desired_state = desired_state
        self._clock = clock
        self._counters = counters

    def request_all(self) -> None:
        """Request a pass of every group."""
        for group in self._groups:
            group.schedule.request_reconcile()

    def nodes_changed(self) -> None:
        """Reconcile every group after a change of the Nodes or of a Service."""
        self._desired_state.take_nodes()
        self.request_all()

    def in_doubt(self) -> None:
        """Reconcile every group from the present Nodes and a full computation."""
        self.nodes_changed()
        self._desired_state.doubt()

    def group_changed(self, group: Group) -> None:
        """Reconcile a group after its own change, and the others if the desired state has changed."""
        group.schedule.request_reconcile()
        if self._desired_state.desired is None or self._desired_state.is_far_behind:
            self.request_all()
        else:
            self.desire(group)

    def desire(self, group: Group) -> Desired:
        """Return the desired state; where it has changed without a request, request a pass of every group.

        `group` has a pass, or has changed.
        """
        now = self._clock.monotonic()
        refusing = [each for each in self._groups if each.quarantine.registrations.instances]
        for each in refusing:  # a refusal in any group affects the places in all groups
            refusals = each.quarantine.registrations
            refusals.look(self._desired_state.nodes_of(refusals.instances), now)
        if self._desired_state.refresh(now, [group, *refusing]):
            self.request_all()
        return self._desired_state.result()

    def check(self, group: Group, decided: GroupPlan) -> None:
        """Count a missing wake-up: new calls in a pass without a request or the end of a waiting time."""
        if group.plan is None:
            return
        new = {
            *set(decided.register).difference(group.plan.register),
            *set(decided.deregister).difference(group.plan.deregister),
        }
        if new:
            self._counters.disagreements[PLAN] += 1
            log.error(
                "%s: no change had requested the calls for %s; please report: port %s, fresh %s, blind %s",
                group.name,
                named(sorted(new)),
                self._desired_state.port(group),
                group.observed.fresh,
                group.observed.blind,
                extra={"group": group.name},
            )
