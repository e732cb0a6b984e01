"""The simulated AWS beside a real API server, whose ServiceAccount tokens it judges."""

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sandbox import process
from sandbox.cloud.client import ACCESS_KEY, DEPLOYER_KEY
from sandbox.cloud.iam import oidc_provider_arn
from sandbox.cloud.network import ensure_network
from sandbox.cluster import Rest
from sandbox.cluster.pki import Pki
from sandbox.layout import ISSUER, REGION, Layout
from tests.control import control
from tests.integration.nodes.processes import eventually, start

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient
    from types_boto3_sts import STSClient

HOST_AND_PATH = ISSUER.removeprefix("https://")
NAMESPACE = "default"
_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Account:
    """The AWS account at `layout`, its cluster, and the words of the tests."""

    layout: Layout
    made: list[str] = field(default_factory=list)

    def client(self, service: str, keys: dict[str, str] | None = None) -> Any:
        """A client of the administrator, or with the credentials `keys`."""
        found = keys or {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": "any"}
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.layout.aws_url,
            region_name=REGION,
            aws_access_key_id=found["AccessKeyId"],
            aws_secret_access_key=found["SecretAccessKey"],
            aws_session_token=found.get("SessionToken"),
            config=Config(retries={"total_max_attempts": 1}),
        )

    @property
    def iam(self) -> "IAMClient":
        client: IAMClient = self.client("iam")
        return client

    @property
    def sts(self) -> "STSClient":
        """STS without credentials, as a Pod asks it."""
        client: STSClient = boto3.client(
            "sts",
            endpoint_url=self.layout.aws_url,
            region_name=REGION,
            config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}),
        )
        return client

    @property
    def deployer(self) -> dict[str, str]:
        return {"AccessKeyId": DEPLOYER_KEY, "SecretAccessKey": "any"}

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call one of the sandbox's own endpoints."""
        answer: dict[str, Any] = control(self.layout.aws_url, method, path, body)
        return answer

    def role(self, trust: dict[str, Any], *statements: dict[str, Any]) -> str:
        """The ARN of a new role with one inline policy."""
        name = unique("role")
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        if statements:
            self.allow(arn, *statements)
        return arn

    def allow(self, role_arn: str, *statements: dict[str, Any]) -> None:
        """Replace the role's inline policy."""
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.iam.put_role_policy(
            RoleName=role_arn.rpartition("/")[2], PolicyName="inline", PolicyDocument=document
        )

    def service_account(self) -> str:
        """The name of a new ServiceAccount."""
        name = unique("account")
        Rest(self.layout).create(
            f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", {"metadata": {"name": name}}
        )
        return name

    def annotate(self, account: str, annotations: dict[str, str]) -> None:
        """Annotate a ServiceAccount."""
        path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{account}"
        Rest(self.layout).patch(path, {"metadata": {"annotations": annotations}})

    def token(self, account: str, audience: str = "sts.amazonaws.com") -> str:
        """A token of a ServiceAccount, from the API server."""
        path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{account}/token"
        asked = {"spec": {"audiences": [audience], "expirationSeconds": 600}}
        return str(Rest(self.layout).create(path, asked)["status"]["token"])

    def forged(self, account: str, *, own_key: bool = False, **claims: Any) -> str:
        """A token with any claims, signed by the cluster's key or by another."""
        key: Any = ec.generate_private_key(ec.SECP256R1())
        if not own_key:
            key = load_pem_private_key(Pki(self.layout.pki).service_account_key.read_bytes(), None)
        (jwk,) = Rest(self.layout).get("/openid/v1/jwks")["keys"]
        body = {
            "iss": ISSUER,
            "sub": subject(account),
            "aud": ["sts.amazonaws.com"],
            "exp": int(time.time()) + 600,
            **claims,
        }
        signed = f"{_encoded({'alg': 'ES256', 'kid': jwk['kid']})}.{_encoded(body)}"
        first, second = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
        return f"{signed}.{_base64(first.to_bytes(32) + second.to_bytes(32))}"

    def assume(self, role_arn: str, token: str, **more: Any) -> dict[str, Any]:
        """The credentials that STS gives for a token."""
        answer = self.sts.assume_role_with_web_identity(
            RoleArn=role_arn, RoleSessionName="test", WebIdentityToken=token, **more
        )
        return dict(answer["Credentials"])


def subject(account: str) -> str:
    return f"system:serviceaccount:{NAMESPACE}:{account}"


def unique(prefix: str) -> str:
    return f"{prefix}-{next(_NUMBERS)}"


def web_trust(account: str, **changes: Any) -> dict[str, Any]:
    """The trust policy statement of IRSA for a ServiceAccount."""
    conditions = {f"{HOST_AND_PATH}:sub": subject(account), f"{HOST_AND_PATH}:aud": "sts.amazonaws.com"}
    return {
        "Effect": "Allow",
        "Principal": {"Federated": oidc_provider_arn(ISSUER)},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": conditions},
        **changes,
    }


def pod_trust(**changes: Any) -> dict[str, Any]:
    """The trust policy statement of Pod Identity."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        **changes,
    }


def allow(*actions: str, resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def _encoded(part: dict[str, Any]) -> str:
    return _base64(json.dumps(part).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.fixture(scope="session")
def account(cluster: Layout) -> Iterator[Account]:
    try:
        start(cluster, "cloud")
        eventually(lambda: ensure_network(cluster.aws_url, cluster.vpc_network))
        yield Account(cluster)
    finally:
        process.stop(cluster, "cloud")
