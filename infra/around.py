"""The parts around the load balancer; each is off by default."""

from collections.abc import Mapping

import pulumi

from .alarms import Alarms
from .dnsrecords import DnsRecords
from .endpointservice import EndpointService
from .forward import Attached
from .keys import Settings
from .loadbalancer import LoadBalancer


def around(
    name: str,
    settings: Settings,
    balancer: LoadBalancer,
    attached: Attached,
    opts: pulumi.ResourceOptions,
) -> Mapping[str, pulumi.Output[str]]:
    """Create the parts that the settings enable; return the outputs of the endpoint service.

    Names and endpoint service come after the listeners and go before them, so that clients find no closed
    port.
    """
    after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[balancer]))
    if settings.dns.names:
        DnsRecords(name, settings, balancer.nlb, after)
    if settings.alarms.enabled:
        Alarms(
            name,
            settings,
            balancer=balancer.nlb,
            groups=balancer.target_groups,
            attached=attached,
            opts=opts,
        )
    if not settings.endpoint_service.enabled:
        return {}
    return EndpointService(name, settings, balancer.nlb, after).outputs
