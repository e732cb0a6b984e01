"""The syncer's rights in the cluster: the resources of syncer/manifests/rbac.py."""

import pulumi
from pulumi_kubernetes.core.v1 import ServiceAccount
from pulumi_kubernetes.rbac.v1 import ClusterRole, ClusterRoleBinding, Role, RoleBinding

from syncer.manifests import Manifest, rbac
from syncer.manifests.pod import service_account_name

from .component import Component, arguments
from .keys import Settings


class Rbac(Component):
    """`service_account` and its name, bound to the predecessor's ClusterRole and to separate Roles."""

    TYPE = "node-nlb-sync:rights:Rights"

    def __init__(self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._settings = settings
        syncer, self._namespace = settings.syncer.name, settings.syncer_namespace
        self.service_account_name: str = service_account_name(syncer)
        account = rbac.service_account(syncer, self._namespace)
        self.service_account = ServiceAccount(name, **arguments(account, settings), opts=self.beneath())
        self._nodes(name, syncer)
        ingress = settings.ingress
        self._role(name, rbac.service_role(syncer, ingress.namespace, [ingress.name]))
        self._role(f"{name}-node-events", rbac.node_events_role(syncer))
        self._role(f"{name}-events", rbac.events_role(syncer, self._namespace))
        self._role(f"{name}-state", rbac.state_role(syncer, self._namespace))
        self.register_outputs({})

    def _nodes(self, name: str, syncer: str) -> None:
        manifest = rbac.cluster_role(syncer)
        role = ClusterRole(name, **arguments(manifest, self._settings), opts=self.beneath())
        bound = self._binding(manifest, role.metadata.name, rbac.cluster_binding_name(syncer))
        ClusterRoleBinding(name, **arguments(bound, self._settings), opts=self.beneath())

    def _role(self, name: str, manifest: Manifest) -> None:
        role = Role(name, **arguments(manifest, self._settings), opts=self.beneath())
        bound = self._binding(manifest, role.metadata.name)
        RoleBinding(name, **arguments(bound, self._settings), opts=self.beneath())

    def _binding(
        self, manifest: Manifest, role: pulumi.Output[str | None], name: str | None = None
    ) -> Manifest:
        account = self.service_account.metadata.name
        return rbac.binding(manifest, account, self._namespace, name=name, role_name=role)
