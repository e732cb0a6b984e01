"""The AWS calls of `doctor` beyond the syncer's own calls. No call changes any state."""

import asyncio
import os
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal

from botocore.config import Config

from syncer.elb.adapter import BotoElb
from syncer.elb.arn import parse_arn
from syncer.elb.faults import RAISED, fault
from syncer.elb.firewall import FirewallRule, rule_of
from syncer.elb.session import sts_region
from syncer.errors import AwsError
from syncer.model import InstanceId, Target, TargetGroupArn

if TYPE_CHECKING:
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client

# A valid id without an instance: AWS refuses RegisterTargets of the id as a whole (InvalidTarget), and
# DeregisterTargets of an unregistered target changes nothing. A missing right is refused before either.
NOBODY = Target(InstanceId("i-00000000000000000"), 65535)
_NUMBER = re.compile(r"[0-9]{1,9}")
# Many private networks have no route to STS and EC2, and the syncer needs none.
_SOON = Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 1})


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFacts:
    """The result of DescribeTargetGroups for one group. `check_port` is a number or `traffic-port`."""

    target_type: str
    check_protocol: str
    check_port: str
    check_path: str
    balancers: tuple[str, ...]
    protocol: str = "TCP"

    @property
    def transports(self) -> tuple[str, ...]:
        """The IP protocols of the targets' port: tcp, udp or both."""
        return {"UDP": ("udp",), "TCP_UDP": ("tcp", "udp")}.get(self.protocol, ("tcp",))


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancerFacts:
    """The result of DescribeLoadBalancers for one load balancer: enabled zones, ids of security groups."""

    zones: frozenset[str]
    security_groups: frozenset[str]


class Survey(BotoElb):
    """The syncer's own client of AWS, with more reads. `skew` is AWS's clock minus the local, in seconds."""

    skew: float | None = None

    async def identity(self) -> str:
        """Return boto3's source of credentials, and the end of the key's id; CredentialsError without any."""

        def resolve() -> str:
            found: Any = self._session(self._region).get_credentials()
            key = found.get_frozen_credentials().access_key
            return f"{found.method}, key …{key[-4:]}"

        return await asyncio.to_thread(resolve)

    async def caller(self, group: TargetGroupArn) -> str:
        """Return the identity in AWS, by GetCallerIdentity, which needs no right; "" without a matching STS.

        With an endpoint for ELBv2 alone, AWS's real STS does not know the identity.
        """
        own = "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2" in os.environ
        if own and not {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"}.intersection(os.environ):
            return ""

        def ask() -> str:
            try:
                region = parse_arn(group).region
                sts = self._session(region).client(
                    "sts", region_name=sts_region(os.environ, region), config=_SOON
                )
                return sts.get_caller_identity()["Arn"]
            except RAISED as error:
                raise fault("GetCallerIdentity", error) from None

        return await asyncio.to_thread(ask)

    async def may(self, operation: Literal["register", "deregister"], group: TargetGroupArn) -> str:
        """Return AWS's message for a call without effect; AccessDeniedError if not allowed."""
        try:
            await (self.register if operation == "register" else self.deregister)(group, [NOBODY])
        except AwsError as error:
            if error.code in {"InvalidTarget", "ValidationError", "TooManyTargets"}:
                return error.detail
            raise
        return ""

    async def facts(self, group: TargetGroupArn) -> GroupFacts:
        """DescribeTargetGroups of the group."""

        def call(client: "ElasticLoadBalancingv2Client") -> GroupFacts:
            described = client.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]
            return GroupFacts(
                target_type=described.get("TargetType", "instance"),
                check_protocol=described.get("HealthCheckProtocol", "TCP"),
                check_port=described.get("HealthCheckPort", "traffic-port"),
                check_path=described.get("HealthCheckPath", "/"),
                balancers=tuple(described.get("LoadBalancerArns", ())),
                protocol=described.get("Protocol", "TCP"),
            )

        return await self._in_thread("DescribeTargetGroups", group, call)

    async def balancer(self, group: TargetGroupArn, balancer: str) -> BalancerFacts:
        """DescribeLoadBalancers of the load balancer."""

        def call(client: "ElasticLoadBalancingv2Client") -> BalancerFacts:
            found = client.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"][0]
            return BalancerFacts(
                zones=frozenset(zone["ZoneName"] for zone in found["AvailabilityZones"]),
                security_groups=frozenset(found.get("SecurityGroups", ())),
            )

        return await self._in_thread("DescribeLoadBalancers", group, call)

    @property
    def reaches_ec2(self) -> bool:
        """Whether EC2 is the same AWS: with an endpoint for ELBv2 alone, EC2 is another one."""
        own = "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2" in os.environ
        return not own or bool({"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_EC2"}.intersection(os.environ))

    async def firewall_rules(
        self, group: TargetGroupArn, security_groups: Collection[str]
    ) -> list[FirewallRule]:
        """DescribeSecurityGroupRules of these groups, in the Region of `group`."""

        def read() -> list[FirewallRule]:
            try:
                region = parse_arn(group).region
                ec2 = self._session(region).client("ec2", region_name=region, config=_SOON)
                pages = ec2.get_paginator("describe_security_group_rules").paginate(
                    Filters=[{"Name": "group-id", "Values": sorted(security_groups)}]
                )
                return [rule_of(each) for page in pages for each in page["SecurityGroupRules"]]
            except RAISED as error:
                raise fault("DescribeSecurityGroupRules", error) from None

        return await asyncio.to_thread(read) if security_groups else []

    async def cross_zone(self, group: TargetGroupArn, balancer: str) -> bool:
        """Return whether the load balancer sends across zones."""

        def call(client: "ElasticLoadBalancingv2Client") -> bool:
            described = client.describe_load_balancer_attributes(LoadBalancerArn=balancer)["Attributes"]
            return {"Key": "load_balancing.cross_zone.enabled", "Value": "true"} in described

        return await self._in_thread("DescribeLoadBalancerAttributes", group, call)

    async def groups_beside(self, group: TargetGroupArn, balancer: str) -> int:
        """Return the number of groups of the load balancer."""

        def call(client: "ElasticLoadBalancingv2Client") -> int:
            return len(client.describe_target_groups(LoadBalancerArn=balancer)["TargetGroups"])

        return await self._in_thread("DescribeTargetGroups", group, call)

    async def quotas(self, group: TargetGroupArn) -> Mapping[str, int]:
        """DescribeAccountLimits: the quotas by name."""

        def call(client: "ElasticLoadBalancingv2Client") -> dict[str, int]:
            described = client.describe_account_limits(PageSize=400)["Limits"]
            return {
                each["Name"]: int(each["Max"]) for each in described if _NUMBER.fullmatch(each.get("Max", ""))
            }

        return await self._in_thread("DescribeAccountLimits", group, call)

    def _client(self, region: str) -> "ElasticLoadBalancingv2Client":
        client = super()._client(region)
        client.meta.events.register("after-call", self._note_date, unique_id="survey-date")
        return client

    def _note_date(self, http_response: Any, **_: object) -> None:
        """Record the clock skew; called by botocore with every answer, also a refusal."""
        date = http_response.headers.get("date")
        if date:
            self.skew = parsedate_to_datetime(date).timestamp() - time.time()
