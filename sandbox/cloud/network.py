"""The network of a kops cluster of this size, created through the AWS API.

All ids are the same in every sandbox, because a stack configuration must name the VPC, the subnets and the
security group. moto's seed endpoint (`POST /moto-api/seed?a=N`) makes the next random id a function of N;
every object has its own seed, so that an id is independent of other objects.
"""

import secrets
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.request import Request, urlopen

from sandbox.cloud.client import ec2_client

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_ec2.type_defs import FilterTypeDef, TagSpecificationTypeDef

CLUSTER = "sandbox"
ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
NODE_GROUP_NAME = "nodes.sandbox"
NODE_ROLE = "nodes.sandbox"  # also the instance profile; both exist from the start
INSTANCE_TYPE: Final = "t3.medium"
IMAGE_ID = "ami-0a1b2c3d4e5f60718"  # no image is read: an instance is a record, the machine is a process

# The ids from the seeds below; a test compares them with a fresh sandbox.
VPC_ID = "vpc-4283fefc63f0cd0e8"
SUBNET_IDS = {
    "eu-central-1a": "subnet-eee65f53e9421ce50",
    "eu-central-1b": "subnet-f8b4c0bf8e704eb5a",
    "eu-central-1c": "subnet-895747542690d4084",
}
INTERNET_GATEWAY_ID = "igw-122b598615dcbe810"
NODE_GROUP_ID = "sg-74bf20f876ffc474c"

_SEEDS = {"vpc": 1, "gateway": 2, "group": 3, "eu-central-1a": 11, "eu-central-1b": 12, "eu-central-1c": 13}


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The ids of the sandbox's network; `subnet_ids` by availability zone."""

    vpc_id: str
    subnet_ids: dict[str, str]
    internet_gateway_id: str
    node_group_id: str


class NodeInstance(NamedTuple):
    """An EC2 instance of a node: its id and the loopback address of its machine."""

    instance_id: str
    private_ip: str


EXPECTED = Network(
    vpc_id=VPC_ID,
    subnet_ids=SUBNET_IDS,
    internet_gateway_id=INTERNET_GATEWAY_ID,
    node_group_id=NODE_GROUP_ID,
)


def subnet_cidrs(vpc: IPv4Network) -> dict[str, str]:
    """Return the subnet of each zone: the second /20 of the VPC and the following."""
    return dict(zip(ZONES, map(str, islice(vpc.subnets(new_prefix=20), 1, None)), strict=False))


def ensure_network(url: str, vpc: IPv4Network) -> Network:
    """Create the missing parts of the network at endpoint `url`, with a VPC of the addresses `vpc`.

    Idempotent, but not safe for concurrent calls.
    """
    ec2 = ec2_client(url)
    found = _find_vpc(ec2)
    vpc_id = found or _make_vpc(ec2, url, vpc)
    network = Network(
        vpc_id=vpc_id,
        internet_gateway_id=_find_gateway(ec2, vpc_id) or _make_gateway(ec2, url, vpc_id),
        subnet_ids={
            zone: _find_subnet(ec2, vpc_id, zone) or _make_subnet(ec2, url, vpc_id, zone, cidr)
            for zone, cidr in subnet_cidrs(vpc).items()
        },
        node_group_id=_find_group(ec2, vpc_id) or _make_group(ec2, url, vpc_id),
    )
    _ensure_ipv6(ec2, network)
    if found is None:
        _seed(url, secrets.randbits(32))  # ids from now on (keys, instances) must be unpredictable
    return network


def run_node_instance(url: str, name: str, zone: str) -> NodeInstance:
    """Start the instance of node `name` in `zone`, as a kops instance group does; the network must exist.

    The private address is a free loopback address of the zone's subnet, from .16 on (lower hosts belong to
    AWS and to load balancers, see `_make_subnet`) and before the last /24, the range of Pods.
    """
    ec2 = ec2_client(url)
    vpc_id = _find_vpc(ec2)
    subnet_id = _find_subnet(ec2, vpc_id, zone) if vpc_id else None
    group_id = _find_group(ec2, vpc_id) if vpc_id else None
    if not (subnet_id and group_id):
        raise LookupError(f"sandbox network is missing at {url}; call ensure_network first")
    started = ec2.run_instances(
        ImageId=IMAGE_ID,
        InstanceType=INSTANCE_TYPE,
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet_id,
        SecurityGroupIds=[group_id],
        IamInstanceProfile={"Name": NODE_ROLE},
        # EKS's managed node groups have 2: a Pod is a hop further away than the node.
        MetadataOptions={"HttpPutResponseHopLimit": 2, "HttpTokens": "required"},
        TagSpecifications=_tags("instance", name, {"sandbox:node": name, "k8s.io/role/node": "1"}),
    )["Instances"][0]
    return NodeInstance(started["InstanceId"], started["PrivateIpAddress"])


def _find_vpc(ec2: "EC2Client") -> str | None:
    found = ec2.describe_vpcs(Filters=[_filter("tag:Name", CLUSTER)])["Vpcs"]
    return found[0]["VpcId"] if found else None


def _make_vpc(ec2: "EC2Client", url: str, vpc: IPv4Network) -> str:
    _seed(url, _SEEDS["vpc"])
    made = ec2.create_vpc(CidrBlock=str(vpc), TagSpecifications=_tags("vpc", CLUSTER))
    vpc_id = made["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    return vpc_id


def _find_gateway(ec2: "EC2Client", vpc_id: str) -> str | None:
    attached = _filter("attachment.vpc-id", vpc_id)
    found = ec2.describe_internet_gateways(Filters=[attached])["InternetGateways"]
    return found[0]["InternetGatewayId"] if found else None


def _make_gateway(ec2: "EC2Client", url: str, vpc_id: str) -> str:
    """Create an internet gateway and the default route, which make the subnets public."""
    _seed(url, _SEEDS["gateway"])
    made = ec2.create_internet_gateway(TagSpecifications=_tags("internet-gateway", CLUSTER))
    gateway_id = made["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway_id, VpcId=vpc_id)
    tables = ec2.describe_route_tables(Filters=[_filter("vpc-id", vpc_id)])["RouteTables"]
    ec2.create_route(
        RouteTableId=tables[0]["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway_id
    )
    return gateway_id


def _find_subnet(ec2: "EC2Client", vpc_id: str, zone: str) -> str | None:
    filters = [_filter("vpc-id", vpc_id), _filter("tag:Name", f"{zone}.{CLUSTER}")]
    found = ec2.describe_subnets(Filters=filters)["Subnets"]
    return found[0]["SubnetId"] if found else None


def _make_subnet(ec2: "EC2Client", url: str, vpc_id: str, zone: str, cidr: str) -> str:
    """Create a public subnet with a reserved first /28: .5 to .15 are the load balancers' addresses."""
    _seed(url, _SEEDS[zone])
    roles = {"SubnetType": "Public", "kubernetes.io/role/elb": "1", "kubernetes.io/role/internal-elb": "1"}
    made = ec2.create_subnet(
        VpcId=vpc_id,
        CidrBlock=cidr,
        AvailabilityZone=zone,
        TagSpecifications=_tags("subnet", f"{zone}.{CLUSTER}", roles),
    )
    subnet_id = made["Subnet"]["SubnetId"]
    reserved = next(IPv4Network(cidr).subnets(new_prefix=28))
    ec2.create_subnet_cidr_reservation(SubnetId=subnet_id, Cidr=str(reserved), ReservationType="explicit")
    return subnet_id


def _ensure_ipv6(ec2: "EC2Client", network: Network) -> None:
    """Associate an IPv6 block of Amazon with the VPC, and a /64 of the block with each subnet."""
    subnets = ec2.describe_subnets(SubnetIds=[*network.subnet_ids.values()])["Subnets"]
    if all(each.get("Ipv6CidrBlockAssociationSet") for each in subnets):
        return
    made = ec2.associate_vpc_cidr_block(VpcId=network.vpc_id, AmazonProvidedIpv6CidrBlock=True)
    block = IPv6Network(made["Ipv6CidrBlockAssociation"]["Ipv6CidrBlock"])
    for subnet_id, part in zip(network.subnet_ids.values(), block.subnets(new_prefix=64), strict=False):
        ec2.associate_subnet_cidr_block(SubnetId=subnet_id, Ipv6CidrBlock=str(part))


def _find_group(ec2: "EC2Client", vpc_id: str) -> str | None:
    filters = [_filter("vpc-id", vpc_id), _filter("group-name", NODE_GROUP_NAME)]
    found = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    return found[0]["GroupId"] if found else None


def _make_group(ec2: "EC2Client", url: str, vpc_id: str) -> str:
    """Create the nodes' security group: open between the nodes, closed for all other sources."""
    _seed(url, _SEEDS["group"])
    group_id = ec2.create_security_group(
        GroupName=NODE_GROUP_NAME,
        Description="Security group for nodes",
        VpcId=vpc_id,
        TagSpecifications=_tags("security-group", NODE_GROUP_NAME),
    )["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group_id, IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group_id}]}]
    )
    return group_id


def _tags(kind: str, name: str, more: dict[str, str] | None = None) -> "list[TagSpecificationTypeDef]":
    """Return the tags that kops sets on its resources."""
    ours = {"Name": name, "KubernetesCluster": CLUSTER, f"kubernetes.io/cluster/{CLUSTER}": "owned"}
    tags = [{"Key": key, "Value": value} for key, value in (ours | (more or {})).items()]
    return [{"ResourceType": kind, "Tags": tags}]  # type: ignore[typeddict-item]


def _filter(name: str, value: str) -> "FilterTypeDef":
    return {"Name": name, "Values": [value]}


def _seed(url: str, number: int) -> None:
    with urlopen(Request(f"{url}/moto-api/seed?a={number}", method="POST"), timeout=5):  # noqa: S310
        pass
