"""What the syncer may do in the cluster: read nodes, read the one Service whose NodePorts it registers."""

import pulumi
from pulumi_kubernetes.core.v1 import ServiceAccount
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.rbac.v1 import (
    ClusterRole,
    ClusterRoleBinding,
    PolicyRuleArgs,
    Role,
    RoleBinding,
    RoleRefArgs,
    SubjectArgs,
)

from infra.options import Settings
from infra.part import Part

READ = ["get", "list", "watch"]
RBAC = "rbac.authorization.k8s.io"


class Rights(Part):
    """`service_account`, bound to the predecessor's ClusterRole and to a Role in the ingress namespace."""

    TYPE = "node-nlb-sync:rights:Rights"

    def __init__(self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        syncer = settings.syncer
        self.service_account = ServiceAccount(
            name,
            metadata=ObjectMetaArgs(name=f"{syncer.name}-sa", namespace=settings.syncer_namespace),
            automount_service_account_token=False,  # the Pod asks for its token itself
            opts=self.beneath(),
        )
        self._nodes(name, settings)
        self._service(name, settings)
        self.register_outputs({})

    def _nodes(self, name: str, settings: Settings) -> None:
        role = ClusterRole(
            name,
            metadata=ObjectMetaArgs(name=f"{settings.syncer.name}-role"),
            rules=[PolicyRuleArgs(api_groups=[""], resources=["nodes"], verbs=READ)],
            opts=self.beneath(),
        )
        ClusterRoleBinding(
            name,
            metadata=ObjectMetaArgs(name=f"{settings.syncer.name}-role-binding"),
            role_ref=RoleRefArgs(api_group=RBAC, kind="ClusterRole", name=role.metadata.name),
            subjects=[self._subject(settings)],
            opts=self.beneath(),
        )

    def _service(self, name: str, settings: Settings) -> None:
        """Held to the name: only a list or watch with `metadata.name=` as field selector passes."""
        rule = PolicyRuleArgs(
            api_groups=[""], resources=["services"], resource_names=[settings.ingress.name], verbs=READ
        )
        metadata = ObjectMetaArgs(
            name=f"{settings.syncer.name}-service", namespace=settings.ingress.namespace
        )
        role = Role(name, metadata=metadata, rules=[rule], opts=self.beneath())
        RoleBinding(
            name,
            metadata=metadata,
            role_ref=RoleRefArgs(api_group=RBAC, kind="Role", name=role.metadata.name),
            subjects=[self._subject(settings)],
            opts=self.beneath(),
        )

    def _subject(self, settings: Settings) -> SubjectArgs:
        return SubjectArgs(
            kind="ServiceAccount",
            name=self.service_account.metadata.name,
            namespace=settings.syncer_namespace,
        )
