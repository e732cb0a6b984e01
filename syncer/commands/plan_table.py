"""A plan as a table for users: from files, from a cluster and of `leave`."""

from collections.abc import Callable, Iterable, Iterator

from syncer.commands.printing import show_table
from syncer.decide.reasons import hold_text
from syncer.model import GroupPlan, Why, port_shown

_HEAD = ("GROUP", "ACTION", "INSTANCE", "PORT", "WHY")


def show_plans(
    plans: Iterable[tuple[str, GroupPlan]], *, held: str = "hold", text: Callable[[Why], str] = hold_text
) -> bool:
    """Print a row for each changed or held target; return False without rows.

    The input pairs a group's name with a plan; a single plan needs no name, "".
    """
    rows = [row for name, plan in plans for row in _rows(name, plan, held, text)]
    first = 0 if any(name for name, *_ in rows) else 1
    if rows:
        show_table(_HEAD[first:], (row[first:] for row in rows))
    return bool(rows)


def _rows(name: str, plan: GroupPlan, held: str, text: Callable[[Why], str]) -> Iterator[tuple[str, ...]]:
    for action, targets in (("register", plan.register), ("deregister", plan.deregister)):
        yield from ((name, action, each.id, port_shown(each.port), "") for each in targets)
    for each in plan.held:
        yield name, held, each.target.id, port_shown(each.target.port), f"{each.why}: {text(each.why)}"
    if plan.more_over_quota:
        yield name, held, f"{plan.more_over_quota} more", "", f"{Why.QUOTA}: {text(Why.QUOTA)}"
