"""SIGTERM ends the process within 30 s, whatever accepts a connection and never answers."""

import time
from collections.abc import Callable

import pytest

from tests.integration.credentials.conftest import Place, until
from tests.integration.credentials.stand_in import answers
from tests.integration.syncer.faulty import a_document, say_nothing

KEY = {"AWS_ACCESS_KEY_ID": "AKIAQWERTYUIOPASDFGH", "AWS_SECRET_ACCESS_KEY": "a-secret-access-key"}
# Stands for a name server that never answers.
NO_NAMES = """
import socket, time
known = socket.getaddrinfo
def getaddrinfo(host, *rest, **named):
    if str(host).endswith(".invalid"):
        open("ASKED", "w").close()
        time.sleep(3600)
    return known(host, *rest, **named)
socket.getaddrinfo = getaddrinfo
"""
Hangs = Callable[[Place], tuple[dict[str, str], Callable[[], object]]]


def silent(place: Place, what: str) -> Callable[[], object]:
    place.aws.answer = lambda request: None if request.what.startswith(what) else answers(request)
    return lambda: [request for request in list(place.aws.requests) if request.what.startswith(what)]


def sts(place: Place) -> tuple[dict[str, str], Callable[[], object]]:
    return place.irsa, silent(place, "AssumeRole")


def agent(place: Place) -> tuple[dict[str, str], Callable[[], object]]:
    return place.pod_identity, silent(place, "GET /v1/credentials")


def metadata(place: Place) -> tuple[dict[str, str], Callable[[], object]]:
    limits = {"AWS_METADATA_SERVICE_TIMEOUT": "3600", "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "99"}
    return limits, silent(place, "PUT /latest")


def elb(place: Place) -> tuple[dict[str, str], Callable[[], object]]:
    return KEY, silent(place, "Describe")


def process(place: Place) -> tuple[dict[str, str], Callable[[], object]]:
    started, config = place.directory / "started", place.directory / "config"
    script = place.directory / "hang.sh"
    script.write_text(f"touch {started}\nexec sleep 100\n")
    config.write_text(f"[default]\ncredential_process=sh {script}\n")
    return {"AWS_CONFIG_FILE": str(config), "AWS_EC2_METADATA_DISABLED": "true"}, started.exists


def api_server(place: Place) -> tuple[dict[str, str], Callable[[], object]]:
    place.api.sick = dict.fromkeys(("nodes", "leases", "configmaps", "events"), say_nothing)
    return {**KEY, "NLB_SYNC_NAMESPACE": "default"}, lambda: place.api.requests


def names(place: Place) -> tuple[dict[str, str], Callable[[], object]]:
    asked = place.directory / "asked"
    (place.directory / "sitecustomize.py").write_text(NO_NAMES.replace("ASKED", str(asked)))
    url = "http://elb.invalid:8080"
    variables = {"PYTHONPATH": str(place.directory), "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2": url}
    return {**KEY, **variables}, asked.exists


@pytest.mark.parametrize("hangs", [sts, agent, metadata, elb, process, api_server, names])
def test_b5_sigterm_ends_the_process_whatever_hangs(place: Place, hangs: Hangs) -> None:
    environment, reached = hangs(place)
    syncer = place.run(**environment)
    until(lambda: syncer.get("/healthz")[0] == 200, within=150)
    until(reached, within=150)
    assert syncer.stop(30) == 0
    assert "Traceback" not in syncer.log.read_text()


def test_b5_a_write_that_hangs_does_not_hold_up_the_end(place: Place) -> None:
    node = {
        "metadata": {"name": "a", "resourceVersion": "50"},
        "spec": {"providerID": "aws:///eu-central-1a/i-0123456789abcdef0"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    place.api.lists = a_document({"metadata": {"resourceVersion": "100"}, "items": [node]})
    reached = silent(place, "RegisterTargets")
    syncer = place.run(**KEY)
    until(reached, within=150)
    assert syncer.stop(30) == 0


def test_b5_credentials_that_do_not_come_are_reported_and_used_when_they_do(place: Place) -> None:
    reached = silent(place, "AssumeRole")
    syncer = place.run(**place.irsa)
    until(reached, within=150)
    assert "STS" in until(lambda: syncer.status["groups"][0]["read_problem"], within=150)
    place.aws.answer = answers
    until(lambda: syncer.status["groups"][0]["fresh"], within=150)
    assert "Traceback" not in syncer.log.read_text()


def test_b5_doctor_does_not_wait_for_ever(place: Place) -> None:
    silent(place, "AssumeRole")
    began = time.monotonic()
    row, said = place.doctor(**place.irsa)
    assert time.monotonic() - began < 120
    assert "STS" in row["says"]
    assert "Traceback" not in said
