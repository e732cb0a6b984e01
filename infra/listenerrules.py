"""Constraints that span several keys of listeners, health checks and limits of healthy targets."""

from collections.abc import Iterator

from .healthkeys import LOCAL, TCP, HealthCheck
from .keys import Settings
from .listenerkeys import TCP_UDP, TLS, UDP, Listener
from .problems import Change, Problem, echo
from .shapes import camel
from .udprules import udp_problems


def listener_problems(settings: Settings) -> Iterator[Problem]:
    """Report what AWS refuses in listeners, groups and health checks."""
    if settings.cluster:
        yield from missing_service_ports(settings)
    yield from same_groups(settings)
    for index, item in enumerate(settings.listeners if settings.balances else ()):
        yield from wrong_certificates(f"listeners[{index}]", item)
        yield from wrong_for_tls(f"listeners[{index}]", item)
    yield from udp_problems(settings)
    if settings.load_balancer.minimum_capacity and any(item.protocol == TLS for item in settings.listeners):
        path, read = "loadBalancer.minimumCapacity", str(settings.load_balancer.minimum_capacity)
        yield Problem(path, read, "0 or null beside a TLS listener", Change(path, "0"))
    yield from wrong_times(settings)
    yield from wrong_protocols(settings)
    yield from wrong_limits(settings)


def checks(settings: Settings) -> Iterator[tuple[str, HealthCheck]]:
    """Yield the common health check, and the checks with keys of a listener, with their paths."""
    yield "healthCheck", settings.health_check
    for index, (item, check) in enumerate(zip(settings.listeners, settings.health_checks, strict=True)):
        if check != settings.health_check:
            own = item.health_check.timeout is not None or item.health_check.interval is not None
            yield (f"listeners[{index}].healthCheck" if own else "healthCheck"), check


def missing_service_ports(settings: Settings) -> Iterator[Problem]:
    """Report listeners and health checks with a port that the ingress Service lacks."""
    names = [item.name for item in settings.ingress.ports]
    wanted: list[tuple[str, str | None]] = [
        (f"listeners[{i}].servicePort", item.service_port) for i, item in enumerate(settings.listeners)
    ]
    if settings.health_check.port is None:
        wanted.append(("healthCheck.servicePort", settings.health_check.service_port))
    wanted += [
        (f"listeners[{i}].healthCheck.servicePort", item.health_check.service_port)
        for i, item in enumerate(settings.listeners)
    ]
    for path, name in wanted:
        if name is not None and name not in names:
            allowed = f"one of ingress.ports: {', '.join(names)}"
            yield Problem(
                path, echo(name), allowed, Change(path, names[0], after=", or add it to ingress.ports")
            )


def same_groups(settings: Settings) -> Iterator[Problem]:
    """Report a name of two target groups: each listener has a group of its own."""
    names = [item.target_group.name for item in settings.listeners]
    for index, name in enumerate(names):
        if name is not None and name in names[:index]:
            path = f"listeners[{index}].targetGroup.name"
            fix = "create a second target group, and name it here"
            yield Problem(path, f"{echo(name)} a second time", "each name once", fix)


def wrong_certificates(path: str, item: Listener) -> Iterator[Problem]:
    """Report a TLS listener without a certificate, a certificate of another one, and a certificate twice."""
    where = f"{path}.certificateArns"
    if item.protocol == TLS and not item.certificate_arns:
        fix = f"add {where}, or set {path}.protocol to TCP"
        yield Problem(where, "an empty list", "at least one certificate with protocol TLS", fix)
    if item.protocol != TLS and item.certificate_arns:
        yield Problem(where, "a list", "none without protocol TLS", Change(where, None))
    plain = [arn if isinstance(arn, str) else None for arn in item.certificate_arns]
    for index, arn in enumerate(plain):
        if arn is not None and arn in plain[:index]:
            place = f"{where}[{index}]"
            yield Problem(place, f"{echo(arn)} a second time", "each certificate once", f"remove {place}")


def wrong_for_tls(path: str, item: Listener) -> Iterator[Problem]:
    """Report keys of TLS listeners beside TCP, and keys of TCP listeners beside TLS."""
    if item.protocol in {UDP, TCP_UDP} and item.idle_timeout is not None:
        where = f"{path}.idleTimeout"
        allowed = f"none with protocol {item.protocol}: AWS has it for TCP listeners only"
        yield Problem(where, str(item.idle_timeout), allowed, Change(where, None))
    if item.protocol != TLS:
        for name in ("ssl_policy", "alpn_policy"):
            if (value := getattr(item, name)) is not None:
                where = f"{path}.{camel(name)}"
                yield Problem(where, echo(value), "none without protocol TLS", Change(where, None))
        if item.backend_protocol == TLS:
            where = f"{path}.backendProtocol"
            yield Problem(where, echo(TLS), "TCP without protocol TLS", Change(where, "TCP"))
        return
    if item.idle_timeout is not None:
        where = f"{path}.idleTimeout"
        allowed = "none with protocol TLS, whose idle timeout is 350 seconds"
        yield Problem(where, str(item.idle_timeout), allowed, Change(where, None))
    if item.stickiness:
        where = f"{path}.stickiness"
        yield Problem(where, "true", "false with protocol TLS", Change(where, "false"))


def wrong_times(settings: Settings) -> Iterator[Problem]:
    """Report a timeout longer than the interval, which AWS refuses."""
    for path, check in checks(settings):
        if check.timeout > check.interval:
            where, allowed = f"{path}.timeout", f"at most {path}.interval, {check.interval} seconds"
            yield Problem(where, str(check.timeout), allowed, Change(where, str(check.interval)))


def wrong_protocols(settings: Settings) -> Iterator[Problem]:
    """Report checks of kube-proxy that would fail, or pass on every node."""
    for path, check in checks(settings):
        if check.of_kube_proxy and check.protocol == "HTTPS":
            where, allowed = f"{path}.protocol", f"HTTP with port {check.port}: kube-proxy has no TLS"
            yield Problem(where, "HTTPS", allowed, Change(where, "HTTP"))
        if check.port == LOCAL and check.protocol == TCP:
            where = f"{path}.protocol"
            allowed = "HTTP with port local: kube-proxy accepts connections on nodes without a Pod too"
            yield Problem(where, TCP, allowed, Change(where, "HTTP"))


def wrong_limits(settings: Settings) -> Iterator[Problem]:
    """Report traffic to all targets before the zone leaves DNS, which AWS refuses."""
    for unit in ("count", "percentage"):
        dns = getattr(settings.target_health, f"dns_failover_{unit}") or (1 if unit == "count" else None)
        routing = getattr(settings.target_health, f"unhealthy_routing_{unit}")
        if dns is not None and routing is not None and routing > dns:
            path = f"targetHealth.{camel(f'unhealthy_routing_{unit}')}"
            allowed = f"at most targetHealth.{camel(f'dns_failover_{unit}')}, {dns}"
            yield Problem(path, str(routing), allowed, Change(path, str(dns)))
