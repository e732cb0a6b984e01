"""Which loopback addresses EC2 gives out: by chance, from the networks of its sandbox (sandbox.layout)."""

import random
from collections.abc import Collection
from ipaddress import IPv4Network

# The load balancers' own addresses in a subnet: the first five hosts after the four that AWS reserves,
# then those up to .15; sandbox.cloud.network reserves the whole /28, so no instance gets one.
LOAD_BALANCER_HOSTS = range(5, 16)
_POD_HOSTS = 256  # the last /24 of a subnet is left to Pods
_ROOM = 4 * _POD_HOSTS


def elastic_ip(chance: random.Random, network: IPv4Network, taken: Collection[str]) -> str:
    """An address of `network` for a new Elastic IP: none of `taken`, its last number neither 0 nor 255."""
    while True:
        address = network[chance.randrange(network.num_addresses)]
        if address.packed[-1] not in {0, 255} and str(address) not in taken:
            return str(address)


def instance_ip(chance: random.Random, network: IPv4Network, taken: Collection[str]) -> str | None:
    """An address for a new instance in a subnet: above the load balancers', below the Pods', none of `taken`.

    None for a subnet smaller than a /22, where the choice is moto's.
    """
    if network.num_addresses < _ROOM:
        return None
    hosts = range(LOAD_BALANCER_HOSTS.stop, network.num_addresses - _POD_HOSTS)
    while True:
        address = str(network[chance.choice(hosts)])
        if address not in taken:
            return address
