"""The claims of a Pod's token for credentials: issuer, subject and audience, never the token.

AWS verifies the token, not this module. The claims are shown beside the needs of the role's trust policy.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_FILES: Final = {
    "assume-role-with-web-identity": "AWS_WEB_IDENTITY_TOKEN_FILE",
    "container-role": "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
}
_BYTES: Final = 64 * 1024
_PARTS: Final = 3  # header, claims, signature (RFC 7519)
_SUBJECT: Final = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a ServiceAccount token."""

    issuer: str
    subject: str
    audiences: tuple[str, ...]

    @property
    def service_account(self) -> str:
        """`NAMESPACE/NAME`; the subject if not a ServiceAccount's."""
        return self.subject.removeprefix(_SUBJECT).replace(":", "/", 1)

    @property
    def issuer_path(self) -> str:
        """The issuer without its scheme, as in IAM's ARNs and condition keys."""
        return self.issuer.removeprefix("https://")

    def __str__(self) -> str:
        return f"sub {self.subject}, aud {', '.join(self.audiences)}, iss {self.issuer}"


def of_environment(method: str, environment: Mapping[str, str]) -> Claims | None:
    """Return the claims of the token for botocore's provider `method`; None if unreadable."""
    path = environment.get(_FILES.get(method, ""))
    if not path:
        return None
    try:
        with Path(path).open(encoding="utf-8-sig") as file:
            return parse(file.read(_BYTES).strip())
    except (OSError, ValueError):
        return None


def parse(token: str) -> Claims | None:
    """Return the claims of a JSON Web Token; None for any other text."""
    parts = token.split(".")
    if len(parts) != _PARTS:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        audience = found["aud"]
        audiences = (audience,) if isinstance(audience, str) else tuple(map(str, audience))
        return Claims(_shown(found["iss"]), _shown(found["sub"]), tuple(map(_shown, audiences)))
    except (ValueError, LookupError, TypeError):
        return None


def _shown(value: object) -> str:
    """Return a claim as a line of limited length."""
    return " ".join(str(value).split())[:256]
