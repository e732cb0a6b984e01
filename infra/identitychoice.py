"""The identity kind of a configuration, and the keys required or excluded by the kind."""

from collections.abc import Iterator, Mapping
from typing import Final

from .identitykeys import EXTERNAL, IRSA, NODE_ROLE, POD_IDENTITY, USER_KEYS, Identity
from .problems import Change, Problem
from .shapes import camel

# The key with the source of the credentials, for every kind with such a key.
NEEDS: Final[Mapping[str, str]] = {
    POD_IDENTITY: "cluster_name",
    IRSA: "oidc_provider_arn",
    NODE_ROLE: "role_name",
}
EXAMPLES: Final[Mapping[str, str]] = {
    "cluster_name": "my-cluster",
    "oidc_provider_arn": "arn:aws:iam::<account>:oidc-provider/<issuer without https://>",
    "role_name": "<the role of the nodes>",
}


def kind_of(identity: Identity) -> str:
    """Return the given kind; by default pod-identity with a cluster name, otherwise user-keys."""
    return identity.kind or (USER_KEYS if identity.cluster_name is None else POD_IDENTITY)


def identity_problems(identity: Identity) -> Iterator[Problem]:
    """Report a missing key of the kind, and a key of another kind (two identities at once)."""
    kind = kind_of(identity)
    needed = NEEDS.get(kind)
    for other, name in NEEDS.items():
        path = f"identity.{camel(name)}"
        given = getattr(identity, name) is not None
        if name == needed and not given:
            allowed = f"a value with identity.kind {kind}"
            yield Problem(path, "nothing", allowed, Change(path, EXAMPLES[name]))
        # `clusterName` is allowed with every kind: the key only selects the default.
        if name != needed and given and name != "cluster_name":
            fix = Change("identity.kind", other, before=f"remove {path}, or ")
            yield Problem(
                path, f"a key of identity.kind {other}", f"only the keys of identity.kind {kind}", fix
            )
    for name, default in (("key_generation", 1), ("doctor_rights", False)):
        path, value = f"identity.{camel(name)}", getattr(identity, name)
        wrong = {"key_generation": kind != USER_KEYS, "doctor_rights": kind == EXTERNAL}[name]
        if wrong and value != default:
            yield Problem(path, str(value).lower(), f"no value with identity.kind {kind}", f"remove {path}")
