"""The forwarder and the health checker over real TCP, with a world written by hand."""

import asyncio
import contextlib
import http.server
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.dataplane.datagrams import IDLE_S, DatagramForwarder
from sandbox.dataplane.firewall import Rule
from sandbox.dataplane.forward import Forwarder
from sandbox.dataplane.health import Checker, Result
from sandbox.dataplane.world import Balancer, Group, HealthCheck, Listener, Machine, Target, World
from sandbox.loopback import Loopback
from sandbox.nodes.datagrams import Echo

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/http/0123456789abcdef"
ZONES = {"a": "127.65.1.5", "b": "127.65.2.5"}


class Node(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        code = 200 if self.path in {"/", "/ping"} else 404
        body = str(self.connection.getsockname()[0]).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class names it so)
        pass


def free_port(ip: str) -> int:
    with socket.create_server((ip, 0)) as sock:
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def node(ip: str, port: int) -> Iterator[None]:
    server = http.server.ThreadingHTTPServer((ip, port), Node)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Setting:
    """Two machines in two zones behind one listener in each zone, everything allowed."""

    def __init__(self, tmp_path: Path) -> None:
        self.now = 0.0
        self.port = free_port("127.65.1.10")
        self.listen_port = free_port("127.65.9.1")
        self.machines = {
            "i-a": Machine(id="i-a", address="127.65.1.10", zone="a", groups=frozenset({"sg-node"})),
            "i-b": Machine(id="i-b", address="127.65.2.10", zone="b", groups=frozenset({"sg-node"})),
        }
        self.a, self.b = Target("i-a", self.port), Target("i-b", self.port)
        self.loopback = Loopback(path=tmp_path / "map", every_address=True, low_ports=True)
        self.rules = {
            "in": self.rule("sg-lb", egress=False, port=self.listen_port, peer="0.0.0.0/0"),
            "out": self.rule("sg-lb", egress=True, port=self.port, peer="sg-node"),
            "node": self.rule("sg-node", egress=False, port=self.port, peer="sg-lb"),
        }

    def rule(self, group: str, *, egress: bool, port: int, peer: str) -> Rule:
        return Rule(group=group, egress=egress, protocol="tcp", from_port=port, to_port=port, peer=peer)

    def world(
        self,
        a: str = "healthy",
        b: str = "healthy",
        *,
        path: str = "/ping",
        cross_zone: bool = True,
        without: str = "",
        check_port: int | None = None,
        protocol: str = "TCP",
    ) -> World:
        balancer = Balancer(arn="lb", groups=frozenset({"sg-lb"}), cross_zone=cross_zone, private=ZONES)
        states = {t: s for t, s in ((self.a, a), (self.b, b)) if s}
        check = HealthCheck(
            protocol="HTTP",
            port=check_port,
            path=path,
            interval=0,
            timeout=2,
            healthy=2,
            unhealthy=2,
            matcher="200",
        )
        group = Group(
            arn=ARN,
            check=check,
            states=states,
            reasons=dict.fromkeys(states, ""),
            cut_unhealthy=True,
            preserve_client_ip=True,
        )
        return World(
            listeners=tuple(
                Listener(
                    address=f"127.65.9.{number}",
                    port=self.listen_port,
                    zone=zone,
                    balancer=balancer,
                    target_groups={ARN: 1},
                    protocol=protocol,
                )
                for number, zone in enumerate(ZONES, 1)
            ),
            groups={ARN: group},
            owners={ARN: balancer},
            machines=self.machines,
            rules=tuple(r for name, r in self.rules.items() if name != without),
        )

    async def get(self, number: int = 1, path: str = "/") -> str:
        """The body of one request on a new connection to the Elastic IP of zone `number`."""
        reader, writer = await asyncio.open_connection(f"127.65.9.{number}", self.listen_port)
        try:
            writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            answer = await reader.read()
        finally:
            writer.close()
        if not answer:
            raise ConnectionResetError
        return answer.rpartition(b"\r\n")[2].decode()


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path)


@contextlib.asynccontextmanager
async def forwarding(setting: Setting, world: World) -> AsyncIterator[Forwarder]:
    forwarder = Forwarder(setting.loopback)
    await forwarder.follow(world)
    try:
        yield forwarder
    finally:
        forwarder.close()
        await asyncio.sleep(0)


@contextlib.contextmanager
def nodes(setting: Setting) -> Iterator[None]:
    with node("127.65.1.10", setting.port), node("127.65.2.10", setting.port):
        yield


async def served_by(setting: Setting, number: int = 1, times: int = 24) -> set[str]:
    return {await setting.get(number) for _ in range(times)}


def test_connections_are_spread_over_the_healthy_targets(setting: Setting) -> None:
    async def scenario() -> set[str]:
        async with forwarding(setting, setting.world()):
            return await served_by(setting)

    with nodes(setting):
        assert asyncio.run(scenario()) == {"127.65.1.10", "127.65.2.10"}


@pytest.mark.parametrize("state", ["initial", "unhealthy", "draining", "unused"])
def test_a_target_that_is_not_healthy_gets_no_new_connection(setting: Setting, state: str) -> None:
    async def scenario() -> set[str]:
        async with forwarding(setting, setting.world(b=state)):
            return await served_by(setting)

    with nodes(setting):
        assert asyncio.run(scenario()) == {"127.65.1.10"}


def test_with_no_healthy_target_it_fails_open_to_the_registered_ones_but_not_to_draining_ones(
    setting: Setting,
) -> None:
    async def scenario() -> set[str]:
        async with forwarding(setting, setting.world(a="unhealthy", b="draining")):
            return await served_by(setting)

    with nodes(setting):
        assert asyncio.run(scenario()) == {"127.65.1.10"}


def test_with_cross_zone_off_a_zone_serves_from_its_own_targets(setting: Setting) -> None:
    async def scenario() -> tuple[set[str], set[str]]:
        async with forwarding(setting, setting.world(cross_zone=False)):
            return await served_by(setting, 1), await served_by(setting, 2)

    with nodes(setting):
        assert asyncio.run(scenario()) == ({"127.65.1.10"}, {"127.65.2.10"})


@pytest.mark.parametrize(("weight", "share"), [(0, 0), (100, 0.1), (900, 0.5)])
def test_new_connections_are_spread_over_groups_by_weight(
    setting: Setting, weight: int, share: float
) -> None:
    blue, green = setting.world(b=""), setting.world(a="").groups[ARN]
    other = f"{ARN}-green"
    weights = {ARN: 900, other: weight}
    world = replace(
        blue,
        listeners=tuple(replace(each, target_groups=weights) for each in blue.listeners),
        groups={**blue.groups, other: replace(green, arn=other)},
        owners={**blue.owners, other: blue.listeners[0].balancer},
    )

    async def scenario() -> int:
        async with forwarding(setting, world):
            served = [await setting.get() for _ in range(400)]
        return served.count("127.65.2.10")

    with nodes(setting):
        assert abs(asyncio.run(scenario()) / 400 - share) <= (0.1 if weight else 0)


def test_a_group_without_targets_gets_its_share_all_the_same(setting: Setting) -> None:
    """AWS documents no failover between weighted groups."""
    world, other = setting.world(), f"{ARN}-green"
    empty = replace(world.groups[ARN], arn=other, states={}, reasons={})
    world = replace(
        world,
        listeners=tuple(replace(each, target_groups={ARN: 0, other: 1}) for each in world.listeners),
        groups={**world.groups, other: empty},
    )

    async def scenario() -> None:
        async with forwarding(setting, world):
            await setting.get()

    with nodes(setting), pytest.raises(ConnectionError):
        asyncio.run(scenario())


def test_a_dead_target_that_still_counts_as_healthy_costs_connections(setting: Setting) -> None:
    async def scenario() -> int:
        failed = 0
        async with forwarding(setting, setting.world()):
            for _ in range(40):
                try:
                    await setting.get()
                except ConnectionError:
                    failed += 1
        return failed

    with node("127.65.1.10", setting.port):
        assert asyncio.run(scenario()) > 5


@pytest.mark.parametrize("missing", ["in", "out", "node"])
def test_without_one_security_group_rule_no_connection_gets_through(setting: Setting, missing: str) -> None:
    async def scenario() -> None:
        async with forwarding(setting, setting.world(without=missing)):
            await setting.get()

    with nodes(setting), pytest.raises(ConnectionError):
        asyncio.run(scenario())


def test_a_draining_target_keeps_its_connection_and_an_unhealthy_one_loses_it(setting: Setting) -> None:
    async def scenario() -> tuple[bytes, bytes]:
        async with forwarding(setting, setting.world(b="")) as forwarder:
            reader, writer = await asyncio.open_connection("127.65.9.1", setting.listen_port)
            writer.write(b"GET / HTTP/1.1\r\n")
            await writer.drain()
            await forwarder.follow(setting.world(a="draining"))
            writer.write(b"Host: x\r\n\r\n")
            kept = await reader.readline()
            await forwarder.follow(setting.world(a="unhealthy"))
            with contextlib.suppress(ConnectionError):
                while await reader.read(1000):
                    pass
            lost = await reader.read() if not reader.exception() else b""
            writer.close()
            return kept, lost

    with nodes(setting):
        kept, lost = asyncio.run(scenario())
    assert kept.startswith(b"HTTP/1.0 200")
    assert lost == b""


def test_it_listens_where_the_world_says_and_nowhere_else(setting: Setting) -> None:
    async def scenario() -> None:
        async with forwarding(setting, setting.world()) as forwarder:
            await setting.get()
            await forwarder.follow(replace(setting.world(), listeners=()))
            await asyncio.sleep(0)
            await setting.get()

    with nodes(setting), pytest.raises(ConnectionRefusedError):
        asyncio.run(scenario())


async def first_result(setting: Setting, world: World) -> Result:
    found: asyncio.Queue[Result] = asyncio.Queue()
    checker = Checker(setting.loopback, found.put)
    checker.follow(world)
    try:
        async with asyncio.timeout(5):
            return await found.get()
    finally:
        checker.close()


def test_a_target_that_answers_is_reported_healthy(setting: Setting) -> None:
    with nodes(setting):
        result = asyncio.run(first_result(setting, setting.world(a="initial", b="")))
    assert (result.target, result.state) == (setting.a, "healthy")


def test_a_wrong_status_a_closed_port_and_a_missing_rule_are_told_apart(setting: Setting) -> None:
    def reason(world: World) -> str:
        return asyncio.run(first_result(setting, world)).reason

    with nodes(setting):
        assert reason(setting.world(b="", path="/nowhere")) == "Target.ResponseCodeMismatch"
        assert reason(setting.world(b="", without="node")) == "Target.Timeout"
        assert reason(setting.world(b="", without="out")) == "Target.Timeout"
    assert reason(setting.world(b="")) == "Target.FailedHealthChecks"


def test_the_check_goes_to_the_overridden_port(setting: Setting) -> None:
    other = free_port("127.65.1.10")
    setting.rules["check out"] = setting.rule("sg-lb", egress=True, port=other, peer="sg-node")
    setting.rules["check in"] = setting.rule("sg-node", egress=False, port=other, peer="sg-lb")
    with node("127.65.1.10", other):
        result = asyncio.run(first_result(setting, setting.world(a="initial", b="", check_port=other)))
    assert result.state == "healthy"


class Clients:
    """Datagrams to the Elastic IP of the first zone, each client with a port of its own."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._sockets: list[socket.socket] = []

    async def ask(self, text: str, client: int = 0) -> str:
        """The answer to a datagram; "" if none comes."""
        while len(self._sockets) <= client:
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            made.setblocking(False)
            self._sockets.append(made)
        loop = asyncio.get_running_loop()
        one = self._sockets[client]
        await loop.sock_sendto(one, text.encode(), ("127.65.9.1", self._setting.listen_port))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                return (await loop.sock_recv(one, 1000)).decode()
        return ""

    def close(self) -> None:
        for one in self._sockets:
            one.close()


@contextlib.asynccontextmanager
async def datagrams(setting: Setting, world: World) -> AsyncIterator[tuple[DatagramForwarder, Clients]]:
    """Two machines that send datagrams back, and rules for UDP beside those for TCP."""
    for name, one in list(setting.rules.items()):
        setting.rules[f"{name} udp"] = replace(one, protocol="udp")
    world = replace(world, rules=tuple(setting.rules.values()))
    echoes = [
        Echo(machine.id, machine.address, setting.port, setting.loopback, lambda: True)
        for machine in setting.machines.values()
    ]
    forwarder, clients = DatagramForwarder(setting.loopback, lambda: setting.now), Clients(setting)
    await forwarder.follow(world)
    try:
        yield forwarder, clients
    finally:
        forwarder.close()
        clients.close()
        for echo in echoes:
            echo.close()


@pytest.mark.parametrize("protocol", ["UDP", "TCP_UDP"])
def test_a_flow_of_datagrams_stays_with_its_target(setting: Setting, protocol: str) -> None:
    async def scenario() -> list[set[str]]:
        async with datagrams(setting, setting.world(protocol=protocol)) as (_, clients):
            return [{await clients.ask("x", client) for _ in range(5)} for client in range(12)]

    answers = asyncio.run(scenario())
    assert all(len(each) == 1 for each in answers)
    assert set().union(*answers) == {"i-a x", "i-b x"}


def test_a_listener_of_tcp_receives_no_datagrams(setting: Setting) -> None:
    async def scenario() -> str:
        async with datagrams(setting, setting.world()) as (_, clients):
            return await clients.ask("x")

    assert asyncio.run(scenario()) == ""


@pytest.mark.parametrize("missing", ["in udp", "out udp", "node udp"])
def test_without_a_rule_for_udp_no_datagram_gets_through(setting: Setting, missing: str) -> None:
    async def scenario() -> str:
        world = setting.world(protocol="UDP")
        async with datagrams(setting, world) as (forwarder, clients):
            del setting.rules[missing]
            await forwarder.follow(replace(world, rules=tuple(setting.rules.values())))
            return await clients.ask("x")

    assert asyncio.run(scenario()) == ""


def test_a_flow_ends_when_it_is_idle_or_its_target_is_deregistered(setting: Setting) -> None:
    async def scenario() -> tuple[str, str, str]:
        world = setting.world(b="", protocol="UDP")
        async with datagrams(setting, world) as (forwarder, clients):
            first = await clients.ask("x")
            rules = tuple(setting.rules.values())
            other = replace(setting.world(a="draining", protocol="UDP"), rules=rules)
            await forwarder.follow(other)
            kept = await clients.ask("x")
            setting.now += IDLE_S + 1
            await forwarder.follow(other)
            return first, kept, await clients.ask("x")

    assert asyncio.run(scenario()) == ("i-a x", "i-a x", "i-b x")
