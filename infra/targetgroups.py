"""Target groups, with their health check, attributes, and limits of healthy targets."""

from collections.abc import Mapping
from typing import Any, Final

import pulumi
from pulumi_aws import lb

from .healthkeys import LOCAL, TCP, TRAFFIC_PORT, HealthCheck, TargetHealth
from .ingress import CHECK_PORT
from .keys import Settings
from .listenerkeys import TLS, Listener

_CROSS_ZONE: Final = {True: "true", False: "false", None: "use_load_balancer_configuration"}
_OFF: Final = "off"


def target_group(
    name: str,
    settings: Settings,
    item: Listener,
    check: lb.TargetGroupHealthCheckArgs,
    opts: pulumi.ResourceOptions,
) -> lb.TargetGroup:
    """Create an empty group for the syncer, without a name by default.

    Named groups are irreplaceable (pulumi-aws#4220).
    """
    return lb.TargetGroup(
        f"{name}-{item.port}",
        name=item.target_group.name,
        port=item.target_group.port,
        protocol=item.group_protocol,
        target_type="instance",
        vpc_id=settings.vpc_id,
        health_check=check,
        tags=settings.tags,
        opts=opts,
        **attributes(settings, item),
    )


def health_check(
    check: HealthCheck, node_ports: Mapping[str, pulumi.Output[int]]
) -> lb.TargetGroupHealthCheckArgs:
    """Return the health check; a check of the TCP connection has neither path nor codes."""
    port: pulumi.Input[str]
    if check.port == TRAFFIC_PORT:
        port = TRAFFIC_PORT
    elif check.port == LOCAL:
        port = node_ports[CHECK_PORT].apply(str)
    elif check.node_port is not None:
        port = str(check.node_port)
    else:
        port = node_ports[check.service_port].apply(str)
    return lb.TargetGroupHealthCheckArgs(
        enabled=True,
        protocol=check.protocol,
        port=port,
        path=check.asked_path,
        interval=check.interval,
        timeout=check.timeout,
        healthy_threshold=check.healthy_threshold,
        unhealthy_threshold=check.unhealthy_threshold,
        matcher=None if check.protocol == TCP else check.matcher,
    )


def attributes(settings: Settings, item: Listener) -> dict[str, Any]:
    """Return the attributes of a listener's group.

    Attributes with a default here are always set: the provider keeps the found value of an unset attribute,
    so a key taken away would not go back to its default. With UDP, client addresses are always preserved and
    unhealthy targets keep their flows (AWS's rules), and the end of flows with the delay is AWS's default:
    the provider sends no false at creation, so false would be a change of the second `up`.
    """
    connections = settings.connections
    udp = "udp" in item.transports
    end = lb.TargetGroupTargetHealthStateArgs(
        enable_unhealthy_connection_termination=connections.end_when_unhealthy
    )
    return {
        "deregistration_delay": settings.deregistration_delay,
        "connection_termination": udp or connections.end_with_drain,
        "preserve_client_ip": "true" if udp or connections.preserve_client_ip else "false",
        "target_health_states": None if udp else [end],
        "load_balancing_cross_zone_enabled": _CROSS_ZONE[item.cross_zone],
        "proxy_protocol_v2": item.proxy_protocol,
        "stickiness": stickiness(item),
        "target_group_health": limits(settings.target_health),
    }


def stickiness(item: Listener) -> lb.TargetGroupStickinessArgs | None:
    """Return the stickiness; AWS has none for TLS."""
    if TLS in (item.protocol, item.backend_protocol):
        return None
    return lb.TargetGroupStickinessArgs(enabled=item.stickiness, type="source_ip")


def limits(chosen: TargetHealth) -> lb.TargetGroupTargetGroupHealthArgs:
    """Return all four limits; a limit that is not set has AWS's default."""
    dns = lb.TargetGroupTargetGroupHealthDnsFailoverArgs(
        minimum_healthy_targets_count=text(chosen.dns_failover_count or 1),
        minimum_healthy_targets_percentage=text(chosen.dns_failover_percentage),
    )
    routing = lb.TargetGroupTargetGroupHealthUnhealthyStateRoutingArgs(
        minimum_healthy_targets_count=chosen.unhealthy_routing_count or 1,
        minimum_healthy_targets_percentage=text(chosen.unhealthy_routing_percentage),
    )
    return lb.TargetGroupTargetGroupHealthArgs(dns_failover=dns, unhealthy_state_routing=routing)


def text(limit: int | None) -> str:
    """Return a limit in the provider's words."""
    return _OFF if limit is None else str(limit)
