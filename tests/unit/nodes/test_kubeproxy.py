"""The checks that kube-proxy answers: the node's own, and that of a Service with local endpoints alone."""

import json
from typing import Any

import pytest

from sandbox.nodes.ingress import entry_points
from sandbox.nodes.kubeproxy import checks, is_leaving

LOCAL: dict[str, Any] = {
    "metadata": {"namespace": "web", "name": "ingress"},
    "spec": {
        "type": "LoadBalancer",
        "externalTrafficPolicy": "Local",
        "healthCheckNodePort": 32001,
        "ports": [{"name": "http", "port": 80, "nodePort": 30080}],
    },
}


@pytest.mark.parametrize(("ready", "code"), [(True, 200), (False, 503)])
def test_the_check_of_a_service_passes_where_an_endpoint_is_ready(ready: bool, code: int) -> None:
    answer = checks([LOCAL])[32001].answer("/any", "", ready=ready, served="")
    assert answer[0] == code
    body = json.loads(answer[1])
    assert body["service"] == {"namespace": "web", "name": "ingress"}
    assert body["localEndpoints"] == int(ready)


def test_a_service_for_all_nodes_has_no_check() -> None:
    plain = {"spec": {"type": "NodePort", "ports": LOCAL["spec"]["ports"]}}
    assert set(checks([plain])) == {10256}
    assert not entry_points([plain])[30080].local
    assert entry_points([LOCAL])[30080].local


@pytest.mark.parametrize(("leaving", "code"), [(False, 200), (True, 503)])
def test_the_check_of_a_node_fails_while_it_leaves(leaving: bool, code: int) -> None:
    server = checks([])[10256]
    assert server.answer("/healthz", "", ready=False, served="", leaving=leaving)[0] == code
    assert server.answer("/ping", "", ready=True, served="", leaving=leaving)[0] == 404


def test_a_node_leaves_when_it_is_deleted_or_the_autoscaler_deletes_it() -> None:
    assert not is_leaving({"metadata": {"name": "a"}, "spec": {"taints": [{"key": "dedicated"}]}})
    assert is_leaving({"metadata": {"name": "a", "deletionTimestamp": "now"}})
    taint = {"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule"}
    assert is_leaving({"metadata": {"name": "a"}, "spec": {"taints": [taint]}})
