"""Probes of real processes while clients do their worst; the bench measures how long they wait."""

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.request import Request, urlopen

import pytest
import yaml

from bench.clients import crowd, probe
from sandbox.layout import HOST, free_ports
from tests.integration.syncer.household import Syncer
from tests.simulation.world import HTTP
from tests.waiting import eventually

PATIENCE_S = 10.0  # the machine may be busy: what counts is that every probe is answered


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A syncer that reaches neither a cluster nor AWS."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "none",
        "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
        "clusters": [{"name": "none", "cluster": {"server": f"https://{HOST}:9"}}],
        "users": [{"name": "none", "user": {"token": "none"}}],
    }
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return {
        "KUBECONFIG": str(path),
        "NLB_SYNC_TARGET_GROUPS": f"{HTTP}=:30080",
        "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2": f"http://{HOST}:9",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.fixture
def probe_port() -> int:
    (port,) = free_ports(1)
    return port


@pytest.fixture
def syncer(environment: dict[str, str], probe_port: int, tmp_path: Path) -> Iterator[Syncer]:
    started = Syncer({**environment, "NLB_SYNC_PROBE_PORT": str(probe_port)}, tmp_path)
    try:
        eventually(lambda: started.get("/healthz")[0] == 200, within=60)
        yield started
    finally:
        started.end()


def statuses(port: int, path: str = "/healthz", seconds: float = 6.0) -> set[int]:
    found = probe(port, path, seconds, 0.1, PATIENCE_S)
    assert found
    return {each.status for each in found}


@pytest.mark.parametrize("kinds", [{"silent": 64}, {"dripping": 200}, {"idle": 1000}, {"slow": 100}], ids=str)
def test_s1_every_probe_is_answered_on_both_ports(
    syncer: Syncer, probe_port: int, kinds: dict[str, int]
) -> None:
    with crowd(syncer.port, **kinds):
        assert statuses(syncer.port) == {200}
        assert statuses(probe_port) == {200}
        assert statuses(probe_port, "/readyz", 1) == {503}  # no cluster: an answer all the same


@pytest.mark.usefixtures("syncer")
def test_s1_the_probe_port_itself_is_not_filled_either(probe_port: int) -> None:
    with crowd(probe_port, silent=300, dripping=100):
        assert statuses(probe_port) == {200}


def test_s1_the_probe_port_answers_probes_alone(syncer: Syncer, probe_port: int) -> None:
    for path, status in (
        ("/healthz", 200),
        ("/readyz", 503),
        ("/status", 404),
        ("/metrics", 404),
        ("/", 404),
    ):
        assert statuses(probe_port, path, 0.01) == {status}
        assert statuses(syncer.port, path, 0.01) == {status if status != 404 else 200}


def test_s1_without_a_probe_port_the_other_one_is_enough(environment: dict[str, str], tmp_path: Path) -> None:
    (port,) = free_ports(1)
    same = {"NLB_SYNC_PORT": str(port), "NLB_SYNC_PROBE_PORT": str(port)}
    for changes in ({"NLB_SYNC_PORT": str(port)}, same):
        syncer = Syncer({**environment, **changes}, tmp_path)
        try:
            eventually(lambda: statuses(port, "/healthz", 0.01) == {200}, within=60)
        finally:
            syncer.end()


def test_s1_a_probe_port_that_is_taken_is_one_line(environment: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        syncer = Syncer({**environment, "NLB_SYNC_PROBE_PORT": str(port)}, tmp_path)
        assert syncer.process.wait(60) == 2
    (line,) = syncer.log.read_text().splitlines()
    why = "address already in use; set NLB_SYNC_ADDRESS and NLB_SYNC_PROBE_PORT"
    assert line == f"cannot listen on {HOST}:{port}: {why}"


def test_s7_another_host_is_refused_by_the_process(syncer: Syncer, probe_port: int) -> None:
    for port in (syncer.port, probe_port):
        for path in ("/status", "/", "/metrics", "/healthz"):
            asked = Request(f"http://{HOST}:{port}{path}", headers={"Host": "attacker.example"})
            with pytest.raises(urllib.error.HTTPError) as raised:
                urlopen(asked, timeout=PATIENCE_S)  # noqa: S310
            with raised.value as refusal:
                assert refusal.code == 421
                assert b"; allowed: an IP address, localhost, " in refusal.read()
        for host in ("localhost", f"localhost:{port}", f"[::1]:{port}", "10.0.0.1"):
            asked = Request(f"http://{HOST}:{port}/healthz", headers={"Host": host})
            with urlopen(asked, timeout=PATIENCE_S) as answer:  # noqa: S310
                assert answer.status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_s5_it_ends_in_silence_while_clients_are_connected(
    syncer: Syncer, probe_port: int, number: signal.Signals
) -> None:
    begins = (b"", b"GET /st", b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x00\r\n\r\n")
    clients = [
        socket.create_connection((HOST, port)) for port in (syncer.port, probe_port) for _ in begins * 3
    ]
    try:
        for client, begin in zip(clients, begins * 6, strict=True):
            client.sendall(begin)
        syncer.signal(number)
        assert syncer.process.wait(30) == 0
    finally:
        for client in clients:
            client.close()
    lines = [json.loads(line) for line in syncer.log.read_text().splitlines()]  # and nothing but JSON lines
    assert not [line for line in lines if line["level"] == "error" or "exception" in line]


class LargeSite:
    """A process that serves a /status of 5,000 nodes, and may be made to run out of files."""

    def __init__(self, log: IO[bytes], files: int) -> None:
        (self.port,) = free_ports(1)
        words = ["-m", "tests.integration.syncer.large_site", str(self.port), str(files)]
        self.process = subprocess.Popen(
            [sys.executable, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        )
        self.hears()

    def hears(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().strip()

    def say(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    @property
    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")

    @property
    def memory_mib(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def test_s1_forty_readers_of_a_large_status_keep_no_probe_waiting(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        site = LargeSite(log, 1024)
    try:
        with crowd(site.port, readers=40, idle=500, dripping=50):
            assert statuses(site.port, seconds=10) == {200}
    finally:
        site.end()
    assert (tmp_path / "log").read_text() == ""


def test_s1_thousands_of_different_queries_keep_no_probe_waiting(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        site = LargeSite(log, 1024)
    numbers, done, codes = itertools.count(1), threading.Event(), Counter[int]()

    def attack() -> None:
        while not done.is_set():
            number = next(numbers)
            query = (f"page={number}", f"find=ip-{number}", f"unwell=1&page={number}")[number % 3]
            codes[status_of(site.port, query)] += 1
            time.sleep(0.1)  # the prober is a thread of this process, and has a second for its head

    attackers = [threading.Thread(target=attack) for _ in range(40)]
    try:
        for each in attackers:
            each.start()
        assert statuses(site.port, seconds=10) == {200}
        memory = site.memory_mib
    finally:
        done.set()
        for each in attackers:
            each.join(PATIENCE_S)
        site.end()
    assert codes[200] > 0
    assert codes[503] > 0, "too many different queries at once are refused"
    assert set(codes) <= {0, 200, 503}
    assert memory < 300
    assert (tmp_path / "log").read_text() == ""


def status_of(port: int, query: str) -> int:
    try:
        with urlopen(f"http://{HOST}:{port}/status?{query}", timeout=PATIENCE_S) as answer:
            assert len(answer.read()) < 200_000
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:  # a rude client may be cut off
        return 0


def test_s1_a_process_without_files_left_neither_spins_nor_fills_the_log(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        site = LargeSite(log, 64)
    try:
        site.say()
        assert site.hears() == "full"
        answered: list[set[int]] = []
        asking = threading.Thread(target=lambda: answered.append(statuses(site.port, seconds=0.01)))
        asking.start()
        before = site.cpu_s
        time.sleep(3)
        assert site.cpu_s - before < 1
        assert not answered
        site.say()
        asking.join(PATIENCE_S)
        assert answered == [{200}]
    finally:
        site.end()
    (line,) = (tmp_path / "log").read_text().splitlines()
    assert "cannot accept HTTP clients: Too many open files; raise the limit of open files" in line
