"""The NodePort Service before the ingress controller, created or adopted, and the NodePorts it was given."""

from typing import Any

import pulumi
from pulumi_kubernetes.core.v1 import NamespacePatch, Service, ServicePortArgs, ServiceSpecArgs
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs, ObjectMetaPatchArgs

from .clusterkeys import Ingress, IngressPort
from .component import Component, by_name

# The engine would otherwise wait ten minutes for Pods behind the Service, which are not this stack's.
SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}
# The stack and component that made a Service, so that it does not adopt what it would delete.
OWNER = "node-nlb-sync/owner"


class IngressService(Component):
    """`service`, and by each port's name `node_ports`, allocated or fixed, and `followed`, for the syncer."""

    TYPE = "node-nlb-sync:ingress:IngressService"

    def __init__(self, name: str, ingress: Ingress, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.namespace = self._namespace(name, ingress)
        self.service = self._create(name, ingress) if ingress.create else self._adopt(name, ingress)
        names = [port.name for port in ingress.ports]
        called = pulumi.Output.concat(ingress.namespace, "/", ingress.name)
        known = called if ingress.create else self._of_another_owner(name, called)
        self.node_ports = by_name(names, self._allocated(known, ingress))
        self.followed = {name: self._followed(name, ingress) for name in names}
        self.register_outputs({"nodePorts": self.node_ports})

    def _allocated(self, called: pulumi.Output[str], ingress: Ingress) -> pulumi.Output[dict[str, int]]:
        return self.service.spec.apply(
            lambda spec: called.apply(lambda known: allocated(spec, known, ingress))
        )

    def _followed(self, port: str, ingress: Ingress) -> pulumi.Output[str]:
        """`namespace/name:port`; an adopted Service's only port may have no name, and needs none."""
        service = pulumi.Output.concat(ingress.namespace, "/", ingress.name)
        full = pulumi.Output.concat(service, ":", port)
        if ingress.create:
            return full
        return self.service.spec.apply(lambda spec: service if nameless(spec) else full)

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
        found = pulumi.Output.concat(ingress.namespace, "/", ingress.name)
        return Service.get(f"{name}-adopted", found, opts=self.beneath())

    def _of_another_owner(self, name: str, called: pulumi.Output[str]) -> pulumi.Output[str]:
        """`called`, after a check that this stack did not make the Service that it adopts."""

        def checked(metadata: Any) -> pulumi.Output[str]:
            return called.apply(lambda known: refuse_own(metadata, name, known))

        return self.service.metadata.apply(checked)


def owner(name: str) -> str:
    """The stack and the component, as the annotation OWNER has them."""
    return f"{pulumi.get_project()}/{pulumi.get_stack()}/{name}"


def refuse_own(metadata: Any, name: str, called: str) -> str:
    """`called`; refuse to adopt a Service that this stack made: `up` would delete it as no longer wanted."""
    if (metadata.annotations or {}).get(OWNER) != owner(name):
        return called
    namespace, _, service = called.partition("/")
    raise pulumi.RunError(
        f"node-nlb-sync:ingress.create: read false, and the Service {called} "
        f"was made by this stack and would be deleted; allowed: true, or false for another owner's; "
        f"fix: set it to true, or give the Service away by `pulumi state delete <URN of Service {name}>` and "
        f"`kubectl annotate service --namespace {namespace} {service} {OWNER}-`"
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


def allocated(spec: Any, called: str, ingress: Ingress) -> dict[str, int]:
    """The NodePorts of Service `called` by port name; of an adopted one all must be there.

    In the preview of a Service that does not exist yet they are absent, and so they are in the answer.
    """
    only = ingress.ports[0].name if nameless(spec) and len(ingress.ports) == 1 else ""
    ports = {only or port.name: port.node_port for port in spec.ports or () if port.node_port}
    absent = [port.name for port in ingress.ports if port.name not in ports]
    if absent and not ingress.create:
        raise pulumi.RunError(
            f"node-nlb-sync:ingress: the Service {called} is a {spec.type} without "
            f"a NodePort for {', '.join(absent)}; fix: make it a NodePort Service with these port names, "
            f"or name in ingress.ports those that it has"
        )
    return ports
