"""What people call a node: its name, its instance's id, or what kubectl and the cloud print for it."""

import re
from collections.abc import Collection

# A providerID, or a bare id in one of AWS's two lengths: a Node called i-workers01, taken for an instance
# that no group lists, would count as drained.
_INSTANCE = re.compile(r"aws://.*/(i-[0-9a-z]+)|(i-[0-9a-f]{8}(?:[0-9a-f]{9})?)")
# `kubectl get nodes -o name` prints node/NAME.
_KIND = re.compile(r"(?:nodes?|no)/")
# A Node's name is a DNS subdomain: lower-case labels with dots between them.
_NODE = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_ALIKE = 0.8


def instance_of(name: str) -> str | None:
    """The instance id that a bare id or a providerID names; None for a Node's name."""
    found = _INSTANCE.fullmatch(name)
    return (found[1] or found[2]) if found else None


def plain(name: str) -> str:
    """The Node's name or the instance id in `node/NAME` or in a providerID."""
    kind = _KIND.match(name)
    return instance_of(name) or (name[kind.end() :] if kind else name)


def is_name(name: str) -> bool:
    """Whether a node may be called so; with another text the API server would be asked for another thing."""
    return bool(instance_of(name) or _NODE.fullmatch(plain(name)))


def hint(name: str, known: Collection[str]) -> str:
    """`; did you mean …?` with the names that are most like an unknown one; "" where none is.

    The first label of a name that is a DNS name is most like it: EKS has such, and people type the half.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - only for an unknown name

    asked = name.lower()
    near = sorted(each for each in known if each.startswith(f"{asked}."))
    near = near or get_close_matches(asked, known, n=3, cutoff=_ALIKE)
    return f"; did you mean {' or '.join(near[:3])}?" if near else ""
