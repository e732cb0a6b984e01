"""Route 53, endpoint services and CloudWatch alarms of the simulated AWS, with boto3 alone."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sandbox.layout import REGION
from tests.integration.cloud.world import ZONES, Cloud, name

BALANCERS = "Z3F0SRJ5LGBH90"
TOPIC = f"arn:aws:sns:{REGION}:123456789012:on-call"
LOST = (
    "[Tried to create an alias that targets {}., type A in zone Z215JYRZR1TBD5, but the alias target name "
    "does not lie within the target zone]"
)
ACCOUNT = "arn:aws:iam::210987654321:root"


def client(cloud: Cloud, service: str) -> Any:
    keys = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
    make: Any = boto3.client
    return make(service, endpoint_url=cloud.url, region_name=REGION, **keys)


@pytest.fixture
def dns(cloud: Cloud) -> Any:
    return client(cloud, "route53")


@pytest.fixture
def zone(dns: Any) -> str:
    made = dns.create_hosted_zone(Name="example.com", CallerReference=name("zone"))
    return str(made["HostedZone"]["Id"]).removeprefix("/hostedzone/")


@pytest.fixture
def alarms(cloud: Cloud) -> Iterator[Any]:
    found = client(cloud, "cloudwatch")
    yield found
    names = [each["AlarmName"] for each in found.describe_alarms()["MetricAlarms"]]
    found.delete_alarms(AlarmNames=names)


@pytest.fixture
def serving(cloud: Cloud) -> Iterator[str]:
    """A load balancer with an endpoint service."""
    arn = cloud.balancer()
    made = cloud.ec2.create_vpc_endpoint_service_configuration(NetworkLoadBalancerArns=[arn])
    yield arn
    cloud.ec2.delete_vpc_endpoint_service_configurations(
        ServiceIds=[made["ServiceConfiguration"]["ServiceId"]]
    )


def refusal(call: Any, *args: Any, **given: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(*args, **given)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def change(action: str, record: str, target: str, *, home: str = BALANCERS, kind: str = "A") -> Any:
    alias = {"HostedZoneId": home, "DNSName": target, "EvaluateTargetHealth": True}
    return {"Action": action, "ResourceRecordSet": {"Name": record, "Type": kind, "AliasTarget": alias}}


def put(dns: Any, zone: str, *changes: Any) -> Any:
    return dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": list(changes)})


def records(dns: Any, zone: str) -> dict[tuple[str, str], str]:
    """Name and type to alias target, without the records of the zone itself."""
    found = dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return {
        (each["Name"], each["Type"]): each["AliasTarget"]["DNSName"]
        for each in found
        if "AliasTarget" in each
    }


def dns_name(cloud: Cloud, arn: str) -> str:
    (found,) = cloud.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    assert found["CanonicalHostedZoneId"] == BALANCERS
    return str(found["DNSName"])


def test_an_alias_of_a_load_balancer(cloud: Cloud, dns: Any, zone: str) -> None:
    target = dns_name(cloud, cloud.balancer())
    put(dns, zone, change("CREATE", "*.Example.com", target), change("CREATE", "example.com", target))
    full = f"{target.lower()}."
    assert records(dns, zone) == {("\\052.example.com.", "A"): full, ("example.com.", "A"): full}
    put(dns, zone, change("DELETE", "example.com", target))
    assert list(records(dns, zone)) == [("\\052.example.com.", "A")]
    page = dns.list_resource_record_sets(
        HostedZoneId=zone, StartRecordName="*.example.com", StartRecordType="A", MaxItems="1"
    )
    assert [each["Name"] for each in page["ResourceRecordSets"]] == ["\\052.example.com."]


def test_a_change_is_pending_first(cloud: Cloud, dns: Any, zone: str) -> None:
    cloud.faults(dns_sync_s=60)
    target = dns_name(cloud, cloud.balancer())
    made = put(dns, zone, change("CREATE", "example.com", target))["ChangeInfo"]
    assert (made["Status"], dns.get_change(Id=made["Id"])["ChangeInfo"]["Status"]) == ("PENDING", "PENDING")
    cloud.faults(dns_sync_s=0)
    again = put(dns, zone, change("UPSERT", "example.com", target))["ChangeInfo"]
    assert dns.get_change(Id=again["Id"])["ChangeInfo"]["Status"] == "INSYNC"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            [change("CREATE", "a.example.com", "{}"), change("CREATE", "example.org", "{}")],
            "[RRSet with DNS name example.org. is not permitted in zone example.com.]",
        ),
        (
            [change("CREATE", "a.example.com", "{}"), change("CREATE", "a.example.com", "{}")],
            "[Tried to create resource record set [name='a.example.com.', type='A'] but it already exists]",
        ),
        (
            [change("CREATE", "a.example.com", "{}", home="Z215JYRZR1TBD5")],
            LOST,
        ),
        (
            [change("DELETE", "a.example.com", "{}")],
            "[Tried to delete resource record set [name='a.example.com.', type='A'] but it was not found]",
        ),
    ],
)
def test_a_batch_is_refused_as_a_whole(
    cloud: Cloud, dns: Any, zone: str, changes: list[Any], message: str
) -> None:
    target = dns_name(cloud, cloud.balancer()).lower()
    batch = [
        change(
            each["Action"],
            each["ResourceRecordSet"]["Name"],
            target,
            home=each["ResourceRecordSet"]["AliasTarget"]["HostedZoneId"],
        )
        for each in changes
    ]
    assert refusal(put, dns, zone, *batch) == ("InvalidChangeBatch", message.replace("{}", target))
    assert records(dns, zone) == {}


def test_hosted_zones(dns: Any, zone: str) -> None:
    assert dns.get_hosted_zone(Id=zone)["HostedZone"]["Name"] == "example.com."
    assert refusal(dns.get_hosted_zone, Id="ZNONE") == (
        "NoSuchHostedZone",
        "No hosted zone found with ID: ZNONE",
    )
    dns.delete_hosted_zone(Id=zone)
    assert refusal(dns.get_hosted_zone, Id=zone)[0] == "NoSuchHostedZone"


def test_a_zone_with_records_stays(cloud: Cloud, dns: Any, zone: str) -> None:
    put(dns, zone, change("CREATE", "example.com", dns_name(cloud, cloud.balancer())))
    assert refusal(dns.delete_hosted_zone, Id=zone)[0] == "HostedZoneNotEmpty"


def test_an_endpoint_service(cloud: Cloud) -> None:
    ec2, arn = cloud.ec2, cloud.balancer()
    made = ec2.create_vpc_endpoint_service_configuration(
        NetworkLoadBalancerArns=[arn],
        AcceptanceRequired=True,
        PrivateDnsName="a.example.com",
        TagSpecifications=[
            {"ResourceType": "vpc-endpoint-service", "Tags": [{"Key": "Name", "Value": "edge"}]}
        ],
    )["ServiceConfiguration"]
    ident = made["ServiceId"]
    ec2.modify_vpc_endpoint_service_permissions(ServiceId=ident, AddAllowedPrincipals=[ACCOUNT])
    (found,) = ec2.describe_vpc_endpoint_service_configurations(ServiceIds=[ident])["ServiceConfigurations"]
    assert found["ServiceName"] == f"com.amazonaws.vpce.{REGION}.{ident}"
    assert (found["ServiceState"], found["AcceptanceRequired"]) == ("Available", True)
    assert sorted(found["AvailabilityZones"]) == sorted(ZONES)
    assert found["Tags"] == [{"Key": "Name", "Value": "edge"}]
    proof = found["PrivateDnsNameConfiguration"]
    assert (proof["State"], proof["Type"], proof["Value"][:5]) == ("pendingVerification", "TXT", "vpce:")
    allowed = ec2.describe_vpc_endpoint_service_permissions(ServiceId=ident)["AllowedPrincipals"]
    assert [each["Principal"] for each in allowed] == [ACCOUNT]
    wrong = {"ServiceId": ident, "AddAllowedPrincipals": ["210987654321"]}
    assert refusal(ec2.modify_vpc_endpoint_service_permissions, **wrong)[0] == "InvalidPrincipal"
    last = {"ServiceId": ident, "RemoveNetworkLoadBalancerArns": [arn]}
    assert refusal(ec2.modify_vpc_endpoint_service_configuration, **last)[0] == "InvalidParameter"
    ec2.delete_vpc_endpoint_service_configurations(ServiceIds=[ident])
    gone = refusal(ec2.describe_vpc_endpoint_service_configurations, ServiceIds=[ident])
    assert gone[0] == "InvalidVpcEndpointServiceId.NotFound"


def test_a_load_balancer_in_an_endpoint_service_stays_as_it_is(cloud: Cloud, serving: str) -> None:
    text = (
        f"Load balancer '{serving}' cannot be deleted because it is currently associated with another service"
    )
    assert refusal(cloud.elb.delete_load_balancer, LoadBalancerArn=serving) == ("ResourceInUse", text)
    fewer = {"LoadBalancerArn": serving, "Subnets": [cloud.network.subnet_ids[ZONES[0]]]}
    assert refusal(cloud.elb.set_subnets, **fewer)[0] == "ResourceInUse"
    create = cloud.ec2.create_vpc_endpoint_service_configuration
    assert refusal(create, NetworkLoadBalancerArns=[serving])[0] == "InvalidParameter"
    assert refusal(create, NetworkLoadBalancerArns=[f"{serving}0"])[0] == "InvalidParameter"


def alarm(**changes: Any) -> dict[str, Any]:
    return {
        "AlarmName": "rejected",
        "Namespace": "AWS/NetworkELB",
        "MetricName": "RejectedFlowCount",
        "Dimensions": [{"Name": "LoadBalancer", "Value": "net/edge/1"}],
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 0,
        "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": [TOPIC],
        **changes,
    }


def test_an_alarm(alarms: Any) -> None:
    alarms.put_metric_alarm(**alarm(Tags=[{"Key": "team", "Value": "edge"}]))
    (found,) = alarms.describe_alarms(AlarmNames=["rejected"])["MetricAlarms"]
    assert (found["Threshold"], found["StateValue"]) == (0.0, "INSUFFICIENT_DATA")
    assert (found["AlarmActions"], found["OKActions"]) == ([TOPIC], [])
    assert found["Dimensions"] == [{"Name": "LoadBalancer", "Value": "net/edge/1"}]
    alarms.put_metric_alarm(**alarm(AlarmActions=[], OKActions=[TOPIC]))
    (changed,) = alarms.describe_alarms(AlarmNames=["rejected"])["MetricAlarms"]
    assert (changed["AlarmActions"], changed["OKActions"]) == ([], [TOPIC])
    arn = found["AlarmArn"]
    alarms.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "b"}])
    alarms.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert alarms.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    assert refusal(alarms.delete_alarms, AlarmNames=["rejected", "none"])[0] == "ResourceNotFound"
    assert len(alarms.describe_alarms(AlarmNamePrefix="rej")["MetricAlarms"]) == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"Period": 45}, "Period must be 10, 20, 30 or a multiple of 60"),
        ({"EvaluationPeriods": 289}, "EvaluationPeriods * Period must be <= 86400"),
        ({"AlarmActions": [f"{TOPIC}-{each}" for each in range(6)]}, "length less than or equal to 5"),
        (
            {"AlarmActions": [TOPIC.replace(REGION, "us-east-1")]},
            f"Invalid region us-east-1 specified. Only {REGION} is supported.",
        ),
        ({"Statistic": "Median"}, "The value Median is not supported for parameter Statistic"),
    ],
)
def test_a_wrong_alarm_is_refused(alarms: Any, wrong: dict[str, Any], message: str) -> None:
    code, text = refusal(alarms.put_metric_alarm, **alarm(**wrong))
    assert code == "ValidationError"
    assert message in text
    assert alarms.describe_alarms()["MetricAlarms"] == []


def test_rights_are_those_of_zone_and_alarm(cloud: Cloud, alarms: Any, dns: Any, zone: str) -> None:
    cloud.control("DELETE", "calls")
    alarms.put_metric_alarm(**alarm(Tags=[{"Key": "team", "Value": "edge"}]))
    dns.get_hosted_zone(Id=zone)
    (calls,) = cloud.control("GET", "calls").values()
    own = f"arn:aws:cloudwatch:{REGION}:123456789012:alarm:rejected"
    assert calls == {
        "cloudwatch:PutMetricAlarm": [own],
        "cloudwatch:TagResource": [own],
        "route53:GetHostedZone": [f"arn:aws:route53:::hostedzone/{zone}"],
    }
    cloud.faults(deny=["cloudwatch:DescribeAlarms", "route53:GetHostedZone"])
    assert refusal(alarms.describe_alarms)[0] == "AccessDenied"
    assert refusal(dns.get_hosted_zone, Id=zone)[0] == "AccessDenied"
    cloud.control("DELETE", "faults")
