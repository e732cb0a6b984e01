"""TargetGroupBindings of the AWS Load Balancer Controller, beside the syncer's settings."""

from typing import Any

import pytest

from syncer.decide.binding import Binding, differences, read_binding
from syncer.decide.policy import Ownership
from syncer.decide.selector import Selector

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/http/0123456789abcdef"


def document(**spec: Any) -> dict[str, Any]:
    reference = {"name": "traefik", "port": "http"}
    return {
        "metadata": {"namespace": "ingress", "name": "web"},
        "spec": {"targetGroupARN": ARN, "serviceRef": reference, **spec},
    }


def fields(binding: Binding, **here: Any) -> list[str]:
    settings = {"source": "ingress/traefik:http", "selector": "", "ownership": Ownership.EXCLUSIVE, **here}
    return [each.field for each in differences(binding, **settings)]


def test_a_binding_with_the_same_settings_has_no_difference() -> None:
    binding = read_binding(document())
    assert binding == Binding(
        name="ingress/web",
        target_group=ARN,
        target_type="instance",
        service="ingress/traefik",
        port="http",
    )
    assert fields(binding) == []


@pytest.mark.parametrize(
    ("spec", "here", "field"),
    [
        ({"targetType": "ip"}, {}, "targetType"),
        ({"serviceRef": {"name": "traefik", "port": 443}}, {}, "serviceRef"),
        ({}, {"source": "port 30080"}, "serviceRef"),
        ({"nodeSelector": {"matchLabels": {"role": "web"}}}, {}, "nodeSelector"),
        ({}, {"selector": "role=web"}, "nodeSelector"),
        ({"networking": {"ingress": []}}, {}, "networking"),
        ({"multiClusterTargetGroup": True}, {}, "multiClusterTargetGroup"),
        ({}, {"ownership": Ownership.TRACKED}, "multiClusterTargetGroup"),
    ],
)
def test_each_different_field_is_found(spec: dict[str, Any], here: dict[str, Any], field: str) -> None:
    assert fields(read_binding(document(**spec)), **here) == [field]


def test_a_label_selector_is_written_in_the_grammar_of_the_syncer() -> None:
    expressions = [
        {"key": "zone", "operator": "In", "values": ["a", "b"]},
        {"key": "spot", "operator": "DoesNotExist"},
        {"key": "pool", "operator": "Exists"},
        {"key": "arch", "operator": "NotIn", "values": ["arm64"]},
    ]
    selector = {"matchLabels": {"role": "web"}, "matchExpressions": expressions}
    text = read_binding(document(nodeSelector=selector)).selector
    assert text == "role=web,zone in (a,b),!spot,pool,arch notin (arm64)"
    parsed = Selector.parse(text)
    assert parsed.matches({"role": "web", "zone": "a", "pool": "1"})
    assert not parsed.matches({"role": "web", "zone": "a", "pool": "1", "spot": ""})


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({}, "metadata"),
        ({"metadata": {"name": "a", "namespace": "b"}}, "spec"),
        (document(serviceRef=None), "spec.serviceRef"),
        (document(serviceRef={"name": "a"}), "spec.serviceRef.port"),
        (document(targetGroupARN=7), "spec.targetGroupARN"),
        (document(nodeSelector=[]), "spec.nodeSelector"),
        (document(nodeSelector={"matchExpressions": [{"key": "a", "operator": "Gt"}]}), "operator"),
    ],
)
def test_a_malformed_binding_is_refused_by_its_field(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        read_binding(wrong)
