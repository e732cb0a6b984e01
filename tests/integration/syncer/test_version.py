"""The version is what a running syncer reports of itself, and what AWS and the API server see."""

import pytest
from kubernetes.client.configuration import Configuration

from syncer.cluster.api import Api
from syncer.version import VERSION
from tests.control import control
from tests.integration.syncer.faulty import FaultyServer
from tests.integration.syncer.household import Household

pytestmark = pytest.mark.toolchain

PRODUCT = f"node-nlb-sync/{VERSION}"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"


def test_a_running_syncer_reports_its_version_also_to_aws(home: Household) -> None:
    control(home.layout.aws_url, "DELETE", "calls")
    home.join("a")
    syncer = home.syncer(NLB_SYNC_NAMESPACE="default", NLB_SYNC_NAME=home.service)
    home.until(lambda: home.filled_with("a"), within=15)
    assert syncer.metric(f'nlb_sync_build_info{{version="{VERSION}"}}') == 1
    assert syncer.status["version"] == VERSION
    seen = control(home.layout.aws_url, "GET", "user-agents")["user_agents"]
    assert [each.split()[-1] for each in seen if "node-nlb-sync" in each] == [PRODUCT]


def test_the_field_manager_of_what_is_written_has_no_version(home: Household) -> None:
    home.syncer(NLB_SYNC_NAMESPACE="default", NLB_SYNC_NAME=home.service)
    lease = f"{LEASES}/{home.service}"
    home.until(lambda: bool(home.api.get(lease)["spec"].get("holderIdentity")), within=15)
    assert {each["manager"] for each in home.api.get(lease)["metadata"]["managedFields"]} == {"node-nlb-sync"}


def test_the_api_server_sees_the_version() -> None:
    with FaultyServer() as server:
        configuration = Configuration()
        configuration.host = server.url
        Api(configuration).get("/api/v1/nodes", {})
        assert [each.user_agent for each in server.requests] == [PRODUCT]
