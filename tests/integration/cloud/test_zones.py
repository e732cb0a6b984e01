"""`python -m infra.zones` against the simulated AWS: zones leave in place, addresses are released by name."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.kept import STACK_TAG, ZONE_TAG
from infra.zonesteps import Aws
from tests.integration.cloud.world import ZONES, Cloud, wait_until

ROOT = Path(__file__).resolve().parents[3]
MARK = "node-nlb-sync/dev/vpc-0123456789abcdef0"
NOTHING = "the load balancer has no zone to remove, and no address is to be released\n"


def made(cloud: Cloud, zones: tuple[str, ...] = ZONES) -> tuple[str, dict[str, str]]:
    """A load balancer of a stack, and the stack's address of each zone."""
    owned = {zone: cloud.address() for zone in zones}
    for zone, address in owned.items():
        tags = [{"Key": STACK_TAG, "Value": MARK}, {"Key": ZONE_TAG, "Value": zone}]
        cloud.ec2.create_tags(Resources=[address], Tags=tags)  # type: ignore[arg-type]
    mappings = [
        {"SubnetId": cloud.network.subnet_ids[zone], "AllocationId": address}
        for zone, address in owned.items()
    ]
    arn = cloud.balancer(SubnetMappings=mappings, Tags=[{"Key": STACK_TAG, "Value": MARK}])
    return arn, owned


def begun(cloud: Cloud, arn: str, zones: Mapping[str, str], *words: str) -> subprocess.Popen[str]:
    listed = [f"--zone={zone}={cloud.network.subnet_ids[zone]}{given}" for zone, given in zones.items()]
    keys = {"AWS_ACCESS_KEY_ID": "sandbox", "AWS_SECRET_ACCESS_KEY": "sandbox"}
    return subprocess.Popen(
        [sys.executable, "-m", "infra.zones", "--load-balancer", arn, *listed, *words],
        cwd=ROOT,
        env={**os.environ, "AWS_ENDPOINT_URL": cloud.url, **keys},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(cloud: Cloud, arn: str, zones: Mapping[str, str], *words: str) -> tuple[int, str]:
    running = begun(cloud, arn, zones, *words)
    output, _ = running.communicate(timeout=120)
    return running.returncode, output


def there(cloud: Cloud, arn: str) -> dict[str, str]:
    (found,) = cloud.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    return {
        each["ZoneName"]: each["LoadBalancerAddresses"][0]["AllocationId"]
        for each in found["AvailabilityZones"]
    }


def test_a_zone_that_stays_keeps_its_ipv6_address(cloud: Cloud) -> None:
    subnet = cloud.network.subnet_ids[ZONES[0]]
    (found,) = cloud.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    block = found["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
    mapping = {
        "SubnetId": subnet,
        "AllocationId": cloud.address(),
        "IPv6Address": block.replace("::/64", "::15"),
    }
    arn = cloud.balancer(SubnetMappings=[mapping], IpAddressType="dualstack")
    assert Aws(cloud.elb, cloud.ec2).mappings(arn) == {ZONES[0]: mapping}


def test_a_zone_is_shown_first_and_removed_only_with_apply(cloud: Cloud) -> None:
    arn, owned = made(cloud)
    rest = dict.fromkeys(ZONES[:2], "")
    code, output = run(cloud, arn, rest)
    assert code == 1
    assert output.startswith(
        f"1. remove {ZONES[2]} ({cloud.network.subnet_ids[ZONES[2]]}, {owned[ZONES[2]]}, "
    )
    assert there(cloud, arn) == owned
    assert run(cloud, arn, rest, "--apply")[0] == 0
    assert there(cloud, arn) == {zone: owned[zone] for zone in ZONES[:2]}
    assert run(cloud, arn, rest, "--apply") == (0, NOTHING)


def test_the_command_waits_for_the_interface_which_holds_the_address(cloud: Cloud) -> None:
    arn, owned = made(cloud)
    cloud.faults(interface_linger_s=600)
    running = begun(cloud, arn, dict.fromkeys(ZONES[:2], ""), "--apply")
    wait_until(lambda: ZONES[2] not in there(cloud, arn), 60)
    assert running.poll() is None
    cloud.faults(interface_linger_s=0)
    output, _ = running.communicate(timeout=60)
    assert output.endswith("done; then run: pulumi up --refresh\n")
    (free,) = cloud.ec2.describe_addresses(AllocationIds=[owned[ZONES[2]]])["Addresses"]
    assert "AssociationId" not in free


def test_no_command_removes_every_zone(cloud: Cloud) -> None:
    arn, owned = made(cloud, ZONES[:1])
    code, output = run(cloud, arn, {ZONES[0]: f",{cloud.address()}"}, "--apply")
    assert (code, output.count("\n")) == (2, 1)
    assert output.startswith(f"every zone of the load balancer would be removed: {ZONES[0]}; keep one")
    assert there(cloud, arn) == owned


def test_a_zone_with_another_address_is_removed_and_its_own_released_by_name(cloud: Cloud) -> None:
    arn, owned = made(cloud)
    wanted = {**dict.fromkeys(ZONES[:2], ""), ZONES[2]: f",{cloud.address()}"}
    code, output = run(cloud, arn, wanted, "--apply", f"--release={ZONES[2]}")
    assert code == 0, output
    assert "the address is to be eipalloc-" in output
    left = {each["AllocationId"] for each in cloud.ec2.describe_addresses()["Addresses"]}
    assert owned[ZONES[2]] not in left
    assert {owned[zone] for zone in ZONES[:2]} < left
    in_use = run(cloud, arn, dict.fromkeys(ZONES[:2], ""), f"--release={ZONES[0]}")
    assert in_use == (2, f"zone to release is in use: {ZONES[0]}; remove it from addresses.release\n")


def test_errors_are_one_line(cloud: Cloud) -> None:
    arn, _ = made(cloud, ZONES[:1])
    for words, line in (
        ((arn, {}), "--zone is missing; "),
        (("arn:aws:x", {ZONES[0]: ""}), "load balancer ARN is malformed: arn:aws:x; "),
        ((arn[:-16] + "0" * 16, {ZONES[0]: ""}), "AWS refused: "),
    ):
        code, output = run(cloud, *words)
        assert (code, output.count("\n")) == (2, 1), output
        assert output.startswith(line)
