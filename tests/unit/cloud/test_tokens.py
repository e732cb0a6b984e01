"""Tokens are read from any text and verified by the keys of RFC 7517."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from sandbox.cloud.tokens import MalformedTokenError, UnverifiedTokenError, parse

CLAIMS = {"iss": "https://a.example", "sub": "s", "aud": "one", "exp": 10}


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def number(value: int) -> str:
    return encoded(value.to_bytes((value.bit_length() + 7) // 8))


def signed(key: rsa.RSAPrivateKey, **header: Any) -> str:
    head = encoded(json.dumps({"alg": "RS256", "kid": "k", **header}).encode())
    text = f"{head}.{encoded(json.dumps(CLAIMS).encode())}"
    return f"{text}.{encoded(key.sign(text.encode(), padding.PKCS1v15(), SHA256()))}"


def jwk(key: rsa.RSAPrivateKey, kid: str = "k") -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    return {"kty": "RSA", "kid": kid, "n": number(numbers.n), "e": number(numbers.e)}


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def test_a_token_of_an_rsa_key_is_verified_by_that_key_alone(key: rsa.RSAPrivateKey) -> None:
    token = parse(signed(key))
    assert (token.issuer, token.subject, token.audiences, token.expires) == (
        "https://a.example",
        "s",
        ("one",),
        10,
    )
    token.verify([jwk(key, "other"), jwk(key)])
    for keys in ([], [jwk(key, "other")], [jwk(rsa.generate_private_key(65537, 2048))]):
        with pytest.raises(UnverifiedTokenError):
            token.verify(keys)


def test_the_algorithm_none_is_not_verified(key: rsa.RSAPrivateKey) -> None:
    with pytest.raises(UnverifiedTokenError):
        parse(signed(key, alg="none")).verify([jwk(key)])


@pytest.mark.parametrize(
    "text", ["", "a.b.c", "e30.e30.e30", "é.é.é", ".".join([encoded(b"[]")] * 3), "a" * 9999]
)
def test_any_other_text_is_malformed(text: str) -> None:
    with pytest.raises(MalformedTokenError):
        parse(text)
