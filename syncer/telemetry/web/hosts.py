"""Allowed Host names of HTTP requests: a page of another origin must not read by DNS rebinding.

An attacker's name can resolve to the Pod's address, but then the browser sends the attacker's name in Host.
Addresses and `localhost` cannot be rebound.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

ALLOWED = (
    "allowed: an IP address, localhost, a name of the Pod or its Service, or a name in NLB_SYNC_HTTP_HOSTS"
)
_HOST = re.compile(r"(?P<name>\[[^\[\]]*\]|[^\[\]:]*)(:[0-9]*)?", re.ASCII)
_CLUSTER_DOMAIN = "cluster.local"


@dataclass(frozen=True, slots=True)
class Hosts:
    """Names allowed in Host besides addresses and localhost, in lower case."""

    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, own: Iterable[str], namespace: str, more: Iterable[str] = ()) -> "Hosts":
        """Allow the `own` names of Pod and Service, also as completed by the cluster's DNS."""
        ends = [""]
        if namespace:
            inside = f".{namespace}.svc"
            ends += [f".{namespace}", inside, f"{inside}.{_CLUSTER_DOMAIN}"]
        completed = (f"{name}{end}" for name in filter(None, own) for end in ends)
        return cls(frozenset(name.lower() for name in (*completed, *more)))

    def allow(self, host: str) -> bool:
        """Return whether a request with Host `host` (with or without port) is for this process."""
        read = _HOST.fullmatch(host)
        if not read:
            return False
        name = read["name"].lower()
        if name.startswith("["):
            return _is_address(IPv6Address, name[1:-1])
        if _is_address(IPv4Address, name):
            return True
        name = name.removesuffix(".")
        return name == "localhost" or name in self.names


def _is_address(kind: type[IPv4Address] | type[IPv6Address], text: str) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True
