"""Inputs of every type as a program would write them, and how to ask the provider about them."""

from typing import Any

from sandbox.plugins.aws.provider import AwsProvider
from sandbox.plugins.difference import Difference, show
from sandbox.plugins.provider import Checked, Naming, Resource, State

EIP = "aws:ec2/eip:Eip"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
TARGETS = "aws:lb/targetGroup:TargetGroup"
LISTENER = "aws:lb/listener:Listener"
CERTIFICATE = "aws:lb/listenerCertificate:ListenerCertificate"
USER = "aws:iam/user:User"
POLICY = "aws:iam/userPolicy:UserPolicy"
KEY = "aws:iam/accessKey:AccessKey"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
RECORD = "aws:route53/record:Record"
SERVICE = "aws:ec2/vpcEndpointService:VpcEndpointService"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
ASSOCIATION = "aws:eks/podIdentityAssociation:PodIdentityAssociation"

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012"
RULE = {
    "securityGroupId": "sg-1",
    "ipProtocol": "tcp",
    "fromPort": 80,
    "toPort": 80,
    "cidrIpv4": "10.0.0.0/8",
}

PROGRAMS: dict[str, dict[str, Any]] = {
    EIP: {"domain": "vpc", "tags": {"zone": "a"}},
    GROUP: {"vpcId": "vpc-1", "description": "d"},
    INGRESS: RULE,
    EGRESS: RULE,
    BALANCER: {
        "loadBalancerType": "network",
        "securityGroups": ["sg-1"],
        "subnetMappings": [
            {"subnetId": "subnet-a", "allocationId": "eipalloc-a"},
            {"subnetId": "subnet-b", "allocationId": "eipalloc-b"},
        ],
    },
    TARGETS: {"port": 80, "protocol": "TCP", "vpcId": "vpc-1", "healthCheck": {"path": "/ping"}},
    LISTENER: {
        "loadBalancerArn": f"{ARN}:loadbalancer/net/web/1",
        "port": 80,
        "protocol": "TCP",
        "defaultActions": [{"type": "forward", "targetGroupArn": f"{ARN}:targetgroup/http/1"}],
    },
    CERTIFICATE: {
        "listenerArn": f"{ARN}:listener/net/web/1/2",
        "certificateArn": "arn:aws:acm:eu-central-1:123456789012:certificate/1",
    },
    RECORD: {
        "zoneId": "Z1",
        "name": "www.example.com",
        "type": "A",
        "aliases": [{"name": "edge.elb.amazonaws.com", "zoneId": "Z2", "evaluateTargetHealth": True}],
    },
    SERVICE: {
        "acceptanceRequired": True,
        "networkLoadBalancerArns": [f"{ARN}:loadbalancer/net/web/1"],
        "allowedPrincipals": ["arn:aws:iam::210987654321:root"],
    },
    ALARM: {
        "namespace": "AWS/NetworkELB",
        "metricName": "RejectedFlowCount",
        "dimensions": {"LoadBalancer": "net/web/1"},
        "statistic": "Sum",
        "period": 300,
        "evaluationPeriods": 1,
        "threshold": 0,
        "comparisonOperator": "GreaterThanThreshold",
    },
    USER: {"path": "/nlb/"},
    POLICY: {"user": "syncer", "policy": '{"Version":"2012-10-17"}'},
    KEY: {"user": "syncer"},
    ROLE: {"assumeRolePolicy": '{"Version":"2012-10-17"}', "description": "of the syncer"},
    ROLE_POLICY: {"role": "syncer", "policy": '{"Version":"2012-10-17"}'},
    ATTACHMENT: {"role": "syncer", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
    ASSOCIATION: {
        "clusterName": "sandbox",
        "namespace": "node-nlb-sync",
        "serviceAccount": "syncer",
        "roleArn": "arn:aws:iam::123456789012:role/syncer",
    },
}


def check(
    provider: AwsProvider,
    token: str,
    inputs: dict[str, Any],
    olds: dict[str, Any] | None = None,
    *,
    name: str = "web",
    naming: Naming | None = None,
) -> Checked:
    resource = Resource(f"urn:pulumi:t::p::{token}::{name}", token, name)
    return provider.check(resource, inputs, olds or {}, naming or Naming(seed=b"seed"))


def reasons(checked: Checked) -> str:
    return "\n".join(failure.reason for failure in checked.failures)


def changes(
    provider: AwsProvider, token: str, recorded: dict[str, Any], wanted: dict[str, Any]
) -> Difference:
    """What `wanted` changes in a resource whose outputs are the checked inputs `recorded`."""
    resource = Resource(f"urn:pulumi:t::p::{token}::web", token, "web")
    old = check(provider, token, recorded)
    new = check(provider, token, wanted, old.inputs)
    assert old.failures == new.failures == ()
    outputs = {key: value for key, value in old.inputs.items() if key != "__defaults"}
    return provider.diff(resource, State("id", outputs, old.inputs), new.inputs, ())


def paths(difference: Difference) -> list[str]:
    return sorted(show(path) for path in difference.changes)
