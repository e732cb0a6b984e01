"""Zones of stack dev move in place; an edit that would replace the load balancer is refused first."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.cloud.client import ec2_client, elbv2_client
from sandbox.layout import Layout
from tests.control import control
from tests.integration.infra.conftest import DevStack

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(900)]

LAST = "eu-central-1c"
# What the engine does with a resource that exists, other than leaving or updating it.
DESTRUCTIVE = frozenset({"delete", "replace", "create-replacement", "delete-replaced", "discard"})


def balancer(aws: Layout) -> dict[str, Any]:
    (found,) = elbv2_client(aws.aws_url).describe_load_balancers()["LoadBalancers"]
    return dict(found)


def identity(aws: Layout) -> tuple[str, str]:
    found = balancer(aws)
    return found["LoadBalancerArn"], found["DNSName"]


def addresses(aws: Layout) -> dict[str, str]:
    """Zone to the allocation that the load balancer has there."""
    return {
        zone["ZoneName"]: zone["LoadBalancerAddresses"][0]["AllocationId"]
        for zone in balancer(aws)["AvailabilityZones"]
    }


def command(stack: DevStack, *words: str) -> tuple[int, str]:
    """Run `python -m infra.zones` in the project's folder."""
    keys = {"AWS_ACCESS_KEY_ID": "sandbox", "AWS_SECRET_ACCESS_KEY": "sandbox"}
    path = os.pathsep.join([str(stack.pulumi.parent), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "-m", "infra.zones", *words],
        cwd=stack.root,
        env={**stack.environ, **keys, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def ops(stack: DevStack, *flags: str) -> dict[str, str]:
    """Resource to planned operation, without unchanged and refreshed resources."""
    shown = stack.run("preview", "--json", "--stack=dev", *flags).ok().text
    steps = json.loads(shown[shown.index("{") :])["steps"]
    return {
        step["urn"].rpartition("$")[2]: step["op"] for step in steps if step["op"] not in {"same", "refresh"}
    }


@pytest.fixture
def up(stack: DevStack, aws: Layout) -> Iterator[DevStack]:
    before = (stack.root / "Pulumi.dev.yaml").read_text()
    stack.up().ok()
    yield stack
    (stack.root / "Pulumi.dev.yaml").write_text(before)
    control(aws.aws_url, "POST", "faults", {"interface_linger_s": 0})
    stack.destroy().ok()
    ec2 = ec2_client(aws.aws_url)
    for each in ec2.describe_addresses()["Addresses"]:
        ec2.release_address(AllocationId=each["AllocationId"])


def test_a_zone_leaves_and_returns_in_place_and_its_address_waits_for_its_name(
    up: DevStack, aws: Layout
) -> None:
    before, kept = identity(aws), addresses(aws)
    zones = up.configure(zones=None)["zones"]
    up.configure(zones={zone: place for zone, place in zones.items() if zone != LAST})
    refused = up.up()
    assert refused.code != 0
    assert f"node-nlb-sync:zones.{LAST}: read nothing, and the load balancer" in refused.text
    assert "Traceback" not in refused.text
    assert addresses(aws) == kept

    code, shown = command(up)
    assert (code, shown.count("\n")) == (1, 2)
    assert f"1. remove {LAST} (subnet-" in shown
    control(aws.aws_url, "POST", "faults", {"interface_linger_s": 3})
    code, output = command(up, "--apply")
    assert code == 0, output
    assert command(up) == (0, "the load balancer has no zone to remove, and no address is to be released\n")
    assert addresses(aws) == {zone: each for zone, each in kept.items() if zone != LAST}

    # Without a refresh the state still has the zone.
    assert not DESTRUCTIVE & set(ops(up, "--refresh=false").values())
    up.up("--refresh").ok()
    assert not ops(up, "--refresh")
    assert identity(aws) == before
    (free,) = ec2_client(aws.aws_url).describe_addresses(AllocationIds=[kept[LAST]])["Addresses"]
    assert "AssociationId" not in free

    up.configure(zones=zones)
    up.up().ok()
    assert (identity(aws), addresses(aws)) == (before, kept)


def test_the_address_of_a_zone_is_swapped_in_place_and_the_old_one_released_by_name(
    up: DevStack, aws: Layout
) -> None:
    ec2 = ec2_client(aws.aws_url)
    before, kept = identity(aws), addresses(aws)
    own = ec2.allocate_address(Domain="vpc")["AllocationId"]
    zones = up.configure(zones=None)["zones"]
    up.configure(zones={**zones, LAST: {**zones[LAST], "allocationId": own}})
    assert f"zones.{LAST}.allocationId: read {own}, and the load balancer" in up.up().text
    assert command(up, "--apply")[0] == 0
    up.up("--refresh").ok()
    assert (identity(aws), addresses(aws)) == (before, {**kept, LAST: own})
    up.up("--refresh", "--expect-no-changes").ok()

    up.configure(addresses={"keep": False, "release": [LAST]})
    assert f"addresses.release[0]: read {LAST}, and AWS has its address {kept[LAST]}" in up.up().text
    code, output = command(up, "--apply")
    assert (code, f"release {kept[LAST]}" in output) == (0, True), output
    up.up().ok()
    left = {each["AllocationId"] for each in ec2.describe_addresses()["Addresses"]}
    assert left == {*addresses(aws).values()}
    up.up("--refresh", "--expect-no-changes").ok()


def test_a_zone_is_added_again_only_after_a_refresh_of_the_old_state(up: DevStack, aws: Layout) -> None:
    zones = up.configure(zones=None)["zones"]
    up.configure(zones={zone: place for zone, place in zones.items() if zone != LAST})
    assert command(up, "--apply")[0] == 0
    up.configure(zones=zones)
    stale = up.up("--refresh=false")
    assert stale.code != 0
    assert f"zones: read {LAST}, and the load balancer is not in that zone" in stale.text
    up.up("--refresh").ok()
    assert set(addresses(aws)) == set(zones)


def test_without_the_guard_aws_refuses_the_second_load_balancer(up: DevStack, aws: Layout) -> None:
    """An old state plans a replacement; created first, it cannot get the addresses of the first one."""
    before = identity(aws)
    zones = up.configure(zones=None)["zones"]
    subnets = elbv2_client(aws.aws_url)
    rest: Any = [
        {"SubnetId": zone["SubnetId"], "AllocationId": zone["LoadBalancerAddresses"][0]["AllocationId"]}
        for zone in balancer(aws)["AvailabilityZones"]
        if zone["ZoneName"] == "eu-central-1a"
    ]
    subnets.set_subnets(LoadBalancerArn=before[0], SubnetMappings=rest)
    up.configure(zones={zone: place for zone, place in zones.items() if zone != LAST})
    failed = up.up("--refresh=false")
    assert failed.code != 0
    assert "ResourceInUse" in failed.text
    assert identity(aws) == before
    up.up("--refresh").ok()
    assert (identity(aws), set(addresses(aws))) == (before, set(zones) - {LAST})


def test_the_opt_in_replaces_the_load_balancer(up: DevStack, aws: Layout) -> None:
    before, kept = identity(aws), addresses(aws)
    zones = up.configure(zones=None)["zones"]
    up.configure(zones={zone: place for zone, place in zones.items() if zone != LAST})
    up.configure(allowReplacement=["loadBalancer"])
    up.up().ok()
    assert identity(aws)[0] != before[0]
    assert addresses(aws) == {zone: each for zone, each in kept.items() if zone != LAST}
    ec2_client(aws.aws_url).describe_addresses(AllocationIds=[kept[LAST]])
