"""The Pod's needs for each kind of identity: variables, a token, networks, keys of a Secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

POD_IDENTITY: Final = "pod-identity"
IRSA: Final = "irsa"
NODE_ROLE: Final = "node-role"
USER_KEYS: Final = "user-keys"
EXTERNAL: Final = "external"
KINDS: Final = (POD_IDENTITY, IRSA, NODE_ROLE, USER_KEYS, EXTERNAL)

# Keys in the environment override all other credentials, a role overrides Pod Identity, and Pod Identity
# overrides the role of the node (botocore's order).
VARIABLES: Final = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY",  # the predecessor's names, read where the others are not set
        "AWS_SECRET_KEY",
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    }
)

STS_AUDIENCE: Final = "sts.amazonaws.com"
# Addresses of EKS Pod Identity's agent and of the instance metadata service on every node, both on TCP 80
# (EKS user guide, "Pod Identity agent"; EC2 user guide, "Instance metadata").
AGENT_ADDRESS: Final = "169.254.170.23"
AGENT: Final = (f"{AGENT_ADDRESS}/32", "fd00:ec2::23/128")
METADATA: Final = ("169.254.169.254/32",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token of the ServiceAccount for one audience: the volume, and the file in the volume."""

    volume: str
    directory: str
    name: str
    audience: str

    @property
    def path(self) -> str:
        """The path of the token in the container."""
        return f"{self.directory}/{self.name}"


# Volumes and paths as EKS's webhook names them (amazon-eks-pod-identity-webhook).
STS_TOKEN: Final = Token(
    volume="aws-iam-token",
    directory="/var/run/secrets/eks.amazonaws.com/serviceaccount",
    name="token",
    audience=STS_AUDIENCE,
)
AGENT_TOKEN: Final = Token(
    volume="eks-pod-identity-token",
    directory="/var/run/secrets/pods.eks.amazonaws.com/serviceaccount",
    name="eks-pod-identity-token",
    audience="pods.eks.amazonaws.com",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The AWS credentials of the syncer's Pod.

    `variables` are the container's, `secret_keys` are variables with their keys in the Secret, and `token` is
    mounted into the container; `link_local` are the networks that the network policy opens on TCP 80.

    With `from_webhook` EKS's webhook may add credentials. Otherwise the Deployment's template has the
    variables and the token that the webhook would add, and the webhook skips the container (docs/adr/0026).
    """

    variables: Mapping[str, Any] = field(default_factory=dict)
    secret_keys: Mapping[str, str] = field(default_factory=dict)
    token: Token | None = None
    link_local: tuple[str, ...] = ()
    from_webhook: bool = False


def of_kind(kind: str, role_arn: Any = None) -> Credentials:
    """Return the credentials of a kind of identity; `role_arn` is the role of `irsa` alone."""
    match kind:
        case "pod-identity":
            variables = {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{AGENT_ADDRESS}/v1/credentials",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": AGENT_TOKEN.path,
            }
            return Credentials(variables=variables, token=AGENT_TOKEN, link_local=AGENT)
        case "irsa":
            variables = {"AWS_ROLE_ARN": role_arn, "AWS_WEB_IDENTITY_TOKEN_FILE": STS_TOKEN.path}
            return Credentials(variables=variables, token=STS_TOKEN)
        case "node-role":
            return Credentials(link_local=METADATA)
        case "user-keys":
            keys = {"AWS_ACCESS_KEY_ID": "aws_access_key", "AWS_SECRET_ACCESS_KEY": "aws_secret_key"}
            return Credentials(secret_keys=keys)
    return Credentials(from_webhook=True)
