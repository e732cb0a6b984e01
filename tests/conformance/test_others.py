"""The peers as they are restated here answer their own tests as they do."""

import pytest

from tests.conformance.documents import Json, node, not_ready, taint, tainted
from tests.conformance.others import CCM, LBC, StoppedError

EXCLUDED: Json = {"labels": {"node.kubernetes.io/exclude-from-external-load-balancers": ""}}
INCLUDED: Json = {"labels": {"node.kubernetes.io/exclude-from-external-load-balancers": "false"}}
LEAVING: Json = {"spec": tainted("ToBeDeletedByClusterAutoscaler")}
DELETED: Json = {"metadata": {"deletionTimestamp": "2099-01-01T00:00:00Z"}}


@pytest.mark.parametrize(
    ("before", "after", "notices"),
    [
        (node(), node(), False),
        (node(), node(**EXCLUDED), True),
        (node(**EXCLUDED), node(), True),
        (node(**EXCLUDED), node(**EXCLUDED), False),
        (node(), node(**INCLUDED), False),
        (node(), node(spec=tainted("other")), False),
        (node(), node(**LEAVING), False),
        (node(), node(labels={"other": ""}), False),
        (node(), node(status=not_ready()), False),
        (node(), node(**DELETED), False),
        (node(spec={"providerID": ""}), node(), True),
        (node(), node("b"), True),
        (node(**LEAVING), node(**LEAVING, **EXCLUDED), True),
        (None, node(), True),
        (node(), None, True),
    ],
)
def test_the_cloud_provider_syncs_on_few_changes(
    before: Json | None, after: Json | None, *, notices: bool
) -> None:
    assert CCM.notices(before, after, "") is notices


@pytest.mark.parametrize(
    ("before", "after", "notices"),
    [
        *((node(), node(status=not_ready(status)), True) for status in ("False", "Unknown")),
        (node(status=not_ready("False")), node(status=not_ready("Unknown")), True),
        (node(), node(), False),
        (node(**LEAVING), node(**LEAVING, status=not_ready()), False),
        (node(**LEAVING), node(), True),
        (node(**LEAVING, status=not_ready()), node(status=not_ready()), False),
        (node(), node(**LEAVING), True),
        (node(status=not_ready()), node(**LEAVING, status=not_ready()), False),
    ],
)
def test_the_load_balancer_controller_looks_at_readiness_and_suitability(
    before: Json, after: Json, *, notices: bool
) -> None:
    assert LBC.notices(before, after, "") is notices


@pytest.mark.parametrize(
    ("one", "ccm", "lbc"),
    [
        (node(), True, True),
        (node(status=not_ready()), True, False),
        (node(**EXCLUDED), False, False),
        (node(**INCLUDED), True, False),
        (node(**LEAVING), False, False),
        (node(**DELETED), False, True),
        (node(spec=tainted(taint("karpenter.sh/disrupted"))), True, False),
        (node(spec=tainted(taint("karpenter.sh/disrupted", effect="NoExecute"))), True, True),
        (node(spec={"unschedulable": True}), True, True),
    ],
)
def test_both_take_the_nodes_that_they_take(one: Json, *, ccm: bool, lbc: bool) -> None:
    assert (CCM.takes(one, ""), LBC.takes(one, "")) == (ccm, lbc)


def test_one_node_without_an_instance_stops_the_load_balancer_controller() -> None:
    with pytest.raises(StoppedError):
        LBC.takes(node(spec={"providerID": ""}), "")
