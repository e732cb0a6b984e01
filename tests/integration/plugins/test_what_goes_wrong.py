"""Errors of a program and of the API server reach the person whole, once, and without a Python traceback."""

import signal
import time
from collections.abc import Iterator

import pytest

from sandbox.cluster import ApiError, Rest
from tests.integration.plugins.conftest import Make
from tests.integration.plugins.project import Project, Said

pytestmark = pytest.mark.toolchain

BAD_OBJECTS = """\
    import pulumi
    import pulumi_kubernetes as k8s

    def anything(name, version, kind):
        k8s.apiextensions.CustomResource(
            name, api_version=version, kind=kind, metadata={"namespace": "default"}, spec={"a": "b"}
        )

    k8s.core.v1.Service(
        "invalid",
        metadata={"namespace": "default"},
        spec={"type": "NodePort", "ports": [{"port": 80}, {"port": 90}]},
    )
    k8s.core.v1.Service(
        "unready",
        metadata={"name": "engine-unready", "namespace": "default",
                  "annotations": {"pulumi.com/timeoutSeconds": "1"}},
        spec={"type": "NodePort", "selector": {"app": "nobody"}, "ports": [{"port": 80}]},
    )
    k8s.core.v1.Namespace("taken", metadata={"name": "default"})
    anything("misplaced", "v1", "ConfigMap")
    anything("unheard", "example.com/v1", "Nothing")
"""


@pytest.fixture(scope="module")
def project(make_project: Make) -> Project:
    return make_project("errors")


@pytest.fixture(scope="module")
def refused(make_project: Make) -> Iterator[tuple[Said, Project]]:
    project = make_project("refused")
    project.write(BAD_OBJECTS)
    yield project.up("--continue-on-error"), project
    project.run("destroy", "--yes", "--skip-preview", "--stack=dev").ok()


def test_every_complaint_of_the_api_server_is_shown(refused: tuple[Said, Project]) -> None:
    said, _ = refused

    assert said.code != 0
    assert "spec.ports[0].name: Required value, spec.ports[1].name: Required value" in said.text


def test_an_object_that_exists_already_is_not_taken_over_silently(refused: tuple[Said, Project]) -> None:
    said, _ = refused

    assert 'namespaces "default" already exists' in said.text
    assert "pulumi import" in said.text


def test_a_field_that_the_kind_does_not_have_is_an_error(refused: tuple[Said, Project]) -> None:
    assert 'unknown field "spec"' in refused[0].text


def test_a_kind_that_the_cluster_does_not_serve_is_named(refused: tuple[Said, Project]) -> None:
    assert 'no matches for kind "Nothing" in version "example.com/v1"' in refused[0].text


def test_a_service_without_pods_fails_when_its_time_is_up_but_is_kept_in_the_state(
    refused: tuple[Said, Project], api: Rest
) -> None:
    said, project = refused

    assert "Service does not target any Pods" in said.text
    assert project.resource("unready")["initErrors"]
    assert api.get("/api/v1/namespaces/default/services/engine-unready")


def test_no_error_of_the_cluster_shows_a_python_traceback(refused: tuple[Said, Project]) -> None:
    assert "Traceback" not in refused[0].text


def test_a_run_error_is_one_line_without_a_traceback(project: Project) -> None:
    project.write("""\
        import pulumi
        raise pulumi.RunError("config nlb:zones is missing: set it")
    """)

    said = project.run("preview", "--stack=dev")

    assert said.code != 0
    assert "error: config nlb:zones is missing: set it" in said.text
    assert "Traceback" not in said.text


def test_an_exception_in_the_program_shows_the_programs_own_frames_once(project: Project) -> None:
    (project.root / "infra" / "parts.py").write_text("def build():\n    raise LookupError('no such zone')\n")
    project.write("""\
        import parts
        print("about to fail")
        parts.build()
    """)

    said = project.run("preview", "--stack=dev")

    assert said.code != 0
    assert said.text.count("LookupError: no such zone") == 1
    assert "in build" in said.text
    assert "about to fail" in said.text
    assert "run_in_stack" not in said.text


def test_the_program_can_import_what_it_could_under_the_official_host_and_no_more(project: Project) -> None:
    (project.root / "infra" / "sibling.py").write_text("VALUE = 1\n")
    project.write("""\
        for attempt in ("import sibling", "from .sibling import VALUE", "import interpreter"):
            try:
                exec(attempt)
                print(attempt, "works")
            except ImportError as error:
                print(attempt, "fails:", error)
    """)

    said = project.run("preview", "--stack=dev").ok()

    assert "import sibling works" in said.text
    assert "VALUE fails: attempted relative import with no known parent package" in said.text
    assert "import interpreter fails: No module named 'interpreter'" in said.text


def test_a_kubeconfig_that_is_not_there_is_named_once_for_a_resource(project: Project) -> None:
    project.write("""\
        import pulumi
        import pulumi_kubernetes as k8s

        provider = k8s.Provider("elsewhere", kubeconfig="/nowhere/kubeconfig")
        k8s.core.v1.Namespace("n", opts=pulumi.ResourceOptions(provider=provider))
    """)

    said = project.run("preview", "--stack=dev")

    assert "no kubeconfig at /nowhere/kubeconfig: set KUBECONFIG or kubernetes:kubeconfig" in said.text


def test_an_interrupted_wait_ends_at_once_and_what_was_made_is_known(make_project: Make, api: Rest) -> None:
    project = make_project("interrupted")
    project.write("""\
        import pulumi_kubernetes as k8s

        k8s.core.v1.Service(
            "waiting",
            metadata={"name": "engine-waiting", "namespace": "default"},
            spec={"selector": {"app": "nobody"}, "ports": [{"port": 80}]},
        )
    """)
    running = project.start("up", "--yes", "--skip-preview", "--stack=dev")
    while not _there(api, "/api/v1/namespaces/default/services/engine-waiting"):
        assert running.poll() is None
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    text, _ = running.communicate(timeout=20)
    made = project.resource("waiting")
    project.run("destroy", "--yes", "--skip-preview", "--stack=dev").ok()

    assert running.returncode != 0
    assert "was cancelled" in text
    assert made["id"] == "default/engine-waiting"


def _there(api: Rest, path: str) -> bool:
    try:
        api.get(path)
    except ApiError:
        return False
    return True
