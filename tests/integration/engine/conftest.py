"""Pulumi projects against a real control plane."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.cluster import Rest
from sandbox.layout import Layout
from tests.integration.engine.project import Project

Make = Callable[[str], Project]


@pytest.fixture(scope="session")
def make_project(tmp_path_factory: pytest.TempPathFactory, control_plane: Layout) -> Make:
    """Makes a project whose objects go to the shared control plane; use a Namespace of your own."""
    cache = Path(os.environ.get("NODE_NLB_SYNC_CACHE") or Path.home() / ".cache" / "node-nlb-sync")
    pulumi = next((cache / "tools").glob("pulumi-*")) / "pulumi"

    def make(name: str) -> Project:
        return Project.make(tmp_path_factory.mktemp(name) / "project", control_plane, pulumi)

    return make


@pytest.fixture(scope="session")
def api(control_plane: Layout) -> Rest:
    """The administrator's view of the shared control plane."""
    return Rest(control_plane)
