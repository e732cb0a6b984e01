"""The keys of `loadBalancer`: the inputs of the resources, and what is refused."""

import logging
from typing import Any

import pytest

from tests.program.test_program import EIP, INGRESS_RULE, NLB, NODES_GROUP, rules
from tests.program.world import Cloud, Config, Record, RunProgram
from tests.unit.infra.test_settings import MINIMAL, lines, read

OWN = "sg-0123456789abcdef0"
LIST = "pl-0123456789abcdef0"
ENFORCED = {
    "deletionProtection": "enableDeletionProtection",
    "zonalShift": "enableZonalShift",
    "dnsClientRouting": "dnsRecordClientRoutingPolicy",
    "minimumCapacity": "minimumLoadBalancerCapacity",
}


def internal(config: Config, **addresses: str) -> None:
    config["node-nlb-sync:loadBalancer"] = {"scheme": "internal"}
    for zone, address in addresses.items():
        config["node-nlb-sync:zones"][f"eu-central-1{zone}"]["privateAddress"] = address


def test_without_the_key_a_load_balancer_is_what_it_was(record: Record) -> None:
    balancer = record.one(NLB)
    assert {
        key: balancer.inputs[key] for key in balancer.inputs if key not in {"subnetMappings", "tags"}
    } == {
        "internal": False,
        "ipAddressType": "ipv4",
        "loadBalancerType": "network",
        "securityGroups": ["sg-node-nlb"],
        "enableCrossZoneLoadBalancing": True,
        "enableDeletionProtection": False,
        "enableZonalShift": False,
        "dnsRecordClientRoutingPolicy": "any_availability_zone",
    }
    assert balancer.ignore_changes == ()


PRIVATE_LINK = "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
ROUTING = "availability_zone_affinity"
LOGS = {"enabled": True, "bucket": "logs-1", "prefix": "prod"}


@pytest.mark.parametrize(
    ("keys", "sent"),
    [
        ({"name": "prod-ingress"}, {"name": "prod-ingress"}),
        ({"deletionProtection": True}, {"enableDeletionProtection": True}),
        ({"zonalShift": True}, {"enableZonalShift": True}),
        ({"dnsClientRouting": ROUTING}, {"dnsRecordClientRoutingPolicy": ROUTING}),
        ({"minimumCapacity": 3000}, {"minimumLoadBalancerCapacity": {"capacityUnits": 3000}}),
        ({"enforcePrivateLink": False}, {PRIVATE_LINK: "off"}),
        ({"enforcePrivateLink": True}, {PRIVATE_LINK: "on"}),
        ({"accessLogs": LOGS}, {"accessLogs": LOGS}),
        ({"accessLogs": {"enabled": False}}, {"accessLogs": {"enabled": False, "bucket": ""}}),
        ({"securityGroupIds": [OWN]}, {"securityGroups": ["sg-node-nlb", OWN]}),
    ],
    ids=str,
)
def test_each_key_reaches_the_load_balancer(
    run_program: RunProgram, config: Config, keys: dict[str, Any], sent: dict[str, Any]
) -> None:
    config["node-nlb-sync:loadBalancer"] = keys
    inputs = run_program().one(NLB).inputs
    assert {name: inputs[name] for name in sent} == sent


@pytest.mark.parametrize("key", ENFORCED)
def test_null_leaves_an_attribute_alone_that_the_provider_would_reset(
    run_program: RunProgram, config: Config, key: str
) -> None:
    config["node-nlb-sync:loadBalancer"] = {key: None}
    balancer = run_program().one(NLB)
    assert balancer.ignore_changes == (ENFORCED[key],)
    assert ENFORCED[key] not in balancer.inputs


def test_an_internal_load_balancer_has_no_elastic_ip(run_program: RunProgram, config: Config) -> None:
    internal(config, a="10.0.0.15")
    record = run_program()
    assert record.of(EIP) == {}
    balancer = record.one(NLB).inputs
    assert balancer["internal"] is True
    assert [mapping.get("privateIpv4Address") for mapping in balancer["subnetMappings"]] == [
        "10.0.0.15",
        None,
        None,
    ]
    assert all("allocationId" not in mapping for mapping in balancer["subnetMappings"])
    assert record.outputs["staticIps"] == {"eu-central-1a": "10.0.0.15"}


def test_prefix_lists_are_rules_of_the_stacks_group(
    run_program: RunProgram, config: Config, cloud: Cloud
) -> None:
    cloud.prefix_lists[LIST] = 4
    config["node-nlb-sync:loadBalancer"] = {"clientPrefixLists": [LIST]}
    config["node-nlb-sync:clientCidrs"] = []
    config["node-nlb-sync:firewall"] = {"source": "clients"}
    record = run_program()
    found = {
        (item.inputs["securityGroupId"], item.inputs["fromPort"])
        for item in record.of(INGRESS_RULE).values()
        if item.inputs.get("prefixListId") == LIST
    }
    assert found == {
        ("sg-node-nlb", 80),
        ("sg-node-nlb", 443),
        (NODES_GROUP, 31080),
        (NODES_GROUP, 31443),
    }
    assert rules_with_networks(record) == set()


def rules_with_networks(record: Record) -> set[str]:
    return {name for name, item in record.of(INGRESS_RULE).items() if "cidrIpv4" in item.inputs}


def test_the_first_rules_of_the_nodes_stay(run_program: RunProgram, config: Config) -> None:
    config["node-nlb-sync:loadBalancer"] = {"securityGroupIds": [OWN]}
    assert rules(run_program(), INGRESS_RULE, NODES_GROUP) == {(31080, "sg-node-nlb"), (31443, "sg-node-nlb")}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"loadBalancer": {"scheme": "internal"}},
            (
                'zones.eu-central-1b.allocationId: read "eipalloc-0123456789abcdef1"; allowed: none with '
                "loadBalancer.scheme internal; fix: pulumi config rm --path "
                "'node-nlb-sync:zones.eu-central-1b.allocationId'"
            ),
        ),
        (
            {"zones": {"eu-central-1a": {"subnetId": "subnet-01234567", "privateAddress": "10.0.0.9"}}},
            (
                'zones.eu-central-1a.privateAddress: read "10.0.0.9"; allowed: none without '
                "loadBalancer.scheme internal; fix: pulumi config rm --path "
                "'node-nlb-sync:zones.eu-central-1a.privateAddress'"
            ),
        ),
        (
            {"zones": {"eu-central-1a": {"subnetId": "subnet-01234567", "privateAddress": "10.0.0.256"}}},
            (
                'zones.eu-central-1a.privateAddress: read "10.0.0.256"; allowed: a free IPv4 address of the '
                "subnet; fix: pulumi config set --type string --path "
                "'node-nlb-sync:zones.eu-central-1a.privateAddress' 10.0.0.15"
            ),
        ),
        (
            {"clientCidrs": []},
            (
                "clientCidrs: read an empty list; allowed: at least one network, prefix list or security "
                "group; fix: remove clientCidrs, or set loadBalancer.clientPrefixLists"
            ),
        ),
        (
            {"loadBalancer": {"accessLogs": {"enabled": True}}},
            (
                "loadBalancer.accessLogs.bucket: read nothing; allowed: a bucket beside accessLogs.enabled; "
                "fix: pulumi config set --path 'node-nlb-sync:loadBalancer.accessLogs.bucket' <bucket>"
            ),
        ),
        (
            {"loadBalancer": {"securityGroupIds": [OWN, OWN]}},
            (
                f'loadBalancer.securityGroupIds[1]: read "{OWN}" a second time; allowed: each id once; '
                "fix: remove loadBalancer.securityGroupIds[1]"
            ),
        ),
        (
            {"loadBalancer": {"name": "internal-x"}},
            (
                'loadBalancer.name: read "internal-x"; allowed: 1 to 32 letters, digits and hyphens, without '
                "a hyphen at the ends and without internal- at the start; fix: pulumi config set --path "
                "'node-nlb-sync:loadBalancer.name' prod-ingress"
            ),
        ),
        (
            {"loadBalancer": {"dnsClientRouting": "any"}},
            (
                'loadBalancer.dnsClientRouting: read "any"; allowed: any_availability_zone, '
                "partial_availability_zone_affinity or availability_zone_affinity; fix: pulumi config set "
                "--path 'node-nlb-sync:loadBalancer.dnsClientRouting' any_availability_zone"
            ),
        ),
    ],
    ids=[
        "address of an internal one",
        "private address of a public one",
        "no address",
        "no clients",
        "no bucket",
        "group twice",
        "name",
        "routing",
    ],
)
def test_what_aws_would_refuse_is_one_line(change: dict[str, Any], line: str) -> None:
    assert lines({**MINIMAL, **change}) == [f"node-nlb-sync:{line}"]


def test_clients_may_come_by_a_group_of_ones_own_alone() -> None:
    settings = read({**MINIMAL, "clientCidrs": [], "loadBalancer": {"securityGroupIds": [OWN]}})
    assert settings.client_cidrs == ()


@pytest.mark.parametrize(
    ("key", "pool"),
    [
        ("publicIpv4Pool", "ipv4pool-ec2-0123456789abcdef0"),
        ("ipamPoolId", "ipam-pool-0123456789abcdef0"),
    ],
)
def test_a_pool_is_for_new_addresses_and_replaces_none(
    run_program: RunProgram, config: Config, key: str, pool: str
) -> None:
    config["node-nlb-sync:addresses"] = {key: pool}
    addresses = run_program().of(EIP)
    assert len(addresses) == 3
    for address in addresses.values():
        assert address.inputs[key] == pool
        assert {"publicIpv4Pool", "ipamPoolId"} <= {*address.ignore_changes}


def test_an_address_has_one_pool_and_an_internal_load_balancer_none() -> None:
    both = {"publicIpv4Pool": "ipv4pool-ec2-0123456789abcdef0", "ipamPoolId": "ipam-pool-0123456789abcdef0"}
    (line,) = lines({**MINIMAL, "addresses": both})
    assert line.startswith("node-nlb-sync:addresses.ipamPoolId: read ")
    assert "one of addresses.publicIpv4Pool and addresses.ipamPoolId" in line
    inside = {"loadBalancer": {"scheme": "internal"}, "addresses": {"ipamPoolId": both["ipamPoolId"]}}
    found = [line for line in lines({**MINIMAL, **inside}) if ":addresses.ipamPoolId: read " in line]
    assert len(found) == 1
    assert "allowed: none with loadBalancer.scheme internal" in found[0]
    (line,) = lines({**MINIMAL, "addresses": {"publicIpv4Pool": "amazon"}})
    assert "allowed: the id of a public IPv4 pool in EC2" in line


def test_nodes_that_call_their_own_internal_load_balancer_are_a_warning(
    run_program: RunProgram, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    """AWS does not send a connection back to its sender while the client's address is preserved."""

    def warned() -> list[str]:
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            run_program(preview=True, fresh=True)
        return [line for line in caplog.messages if "times out" in line]

    assert warned() == []
    internal(config)
    (line,) = warned()
    assert line.startswith("loadBalancer.scheme is internal and connections.preserveClientIp is true: ")
    config["node-nlb-sync:connections"] = {"preserveClientIp": False}
    assert warned() == []
