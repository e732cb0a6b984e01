"""What the tests of questions share: how one is asked, and a group that is filled with no syncer at work."""

from collections.abc import Callable

from tests.integration.syncer.household import Household

Ask = Callable[..., tuple[int, str, str]]


def fill(home: Household, *names: str) -> None:
    """The nodes as healthy targets of both groups, with no syncer at work."""
    home.join(*names)
    for group, arn in home.groups.items():
        targets = [{"Id": home.instances[name], "Port": home.node_port(group)} for name in names]
        home.elb.register_targets(TargetGroupArn=arn, Targets=targets)  # type: ignore[arg-type]
    home.until(lambda: all(healthy(home, name) for name in names), within=5)


def healthy(home: Household, name: str) -> bool:
    states = [
        each["TargetHealth"]["State"]
        for arn in home.groups.values()
        for each in home.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        if each["Target"]["Id"] == home.instances[name]
    ]
    return states == ["healthy", "healthy"]
