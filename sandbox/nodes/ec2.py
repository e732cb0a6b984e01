"""The EC2 side of node machines: the list of instances, and their termination."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

NODE_TAG = "sandbox:node"
RUNNING = "running"
_ENDED = frozenset({"shutting-down", "terminated"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """An EC2 instance of a node machine; `state` is EC2's name, `node` the name in its tag."""

    id: str
    node: str
    ip: str
    zone: str
    subnet: str
    state: str
    type: str


def instances(ec2: "EC2Client") -> list[Instance]:
    """Return all node machines that have not ended, by name."""
    answer = ec2.describe_instances(Filters=[{"Name": "tag-key", "Values": [NODE_TAG]}])
    found = [
        _instance(item)
        for reservation in answer["Reservations"]
        for item in reservation["Instances"]
        if item["State"]["Name"] not in _ENDED
    ]
    return sorted(found, key=lambda instance: instance.node)


def subnet_cidrs(ec2: "EC2Client") -> dict[str, str]:
    """Return the address range of all subnets by id."""
    return {item["SubnetId"]: item["CidrBlock"] for item in ec2.describe_subnets()["Subnets"]}


def terminate(ec2: "EC2Client", instance_id: str) -> None:
    """Terminate an instance; an instance unknown to EC2 has already ended."""
    try:
        ec2.terminate_instances(InstanceIds=[instance_id])
    except ClientError as error:
        if not error.response.get("Error", {}).get("Code", "").startswith("InvalidInstanceID"):
            raise


def _instance(item: Any) -> Instance:
    tags = {tag["Key"]: tag["Value"] for tag in item.get("Tags", [])}
    return Instance(
        id=item["InstanceId"],
        node=tags[NODE_TAG],
        ip=item.get("PrivateIpAddress", ""),
        zone=item["Placement"]["AvailabilityZone"],
        subnet=item.get("SubnetId", ""),
        state=item["State"]["Name"],
        type=item.get("InstanceType", ""),
    )
