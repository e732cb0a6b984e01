"""Shapes shared by several keys of the configuration: names, ports, maps of strings."""

from typing import Any

from syncer.manifests.references import IMAGE, REPOSITORY

from .problems import VALUE
from .shapes import CHARACTER, REQUIRED, Entries, Text, Whole

__all__ = ["IMAGE", "REPOSITORY"]

LABEL = r"(?=.{1,63}$)[a-z]([-a-z0-9]*[a-z0-9])?"  # RFC 1035, allowed by Kubernetes for a Service
PORT_NAME = r"(?=.{1,15}$)(?=.*[a-z])[a-z0-9]([-a-z0-9]*[a-z0-9])?"  # IANA service name
ENV_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
SUBDOMAIN_FORM = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"  # RFC 1123, any length
SUBDOMAIN = r"(?=.{1,253}$)" + SUBDOMAIN_FORM
# Without look-ahead, which the Go regular expressions of the chart's schema lack.
_LABEL_NAME = r"[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?"
LABEL_VALUE = rf"({_LABEL_NAME})?"
LABEL_KEY = r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?" + _LABEL_NAME
# The whole rule of the API server: LABEL_KEY also accepts empty parts of the domain, such as a..b/c.
_LENGTHS = r"(?=([^/]{1,253}/)?[^/]{1,63}$)"
QUALIFIED_LABEL = rf"{_LENGTHS}({SUBDOMAIN_FORM}/)?{_LABEL_NAME}"
# The API server reads the domain of an annotation's key in lower case.
QUALIFIED_ANNOTATION = rf"{_LENGTHS}({SUBDOMAIN_FORM.replace('a-z', 'A-Za-z')}/)?{_LABEL_NAME}"


def object_name(default: str, reason: str, *, output: bool = False) -> Text:
    """A Kubernetes object's name."""
    what = "a lower-case DNS label of at most 63 characters"
    return Text(default=default, reason=reason, allowed=what, pattern=LABEL, example=default, output=output)


def port_name(reason: str, default: Any = REQUIRED) -> Text:
    """The name of a port of the ingress Service."""
    allowed = "a port name of at most 15 lower-case letters, digits and hyphens"
    return Text(reason=reason, allowed=allowed, pattern=PORT_NAME, example="http", default=default)


def tcp_port(reason: str) -> Whole:
    """A TCP port."""
    return Whole(low=1, high=65535, reason=reason, example="<port>")


def node_port(reason: str) -> Whole:
    """A NodePort; clashes with ports of a node are checked across keys (infra/ports.py)."""
    return Whole(low=1024, high=65535, reason=reason, example="30080")


def strings(
    reason: str,
    default: object = None,
    *,
    allowed: str = "strings by key",
    pattern: str = rf"{CHARACTER}*",
    key_pattern: str = rf"{CHARACTER}+",
) -> Entries:
    """A map of the user's own strings."""
    item = Text(
        reason="",
        allowed="a string; write numbers and true/false in quotes",
        pattern=pattern,
        example=VALUE,
    )
    return Entries(
        item=item,
        reason=reason,
        allowed=allowed,
        key_pattern=key_pattern,
        default={} if default is None else default,
    )
