"""Whether AWS has what the configured identity names: the cluster, the OIDC provider, or the role."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pulumi
from pulumi_aws import eks, iam

from .identitychoice import NEEDS, kind_of
from .identitykeys import IRSA, NODE_ROLE, POD_IDENTITY, Identity
from .reads import unreadable
from .shapes import Problem, camel

Read = Callable[[str, pulumi.InvokeOptions], Any]
# By kind: how AWS is asked, what is allowed, and what to do.
READS: Final[dict[str, tuple[Read, str, str]]] = {
    POD_IDENTITY: (
        lambda name, how: eks.get_cluster(name=name, opts=how),
        "an EKS cluster of this region and account",
        "list them with: aws eks list-clusters",
    ),
    IRSA: (
        lambda arn, how: iam.get_open_id_connect_provider(arn=arn, opts=how),
        "an IAM OIDC provider of this account",
        "list them with: aws iam list-open-id-connect-providers",
    ),
    NODE_ROLE: (
        lambda name, how: iam.get_role(name=name, opts=how),
        "a role of this account, by its name without a path",
        "take the role of the nodes' instance profile",
    ),
}


def missing_identity(identity: Identity, reading: pulumi.InvokeOptions) -> Iterator[Problem]:
    """A line where AWS does not have it, or does not let it be read. An Output is left to the resources."""
    kind = kind_of(identity)
    if kind not in READS:
        return
    field = NEEDS[kind]
    value = getattr(identity, field)
    if not isinstance(value, str):
        return
    read, allowed, fix = READS[kind]
    try:
        read(value, reading)
    except Exception as error:  # noqa: BLE001 (the SDK raises no narrower class for a failed function)
        yield unreadable(f"identity.{camel(field)}", value, error, allowed=allowed, fix=fix)
