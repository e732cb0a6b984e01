"""What `doctor` makes of AWS's answers that the sandbox does not give: other group types, a wrong clock."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import pytest

from syncer.commands.aws_checks import AwsChecks
from syncer.commands.finding import Finding, Grade
from syncer.commands.settings_checks import check_settings
from syncer.config.settings import load
from syncer.elb.firewall import FirewallRule
from syncer.elb.survey import BalancerFacts, GroupFacts, Survey
from syncer.errors import AccessDeniedError, AwsError, CredentialsExpiredError, UnreachableError
from syncer.model import InstanceId, Target, TargetGroupArn, TargetHealth, TargetState
from tests.simulation.world import HTTP

BALANCER = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/a/0123456789abcdef"


class Told(Survey):
    """A survey whose answers a test has written."""

    def __init__(self) -> None:
        super().__init__([HTTP])
        self.skew = 1.0
        self.said = ""
        self.arn: str | AwsError = ""
        self.denied = False
        self.group = GroupFacts(
            target_type="instance",
            check_protocol="HTTP",
            check_port="30080",
            check_path="/ping",
            balancers=(BALANCER,),
        )
        self.limits = {
            "targets-per-availability-zone-per-network-load-balancer": 500,
            "targets-per-network-load-balancer": 3000,
            "targets-per-target-group": 1000,
        }
        self.crosses = True
        self.own_groups = frozenset({"sg-lb"})
        self.rules = [
            FirewallRule(group=group, egress=egress, protocol="tcp", low=30080, high=30080, peer=peer)
            for group, egress, peer in (("sg-lb", True, "sg-nodes"), ("sg-nodes", False, "sg-lb"))
        ]

    async def identity(self) -> str:
        return "env"

    async def caller(self, group: TargetGroupArn) -> str:
        del group
        if isinstance(self.arn, AwsError):
            raise self.arn
        return self.arn

    async def describe(self, group: TargetGroupArn) -> Sequence[TargetHealth]:
        del group
        return []

    async def may(self, operation: Literal["register", "deregister"], group: TargetGroupArn) -> str:
        del operation, group
        return self.said

    async def facts(self, group: TargetGroupArn) -> GroupFacts:
        del group
        if self.denied:
            raise AccessDeniedError("DescribeTargetGroups", "AccessDenied", "no", "elasticloadbalancing:X")
        return self.group

    async def balancer(self, group: TargetGroupArn, balancer: str) -> BalancerFacts:
        del group, balancer
        return BalancerFacts(zones=frozenset({"eu-central-1a"}), security_groups=self.own_groups)

    async def firewall_rules(
        self, group: TargetGroupArn, security_groups: Collection[str]
    ) -> list[FirewallRule]:
        del group
        return [rule for rule in self.rules if rule.group in security_groups]

    async def cross_zone(self, group: TargetGroupArn, balancer: str) -> bool:
        del group, balancer
        return self.crosses

    async def groups_beside(self, group: TargetGroupArn, balancer: str) -> int:
        del group, balancer
        return 2

    async def quotas(self, group: TargetGroupArn) -> Mapping[str, int]:
        del group
        return self.limits


def examine(survey: Told) -> list[Finding]:
    checks = AwsChecks(
        survey=survey,
        settings=load({"NLB_SYNC_TARGET_GROUPS": f"{HTTP}=:30080"}),
        nodes=(),
        ports={},
        knock=lambda *_: (True, "it answers"),
    )

    async def all_of_them() -> list[Finding]:
        return [finding async for finding in checks.run()]

    try:
        return asyncio.run(all_of_them())
    finally:
        survey.close()


def failures(findings: list[Finding]) -> list[str]:
    return [each.detail for each in findings if each.grade is Grade.FAILS]


def test_nothing_fails_where_all_is_well() -> None:
    assert failures(examine(Told())) == []


def test_a_group_of_another_type_fails_by_what_may_be_read() -> None:
    survey = Told()
    survey.group = GroupFacts(
        target_type="ip", check_protocol="TCP", check_port="traffic-port", check_path="", balancers=()
    )
    assert failures(examine(survey)) == ["target type is ip; allowed: groups of type instance"]


def test_a_group_of_addresses_fails_also_where_its_type_may_not_be_read() -> None:
    survey = Told()
    survey.denied = True
    survey.said = "The IP address 'i-00000000000000000' is not a valid IPv4 address"
    assert [each.startswith("target type is not instance") for each in failures(examine(survey))] == [
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("skew", "grade"), [(2.0, Grade.OK), (-90.0, Grade.NOTE), (300.0, Grade.FAILS), (-300.0, Grade.FAILS)]
)
def test_a_clock_that_is_off_is_said_before_aws_refuses(skew: float, grade: Grade) -> None:
    survey = Told()
    survey.skew = skew
    (clock,) = (each for each in examine(survey) if each.check == "clock")
    assert clock.grade is grade


@pytest.mark.parametrize(("crosses", "places"), [(True, 250), (False, 1000)])
def test_the_quota_is_that_of_the_load_balancer_by_its_groups(crosses: bool, places: int) -> None:
    survey = Told()
    survey.crosses = crosses
    assert any(each.detail == f"0 nodes for {places} places" for each in examine(survey))


def test_a_load_balancer_that_crosses_zones_otherwise_than_said_is_noted() -> None:
    survey = Told()
    survey.crosses = False
    assert any(each.detail.endswith("set NLB_SYNC_CROSS_ZONE=false") for each in examine(survey))


@pytest.mark.parametrize(
    ("arn", "grade", "says"),
    [
        ("", Grade.OK, "from env"),
        ("arn:aws:iam::123456789012:user/nlb-sync", Grade.OK, "123456789012:user/nlb-sync, from env"),
        (
            "arn:aws:sts::999999999999:assumed-role/x/y",
            Grade.NOTE,
            "other accounts of target groups: 123456789012",
        ),
        (
            UnreachableError("GetCallerIdentity", "ConnectTimeout", "no"),
            Grade.NOTE,
            "cannot read the identity",
        ),
        (
            CredentialsExpiredError("GetCallerIdentity", "ExpiredToken", "no"),
            Grade.FAILS,
            "refuses the credentials",
        ),
    ],
)
def test_whose_the_credentials_are_is_said_where_aws_tells(
    arn: str | AwsError, grade: Grade, says: str
) -> None:
    survey = Told()
    survey.arn = arn
    findings = examine(survey)
    (found,) = [each for each in findings if each.check == "credentials"]
    assert found.grade is grade
    assert says in found.detail
    assert (len(findings) == 1) is (grade is Grade.FAILS)


def test_nodes_that_could_not_be_read_are_not_counted_as_none() -> None:
    survey = Told()
    checks = AwsChecks(
        survey=survey,
        settings=load({"NLB_SYNC_TARGET_GROUPS": f"{HTTP}=:30080"}),
        nodes=None,
        ports={},
        knock=lambda *_: (None, "no node"),
    )

    async def run() -> list[Finding]:
        return [finding async for finding in checks.run()]

    said = [each.detail for each in asyncio.run(run())]
    assert "the load balancer serves eu-central-1a" in said
    assert "250 places; not checked: the number of nodes" in said


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, []),
        ({"NLB_SYNC_LABELFILTERKEY": "a", "NLB_SYNC_LABELFILTERVALUE": "b"}, []),
        (
            {"NLB_SYNC_LABELFILTERVALUE": "b", "NLB_SYNC_LABELFILTERKEY": " "},
            ["NLB_SYNC_LABELFILTERVALUE without NLB_SYNC_LABELFILTERKEY has no effect"],
        ),
        (
            {"NLB_SYNC_TARGET_GROUPS": "x", "NLB_SYNC_TARGETGROUPARNS": "y"},
            ["NLB_SYNC_TARGETGROUPARNS has no effect with NLB_SYNC_TARGET_GROUPS"],
        ),
        ({"NLB_SYNC_PAUSED": "true"}, ["NLB_SYNC_PAUSED is set: the syncer writes nothing"]),
        ({"NLB_SYNC_PAUSED": "false"}, []),
    ],
)
def test_variables_without_an_effect_are_noted(environment: dict[str, str], says: list[str]) -> None:
    findings = list(check_settings(environment))
    assert [each.detail.partition(": every")[0] for each in findings] == says
    assert all(each.grade is Grade.NOTE for each in findings)


@pytest.mark.parametrize(
    ("source", "asked"), [("=:30080", [30080]), ("=edge/ingress:http", [31234]), ("", [])]
)
def test_a_check_on_the_traffic_port_is_tried_where_the_targets_are(source: str, asked: list[int]) -> None:
    survey = Told()
    survey.group = replace(survey.group, check_port="traffic-port")
    knocked: list[int] = []

    def knock(_protocol: str, port: int, _path: str) -> tuple[bool, str]:
        knocked.append(port)
        return True, "it answers"

    checks = AwsChecks(
        survey=survey,
        settings=load({"NLB_SYNC_TARGET_GROUPS": f"{HTTP}{source}"}),
        nodes=(),
        ports={"edge/ingress": {"http": 31234, "https": 31235}},
        knock=knock,
    )

    async def run() -> list[Finding]:
        return [finding async for finding in checks.run()]

    findings = asyncio.run(run())
    survey.close()
    assert knocked == asked
    assert any(each.detail == "it answers" for each in findings) is bool(asked)


def test_z1_targets_under_a_zonal_shift_are_a_note() -> None:
    survey = Told()

    async def describe(group: TargetGroupArn) -> Sequence[TargetHealth]:
        del group
        target = Target(InstanceId("i-0123456789abcdef0"), 30080)
        return [TargetHealth(target=target, state=TargetState.HEALTHY, override="zonal_shift_active")]

    survey.describe = describe  # type: ignore[method-assign]
    notes = [each.detail for each in examine(survey) if each.grade is Grade.NOTE]
    assert any("zonal shift: 1 targets: a zonal shift moves traffic away" in each for each in notes)


def test_a_missing_security_group_rule_is_named_with_the_fix() -> None:
    survey = Told()
    survey.rules.pop()
    (missing,) = failures(examine(survey))
    assert missing == (
        "the nodes' security group sg-nodes has no ingress rule for TCP 30080: run `pulumi up --refresh`"
    )


def test_a_load_balancer_without_security_group_is_a_note() -> None:
    survey = Told()
    survey.own_groups = frozenset()
    assert failures(examine(survey)) == []
