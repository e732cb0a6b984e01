"""The NodePort Service before the ingress controller, created or adopted, and the NodePorts it was given."""

from typing import Any

import pulumi
from pulumi_kubernetes.core.v1 import NamespacePatch, Service, ServicePortArgs, ServiceSpecArgs
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs, ObjectMetaPatchArgs

from infra.options import Ingress, IngressPort
from infra.part import Part, by_name

# The engine would otherwise wait ten minutes for Pods behind the Service, which are not this stack's.
SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}
# The stack and component that made a Service, so that it does not adopt what it would delete.
OWNER = "node-nlb-sync/owner"


class IngressService(Part):
    """`service`, and by each port's name `node_ports`, allocated or fixed, and `followed`, for the syncer."""

    TYPE = "node-nlb-sync:ingress:IngressService"

    def __init__(self, name: str, ingress: Ingress, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.namespace = self._namespace(name, ingress)
        self.service = self._create(name, ingress) if ingress.create else self._adopt(name, ingress)
        names = [port.name for port in ingress.ports]
        spec = self.service.spec if ingress.create else self._of_another_owner(name, ingress)
        self.node_ports = by_name(names, spec.apply(lambda known: allocated(known, ingress)))
        self.followed = {name: self._followed(name, ingress) for name in names}
        self.register_outputs({"nodePorts": self.node_ports})

    def _followed(self, port: str, ingress: Ingress) -> pulumi.Input[str]:
        """`namespace/name:port`; an adopted Service's only port may have no name, and needs none."""
        service = f"{ingress.namespace}/{ingress.name}"
        if ingress.create:
            return f"{service}:{port}"
        return self.service.spec.apply(lambda spec: service if nameless(spec) else f"{service}:{port}")

    def _namespace(self, name: str, ingress: Ingress) -> NamespacePatch | None:
        """Created where it is missing and never deleted: other people's objects would go with it.

        A patch resource is applied, so an existing namespace is taken as it is, and releases its fields when
        it is deleted. The engine prints its logical name when the stack is destroyed.
        """
        if not (ingress.create and ingress.create_namespace):
            return None
        formerly = pulumi.Alias(name=name, type_="kubernetes:core/v1:Namespace")
        return NamespacePatch(
            f"{name}-namespace-kept",
            metadata=ObjectMetaPatchArgs(name=ingress.namespace),
            opts=self.beneath(aliases=[formerly]),
        )

    def _create(self, name: str, ingress: Ingress) -> Service:
        metadata = ObjectMetaArgs(
            name=ingress.name,
            namespace=ingress.namespace,
            annotations={**ingress.annotations, **SKIP_AWAIT, OWNER: owner(name)},
        )
        spec = ServiceSpecArgs(
            type="NodePort",
            selector=dict(ingress.selector),
            ports=[service_port(port) for port in ingress.ports],
        )
        after = [self.namespace] if self.namespace else []
        return Service(name, metadata=metadata, spec=spec, opts=self.beneath(depends_on=after))

    def _adopt(self, name: str, ingress: Ingress) -> Service:
        """Under a logical name of its own: under that of a created Service, reading would delete that one."""
        return Service.get(f"{name}-adopted", f"{ingress.namespace}/{ingress.name}", opts=self.beneath())

    def _of_another_owner(self, name: str, ingress: Ingress) -> pulumi.Output[Any]:
        """The `spec` of the adopted Service, after a check that this stack did not make it."""

        def checked(metadata: Any) -> pulumi.Output[Any]:
            refuse_own(metadata, name, ingress)
            return self.service.spec

        return self.service.metadata.apply(checked)


def owner(name: str) -> str:
    """The stack and the component, as the annotation OWNER has them."""
    return f"{pulumi.get_project()}/{pulumi.get_stack()}/{name}"


def refuse_own(metadata: Any, name: str, ingress: Ingress) -> None:
    """Refuse to adopt a Service that this stack made: `up` would delete it as no longer wanted."""
    if (metadata.annotations or {}).get(OWNER) != owner(name):
        return
    raise pulumi.RunError(
        f"node-nlb-sync:ingress.create: read false, and the Service {ingress.namespace}/{ingress.name} "
        f"was made by this stack and would be deleted; allowed: true, or false for another owner's; "
        f"fix: set it to true, or give the Service away by `pulumi state delete <URN of Service {name}>` and "
        f"`kubectl annotate service --namespace {ingress.namespace} {ingress.name} {OWNER}-`"
    )


def service_port(port: IngressPort) -> ServicePortArgs:
    """A port of the Service; without `node_port` the cluster allocates one."""
    return ServicePortArgs(
        name=port.name,
        port=port.port,
        protocol="TCP",
        target_port=port.target_port or port.port,
        node_port=port.node_port,
    )


def nameless(spec: Any) -> bool:
    """Whether a Service has one port, without a name; Kubernetes requires names where there are more."""
    return len(spec.ports or ()) == 1 and not spec.ports[0].name


def allocated(spec: Any, ingress: Ingress) -> dict[str, int]:
    """The NodePorts by port name; of an adopted Service all must be there.

    In the preview of a Service that does not exist yet they are absent, and so they are in the answer.
    """
    only = ingress.ports[0].name if nameless(spec) and len(ingress.ports) == 1 else ""
    ports = {only or port.name: port.node_port for port in spec.ports or () if port.node_port}
    absent = [port.name for port in ingress.ports if port.name not in ports]
    if absent and not ingress.create:
        raise pulumi.RunError(
            f"node-nlb-sync:ingress: the Service {ingress.namespace}/{ingress.name} is a {spec.type} without "
            f"a NodePort for {', '.join(absent)}; fix: make it a NodePort Service with these port names, "
            f"or name in ingress.ports those that it has"
        )
    return ports
