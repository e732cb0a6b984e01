"""Claims are read from real tokens of any shape, and from nothing else."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from syncer.elb.claims import Claims, of_environment, parse

FOUND = Claims("https://issuer.example/id/A", "system:serviceaccount:nlb:syncer-sa", ("sts.amazonaws.com",))


def token(claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJFUzI1NiJ9.{body}.c2lnbmF0dXJl"


@pytest.mark.parametrize("audience", ["sts.amazonaws.com", ["sts.amazonaws.com"]])
def test_the_claims_of_a_token(audience: Any) -> None:
    found = parse(token({"iss": FOUND.issuer, "sub": FOUND.subject, "aud": audience}))
    assert found == FOUND
    assert found.service_account == "nlb/syncer-sa"
    assert found.issuer_path == "issuer.example/id/A"
    assert str(found) == f"sub {FOUND.subject}, aud sts.amazonaws.com, iss {FOUND.issuer}"


@pytest.mark.parametrize(
    "text",
    ["", "a.b", "a.b.c", "a.!.c", token([]), token(1), token({"iss": "a", "sub": "b"}), "x" * 100_000],
)
def test_any_other_text_has_none(text: str) -> None:
    assert parse(text) is None


def test_a_claim_is_one_line_of_limited_length() -> None:
    found = parse(token({"iss": "a\nb", "sub": "x" * 1000, "aud": []}))
    assert found is not None
    assert (found.issuer, len(found.subject), found.audiences) == ("a b", 256, ())


def test_the_token_file_of_the_source_is_read(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(token({"iss": FOUND.issuer, "sub": FOUND.subject, "aud": list(FOUND.audiences)}) + "\n")
    web = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(file)}
    assert of_environment("assume-role-with-web-identity", web) == FOUND
    assert of_environment("container-role", {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(file)}) == FOUND
    assert of_environment("container-role", web) is None
    assert of_environment("env", web) is None
    assert (
        of_environment("assume-role-with-web-identity", {"AWS_WEB_IDENTITY_TOKEN_FILE": "/no/file"}) is None
    )
    file.write_bytes(b"\xff\xfe\x00")
    assert of_environment("assume-role-with-web-identity", web) is None
