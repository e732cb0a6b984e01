"""Names of a node: its Node's name, its instance id, or the forms of kubectl and the cloud."""

import re
from collections.abc import Collection

# A providerID, or a bare id in one of AWS's two lengths. A Node named i-workers01, taken for an instance
# without targets, would count as drained.
_INSTANCE = re.compile(r"aws://.*/(i-[0-9a-z]+)|(i-[0-9a-f]{8}(?:[0-9a-f]{9})?)")
# `kubectl get nodes -o name` prints node/NAME.
_KIND = re.compile(r"(?:nodes?|no)/")
# A Node's name is a DNS subdomain: lower-case labels with dots between them.
_NODE = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_ALIKE = 0.8


def instance_of(name: str) -> str | None:
    """Return the instance id of a bare id or a providerID; None for a Node's name."""
    found = _INSTANCE.fullmatch(name)
    return (found[1] or found[2]) if found else None


def plain(name: str) -> str:
    """Return the Node's name or the instance id of `node/NAME` or a providerID."""
    kind = _KIND.match(name)
    return instance_of(name) or (name[kind.end() :] if kind else name)


def is_name(name: str) -> bool:
    """Return whether a node can have the name; other text would change the path of the API request."""
    return bool(instance_of(name) or _NODE.fullmatch(plain(name)))


def hint(name: str, known: Collection[str]) -> str:
    """Return `; did you mean …?` with the known names most like an unknown name; "" without any.

    The first label of a DNS name is the best match: EKS has such names, and users often type only the label.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - only for an unknown name

    wanted = name.lower()
    near = sorted(each for each in known if each.startswith(f"{wanted}."))
    near = near or get_close_matches(wanted, known, n=3, cutoff=_ALIKE)
    return f"; did you mean {' or '.join(near[:3])}?" if near else ""
