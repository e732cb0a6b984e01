"""Node machines answer the cluster's NodePorts, heartbeat, and leave as the tools make them leave."""

import errno
import http.client
import socket
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import pytest

from sandbox import process
from sandbox.cloud.network import ZONES
from sandbox.cluster import ApiError, Rest
from sandbox.errors import SandboxError
from sandbox.layout import Layout
from sandbox.loopback import Loopback
from sandbox.nodes import lifecycle
from sandbox.nodes.lifecycle import NodeState
from sandbox.nodes.node import EXCLUDE_LABEL, Kind
from sandbox.nodes.status import is_ready

from .processes import eventually, start

pytestmark = pytest.mark.toolchain

SERVICES = "/api/v1/namespaces/default/services"


@dataclass(frozen=True)
class NodePorts:
    http: int
    https: int


@pytest.fixture(scope="module")
def ports(machines: Layout) -> Iterator[NodePorts]:
    made = Rest(machines).create(
        SERVICES,
        {
            "metadata": {"name": "ingress"},
            "spec": {
                "type": "NodePort",
                "ports": [{"name": "http", "port": 80}, {"name": "https", "port": 443}],
            },
        },
    )
    http_port, https_port = (port["nodePort"] for port in made["spec"]["ports"])
    yield NodePorts(http_port, https_port)
    Rest(machines).delete(f"{SERVICES}/ingress")


def node(layout: Layout, name: str) -> NodeState:
    return next(node for node in lifecycle.list_nodes(layout) if node.name == name)


def connect(layout: Layout, ip: str, port: int, *, tls: bool = False) -> http.client.HTTPConnection:
    place = Loopback.of(layout).place(ip, port)
    if not tls:
        return http.client.HTTPConnection(*place, timeout=1)
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(*place, timeout=1, context=trusting)


def get(layout: Layout, ip: str, port: int, path: str = "/", *, tls: bool = False) -> tuple[int, str]:
    connection = connect(layout, ip, port, tls=tls)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def refuses(layout: Layout, ip: str, port: int) -> bool:
    with socket.socket() as near_end:
        return near_end.connect_ex(Loopback.of(layout).place(ip, port)) == errno.ECONNREFUSED


def object_of(layout: Layout, name: str) -> dict[str, object] | None:
    try:
        return Rest(layout).get(f"/api/v1/nodes/{name}")
    except ApiError:
        return None


def test_every_node_answers_ping_and_says_who_it_is_on_the_http_nodeport(
    machines: Layout, ports: NodePorts
) -> None:
    for name in ("node-1", "node-3", "node-5"):
        ip = node(machines, name).ip
        assert eventually(partial(get, machines, ip, ports.http, "/ping")) == (200, "OK")
        status, text = get(machines, ip, ports.http)
        assert status == 200
        assert f"served by {name} in " in text


def test_the_https_nodeport_speaks_tls(machines: Layout, ports: NodePorts) -> None:
    ip = node(machines, "node-3").ip

    status, text = eventually(lambda: get(machines, ip, ports.https, tls=True))

    assert (status, text.split(" in ")[0]) == (200, "served by node-3")


def test_a_connection_is_kept_alive_over_several_requests(machines: Layout, ports: NodePorts) -> None:
    ip = node(machines, "node-3").ip
    eventually(lambda: get(machines, ip, ports.http))
    connection = connect(machines, ip, ports.http)
    connection.request("POST", "/", body=b"ignored")
    connection.getresponse().read()
    near_end = connection.sock.getsockname()
    connection.request("GET", "/ping")
    text = connection.getresponse().read()

    assert text == b"OK"
    assert connection.sock.getsockname() == near_end
    connection.close()


def test_a_nodeport_of_a_deleted_service_is_closed(machines: Layout) -> None:
    api, ip = Rest(machines), node(machines, "node-4").ip
    body = {"metadata": {"name": "brief"}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}}
    port = api.create(SERVICES, body)["spec"]["ports"][0]["nodePort"]
    eventually(lambda: get(machines, ip, port))

    api.delete(f"{SERVICES}/brief")

    assert eventually(lambda: refuses(machines, ip, port))


def test_n1_a_nodeport_that_another_program_has_on_every_address_is_served_on_another_port(
    machines: Layout,
) -> None:
    api, ip = Rest(machines), node(machines, "node-4").ip
    with held_node_port() as port:
        body = {"type": "NodePort", "ports": [{"port": 80, "nodePort": port}]}
        api.create(SERVICES, {"metadata": {"name": "beside"}, "spec": body})
        try:
            assert eventually(lambda: get(machines, ip, port)[1].startswith("served by node-4"))
            assert Loopback.of(machines).place(ip, port).port != port
        finally:
            api.delete(f"{SERVICES}/beside")


@contextmanager
def held_node_port() -> Iterator[int]:
    """A NodePort on which a program listens on every address."""
    for port in range(32_767, 32_000, -1):
        try:
            held = socket.create_server(("0.0.0.0", port))  # noqa: S104
        except OSError:
            continue
        with held:
            yield port
            return
    pytest.fail("no NodePort is free")


def test_a_node_has_the_status_of_a_real_one(machines: Layout) -> None:
    found = Rest(machines).get("/api/v1/nodes/node-1")
    lease = Rest(machines).get("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-1")

    assert is_ready(found["status"])
    assert found["spec"]["providerID"] == f"aws:///eu-central-1a/{node(machines, 'node-1').instance_id}"
    assert found["metadata"]["labels"]["kops.k8s.io/instancegroup"] == "critical"
    assert {"key": "process", "value": "critical", "effect": "NoSchedule"} in found["spec"]["taints"]
    assert len(found["status"]["images"]) == 50
    assert lease["spec"]["holderIdentity"] == "node-1"


def test_the_control_plane_node_is_excluded_from_load_balancers(machines: Layout) -> None:
    found = Rest(machines).get("/api/v1/nodes/control-plane")

    assert EXCLUDE_LABEL in found["metadata"]["labels"]
    assert "node-role.kubernetes.io/control-plane" in found["metadata"]["labels"]


def test_an_added_node_joins_the_emptiest_zone_and_serves(machines: Layout, ports: NodePorts) -> None:
    nodes = Counter(each.zone for each in lifecycle.list_nodes(machines) if each.kind != Kind.CONTROL_PLANE)
    (name,) = lifecycle.add(machines)
    added = node(machines, name)

    assert nodes[added.zone] == min(nodes[zone] for zone in ZONES)
    assert added.ready
    assert eventually(lambda: get(machines, added.ip, ports.http, "/ping")) == (200, "OK")


def test_a_killed_node_falls_silent_while_ec2_says_running_and_comes_back_when_revived(
    machines: Layout, ports: NodePorts
) -> None:
    (name,) = lifecycle.add(machines, names=["victim"])
    ip = node(machines, name).ip
    eventually(lambda: get(machines, ip, ports.http))

    lifecycle.kill(machines, name)

    with pytest.raises(TimeoutError):
        get(machines, ip, ports.http, "/ping")
    assert (node(machines, name).instance_state, node(machines, name).killed) == ("running", True)

    lifecycle.revive(machines, name)

    assert eventually(lambda: get(machines, ip, ports.http, "/ping")) == (200, "OK")


def test_a_killed_node_stays_killed_when_the_nodes_process_is_restarted(
    machines: Layout, ports: NodePorts
) -> None:
    (name,) = lifecycle.add(machines, names=["restarted"])
    ip = node(machines, name).ip
    lifecycle.kill(machines, name)
    process.stop(machines, "nodes")
    start(machines, "nodes")

    eventually(lambda: get(machines, node(machines, "node-1").ip, ports.http))

    with pytest.raises(TimeoutError):
        get(machines, ip, ports.http, "/ping")
    lifecycle.revive(machines, name)
    assert eventually(lambda: get(machines, ip, ports.http, "/ping")) == (200, "OK")


def test_an_ingress_that_is_not_ready_answers_ping_with_503(machines: Layout, ports: NodePorts) -> None:
    ip = node(machines, "node-4").ip
    eventually(lambda: get(machines, ip, ports.http))

    lifecycle.fail_pings(machines, "node-4")
    failing = get(machines, ip, ports.http, "/ping")[0], get(machines, ip, ports.http, "/")[0]
    lifecycle.fail_pings(machines, "node-4", failing=False)

    assert failing == (503, 200)
    assert get(machines, ip, ports.http, "/ping")[0] == 200


@pytest.mark.parametrize("tool", ["autoscaler", "karpenter", "spot", "eks", "cordon"])
def test_a_drained_node_serves_to_the_end_and_then_is_gone(
    machines: Layout, ports: NodePorts, tool: str
) -> None:
    (name,) = lifecycle.add(machines, names=[f"leaves-by-{tool}"])
    leaving = node(machines, name)
    eventually(lambda: get(machines, leaving.ip, ports.http))
    said: list[str] = []

    def watch(line: str) -> None:
        said.append(line)
        assert get(machines, leaving.ip, ports.http, "/ping") == (200, "OK")

    lifecycle.drain(machines, name, as_=tool, pause_s=0.1, progress=watch)

    assert object_of(machines, name) is None
    assert f"{name}: terminating {leaving.instance_id}" in said
    assert eventually(lambda: refuses(machines, leaving.ip, ports.http))


def test_a_replaced_node_has_its_successor_first(machines: Layout) -> None:
    (old,) = lifecycle.add(machines, names=["old"], critical=True)
    said: list[str] = []

    new = lifecycle.replace(machines, old, pause_s=0, progress=said.append)

    successor = node(machines, new)
    assert (successor.kind, successor.ready) == ("critical", True)
    assert object_of(machines, old) is None
    assert said[0].startswith(f"{new}: starting an instance")


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda layout: lifecycle.drain(layout, "node-99"), r"unknown node: 'node-99'; known: .*node-1"),
        (lambda layout: lifecycle.drain(layout, "node-1", as_="magic"), r"'magic'; allowed: autoscaler"),
        (lambda layout: lifecycle.add(layout, names=["node-1"]), r"node-1 exists already"),
        (lambda layout: lifecycle.add(layout, zone="mars"), r"unknown zone: 'mars'.*eu-central-1a"),
        (lambda layout: lifecycle.kill(layout, "node-99"), r"unknown node: 'node-99'"),
    ],
)
def test_a_wrong_name_gets_one_line_that_says_what_there_is(
    machines: Layout, act: object, message: str
) -> None:
    with pytest.raises(SandboxError, match=message):
        act(machines)  # type: ignore[operator]
