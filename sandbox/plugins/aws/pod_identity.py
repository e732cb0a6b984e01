"""aws:eks/podIdentityAssociation (internal/service/eks/pod_identity_association.go)."""

from typing import Any, Final

from sandbox.plugins.aws import tags
from sandbox.plugins.aws.session import Aws, AwsError, doing, tolerating
from sandbox.plugins.provider import ProviderError
from sandbox.plugins.values import PropertyMap

_GONE: Final = ("ResourceNotFoundException", "NotFoundException")


class PodIdentityAssociation:
    """The association of a ServiceAccount with a role; the id of an import is `CLUSTER,ASSOCIATION-ID`."""

    def create(self, aws: Aws, inputs: PropertyMap) -> tuple[str, PropertyMap]:
        """CreatePodIdentityAssociation."""
        cluster, names = inputs["clusterName"], ("namespace", "serviceAccount", "roleArn")
        asked: dict[str, Any] = {name: inputs[name] for name in names}
        if inputs.get("disableSessionTags") is not None:
            asked["disableSessionTags"] = inputs["disableSessionTags"]
        with doing(f"creating EKS Pod Identity Association ({cluster})"):
            made = aws.eks.create_pod_identity_association(
                clusterName=cluster, tags=inputs["tagsAll"], **asked
            )
        return made["association"]["associationId"], {}

    def settle(self, aws: Aws, ident: str, inputs: PropertyMap, timeout_s: float) -> None:
        """No further steps."""

    def read(self, aws: Aws, ident: str, prior: PropertyMap) -> PropertyMap | None:
        """DescribePodIdentityAssociation."""
        cluster, ident = _key(ident, prior)
        try:
            with doing(f"reading EKS Pod Identity Association ({ident})"):
                found = aws.eks.describe_pod_identity_association(clusterName=cluster, associationId=ident)
        except AwsError as error:
            if error.code not in _GONE:
                raise
            return None
        one = found["association"]
        return {
            **{
                name: one[name]
                for name in ("associationArn", "associationId", "clusterName", "namespace", "roleArn")
            },
            "serviceAccount": one["serviceAccount"],
            "disableSessionTags": one.get("disableSessionTags", False),
            **tags.as_properties(aws, tags.as_list(one.get("tags", {})), prior),
        }

    def update(
        self, aws: Aws, ident: str, old: PropertyMap, new: PropertyMap, changed: frozenset[str]
    ) -> str:
        """UpdatePodIdentityAssociation."""
        parts = {name: new[name] for name in ("roleArn", "disableSessionTags") if name in changed}
        cluster, ident = _key(ident, old)
        if parts:
            with doing(f"updating EKS Pod Identity Association ({ident})"):
                aws.eks.update_pod_identity_association(clusterName=cluster, associationId=ident, **parts)
        if "tagsAll" in changed:
            tags.update_eks(aws, old["associationArn"], old.get("tagsAll", {}), new["tagsAll"])
        return ident

    def delete(self, aws: Aws, ident: str, state: PropertyMap, timeout_s: float) -> None:
        """DeletePodIdentityAssociation."""
        _ = timeout_s
        cluster, ident = _key(ident, state)
        with tolerating(*_GONE), doing(f"deleting EKS Pod Identity Association ({ident})"):
            aws.eks.delete_pod_identity_association(clusterName=cluster, associationId=ident)


def _key(ident: str, known: PropertyMap) -> tuple[str, str]:
    """Return cluster and association id; the id of an imported resource contains both."""
    cluster, _, association = ident.rpartition(",")
    cluster = known.get("clusterName") or cluster
    if not cluster:
        raise ProviderError(f"unexpected format for ID ({ident}), expected CLUSTER-NAME,ASSOCIATION-ID")
    return cluster, association
