"""AWS access for the provider: clients per region, waits, and errors as a line for people."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sandbox.plugins.provider import ProviderError

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client
    from types_boto3_iam import IAMClient
    from types_boto3_sts import STSClient

_POLL_S: Final = 0.2


class AwsError(ProviderError):
    """AWS refused a call; `code` is the error code, such as TargetGroupNotFound."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The provider's access to AWS, from the configuration."""

    region: str
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    profile: str = ""
    endpoints: Mapping[str, str] = field(default_factory=dict)
    default_tags: Mapping[str, str] = field(default_factory=dict)
    retries: int = 5


class Clients:
    """boto3 clients of every service and region, created at first use: boto3 alone costs half a second."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._made: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        self._session: Any = None

    def client(self, service: str, region: str) -> Any:
        """Return the client of a service in a region."""
        with self._lock:
            made = self._made.get((service, region))
            return made or self._made.setdefault((service, region), self._make(service, region))

    def _make(self, service: str, region: str) -> Any:
        import boto3  # noqa: PLC0415 - a preview of a new stack needs no boto3
        from botocore.config import Config  # noqa: PLC0415

        access = self._access
        if self._session is None:
            self._session = boto3.Session(
                aws_access_key_id=access.access_key or None,
                aws_secret_access_key=access.secret_key or None,
                aws_session_token=access.token or None,
                profile_name=access.profile or None,
            )
        client = self._session.client(
            service,
            region_name=region,
            endpoint_url=access.endpoints.get(service),
            config=Config(
                retries={"mode": "standard", "total_max_attempts": access.retries},
                connect_timeout=5,
                read_timeout=60,
                max_pool_connections=32,
            ),
        )
        client.meta.events.register("after-call", _name_service)
        return client


@dataclass(frozen=True, slots=True)
class Aws:
    """AWS for a resource: region, account, and default tags of every resource."""

    clients: Clients
    region: str
    account: str
    cancelled: threading.Event
    default_tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def ec2(self) -> "EC2Client":
        """Elastic IPs, security groups, subnets, network interfaces."""
        client: EC2Client = self.clients.client("ec2", self.region)
        return client

    @property
    def elbv2(self) -> "ElasticLoadBalancingv2Client":
        """Load balancers, target groups, listeners."""
        client: ElasticLoadBalancingv2Client = self.clients.client("elbv2", self.region)
        return client

    @property
    def iam(self) -> "IAMClient":
        """Users and roles, their policies and keys."""
        client: IAMClient = self.clients.client("iam", self.region)
        return client

    @property
    def eks(self) -> Any:
        """Clusters and Pod Identity associations."""
        return self.clients.client("eks", self.region)

    @property
    def sts(self) -> "STSClient":
        """The caller's identity."""
        client: STSClient = self.clients.client("sts", self.region)
        return client

    @property
    def partition(self) -> str:
        """Return the partition, the first part of every ARN after `arn:`."""
        for start, partition in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("eusc-", "aws-eusc")):
            if self.region.startswith(start):
                return partition
        return "aws"

    def arn(self, service: str, resource: str) -> str:
        """Return a regional ARN of this account; without account id where the provider skips that request."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def wait(self, done: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Poll `done` until true. Raises ProviderError after `timeout_s` or on cancellation."""
        deadline = time.monotonic() + timeout_s
        while not done():
            if time.monotonic() > deadline:
                raise ProviderError(f"{what}: timeout while waiting after {timeout_s:.0f} s")
            if self.cancelled.wait(_POLL_S):
                raise ProviderError(f"{what}: cancelled")

    def retry(
        self, call: Callable[[], object], codes: frozenset[str], timeout_s: float, *, containing: str = ""
    ) -> None:
        """Repeat the call while AWS's error has one of `codes` and `containing` in the message.

        Raises the last such error after `timeout_s`.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                call()
            except AwsError as error:
                again = error.code in codes and containing in str(error)
                if not again or time.monotonic() > deadline or self.cancelled.wait(_POLL_S):
                    raise
            else:
                return


@contextlib.contextmanager
def doing(what: str) -> Iterator[None]:
    """Add the operation to every AWS error, in a single line, like the official provider.

    Raises AwsError for an error response of AWS, ProviderError where AWS could not be reached.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - lazy as boto3 itself

    try:
        yield
    except ClientError as error:
        raise _described(what, error) from error
    except BotoCoreError as error:
        reason = " ".join(str(error).split())
        raise ProviderError(f"{what}: {reason}; check region, credentials and aws:endpoints") from error


@contextlib.contextmanager
def tolerating(*codes: str) -> Iterator[None]:
    """Ignore AWS errors with `codes`: the resource to be removed is already missing."""
    try:
        yield
    except AwsError as error:
        if error.code not in codes:
            raise


def _name_service(model: Any, parsed: dict[str, Any], **_rest: Any) -> None:
    """Add the service's name to every response: a boto3 error lacks the service of the failed operation."""
    parsed.setdefault("ResponseMetadata", {})["Service"] = model.service_model.service_id


def _described(what: str, error: Any) -> AwsError:
    detail = error.response.get("Error", {})
    meta = error.response.get("ResponseMetadata", {})
    code, message = str(detail.get("Code", "")), " ".join(str(detail.get("Message", "")).split())
    answered = f"https response error StatusCode: {meta.get('HTTPStatusCode', 0)}"
    request = f"RequestID: {meta.get('RequestId', '')}"
    operation = f"operation error {meta.get('Service', 'AWS')}: {error.operation_name}"
    return AwsError(f"{what}: {operation}, {answered}, {request}, api error {code}: {message}", code)
