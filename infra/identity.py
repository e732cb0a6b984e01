"""The syncer's AWS credentials: the resources of every identity kind, and the needs of the Pod."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws import eks, iam

from syncer.manifests.credentials import Credentials, of_kind

from .component import Component
from .identitychoice import kind_of
from .identitykeys import EXTERNAL, IRSA, NODE_ROLE, POD_IDENTITY, USER_KEYS
from .keys import Settings
from .trust import statement, web_identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Input of the workload for the syncer's Pod.

    `keys` are an access key's id and secret, for a Secret.
    """

    credentials: Credentials
    keys: tuple[pulumi.Output[str], pulumi.Output[str]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Namespace and name of the syncer's ServiceAccount, for roles and tokens."""

    namespace: pulumi.Input[str]
    name: pulumi.Input[str]

    @property
    def subject(self) -> pulumi.Output[str]:
        """Return `system:serviceaccount:NAMESPACE:NAME`, the `sub` of a token."""
        return pulumi.Output.concat("system:serviceaccount:", self.namespace, ":", self.name)


def identity(
    name: str,
    settings: Settings,
    *,
    document: pulumi.Output[str],
    account: Account,
    opts: pulumi.ResourceOptions,
) -> tuple[Component | None, Given]:
    """Create the resources of the configured kind; return the Pod's needs. `document` is the syncer's policy.

    `external` creates no resource.
    """
    kind = kind_of(settings.identity)
    if kind == EXTERNAL:
        return None, Given(credentials=of_kind(EXTERNAL))
    made = KINDS[kind](name, settings, document, account, opts)
    return made, made.given


class _Identity(Component):
    """`given` is the input of the workload."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        document: pulumi.Output[str],
        account: Account,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self.given = self._make(name, settings, document, account)
        self.register_outputs({})

    def _make(self, name: str, settings: Settings, document: pulumi.Output[str], account: Account) -> Given:
        raise NotImplementedError

    def _role(
        self, name: str, settings: Settings, trust: pulumi.Input[str], document: pulumi.Output[str]
    ) -> iam.Role:
        """Create a role with the syncer's policy inline, so that no other identity can get the policy."""
        role = iam.Role(name, assume_role_policy=trust, tags=settings.tags, opts=self.beneath())
        iam.RolePolicy(name, role=role.name, policy=document, opts=self.beneath())
        return role


class PodIdentity(_Identity):
    """A role that EKS gives to the ServiceAccount through the Pod Identity agent of the node."""

    TYPE = "node-nlb-sync:identity:PodIdentity"

    def _make(self, name: str, settings: Settings, document: pulumi.Output[str], account: Account) -> Given:
        trust = statement("Service", "pods.eks.amazonaws.com", ["sts:AssumeRole", "sts:TagSession"])
        role = self._role(name, settings, trust, document)
        eks.PodIdentityAssociation(
            name,
            cluster_name=settings.identity.cluster_name or "",
            namespace=account.namespace,
            service_account=account.name,
            role_arn=role.arn,
            tags=settings.tags,
            opts=self.beneath(),
        )
        return Given(credentials=of_kind(POD_IDENTITY))


class Irsa(_Identity):
    """A role assumed with the ServiceAccount's token, on EKS and on self-managed clusters."""

    TYPE = "node-nlb-sync:identity:Irsa"

    def _make(self, name: str, settings: Settings, document: pulumi.Output[str], account: Account) -> Given:
        known = pulumi.Output.all(settings.identity.oidc_provider_arn, account.subject)
        role = self._role(name, settings, known.apply(lambda both: web_identity(*both)), document)
        return Given(credentials=of_kind(IRSA, role.arn))


class NodeRole(_Identity):
    """The policy on the nodes' role; every Pod of the nodes can then use the policy."""

    TYPE = "node-nlb-sync:identity:NodeRole"

    def _make(self, name: str, settings: Settings, document: pulumi.Output[str], account: Account) -> Given:
        del account
        role = settings.identity.role_name or ""
        iam.RolePolicy(name, role=role, policy=document, opts=self.beneath())
        return Given(credentials=of_kind(NODE_ROLE))


class UserKeys(_Identity):
    """An IAM user with an inline policy and an access key, as in the predecessor's setup."""

    TYPE = "node-nlb-sync:identity:UserIdentity"

    def _make(self, name: str, settings: Settings, document: pulumi.Output[str], account: Account) -> Given:
        del account
        user = iam.User(name, tags=settings.tags, opts=self.beneath())
        rights = iam.UserPolicy(name, user=user.name, policy=document, opts=self.beneath())
        # Replaced create-first: the new key is in use before the deletion of the old key. A new key needs its
        # rights from the start, or the first call would fail.
        turn = settings.identity.key_generation
        options = self.beneath(depends_on=[rights], replacement_trigger=turn)
        key = iam.AccessKey(name, user=user.name, opts=options)
        # The id of a key is no secret; the key is, regardless of the provider's schema.
        secret: pulumi.Output[str] = pulumi.Output.secret(key.secret)
        return Given(credentials=of_kind(USER_KEYS), keys=(key.id, secret))


KINDS: Final[Mapping[str, type[_Identity]]] = {
    POD_IDENTITY: PodIdentity,
    IRSA: Irsa,
    NODE_ROLE: NodeRole,
    USER_KEYS: UserKeys,
}
