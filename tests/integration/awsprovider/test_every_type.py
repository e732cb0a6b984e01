"""Each resource type over its whole life, against the AWS API over HTTP."""

from sandbox.cloud.network import Network
from tests.integration.awsprovider.conftest import Clients
from tests.integration.awsprovider.plugin import Plugin

EIP = "aws:ec2/eip:Eip"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
TARGETS = "aws:lb/targetGroup:TargetGroup"
LISTENER = "aws:lb/listener:Listener"
USER = "aws:iam/user:User"
POLICY = "aws:iam/userPolicy:UserPolicy"
KEY = "aws:iam/accessKey:AccessKey"

ALLOW = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
  "Action": ["elasticloadbalancing:DescribeTargetHealth"], "Resource": ["*"]}]}"""


def test_a_whole_load_balancer_is_made_read_back_unchanged_and_deleted_twice(
    plugin: Plugin, network: Network, boto: Clients
) -> None:
    stack = []
    group = plugin.create(GROUP, {"vpcId": network.vpc_id, "description": "of the NLB"}, "nlb")
    stack.append(group)
    stack.append(
        plugin.create(
            INGRESS,
            {
                "securityGroupId": group.id,
                "ipProtocol": "tcp",
                "fromPort": 80,
                "toPort": 80,
                "cidrIpv4": "0.0.0.0/0",
            },
        )
    )
    stack.append(
        plugin.create(
            EGRESS,
            {
                "securityGroupId": group.id,
                "ipProtocol": "-1",
                "referencedSecurityGroupId": network.node_group_id,
                "tags": {"Name": "out"},
            },
        )
    )
    mappings = []
    for zone, subnet in sorted(network.subnet_ids.items()):
        address = plugin.create(EIP, {"domain": "vpc", "tags": {"zone": zone}}, zone)
        stack.append(address)
        mappings.append({"subnetId": subnet, "allocationId": address.id})
    balancer = plugin.create(
        BALANCER,
        {
            "loadBalancerType": "network",
            "securityGroups": [group.id],
            "subnetMappings": mappings,
            "enableCrossZoneLoadBalancing": True,
        },
    )
    stack.append(balancer)
    targets = plugin.create(
        TARGETS,
        {
            "port": 80,
            "protocol": "TCP",
            "vpcId": network.vpc_id,
            "deregistrationDelay": 10,
            "healthCheck": {
                "protocol": "HTTP",
                "path": "/ping",
                "port": "31080",
                "interval": 5,
                "timeout": 2,
            },
        },
    )
    stack.append(targets)
    stack.append(
        plugin.create(
            LISTENER,
            {
                "loadBalancerArn": balancer.id,
                "port": 80,
                "protocol": "TCP",
                "defaultActions": [{"type": "forward", "targetGroupArn": targets.id}],
            },
        )
    )
    user = plugin.create(USER, {"tags": {"who": "syncer"}}, "syncer")
    stack.append(user)
    stack.append(plugin.create(POLICY, {"user": user.id, "policy": ALLOW}))
    stack.append(plugin.create(KEY, {"user": user.id}))

    for each in stack:
        again = plugin.read(each)
        assert again is not None
        assert plugin.diff(again, each.inputs, checked=True).fields == []
        assert again.inputs == each.inputs
        if each.token not in (TARGETS, GROUP, EIP):  # listener, rules and load balancer came after them
            assert again.outputs == each.outputs

    for each in reversed(stack):
        plugin.delete(each)
        if each.token != LISTENER:  # the one type whose deletion wants it to be there
            plugin.delete(each)
        assert plugin.read(each) is None
    assert boto.elbv2.describe_load_balancers()["LoadBalancers"] == []
    assert boto.ec2.describe_addresses()["Addresses"] == []
