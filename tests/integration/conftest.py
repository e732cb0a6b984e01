"""A real control plane for every integration test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import cluster as control
from sandbox import process
from sandbox.cloud.network import ensure_network
from sandbox.layout import Layout
from sandbox.nodes import lifecycle
from sandbox.toolchain import ensure
from tests.integration.nodes.processes import eventually, start


@pytest.fixture(scope="session")
def tools() -> dict[str, Path]:
    """The executable of each control plane process, built first where it is missing."""
    return ensure((*control.STORE_AND_API, *control.CONTROLLERS), lambda _: None)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, tools: dict[str, Path]) -> Iterator[Layout]:
    """A store and an API server alone: no controller touches what a test makes.

    The session shares it, so use a Namespace and Node names of your own and delete the Nodes you made.
    """
    yield from _sandbox(tmp_path_factory.mktemp("cluster"), tools, control.STORE_AND_API)


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory, tools: dict[str, Path]) -> Iterator[Layout]:
    """Another sandbox with controller manager and scheduler: rollouts, garbage collection, node failure."""
    names = (*control.STORE_AND_API, *control.CONTROLLERS)
    yield from _sandbox(tmp_path_factory.mktemp("control-plane"), tools, names)


@pytest.fixture(scope="session")
def machines(control_plane: Layout) -> Iterator[Layout]:
    """The nodes process with its seed nodes, on the control plane that the session shares.

    Imported into another module the fixture would be a second one, and start a second nodes process.
    """
    layout = control_plane
    try:
        start(layout, "cloud")
        eventually(lambda: ensure_network(layout.aws_url, layout.vpc_network))
        start(layout, "nodes")
        lifecycle.seed_nodes(layout)
        yield layout
    finally:
        process.stop(layout, "nodes")
        process.stop(layout, "cloud")


def _sandbox(directory: Path, tools: dict[str, Path], names: tuple[str, ...]) -> Iterator[Layout]:
    layout = Layout.ephemeral(directory)
    layout.save()
    try:
        control.start(layout, tools, names)
        yield layout
    finally:
        control.stop(layout)
