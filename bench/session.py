"""A run of the bench: a world, and every contender in that world, row by row."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bench import table
from bench.contender import Contender, EndedError
from bench.figures import measure
from bench.flags import Options
from bench.measures import SELECTOR, Known, Measure
from bench.rows import SCENARIOS, Scenario
from bench.run import Figures, LateError, Run
from bench.world import World
from sandbox.cluster import STORE_AND_API
from sandbox.errors import SandboxError
from sandbox.progress import Progress
from sandbox.toolchain import ensure

_WARM_NODES, _WARM_S = 3, 30.0


def bench(options: Options, found: dict[str, Figures]) -> None:
    """Fill `found` (by contender and row) during the run, so that an interrupted run can still be printed.

    Raises SandboxError or ToolchainError where the world cannot be created or breaks.
    """
    progress = Progress(Console(file=sys.stderr, highlight=False))
    with _world(options, progress) as world:
        session = _Session(options, world, progress)
        for contender in options.contenders:
            session.warm_up(contender)
        for scenario in SCENARIOS:
            for contender in options.contenders:
                session.measure(scenario, contender, found[contender.name])


@contextmanager
def _world(options: Options, progress: Progress) -> Iterator[World]:
    with progress.step("etcd and kube-apiserver") as step:
        tools = ensure(STORE_AND_API, lambda said: step.note(f"{said.tool}: {said.step}"))
    directory = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        with World.open(directory, tools, limited=options.limited) as world:
            yield world
    finally:
        if options.logs and (directory / "logs").exists():
            shutil.copytree(directory / "logs", options.logs, dirs_exist_ok=True)
        shutil.rmtree(directory)


@dataclass(frozen=True, slots=True)
class _Session:
    options: Options
    world: World
    progress: Progress

    def warm_up(self, contender: Contender) -> None:
        """Start the contender unmeasured, so that bytecode is written and files are in the page cache."""
        with self.progress.step(f"{contender.name}: warming up") as step:
            run = Run(
                world=self.world,
                contender=contender,
                nodes=_WARM_NODES,
                targets=_WARM_NODES,
                wanted=frozenset(),
                quick=True,
                note=step.note,
            )
            run.settle()
            try:
                with run.filled(within=_WARM_S):
                    pass
            except (LateError, EndedError) as error:
                self.progress.say(f"{contender.name}: {_WARM_NODES} nodes registered: {error}", style="red")

    def measure(self, scenario: Scenario, contender: Contender, found: Figures) -> None:
        """Measure the wanted rows of a scenario."""
        rows = [each.name for each in self.options.measures if each.name in scenario.rows]
        if not rows:
            return
        first = measure(rows[0])
        nodes = first.nodes if self.options.nodes is None else self.options.nodes
        targets = nodes if first.targets is None else min(first.targets, nodes // 2)
        with (
            self.progress.step(f"{contender.name}: {', '.join(rows)}: {nodes} nodes") as step,
            self._world(first, targets) as world,
        ):
            run = Run(
                world=world,
                contender=contender,
                nodes=nodes,
                targets=targets,
                narrowed=first.narrowed,
                wanted=frozenset(rows),
                quick=self.options.quick,
                note=step.note,
            )
            figures = self._figures(scenario, run)
            step.note("")
        for row, figure in figures.items():
            found[row] = figure
            self.progress.say(f"  {row}: {table.figure(measure(row), figure)}")

    @contextmanager
    def _world(self, row: Measure, targets: int) -> Iterator[World]:
        """Yield the world of the row."""
        self.world.set_groups(row.groups)
        if not row.fake:
            yield self.world
            return
        with self.world.large(targets if row.narrowed == SELECTOR else None) as world:
            yield world

    def _figures(self, scenario: Scenario, run: Run) -> Figures:
        """Return the figures, or the reason why there are none: a failed row must not stop the other rows."""
        if run.nodes < scenario.least:
            return dict.fromkeys(run.wanted, Known((), f"needs {scenario.least} nodes"))
        try:
            return scenario.act(run)
        except SandboxError as error:
            return dict.fromkeys(run.wanted, Known((), str(error)))
