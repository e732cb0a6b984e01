"""Which STS is asked: seen by a proxy, through which every name that AWS has is reached."""

from collections.abc import Iterator

import pytest

from tests.integration.credentials.conftest import Place, until
from tests.integration.credentials.stand_in import HOST, StandIn, refusal

ARN = "arn:{}:elasticloadbalancing:{}:123456789012:targetgroup/http/{}"


@pytest.fixture
def proxy() -> Iterator[StandIn]:
    """Refuses to connect anywhere, and remembers where it should have."""
    with StandIn(answer=lambda _: refusal(403, "No", "no")) as stand_in:
        yield stand_in


def hosts(proxy: StandIn) -> set[str]:
    return {each.path.partition(":")[0] for each in list(proxy.requests) if each.method == "CONNECT"}


def environment(place: Place, proxy: StandIn, *groups: str, **changes: str) -> dict[str, str]:
    found = {**place.irsa, "HTTPS_PROXY": proxy.url, "NO_PROXY": HOST}
    found |= {"AWS_ENDPOINT_URL_STS": "", "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2": ""}
    return {**found, "NLB_SYNC_TARGET_GROUPS": ",".join(f"{arn}=:30080" for arn in groups), **changes}


LEGACY = {"AWS_STS_REGIONAL_ENDPOINTS": "legacy"}
CASES: dict[str, tuple[str, str, dict[str, str], str]] = {
    "aws": ("aws", "eu-central-1", {}, "sts.eu-central-1.amazonaws.com"),
    "us-east-1": ("aws", "us-east-1", {}, "sts.us-east-1.amazonaws.com"),
    "china": ("aws-cn", "cn-north-1", {}, "sts.cn-north-1.amazonaws.com.cn"),
    "gov": ("aws-us-gov", "us-gov-west-1", {}, "sts.us-gov-west-1.amazonaws.com"),
    "iso": ("aws-iso", "us-iso-east-1", {}, "sts.us-iso-east-1.c2s.ic.gov"),
    "AWS_REGION": ("aws", "eu-central-1", {"AWS_REGION": "eu-west-1\n"}, "sts.eu-west-1.amazonaws.com"),
    "AWS_DEFAULT_REGION": (
        *("aws", "eu-central-1"),
        {"AWS_DEFAULT_REGION": "eu-west-1"},
        "sts.eu-west-1.amazonaws.com",
    ),
    "other-partition": (
        *("aws-cn", "cn-north-1"),
        {"AWS_REGION": "us-east-1"},
        "sts.cn-north-1.amazonaws.com.cn",
    ),
    "nonsense": ("aws", "eu-central-1", {"AWS_REGION": "nonsense"}, "sts.eu-central-1.amazonaws.com"),
    "legacy": ("aws", "us-east-1", LEGACY, "sts.amazonaws.com"),
    "legacy-china": ("aws-cn", "cn-north-1", LEGACY, "sts.cn-north-1.amazonaws.com.cn"),
}


@pytest.mark.parametrize("case", CASES)
def test_b6_doctor_asks_the_sts_of_the_arns_region(place: Place, proxy: StandIn, case: str) -> None:
    partition, region, changes, host = CASES[case]
    arn = ARN.format(partition, region, "73e2d6bc24d8a067")
    row, _ = place.doctor(**environment(place, proxy, arn, **changes))
    assert hosts(proxy) == {host}
    assert row["result"] == "fails"


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "us-west-2", "sts.us-west-2.amazonaws.com"),
        ("aws-cn", "cn-northwest-1", "sts.cn-northwest-1.amazonaws.com.cn"),
    ],
)
def test_b6_run_asks_the_same(place: Place, proxy: StandIn, partition: str, region: str, host: str) -> None:
    syncer = place.run(**environment(place, proxy, ARN.format(partition, region, "73e2d6bc24d8a067")))
    until(lambda: hosts(proxy), within=150)
    assert hosts(proxy) == {host}
    assert syncer.stop(30) == 0


def test_b6_each_region_of_several_groups_has_its_own(place: Place, proxy: StandIn) -> None:
    regions = ("eu-central-1", "us-east-1")
    arns = [ARN.format("aws", region, f"{number:016x}") for number, region in enumerate(regions)]
    place.ask("plan", **environment(place, proxy, *arns))
    assert hosts(proxy) == {f"sts.{region}.amazonaws.com" for region in regions}
