"""Remove secrets from output: by pattern, and by value once a value is registered.

Every output passes `redacted`: standard output and error, log lines, HTTP bodies, events, and the message of
each SyncerError. Text that quotes a user's input passes `redacted_input`, which also hides values that only
look like a key.
"""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TextIO
from urllib.parse import quote, quote_plus, unquote

MASK = "***"
# A shorter value is hardly a secret, and its mask would hide parts of ordinary text.
_SHORTEST = 8
_SECRET_NAME = re.compile(
    r".*(SECRET(_ACCESS)?(_KEY)?|TOKEN|PASSWORD|PASSWD)|AWS_BEARER_TOKEN_.*", re.IGNORECASE
)
_URL_NAME = re.compile(r".*(_PROXY|_URL|_URI|_ENDPOINT)", re.IGNORECASE)
# A password may have characters invalid in a URL, if the text after the colon is no port.
_USERINFO = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?([^/?#\s]*|[^/:@\s]*:(?!\d+(?:[/?#]|$)).*)@", re.DOTALL
)

# `name: value`, `name=value`, JSON (escaped or not), XML and URL-encoded forms of these names.
_NAMES = (
    r"x-am[zn][a-z]*-security-token|x-amz-signature|x-amz-credential|x-aws-ec2-metadata-token(?!-ttl)"
    r"|x-amz-sso_bearer_token|x-auth-token|aws_?secret_?access_?key|aws_?secret_?key|aws_?access_?key(?:_?id)?"
    r"|aws_?(?:session|security)_?token|secret_?access_?key|session_?token|access_?key_?id|access_?token"
    # The name in instance metadata and the Pod Identity agent, as a key of JSON or an element alone.
    r"|\btoken(?=\\*['\"]|>)|refresh_?token|id_?token|web_?identity_?token|client_?secret|client-key-data|api[_-]?key|password|passwd"
)
_BETWEEN = r"""(?:\\*['"])?\s*(?:[:=>]|%3[aAdD])\s*\[?(?:b?\\*['"])?"""
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        MASK,
    ),
    # The HTTP client quotes a refused header. The replacement has other words, so that no text matches twice.
    (re.compile(r"(?i)invalid (header (?:value|name))\b[^\n]*"), rf"illegal \1 {MASK}"),
    (re.compile(r"(?s)AWS4-[A-Z0-9-]+\s+Credential=.{0,4096}?Signature=[0-9a-fA-F]+"), MASK),
    (re.compile(rf"(?i)(authorization{_BETWEEN})(?:[a-z0-9-]+\s+)?[^\s'\",;<>\\]+"), rf"\1{MASK}"),
    (re.compile(r"(?i)\b(bearer\s+)(?=\S*[0-9._=-])[a-z0-9._~+/=-]{8,}"), rf"\1{MASK}"),
    (re.compile(rf"(?i)((?:{_NAMES}){_BETWEEN})(?!\*\*\*)[^\s'\"&,;<>\\)}}\]]+"), rf"\1{MASK}"),
    (re.compile(r"\b(Credential=|Signature=)[^\s'\"&,;<>\\)]+"), rf"\1{MASK}"),
    (re.compile(r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}"), MASK),
    (
        re.compile(r"k8s-aws-v1\.[A-Za-z0-9_=-]+"),
        MASK,
    ),  # a signed URL in base64, as `aws eks get-token` prints it
    (re.compile(r"eyJ[A-Za-z0-9_-]{8,}(?:\.|%2[eE])[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?"), MASK),
    # User and password in a URL, also where the password has invalid characters.
    (re.compile(r"(://)[^\s/@'\"<>:]{0,256}:(?!\d+[/?#])[^\s'\"<>]{0,1024}@"), r"\1"),
    (re.compile(r"(://)[^\s/'\"<>]{0,1024}@"), r"\1"),
)
# A /status of 5,000 nodes has 2 MB; the free text was redacted at the source (each SyncerError). For large
# text the patterns, 0.5 s of CPU, are applied only where a mark shows a missed secret.
_LARGE = 65536
_MARKS = (
    *("AKIA", "ASIA", "eyJ", "PRIVATE KEY", "AWS4-", "X-Amz-", "x-amz-", "uthorization:", "earer ", "://"),
    *(
        "k8s-aws-v1.",
        'oken"',
        "ignature=",
        "redential=",
        "ecret_access_key",
        "ecretAccessKey",
        "nvalid header",
        "assword",
    ),
)

# A secret access key has 40 characters of base64, a session token hundreds; a user may have pasted a part.
_RUN = re.compile(r"[A-Za-z0-9+/]{36,}={0,2}")
_PATH = re.compile(r"/?[a-z]{3,}/")
# `user:password@host` without the scheme of a URL.
_BARE_USERINFO = re.compile(r"[^\s/:@'\"=,(]{1,256}:(?!//|\d+[/?#])[^\s@'\"]{1,1024}@(?=[\w\[])")

# Keys, and tokens of the cluster, are renewed about every hour: the last values are enough.
_KEPT = 20
# Registered values with their forms in text, the value itself first.
_known: dict[str, tuple[str, ...]] = {}


def know(*secrets: str | None) -> None:
    """Redact the values from now on, in all text forms."""
    for secret in secrets:
        if secret and len(secret) >= _SHORTEST and secret not in _known:
            _known[secret] = tuple(dict.fromkeys(_forms(secret)))
    for oldest in list(_known)[:-_KEPT]:
        _known.pop(oldest, None)


def know_environment(environment: Mapping[str, str]) -> None:
    """Redact the secrets among the variables, and the passwords in URLs."""
    for name, text in environment.items():
        value = text.strip()
        if _SECRET_NAME.fullmatch(name):
            know(value)
        if _URL_NAME.fullmatch(name) or "://" in value:
            know_userinfo(value)


def know_userinfo(url: str) -> None:
    """Redact user and password of this URL everywhere; a short password only beside the user."""
    if found := _USERINFO.match(url):
        user, _, password = found[1].partition(":")
        for each in (password or user, unquote(password or user)):
            know(each, f"{user}:{each}@")


def redacted(text: str) -> str:
    """Return `text` without secrets."""
    large = len(text) > _LARGE
    for forms in list(_known.values()):
        for form in forms[:2] if large else forms:
            if form in text:
                text = text.replace(form, MASK)
    if large and not any(mark in text for mark in _MARKS):
        return text
    for pattern, mask in _PATTERNS:
        text = pattern.sub(mask, text)
    return text


def redacted_input(text: str) -> str:
    """Return `text` without secrets or key-like text: a value meant for another variable."""
    return _RUN.sub(_hidden_key, _BARE_USERINFO.sub("", redacted(text)))


def redacted_json(value: Any, indent: int | None = None) -> str:
    """Return `value` as JSON without secrets: strings are redacted singly, to keep the JSON valid."""
    text = json.dumps(value, indent=indent)
    return text if redacted(text) == text else json.dumps(redacted_values(value), indent=indent)


def redacted_values(value: Any) -> Any:
    """Return `value`, of JSON's kinds, with every string redacted; other kinds as their text."""
    if isinstance(value, Mapping):
        return {redacted(str(key)): redacted_values(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [redacted_values(each) for each in value]
    return value if value is None or isinstance(value, int | float) else redacted(str(value))


def _hidden_key(run: re.Match[str]) -> str:
    """Return the mask for a secret key or session token; paths, digests and names stay."""
    text = run[0]
    mixed = all(re.search(kind, text) for kind in ("[a-z]", "[A-Z]", "[0-9+/]"))
    return MASK if mixed and not _PATH.match(text) else text


def _forms(secret: str) -> Iterator[str]:
    """Yield the value unchanged, and escaped for JSON, Python, URLs, HTML and base64."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield html.escape(secret)
    yield html.escape(secret, quote=False)
    raw = secret.encode(errors="surrogateescape")  # a variable of the environment need not be UTF-8
    for encoded in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield encoded
        yield re.sub("%..", lambda match: match[0].lower(), encoded)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):  # the offset within the encoded text shifts the letters
            letters = encode(b"\0" * before + raw).decode().rstrip("=")
            yield letters[before and before + 1 : len(letters) - (len(raw) + before) % 3 or None]


class RedactedStream:
    """A text stream with redacted writes; other attributes are the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @classmethod
    def over(cls, stream: TextIO | None) -> "RedactedStream | None":
        """Return a stream over `stream`; None where the process has none."""
        return None if stream is None else cls(stream)

    def write(self, text: str) -> int:
        """Write `text` without secrets."""
        self._stream.write(redacted(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write all lines without secrets."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
