"""The README's way with the image: `make image`, `make up`, traffic; the Pods run from the image."""

import json
from collections.abc import Iterator

import pytest

from sandbox.cluster import Rest
from tests.e2e.driver import Sandbox, traffic
from tests.integration.image.conftest import NAME, image, no_docker
from tests.waiting import eventually

__all__ = ["image"]

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def contained(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox of its own, whose syncer runs from the image."""
    directory = tmp_path_factory.mktemp("image") / "sandbox"
    found = Sandbox(directory, {**no_docker(), "SANDBOX_DIR": str(directory), "SANDBOX_IMAGE": image})
    try:
        found.said["up"] = found.make("up")
        yield found
    finally:
        found.sandbox("down", "--force", timeout=550)
    assert not list(directory.glob("images"))


def test_the_syncer_fills_the_groups_from_its_image_with_the_role_of_its_pods(contained: Sandbox) -> None:
    assert f"syncer's Pods · containers of {NAME}, by runc" in contained.said["up"]
    status = json.loads(contained.sandbox("status", "--json"))
    assert (status["syncer"]["runtime"], status["syncer"]["image"]) == ("runc", NAME)
    assert all(group["healthy"] == group["total"] > 0 for group in status["targetGroups"])
    pods = Rest(contained.layout).get("/api/v1/pods")["items"]
    listed = [each for pod in pods for each in pod["status"].get("containerStatuses", [])]
    started = [each["containerID"] for each in listed if each["name"] == "nlb-sync"]
    assert len(started) == 2
    assert all(each.startswith("runc://") for each in started)
    asked = json.loads(contained.sandbox("ask", "doctor", "--json"))
    (credentials,) = [each["says"] for each in asked["checks"] if each["check"] == "credentials"]
    assert "from container-role" in credentials  # EKS Pod Identity


def test_a_node_joins_and_leaves_and_no_connection_fails(contained: Sandbox) -> None:
    with traffic(contained) as record:
        (new,) = contained.sandbox("node", "add").split()
        eventually(lambda: set(contained.states(new).values()) == {"healthy"}, within=120)
        contained.sandbox("node", "drain", new)
        eventually(lambda: not contained.states(new), within=120)
    assert record.failures == []
    assert record.requests
