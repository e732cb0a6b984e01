"""A hand-made load balancer as keys of a stack, and what is refused."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.adopt import arguments, import_file, node_groups, region_in
from infra.adoptkeys import keys, listener_names, notes, refusals
from infra.adoptreads import AdoptError, Aws, Group, Listening, Port, Standing
from infra.settings import load
from tests.unit.infra.test_settings import as_text

PAGE = (Path(__file__).parents[3] / "docs/adopt.md").read_text()
ACCOUNT = "arn:aws:elasticloadbalancing:eu-central-1:123456789012"
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/{0}2345678-1234-1234-1234-123456789012"
PORTS = [Port(name="web", port=80, node_port=30080), Port(name="websecure", port=443, node_port=30443)]
CHECK = {
    "HealthCheckProtocol": "HTTP",
    "HealthCheckPort": "30080",
    "HealthCheckPath": "/ping",
    "Matcher": {"HttpCode": "200"},
    "HealthCheckIntervalSeconds": 30,
    "HealthCheckTimeoutSeconds": 6,
    "HealthyThresholdCount": 3,
    "UnhealthyThresholdCount": 3,
}
ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "300",
    "deregistration_delay.connection_termination.enabled": "false",
    "preserve_client_ip.enabled": "true",
    "target_health_state.unhealthy.connection_termination.enabled": "true",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "2",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
}


def group(name: str, port: int, **changed: Any) -> Group:
    made: dict[str, Any] = {
        "arn": f"{ACCOUNT}:targetgroup/{name}/0123456789abcdef",
        "name": name,
        "port": port,
        "protocol": "TCP",
        "target_type": "instance",
        "check": CHECK,
        "attributes": ATTRIBUTES,
        "tags": {"team": "edge"},
        "ports": frozenset(),
        "instances": frozenset(),
    }
    return Group(**{**made, **changed})


def listening(port: int, one: Group, **changed: Any) -> Listening:
    made: dict[str, Any] = {
        "arn": f"{ACCOUNT}:listener/net/prod/0123456789abcdef/{port:016x}",
        "port": port,
        "protocol": "TCP",
        "certificates": (),
        "ssl_policy": "",
        "alpn": "",
        "mutual_tls": False,
        "idle_seconds": 350,
        "groups": (one.arn,),
        "tags": {"team": "edge"},
    }
    return Listening(**{**made, **changed})


def standing(*rows: tuple[int, Group], **changed: Any) -> Standing:
    chosen = rows or ((80, group("prod-http", 30080)), (443, group("prod-https", 30443)))
    address = {"AllocationId": "eipalloc-0123456789abcdef0", "IpAddress": "203.0.113.7"}
    zone = {
        "ZoneName": "eu-central-1a",
        "SubnetId": "subnet-0123456789abcdef0",
        "LoadBalancerAddresses": [address],
    }
    made: dict[str, Any] = {
        "arn": f"{ACCOUNT}:loadbalancer/net/prod/0123456789abcdef",
        "name": "prod",
        "kind": "network",
        "vpc_id": "vpc-0123456789abcdef0",
        "internal": False,
        "address_type": "ipv4",
        "security_groups": ("sg-0123456789abcdef0",),
        "zones": {"eu-central-1a": zone},
        "attributes": {"load_balancing.cross_zone.enabled": "true", "deletion_protection.enabled": "true"},
        "capacity": 0,
        "tags": {"team": "edge", "Name": "prod"},
        "listeners": tuple(listening(port, each) for port, each in chosen),
        "groups": {each.arn: each for _, each in chosen},
    }
    return Standing(**{**made, **changed})


def described(found: Standing) -> dict[str, Any]:
    return keys(found, PORTS, ("ingress", "traefik"), ["sg-0fedcba9876543210"])


def test_the_keys_are_a_configuration_with_what_aws_has() -> None:
    printed = described(standing())
    settings = load(as_text({**printed, "syncer": {"image": "node-nlb-sync:dev"}}), "eu-central-1")
    assert settings.load_balancer.name == "prod"
    assert settings.load_balancer.deletion_protection is True
    assert settings.client_cidrs == ()
    assert settings.cross_zone is True
    assert settings.deregistration_delay == 300
    assert settings.connections.preserve_client_ip is True
    assert [(item.name, item.target_group.name, item.target_group.port) for item in settings.listeners] == [
        ("web", "prod-http", 30080),
        ("websecure", "prod-https", 30443),
    ]
    assert settings.target_health.dns_failover_count == 2
    assert settings.target_health.dns_failover_percentage is None
    check = settings.health_checks[1]
    assert (check.service_port, check.port, check.interval, check.matcher) == ("web", None, 30, "200")
    assert settings.tags == {"team": "edge"}
    assert not settings.ingress.create


def test_a_health_check_of_another_group_is_the_listeners_own() -> None:
    probe = {**CHECK, "HealthCheckProtocol": "TCP", "HealthCheckPort": "traffic-port"}
    found = standing((80, group("a", 30080)), (443, group("b", 30443, check=probe)))
    _, second = described(found)["listeners"]
    assert second["healthCheck"] == {"port": "traffic-port", "protocol": "TCP"}
    settings = load(as_text({**described(found), "syncer": {"image": "node-nlb-sync:dev"}}), "eu-central-1")
    assert settings.health_checks[1].protocol == "TCP"


def test_an_idle_timeout_of_its_own_stays() -> None:
    first, second = group("a", 30080), group("b", 30443)
    rows = (listening(80, first, idle_seconds=600), listening(443, second))
    found = standing((80, first), (443, second), listeners=rows)
    assert [row.get("idleTimeout") for row in described(found)["listeners"]] == [600, None]


def test_the_ports_of_targets_count_before_the_ports_of_groups() -> None:
    found = standing((80, group("a", 80, ports=frozenset({30080}))))
    assert list(refusals(found, PORTS)) == []
    assert described(found)["listeners"][0]["servicePort"] == "web"


def test_two_listeners_of_a_service_port_are_named_after_their_own() -> None:
    found = standing((80, group("a", 30080)), (8080, group("b", 30080)))
    assert listener_names(found, PORTS) == {80: "port-80", 8080: "port-8080"}


def test_the_import_file_has_parents_and_further_certificates() -> None:
    one = group("a", 30443)
    certificates = (CERTIFICATE.format(1), CERTIFICATE.format(2))
    item = listening(
        443, one, protocol="TLS", certificates=certificates, ssl_policy="ELBSecurityPolicy-2016-08"
    )
    found = standing((443, one), listeners=(item,))
    resources = import_file(found, "edge")["resources"]
    names = [each["name"] for each in resources]
    assert len(set(names)) == len(names)
    assert all(each["parent"] in names for each in resources[1:])
    assert [each["logicalName"] for each in resources[:3]] == ["edge", "edge", "edge"]
    last = resources[-1]
    assert last["id"] == f"{item.arn}_{certificates[1]}"
    assert last["logicalName"] == "edge-443-certificate-22345678-1234-1234-1234-123456789012"
    (row,) = described(found)["listeners"]
    assert row["certificateArns"] == list(certificates)


def test_a_dual_stack_load_balancer_stays_one() -> None:
    found = standing(address_type="dualstack")
    assert not list(refusals(found, PORTS))
    assert described(found)["loadBalancer"]["ipAddressType"] == "dualstack"


SEVERAL = group("a", 30080)
REFUSED: dict[str, tuple[Standing, str]] = {
    "without a security group": (standing(security_groups=()), "AWS can never give it one"),
    "another type": (standing(kind="application"), "type application"),
    "dualstack": (
        standing(address_type="dualstack", internal=True),
        "internal with IP address type dualstack",
    ),
    "an address of AWS": (
        standing(zones={"eu-central-1a": {"SubnetId": "subnet-1"}}),
        "eu-central-1a has an address of AWS's choice",
    ),
    "udp": (
        standing((53, SEVERAL), listeners=(replace(listening(53, SEVERAL), protocol="UDP"),)),
        "listener 53 has protocol UDP",
    ),
    "mutual TLS": (
        standing((443, SEVERAL), listeners=(replace(listening(443, SEVERAL), mutual_tls=True),)),
        "mutual TLS",
    ),
    "several groups": (
        standing((80, SEVERAL), listeners=(replace(listening(80, SEVERAL), groups=("a", "b")),)),
        "listener 80 forwards to 2 groups",
    ),
    "a shared group": (standing((80, SEVERAL), (81, SEVERAL)), "used by the listeners 80, 81"),
    "ip targets": (standing((80, group("a", 30080, target_type="ip"))), "target type ip, which is immutable"),
    "udp group": (standing((80, group("a", 30080, protocol="UDP"))), "protocol UDP, which is immutable"),
    "another Service": (standing((80, group("a", 31000))), "sends to port 31000, and the Service has 30080"),
}


@pytest.mark.parametrize(("found", "text"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_kept_is_one_line(found: Standing, text: str) -> None:
    (line,) = refusals(found, PORTS)
    assert text in line
    assert "\n" not in line


def test_what_up_changes_is_named() -> None:
    slow = {**ATTRIBUTES, "deregistration_delay.timeout_seconds": "10"}
    found = standing((80, group("a", 30080)), (443, group("b", 30443, attributes=slow)))
    assert list(notes(found)) == [
        "group b has deregistration_delay.timeout_seconds 10; `up` sets 300, the stack's deregistrationDelay",
        "load balancer prod has tags that are not common to all; `up` removes them: Name",
    ]


class Instances:
    """EC2 with instances in these groups."""

    def __init__(self, *groups: set[str]) -> None:
        self.groups = groups

    def get_paginator(self, _: str) -> "Instances":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        every = [{"SecurityGroups": [{"GroupId": one} for one in each]} for each in self.groups]
        return [{"Reservations": [{"Instances": every}]}]


def test_the_only_common_group_of_the_instances_is_that_of_the_nodes() -> None:
    found = standing((80, group("a", 30080, instances=frozenset({"i-1", "i-2"}))))
    ec2: Any = Instances({"sg-nodes", "sg-a"}, {"sg-nodes", "sg-b"})
    assert node_groups(found, Aws(ec2, ec2), []) == ["sg-nodes"]
    both: Any = Instances({"sg-nodes", "sg-a"})
    with pytest.raises(AdoptError, match="sg-a, sg-nodes in common; give --node-security-group"):
        node_groups(found, Aws(both, both), [])


def test_the_page_has_the_flags_and_the_commands() -> None:
    words = re.findall(r"python -m infra adopt (.+?) >", PAGE)
    given = arguments(words[0].split())
    assert (given.load_balancer, given.service) == ("prod-ingress", "ingress-traefik/traefik")
    assert set(re.findall(r"`(--[a-z-]+)`", PAGE)) == {
        "--load-balancer",
        "--service",
        "--node-security-group",
        "--region",
        "--context",
        "--component",
        "--import-file",
    }
    assert f"pulumi import --file {given.import_file} --generate-code=false --protect=false" in PAGE


@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("prod", None),
        ("arn:x", None),
        ("arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/net/a/b", "eu-west-1"),
    ],
)
def test_the_region_of_an_arn_needs_no_flag(name: str, region: str | None) -> None:
    assert region_in(name) == region


def test_security_groups_of_many_instances_are_read_in_pages_of_the_filter() -> None:
    class Ec2:
        def get_paginator(self, _: str) -> "Ec2":
            return self

        def paginate(self, Filters: list[dict[str, Any]]) -> list[dict[str, Any]]:  # noqa: N803
            (ids,) = (each["Values"] for each in Filters)
            assert len(ids) <= 200
            group = [{"GroupId": "sg-1"}]
            return [{"Reservations": [{"Instances": [{"SecurityGroups": group} for _ in ids]}]}]

    reads: Any = Ec2()
    found = Aws(reads, reads).node_groups(frozenset(f"i-{number:017x}" for number in range(401)))
    assert found == [frozenset({"sg-1"})] * 401
