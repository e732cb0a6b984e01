"""A namespace that the stack was told to make, and then no longer."""

from collections.abc import Iterator

import pytest

from sandbox.cluster import Rest
from sandbox.cluster.rest import ApiError
from sandbox.layout import Layout
from tests.integration.infra.conftest import DevStack
from tests.waiting import eventually

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(900)]

PLACE = "/api/v1/namespaces/ingress-traefik"


def gone(api: Rest) -> None:
    try:
        api.delete(PLACE)
    except ApiError:
        return

    def missing() -> bool:
        try:
            api.get(PLACE)
        except ApiError:
            return True
        return False

    eventually(missing, within=60)


@pytest.fixture(scope="module")
def up(stack: DevStack, control_plane: Layout) -> Iterator[DevStack]:
    """Stack dev with all its objects; afterwards nothing of it is left, the namespace included."""
    stack.up().ok()
    yield stack
    stack.destroy().ok()
    gone(Rest(control_plane))


def test_a_namespace_is_never_deleted_and_is_taken_again(up: DevStack, control_plane: Layout) -> None:
    api = Rest(control_plane)
    uid = api.get(PLACE)["metadata"]["uid"]
    api.create(f"{PLACE}/configmaps", {"metadata": {"name": "foreign"}, "data": {"a": "b"}})
    ingress = up.configure(ingress=None)["ingress"]
    up.configure(ingress={**ingress, "createNamespace": False})
    up.up().ok()
    assert api.get(PLACE)["metadata"]["uid"] == uid
    up.configure(ingress=ingress)
    up.up().ok()
    destroyed = up.destroy().ok()
    assert "node-nlb-namespace-kept" in destroyed.text
    assert api.get(f"{PLACE}/configmaps/foreign")["data"] == {"a": "b"}
    up.up().ok()
    assert api.get(PLACE)["metadata"]["uid"] == uid
