"""EKS: the sandbox's cluster, Pod Identity associations, and the credentials of an association's Pods.

Rules and messages from the EKS API reference and public reports (terraform-provider-aws issue 41483, aws-cdk
issue 31522).
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sandbox.cloud.errors import AwsError
from sandbox.cloud.iam import Iam, trust_policy
from sandbox.cloud.policy import Call, Principal, trusts
from sandbox.cloud.sessions import Sessions
from sandbox.cloud.tokens import Jwk, MalformedTokenError, Token, UnverifiedTokenError, parse
from sandbox.layout import ACCOUNT, ISSUER, REGION

CLUSTER: Final = "sandbox"
CLUSTER_ARN: Final = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{CLUSTER}"
AUDIENCE: Final = "pods.eks.amazonaws.com"
_SESSION_S: Final = 6 * 3600  # EKS user guide, "How EKS Pod Identity works"
_PODS: Final = Principal("Service", AUDIENCE)
Structure = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """A Pod Identity association: Pods of a ServiceAccount get credentials of a role."""

    id: str
    namespace: str
    service_account: str
    role_arn: str
    created: float
    modified: float
    disable_session_tags: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The ARN of the association."""
        return f"arn:aws:eks:{REGION}:{ACCOUNT}:podidentityassociation/{CLUSTER}/{self.id}"

    def summary(self) -> Structure:
        """Return the association in the form of ListPodIdentityAssociations."""
        return {
            "clusterName": CLUSTER,
            "namespace": self.namespace,
            "serviceAccount": self.service_account,
            "associationArn": self.arn,
            "associationId": self.id,
        }

    def shown(self) -> Structure:
        """Return the association in the form of the other calls."""
        return {
            **self.summary(),
            "roleArn": self.role_arn,
            "tags": dict(self.tags),
            "createdAt": self.created,
            "modifiedAt": self.modified,
            "disableSessionTags": self.disable_session_tags,
        }


class Eks:
    """EKS of an account: the cluster described by `cluster`, and its associations."""

    def __init__(self, iam: Iam, sessions: Sessions, cluster: Callable[[], Structure]) -> None:
        self._iam = iam
        self._sessions = sessions
        self._cluster = cluster
        self._created = sessions.clock()
        self._associations: dict[str, Association] = {}

    def list_clusters(self) -> Structure:
        """ListClusters."""
        return {"clusters": [CLUSTER]}

    def describe_cluster(self, name: str) -> Structure:
        """DescribeCluster."""
        _require_cluster(name)
        own = {"name": CLUSTER, "arn": CLUSTER_ARN, "createdAt": self._created, "status": "ACTIVE"}
        return {"cluster": {**own, "identity": {"oidc": {"issuer": ISSUER}}, **self._cluster()}}

    def create(self, name: str, body: Structure) -> Structure:
        """CreatePodIdentityAssociation."""
        _require_cluster(name)
        for key in ("namespace", "serviceAccount", "roleArn"):
            if not body.get(key):
                raise AwsError("InvalidParameterException", f"{key} must not be empty")
        namespace, account = body["namespace"], body["serviceAccount"]
        if found := self.find(namespace, account):
            raise AwsError("ResourceInUseException", f"Association already exists: {found.id}", 409)
        now = self._sessions.clock()
        made = Association(
            id=f"a-{secrets.token_hex(9)[:17]}",
            namespace=namespace,
            service_account=account,
            role_arn=body["roleArn"],
            created=now,
            modified=now,
            disable_session_tags=bool(body.get("disableSessionTags")),
            tags=body.get("tags") or {},
        )
        self._require_trusting(made)
        self._associations[made.id] = made
        return {"association": made.shown()}

    def describe(self, name: str, ident: str) -> Structure:
        """DescribePodIdentityAssociation."""
        return {"association": self._one(name, ident).shown()}

    def list(self, name: str, namespace: str | None, account: str | None) -> Structure:
        """ListPodIdentityAssociations, limited to a namespace or ServiceAccount if given."""
        _require_cluster(name)
        found = [
            one.summary()
            for one in self._associations.values()
            if namespace in {None, one.namespace} and account in {None, one.service_account}
        ]
        return {"associations": found}

    def update(self, name: str, ident: str, body: Structure) -> Structure:
        """UpdatePodIdentityAssociation."""
        before = self._one(name, ident)
        after = replace(
            before,
            role_arn=body.get("roleArn") or before.role_arn,
            disable_session_tags=bool(body.get("disableSessionTags", before.disable_session_tags)),
            modified=self._sessions.clock(),
        )
        self._require_trusting(after)
        self._associations[ident] = after
        return {"association": after.shown()}

    def delete(self, name: str, ident: str) -> Structure:
        """DeletePodIdentityAssociation."""
        return {"association": self._associations.pop(self._one(name, ident).id).shown()}

    def tag(self, arn: str, tags: Mapping[str, str]) -> Structure:
        """TagResource of an association."""
        one = self._tagged(arn)
        self._associations[one.id] = replace(one, tags={**one.tags, **tags})
        return {}

    def untag(self, arn: str, keys: Sequence[str]) -> Structure:
        """UntagResource of an association."""
        one = self._tagged(arn)
        self._associations[one.id] = replace(one, tags={k: v for k, v in one.tags.items() if k not in keys})
        return {}

    def tags_of(self, arn: str) -> Structure:
        """ListTagsForResource of an association."""
        return {"tags": dict(self._tagged(arn).tags)}

    def find(self, namespace: str, account: str) -> Association | None:
        """Return the association of a ServiceAccount."""
        for one in self._associations.values():
            if (one.namespace, one.service_account) == (namespace, account):
                return one
        return None

    def assume_role(self, name: str, text: str, keys: Sequence[Jwk]) -> Structure:
        """AssumeRoleForPodIdentity of EKS Auth, for a token of the cluster; `keys` verify the token."""
        _require_cluster(name)
        token = _verified(text, keys, self._sessions.clock())
        namespace, account = _service_account(token.subject)
        found = self.find(namespace, account)
        if found is None:
            text = "The token included in the request has no service account role association for it."
            raise AwsError("ResourceNotFoundException", text, 404)
        role = self._iam.role_of(found.role_arn)
        if role is None or not _trusting(role, found):
            text = "Unauthorized Exception! EKS does not have permissions to assume the associated role."
            raise AwsError("AccessDeniedException", text)
        tags = {} if found.disable_session_tags else _session_tags(found)
        pod = token.claims.get("kubernetes.io", {}).get("pod", {}).get("name", account)
        session = self._sessions.start(role, f"eks-{CLUSTER}-{pod}"[:64], _SESSION_S, tags)
        return {
            "subject": {"namespace": namespace, "serviceAccount": account},
            "audience": AUDIENCE,
            "podIdentityAssociation": {"associationArn": found.arn, "associationId": found.id},
            "assumedRoleUser": {"arn": session.arn, "assumeRoleId": session.user_id},
            "credentials": {
                "accessKeyId": session.access_key,
                "secretAccessKey": session.secret_key,
                "sessionToken": session.token,
                "expiration": session.expires,
            },
        }

    def _one(self, name: str, ident: str) -> Association:
        _require_cluster(name)
        if ident not in self._associations:
            raise AwsError(
                "ResourceNotFoundException", f"No association found for associationId: {ident}", 404
            )
        return self._associations[ident]

    def _tagged(self, arn: str) -> Association:
        for one in self._associations.values():
            if one.arn == arn:
                return one
        raise AwsError("NotFoundException", f"Resource not found: {arn}", 404)

    def _require_trusting(self, association: Association) -> None:
        role = self._iam.role_of(association.role_arn)
        if role is None:
            raise AwsError("InvalidParameterException", "Role provided in the request does not exist.")
        if not _trusting(role, association):
            text = (
                "Trust policy of the role provided is invalid. "
                "Follow the official documentation to resolve the issue."
            )
            raise AwsError("InvalidParameterException", text)


def _trusting(role: Any, association: Association) -> bool:
    """Whether a role's trust policy lets EKS assume the role with session tags for the association's Pods."""
    context = {
        "aws:sourceaccount": (ACCOUNT,),
        "aws:sourcearn": (CLUSTER_ARN,),
        **{f"aws:requesttag/{key}": (value,) for key, value in _session_tags(association).items()},
    }
    calls = [Call(action, (), REGION, context) for action in ("sts:AssumeRole", "sts:TagSession")]
    return all(trusts(trust_policy(role), _PODS, call) for call in calls)


def _session_tags(association: Association) -> dict[str, str]:
    return {
        "eks-cluster-arn": CLUSTER_ARN,
        "eks-cluster-name": CLUSTER,
        "kubernetes-namespace": association.namespace,
        "kubernetes-service-account": association.service_account,
    }


def _require_cluster(name: str) -> None:
    if name != CLUSTER:
        raise AwsError("ResourceNotFoundException", f"No cluster found for name: {name}.", 404)


def _verified(text: str, keys: Sequence[Jwk], now: float) -> Token:
    try:
        token = parse(text)
        token.verify(keys)
    except (MalformedTokenError, UnverifiedTokenError):
        message = "The token included in the request is not a token of the cluster."
        raise AwsError("InvalidTokenException", message) from None
    if token.issuer != ISSUER or AUDIENCE not in token.audiences:
        raise AwsError("InvalidTokenException", f"The token included in the request is not for {AUDIENCE}.")
    if token.expires <= now:
        raise AwsError("ExpiredTokenException", "The token included in the request is expired.")
    return token


def _service_account(subject: str) -> tuple[str, str]:
    """Return namespace and name of `system:serviceaccount:NAMESPACE:NAME`."""
    parts = subject.split(":")
    if len(parts) != 4 or parts[:2] != ["system", "serviceaccount"]:  # noqa: PLR2004
        raise AwsError("InvalidTokenException", "The subject of the token is not a service account.")
    return parts[2], parts[3]
