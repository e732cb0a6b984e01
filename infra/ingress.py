"""The NodePort Service before the ingress controller, created or adopted, and its NodePorts."""

from typing import Any, Final

import pulumi
from pulumi_kubernetes.core.v1 import NamespacePatch, Service, ServicePortArgs, ServiceSpecArgs
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs, ObjectMetaPatchArgs

from .clusterkeys import Ingress, IngressPort
from .component import Component, by_name
from .keys import Settings
from .listenerkeys import TCP_UDP
from .objectmeta import OWNER, SKIP_AWAIT_KEY, common, with_common

# Otherwise the engine would wait ten minutes for Pods behind the Service, which belong to other owners.
SKIP_AWAIT = {SKIP_AWAIT_KEY: "true"}
# With externalTrafficPolicy Local the API server allocates a healthCheckNodePort only for the type
# LoadBalancer. A class that no controller implements keeps every cloud controller from a second load
# balancer.
LOAD_BALANCER_CLASS: Final = "node-nlb-sync/static"
CHECK_PORT: Final = "healthCheckNodePort"


class IngressService(Component):
    """`service`, and by port name `node_ports` (allocated or fixed) and `followed` (for the syncer).

    With a local health check, the Service has externalTrafficPolicy Local, and `check_ports` has its
    healthCheckNodePort.
    """

    TYPE = "node-nlb-sync:ingress:IngressService"

    def __init__(
        self,
        name: str,
        settings: Settings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        ingress, local = settings.ingress, settings.checks_locally
        self._settings, self._local = settings, local
        self.namespace = self._namespace(name, ingress)
        self.service = self._create(name, ingress) if ingress.create else self._adopt(name, ingress)
        names = [port.name for port in ingress.ports]
        called = pulumi.Output.concat(ingress.namespace, "/", ingress.name)
        known = called if ingress.create else self._of_another_owner(name, called)
        self.node_ports = by_name(names, self._allocated(known, ingress))
        self.check_ports = by_name([CHECK_PORT], self._allocated_check(known, ingress)) if local else {}
        self.followed = {name: self._followed(name, ingress) for name in names}
        self.register_outputs({"nodePorts": self.node_ports})

    def _allocated(self, called: pulumi.Output[str], ingress: Ingress) -> pulumi.Output[dict[str, int]]:
        return self.service.spec.apply(
            lambda spec: called.apply(lambda known: allocated(spec, known, ingress))
        )

    def _allocated_check(self, called: pulumi.Output[str], ingress: Ingress) -> pulumi.Output[dict[str, int]]:
        return self.service.spec.apply(
            lambda spec: called.apply(lambda known: allocated_check(spec, known, ingress))
        )

    def _followed(self, port: str, ingress: Ingress) -> pulumi.Output[str]:
        """Return `namespace/name:port`; the only port of an adopted Service may lack a name."""
        service = pulumi.Output.concat(ingress.namespace, "/", ingress.name)
        full = pulumi.Output.concat(service, ":", port)
        if ingress.create:
            return full
        return self.service.spec.apply(lambda spec: service if nameless(spec) else full)

    def _namespace(self, name: str, ingress: Ingress) -> NamespacePatch | None:
        """Create a missing namespace and never delete it: a deletion would remove other people's objects.

        A patch resource is applied: an existing namespace is accepted, and a deletion only releases the
        fields. The engine prints the logical name when the stack is destroyed.
        """
        if not (ingress.create and ingress.create_namespace):
            return None
        formerly = pulumi.Alias(name=name, type_="kubernetes:core/v1:Namespace")
        return NamespacePatch(
            f"{name}-namespace-kept",
            metadata=ObjectMetaPatchArgs(name=ingress.namespace, **common(self._settings)),
            opts=self.beneath(aliases=[formerly]),
        )

    def _create(self, name: str, ingress: Ingress) -> Service:
        owned = {} if ingress.keep else {OWNER: owner(name)}
        own = {"annotations": {**ingress.annotations, **SKIP_AWAIT, **owned}}
        described = with_common(own, self._settings)
        metadata = ObjectMetaArgs(name=ingress.name, namespace=ingress.namespace, **described)
        spec = ServiceSpecArgs(
            type="LoadBalancer" if self._local else "NodePort",
            load_balancer_class=LOAD_BALANCER_CLASS if self._local else None,
            external_traffic_policy="Local" if self._local else None,
            health_check_node_port=ingress.health_check_node_port,
            selector=dict(ingress.selector),
            ports=[each for port in ingress.ports for each in service_ports(port)],
        )
        after = [self.namespace] if self.namespace else []
        opts = self.beneath(depends_on=after, retain_on_delete=ingress.keep or None)
        return Service(name, metadata=metadata, spec=spec, opts=opts)

    def _adopt(self, name: str, ingress: Ingress) -> Service:
        """Adopt under a separate logical name: with the name of a created Service, a read would delete it."""
        found = pulumi.Output.concat(ingress.namespace, "/", ingress.name)
        return Service.get(f"{name}-adopted", found, opts=self.beneath())

    def _of_another_owner(self, name: str, called: pulumi.Output[str]) -> pulumi.Output[str]:
        """Return `called` after a check that this stack did not create the adopted Service."""

        def checked(metadata: Any) -> pulumi.Output[str]:
            return called.apply(lambda known: refuse_own(metadata, name, known))

        return self.service.metadata.apply(checked)


def owner(name: str) -> str:
    """Return stack and component, the value of the annotation OWNER."""
    return f"{pulumi.get_project()}/{pulumi.get_stack()}/{name}"


def refuse_own(metadata: Any, name: str, called: str) -> str:
    """Return `called`; refuse to adopt a Service created by this stack, because `up` would delete it."""
    if (metadata.annotations or {}).get(OWNER) != owner(name):
        return called
    raise pulumi.RunError(
        f"node-nlb-sync:ingress.create: read false, and the Service {called} "
        f"was created by this stack, which would delete it; allowed: true, or false for a Service of another "
        "owner; fix: set ingress.create and ingress.keep to true and run pulumi up, which gives the Service "
        "up; then set ingress.create to false"
    )


def service_ports(port: IngressPort) -> list[ServicePortArgs]:
    """Return the ports of the Service; without `node_port` the cluster allocates a NodePort."""
    protocols = ("TCP", "UDP") if port.protocol == TCP_UDP else (port.protocol,)
    return [
        ServicePortArgs(
            name=port.name if protocol == protocols[0] else udp_name(port.name),
            port=port.port,
            protocol=protocol,
            target_port=port.target_port or port.port,
            node_port=port.node_port,
        )
        for protocol in protocols
    ]


def udp_name(name: str) -> str:
    """Return the name of the second Service port of an ingress port with TCP and UDP."""
    return f"{name}-udp"


def nameless(spec: Any) -> bool:
    """Return whether a Service has a single, unnamed port; Kubernetes requires names for several ports."""
    return len(spec.ports or ()) == 1 and not spec.ports[0].name


def allocated(spec: Any, called: str, ingress: Ingress) -> dict[str, int]:
    """Return the NodePorts of Service `called` by port name; for an adopted Service all must exist.

    In the preview of a Service to be created, NodePorts are missing, also in the result.
    """
    only = ingress.ports[0].name if nameless(spec) and len(ingress.ports) == 1 else ""
    ports = {only or port.name: port.node_port for port in spec.ports or () if port.node_port}
    if not ingress.create:
        refuse_other_protocols(spec, called, ingress, only)
    absent = [port.name for port in ingress.ports if port.name not in ports]
    if absent and not ingress.create:
        raise pulumi.RunError(
            f"node-nlb-sync:ingress: the Service {called} is a {spec.type} without "
            f"a NodePort for {', '.join(absent)}; fix: change it to a NodePort Service with these port "
            "names, "
            f"or set ingress.ports to its ports"
        )
    return ports


def refuse_other_protocols(spec: Any, called: str, ingress: Ingress, only: str) -> None:
    """Refuse an adopted Service whose NodePorts do not have the protocols of `ingress.ports`."""
    found = {(only or each.name, each.protocol or "TCP"): each.node_port for each in spec.ports or ()}
    udp = {each.node_port for each in spec.ports or () if each.protocol == "UDP"}
    for index, port in enumerate(ingress.ports):
        protocol = "TCP" if port.protocol == TCP_UDP else port.protocol
        others = [kind for name, kind in found if name == port.name and kind != protocol]
        if others and (port.name, protocol) not in found:
            have = f"where the port of the Service {called} has protocol {others[0]}"
        elif port.protocol == TCP_UDP and found.get((port.name, "TCP")) not in {None, *udp}:
            have = f"and the Service {called} has no UDP port with the same NodePort"
        else:
            continue
        raise pulumi.RunError(
            f"node-nlb-sync:ingress.ports[{index}].protocol: read {port.protocol}, {have}; allowed: the "
            "protocol of the Service's port; fix: change the Service or the key"
        )


def allocated_check(spec: Any, called: str, ingress: Ingress) -> dict[str, int]:
    """Return the healthCheckNodePort of Service `called`; an adopted Service must have one.

    In the preview of a Service to be created, the port is missing, also in the result.
    """
    if port := spec.health_check_node_port:
        return {CHECK_PORT: port}
    if ingress.create:
        return {}
    raise pulumi.RunError(
        f"node-nlb-sync:healthCheck.port: read local, and the Service {called} is a {spec.type} with "
        f"externalTrafficPolicy {spec.external_traffic_policy or 'Cluster'} and without a "
        f"healthCheckNodePort; allowed: local for a Service of type LoadBalancer with "
        "externalTrafficPolicy Local; fix: change the Service, or set healthCheck.port to another value"
    )
