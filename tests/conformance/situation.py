"""One target group, the Nodes beside it, and what `plan` is to say of it in each ownership mode."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.conformance.documents import Json

REGISTER, DEREGISTER = "register", "deregister"

# What is to become of a target: it is written `a` on the wanted port, `a:31111` on another, or by its id.
Plan = Mapping[str, str]


@dataclass(frozen=True)
class Situation:
    """Nodes (a letter is a Ready one), targets (a letter is a healthy one), and what `plan` says of them.

    `exclusive` is the mode that the stack sets, `tracked` the default of the binary, where it differs: from
    files nothing is recorded as ours but what a Node names. In `add-only` the same is registered, and
    whatever else is wrong with a target is held for that mode.
    """

    known_by: str
    nodes: list[Json | str]
    targets: list[Json | str]
    exclusive: Plan
    tracked: Plan | None = None
    add_only: Plan | None = None
    words: tuple[str, ...] = ()
    list_metadata: dict[str, str] = field(default_factory=dict)

    def expected(self, mode: str) -> Plan:
        if mode == "tracked":
            return self.exclusive if self.tracked is None else self.tracked
        if mode == "add-only":
            held = {who: what if what == REGISTER else "AddOnly" for who, what in self.exclusive.items()}
            return held if self.add_only is None else self.add_only
        return self.exclusive


def foreign(*who: str, **others: str) -> dict[str, str]:
    return dict.fromkeys(who, "Foreign") | others
