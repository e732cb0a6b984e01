"""Wrong values of the parts around the load balancer, each refused in one line."""

from typing import Any

import pytest

from tests.unit.infra.test_refusals import refused
from tests.unit.infra.test_settings import MINIMAL, read

ZONE = "Z0123456789ABC"
SET, REMOVE = "pulumi config set --path 'node-nlb-sync:{}' {}", "pulumi config rm --path 'node-nlb-sync:{}'"
NAME = "a name in lower case without a dot at its end, such as www.example.com or *.apps.example.com"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:topic-{}"
ROOT = "arn:aws:iam::123456789012:root"


def dns(*names: str) -> dict[str, Any]:
    return {"dns": {"zoneId": ZONE, "names": [*names]}}


def service(**keys: Any) -> dict[str, Any]:
    return {"endpointService": keys}


def alarms(**keys: Any) -> dict[str, Any]:
    return {"alarms": keys}


LINES: list[tuple[dict[str, Any], str]] = [
    (
        {"dns": {"names": ["www.example.com"]}},
        (
            "dns.zoneId: read nothing; allowed: a hosted zone beside dns.names; fix: "
            + SET.format("dns.zoneId", "<zone id>")
        ),
    ),
    (
        {"dns": {"zoneId": ZONE}},
        (
            "dns.names: read nothing; allowed: names beside dns.zoneId; fix: list the names in dns.names, or "
            "remove dns.zoneId"
        ),
    ),
    (
        dns("www.example.com."),
        (
            f'dns.names[0]: read "www.example.com."; allowed: {NAME}; fix: '
            + SET.format("dns.names[0]", "www.example.com")
        ),
    ),
    (
        dns("WWW.example.com"),
        (
            f'dns.names[0]: read "WWW.example.com"; allowed: {NAME}; fix: '
            + SET.format("dns.names[0]", "www.example.com")
        ),
    ),
    (
        dns("a.b", "a.b"),
        'dns.names[1]: read "a.b" a second time; allowed: each once; fix: ' + REMOVE.format("dns.names[1]"),
    ),
    (
        service(allowedPrincipals=[ROOT]),
        (
            "endpointService.allowedPrincipals: read a value; allowed: none without endpointService.enabled; "
            "fix: " + SET.format("endpointService.enabled", "true")
        ),
    ),
    (
        service(privateDnsName="a.example.com"),
        (
            "endpointService.privateDnsName: read a value; allowed: none without endpointService.enabled; "
            "fix: " + SET.format("endpointService.enabled", "true")
        ),
    ),
    (
        service(enabled=True, allowedPrincipals=["123456789012"]),
        (
            'endpointService.allowedPrincipals[0]: read "123456789012"; allowed: the ARN of an account '
            "(…:root), user or role, or * for everybody; fix: "
            + SET.format("endpointService.allowedPrincipals[0]", ROOT)
        ),
    ),
    (
        service(enabled=True, allowedPrincipals=["*", ROOT]),
        (
            "endpointService.allowedPrincipals: read * beside 1 others; allowed: * alone, or ARNs; fix: "
            "keep * alone, or remove it"
        ),
    ),
    (
        alarms(actions=[TOPIC.format(1)]),
        (
            "alarms.actions: read a value; allowed: none without alarms.enabled; fix: "
            + SET.format("alarms.enabled", "true")
        ),
    ),
    (
        alarms(enabled=True, actions=[TOPIC.format(each) for each in range(6)]),
        "alarms.actions: read 6 topics; allowed: at most 5, AWS's limit for an alarm; fix: remove 1 of them",
    ),
    (
        alarms(enabled=True, actions=[TOPIC.format(1).replace("eu-central-1", "us-east-1")]),
        (
            "alarms.actions[0]: read a topic of us-east-1; allowed: topics of aws:region eu-central-1; fix: "
            "give a topic of eu-central-1: an alarm notifies no other"
        ),
    ),
    (
        alarms(enabled=True, minutes=0),
        (
            "alarms.minutes: read 0; allowed: a whole number, 1 to 60 minutes; fix: "
            + SET.format("alarms.minutes", "5")
        ),
    ),
    (
        alarms(enabled=True, unhealthyHosts=-1),
        (
            "alarms.unhealthyHosts: read -1; allowed: a whole number, 0 to 1000000 targets; fix: "
            + SET.format("alarms.unhealthyHosts", "0")
        ),
    ),
]


@pytest.mark.parametrize(("change", "line"), LINES, ids=range(len(LINES)))
def test_a_wrong_value_is_one_line_with_its_fix(change: dict[str, Any], line: str) -> None:
    assert refused({**MINIMAL, **change}) == line


@pytest.mark.parametrize(
    "change",
    [
        dns("example.com", "*.example.com", "_sip.a-1.example.com"),
        service(enabled=True, allowedPrincipals=["*"]),
        service(enabled=True, acceptanceRequired=False, privateDnsName="*.example.com"),
        alarms(enabled=True, unhealthyHosts=None, rejectedFlows=100),
        alarms(minutes=7),
    ],
)
def test_right_values(change: dict[str, Any]) -> None:
    read({**MINIMAL, **change})
