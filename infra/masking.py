"""Mask keys or passwords pasted into the stack configuration, before a message repeats the value."""

import re
from typing import Final

MASK: Final = "***"
_KEYS: Final = re.compile(
    # Access key ids, JSON web tokens, private keys, and user and password in a URL.
    r"(?:AKIA|ASIA)[A-Z0-9]{12,}"
    r"|eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?<![\w/.-])[\w.-]{1,256}:(?!\d+[/@])[^\s/@'\"]{1,1024}(?=@(?!sha256:)[\w\[])"
    r"|(?<=://)[^\s/@'\"]{0,256}:[^\s'\"]{0,1024}@",
    re.DOTALL,
)
# A secret access key has 40 characters of base64, a session token hundreds; a part may have been pasted.
_RUN: Final = re.compile(r"[A-Za-z0-9+/]{36,}={0,2}")


def masked(text: str) -> str:
    """Return `text` with everything masked that looks like a key."""
    return _RUN.sub(_masked_run, _KEYS.sub(MASK, text))


def _masked_run(run: re.Match[str]) -> str:
    """Return the mask for a secret key or session token; digests and paths remain."""
    found = run[0]
    mixed = all(re.search(kind, found) for kind in ("[a-z]", "[A-Z]", "[0-9+/]"))
    return MASK if mixed and not re.match(r"/?[a-z]{3,}/", found) else found
