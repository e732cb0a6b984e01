"""Kinds of listeners and of health checks with traffic; tests/changes has the other edits."""

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from sandbox.cluster.rest import Rest
from sandbox.loopback import UDP, Address, Loopback
from sandbox.nodes.lifecycle import fail_pings
from sandbox.stack import outputs
from tests.e2e.driver import Sandbox, traffic
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(1200)


def listeners(*rows: tuple[str, int, str]) -> list[dict[str, Any]]:
    return [{"name": name, "port": port, "servicePort": service} for name, port, service in rows]


def expect_no_traffic_on_a_node_without_a_ready_pod(sandbox: Sandbox) -> None:
    """The Service has the policy Local: a node whose ingress controller is not ready gets no connection."""
    (service,) = [
        each
        for each in Rest(sandbox.layout).get("/api/v1/services")["items"]
        if each["spec"].get("healthCheckNodePort")
    ]
    spec = service["spec"]
    assert (spec["type"], spec["externalTrafficPolicy"]) == ("LoadBalancer", "Local")
    checked = sandbox.aws("elbv2").describe_target_groups()["TargetGroups"]
    assert {each["HealthCheckPort"] for each in checked} == {str(spec["healthCheckNodePort"])}
    fail_pings(sandbox.layout, "node-4")
    eventually(lambda: set(sandbox.states("node-4").values()) == {"unhealthy"}, within=60)
    with traffic(sandbox) as record:
        time.sleep(3)
    assert record.requests
    assert record.failures == []
    assert "node-4" not in {request.served_by for request in record.requests}
    fail_pings(sandbox.layout, "node-4", failing=False)
    eventually(lambda: set(sandbox.states("node-4").values()) == {"healthy"}, within=60)


def test_a_node_without_a_ready_pod_gets_no_traffic_while_the_policy_is_local(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    with traffic(sandbox) as record:
        sandbox.reconfigure(file, healthCheck={"port": "local"})
    assert record.requests
    assert record.failures == []
    eventually(lambda: all(group.healthy == len(group.targets) > 0 for group in sandbox.groups()), within=60)
    expect_no_traffic_on_a_node_without_a_ready_pod(sandbox)
    sandbox.reconfigure(file)


def test_datagrams_reach_the_nodes_through_listeners_of_udp(sandbox: Sandbox, tmp_path: Path) -> None:
    ports = [
        {"name": "http", "port": 80},
        {"name": "https", "port": 443},
        {"name": "quic", "port": 8443, "protocol": "UDP"},
        {"name": "dns", "port": 53, "protocol": "TCP_UDP", "nodePort": 30053},
    ]
    rows = [
        *listeners(("http", 80, "http"), ("https", 443, "https")),
        {"name": "quic", "port": 8443, "servicePort": "quic", "protocol": "UDP", "stickiness": True},
        {"name": "dns", "port": 5353, "servicePort": "dns", "protocol": "TCP_UDP"},
    ]
    file = tmp_path / "Pulumi.dev.yaml"
    with traffic(sandbox) as record:
        sandbox.reconfigure(file, ingress={"createNamespace": True, "ports": ports}, listeners=rows)
    assert record.requests
    assert record.failures == []
    eventually(lambda: all(group.healthy == len(group.targets) > 0 for group in sandbox.groups()), within=60)
    loopback = Loopback.of(sandbox.layout)
    for ip in outputs(sandbox.layout)["staticIps"].values():
        for port in (8443, 5353):
            answers = {datagram(loopback.place(ip, port, UDP), f"{number}") for number in range(20)}
            assert {answer.partition(" ")[2] for answer in answers} == {f"{number}" for number in range(20)}
            assert len({answer.partition(" ")[0] for answer in answers}) > 1
        assert "200" in get(loopback.place(ip, 5353))
    sandbox.reconfigure(file)


def datagram(place: Address, text: str) -> str:
    """The answer to a datagram of a new client."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(text.encode(), place)
        return client.recv(1000).decode()


def get(place: Address) -> str:
    """The status line of a request on a new connection."""
    with socket.create_connection(place, timeout=5) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return client.recv(1000).decode().partition("\r\n")[0]
