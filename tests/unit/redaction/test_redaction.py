"""What leaves the process holds no secret, however it is written down there."""

import base64
import io
import json
import os
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError, HTTPClientError

from syncer.__main__ import main
from syncer.config.environment import prepare
from syncer.config.settings import load
from syncer.elb.faults import fault
from syncer.elb.variables import check_variables
from syncer.errors import CredentialsError, MisconfiguredError
from syncer.telemetry.web import document, text
from syncer.text import redaction
from syncer.text.redaction import (
    RedactedStream,
    know,
    know_environment,
    redacted,
    redacted_input,
    redacted_json,
)

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKE="
ID = "ASIAQWERTYUIOPASDFGH"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06YSJ9.c2lnbmF0dXJl"
PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIA\n-----END EC PRIVATE KEY-----"
ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/Http12345678901/73e2d6bc24d8a067"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", {})


@pytest.mark.parametrize(
    ("said", "hidden"),
    [
        ("Authorization: AWS4-HMAC-SHA256 Credential=AKIA1/x, SignedHeaders=host, Signature=abc", "abc"),
        ("Invalid header value b'AWS4-HMAC-SHA256 Credential=AK\\n1/2026/aws4_request'", "2026"),
        ("{'Authorization': b'AWS4-HMAC-SHA256 Credential=k/2026, Signature=5ec7e7'}", "5ec7e7"),
        ("authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("{'Authorization': ['Basic dXNlcjpwYXNz']}", "dXNlcjpwYXNz"),
        ("map[Authorization:[Bearer abcd1234]]", "abcd1234"),
        ('{"AccessKeyId":"a","Token":"tok-hunter2-xyz"}', "tok-hunter2-xyz"),
        ("<Token>IQoJb3JpZ2lu</Token>", "IQoJb3JpZ2lu"),
        ("users: token k8s-aws-v1.aHR0cHM6Ly9zdHM", "aHR0cHM6Ly9zdHM"),
        ("Proxy-Authorization=Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("x-amz-security-token:IQoJb3JpZ2lu/x+y==", "IQoJ"),
        ("X-Amz-Security-Token=IQoJ%2Fb3Jp&X-Amz-Date=1", "IQoJ"),
        ("url%3FX-Amz-Signature%3D5ec7e7%26x", "5ec7e7"),
        ("?X-Amz-Credential=KEYID%2F2026&", "KEYID"),
        ('{"SecretAccessKey": "abc/def", "a": 1}', "abc/def"),
        ('{\\"SessionToken\\": \\"abc/def\\"}', "abc/def"),
        ("<SecretAccessKey>abc/def</SecretAccessKey>", "abc/def"),
        ("aws_secret_access_key = abc/def", "abc/def"),
        ("aws_secret_access_key=abc/def", "abc/def"),
        ("the key " + ID, ID),
        ("%2F" + ID + "%2F", ID),
        (f"token {JWT}", "eyJzdWIi"),
        ("Bearer abcdef.123456", "abcdef"),
        (PEM, "MHcC"),
        (PEM.splitlines()[0] + "\nMHcC", "MHcC"),
        ("http://user:pa@ss/w0rd@host/x", "w0rd"),
        ("http://user:pw@[::1]:8080/", "pw@"),
        ("https://token@host", "token@"),
    ],
)
def test_s2_a_secret_is_known_by_its_form(said: str, hidden: str) -> None:
    assert hidden not in redacted(said)
    assert hidden not in redacted(redacted(said))


@pytest.mark.parametrize(
    "said",
    [
        "DescribeTargetHealth: AccessDenied: allow elasticloadbalancing:DescribeTargetHealth",
        "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews: HTTP 403: forbidden",
        "AWS_SECRET_KEY is not set, but AWS_ACCESS_KEY is; allowed: both variables or none",
        "correct AWS_SECRET_ACCESS_KEY, or set this machine's clock",
        "http://127.0.0.1:8080/status and https://elb.eu-central-1.amazonaws.com:443/a@b",
        "bearer token missing; the security token included in the request is expired",
        ARN,
    ],
)
def test_s2_what_is_no_secret_stays(said: str) -> None:
    assert redacted(said) == said
    assert redacted_input(said) == said


def test_s2_a_secret_that_is_no_utf_8_is_hidden_too() -> None:
    raw = b"\xff\xfe1234567890"
    know_environment({"MY_TOKEN": os.fsdecode(raw)})
    for said in (os.fsdecode(raw), quote(raw), base64.b64encode(raw).decode()):
        assert "1234567890" not in redacted(f"got {said}")
        assert redacted(f"got {said}") != f"got {said}"


def test_s2_a_known_secret_is_hidden_in_each_form() -> None:
    know(SECRET, 'pass"w\\ord<&')
    forms = [SECRET, json.dumps({"k": SECRET}), quote(SECRET), quote(SECRET, safe="")]
    padded = [b"a" * before + SECRET.encode() + b"b" * after for before in range(3) for after in range(3)]
    forms += [*(base64.b64encode(each).decode() for each in padded)]
    forms += [base64.urlsafe_b64encode(SECRET.encode()).decode()]
    forms += [json.dumps('pass"w\\ord<&'), 'pass"w\\ord&lt;&amp;']
    for form in forms:
        shown = redacted(f"before {form} after")
        assert redaction.MASK in shown, form
        assert SECRET[4:12] not in shown
    assert redacted("before, after") == "before, after"


def test_s2_json_stays_json_and_large_answers_are_searched_too() -> None:
    know(SECRET)
    problem = f"Invalid header value b'{SECRET}' {ID} X-Amz-Signature=abc"
    small = {"p": [problem, {"q": problem}], "n": 1.5, "t": True, "z": None}
    for value in (small, {"p": problem, "x": ["y" * 70000]}):
        shown = redacted_json(value)
        assert json.loads(shown).keys() == value.keys()
        assert SECRET not in shown
        assert ID not in shown
        assert "abc" not in shown
        assert json.loads(document(value).body).keys() == value.keys()
    assert SECRET.encode() not in text(503, problem).body


def test_s2_streams_and_errors_are_redacted() -> None:
    know(SECRET)
    stream = io.StringIO()
    print(f"{SECRET} {ID}", file=RedactedStream(stream))
    assert stream.getvalue() == "*** ***\n"
    refused = ClientError({"Error": {"Code": SECRET, "Message": f"{ID} {SECRET}"}}, "RegisterTargets")
    error = fault("RegisterTargets", refused)
    for said in (str(error), error.code, error.detail, repr(error)):
        assert SECRET not in said
        assert ID not in said
    sent = fault("RegisterTargets", HTTPClientError(error=ValueError("Invalid header value b'AK\\n/2026'")))
    assert "2026" not in str(sent)


def test_b2_an_error_of_sts_is_none_of_elb() -> None:
    for operation in ("AssumeRole", "AssumeRoleWithWebIdentity", "GetRoleCredentials"):
        denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)
        assert isinstance(fault("DescribeTargetHealth", denied), CredentialsError)


def test_s2_the_secrets_of_the_environment_are_known_and_other_variables_are_not() -> None:
    know_environment(
        {
            "AWS_SECRET_KEY": "predecessors-secret",
            "AWS_SESSION_TOKEN": "session-token-1",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "agents-token",
            "HTTPS_PROXY": "user:proxy-password@host:3128",
            "AWS_ENDPOINT_URL_STS": "https://user:p%40ss%2Fword@host",
            "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/secrets/token",
            "SECRET_STORE_SERVICE_HOST": "10.100.20.3",
            "VAULT_TOKEN_PORT": "tcp://10.100.20.3:80",
        }
    )
    said = "predecessors-secret session-token-1 agents-token proxy-password p%40ss%2Fword p@ss/word"
    assert redacted(said) == " ".join(["***"] * 6)
    kept = "/var/run/secrets/token 10.100.20.3 tcp://10.100.20.3:80"
    assert redacted(kept) == kept


def test_b8_variables_are_trimmed_and_empty_ones_of_aws_are_not_set() -> None:
    given = {"AWS_ACCESS_KEY_ID": "\ufeffkey\r\n", "HTTPS_PROXY": "http://x \n", "AWS_PROFILE": " "}
    given |= {"AWS_ROLE_ARN": '"arn"', "KUBECONFIG": "/x\n", "PS1": " > "}
    prepare(given)
    assert given == {
        "AWS_ACCESS_KEY_ID": "key",
        "HTTPS_PROXY": "http://x",
        "PS1": " > ",
        "AWS_ROLE_ARN": '"arn"',
        "KUBECONFIG": "/x",
    }


SESSION = "IQoJb3Jp" + "aB3/" * 40
NAMES = (
    *("NLB_SYNC_TARGET_GROUPS", "NLB_SYNC_PORT", "NLB_SYNC_TARGET_LIMIT"),
    *("NLB_SYNC_ZONES", "NLB_SYNC_OWNERSHIP", "NLB_SYNC_LEAVING_TAINTS", "NLB_SYNC_PAUSED"),
    *("NLB_SYNC_NODE_SELECTOR", "NLB_SYNC_LOG_LEVEL", "NLB_SYNC_SERVING_SHARE"),
)


@pytest.mark.parametrize("key", [SECRET, SECRET[:39] + "0", ID, JWT, PEM, SESSION])
@pytest.mark.parametrize("name", NAMES)
def test_s3_a_key_in_another_variable_is_not_repeated(name: str, key: str) -> None:
    with pytest.raises(MisconfiguredError) as raised:
        load({"NLB_SYNC_TARGET_GROUPS": ARN, name: f"in ({key}"})
    for part in (key, key[:24], key[-20:], "MHcCAQEEIA"):
        assert part not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    ["http://user:hunter2@host x", "ftp://user:hunter2@host", "user:hunter2@host:80", "http://:hunter2@"],
)
def test_s3_a_password_in_a_url_is_not_repeated(url: str) -> None:
    with pytest.raises(MisconfiguredError) as raised:
        check_variables({"AWS_ENDPOINT_URL": url})
    assert "hunter2" not in str(raised.value)


def test_s3_no_flag_repeats_a_password(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--url", "http://user:hunter2@127.0.0.1:9"]) == 3
    wait = ["wait", SECRET[:39] + "A!", "--drained"]
    for words in (["status", "--url", "ftp://user:hunter2@x"], wait, ["status", f"--{ID}"]):
        with pytest.raises(SystemExit):
            main(words)
    said = capsys.readouterr()
    for hidden in ("hunter2", SECRET[:20], ID):
        assert hidden not in said.out + said.err
