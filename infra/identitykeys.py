"""The keys of `identity`: the credentials for the syncer's AWS calls."""

from dataclasses import dataclass

import pulumi

from syncer.manifests.credentials import EXTERNAL, IRSA, KINDS, NODE_ROLE, POD_IDENTITY, USER_KEYS

from .shapes import Flag, Optional, Text, Whole, declared

__all__ = ["EXTERNAL", "IRSA", "KINDS", "NODE_ROLE", "POD_IDENTITY", "USER_KEYS", "Identity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The credentials for the syncer's AWS calls; all kinds but two need a further key."""

    kind: str | None = declared(
        Optional(
            inner=Text(
                reason="pod-identity and irsa: a role for the syncer; node-role: a policy on the role of the "
                "nodes; user-keys: an IAM user with keys in a Secret; external: you provide the "
                "credentials. Absent: pod-identity with a clusterName, otherwise user-keys.",
                allowed=", ".join(KINDS[:-1]) + f" or {KINDS[-1]}",
                choices=KINDS,
                example=POD_IDENTITY,
            )
        )
    )
    cluster_name: pulumi.Input[str] | None = declared(
        Optional(
            inner=Text(
                output=True,
                reason="pod-identity: the EKS cluster, which needs the add-on eks-pod-identity-agent.",
                allowed="the name of an EKS cluster",
                pattern=r"[0-9A-Za-z][\w-]{0,99}",
                example="my-cluster",
            )
        )
    )
    oidc_provider_arn: pulumi.Input[str] | None = declared(
        Optional(
            inner=Text(
                output=True,
                reason="irsa: the IAM OIDC provider of the cluster's issuer, on EKS or on a self-managed "
                "cluster.",
                allowed="the ARN of an IAM OIDC provider",
                pattern=r"arn:aws[a-z-]*:iam::\d{12}:oidc-provider/[!-~]+",
                example="arn:aws:iam::123456789012:oidc-provider/oidc.example.com",
            )
        )
    )
    role_name: pulumi.Input[str] | None = declared(
        Optional(
            inner=Text(
                output=True,
                reason="node-role: the role of the nodes that the syncer runs on; their instance metadata "
                "needs a hop limit of 2.",
                allowed="the name of an IAM role, without its path",
                pattern=r"[\w+=,.@-]{1,64}",
                example="nodes.example.com",
            )
        )
    )
    key_generation: int = declared(
        Whole(
            low=1,
            high=1_000_000,
            default=1,
            reason="user-keys: raise the number by one to rotate the keys; the old key is deleted after the "
            "new key is in use.",
        )
    )
    doctor_rights: bool = declared(
        Flag(
            default=False,
            reason="true adds the Describe rights that `nlb-sync doctor` needs to check the target groups.",
        )
    )
