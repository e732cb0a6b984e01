from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from botocore.parsers import QueryParser
from botocore.serialize import QuerySerializer
from hypothesis import given
from hypothesis import strategies as st

from sandbox.cloud import query
from sandbox.cloud.errors import AwsError, AwsValidationError

_REGISTER = query.operation("elbv2", "RegisterTargets")
_TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
_TARGETS = st.lists(
    st.fixed_dictionaries({"Id": _TEXT}, optional={"Port": st.integers(1, 65535)}), min_size=1, max_size=12
)


@given(arn=_TEXT, targets=_TARGETS)
def test_what_an_sdk_serialises_is_read_back_unchanged(arn: str, targets: list[dict[str, Any]]) -> None:
    wanted = {"TargetGroupArn": arn, "Targets": targets}
    sent = QuerySerializer().serialize_to_request(wanted, _REGISTER)["body"]
    fields = {key: str(value) for key, value in sent.items()}
    assert query.parse(_REGISTER, fields) == wanted


@given(
    st.lists(
        st.fixed_dictionaries(
            {"Target": st.fixed_dictionaries({"Id": _TEXT, "Port": st.integers(1, 65535)})},
            optional={"HealthCheckPort": _TEXT, "TargetHealth": st.fixed_dictionaries({"State": _TEXT})},
        )
    )
)
def test_what_is_rendered_an_sdk_parses_back_unchanged(targets: list[dict[str, Any]]) -> None:
    model = query.operation("elbv2", "DescribeTargetHealth")
    body = query.render(model, {"TargetHealthDescriptions": targets}, "id")
    answer = {"body": body, "status_code": 200, "headers": {}}
    assert model.output_shape is not None
    parsed = QueryParser().parse(answer, model.output_shape)
    assert parsed["TargetHealthDescriptions"] == targets


def test_an_empty_list_is_not_an_absent_one() -> None:
    model = query.operation("elbv2", "SetSecurityGroups")
    fields = {"LoadBalancerArn": "arn", "SecurityGroups": ""}
    assert query.parse(model, fields) == {"LoadBalancerArn": "arn", "SecurityGroups": []}


def test_booleans_and_times_are_written_as_aws_does() -> None:
    model = query.operation("elbv2", "DescribeLoadBalancers")
    made = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    body = query.render(model, {"LoadBalancers": [{"CreatedTime": made}]}, "id")
    assert b"<CreatedTime>2026-01-02T03:04:05.000000Z</CreatedTime>" in body


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"Targets.member.1.Id": "i-1"}, "TargetGroupArn"),
        ({"TargetGroupArn": "arn"}, "Targets"),
        ({"TargetGroupArn": "arn", "Targets.member.1.Port": "80"}, "Id"),
        ({"TargetGroupArn": "arn", "Targets.member.1.Id": "i", "Targets.member.1.Port": "http"}, "http"),
    ],
)
def test_a_request_that_breaks_the_model_is_a_validation_error_that_names_the_member(
    fields: dict[str, str], word: str
) -> None:
    with pytest.raises(AwsValidationError, match=word):
        query.parse(_REGISTER, fields)


def test_an_action_that_the_service_does_not_have_is_invalid() -> None:
    with pytest.raises(AwsError, match="InvalidAction"):
        query.operation("elbv2", "RegisterEverything")


@pytest.mark.parametrize("service", ["ec2", "iam", "elasticloadbalancing"])
def test_an_error_carries_its_code_and_message_in_the_form_of_the_service(service: str) -> None:
    body = query.render_error(service, AwsError("Code", "a < b & c"), "id")
    error = ET.fromstring(body).find(".//Error")  # noqa: S314 (our own XML)
    assert error is not None
    assert (error.findtext("Code"), error.findtext("Message")) == ("Code", "a < b & c")
