"""Single objects over real HTTP: what a refusal means, and when it is not believed."""

from collections.abc import Iterator

import pytest
from kubernetes.client.configuration import Configuration

from syncer.cluster.api import Api, RefusedError
from syncer.errors import ClusterError
from tests.integration.syncer.faulty import FaultyServer, a_refusal, hang_up

LEASE = "/apis/coordination.k8s.io/v1/namespaces/default/leases/nlb-sync"


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as running:
        yield running


@pytest.fixture
def api(server: FaultyServer) -> Api:
    configuration = Configuration(host=server.url)
    configuration.retries = False
    return Api(configuration)


def test_a_right_that_is_missing_is_believed_at_once(server: FaultyServer, api: Api) -> None:
    server.sick["leases"] = a_refusal(403)
    with pytest.raises(RefusedError, match="refused with 403"):
        api.small("GET", LEASE)


def test_a_server_that_has_just_started_is_not_believed_that_a_right_is_missing(
    server: FaultyServer, api: Api
) -> None:
    server.sick["leases"] = hang_up
    with pytest.raises(ClusterError):
        api.small("GET", LEASE)
    server.sick["leases"] = a_refusal(403)
    with pytest.raises(ClusterError, match="refused with 403") as refused:
        api.small("GET", LEASE)
    assert not isinstance(refused.value, RefusedError)
    server.sick["leases"] = a_refusal(409)
    with pytest.raises(RefusedError):
        api.small("GET", LEASE)
