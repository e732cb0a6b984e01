"""The parts around the load balancer: DNS names, endpoint service, alarms; each is off by default."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.program.test_preflight import lines
from tests.program.test_sharing import BLUE, GROUP, NLB, attachment_of, edge_of, edited
from tests.program.world import SERVICE, Cloud, Config, Record, RunProgram

ZONE = "Z0123456789ABC"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:on-call"
ACCOUNT = "arn:aws:iam::210987654321:root"
RECORD = "aws:route53/record:Record"
SERVICES = "aws:ec2/vpcEndpointService:VpcEndpointService"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
BALANCER = "net/node-nlb-0a1b2c3/0123456789abcdef"

Edit = Callable[[Config, Cloud], object]


def around(config: Config, cloud: Cloud) -> None:
    """Switch on all three."""
    cloud.hosted_zones[ZONE] = "example.com"
    edited(
        config,
        dns={"zoneId": ZONE, "names": ["example.com", "*.example.com"]},
        endpointService={"enabled": True, "allowedPrincipals": [ACCOUNT], "privateDnsName": "a.example.com"},
        alarms={"enabled": True, "actions": [TOPIC]},
    )


@pytest.fixture
def made(run_program: RunProgram, config: Config, cloud: Cloud) -> Record:
    around(config, cloud)
    return run_program()


def shown(record: Record) -> dict[str, tuple[Any, ...]]:
    """Logical name of each alarm to its metric, dimensions, statistic, period, periods and threshold."""
    keys = ("metricName", "dimensions", "statistic", "period", "evaluationPeriods", "threshold")
    return {name: tuple(each.inputs[key] for key in keys) for name, each in record.of(ALARM).items()}


def tags(record: Record) -> Any:
    """The stack's tags, as on the target groups."""
    return record.of(GROUP)["node-nlb-80"].inputs["tags"]


def test_a_stack_has_none_of_them_by_default(run_program: RunProgram) -> None:
    record = run_program()
    assert [each.type for each in record.resources if each.type in {RECORD, SERVICES, ALARM}] == []
    assert record.outputs["endpointService"] == {}


def test_each_name_is_an_alias_of_the_load_balancer(made: Record) -> None:
    alias = [{"name": "node-nlb.elb.example", "zoneId": "Z0EXAMPLE", "evaluateTargetHealth": True}]
    records = made.of(RECORD)
    assert {name: each.inputs for name, each in records.items()} == {
        f"node-nlb-{name}-a": {"zoneId": ZONE, "name": name, "type": "A", "aliases": alias}
        for name in ("example.com", "*.example.com")
    }
    listeners = {each.urn for each in made.resources if each.type == "aws:lb/listener:Listener"}
    for each in records.values():
        assert each.parent.endswith("node-nlb-sync:dnsrecords:DnsRecords::node-nlb")
        assert listeners <= made.before(each), "clients of the name would find no listener"


def test_the_endpoint_service_goes_before_the_load_balancer(made: Record) -> None:
    service, balancer = made.one(SERVICES), made.one(NLB)
    assert service.inputs == {
        "acceptanceRequired": True,
        "allowedPrincipals": [ACCOUNT],
        "networkLoadBalancerArns": [made.outputs["loadBalancerArn"]],
        "privateDnsName": "a.example.com",
        "tags": {"Name": "node-nlb", **tags(made)},
    }
    assert balancer.urn in made.before(service)
    # A load balancer in a service cannot be deleted, and a service without one cannot be.
    assert (service.replace_on_changes, service.delete_before_replace) == (("networkLoadBalancerArns",), True)
    assert made.outputs["endpointService"] == {
        "serviceName": SERVICE,
        "verificationName": "_vpce",
        "verificationValue": "vpce:1",
    }


def test_alarms_of_each_group_and_of_the_load_balancer(made: Record) -> None:
    hosts = {
        f"node-nlb-{port}-unhealthy-hosts": (
            "UnHealthyHostCount",
            {
                "LoadBalancer": BALANCER,
                "TargetGroup": f"targetgroup/node-nlb-{port}/0123456789abcdef",
            },
            "Maximum",
            60,
            5,
            0,
        )
        for port in (80, 443)
    }
    own = {"LoadBalancer": BALANCER}
    assert shown(made) == {
        **hosts,
        "node-nlb-rejected-flows": ("RejectedFlowCount", own, "Sum", 300, 1, 0),
        "node-nlb-port-allocation-errors": ("PortAllocationErrorCount", own, "Sum", 300, 1, 0),
    }
    for each in made.of(ALARM).values():
        assert (each.inputs["alarmActions"], each.inputs["okActions"]) == ([TOPIC], [TOPIC])
        assert each.inputs["comparisonOperator"] == "GreaterThanThreshold"
        assert each.inputs["treatMissingData"] == "notBreaching"
        assert each.inputs["tags"] == tags(made)


def test_thresholds_and_minutes(run_program: RunProgram, config: Config) -> None:
    keys = {"minutes": 2, "unhealthyHosts": None, "rejectedFlows": 9, "portAllocationErrors": None}
    edited(config, alarms={"enabled": True, **keys})
    record = run_program()
    own = {"LoadBalancer": BALANCER}
    assert shown(record) == {"node-nlb-rejected-flows": ("RejectedFlowCount", own, "Sum", 120, 1, 9)}
    assert "alarmActions" not in record.one(ALARM).inputs


def test_an_edge_has_the_alarms_of_attached_groups(
    run_program: RunProgram, config: Config, cloud: Cloud
) -> None:
    """The metric has the load balancer as a dimension, which the attachment does not know."""
    cloud.target_types = dict.fromkeys(BLUE.values(), "instance")
    edge_of(config, blue=(100, BLUE))
    keys = {"rejectedFlows": None, "portAllocationErrors": None}
    edited(config, alarms={"enabled": True, **keys})
    record = run_program()
    groups = {name: each[1]["TargetGroup"] for name, each in shown(record).items()}
    assert groups == {
        f"node-nlb-{port}-blue-unhealthy-hosts": f"targetgroup/blue-{name}/0123456789abcdef"
        for name, port in (("http", 80), ("https", 443))
    }


def test_an_attachment_has_none_of_them(run_program: RunProgram, config: Config) -> None:
    attachment_of(config)
    edited(config, alarms={"enabled": True}, endpointService={"enabled": True})
    edited(config, dns={"zoneId": ZONE, "names": ["example.com"]})
    found = [line for line in lines(run_program) if line.startswith(("alarms:", "dns:", "endpointService:"))]
    assert len(found) == 3
    assert all("no value with edge, whose stack has the load balancer" in line for line in found)


def outside(config: Config, cloud: Cloud) -> None:
    around(config, cloud)
    edited(config, dns={"zoneId": ZONE, "names": ["example.com", "an-example.com"]})


def without_zone(config: Config, cloud: Cloud) -> None:
    around(config, cloud)
    cloud.hosted_zones.clear()


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (
            outside,
            (
                f'dns.names[1]: read "an-example.com"; allowed: names in example.com, the zone {ZONE}; '
                "fix: remove dns.names[1]"
            ),
        ),
        (
            without_zone,
            (
                f"dns.zoneId: read {ZONE}, which does not exist; allowed: a hosted zone of the account; "
                "fix: list them: aws route53 list-hosted-zones"
            ),
        ),
    ],
)
def test_names_are_compared_with_the_hosted_zone(
    run_program: RunProgram, config: Config, cloud: Cloud, edit: Edit, line: str
) -> None:
    edit(config, cloud)
    assert lines(run_program) == [line]


def test_a_denied_read_of_the_zone_is_a_warning(
    run_program: RunProgram, config: Config, cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    around(config, cloud)
    cloud.denied = {"route53:GetHostedZone"}
    assert len(run_program(fresh=True).of(RECORD)) == 2
    assert "route53:GetHostedZone; not checked: whether dns.names lie in the hosted zone" in caplog.text


@pytest.mark.parametrize(("threshold", "warned"), [(0, True), (3, False), (None, False)])
def test_an_alarm_that_is_always_on_is_a_warning(
    run_program: RunProgram,
    config: Config,
    caplog: pytest.LogCaptureFixture,
    threshold: int | None,
    warned: bool,
) -> None:
    edited(config, healthCheck={"port": "local"}, alarms={"enabled": True, "unhealthyHosts": threshold})
    run_program(fresh=True)
    assert ("alarms.unhealthyHosts is 0 beside healthCheck.port local" in caplog.text) is warned
