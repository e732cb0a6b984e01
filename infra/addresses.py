"""The static IPs: an Elastic IP per availability zone, created and kept, or given by the user.

An internal load balancer has none; the private addresses that the user gives are its static IPs.
"""

from collections.abc import Mapping

import pulumi
from pulumi_aws.ec2 import Eip

from .component import Component
from .keys import Settings
from .network import ZONE_TAG, Network


class StaticAddresses(Component):
    """`allocation_ids` and `public_ips` by zone; the order of the zones is irrelevant."""

    TYPE = "node-nlb-sync:addresses:StaticAddresses"

    def __init__(
        self,
        name: str,
        settings: Settings,
        network: Network,
        marks: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self.allocation_ids: dict[str, pulumi.Input[str]] = {}
        self.public_ips: dict[str, pulumi.Input[str]] = {}
        for zone, place in settings.zones.items():
            if settings.load_balancer.internal:
                if place.private_address is not None:
                    self.public_ips[zone] = place.private_address
                continue
            if place.allocation_id is not None:
                self.allocation_ids[zone] = place.allocation_id
                self.public_ips[zone] = network.existing_ips[zone]
                continue
            address = Eip(
                f"{name}-{zone}",
                domain="vpc",
                tags={"Name": f"{name}-{zone}", **settings.tags, ZONE_TAG: zone, **marks},
                opts=self._options(settings, network.kept_allocations.get(zone)),
            )
            self.allocation_ids[zone] = address.allocation_id
            self.public_ips[zone] = address.public_ip
        self.register_outputs({"publicIps": self.public_ips})

    def _options(self, settings: Settings, kept: str | None) -> pulumi.ResourceOptions:
        """Import kept addresses, found by tags; for an address in the stack an import is no change.

        The tags of a found address are ignored: other tools tag the address too, and an import with different
        tags is refused.
        """
        addresses = settings.addresses
        return self.beneath(
            protect=addresses.protect or None,
            retain_on_delete=addresses.keep or None,
            import_=kept if addresses.keep else None,
            ignore_changes=["tags"] if addresses.keep and kept else None,
        )
