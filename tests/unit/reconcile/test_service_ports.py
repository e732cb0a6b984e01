"""Which port of a Service a group follows: by number, by name, or the only one."""

from typing import Any

import pytest

from syncer.config.settings import ServicePort, load
from syncer.decide.service_ports import by_label, live_ports, node_port_of
from syncer.errors import MisconfiguredError
from tests.simulation.world import HTTP


def service(*ports: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "web"}, "spec": {"ports": list(ports)}}


NAMELESS = service({"port": 80, "nodePort": 30080})
TWO = service(
    {"name": "http", "port": 80, "nodePort": 30080, "protocol": "TCP"},
    {"name": "https", "port": 443, "nodePort": 30443},
)
QUIC = service(
    {"name": "quic", "port": 443, "nodePort": 30999, "protocol": "UDP"},
    {"name": "https", "port": 443, "nodePort": 30443, "protocol": "TCP"},
)
CLUSTER_IP = service({"name": "http", "port": 80}, {"name": "admin", "port": 9000, "nodePort": 0})
# A Service port's name is any DNS label, digits too (k8s.io/kubernetes/pkg/apis/core/validation).
DIGITS = service(
    {"name": "443", "port": 80, "nodePort": 30080}, {"name": "tls", "port": 443, "nodePort": 30443}
)


@pytest.mark.parametrize(
    ("item", "port", "found"),
    [
        (NAMELESS, "80", 30080),
        (NAMELESS, "", 30080),
        (NAMELESS, "81", None),
        (NAMELESS, "http", None),
        (TWO, "http", 30080),
        (TWO, "443", 30443),
        (TWO, "30443", None),
        (TWO, "", None),
        (QUIC, "443", 30443),
        (QUIC, "quic", 30999),
        (QUIC, "", 30443),
        (CLUSTER_IP, "80", None),
        (CLUSTER_IP, "admin", None),
        (DIGITS, "443", 30443),
        (DIGITS, "80", 30080),
        (service({"name": "8080", "port": 80, "nodePort": 30080}), "8080", 30080),
        ({}, "80", None),
        ({"spec": None}, "", None),
        (service({"port": "80", "nodePort": "30080"}), "80", None),
        ({"spec": {"ports": [7, None]}}, "", None),
    ],
)
def test_b7_a_port_is_found_by_its_number_or_its_name_or_as_the_only_one(
    item: dict[str, Any], port: str, found: int | None
) -> None:
    assert node_port_of(live_ports(item), port) == found


@pytest.mark.parametrize(
    ("text", "port"), [(":80", "80"), (":080", "80"), ("", ""), (":http", "http"), (":9p", "9p")]
)
def test_b7_a_group_names_the_port_as_it_likes(text: str, port: str) -> None:
    (group,) = load({"NLB_SYNC_TARGET_GROUPS": f"{HTTP}=edge/web{text}"}).groups
    assert group.port == ServicePort("edge/web", port)


@pytest.mark.parametrize(
    "text", [":", ":0", ":65536", ":99999999999999999999", ":\uff18\uff10", ":HTTP", ": 80"]
)
def test_b7_a_port_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(MisconfiguredError, match=r"^NLB_SYNC_TARGET_GROUPS is "):
        load({"NLB_SYNC_TARGET_GROUPS": f"{HTTP}=edge/web{text}"})


@pytest.mark.parametrize(
    ("port", "item", "says"),
    [
        (
            "81",
            TWO,
            "has no NodePort for port 81; its TCP ports: http 80 (NodePort 3",
        ),
        (
            "ftp",
            NAMELESS,
            "has no NodePort named ftp; its TCP ports: 80 (NodePort 3",
        ),
        ("80", CLUSTER_IP, "its TCP ports: http 80 (NodePort none), admin 9000 (NodePort none)"),
        (
            "",
            TWO,
            "has 2 TCP ports; its TCP ports: http 80 (NodePo",
        ),
        ("80", {}, "the Service is missing, or has no TCP port"),
    ],
)
def test_b7_a_port_that_is_not_there_is_told_with_those_that_are(
    port: str, item: dict[str, Any], says: str
) -> None:
    said = ServicePort("edge/web", port).missing(by_label(live_ports(item)))
    assert said.startswith("the Service edge/web has ")
    assert says in said


def test_a_health_check_node_port_is_a_live_port_that_no_group_follows() -> None:
    made = service({"name": "http", "port": 80, "nodePort": 30080})
    made["spec"]["healthCheckNodePort"] = 32001
    ports = live_ports(made)
    assert by_label(ports) == {"http 80": 30080, "healthCheckNodePort": 32001}
    assert node_port_of(ports, "") == 30080
    assert node_port_of(ports, "healthCheckNodePort") is None
    text = ServicePort("ns/web", "grpc").missing(by_label(ports))
    assert "http 80 (NodePort 30080)" in text
    assert "32001" not in text
