"""A real control plane for every integration test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import cluster as control
from sandbox.layout import Layout
from sandbox.toolchain import ensure


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


def _sandbox(directory: Path, tools: dict[str, Path], names: tuple[str, ...]) -> Iterator[Layout]:
    layout = Layout.ephemeral(directory)
    layout.save()
    try:
        control.start(layout, tools, names)
        yield layout
    finally:
        control.stop(layout)
