"""What DescribeTargetHealth says is what botocore's own parser makes of it, however little of it is parsed.

The answers go through a real botocore: it lets a handler of `before-send` answer in AWS's place.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from hypothesis import given, settings
from hypothesis import strategies as st

from syncer.elb.adapter import BotoElb
from syncer.elb.healths import Healths
from syncer.errors import AwsError, ThrottledError
from syncer.model import InstanceId, Target, TargetGroupArn, TargetHealth, TargetState
from tests.simulation.world import HTTP, HTTPS

SEND = "before-send.elastic-load-balancing-v2.DescribeTargetHealth"
PARSE = "before-parse.elastic-load-balancing-v2.DescribeTargetHealth"
NAMESPACE = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"


@dataclass
class Sent:
    """What the network brings, whoever asks."""

    body: bytes = b""
    status: int = 200

    def answer(self, **_: object) -> Any:
        return AWSResponse("http://aws", self.status, HTTPHeaders(), Raw(self.body))


class Raw(BytesIO):
    """As urllib3 hands it over."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


class Reads:
    """The adapter, and beside it a client of botocore's that nobody has touched, with the same network."""

    def __init__(self) -> None:
        self.sent = Sent()
        self.elb = BotoElb([HTTP, HTTPS], access_key="key", secret_key="secret")
        session = boto3.session.Session(aws_access_key_id="key", aws_secret_access_key="secret")
        self.plain = session.client("elbv2", region_name="eu-central-1")
        for client in (self.elb._client("eu-central-1"), self.plain):
            client.meta.events.register(SEND, self.sent.answer)

    def read(self, body: bytes, group: TargetGroupArn = HTTP, *, status: int = 200) -> Sequence[TargetHealth]:
        self.sent.body, self.sent.status = body, status
        return asyncio.run(self.elb.describe(group))

    def by_botocore(self, body: bytes) -> list[TargetHealth]:
        self.sent.body, self.sent.status = body, 200
        said = self.plain.describe_target_health(TargetGroupArn=HTTP)
        return Healths()._readable(HTTP, said["TargetHealthDescriptions"])


@pytest.fixture(scope="module")
def reads() -> Iterator[Reads]:
    made = Reads()
    yield made
    made.elb.close()


def xml(fields: dict[str, Any], indent: str | None, depth: int = 0) -> str:
    """One level of the answer; with an `indent` in lines, as AWS sends it."""
    start = "" if indent is None else "\n" + indent * depth
    return "".join(
        f"{start}<{name}>"
        + (xml(value, indent, depth + 1) + start if isinstance(value, dict) else escape(str(value)))
        + f"</{name}>"
        for name, value in fields.items()
    )


def answer(targets: Sequence[dict[str, Any]], *, indent: str | None = "  ", request: str = "1") -> bytes:
    members = "".join(xml({"member": target}, indent, 3) for target in targets)
    start = "" if indent is None else "\n"
    return (
        f'<DescribeTargetHealthResponse xmlns="{NAMESPACE}">{start}<DescribeTargetHealthResult>{start}'
        f"<TargetHealthDescriptions>{members}{start}</TargetHealthDescriptions>{start}"
        f"</DescribeTargetHealthResult>{start}<ResponseMetadata><RequestId>{request}</RequestId>"
        f"</ResponseMetadata>{start}</DescribeTargetHealthResponse>{start}"
    ).encode()


def member(number: int, state: str = "healthy", **health: str) -> dict[str, Any]:
    return {
        "HealthCheckPort": 30080,
        "Target": {"Id": f"i-{number:017x}", "Port": 30080, "AvailabilityZone": "eu-central-1a"},
        "TargetHealth": {"State": state, **health},
    }


TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=8)
TARGETS = st.fixed_dictionaries(
    {
        "Id": st.sampled_from([f"i-{number:x}" for number in range(12)]) | TEXTS.map("i-{}".format),
        "Port": st.sampled_from([80, 30080, 30443]),
    },
    optional={"AvailabilityZone": TEXTS},
)
HEALTHS = st.fixed_dictionaries(
    {"State": st.sampled_from([*TargetState, "of another year", ""])},
    optional={"Reason": TEXTS, "Description": TEXTS},
)
USUAL = st.fixed_dictionaries(
    {"Target": TARGETS},
    optional={
        "HealthCheckPort": st.sampled_from(["30080", "traffic-port", ""]),
        "TargetHealth": HEALTHS | st.just(""),
        "AnomalyDetection": st.just({"Result": "normal"}),
    },
)
ODD = st.one_of(
    st.just({"TargetHealth": {"State": "healthy"}}),
    st.builds(lambda target: {"Target": {**target, "Port": 0}}, TARGETS),
    st.builds(lambda target: {"Target": target, "More": {"member": "of a list"}}, TARGETS),
)
ANSWERS = st.builds(
    answer,
    st.lists(USUAL, max_size=8) | st.lists(USUAL | ODD, max_size=8),
    indent=st.sampled_from([None, "", "  "]),
    request=TEXTS.map(escape),
)


@settings(max_examples=30)  # of up to six answers each, and botocore parses each twice
@given(bodies=st.lists(st.tuples(ANSWERS, st.sampled_from([HTTP, HTTPS])), min_size=1, max_size=6))
def test_a_read_says_what_botocore_makes_of_the_answer_whatever_was_read_before(
    reads: Reads, bodies: list[tuple[bytes, TargetGroupArn]]
) -> None:
    for body, group in bodies:
        assert reads.read(body, group) == reads.by_botocore(body)


def test_what_has_not_changed_is_not_parsed_again_in_whatever_order_it_comes(reads: Reads) -> None:
    """The seam: a botocore that no longer lets us in before it parses makes new objects each time."""
    first = reads.read(answer([member(1), member(2), member(3, "initial")]))
    second = reads.read(answer([member(3), member(2), member(1)], request="2"))
    assert [each.target.id[-1] for each in second] == ["3", "2", "1"]
    assert (second[2] is first[0], second[1] is first[1]) == (True, True)
    assert second[0] == TargetHealth(
        target=Target(InstanceId("i-00000000000000003"), 30080),
        state=TargetState.HEALTHY,
        zone="eu-central-1a",
        check_port=30080,
    )


def test_what_is_gone_is_gone_and_forgotten(reads: Reads) -> None:
    first = reads.read(answer([member(1), member(2)]))
    assert reads.read(answer([member(2)])) == first[1:]
    assert reads.read(answer([])) == []
    again = reads.read(answer([member(1), member(2)]))
    assert again == first
    assert again[0] is not first[0]


@pytest.mark.parametrize("empty", ["<TargetHealthDescriptions/>", "<TargetHealthDescriptions />"])
def test_a_group_without_targets_is_empty(reads: Reads, empty: str) -> None:
    reads.read(answer([member(1)]))
    whole = answer([], indent=None).decode()
    body = whole.replace("<TargetHealthDescriptions></TargetHealthDescriptions>", empty).encode()
    assert reads.read(body) == []


WHOLE = answer([member(1), member(2)])
NOT_XML = b"<html><body>Bad gateway<br></body></html>"


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    "body",
    [
        *(WHOLE[:length] for length in range(0, len(WHOLE) - 2, 37)),
        WHOLE.replace(b"</Target>", b"", 1),
        WHOLE.replace(b"</member>", b"", 1),
        WHOLE.replace(b"<State>", b"<State>\x00", 1),
        WHOLE.replace(b"</TargetHealthDescriptions>", b"<member></TargetHealthDescriptions>"),
        WHOLE.replace(b"</DescribeTargetHealthResult>", b""),
        NOT_XML,
    ],
)
def test_an_answer_that_is_cut_off_or_no_xml_is_a_failed_read_in_one_line(
    reads: Reads, body: bytes, *, known: bool
) -> None:
    reads.read(WHOLE if known else answer([]))
    with pytest.raises(AwsError) as raised:
        reads.read(body)
    assert raised.value.code == "Garbled"
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400
    assert len(reads.read(WHOLE)) == 2


@pytest.mark.parametrize(
    "body",
    [
        WHOLE.replace(b"<TargetHealthDescriptions>", b'<TargetHealthDescriptions a="b">'),
        WHOLE.replace(b"<member>", b'<member a="b">'),
        WHOLE.replace(b"</member>", b"</member >", 1),
        WHOLE.replace(b"<TargetHealth>", b"<!-- of now --><TargetHealth>"),
        WHOLE.replace(b"healthy", b"<![CDATA[healthy]]>"),
        WHOLE.replace(b'xmlns="', b'xmlns:a="')
        .replace(b"</", b"</a:")
        .replace(b"<", b"<a:")
        .replace(b"<a:/a:", b"</a:"),
        b"<?xml version='1.0'?>" + WHOLE,
    ],
)
def test_other_ways_to_write_the_same_say_the_same(reads: Reads, body: bytes) -> None:
    expected = reads.read(WHOLE)
    assert reads.read(body) == expected == reads.by_botocore(body)


def test_a_refusal_is_what_aws_says_although_the_group_was_read_before(reads: Reads) -> None:
    reads.read(WHOLE)
    refused = (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type><Code>Throttling</Code>'
        "<Message>Rate exceeded</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    ).encode()
    with pytest.raises(ThrottledError, match="DescribeTargetHealth: Throttling: Rate exceeded"):
        reads.read(refused, status=400)
    with pytest.raises(AwsError):
        reads.read(WHOLE, status=503)
    with pytest.raises(AwsError):
        reads.read(NOT_XML, status=502)


def test_botocore_parses_all_of_it_where_its_handlers_are_told_something_else(
    reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = reads.read(WHOLE)
    healths = reads.elb._healths
    healths._before_parse(http_response=object())
    healths._before_parse(response_dict={"text": WHOLE}, customized_response_dict={})
    monkeypatch.setattr(healths, "_current", object())
    response: dict[str, Any] = {"body": WHOLE, "status_code": 200}
    healths._before_parse(response_dict=response, customized_response_dict={})
    assert response["body"] == WHOLE
    monkeypatch.undo()
    assert reads.read(WHOLE) == expected


def test_a_list_that_botocore_does_not_hand_on_is_an_error_and_no_empty_group(reads: Reads) -> None:
    def loses(customized_response_dict: dict[str, Any], **_: object) -> None:
        customized_response_dict.clear()

    events = reads.elb._client("eu-central-1").meta.events
    events.register(PARSE, loses)
    try:
        with pytest.raises(AwsError, match="Garbled"):
            reads.read(WHOLE)
    finally:
        events.unregister(PARSE, loses)
    assert len(reads.read(WHOLE)) == 2


SHIFTS = ["", "no_override", "zonal_shift_active", "zonal_shift_delegated_to_dns", "unknown"]


def test_z1_a_shift_that_starts_or_ends_changes_what_is_read(reads: Reads) -> None:
    """Only what is new is parsed, and the override is all that is new."""
    for state in [*SHIFTS, *reversed(SHIFTS)]:
        override = {"AdministrativeOverride": {"State": state, "Reason": "R"}} if state else {}
        body = answer([member(1), member(2) | override])
        listed = reads.read(body)
        assert [each.override for each in listed] == ["", "" if state == "no_override" else state]
        assert listed == reads.by_botocore(body)
    empty = answer([member(1) | {"AdministrativeOverride": ""}])
    assert [each.override for each in reads.read(empty)] == [""]
    assert reads.read(empty) == reads.by_botocore(empty)
