"""Constraints of the parts around the load balancer, in the configuration and in AWS."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from pulumi_aws import route53

from .aroundkeys import MOST_ACTIONS
from .healthkeys import LOCAL
from .keys import Settings
from .policy import region_of
from .problems import Change, Problem, echo
from .reads import Reading, unreadable

_ABSENT: Final = "NoSuchHostedZone"
_EVERYBODY: Final = "*"


def around_problems(settings: Settings) -> Iterator[Problem]:
    """Report what AWS refuses, and keys of a part that is off."""
    yield from _wrong_dns(settings)
    service, alarms = settings.endpoint_service, settings.alarms
    for path, value, enabled in (
        ("endpointService.allowedPrincipals", service.allowed_principals, service.enabled),
        ("endpointService.privateDnsName", service.private_dns_name, service.enabled),
        ("alarms.actions", alarms.actions, alarms.enabled),
    ):
        if value and not enabled:
            switch = f"{path.partition('.')[0]}.enabled"
            yield Problem(path, "a value", f"none without {switch}", Change(switch, "true"))
    for path, values in (
        ("endpointService.allowedPrincipals", service.allowed_principals),
        ("alarms.actions", alarms.actions),
    ):
        yield from _twice(path, values)
    if _EVERYBODY in [each for each in service.allowed_principals if isinstance(each, str)]:
        path, others = "endpointService.allowedPrincipals", len(service.allowed_principals) - 1
        if others:
            read, fix = f"* beside {others} others", "keep * alone, or remove it"
            yield Problem(path, read, "* alone, or ARNs", fix)
    if (surplus := len(alarms.actions) - MOST_ACTIONS) > 0:
        read, allowed = f"{len(alarms.actions)} topics", f"at most {MOST_ACTIONS}, AWS's limit for an alarm"
        yield Problem("alarms.actions", read, allowed, f"remove {surplus} of them")


def _wrong_dns(settings: Settings) -> Iterator[Problem]:
    chosen = settings.dns
    if chosen.names and chosen.zone_id is None:
        path = "dns.zoneId"
        yield Problem(path, "nothing", "a hosted zone beside dns.names", Change(path, "<zone id>"))
    if chosen.zone_id is not None and not chosen.names:
        path, fix = "dns.names", "list the names in dns.names, or remove dns.zoneId"
        yield Problem(path, "nothing", "names beside dns.zoneId", fix)
    yield from _twice("dns.names", chosen.names)


def _twice(path: str, values: tuple[Any, ...]) -> Iterator[Problem]:
    plain = [value if isinstance(value, str) else None for value in values]
    for index, value in enumerate(plain):
        if value is not None and value in plain[:index]:
            where = f"{path}[{index}]"
            yield Problem(where, f"{echo(value)} a second time", "each once", Change(where, None))


def topics_elsewhere(settings: Settings, region: str) -> Iterator[Problem]:
    """Report topics of another Region, which an alarm cannot notify."""
    for index, arn in enumerate(settings.alarms.actions):
        if isinstance(arn, str) and region_of(arn) != region:
            path, read = f"alarms.actions[{index}]", f"a topic of {region_of(arn)}"
            fix = f"give a topic of {region}: an alarm notifies no other"
            yield Problem(path, read, f"topics of aws:region {region}", fix)


def misplaced_names(settings: Settings, reading: Reading) -> Iterator[Problem]:
    """Report a hosted zone that AWS lacks, and names outside the zone.

    A zone given as an Output is not known yet; AWS refuses wrong names itself then.
    """
    zone_id, names = settings.dns.zone_id, settings.dns.names
    if not isinstance(zone_id, str) or not names:
        return
    path, allowed, fix = (
        "dns.zoneId",
        "a hosted zone of the account",
        "list them: aws route53 list-hosted-zones",
    )
    read = partial(route53.get_zone, zone_id=zone_id)
    try:
        found: Any = reading.attempt(
            "route53:GetHostedZone", "whether dns.names lie in the hosted zone", read
        )
    except Exception as error:  # noqa: BLE001 (the SDK raises no narrower class for a failed function)
        missing = Problem(path, f"{zone_id}, which does not exist", allowed, fix)
        yield (
            missing
            if _ABSENT in str(error)
            else unreadable(path, zone_id, error, allowed=allowed, fix="run it again")
        )
        return
    zone = str(found.name).removesuffix(".") if found and found.name else ""
    for index, name in enumerate(names):
        # No zone: a preview with an unconfigured provider, or a denied read.
        if zone and name != zone and not name.endswith(f".{zone}"):
            where = f"dns.names[{index}]"
            yield Problem(where, echo(name), f"names in {zone}, the zone {zone_id}", f"remove {where}")


def false_alarms(settings: Settings) -> Iterator[str]:
    """Yield a warning for an alarm that every node without an ingress Pod raises."""
    alarms = settings.alarms
    local = settings.creates_groups and any(check.port == LOCAL for check in settings.health_checks)
    if alarms.enabled and alarms.unhealthy_hosts == 0 and local:
        yield (
            "alarms.unhealthyHosts is 0 beside healthCheck.port local: nodes without an ingress Pod are "
            "unhealthy there and raise the alarm; set their number, or null for no such alarm"
        )
