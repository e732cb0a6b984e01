"""Hosts in a user's text: an IP address or a DNS name, in ASCII.

The standard library passes other text to the IDNA codec, with errors of its own, or to the resolver, which
reads `1` and `127.1` as addresses.
"""

import ipaddress
import re
from urllib.parse import urlsplit

from syncer.text.quote import quoted

_LONGEST_NAME = 253
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
# The last label of a name has a letter: otherwise the text counts as an address.
_TOP = re.compile(r".*[A-Za-z].*")
_HOST_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*"
)
# Scope of a link-local address, the name or number of an interface (RFC 4007); Linux allows 15 characters.
_SCOPE = re.compile(r"[A-Za-z0-9._-]{1,15}")


def is_host(text: str) -> bool:
    """Return whether `text` is an IP address (with an interface if link-local) or a DNS name."""
    address, scoped, scope = text.partition("%")
    try:
        return bool(ipaddress.ip_address(address)) and (
            not scoped or (":" in address and _SCOPE.fullmatch(scope) is not None)
        )
    except ValueError:
        labels = text.removesuffix(".").split(".")
        return (
            len(text) <= _LONGEST_NAME
            and all(map(_LABEL.fullmatch, labels))
            and _TOP.fullmatch(labels[-1]) is not None
        )


def is_loopback(text: str) -> bool:
    """Return whether `text` is an address, or a name of an address, that only the own host reaches."""
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return text.lower().removesuffix(".") in {"localhost", "localhost.localdomain"}


def is_url(text: str) -> bool:
    """Return whether `text` is the URL of a server: http or https, a host and an optional port."""
    if not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        return False


def parse_names(text: str) -> frozenset[str]:
    """Parse NLB_SYNC_HTTP_HOSTS: comma-separated DNS names, without port; ValueError for other text."""
    names = [each.strip().lower().removesuffix(".") for each in text.split(",") if each.strip()]
    for name in names:
        if not _HOST_NAME.fullmatch(name):
            raise ValueError(f"{quoted(name)} is not a host name")
    return frozenset(names)
