"""Alias records of the load balancer in Route 53."""

from typing import Final

import pulumi
from pulumi_aws import lb, route53

from .component import Component
from .keys import Settings

_IPV4: Final = "A"
_IPV6: Final = "AAAA"


class DnsRecords(Component):
    """A record for each name and IP version. Records have no tags in AWS."""

    TYPE = "node-nlb-sync:dnsrecords:DnsRecords"

    def __init__(
        self,
        name: str,
        settings: Settings,
        balancer: lb.LoadBalancer,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        chosen = settings.dns
        if chosen.zone_id is None:  # refused before, beside names
            raise ValueError("records need a hosted zone")
        alias = route53.RecordAliasArgs(
            name=balancer.dns_name,
            zone_id=balancer.zone_id,
            evaluate_target_health=chosen.evaluate_target_health,
        )
        for record in chosen.names:
            for kind in record_types(settings):
                route53.Record(
                    f"{name}-{record}-{kind.lower()}",
                    zone_id=chosen.zone_id,
                    name=record,
                    type=kind,
                    aliases=[alias],
                    opts=self.beneath(),
                )
        self.register_outputs({})


def record_types(settings: Settings) -> tuple[str, ...]:
    """Return the record types of the load balancer's IP versions."""
    return (_IPV4, _IPV6) if settings.load_balancer.dual_stack else (_IPV4,)
