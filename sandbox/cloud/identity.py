"""The services that identify callers and issue credentials: STS, EKS, EKS Auth and instance metadata."""

import base64
import secrets
from collections.abc import Callable
from typing import Any, Final

from sandbox.cloud import query, rest
from sandbox.cloud.calls import Calls
from sandbox.cloud.client import DATA_PLANE_KEY
from sandbox.cloud.eks import CLUSTER_ARN, Eks
from sandbox.cloud.errors import AwsError
from sandbox.cloud.iam import Caller, Iam, trust_policy
from sandbox.cloud.implied import implied
from sandbox.cloud.issuer import IssuerKeys
from sandbox.cloud.network import NODE_GROUP_ID, NODE_ROLE, SUBNET_IDS, VPC_ID
from sandbox.cloud.policy import Call, Principal, trusts
from sandbox.cloud.request import UNSIGNED, Answer, Request
from sandbox.cloud.sessions import Session, Sessions
from sandbox.cloud.sts import Sts
from sandbox.cloud.sts import identity as caller_identity
from sandbox.cluster.pki import Pki
from sandbox.layout import ACCOUNT, ISSUER, REGION, Layout

STS_AUDIENCE: Final = "sts.amazonaws.com"
_WITH_TOKEN: Final = frozenset({"AssumeRoleWithWebIdentity", "AssumeRoleForPodIdentity"})
_INSTANCE_SESSION_S: Final = 6 * 3600
_ABOUT_ASSOCIATIONS: Final = frozenset(
    f"{verb}PodIdentityAssociation" for verb in ("Describe", "Update", "Delete")
)
NODE_TRUST: Final[dict[str, Any]] = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
_EKS: Final[dict[str, Callable[[Eks, tuple[str, ...], dict[str, Any], Request], dict[str, Any]]]] = {
    "ListClusters": lambda eks, *_: eks.list_clusters(),
    "DescribeCluster": lambda eks, parts, *_: eks.describe_cluster(*parts),
    "CreatePodIdentityAssociation": lambda eks, parts, body, _: eks.create(parts[0], body),
    "DescribePodIdentityAssociation": lambda eks, parts, *_: eks.describe(*parts),
    "ListPodIdentityAssociations": lambda eks, parts, _, request: eks.list(
        parts[0], request.fields.get("namespace"), request.fields.get("serviceAccount")
    ),
    "UpdatePodIdentityAssociation": lambda eks, parts, body, _: eks.update(parts[0], parts[1], body),
    "DeletePodIdentityAssociation": lambda eks, parts, *_: eks.delete(*parts),
    "TagResource": lambda eks, parts, body, _: eks.tag(parts[0], body.get("tags", {})),
    "UntagResource": lambda eks, parts, _, request: eks.untag(parts[0], request.values("tagKeys")),
    "ListTagsForResource": lambda eks, parts, *_: eks.tags_of(*parts),
}


class Identity:
    """Callers, sessions, and the services that start sessions; only `prepare` needs no lock of the front."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._keys = IssuerKeys(layout)
        self.sessions = Sessions()
        self.iam = Iam(self.sessions)
        self.calls = Calls()
        self.eks = Eks(self.iam, self.sessions, self._cluster)
        self._sts = Sts(self.iam, self.sessions, self._keys.of)
        # The existing identities of an EKS cluster before a deployment: its OIDC provider and the nodes'
        # role.
        self.iam.seed_oidc_provider(ISSUER, STS_AUDIENCE)
        self.iam.seed_role(NODE_ROLE, NODE_TRUST)

    def prepare(self, request: Request) -> None:
        """Read the issuer's keys if the call needs them, without the lock: the API server can be slow."""
        if request.action in _WITH_TOKEN:
            self._keys.refresh()

    def admit(self, request: Request, resources: tuple[str, ...]) -> Caller | None:
        """Return the caller; None for a call without a key. Raises AwsError for a bad key or no right."""
        if request.access_key == DATA_PLANE_KEY or request.action in UNSIGNED:
            return None
        caller = self._caller(request)
        self.calls.user_agents.add(request.user_agent)
        # GetCallerIdentity needs no permission (its page in the STS reference).
        if request.action != "GetCallerIdentity":
            own = Call(f"{request.service}:{request.action}", resources, request.region)
            for call in (own, *implied(request, resources)):
                self.calls.record(caller.arn, call)
                caller.authorise(call, request.service)
        return caller

    def answer(self, request: Request, caller: Caller | None) -> Answer | None:
        """Answer a call of STS or EKS; None for a call of another service (moto answers)."""
        if request.service in rest.SERVICES:
            return rest.render(self._eks(request))
        if request.service != "sts":
            return None
        model = query.operation("sts", request.action)
        params = query.parse(model, request.fields)
        if request.action == "AssumeRoleWithWebIdentity":
            result = self._sts.assume_role_with_web_identity(params, request.region)
        elif request.action == "AssumeRole" and caller:
            result = self._sts.assume_role(params, caller, request.region)
        elif request.action == "GetCallerIdentity" and caller:
            result = caller_identity(caller)
        else:
            raise AwsError("InvalidAction", f"The sandbox does not simulate {request.action}")
        return Answer(200, "text/xml", query.render(model, result, secrets.token_hex(16)))

    def role_of_profile(self, profile_arn: str) -> Any:
        """Return moto's role of an instance profile if EC2 may assume the role; None otherwise."""
        role = self.iam.role_of_profile(profile_arn)
        ec2 = Principal("Service", "ec2.amazonaws.com")
        if role is None or not trusts(trust_policy(role), ec2, Call("sts:AssumeRole", (), REGION)):
            return None
        return role

    def instance_session(self, role: Any, instance_id: str) -> Session:
        """Start a session for an instance."""
        return self.sessions.start(role, instance_id, _INSTANCE_SESSION_S)

    def _caller(self, request: Request) -> Caller:
        try:
            return self.iam.caller(request.access_key, request.token)
        except AwsError as error:
            raise _in_words_of(request.service, error) from None

    def _eks(self, request: Request) -> dict[str, Any]:
        action, parts = rest.route(request)
        body = rest.body_of(request)
        if action == "AssumeRoleForPodIdentity":
            return self.eks.assume_role(parts[0], str(body.get("token")), self._keys.of(ISSUER))
        if action not in _EKS:
            raise AwsError("UnknownOperationException", f"The sandbox does not simulate {action}", 404)
        return _EKS[action](self.eks, parts, body, request)

    def _cluster(self) -> dict[str, Any]:
        """Return the API server and network of DescribeCluster."""
        ca = Pki(self._layout.pki).ca
        data = base64.b64encode(ca.read_bytes()).decode() if ca.exists() else ""
        return {
            "endpoint": self._layout.apiserver_url,
            "certificateAuthority": {"data": data},
            "version": "1.36",
            "platformVersion": "eks.1",
            "roleArn": f"arn:aws:iam::{ACCOUNT}:role/cluster.sandbox",
            "resourcesVpcConfig": {
                "vpcId": VPC_ID,
                "subnetIds": list(SUBNET_IDS.values()),
                "clusterSecurityGroupId": NODE_GROUP_ID,
                "securityGroupIds": [],
                "endpointPublicAccess": True,
                "endpointPrivateAccess": False,
                "publicAccessCidrs": ["0.0.0.0/0"],
            },
            "tags": {},
        }


def resources_of(request: Request) -> tuple[str, ...]:
    """Return the ARNs for the authorisation of an EKS call (service authorization reference)."""
    action, parts = rest.route(request)
    if action in _ABOUT_ASSOCIATIONS:
        return (f"arn:aws:eks:{REGION}:{ACCOUNT}:podidentityassociation/{parts[0]}/{parts[1]}",)
    if action.endswith(("TagResource", "UntagResource", "ForResource")):
        return (parts[0],)
    return ("*",) if action == "ListClusters" else (CLUSTER_ARN.rpartition("/")[0] + f"/{parts[0]}",)


def _in_words_of(service: str, error: AwsError) -> AwsError:
    """Translate the refusal of a key for `service`: EC2 and the JSON services have their own codes."""
    expired = error.code == "ExpiredToken"
    if service == "ec2" and expired:
        return AwsError("RequestExpired", "Request has expired.")
    if service == "ec2":
        return AwsError("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    if service in rest.SERVICES:
        code = "ExpiredTokenException" if expired else "UnrecognizedClientException"
        return AwsError(code, error.message, error.status)
    return error
