"""Pulumi projects against a real control plane."""

from collections.abc import Callable

import pytest

from sandbox.cluster import Rest
from sandbox.layout import Layout
from sandbox.toolchain import ensure
from tests.integration.plugins.project import Project

Make = Callable[[str], Project]


@pytest.fixture(scope="session")
def make_project(tmp_path_factory: pytest.TempPathFactory, control_plane: Layout) -> Make:
    """Makes a project whose objects go to the shared control plane; use a Namespace of your own."""
    pulumi = ensure(("pulumi",), lambda _: None)["pulumi"]

    def make(name: str) -> Project:
        return Project.make(tmp_path_factory.mktemp(name) / "project", control_plane, pulumi)

    return make


@pytest.fixture(scope="session")
def api(control_plane: Layout) -> Rest:
    """The administrator's view of the shared control plane."""
    return Rest(control_plane)
