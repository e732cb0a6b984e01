import random
from ipaddress import IPv4Address, IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from sandbox.cloud.addresses import elastic_ip, instance_ip

_SUBNET = IPv4Network("127.64.16.0/20")
_ELASTIC = IPv4Network("127.65.0.0/16")


def _chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 (addresses, not secrets)


def test_n1_elastic_ips_are_hosts_of_their_sandboxs_network() -> None:
    chance = _chance(1)
    given_out = {IPv4Address(elastic_ip(chance, _ELASTIC, ())) for _ in range(5000)}
    assert all(address in _ELASTIC for address in given_out)
    assert not {0, 255} & {address.packed[-1] for address in given_out}


@given(st.integers())
def test_an_elastic_ip_that_is_taken_is_not_given_again(seed: int) -> None:
    first = elastic_ip(_chance(seed), _ELASTIC, ())
    assert elastic_ip(_chance(seed), _ELASTIC, {first}) != first


@given(st.integers())
def test_an_instance_is_above_the_load_balancers_and_below_the_pods(seed: int) -> None:
    address = instance_ip(_chance(seed), _SUBNET, ())
    assert address is not None
    assert _SUBNET[16] <= IPv4Address(address) < _SUBNET[-256]


def test_the_last_free_address_of_a_subnet_is_found() -> None:
    network = IPv4Network("127.64.16.0/22")
    taken = {str(address) for address in network} - {"127.64.17.9"}
    assert instance_ip(_chance(1), network, taken) == "127.64.17.9"


def test_a_small_subnet_is_left_to_moto() -> None:
    assert instance_ip(_chance(1), IPv4Network("10.0.0.0/24"), ()) is None
