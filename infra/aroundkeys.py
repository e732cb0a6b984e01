"""The keys of the parts around the load balancer: DNS names, a PrivateLink endpoint service, and alarms."""

from dataclasses import dataclass
from typing import Final

import pulumi

from .shapes import Flag, Optional, Rows, Text, Whole, declared

MOST_ACTIONS: Final = 5  # of a state of an alarm (CloudWatch API, PutMetricAlarm)
_MOST: Final = 1_000_000
_NO_ALARM: Final = "no such alarm"
_LABEL: Final = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
DNS_NAME: Final = rf"(?=.{{1,253}}$)(\*\.)?{_LABEL}(\.{_LABEL})+"
TOPIC: Final = r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}"
PRINCIPAL: Final = r"\*|arn:aws[a-z-]*:iam::\d{12}:(root|user/[!-~]+|role/[!-~]+)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dns:
    """Alias records in a hosted zone of Route 53; none without names."""

    zone_id: pulumi.Input[str] | None = declared(
        Optional(
            inner=Text(
                output=True,
                reason="The hosted zone of the names, public, or private for clients inside its VPCs.",
                allowed="the id of a hosted zone",
                pattern=r"Z[A-Z0-9]{1,31}",
                example="Z0123456789ABCDEFGHIJ",
            )
        )
    )
    names: tuple[str, ...] = declared(
        Rows(
            item=Text(
                reason="A name that clients use.",
                allowed="a name in lower case without a dot at its end, such as www.example.com or "
                "*.apps.example.com",
                pattern=DNS_NAME,
                example="www.example.com",
            ),
            reason="Names that get an alias record to the load balancer. AWS refuses a name that has a "
            "record already.",
            allowed="a list of names in the hosted zone",
            default=[],
        )
    )
    evaluate_target_health: bool = declared(
        Flag(
            default=True,
            reason="true: Route 53 prefers another record of the name, such as failover, while the load "
            "balancer is unhealthy.",
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointService:
    """A PrivateLink endpoint service before the load balancer."""

    enabled: bool = declared(
        Flag(
            default=False,
            reason="true creates an endpoint service, so that other VPCs and accounts reach the listeners by "
            "interface endpoints. While endpoints are connected, AWS removes no zone of the load balancer.",
        )
    )
    acceptance_required: bool = declared(
        Flag(default=True, reason="true: each new endpoint waits until its connection is accepted.")
    )
    allowed_principals: tuple[pulumi.Input[str], ...] = declared(
        Rows(
            item=Text(
                output=True,
                reason="An account, user or role that may create endpoints.",
                allowed="the ARN of an account (…:root), user or role, or * for everybody",
                pattern=PRINCIPAL,
                example="arn:aws:iam::123456789012:root",
            ),
            reason="Accounts, users and roles that may create endpoints; without one, no other account may.",
            allowed="a list of ARNs, or *",
            default=[],
        )
    )
    private_dns_name: str | None = declared(
        Optional(
            inner=Text(
                reason="A name that endpoints may resolve to the service. AWS checks that you own the domain "
                "by a TXT record, named in the output endpointService.",
                allowed="a name in lower case without a dot at its end, such as www.example.com or "
                "*.apps.example.com",
                pattern=DNS_NAME,
                example="api.example.com",
            )
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """CloudWatch alarms of the load balancer and of every target group that its listeners forward to."""

    enabled: bool = declared(Flag(default=False, reason="true creates the alarms with a threshold."))
    actions: tuple[pulumi.Input[str], ...] = declared(
        Rows(
            item=Text(
                output=True,
                reason="A topic.",
                allowed="the ARN of an SNS topic",
                pattern=TOPIC,
                example="arn:aws:sns:eu-central-1:123456789012:on-call",
            ),
            reason="SNS topics that are notified of each alarm and of its end; without one, CloudWatch alone "
            "shows the alarms.",
            allowed=f"a list of at most {MOST_ACTIONS} ARNs of topics in the load balancer's Region",
            default=[],
        )
    )
    minutes: int = declared(
        Whole(
            low=1,
            high=60,
            unit="minutes",
            default=5,
            reason="The time of unhealthy targets before an alarm, and the time in which errors are counted. "
            "The default outlasts a restart of the ingress controller.",
        )
    )
    unhealthy_hosts: int | None = declared(
        Optional(
            inner=Whole(
                low=0,
                high=_MOST,
                unit="targets",
                reason="Alarm with more unhealthy targets of a group in a zone, for all of `minutes`. The "
                "syncer deregisters leaving nodes, so every unhealthy target is a fault. With "
                "healthCheck.port local, nodes without an ingress Pod are unhealthy: set their number.",
            ),
            default=0,
            null=_NO_ALARM,
        )
    )
    rejected_flows: int | None = declared(
        Optional(
            inner=Whole(
                low=0,
                high=_MOST,
                unit="connections",
                reason="Alarm with more connections that the load balancer rejects within `minutes`: each "
                "one is an error of a client.",
            ),
            default=0,
            null=_NO_ALARM,
        )
    )
    port_allocation_errors: int | None = declared(
        Optional(
            inner=Whole(
                low=0,
                high=_MOST,
                unit="errors",
                reason="Alarm with more connections without a free port towards a target within `minutes`, "
                "at about 55,000 a target: more nodes help, or connections.preserveClientIp.",
            ),
            default=0,
            null=_NO_ALARM,
        )
    )
