"""Constraints that span several keys of the load balancer and its listeners."""

from collections.abc import Iterator

from .keys import Settings
from .listenerkeys import TCP_UDP, UDP
from .loadbalancerkeys import DUALSTACK
from .problems import Change, Problem, echo
from .shapes import child, is_ipv6


def load_balancer_problems(settings: Settings) -> Iterator[Problem]:
    """Report what AWS refuses when it creates or changes the load balancer."""
    yield from wrong_addresses(settings)
    yield from wrong_pools(settings)
    yield from wrong_clients(settings)
    yield from wrong_for_address_type(settings)
    yield from wrong_logs(settings)


def wrong_addresses(settings: Settings) -> Iterator[Problem]:
    """Report an Elastic IP of an internal load balancer, and a private address of an internet-facing one."""
    internal = settings.load_balancer.internal
    for zone, place in settings.zones.items():
        where = child("zones", zone)
        if internal and place.allocation_id is not None:
            path, allowed = f"{where}.allocationId", "none with loadBalancer.scheme internal"
            yield Problem(path, echo(place.allocation_id), allowed, Change(path, None))
        if not internal and place.private_address is not None:
            path = f"{where}.privateAddress"
            allowed = "none without loadBalancer.scheme internal"
            yield Problem(path, echo(place.private_address), allowed, Change(path, None))


def wrong_pools(settings: Settings) -> Iterator[Problem]:
    """Report two pools, and a pool of a load balancer without created addresses."""
    chosen = settings.addresses
    if chosen.public_ipv4_pool is not None and chosen.ipam_pool_id is not None:
        path = "addresses.ipamPoolId"
        allowed = "one of addresses.publicIpv4Pool and addresses.ipamPoolId"
        yield Problem(path, echo(chosen.ipam_pool_id), allowed, Change(path, None))
    if settings.load_balancer.internal:
        for path, value in (
            ("addresses.publicIpv4Pool", chosen.public_ipv4_pool),
            ("addresses.ipamPoolId", chosen.ipam_pool_id),
        ):
            if value is not None:
                allowed = "none with loadBalancer.scheme internal"
                yield Problem(path, echo(value), allowed, Change(path, None))


def wrong_clients(settings: Settings) -> Iterator[Problem]:
    """Report a load balancer that no client reaches, and duplicate groups and prefix lists."""
    balancer = settings.load_balancer
    if not settings.client_cidrs and not balancer.client_prefix_lists and not balancer.security_group_ids:
        allowed = "at least one network, prefix list or security group"
        fix = "remove clientCidrs, or set loadBalancer.clientPrefixLists"
        yield Problem("clientCidrs", "an empty list", allowed, fix)
    for key, values in (
        ("securityGroupIds", balancer.security_group_ids),
        ("clientPrefixLists", balancer.client_prefix_lists),
    ):
        plain = [value if isinstance(value, str) else None for value in values]
        for index, value in enumerate(plain):
            if value is not None and value in plain[:index]:
                where = f"loadBalancer.{key}[{index}]"
                yield Problem(where, f"{echo(value)} a second time", "each id once", f"remove {where}")


def wrong_for_address_type(settings: Settings) -> Iterator[Problem]:
    """Report IPv6 networks without IPv6, and an internal load balancer and UDP beside IPv6.

    AWS's API reference requires ipv4 of an internal load balancer. AWS accepts UDP listeners of a dual-stack
    load balancer only with an IPv6 prefix of each subnet for source NAT (EnablePrefixForIpv6SourceNat), which
    the stack does not manage.
    """
    if settings.attached:  # the edge has the load balancer
        return
    path = "loadBalancer.ipAddressType"
    if not settings.load_balancer.dual_stack:
        for index, cidr in enumerate(settings.client_cidrs):
            if is_ipv6(cidr):
                allowed = f"IPv4 networks with {path} ipv4"
                fix = Change(path, DUALSTACK, after=f", or remove clientCidrs[{index}]")
                yield Problem(f"clientCidrs[{index}]", echo(cidr), allowed, fix)
        return
    if settings.load_balancer.internal:
        yield Problem(path, DUALSTACK, "ipv4 with loadBalancer.scheme internal", Change(path, None))
    for index, item in enumerate(settings.listeners):
        if item.protocol in {UDP, TCP_UDP}:
            allowed = (
                f"TCP or TLS with {path} {DUALSTACK}: AWS requires IPv6 prefixes for source NAT with UDP"
            )
            way = f"set {path} to ipv4, or serve UDP from a stack of its own"
            yield Problem(f"listeners[{index}].protocol", item.protocol, allowed, way)


def wrong_logs(settings: Settings) -> Iterator[Problem]:
    """Report access logs without a bucket."""
    logs = settings.load_balancer.access_logs
    if logs.enabled and logs.bucket is None:
        path = "loadBalancer.accessLogs.bucket"
        yield Problem(path, "nothing", "a bucket beside accessLogs.enabled", Change(path, "<bucket>"))
