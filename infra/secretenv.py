"""Secret values of `syncer.env`: stored in a Kubernetes Secret, not in the Pod's template."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

import pulumi

from .problems import Problem
from .shapes import child

# A value with only a reference to another variable is no secret, and only the Pod's template expands
# references.
REFERENCE: Final = re.compile(r"\$\([A-Za-z_]\w*\)(:\d{1,5})?", re.ASCII)
POD_FIELDS: Final = frozenset({"POD_IP", "POD_NAME"})


def concealed(env: Mapping[str, pulumi.Input[str]]) -> dict[str, pulumi.Input[str]]:
    """Return `env` of a configuration key with a secret, its values as secret Outputs.

    Pulumi reports only that some value of the whole key is secret, so all values except references are
    secret.
    """
    return {
        name: value if isinstance(value, str) and REFERENCE.fullmatch(value) else pulumi.Output.secret(value)
        for name, value in env.items()
    }


def unexpanded(env: Mapping[str, pulumi.Input[str]]) -> Iterator[Problem]:
    """Yield a line for every secret value with text around a reference."""
    known = POD_FIELDS | env.keys()
    for name, value in env.items():
        if not isinstance(value, str) or REFERENCE.fullmatch(value):
            continue
        if used := sorted(known & set(re.findall(r"\$\((\w+)\)", value))):
            path = child("syncer.env", name)
            read = f"a reference to {used[0]} in a configuration key that holds secrets"
            allowed = (
                f"only a reference, as $({used[0]}), or no reference: values of a Secret are not expanded"
            )
            yield Problem(path, read, allowed, f"write the value without $({used[0]})")


def split(
    env: Mapping[str, pulumi.Input[str]],
) -> tuple[dict[str, str], dict[str, pulumi.Output[str]]]:
    """Split `env` into plain values and, for a Secret, the Outputs."""
    plain = {name: value for name, value in env.items() if isinstance(value, str)}
    secret = {name: value for name, value in env.items() if isinstance(value, pulumi.Output)}
    return plain, secret


def digest(values: Mapping[str, str], salt: str) -> str:
    """Return a digest of secret values for an annotation, slow to compute.

    A reader of Deployments may lack access to Secrets: with a fast digest a short secret could be guessed.
    """
    if not values:
        return ""
    text = json.dumps(dict(values), sort_keys=True)
    return hashlib.scrypt(text.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=16).hex()
