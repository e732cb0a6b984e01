"""Check in AWS that the cluster, OIDC provider or role of the configured identity exists."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import pulumi
from pulumi_aws import eks, iam

from .identitychoice import NEEDS, kind_of
from .identitykeys import IRSA, NODE_ROLE, POD_IDENTITY, Identity
from .problems import NAMESPACE, Problem, Problems, SettingsError
from .reads import unreadable
from .shapes import camel

Read = Callable[[str, pulumi.InvokeOptions], Any]
# By kind: the read from AWS, the allowed values, and the fix.
READS: Final[dict[str, tuple[Read, str, str]]] = {
    POD_IDENTITY: (
        lambda name, how: eks.get_cluster(name=name, opts=how),
        "an EKS cluster of this region and account",
        "list the clusters: aws eks list-clusters",
    ),
    IRSA: (
        lambda arn, how: iam.get_open_id_connect_provider(arn=arn, opts=how),
        "an IAM OIDC provider of this account",
        "list the providers: aws iam list-open-id-connect-providers",
    ),
    NODE_ROLE: (
        lambda name, how: iam.get_role(name=name, opts=how),
        "a role of this account, by its name without a path",
        "set the role of the nodes' instance profile",
    ),
}


def checked_identity(identity: Identity, reading: pulumi.InvokeOptions, problems: Problems) -> Identity:
    """Return the identity; add a problem where AWS lacks the cluster, OIDC provider or role.

    An Output is checked once the value is known; a problem is then raised before any resource gets the value.
    """
    kind = kind_of(identity)
    if kind not in READS:
        return identity
    name = NEEDS[kind]
    value = getattr(identity, name)
    if not isinstance(value, pulumi.Output):
        problems.extend(missing(kind, value, reading))
        return identity

    def check(known: str) -> str:
        # In a preview the cluster or role may still have to be created by the same update.
        wrong = [] if pulumi.runtime.is_dry_run() else list(missing(kind, known, reading))
        if wrong:
            raise SettingsError(wrong, component=NAMESPACE)
        return known

    later: Mapping[str, Any] = {name: value.apply(check)}
    return replace(identity, **later)


def missing(kind: str, value: str, reading: pulumi.InvokeOptions) -> Iterator[Problem]:
    """Yield a line where AWS lacks the resource of an identity kind or denies the read."""
    read, allowed, fix = READS[kind]
    try:
        read(value, reading)
    except Exception as error:  # noqa: BLE001 (the SDK raises no narrower class for a failed function)
        yield unreadable(f"identity.{camel(NEEDS[kind])}", value, error, allowed=allowed, fix=fix)
