"""Records, endpoint services and alarms over their whole life, against the AWS API over HTTP."""

from typing import Any

import boto3
import pytest

from sandbox.cloud.network import Network
from sandbox.layout import REGION
from tests.integration.awsprovider.conftest import Clients, Workbench
from tests.integration.awsprovider.plugin import Failed, Made, Plugin
from tests.integration.awsprovider.test_every_type import BALANCER

RECORD = "aws:route53/record:Record"
SERVICE = "aws:ec2/vpcEndpointService:VpcEndpointService"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
ZONE = "aws:route53/getZone:getZone"
TOPIC = f"arn:aws:sns:{REGION}:123456789012:on-call"
ONE, TWO = (f"arn:aws:iam::{account}:root" for account in ("111111111111", "222222222222"))


@pytest.fixture(scope="module")
def zone(aws_url: str) -> str:
    keys = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
    make: Any = boto3.client
    client = make("route53", endpoint_url=aws_url, region_name=REGION, **keys)
    made = client.create_hosted_zone(Name="example.com", CallerReference="awsprovider")
    return str(made["HostedZone"]["Id"].rpartition("/")[2])


@pytest.fixture
def balancer(made: Workbench, network: Network) -> Made:
    mappings = [{"subnetId": subnet} for subnet in network.subnet_ids.values()]
    return made(BALANCER, {"loadBalancerType": "network", "subnetMappings": mappings})


def alias(balancer: Made) -> list[dict[str, Any]]:
    # As in a program: AWS's name has capitals where the load balancer's has.
    name, home = balancer.plain["dnsName"], balancer.plain["zoneId"]
    return [{"name": name, "zoneId": home, "evaluateTargetHealth": True}]


def unchanged(plugin: Plugin, one: Made) -> None:
    again = plugin.read(one)
    assert again is not None
    assert plugin.diff(again, one.inputs, checked=True).fields == []
    assert (again.inputs, again.outputs) == (one.inputs, one.outputs)


def gone(plugin: Plugin, one: Made) -> None:
    plugin.delete(one)
    plugin.delete(one)
    assert plugin.read(one) is None


def test_a_record(plugin: Plugin, balancer: Made, zone: str) -> None:
    inputs = {"zoneId": zone, "name": "*.Example.com", "type": "A", "aliases": alias(balancer)}
    one = plugin.create(RECORD, inputs)
    assert (one.id, one.plain["fqdn"]) == (f"{zone}_*.example.com_A", "*.example.com")
    unchanged(plugin, one)
    assert plugin.diff(one, {**inputs, "name": "*.example.com."}).fields == []
    off = [{**inputs["aliases"][0], "evaluateTargetHealth": False}]  # type: ignore[dict-item]
    change = plugin.diff(one, {**inputs, "aliases": off})
    assert (change.fields, change.replaces) == (["aliases"], [])
    changed = plugin.update(one, {**inputs, "aliases": off})
    assert changed.plain["aliases"][0]["evaluateTargetHealth"] is False
    unchanged(plugin, changed)
    for key, value in (("name", "b.example.com"), ("zoneId", "Z1")):
        assert plugin.diff(one, {**inputs, key: value}).replaces == [key]
    with pytest.raises(Failed, match=r"creating Route53 Record: .*but it already exists"):
        plugin.create(RECORD, inputs)
    gone(plugin, changed)


def test_a_hosted_zone_is_found_by_its_id(plugin: Plugin, zone: str) -> None:
    found = plugin.invoke(ZONE, {"zoneId": zone})
    assert (found["name"], found["zoneId"], found["privateZone"]) == ("example.com", zone, False)
    with pytest.raises(Failed, match="NoSuchHostedZone: No hosted zone found with ID: ZNONE"):
        plugin.invoke(ZONE, {"zoneId": "ZNONE"})


def test_an_endpoint_service(plugin: Plugin, balancer: Made, boto: Clients) -> None:
    inputs = {
        "acceptanceRequired": True,
        "networkLoadBalancerArns": [balancer.id],
        "allowedPrincipals": [ONE],
        "privateDnsName": "a.example.com",
        "tags": {"Name": "edge"},
    }
    one = plugin.create(SERVICE, inputs)
    assert one.plain["serviceName"] == f"com.amazonaws.vpce.{REGION}.{one.id}"
    assert one.plain["privateDnsNameConfigurations"][0]["type"] == "TXT"
    unchanged(plugin, one)
    with pytest.raises(Failed, match="ResourceInUse"):
        plugin.delete(balancer)
    wanted = {**inputs, "acceptanceRequired": False, "allowedPrincipals": [TWO], "tags": {"Name": "b"}}
    change = plugin.diff(one, wanted)
    assert (sorted(change.fields), change.replaces) == (
        ["acceptanceRequired", "allowedPrincipals", "tags", "tagsAll"],
        [],
    )
    changed = plugin.update(one, wanted)
    unchanged(plugin, changed)
    allowed = boto.ec2.describe_vpc_endpoint_service_permissions(ServiceId=one.id)["AllowedPrincipals"]
    assert [each["Principal"] for each in allowed] == [TWO]
    # A name that is taken away stays (terraform-provider-aws#25579).
    without = {key: value for key, value in wanted.items() if key != "privateDnsName"}
    assert plugin.diff(changed, without).fields == []
    assert plugin.diff(changed, {**wanted, "allowedPrincipals": []}).fields == ["allowedPrincipals"]
    gone(plugin, changed)


def test_an_alarm(plugin: Plugin) -> None:
    inputs = {
        "namespace": "AWS/NetworkELB",
        "metricName": "UnHealthyHostCount",
        "dimensions": {"LoadBalancer": "net/web/1", "TargetGroup": "targetgroup/http/1"},
        "statistic": "Maximum",
        "period": 60,
        "evaluationPeriods": 5,
        "threshold": 0,
        "comparisonOperator": "GreaterThanThreshold",
        "treatMissingData": "notBreaching",
        "alarmActions": [TOPIC],
        "okActions": [TOPIC],
        "tags": {"team": "edge"},
    }
    one = plugin.create(ALARM, inputs, "hosts")
    assert one.id.startswith("hosts-")
    assert one.plain["arn"] == f"arn:aws:cloudwatch:{REGION}:123456789012:alarm:{one.id}"
    unchanged(plugin, one)
    wanted = {**inputs, "threshold": 2, "period": 120, "tags": {"team": "b"}}
    del wanted["okActions"]
    change = plugin.diff(one, wanted)
    assert (sorted(change.fields), change.replaces) == (
        ["okActions", "period", "tags", "tagsAll", "threshold"],
        [],
    )
    changed = plugin.update(one, wanted)
    assert changed.plain["threshold"] == 2.0
    assert changed.plain["tagsAll"] == {"team": "b"}
    unchanged(plugin, changed)
    assert plugin.diff(one, {**inputs, "name": "other"}).replaces == ["name"]
    with pytest.raises(Failed, match="already exists"):
        plugin.create(ALARM, {**inputs, "name": one.id})
    gone(plugin, changed)
