"""Random loopback addresses for EC2, from the networks of the sandbox (sandbox.layout)."""

import random
from collections.abc import Collection
from ipaddress import IPv4Network

# The addresses of load balancers in a subnet: the first five hosts after the four reserved by AWS, then up to
# .15; sandbox.cloud.network reserves the whole /28, so no instance has such an address.
LOAD_BALANCER_HOSTS = range(5, 16)
_POD_HOSTS = 256  # the last /24 of a subnet is for Pods
_ROOM = 4 * _POD_HOSTS


def elastic_ip(chance: random.Random, network: IPv4Network, taken: Collection[str]) -> str:
    """Return an address of `network` for a new Elastic IP: not in `taken`, last number neither 0 nor 255."""
    while True:
        address = network[chance.randrange(network.num_addresses)]
        if address.packed[-1] not in {0, 255} and str(address) not in taken:
            return str(address)


def instance_ip(chance: random.Random, network: IPv4Network, taken: Collection[str]) -> str | None:
    """Return an address for a new instance: above the load balancers', below the Pods', not in `taken`.

    None for a subnet smaller than a /22: moto then chooses.
    """
    if network.num_addresses < _ROOM:
        return None
    hosts = range(LOAD_BALANCER_HOSTS.stop, network.num_addresses - _POD_HOSTS)
    while True:
        address = str(network[chance.choice(hosts)])
        if address not in taken:
            return address
