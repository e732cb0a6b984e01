"""What a NodePort leads to is what the ingress controller behind the Service has there."""

from typing import Any

import pytest

from sandbox.nodes.ingress import PING_ANNOTATION, ROUTED_HOST, entry_points

# As `helm template traefik traefik/traefik` gives it; the chart exposes `web` and `websecure` only.
CHART = [
    {"name": "web", "port": 80, "targetPort": "web"},
    {"name": "websecure", "port": 443, "targetPort": "websecure"},
]
EXPOSED = [
    *CHART,
    {"name": "traefik", "port": 8080, "targetPort": "traefik"},
    {"name": "metrics", "port": 9100, "targetPort": "metrics"},
]
PREDECESSOR = [
    {"name": "http", "port": 80, "targetPort": 80},
    {"name": "https", "port": 443, "targetPort": 443},
]


def service(ports: list[dict[str, Any]], **annotations: str) -> dict[str, Any]:
    numbered = [{**port, "nodePort": 30000 + number} for number, port in enumerate(ports)]
    return {"metadata": {"annotations": annotations}, "spec": {"ports": numbered}}


def codes(made: dict[str, Any], path: str, host: str = "198.51.100.7") -> list[int]:
    """The answer on each port of the Service, in its order."""
    found = entry_points([made])
    return [found[port].answer(path, host, ready=True, served="served")[0] for port in sorted(found)]


def test_c4_only_the_traefik_entry_point_of_the_chart_answers_ping() -> None:
    assert codes(service(CHART), "/ping") == [404, 404]
    assert codes(service(EXPOSED), "/ping") == [404, 404, 200, 404]


@pytest.mark.parametrize("number", [8080, 9000])
def test_c4_a_target_port_may_be_the_number_of_the_charts(number: int) -> None:
    numbers: list[dict[str, Any]] = [
        {"name": "a", "port": 80, "targetPort": 8000},
        {"port": 81, "targetPort": number},
    ]
    assert codes(service(numbers), "/ping") == [404, 200]
    assert codes(service([{"name": "http", "port": 80, "targetPort": 8000}]), "/ping") == [404]


def test_c4_the_chart_has_a_route_for_one_host_and_404_for_others() -> None:
    for path in ("/", "/any", "/metrics"):
        assert codes(service(CHART), path) == [404, 404]
    assert codes(service(EXPOSED), "/", ROUTED_HOST) == [200, 200, 404, 404]
    assert codes(service(EXPOSED), "/", f"{ROUTED_HOST}:8443") == [200, 200, 404, 404]
    assert codes(service(EXPOSED), "/metrics") == [404, 404, 404, 200]


def test_c4_the_predecessors_http_answers_ping_and_every_host() -> None:
    assert codes(service(PREDECESSOR), "/ping") == [200, 404]
    assert codes(service(PREDECESSOR), "/") == [200, 200]


def test_c4_an_ingress_that_is_not_ready_answers_ping_alone_with_503() -> None:
    found = entry_points([service(PREDECESSOR)])[30000]
    answers = [found.answer(path, "", ready=False, served="served") for path in ("/ping", "/")]
    assert [code for code, _ in answers] == [503, 200]


@pytest.mark.parametrize(
    ("chosen", "expected"), [("web", [200, 404, 404, 404]), ("nothing", [404, 404, 404, 404])]
)
def test_c4_another_entry_point_can_be_chosen_for_ping(chosen: str, expected: list[int]) -> None:
    assert codes(service(EXPOSED, **{PING_ANNOTATION: chosen}), "/ping") == expected


def test_c4_a_port_of_something_else_answers_no_ping() -> None:
    assert codes(service([{"name": "grpc", "port": 50051}]), "/ping") == [404]
    assert codes(service([{"name": "grpc", "port": 50051}]), "/") == [200]


def test_nodeports_speak_tls_by_name_or_number() -> None:
    ports = [
        {"name": "http", "port": 80, "nodePort": 30080},
        {"name": "https-alt", "port": 8443, "nodePort": 30001},
        {"port": 443, "nodePort": 30443},
        {"name": "websecure", "port": 444, "targetPort": "websecure", "nodePort": 30444},
        {"name": "dns", "port": 53, "nodePort": 30053, "protocol": "UDP"},
        {"name": "inner", "port": 9000},
    ]

    found = entry_points([{"spec": {"ports": ports}}])

    assert {port: entry.tls for port, entry in found.items()} == {
        30080: False,
        30001: True,
        30443: True,
        30444: True,
    }
