"""Fields that another manager owns: what a preview and an update report, as in the official provider."""

import pytest

from sandbox.cluster import Rest
from tests.integration.plugins.conftest import Make
from tests.integration.plugins.project import Project

pytestmark = pytest.mark.toolchain

SERVICE = "/api/v1/namespaces/default/services/engine-conflicts"
PROGRAM = """\
    import pulumi_kubernetes as k8s

    k8s.core.v1.Service(
        "service",
        metadata={
            "name": "engine-conflicts",
            "namespace": "default",
            "labels": {"mode": "MODE"},
            "annotations": ANNOTATIONS,
        },
        spec={"ports": [{"port": 80}]},
    )
"""
CONFLICT = "Server-Side Apply field conflict detected"


def _write(project: Project, mode: str, **annotations: str) -> None:
    named = {f"pulumi.com/{name}": value for name, value in annotations.items()}
    project.write(PROGRAM.replace("MODE", mode).replace("ANNOTATIONS", repr(named)))


def _mode(api: Rest) -> str:
    return str(api.get(SERVICE)["metadata"]["labels"]["mode"])


def test_a_conflict_is_in_the_preview_unless_it_is_forced(make_project: Make, api: Rest) -> None:
    project = make_project("conflicts")
    _write(project, "created")
    project.up().ok()
    try:
        made = api.get(SERVICE)["metadata"]["managedFields"]
        assert [(one["manager"], one["operation"]) for one in made] == [("pulumi-kubernetes", "Update")]
        _write(project, "updated")
        project.run("preview", "--stack=dev").ok()  # the creation's own fields are no conflict
        project.up().ok()
        api.patch(f"{SERVICE}?fieldManager=a-controller", {"metadata": {"labels": {"mode": "theirs"}}})

        _write(project, "ours")
        previewed = project.run("preview", "--stack=dev")
        assert previewed.code != 0
        assert CONFLICT in previewed.text
        assert 'conflict with "a-controller"' in previewed.text
        refused = project.up()
        assert refused.code != 0
        assert CONFLICT in refused.text
        assert _mode(api) == "theirs"

        _write(project, "ours", patchForce="true")
        project.run("preview", "--stack=dev").ok()
        project.up().ok()
        assert _mode(api) == "ours"
    finally:
        project.run("destroy", "--yes", "--skip-preview", "--stack=dev")


def test_until_the_first_update_a_preview_is_forced_and_the_update_is_not(
    make_project: Make, api: Rest
) -> None:
    """await.go patchForce: the fields of the creation belong to an Update, which would conflict as well."""
    project = make_project("first-update")
    _write(project, "created")
    project.up().ok()
    try:
        api.patch(f"{SERVICE}?fieldManager=a-controller", {"metadata": {"labels": {"mode": "theirs"}}})
        _write(project, "ours")
        project.run("preview", "--stack=dev").ok()
        refused = project.up()
        assert refused.code != 0
        assert CONFLICT in refused.text
    finally:
        project.run("destroy", "--yes", "--skip-preview", "--stack=dev")
