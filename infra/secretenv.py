"""Secret values of `syncer.env`: a Kubernetes Secret holds them, the Pod's template does not."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

import pulumi

from .problems import Problem
from .shapes import child

# A value that only refers to another variable holds no secret, and only the Pod's template expands it.
REFERENCE: Final = re.compile(r"\$\([A-Za-z_]\w*\)(:\d{1,5})?", re.ASCII)
POD_FIELDS: Final = frozenset({"POD_IP", "POD_NAME"})


def concealed(env: Mapping[str, pulumi.Input[str]]) -> dict[str, pulumi.Input[str]]:
    """`env` of a configuration key that holds a secret, with the values made secret Outputs.

    Pulumi reports only that some value of the whole key is secret, so all of them are, except references.
    """
    return {
        name: value if isinstance(value, str) and REFERENCE.fullmatch(value) else pulumi.Output.secret(value)
        for name, value in env.items()
    }


def unexpanded(env: Mapping[str, pulumi.Input[str]]) -> Iterator[Problem]:
    """A line for each value that is both a secret and a text around a reference."""
    known = POD_FIELDS | env.keys()
    for name, value in env.items():
        if not isinstance(value, str) or REFERENCE.fullmatch(value):
            continue
        if used := sorted(known & set(re.findall(r"\$\((\w+)\)", value))):
            path = child("syncer.env", name)
            read = f"a reference to {used[0]} in a configuration key that holds secrets"
            allowed = f"a reference alone, as $({used[0]}), or none: values of a Secret are not expanded"
            yield Problem(path, read, allowed, f"write the value without $({used[0]})")


def split(
    env: Mapping[str, pulumi.Input[str]],
) -> tuple[dict[str, str], dict[str, pulumi.Output[str]]]:
    """`env` as plain values and as values for a Secret, which are the Outputs."""
    plain = {name: value for name, value in env.items() if isinstance(value, str)}
    secret = {name: value for name, value in env.items() if isinstance(value, pulumi.Output)}
    return plain, secret


def digest(values: Mapping[str, str], salt: str) -> str:
    """A digest of secret values for an annotation, slow to compute.

    Who reads Deployments does not always read Secrets: a fast digest would let a short secret be guessed.
    """
    if not values:
        return ""
    text = json.dumps(dict(values), sort_keys=True)
    return hashlib.scrypt(text.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=16).hex()
