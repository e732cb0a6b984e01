"""`compare` beside a TargetGroupBinding in a real API server, and the takeover of its group."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.syncer.household import Household
from tests.integration.syncer.questions import Ask, fill

pytestmark = pytest.mark.toolchain

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_BINDINGS = "/apis/elbv2.k8s.aws/v1beta1/namespaces/default/targetgroupbindings"


@pytest.fixture
def kind(home: Household) -> Iterator[Household]:
    """The kind TargetGroupBinding, as the AWS Load Balancer Controller defines it."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1beta1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    names = {
        "plural": "targetgroupbindings",
        "singular": "targetgroupbinding",
        "kind": "TargetGroupBinding",
    }
    spec = {"group": "elbv2.k8s.aws", "scope": "Namespaced", "names": names, "versions": [version]}
    home.api.create(_CRDS, {"metadata": {"name": "targetgroupbindings.elbv2.k8s.aws"}, "spec": spec})
    home.until(lambda: _served(home), within=20)
    yield home
    home.api.delete(f"{_CRDS}/targetgroupbindings.elbv2.k8s.aws")


def _served(home: Household) -> bool:
    try:
        home.api.get(_BINDINGS)
    except Exception:  # noqa: BLE001 - any answer but a list
        return False
    return True


def bind(home: Household, **spec: Any) -> None:
    home.api.create(
        _BINDINGS,
        {
            "apiVersion": "elbv2.k8s.aws/v1beta1",
            "kind": "TargetGroupBinding",
            "metadata": {"name": "web"},
            "spec": {
                "targetGroupARN": home.groups["http"],
                "targetType": "instance",
                "serviceRef": {"name": home.service, "port": "http"},
                **spec,
            },
        },
    )


def test_a_binding_that_the_syncer_would_keep_as_it_is_shows_no_difference(kind: Household, ask: Ask) -> None:
    fill(kind, "a", "b")
    bind(kind)
    answer = ask("compare", "--json", "--binding", "default/web", NLB_SYNC_OWNERSHIP="exclusive")
    assert answer[0] == 0, answer
    compared = json.loads(answer[1])
    assert (compared["fields"], compared["nodes"]) == ([], [])
    assert compared["target_group"] == kind.groups["http"]
    code, out, _ = ask("compare", "--binding", "web", NLB_SYNC_OWNERSHIP="exclusive")
    assert code == 0
    assert out.splitlines()[-1] == "no node differs: the syncer would change no target"


def test_a_node_and_a_field_that_differ_are_shown(kind: Household, ask: Ask) -> None:
    fill(kind, "a")
    kind.join("b")
    bind(kind, nodeSelector={"matchLabels": {"pool": "web"}})
    code, out, _ = ask("compare", "--json", "--binding", "web", NLB_SYNC_OWNERSHIP="exclusive")
    compared = json.loads(out)
    assert code == 0
    assert [each["field"] for each in compared["fields"]] == ["nodeSelector"]
    assert [(each["node"], each["next"], each["state"]) for each in compared["nodes"]] == [
        ("b", "register", "absent")
    ]


@pytest.mark.usefixtures("kind")
def test_a_missing_binding_is_one_line_and_exit_code_3(ask: Ask) -> None:
    code, out, err = ask("compare", "--binding", "default/none")
    assert (code, out) == (3, "")
    assert "TargetGroupBinding default/none does not exist" in err


def test_a_group_goes_over_and_back_and_no_target_leaves(kind: Household) -> None:
    """As on docs/from-lbc.md: the controller is stopped, its binding is deleted, and the syncer begins."""
    fill(kind, "a", "b")
    bind(kind)
    kind.api.delete(f"{_BINDINGS}/web")
    before = {name: kind.registered(name) for name in kind.groups}
    syncer = kind.syncer(NLB_SYNC_OWNERSHIP="exclusive")
    kind.until(lambda: syncer.ready, within=20)
    assert {name: kind.registered(name) for name in kind.groups} == before
    kind.join("c")
    kind.until(lambda: kind.filled_with("a", "b", "c"), within=20)
    assert syncer.stop() == 0
    assert kind.filled_with("a", "b", "c")
