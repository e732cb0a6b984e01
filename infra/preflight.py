"""Checks of AWS and the cluster before the first resource, beside the reads of infra/network.py."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import pulumi

from .aroundrules import false_alarms, misplaced_names
from .certificates import unissued_certificates
from .cluster import wrong_in_cluster
from .keys import Settings
from .nodegroups import misplaced_groups, too_many_rules
from .places import Stack, wrong_addresses, wrong_subnets
from .ports import DEFAULT_RANGE, fixed_node_ports
from .probeadvice import unanswered_checks
from .problems import Problem
from .quotas import too_many_addresses
from .reads import Reading

ADVISED_DELAY: Final = 120  # seconds ("Deregistration delay" of the NLB user guide)


def preflight(
    settings: Settings,
    stack: Stack,
    owned: Mapping[str, Sequence[str]] | None,
    options: pulumi.InvokeOptions,
    opts: pulumi.ResourceOptions | None,
) -> Iterator[Problem]:
    """Report what AWS and the API server would refuse after the first resource.

    `owned` are the stack's addresses in AWS by zone, None where they are not known. `opts` are the
    component's resource options. A denied read skips its check with one warning.
    """
    if settings.cluster:
        yield from wrong_in_cluster(settings, opts)
    reading = Reading(options)
    if settings.creates_groups:
        yield from misplaced_groups(settings, reading)
    if settings.balances or settings.creates_groups:
        yield from too_many_rules(settings, reading)
    if settings.balances:
        yield from unissued_certificates(settings, reading)
        yield from wrong_addresses(settings, stack, reading)
        yield from wrong_subnets(settings, stack, reading)
        yield from misplaced_names(settings, reading)
        if owned is not None:
            yield from too_many_addresses(settings, owned, reading)


def advise(settings: Settings) -> Iterator[str]:
    """Yield a warning for every value that works and that is probably not meant."""
    if settings.target_groups:
        return
    if not settings.cluster and not settings.attachments:
        yield "cluster is false and attachments are empty: the load balancer has no listener"
    delay = settings.deregistration_delay
    if delay < ADVISED_DELAY:
        yield (
            f"deregistrationDelay is {delay} s; AWS advises at least {ADVISED_DELAY} s for a Network Load "
            "Balancer: connections of a leaving node may be cut"
        )
    for path, port in fixed_node_ports(settings):
        if port not in DEFAULT_RANGE:
            yield (
                f"{path} is {port}, outside 30000-32767: the API server "
                "refuses the Service unless its --service-node-port-range has the port"
            )
    yield from unanswered_checks(settings)
    yield from false_alarms(settings)
    networks = [ipaddress.ip_network(each) for each in settings.client_cidrs]
    for index, network in enumerate(networks):
        for other, wider in enumerate(networks):
            # IPv4 and IPv6 networks are not comparable.
            if network != wider and network.version == wider.version and network.subnet_of(wider):  # type: ignore[arg-type]
                yield f"clientCidrs[{index}] is inside clientCidrs[{other}], {wider}, and has no effect"
                break
    yield from _advise_balancer(settings)


def _advise_balancer(settings: Settings) -> Iterator[str]:
    balancer, networks = settings.load_balancer, settings.client_cidrs
    # Clients of an internet-facing load balancer that are nodes have the address of a NAT gateway.
    if balancer.internal and settings.connections.preserve_client_ip:
        yield (
            "loadBalancer.scheme is internal and connections.preserveClientIp is true: a connection from a "
            "node or its Pods times out where AWS sends it back to the same node; set "
            "connections.preserveClientIp to false, or let Pods call the Service by its name"
        )
    further = balancer.client_prefix_lists or balancer.security_group_ids
    if balancer.dual_stack and not further and len(settings.client_cidrs_ipv4) == len(networks):
        yield (
            "loadBalancer.ipAddressType is dualstack and clientCidrs has no IPv6 network: no client connects "
            "over IPv6; add ::/0, or the networks of the clients"
        )
