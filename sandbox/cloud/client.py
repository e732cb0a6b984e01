"""boto3 clients of the sandbox's AWS, with administrator keys."""

from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from sandbox.layout import REGION

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client

# Key of the sandbox's own processes, administrators (sandbox.cloud.iam). The keys are public and protect
# nothing.
ACCESS_KEY = "sandbox-administrator"
# Key of the deployer, in Pulumi.dev.yaml: an administrator unless a test sets another policy.
DEPLOYER_KEY = "sandbox"
# Key of the load balancer's data plane: exempt from rate limits and injected faults, as AWS's internal calls
# are (source 2).
DATA_PLANE_KEY = "sandbox-nlb"
SECRET_KEY = "sandbox"  # noqa: S105


@cache
def ec2_client(url: str) -> "EC2Client":
    """Return the EC2 client of an endpoint such as `layout.aws_url`: cached, safe to share by threads."""
    client: EC2Client = _client("ec2", url)
    return client


@cache
def elbv2_client(url: str) -> "ElasticLoadBalancingv2Client":
    """Return the ELBv2 client of an endpoint: cached, and safe to share between threads."""
    client: ElasticLoadBalancingv2Client = _client("elbv2", url)
    return client


def _client(service: str, url: str) -> Any:
    session = boto3.session.Session(
        aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=REGION
    )
    factory: Any = session.client
    retries = Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=5, read_timeout=20)
    return factory(service, endpoint_url=url, config=retries)
