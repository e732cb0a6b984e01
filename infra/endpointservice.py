"""The PrivateLink endpoint service before the load balancer."""

from typing import Any

import pulumi
from pulumi_aws import ec2, lb

from .component import Component
from .keys import Settings


class EndpointService(Component):
    """`outputs` has the service's name, and the TXT record that proves a private DNS name.

    The service is deleted before the load balancer: AWS refuses the other order. A replacement of the load
    balancer replaces the service too, because AWS keeps a load balancer in every service.
    """

    TYPE = "node-nlb-sync:endpointservice:EndpointService"

    def __init__(
        self,
        name: str,
        settings: Settings,
        balancer: lb.LoadBalancer,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        chosen = settings.endpoint_service
        service = ec2.VpcEndpointService(
            name,
            acceptance_required=chosen.acceptance_required,
            allowed_principals=[*chosen.allowed_principals],
            network_load_balancer_arns=[balancer.arn],
            private_dns_name=chosen.private_dns_name,
            tags={"Name": name, **settings.tags},
            opts=self.beneath(delete_before_replace=True, replace_on_changes=["networkLoadBalancerArns"]),
        )
        self.outputs: dict[str, pulumi.Output[str]] = {"serviceName": service.service_name}
        if chosen.private_dns_name is not None:
            record = service.private_dns_name_configurations
            self.outputs["verificationName"] = record.apply(lambda found: proof(found, "name"))
            self.outputs["verificationValue"] = record.apply(lambda found: proof(found, "value"))
        self.register_outputs({})


def proof(found: Any, part: str) -> str:
    """Return a part of the TXT record that proves the ownership of a private DNS name."""
    return str(getattr(found[0], part) or "") if found else ""
