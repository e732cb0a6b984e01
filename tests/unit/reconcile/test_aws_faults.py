"""AWS's answers, each turned into the failure that says what to do about it."""

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, NoCredentialsError

from syncer.elb.faults import fault
from syncer.elb.own_port import OwnPorts
from syncer.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    CredentialsExpiredError,
    InvalidTargetError,
    TargetGroupNotFoundError,
    ThrottledError,
    TooManyRegistrationsError,
    TooManyTargetsError,
    UnreachableError,
)
from syncer.model import InstanceId, Target, TargetHealth, TargetState
from tests.simulation.world import HTTP


def answered(code: str, message: str = "") -> AwsError:
    error = ClientError({"Error": {"Code": code, "Message": message}}, "RegisterTargets")
    return fault("RegisterTargets", error)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("TargetGroupNotFound", TargetGroupNotFoundError),
        ("TooManyTargets", TooManyTargetsError),
        ("TooManyRegistrationsForTargetId", TooManyRegistrationsError),
        ("ThrottlingException", ThrottledError),
        ("Throttling", ThrottledError),
        ("RequestLimitExceeded", ThrottledError),
        ("ExpiredToken", CredentialsExpiredError),
        ("InvalidClientTokenId", CredentialsExpiredError),
        ("ServiceUnavailable", AwsError),
    ],
)
def test_a_code_becomes_a_kind_and_stays_readable(code: str, kind: type[AwsError]) -> None:
    error = answered(code, "what AWS says")
    assert type(error) is kind
    assert (error.operation, error.code) == ("RegisterTargets", code)
    assert str(error).startswith(f"RegisterTargets: {code}: what AWS says")


def test_what_only_a_person_can_mend_says_how() -> None:
    said = str(answered("TargetGroupNotFound", "Target groups 'arn:…' not found"))
    assert said.endswith("not found; correct the ARN in the settings, or create the target group")
    said = str(fault("DescribeTargetHealth", NoCredentialsError()))
    assert "give the Pod a role" in said
    assert "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in said
    said = str(answered("ExpiredToken", "The security token included in the request is expired"))
    assert said.endswith("is expired; set a new key or token, or use a role")
    assert str(answered("SignatureDoesNotMatch")).endswith(
        "AWS_SECRET_ACCESS_KEY, or set this machine's clock"
    )


@pytest.mark.parametrize(
    "form",
    [
        "The following targets are not in a running state and cannot be registered: '{}', '{}'",
        "The following instances do not exist: '{}', '{}'",
        "Targets {{{}, {}}} are not supported",  # Kubernetes issue 56700: an M3 instance
    ],
)
def test_each_form_of_invalid_target_names_the_bad_ids(form: str) -> None:
    error = answered("InvalidTarget", form.format("i-0123456789abcdef0", "i-0fedcba9876543210"))
    assert isinstance(error, InvalidTargetError)
    assert error.ids == {"i-0123456789abcdef0", "i-0fedcba9876543210"}


def test_an_id_that_cannot_be_one_is_a_bad_target_and_no_bad_call() -> None:
    # AWS Load Balancer Controller issues 316, 328 and 3668: it kept every other target out, for ever.
    error = answered("ValidationError", "Instance ID 'i-0abcd1234efgh5678' is not valid")
    assert isinstance(error, InvalidTargetError)
    assert error.ids == {"i-0abcd1234efgh5678"}


def test_any_other_validation_error_accuses_no_target() -> None:
    assert type(answered("ValidationError", "'x' is not a valid target group ARN")) is AwsError


def test_an_invalid_target_without_ids_names_none() -> None:
    error = answered("InvalidTarget", "One or more targets are not valid")
    assert isinstance(error, InvalidTargetError)
    assert error.ids == frozenset()


def test_a_denied_call_names_the_action_to_allow() -> None:
    said = (
        "User: arn:aws:iam::123456789012:user/nlb-sync is not authorized to perform: "
        "elasticloadbalancing:RegisterTargets on resource: arn:aws:..."
    )
    error = answered("AccessDenied", said)
    assert isinstance(error, AccessDeniedError)
    assert error.action == "elasticloadbalancing:RegisterTargets"
    assert "allow elasticloadbalancing:RegisterTargets" in str(error)
    bare = answered("AccessDeniedException", "no")
    assert isinstance(bare, AccessDeniedError)
    assert bare.action == "elasticloadbalancing:RegisterTargets"


def test_no_answer_and_no_credentials_are_told_apart() -> None:
    silent = fault("DescribeTargetHealth", ConnectTimeoutError(endpoint_url="https://elb"))
    assert isinstance(silent, UnreachableError)
    assert silent.code == "ConnectTimeoutError"
    assert isinstance(fault("DescribeTargetHealth", NoCredentialsError()), CredentialsError)


def health(instance: str, port: int) -> TargetHealth:
    return TargetHealth(target=Target(InstanceId(instance), port), state=TargetState.HEALTHY)


def test_a_group_whose_own_port_may_not_be_asked_learns_it_from_what_it_registered() -> None:
    ports = OwnPorts()
    listed = [health("i-foreign", 9000)]
    assert ports.seen(HTTP, listed) == listed
    ports.registering(HTTP, [Target(InstanceId("i-a"), 0)])
    assert ports.seen(HTTP, listed) == listed
    assert [each.target for each in ports.seen(HTTP, [*listed, health("i-a", 80)])] == [
        Target(InstanceId("i-foreign"), 9000),
        Target(InstanceId("i-a"), 0),
    ]
    assert ports.seen(HTTP, [health("i-b", 80)])[0].target == Target(InstanceId("i-b"), 0)


def test_ports_that_were_given_are_never_rewritten() -> None:
    ports = OwnPorts()
    ports.registering(HTTP, [Target(InstanceId("i-a"), 80)])
    assert ports.seen(HTTP, [health("i-a", 80)])[0].target == Target(InstanceId("i-a"), 80)
