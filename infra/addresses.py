"""The static IPs: an Elastic IP per availability zone, created and kept, or given by the user.

An internal load balancer has none; the private addresses that the user gives are its static IPs.
"""

from collections.abc import Mapping
from typing import Final

import pulumi
from pulumi_aws.ec2 import Eip

from .component import Component
from .kept import PART, ZONE_TAG
from .keys import Settings
from .network import Network

POOLS: Final = ("publicIpv4Pool", "ipamPoolId")


class StaticAddresses(Component):
    """`allocation_ids` and `public_ips` by zone; the order of the zones is irrelevant.

    Retained addresses of removed zones are resources too: the engine would release an address without its
    resource.
    """

    TYPE = PART

    def __init__(
        self,
        name: str,
        settings: Settings,
        network: Network,
        marks: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self._name, self._settings, self._marks = name, settings, marks
        self._renamed = network.kept.renamed
        self.allocation_ids: dict[str, pulumi.Input[str]] = {}
        self.public_ips: dict[str, pulumi.Input[str]] = {}
        for zone, place in settings.zones.items():
            if settings.load_balancer.internal:
                if place.private_address is not None:
                    self.public_ips[zone] = place.private_address
                continue
            if place.allocation_id is not None:
                self.allocation_ids[zone] = network.guard.allocation_id(zone, place.allocation_id)
                self.public_ips[zone] = network.existing_ips[zone]
                continue
            kept = network.kept.adopted.get(zone) if settings.addresses.keep else None
            address = self._address(zone, kept, keep=settings.addresses.keep)
            self.allocation_ids[zone] = address.allocation_id
            self.public_ips[zone] = address.public_ip
        for zone, allocation_id in network.kept.retained.items():
            self._address(zone, allocation_id, keep=True)
        self.register_outputs({"publicIps": self.public_ips})

    def _address(self, zone: str, found: str | None, *, keep: bool) -> Eip:
        """Create an address, or import `found`; for an address in the stack an import is no change.

        The tags of a found address are ignored: other tools tag the address too, and an import with different
        tags is refused. One with the former name of the stack is in the state, and gets the new name beside
        its tags. A pool is for new addresses: the provider would replace an address of another pool.
        """
        name, settings = self._name, self._settings
        former = self._renamed.get(found or "")
        others = {key: value for key, value in (former or {}).items() if not key.startswith("aws:")}
        return Eip(
            f"{name}-{zone}",
            domain="vpc",
            public_ipv4_pool=settings.addresses.public_ipv4_pool,
            ipam_pool_id=settings.addresses.ipam_pool_id,
            tags={**others, "Name": f"{name}-{zone}", **settings.tags, ZONE_TAG: zone, **self._marks},
            opts=self.beneath(
                protect=settings.addresses.protect or None,
                retain_on_delete=keep or None,
                import_=found,
                ignore_changes=[*POOLS, *(["tags"] if found and former is None else [])],
            ),
        )
