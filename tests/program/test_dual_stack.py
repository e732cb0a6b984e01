"""A load balancer with IPv6: clients, rules, subnets, and what AWS refuses."""

import logging
from typing import Any

import pytest

from infra.problems import SettingsError
from tests.program.test_program import INGRESS_RULE, NODES_GROUP
from tests.program.world import Cloud, Config, Record, RunProgram

OURS = "node-nlb-sync:"
NLB = "aws:lb/loadBalancer:LoadBalancer"
GROUP = "aws:lb/targetGroup:TargetGroup"
LIST = "pl-0123456789abcdef0"
TYPE = "loadBalancer.ipAddressType"


@pytest.fixture(autouse=True)
def dual_stack(config: Config, cloud: Cloud) -> None:
    """Stack dev with IPv6 clients, in subnets with IPv6 blocks."""
    edited(config, loadBalancer={"ipAddressType": "dualstack"}, clientCidrs=["192.0.2.0/24", "2001:db8::/32"])
    cloud.ipv6 = dict.fromkeys(cloud.zones, "2001:db8:0:1::/64")


def edited(config: Config, **keys: Any) -> None:
    config.update({f"{OURS}{key}": value for key, value in keys.items()})


def lines(run: RunProgram) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        run(preview=True)
    assert run.last.resources == []
    return [line.removeprefix(OURS) for line in str(refused.value).split("\n")]


def sources(record: Record, group: str) -> set[tuple[str, str]]:
    """Kind and value of the networks that a group admits."""
    found = [item.inputs for item in record.of(INGRESS_RULE).values()]
    return {
        (kind, each[kind])
        for each in found
        if each["securityGroupId"] == group
        for kind in ("cidrIpv4", "cidrIpv6")
        if kind in each
    }


def test_the_load_balancer_is_dual_stack_and_its_groups_are_ipv4(run_program: RunProgram) -> None:
    record = run_program()
    assert record.one(NLB).inputs["ipAddressType"] == "dualstack"
    assert [each.inputs.get("ipAddressType", "ipv4") for each in record.of(GROUP).values()] == ["ipv4"] * 2


def test_ipv6_clients_have_rules_in_the_group_of_the_load_balancer(run_program: RunProgram) -> None:
    record = run_program()
    assert sources(record, "sg-node-nlb") == {("cidrIpv4", "192.0.2.0/24"), ("cidrIpv6", "2001:db8::/32")}
    names = {name for name, each in record.of(INGRESS_RULE).items() if "cidrIpv6" in each.inputs}
    assert names == {f"node-nlb-{port}-from-2001-db8--/32" for port in (80, 443)}


def test_the_nodes_see_translated_clients_and_have_no_rule_of_ipv6(
    run_program: RunProgram, config: Config
) -> None:
    edited(config, firewall={"source": "clients"})
    assert sources(run_program(), NODES_GROUP) == {("cidrIpv4", "192.0.2.0/24")}


def test_every_subnet_needs_an_ipv6_block(run_program: RunProgram, config: Config, cloud: Cloud) -> None:
    subnet = config[f"{OURS}zones"]["eu-central-1b"]["subnetId"]
    cloud.ipv6[subnet] = ""
    (line,) = lines(run_program)
    assert line == (
        f"zones.eu-central-1b.subnetId: read {subnet}, which has no IPv6 CIDR block; allowed: subnets with "
        f"an IPv6 CIDR block with {TYPE} dualstack; fix: associate an IPv6 CIDR block with the VPC and the "
        "subnet, and route ::/0"
    )
    edited(config, loadBalancer={}, clientCidrs=["0.0.0.0/0"])
    assert run_program(preview=True).one(NLB).inputs["ipAddressType"] == "ipv4"


def test_ipv6_networks_need_the_address_type(run_program: RunProgram, config: Config) -> None:
    edited(config, loadBalancer={})
    (line,) = lines(run_program)
    assert line == (
        f'clientCidrs[1]: read "2001:db8::/32"; allowed: IPv4 networks with {TYPE} ipv4; fix: pulumi config '
        f"set --path '{OURS}{TYPE}' dualstack, or remove clientCidrs[1]"
    )


def test_an_internal_load_balancer_is_refused(run_program: RunProgram, config: Config) -> None:
    config[f"{OURS}loadBalancer"]["scheme"] = "internal"
    (line,) = lines(run_program)
    assert line == (
        f"{TYPE}: read dualstack; allowed: ipv4 with loadBalancer.scheme internal; fix: pulumi config rm "
        f"--path '{OURS}{TYPE}'"
    )


@pytest.mark.parametrize("protocol", ["UDP", "TCP_UDP"])
def test_udp_is_refused(run_program: RunProgram, config: Config, protocol: str) -> None:
    ports = [
        {"name": "http", "port": 80},
        {"name": "dns", "port": 53, "protocol": protocol, "nodePort": 30053},
    ]
    row = {"name": "dns", "port": 53, "servicePort": "dns", "protocol": protocol}
    edited(config, ingress={"ports": ports}, listeners=[row], healthCheck={"servicePort": "http"})
    (line,) = lines(run_program)
    assert line == (
        f"listeners[0].protocol: read {protocol}; allowed: TCP or TLS with {TYPE} dualstack: AWS requires "
        f"IPv6 prefixes for source NAT with UDP; fix: set {TYPE} to ipv4, or serve UDP from a stack of its "
        "own"
    )


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        ("2001:db8::1", "2001:db8::1/128"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("2001:DB8:0:0::/32", "2001:db8::/32"),
    ],
)
def test_another_form_of_a_network_has_the_fix(
    run_program: RunProgram, config: Config, raw: str, meant: str
) -> None:
    edited(config, clientCidrs=[raw])
    (line,) = lines(run_program)
    assert line.startswith(f'clientCidrs[0]: read "{raw}"; allowed: a network such as 203.0.113.0/24 or ')
    assert line.endswith(f" {meant}")


def test_the_families_have_a_quota_each(run_program: RunProgram, config: Config, cloud: Cloud) -> None:
    both = [
        *(f"10.0.{each}.0/24" for each in range(30)),
        *(f"2001:db8:{each:x}::/48" for each in range(1, 31)),
    ]
    edited(config, clientCidrs=both)
    assert run_program(preview=True).of(NLB)
    edited(config, clientCidrs=[*both, "2001:db8:ff::/48"])
    (line,) = lines(run_program)
    assert line.startswith(
        "clientCidrs: read 31 IPv6 networks for 2 listeners, which are 62 rules; allowed: "
    )
    edited(config, clientCidrs=both)
    config[f"{OURS}loadBalancer"]["clientPrefixLists"] = [LIST]
    cloud.prefix_lists[LIST] = 1
    (line,) = lines(run_program)
    assert line.startswith("clientCidrs: read 30 networks and 1 entries of prefix lists for 2 listeners")
    cloud.ipv6[LIST] = "IPv6"
    (line,) = lines(run_program)
    assert line.startswith("clientCidrs: read 30 IPv6 networks and 1 entries of prefix lists for 2 listeners")


def warnings(run: RunProgram, caplog: pytest.LogCaptureFixture) -> list[str]:
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        run(preview=True, fresh=True)
    return [line for line in caplog.messages if "clientCidrs" in line]


def test_clients_without_ipv6_are_a_warning(
    run_program: RunProgram, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    assert warnings(run_program, caplog) == []
    edited(config, clientCidrs=["0.0.0.0/0"])
    (line,) = warnings(run_program, caplog)
    assert line == (
        f"{TYPE} is dualstack and clientCidrs has no IPv6 network: no client connects over IPv6; add ::/0, "
        "or the networks of the clients"
    )


def test_a_network_inside_another_of_its_family_is_a_warning(
    run_program: RunProgram, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    edited(config, clientCidrs=["0.0.0.0/0", "2001:db8::/32", "::/0"])
    (line,) = warnings(run_program, caplog)
    assert line == "clientCidrs[1] is inside clientCidrs[2], ::/0, and has no effect"


def test_an_edge_has_ipv6_and_its_attachments_do_not_repeat_it(
    run_program: RunProgram, config: Config
) -> None:
    for key in ("zones", "addresses", "loadBalancer"):
        config.pop(f"{OURS}{key}", None)
    edited(config, edge={"securityGroupId": "sg-0123456789abcdef0"}, firewall={"source": "clients"})
    assert sources(run_program(preview=True), NODES_GROUP) == {("cidrIpv4", "192.0.2.0/24")}


def test_a_name_has_a_record_for_each_ip_version(
    run_program: RunProgram, config: Config, cloud: Cloud
) -> None:
    cloud.hosted_zones["Z0123456789ABC"] = "example.com"
    edited(config, dns={"zoneId": "Z0123456789ABC", "names": ["example.com"]})
    records = run_program().of("aws:route53/record:Record")
    assert {name: each.inputs["type"] for name, each in records.items()} == {
        "node-nlb-example.com-a": "A",
        "node-nlb-example.com-aaaa": "AAAA",
    }
