"""Failures of what gives credentials are told apart from those of ELB, name the cure, and are retried."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.credentials.conftest import Place, until
from tests.integration.credentials.stand_in import KEYS, Request, answers, refusal

DENIED = refusal(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
NO_PROVIDER = refusal(400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account")
Arrange = Callable[[Place], dict[str, str]]


def sts(said: tuple[int, str]) -> Arrange:
    def arrange(place: Place) -> dict[str, str]:
        place.aws.answer = lambda request: said if request.what.startswith("AssumeRole") else answers(request)
        return place.irsa

    return arrange


def token_file(change: Callable[[Path], object]) -> Arrange:
    def arrange(place: Place) -> dict[str, str]:
        found = place.irsa
        path = Path(found["AWS_WEB_IDENTITY_TOKEN_FILE"])
        path.unlink()
        change(path)
        return found

    return arrange


def agent(status: int, text: str) -> Arrange:
    def arrange(place: Place) -> dict[str, str]:
        place.aws.answer = lambda _: (status, text)
        return place.pod_identity

    return arrange


def agents_token(change: Callable[[Path], object]) -> Arrange:
    def arrange(place: Place) -> dict[str, str]:
        found = place.pod_identity
        path = Path(found["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"])
        path.unlink()
        change(path)
        return found

    return arrange


def profile(text: str, name: str = "default") -> Arrange:
    def arrange(place: Place) -> dict[str, str]:
        file = place.directory / "config"
        file.write_text(text.replace("STS", place.aws.url))
        return {"AWS_CONFIG_FILE": str(file), "AWS_PROFILE": name, "AWS_EC2_METADATA_DISABLED": "true"}

    return arrange


def chained(place: Place) -> dict[str, str]:
    place.aws.answer = lambda _: refusal(403, "AccessDenied", "not authorized to perform: sts:AssumeRole")
    text = (
        "[default]\nrole_arn=arn:aws:iam::123456789012:role/x\nsource_profile=base\n"
        "[profile base]\naws_access_key_id=k\naws_secret_access_key=s\n"
    )
    return profile(text)(place)


CASES = {
    "sts-denied": (sts(DENIED), "trust policy"),
    "sts-no-provider": (sts(NO_PROVIDER), "OIDC provider"),
    "sts-expired": (sts(refusal(400, "ExpiredTokenException", "Token expired")), "kubelet renews"),
    "sts-garbled": (sts((200, "<html>login</html>")), "annotation"),
    "assume-role-denied": (chained, "trust policy"),
    "token-missing": (token_file(lambda _: None), "annotation"),
    "token-empty": (token_file(lambda path: path.write_text("\n")), "is empty"),
    "token-two-lines": (token_file(lambda path: path.write_text("a\nb")), "line breaks"),
    "token-binary": (token_file(lambda path: path.write_bytes(b"\xff\xfe\0")), "annotation"),
    "agent-404": (agent(404, "no association"), "Pod Identity association"),
    "agent-not-json": (agent(200, "<html/>"), "Pod Identity association"),
    "agent-other-json": (agent(200, '{"Code": "AccessDenied"}'), "eks-pod-identity-agent"),
    "agent-token-missing": (agents_token(lambda _: None), "Pod Identity association"),
    "process-fails": (profile("[default]\ncredential_process=false\n"), "credential_process"),
    "process-absent": (profile("[default]\ncredential_process=/not/there\n"), "credential_process"),
    "process-no-json": (profile("[default]\ncredential_process=echo hello\n"), "credential_process"),
    "profile-loop": (
        profile(
            "[default]\nrole_arn=arn:aws:iam::1:role/x\nsource_profile=b\n"
            "[profile b]\nrole_arn=r\nsource_profile=default\n"
        ),
        "correct the profile",
    ),
    "profile-mfa": (
        profile(
            "[default]\nrole_arn=arn:aws:iam::123456789012:role/x\nsource_profile=base\nmfa_serial=arn:aws:iam::1:mfa/m\n"
            "[profile base]\naws_access_key_id=k\naws_secret_access_key=s\n"
        ),
        "MFA code (mfa_serial), which the syncer cannot provide; correct the profile",
    ),
    "profile-absent": (profile("[default]\n", "missing"), "AWS_PROFILE"),
    "profile-broken": (profile("nonsense"), "AWS_PROFILE"),
    "nothing": (lambda _: {}, "hop limit"),
}


@pytest.mark.parametrize(("arrange", "cure"), CASES.values(), ids=CASES)
def test_b2_doctor_shows_a_failed_row_that_names_the_cure(place: Place, arrange: Arrange, cure: str) -> None:
    row, said = place.doctor(**arrange(place))
    assert row["result"] == "fails"
    assert cure in row["says"]
    assert "elasticloadbalancing:" not in row["says"]
    assert "Traceback" not in said
    assert place.aws.asked("DescribeTargetHealth") == []


@pytest.mark.parametrize("said", [DENIED, NO_PROVIDER], ids=["denied", "no-provider"])
def test_b2_run_is_never_blind_for_it_and_works_once_it_is_mended(
    place: Place, said: tuple[int, str]
) -> None:
    syncer = place.run(**sts(said)(place))
    status = until(lambda: syncer.status["groups"][0]["read_problem"] and syncer.status, within=150)
    assert "AssumeRoleWithWebIdentity" in status["groups"][0]["read_problem"]
    assert "elasticloadbalancing:" not in status["groups"][0]["read_problem"]
    assert status["blind"] is False
    assert syncer.metric('nlb_sync_blind{target_group="http"}') == 0
    code = "AccessDenied" if said is DENIED else "InvalidIdentityToken"
    assert syncer.metric(f'nlb_sync_aws_calls_total{{code="{code}",operation="Credentials"}}') >= 1
    assert syncer.metric(f'nlb_sync_aws_calls_total{{code="{code}",operation="DescribeTargetHealth"}}') < 1
    place.aws.answer = answers
    until(lambda: syncer.status["groups"][0]["fresh"], within=150)
    assert "Traceback" not in syncer.log.read_text()
    assert syncer.stop(30) == 0


@pytest.mark.parametrize(
    "words",
    [("plan",), ("explain",), ("wait", "i-0123456789abcdef0", "--drained", "--timeout", "1"), ("leave",)],
)
def test_b2_every_command_reports_it_in_one_line(place: Place, words: tuple[str, ...]) -> None:
    code, said = place.ask(*words, **sts(DENIED)(place))
    assert code != 0
    assert "trust policy" in said
    assert "Traceback" not in said
    assert "runs blind" not in said


KEY = {"AWS_ACCESS_KEY_ID": "AKIAQWERTYUIOPASDFGH", "AWS_SECRET_ACCESS_KEY": KEYS["SecretAccessKey"]}


@pytest.mark.parametrize("end", ["\n", "\r\n", " \t", "\ufeff"])
def test_b8_white_space_around_keys_is_left_out(place: Place, end: str) -> None:
    token = KEYS["SessionToken"]
    given = {**KEY, "AWS_SESSION_TOKEN": token}
    names = ("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2", "AWS_ENDPOINT_URL_STS", "KUBECONFIG")
    padded = {name: f"{end}{text}{end}" for name, text in given.items()}
    padded |= {name: place.environment[name] + end for name in names}
    place.ask("plan", **padded)
    (request, *_) = place.aws.asked("DescribeTargetHealth")
    assert f"Credential={KEY['AWS_ACCESS_KEY_ID']}/" in request.headers["authorization"]
    assert request.headers["x-amz-security-token"] == token


@pytest.mark.parametrize("end", ["\n", "\r\n", " "])
def test_b8_white_space_around_the_agents_token_is_left_out(place: Place, end: str) -> None:
    found = place.pod_identity
    Path(found["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]).write_bytes(f"an-agent-token{end}".encode())
    place.ask("plan", **found)
    assert {each.headers["authorization"] for each in place.aws.asked("GET /v1/credentials")} == {
        "an-agent-token"
    }
    place.aws.requests.clear()
    del found["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]
    place.ask("plan", **found, AWS_CONTAINER_AUTHORIZATION_TOKEN=f"another-token{end}")
    assert place.aws.asked("GET /v1/credentials")[0].headers["authorization"] == "another-token"
    assert place.aws.asked("DescribeTargetHealth")


def test_b8_white_space_around_a_web_identity_is_left_out(place: Place) -> None:
    found = place.irsa
    Path(found["AWS_WEB_IDENTITY_TOKEN_FILE"]).write_bytes(b"a-web-identity-token\r\n")
    found = {name: f"{text}\n" for name, text in found.items()}
    place.ask("plan", **found)
    form = place.aws.asked("AssumeRoleWithWebIdentity")[0].form
    assert form["WebIdentityToken"] == "a-web-identity-token"
    assert form["RoleArn"].endswith("role/syncer")
    assert place.aws.asked("DescribeTargetHealth")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("AWS_ACCESS_KEY_ID", "wJalrXUtn FEMI"),
        ("AWS_ACCESS_KEY_ID", '"{}"'),
        ("AWS_SECRET_ACCESS_KEY", "'{}'"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMé"),
        ("AWS_SESSION_TOKEN", "wJalrXUtnFEMI/K7MD\nENG/bPxRfiCYEXAMPLEKEY"),
    ],
)
def test_b8_a_key_that_no_header_can_carry_is_reported_and_not_shown(
    place: Place, name: str, text: str
) -> None:
    value = text.format(KEYS["SecretAccessKey"])
    row, said = place.doctor(**{**KEY, name: value})
    assert row["result"] == "fails"
    assert "quotes" in row["says"] or "illegal character" in row["says"]
    assert "wJalrXUtn" not in said
    assert "Authorization" not in said
    assert place.aws.asked("DescribeTargetHealth") == []


def leaky(request: Request) -> tuple[int, str] | None:
    """ELB, or a proxy before it, that quotes the request."""
    if request.what != "DescribeTargetHealth":
        return answers(request)
    quoted = "".join(f" {name}: {value}" for name, value in request.headers.items())
    said = f"cannot take{quoted} X-Amz-Signature=5ec7e7 secret {KEYS['SecretAccessKey']}"
    return refusal(400, "ValidationError", said)


def test_s2_no_output_holds_a_secret_that_aws_quotes(place: Place) -> None:
    place.aws.answer = leaky
    syncer = place.run(**place.pod_identity)
    until(lambda: "cannot take" in syncer.status["groups"][0]["read_problem"], within=150)
    told = [syncer.get(path)[1] for path in ("/status", "/metrics", "/readyz", "/")]
    asked = [("status", "--json", "--url", syncer.url), ("status", "--url", syncer.url), ("doctor",)]
    asked += [("plan", "--json"), ("explain", "--json"), ("--debug", "plan"), ("leave",)]
    told += [place.ask(*words, **place.pod_identity)[1] for words in asked]
    told.append(syncer.log.read_text())
    for line in syncer.log.read_text().splitlines():
        json.loads(line)
    for text in told:
        for secret in (KEYS["SecretAccessKey"], KEYS["SessionToken"], KEYS["AccessKeyId"], "5ec7e7"):
            assert secret not in text
        assert "Signature=" not in text.replace("Signature=***", "")
