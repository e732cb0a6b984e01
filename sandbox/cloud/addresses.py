"""Which loopback addresses EC2 gives out: by chance, since all sandboxes of a machine share its loopback.

| network | whose |
|---|---|
| 127.0.0.0/16 | the machine's own |
| 127.64.0.0/16 | the VPC: instances, Pods, load balancers' private addresses |
| any other 127.x.y.z, y.z not ending in 0 or 255 | Elastic IPs |
"""

import random
from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network

HOST_NETWORK = IPv4Network("127.0.0.0/16")
VPC_NETWORK = IPv4Network("127.64.0.0/16")
# The load balancers' own addresses in a subnet: the first five hosts after the four that AWS reserves,
# then those up to .15; sandbox.cloud.network reserves the whole /28, so no instance gets one.
LOAD_BALANCER_HOSTS = range(5, 16)
_POD_HOSTS = 256  # the last /24 of a subnet is left to Pods
_ROOM = 4 * _POD_HOSTS


def elastic_ip(chance: random.Random, taken: Collection[str]) -> str:
    """An address for a new Elastic IP that is none of `taken`."""
    while True:
        address = IPv4Address(
            f"127.{chance.randint(1, 254)}.{chance.randint(0, 255)}.{chance.randint(1, 254)}"
        )
        apart = address not in HOST_NETWORK and address not in VPC_NETWORK
        if apart and str(address) not in taken:
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
