"""The brake's stories, each with the fewest targets that ever serve; docs/stories.md shows them."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from syncer.decide.policy import Ownership, PlanPolicy
from syncer.model import GroupPlan, NodeView, Why
from tests.unit.decide.world import NOON, Aws, held, node, pass_once, target

TAINT = {"leaving_taint": "ToBeDeletedByClusterAutoscaler"}
LABEL = {"excluded": True}
TYPO = {"selected": False}
EXCLUSIVE = PlanPolicy(ownership=Ownership.EXCLUSIVE)
ZONAL = PlanPolicy(cross_zone=False)


@dataclass(frozen=True, kw_only=True)
class Story:
    """`nodes` says which Nodes there are, seconds after the start; `fewest` may ever serve, `end` stay.

    `deadlines`: it goes below half of what served before, for a deadline does not wait for ever.
    """

    name: str
    because: str
    old: Collection[int]
    nodes: Callable[[float], Iterable[NodeView]]
    fewest: int
    end: Collection[int]
    policy: PlanPolicy = field(default_factory=PlanPolicy)
    deadlines: bool = False
    restarts: Collection[float] = ()
    lasts: int = 1500
    step: int = 5
    recorded: bool = True


def some(numbers: Iterable[int], **changes: object) -> list[NodeView]:
    return [node(n, **changes) for n in numbers]


STORIES = [
    Story(
        name="one node replaced, the new one first",
        because="the new target is healthy before the old target is deregistered",
        old=range(3),
        nodes=lambda t: [*some([0], **(TAINT if t >= 60 else {})), *some(range(1, 4))],
        fewest=3,
        end=range(1, 4),
    ),
    Story(
        name="one node replaced, the old one first",
        because="the floor is two of three",
        old=range(3),
        nodes=lambda t: [*some([0], **TAINT), *some(range(1, 4 if t >= 60 else 3))],
        fewest=2,
        end=range(1, 4),
    ),
    Story(
        name="10 for 10, all old ones leaving together",
        because="half of ten stay until the new targets are healthy",
        old=range(10),
        nodes=lambda _: [*some(range(10), **TAINT), *some(range(10, 20))],
        fewest=5,
        end=range(10, 20),
    ),
    Story(
        name="12 for 8, all old ones leaving together",
        because="half of twelve stay until the new targets are healthy",
        old=range(12),
        nodes=lambda _: [*some(range(12), **TAINT), *some(range(12, 20))],
        fewest=6,
        end=range(12, 20),
    ),
    Story(
        name="12 for 8, the old ones only labelled",
        because="no deadline: the last two wait for the end of the base of twenty, ten minutes later",
        old=range(12),
        nodes=lambda _: [*some(range(12), **LABEL), *some(range(12, 20))],
        fewest=6,
        end=range(12, 20),
    ),
    Story(
        name="a label typo on 100 nodes with three restarts",
        because="removals without an announcement, and too many together: held until confirmed",
        old=range(100),
        nodes=lambda _: some(range(100), **TYPO),
        fewest=100,
        end=range(100),
        restarts=(100, 400, 1200),
        step=30,
    ),
    Story(
        name="100 nodes losing the label one a second",
        because="after each of the first fifty removals enough targets serve; the others are held until "
        "confirmed",
        old=range(100),
        nodes=lambda t: [*some(range(min(100, int(t))), **TYPO), *some(range(min(100, int(t)), 100))],
        fewest=50,
        end=range(50, 100),
        step=1,
        lasts=600,
    ),
    Story(
        name="a node group upgraded: 50 labelled at once, 6 new",
        because="half of each ten minutes' base, down to the six that stay",
        old=range(50),
        nodes=lambda _: [*some(range(50), **LABEL), *some(range(50, 56))],
        fewest=6,  # at the end; before that half of each ten minutes' base
        end=range(50, 56),
        lasts=3600,
        step=30,
    ),
    Story(
        name="2 of 3 reclaimed: the second waits a minute for the share",
        because="a deadline waits a minute for the share, then only for one other target",
        old=range(3),
        nodes=lambda _: [*some([0, 1], **TAINT), *some([2])],
        fewest=1,
        deadlines=True,
        end=[2],
    ),
    Story(
        name="2 of 3 reclaimed with a third that comes in time",
        because="the new target is healthy before the end of the minute",
        old=range(3),
        nodes=lambda _: [*some([0, 1], **TAINT), *some([2, 3])],
        fewest=2,
        end=[2, 3],
    ),
    Story(
        name="5 stale targets at start, and 5 nodes",
        because="foreign targets stay until an own target is healthy, then until enough are",
        old=range(5),
        nodes=lambda _: some(range(10, 15)),
        fewest=5,
        end=range(10, 15),
        policy=EXCLUSIVE,
        recorded=False,
    ),
    Story(
        name="5 stale targets at start in the registry, and 5 nodes",
        because="removals without an announcement: the targets stay until enough new targets serve",
        old=range(5),
        nodes=lambda _: some(range(10, 15)),
        fewest=5,
        end=range(10, 15),
    ),
    Story(
        name="a wrong ARN in exclusive with three restarts",
        because="three own targets are too few to replace twenty: held until confirmed",
        old=range(20),
        nodes=lambda _: some(range(50, 53)),
        fewest=20,
        end=[*range(20), *range(50, 53)],
        policy=EXCLUSIVE,
        restarts=(60, 700, 1400),
        lasts=2400,
        recorded=False,
    ),
    Story(
        name="one zone's nodes leaving with cross-zone off: its last target stays",
        because="an address of the load balancer serves from its own zone only",
        old=range(9),
        nodes=lambda _: [*some([0, 3, 6], **TAINT), *some([1, 2, 4, 5, 7, 8])],
        fewest=7,
        end=[1, 2, 4, 5, 6, 7, 8],
        policy=ZONAL,
    ),
    Story(
        name="an empty but complete node list",
        because="removals without an announcement: held until confirmed",
        old=range(10),
        nodes=lambda _: [],
        fewest=10,
        end=range(10),
    ),
    Story(
        name="scale to zero: the last target stays until it is dead or another target serves",
        because="the syncer never removes the last target of a group",
        old=range(4),
        nodes=lambda _: some(range(4), **LABEL),
        fewest=1,
        end=[2],
        lasts=3600,
    ),
    Story(
        name="a taint announced and the Node deleted while it was held",
        because="the removal stays announced, and its minute continues",
        old=range(3),
        nodes=lambda t: [*some([] if t >= 30 else [0, 1], **TAINT), *some([2])],
        fewest=1,
        end=[2],
        deadlines=True,
    ),
]


@dataclass
class Played:
    """How a story went: what served after each pass, by second, the last plan, and when the last one left."""

    aws: Aws
    served: dict[int, int]
    last: GroupPlan
    left_at: int | None


def play(story: Story) -> Played:
    """The story from its start to its end."""
    aws = Aws()
    aws.put(story.old)
    if story.recorded:
        aws.record = frozenset(map(target, story.old))
    served, plan, left_at = {-1: aws.serving()}, None, None
    for second in range(0, story.lasts, story.step):
        if any(second - story.step < when <= second for when in story.restarts):
            aws.restart()
        aws.tick(NOON + second)
        plan = pass_once(aws, story.nodes(second), story.policy, NOON + second)
        served[second] = aws.serving()
        left_at = second if plan.deregister else left_at
    assert plan is not None
    return Played(aws, served, plan, left_at)


def assert_as_told(story: Story, played: Played) -> None:
    """Assert that a story ended as it should, and never had fewer serving targets than it may."""
    assert min(played.served.values()) == story.fewest
    assert played.aws.registered() == set(map(target, story.end))
    assert played.last.empty


def as_markdown(explanations: Iterable[Story], play: Callable[[Story], Played] = play) -> str:
    """The table as docs/stories.md shows it."""
    lines = [
        "| scenario | at first | fewest ever | at the end | last old target | held at the end | because |",
        "|---|---|---|---|---|---|---|",
    ]
    for story in explanations:
        played = play(story)
        holds = sorted(set(held(played.last).values()) - {Why.FOREIGN})
        says = ", ".join(f"`{why}`" for why in holds) or "-"
        after = "-" if played.left_at is None else f"{played.left_at} s"
        cells = (story.name, len(story.old), story.fewest, len(story.end), after, says, story.because)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"
