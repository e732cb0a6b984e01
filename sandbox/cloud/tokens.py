"""The verification of ServiceAccount tokens by STS and EKS: JSON Web Tokens of the cluster's issuer."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

Jwk = Mapping[str, Any]
_ES256_BYTES = 32  # for either of the two numbers in a signature (RFC 7518, 3.4)


class MalformedTokenError(Exception):
    """The text is not a JSON Web Token."""


class UnverifiedTokenError(Exception):
    """No key of the issuer verifies the signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A parsed token, untrusted before `verify`. `expires` is in seconds since 1970."""

    issuer: str
    subject: str
    audiences: tuple[str, ...]
    expires: int
    claims: Mapping[str, Any]
    _header: Mapping[str, Any]
    _signed: bytes
    _signature: bytes

    def verify(self, keys: Iterable[Jwk]) -> None:
        """Check the signature with the issuer's keys (RFC 7517). Raises UnverifiedTokenError."""
        for key in keys:
            if key.get("kid") == self._header.get("kid") and _verifies(key, self):
                return
        raise UnverifiedTokenError


def parse(text: str) -> Token:
    """Parse a token. Raises MalformedTokenError."""
    try:
        header, claims, signature = text.split(".")
        read = json.loads(_decoded(claims))
        audience = read["aud"]
        return Token(
            issuer=str(read["iss"]),
            subject=str(read["sub"]),
            audiences=(audience,) if isinstance(audience, str) else tuple(map(str, audience)),
            expires=int(read["exp"]),
            claims=read,
            _header=json.loads(_decoded(header)),
            _signed=f"{header}.{claims}".encode(),
            _signature=_decoded(signature),
        )
    except (ValueError, LookupError, TypeError, AttributeError, binascii.Error):
        raise MalformedTokenError from None


def _verifies(key: Jwk, token: Token) -> bool:
    algorithm = token._header.get("alg")  # noqa: SLF001 (a function of this module)
    signature, signed = token._signature, token._signed  # noqa: SLF001
    try:
        if algorithm == "ES256" and key.get("crv") == "P-256" and len(signature) == 2 * _ES256_BYTES:
            point = ec.EllipticCurvePublicNumbers(_number(key["x"]), _number(key["y"]), ec.SECP256R1())
            first, second = signature[:_ES256_BYTES], signature[_ES256_BYTES:]
            der = encode_dss_signature(int.from_bytes(first), int.from_bytes(second))
            point.public_key().verify(der, signed, ec.ECDSA(SHA256()))
        elif algorithm == "RS256" and key.get("kty") == "RSA":
            numbers = rsa.RSAPublicNumbers(_number(key["e"]), _number(key["n"]))
            numbers.public_key().verify(signature, signed, padding.PKCS1v15(), SHA256())
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _number(text: str) -> int:
    return int.from_bytes(_decoded(text))


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
