"""What the syncer may do in the cluster: read nodes and the one Service it follows, tell what it does."""

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

from .keys import Settings
from .part import Part

FOLLOW = ["list", "watch"]
RBAC = "rbac.authorization.k8s.io"


class Rights(Part):
    """`service_account` and its name, bound to the predecessor's ClusterRole and to Roles of its own."""

    TYPE = "node-nlb-sync:rights:Rights"

    def __init__(self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        syncer = settings.syncer
        self.service_account_name = f"{syncer.name}-sa"
        self.service_account = ServiceAccount(
            name,
            metadata=ObjectMetaArgs(name=self.service_account_name, namespace=settings.syncer_namespace),
            automount_service_account_token=False,  # the Pod asks for its token itself
            opts=self.beneath(),
        )
        self._nodes(name, settings)
        self._service(name, settings)
        self._events(name, settings)
        self._state(name, settings)
        self.register_outputs({})

    def _nodes(self, name: str, settings: Settings) -> None:
        role = ClusterRole(
            name,
            metadata=ObjectMetaArgs(name=f"{settings.syncer.name}-role"),
            rules=[PolicyRuleArgs(api_groups=[""], resources=["nodes"], verbs=["get", *FOLLOW])],
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
            api_groups=[""], resources=["services"], resource_names=[settings.ingress.name], verbs=FOLLOW
        )
        metadata = ObjectMetaArgs(
            name=f"{settings.syncer.name}-service", namespace=settings.ingress.namespace
        )
        self._role(name, metadata, [rule], settings)

    def _events(self, name: str, settings: Settings) -> None:
        """Events of Nodes lie in namespace default; those of the Deployment beside it, found by its uid."""
        events = PolicyRuleArgs(api_groups=[""], resources=["events"], verbs=["create", "patch"])
        deployment = PolicyRuleArgs(
            api_groups=["apps"],
            resources=["deployments"],
            resource_names=[settings.syncer.name],
            verbs=["get"],
        )
        nodes = ObjectMetaArgs(name=f"{settings.syncer.name}-node-events", namespace="default")
        self._role(f"{name}-node-events", nodes, [events], settings)
        own = ObjectMetaArgs(name=f"{settings.syncer.name}-events", namespace=settings.syncer_namespace)
        self._role(f"{name}-events", own, [events, deployment], settings)

    def _state(self, name: str, settings: Settings) -> None:
        """Its Lease, called like the Deployment, and its record; `create` cannot be held to a name."""
        syncer = settings.syncer.name

        def rules(group: str, resource: str, called: str, verbs: list[str]) -> list[PolicyRuleArgs]:
            return [
                PolicyRuleArgs(api_groups=[group], resources=[resource], verbs=["create"]),
                PolicyRuleArgs(
                    api_groups=[group], resources=[resource], resource_names=[called], verbs=verbs
                ),
            ]

        metadata = ObjectMetaArgs(name=f"{syncer}-state", namespace=settings.syncer_namespace)
        lease = rules("coordination.k8s.io", "leases", syncer, ["get", "update"])
        record = rules("", "configmaps", f"{syncer}-state", ["get", "patch"])
        self._role(f"{name}-state", metadata, [*lease, *record], settings)

    def _role(
        self, name: str, metadata: ObjectMetaArgs, rules: list[PolicyRuleArgs], settings: Settings
    ) -> None:
        role = Role(name, metadata=metadata, rules=rules, opts=self.beneath())
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
