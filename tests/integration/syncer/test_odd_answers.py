"""The AWS adapter over HTTP, when what comes back is odd: a line, or the whole answer."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

import pytest

from syncer.elb.adapter import BotoElb
from syncer.errors import AwsError
from syncer.model import InstanceId, Target, TargetGroupArn, TargetState

Result = TypeVar("Result")
GROUP = TargetGroupArn(
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/http/0123456789abcdef"
)
GOOD = InstanceId("i-0aaaaaaaaaaaaaaaa")
SOME = Target(InstanceId("i-0bbbbbbbbbbbbbbbb"), 30080)


@dataclass(slots=True)
class Stranger:
    """Somebody who answers every call in AWS's place with `status` and `body`."""

    elb: BotoElb
    body: bytes = b""
    status: int = 200

    def lists(self, *members: str) -> None:
        """Answer DescribeTargetHealth with these members beside a good one."""
        good = f"<Target><Id>{GOOD}</Id><Port>30080</Port></Target>"
        lines = "".join(f"<member>{each}</member>" for each in (good, *members))
        self.body = (
            '<DescribeTargetHealthResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">'
            f"<DescribeTargetHealthResult><TargetHealthDescriptions>{lines}</TargetHealthDescriptions>"
            "</DescribeTargetHealthResult></DescribeTargetHealthResponse>"
        ).encode()

    def describes(self, group: str) -> None:
        """Answer DescribeTargetGroups with these fields of one group beside its ARN."""
        member = f"<member><TargetGroupArn>{GROUP}</TargetGroupArn>{group}</member>"
        self.body = (
            '<DescribeTargetGroupsResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">'
            f"<DescribeTargetGroupsResult><TargetGroups>{member}</TargetGroups>"
            "</DescribeTargetGroupsResult></DescribeTargetGroupsResponse>"
        ).encode()


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stranger]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2", url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "sandbox")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
        told = Stranger(BotoElb([GROUP]))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield told
        told.elb.close()
        server.shutdown()


def run(call: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(call)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "<TargetHealth><State>healthy</State></TargetHealth>",
        "<Target><Port>30080</Port></Target>",
        "<Target><Id></Id><Port>30080</Port></Target>",
        "<Target><Id>arn:aws:lambda:eu-central-1:123456789012:function:f</Id></Target>",
    ],
)
def test_a_line_that_names_no_target_harms_only_itself(
    stranger: Stranger, caplog: pytest.LogCaptureFixture, line: str
) -> None:
    stranger.lists(line)
    with caplog.at_level(logging.WARNING):
        assert [each.target.id for each in run(stranger.elb.describe(GROUP))] == [GOOD]
        run(stranger.elb.describe(GROUP))
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith("http: ignored a malformed target: TargetHealthDescriptions[1].Target.")


@pytest.mark.parametrize(
    ("health", "state", "reason"),
    [
        ("", TargetState.UNAVAILABLE, ""),
        ("<TargetHealth></TargetHealth>", TargetState.UNAVAILABLE, ""),
        (
            "<TargetHealth><State>asleep</State><Reason>Target.Night</Reason></TargetHealth>",
            TargetState.UNAVAILABLE,
            "Target.Night",
        ),
        (
            "<TargetHealth><State>initial</State><Reason>Target.Night</Reason></TargetHealth>",
            TargetState.INITIAL,
            "Target.Night",
        ),
    ],
)
def test_health_that_nobody_knows_is_that_of_a_registered_target(
    stranger: Stranger, health: str, state: TargetState, reason: str
) -> None:
    stranger.lists(f"<Target><Id>{SOME.id}</Id><Port>{SOME.port}</Port></Target>{health}")
    (_, known) = run(stranger.elb.describe(GROUP))
    assert (known.target, known.state, known.reason, known.registered) == (SOME, state, reason, True)


def test_a_target_of_no_zone_has_none(stranger: Stranger) -> None:
    all_zones = "<AvailabilityZone>all</AvailabilityZone>"
    stranger.lists(f"<Target><Id>10.0.0.1</Id><Port>80</Port>{all_zones}</Target>")
    assert [each.zone for each in run(stranger.elb.describe(GROUP))] == ["", ""]


CALLS: dict[str, Callable[[BotoElb], Coroutine[Any, Any, object]]] = {
    "DescribeTargetHealth": lambda elb: elb.describe(GROUP),
    "RegisterTargets": lambda elb: elb.register(GROUP, [SOME]),
    "DeregisterTargets": lambda elb: elb.deregister(GROUP, [SOME]),
}


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"<html><body>Please log in" + b"!" * 10_000),
        (200, b"<a/>"),
        (200, b"\xff\xfe\x00"),
        (302, b"<html/>"),
        (404, b""),
        (502, b"<html>bad gateway"),
    ],
)
def test_an_answer_that_is_not_aws_s_is_a_failure_like_another(
    stranger: Stranger, operation: str, status: int, body: bytes
) -> None:
    """It may have been carried out: a proxy on the way may have lost AWS's own answer."""
    stranger.status, stranger.body = status, body
    with pytest.raises(AwsError) as raised:
        run(CALLS[operation](stranger.elb))
    assert raised.value.operation == operation
    assert raised.value.unsure
    assert raised.value.code in {"Garbled", str(status)}
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 500


def test_a_number_that_is_none_freezes_the_group_and_no_more(stranger: Stranger) -> None:
    stranger.lists(f"<Target><Id>{SOME.id}</Id><Port>http</Port></Target>")
    with pytest.raises(AwsError, match="Garbled"):
        run(stranger.elb.describe(GROUP))


def test_a_group_of_functions_has_no_port_and_tells_its_type(stranger: Stranger) -> None:
    stranger.describes("<TargetType>lambda</TargetType><HealthCheckEnabled>false</HealthCheckEnabled>")
    assert run(stranger.elb.target_types([GROUP])) == {GROUP: "lambda"}
    stranger.describes("<Port>80</Port>")
    assert run(stranger.elb.target_types([GROUP])) == {}
    assert run(stranger.elb.default_port(GROUP)) == 80
