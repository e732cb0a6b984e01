"""What AWS has is compared with the configuration: every difference is a line before the first resource."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from infra.problems import SettingsError
from tests.program.test_program import NODES_GROUP
from tests.program.world import VPC, Cloud, Config, RunProgram

OWN = "eipalloc-0123456789abcdef0"
ZONE = "eu-central-1a"
MARK = f"node-nlb-sync/dev/{VPC}"
KEY = "node-nlb-sync:zones"
LIMIT = "raise AWS's quota L-0EA8095F (VPC, rules per security group)"
PREFIX_LIST = "pl-0123456789abcdef0"
RULES = "rules of the load balancer's security group"
NLB = "ELB net/node-nlb-0a1b2c3/0123456789abcdef"

Change = Callable[[Config, Cloud], object]


def lines(run: RunProgram) -> list[str]:
    """The lines of a refusal, without the project's name; nothing may be registered."""
    with pytest.raises(SettingsError) as refused:
        run(preview=True)
    assert run.last.resources == []
    return [line.removeprefix("node-nlb-sync:") for line in str(refused.value).split("\n")]


def own(config: Config, cloud: Cloud, *, keep: bool = True, stack: str = "", home: str = ZONE) -> None:
    """Give an address that exists, with the tags of a stack and a zone."""
    config[KEY][ZONE]["allocationId"] = OWN
    config["node-nlb-sync:addresses"] = {"keep": keep}
    cloud.existing[OWN] = "203.0.113.9"
    cloud.tags[OWN] = {"node-nlb-sync:stack": stack, "node-nlb-sync:zone": home} if stack else {}


def used(config: Config, cloud: Cloud, instance: str, about: str, stack: str = "") -> None:
    """Give an address that an instance or an interface has."""
    own(config, cloud, stack=stack)
    cloud.holders[OWN] = (instance, about)


def networks(config: Config, number: int, source: str = "load-balancer") -> None:
    config["node-nlb-sync:clientCidrs"] = [f"10.0.{each}.0/24" for each in range(number)]
    config["node-nlb-sync:firewall"] = {"source": source}


def groups(config: Config, number: int) -> None:
    del config["node-nlb-sync:nodeSecurityGroupId"]
    config["node-nlb-sync:nodeSecurityGroupIds"] = [f"sg-{each:08x}" for each in range(number)]


def rules(cloud: Cloud, number: int, **values: Any) -> None:
    cloud.rules += [dict(values) for _ in range(number)]


def prefix_list(config: Config, cloud: Cloud, entries: int) -> None:
    config["node-nlb-sync:loadBalancer"] = {"clientPrefixLists": [PREFIX_LIST]}
    cloud.prefix_lists[PREFIX_LIST] = entries


def addresses(cloud: Cloud, number: int, quota: int = 5) -> None:
    """Addresses of other owners in the region."""
    cloud.existing.update({f"eipalloc-{each:08x}": f"198.51.100.{each}" for each in range(number)})
    cloud.address_quota = quota


def two_vpcs(config: Config, cloud: Cloud) -> None:
    groups(config, 2)
    cloud.groups["sg-00000001"] = "vpc-1"


def full(_: Config, cloud: Cloud) -> None:
    rules(cloud, 59)
    rules(cloud, 50, isEgress=True)


def many_clients(config: Config, cloud: Cloud) -> None:
    networks(config, 29, "clients")
    rules(cloud, 1)


FREE = "an Elastic IP that is free; fix: take the address from it, or remove zones.eu-central-1a.allocationId"
HELD = f"zones.eu-central-1a.allocationId: read {OWN}, which {{}} uses; allowed: {FREE} for a new address"
MADE = (
    f"zones.eu-central-1a.allocationId: read {OWN}, which this stack created for {{}}; allowed: an Elastic "
)
REMOVE = "IP that the stack did not create; fix: pulumi config rm --path 'node-nlb-sync:zones.eu-central-1a."
REFUSED: dict[str, tuple[Change, str]] = {
    "a node security group that does not exist": (
        lambda _, cloud: cloud.groups.update({NODES_GROUP: ""}),
        (
            f"nodeSecurityGroupId: read {NODES_GROUP}, which does not exist; allowed: a security "
            f"group of vpcId {VPC}; fix: "
            "list them with: aws ec2 describe-security-groups"
        ),
    ),
    "a node security group of another VPC": (
        lambda _, cloud: cloud.groups.update({NODES_GROUP: "vpc-0123456789abcdef0"}),
        (
            f"nodeSecurityGroupId: read {NODES_GROUP}, a security group of vpc-0123456789abcdef0; allowed: a "
            f"security group of vpcId {VPC}; fix: give a security group of that VPC, or change vpcId"
        ),
    ),
    "one of several of another VPC": (
        two_vpcs,
        "nodeSecurityGroupIds[1]: read sg-00000001, a security group of vpc-1; allowed: a security group of",
    ),
    "too many networks": (
        lambda config, _: networks(config, 31),
        (
            f"clientCidrs: read 31 networks for 2 listeners, which are 62 rules; allowed: at most "
            f"60 inbound {RULES}; "
            f"fix: combine networks, or {LIMIT}"
        ),
    ),
    "a prefix list that does not exist": (
        lambda config, _: config.update({"node-nlb-sync:loadBalancer": {"clientPrefixLists": [PREFIX_LIST]}}),
        (
            f"loadBalancer.clientPrefixLists[0]: read {PREFIX_LIST}, which does not exist; allowed: a prefix "
            "list of this region; fix: list them with: aws ec2 describe-managed-prefix-lists"
        ),
    ),
    "a prefix list of many entries": (
        lambda config, cloud: prefix_list(config, cloud, 30),
        (
            "clientCidrs: read 1 networks and 30 entries of prefix lists for 2 listeners, which are 62 "
            "rules; allowed: at most 60"
        ),
    ),
    "more addresses than the quota": (
        lambda _, cloud: addresses(cloud, 3),
        (
            "zones: read 3 new Elastic IPs (eu-central-1a, eu-central-1b, eu-central-1c) beside 3 in the "
            "region; allowed: at most 5 Elastic IPs in the region; fix: raise AWS's quota L-0263D0A3 (EC2, "
        ),
    ),
    "too many node security groups": (
        lambda config, _: groups(config, 31),
        (
            f"nodeSecurityGroupIds: read 31 groups for 2 NodePorts, which are 62 rules; allowed: at "
            f"most 60 outbound "
            f"{RULES}; fix: give fewer groups, or {LIMIT}"
        ),
    ),
    "a full node security group": (
        full,
        (
            f"nodeSecurityGroupId: read {NODES_GROUP} with 59 rules, beside 2 of the stack; "
            f"allowed: at most 60 "
            "inbound rules of a node security group; fix: remove rules, set firewall.source to "
            "load-balancer, or "
            f"{LIMIT}"
        ),
    ),
    "clients in a node security group": (
        many_clients,
        f"nodeSecurityGroupId: read {NODES_GROUP} with 1 rules, beside 60 of the stack; allowed: at most 60",
    ),
    "an address of an instance": (
        lambda config, cloud: used(config, cloud, "i-0123456789abcdef0", "eni"),
        HELD.format("instance i-0123456789abcdef0"),
    ),
    "an address of a NAT gateway": (
        lambda config, cloud: used(config, cloud, "", "Interface for NAT Gateway nat-1"),
        HELD.format("network interface eni-1 (Interface for NAT Gateway nat-1)"),
    ),
    "an address of another load balancer": (
        lambda config, cloud: used(config, cloud, "", "ELB net/edge-1/0123456789abcdef"),
        HELD.format("network interface eni-1 (ELB net/edge-1/0123456789abcdef)"),
    ),
    "an address of another stack's load balancer": (
        lambda config, cloud: used(config, cloud, "", NLB, stack="node-nlb-sync/prod/vpc-1"),
        HELD.format(f"network interface eni-1 ({NLB})"),
    ),
    "the stack's own address": (
        lambda config, cloud: used(config, cloud, "", NLB, stack=MARK),
        f"{MADE.format(ZONE)}{REMOVE}allocationId'",
    ),
    "the stack's own address that is not kept": (
        lambda config, cloud: own(config, cloud, keep=False, stack=MARK),
        (
            f"{MADE.format(ZONE)}{REMOVE}allocationId', and set addresses.keep to true so that the "
            f"stack takes the "
            "address again"
        ),
    ),
    "the stack's own address of another zone": (
        lambda config, cloud: own(config, cloud, stack=MARK, home="eu-central-1b"),
        f"{MADE.format('eu-central-1b')}{REMOVE}allocationId'",
    ),
    "an address of a removed zone that is not kept": (
        lambda config, cloud: own(config, cloud, keep=False, stack=MARK, home="eu-central-1d"),
        (
            f"{MADE.format('eu-central-1d')}IP that the stack did not create; fix: set "
            f"addresses.keep to true and run "
            "pulumi up with eu-central-1d, then move the address"
        ),
    ),
    "a full subnet": (
        lambda config, cloud: cloud.free.update({config[KEY][ZONE]["subnetId"]: 7}),
        (
            "zones.eu-central-1a.subnetId: read subnet-eee65f53e9421ce50, which has 7 free "
            "addresses; allowed: "
            "a subnet with at least 8 free addresses, which AWS requires; fix: free addresses in the "
            "subnet, or give "
            "another public subnet of the zone"
        ),
    ),
}


@pytest.mark.parametrize(("change", "line"), REFUSED.values(), ids=REFUSED)
def test_what_aws_would_refuse_is_one_line_before_the_first_resource(
    run_program: RunProgram, config: Config, cloud: Cloud, change: Change, line: str
) -> None:
    change(config, cloud)
    (found,) = lines(run_program)
    assert found.startswith(line)
    assert "; allowed: " in found
    assert "; fix: " in found


def kept_twice(config: Config, cloud: Cloud) -> None:
    own(config, cloud, stack=MARK)
    cloud.kept += [(OWN, cloud.tags[OWN]), ("eipalloc-2", cloud.tags[OWN])]


def full_with_own_rules(_: Config, cloud: Cloud) -> None:
    rules(cloud, 58)
    rules(cloud, 2, description="NodePort http of the ingress controller")


def standing(config: Config, cloud: Cloud) -> None:
    subnet = config[KEY][ZONE]["subnetId"]
    cloud.free[subnet] = 0
    cloud.interfaces.append((subnet, NLB))


def raised(config: Config, cloud: Cloud) -> None:
    networks(config, 40, "clients")
    rules(cloud, 20)
    cloud.quota = 120


def named(config: Config, cloud: Cloud) -> None:
    """An adopted load balancer in a full subnet, with an address of another owner."""
    about = "ELB net/prod-ingress/0123456789abcdef"
    used(config, cloud, "", about)
    subnet = config[KEY][ZONE]["subnetId"]
    cloud.free[subnet] = 0
    cloud.interfaces.append((subnet, about))
    config["node-nlb-sync:loadBalancer"] = {"name": "prod-ingress"}


ACCEPTED: dict[str, Change] = {
    "an address of the stack's load balancer": lambda config, cloud: used(config, cloud, "", NLB),
    "an address and a subnet of the load balancer with the stack's name": named,
    "one of several kept addresses": kept_twice,
    "a kept address of a removed zone": lambda config, cloud: own(
        config, cloud, stack=MARK, home="eu-central-1d"
    ),
    "a free address of another stack": lambda config, cloud: own(config, cloud, stack="a/b/c"),
    "the stack's rules in a full group": full_with_own_rules,
    "a full subnet with the load balancer": standing,
    "a raised quota": raised,
    "a prefix list with room": lambda config, cloud: prefix_list(config, cloud, 29),
    "as many addresses as the quota": lambda _, cloud: addresses(cloud, 2),
    "a raised quota of addresses": lambda _, cloud: addresses(cloud, 7, 10),
}


@pytest.mark.parametrize("change", ACCEPTED.values(), ids=ACCEPTED)
def test_what_aws_accepts_is_accepted(
    run_program: RunProgram, config: Config, cloud: Cloud, change: Change
) -> None:
    change(config, cloud)
    assert run_program(preview=True).resources


DENIED: dict[str, Change] = {
    "ec2:DescribeSecurityGroups": lambda _, cloud: cloud.groups.update({NODES_GROUP: "vpc-1"}),
    "ec2:DescribeSecurityGroupRules": lambda _, cloud: rules(cloud, 60),
    "servicequotas:GetServiceQuota": lambda config, _: networks(config, 31),
    "ec2:DescribeManagedPrefixLists": lambda config, cloud: prefix_list(config, cloud, 30),
    "ec2:DescribeAddresses": lambda config, cloud: used(config, cloud, "i-1", ""),
    "ec2:DescribeNetworkInterfaces": lambda config, cloud: used(config, cloud, "", "ELB net/edge-1/0"),
}


@pytest.mark.parametrize("action", DENIED)
def test_a_denied_read_is_one_warning_with_the_action(
    run_program: RunProgram, config: Config, cloud: Cloud, caplog: pytest.LogCaptureFixture, action: str
) -> None:
    DENIED[action](config, cloud)
    cloud.denied.add(action)
    with caplog.at_level(logging.WARNING):
        assert run_program(preview=True).resources
    (line,) = [each for each in caplog.messages if each.startswith("AWS refused ")]
    assert line.startswith(f"AWS refused {action}; not checked: ")
    assert line.endswith(f"; allow {action} for Pulumi's AWS credentials (docs/deployer-policy.md)")


def test_every_problem_of_the_keys_and_of_aws_is_a_line_at_once(
    run_program: RunProgram, config: Config, cloud: Cloud
) -> None:
    config["node-nlb-sync:healthCheck"] = {"matcher": "399-200"}
    config[KEY]["eu-central-1b"]["allocationId"] = OWN
    cloud.groups[NODES_GROUP] = ""
    cloud.free[config[KEY][ZONE]["subnetId"]] = 3
    assert [line.partition(": read ")[0] for line in lines(run_program)] == [
        "healthCheck.matcher",
        "zones.eu-central-1b.allocationId",
        "nodeSecurityGroupId",
        "zones.eu-central-1a.subnetId",
    ]


def test_a_wrong_region_alone_is_reported_without_reads(
    run_program: RunProgram, config: Config, cloud: Cloud
) -> None:
    config["aws:region"] = "us-east-1"
    cloud.groups[NODES_GROUP] = ""
    assert {line.partition(": read ")[2][:24] for line in lines(run_program)} == {"a zone of another region"}


ADVICE: list[tuple[dict[str, Any], str]] = [
    ({"deregistrationDelay": 119}, "deregistrationDelay is 119 s; AWS advises at least 120 s for a "),
    (
        {"ingress": {"ports": [{"name": "http", "port": 80, "nodePort": 8080}], "createNamespace": True}},
        "ingress.ports[0].nodePort is 8080, outside 30000-32767: the API server refuses the Service unless ",
    ),
    (
        {"clientCidrs": ["10.1.0.0/16", "192.0.2.0/24", "10.0.0.0/8"]},
        "clientCidrs[0] is inside clientCidrs[2], 10.0.0.0/8, and has no effect",
    ),
    ({"deregistrationDelay": 120}, ""),
    (
        {"ingress": {"preset": "ingress-nginx"}, "healthCheck": {"path": "/ping"}},
        "healthCheck asks HTTP /ping on port health; ingress-nginx/ingress-nginx answers HTTP /healthz on ",
    ),
    (
        {"ingress": {"preset": "traefik"}, "healthCheck": {"servicePort": "http"}},
        "healthCheck asks HTTP /ping on port http; traefik/traefik, from 34 answers HTTP /ping on port ",
    ),
    ({"ingress": {"preset": "istio"}}, ""),
    ({"ingress": {"preset": "haproxy"}, "healthCheck": {"port": "kube-proxy"}}, ""),
]


@pytest.mark.parametrize(("keys", "line"), ADVICE)
def test_a_value_that_is_probably_not_meant_is_a_warning(
    run_program: RunProgram,
    config: Config,
    caplog: pytest.LogCaptureFixture,
    keys: dict[str, Any],
    line: str,
) -> None:
    listener = [{"name": "http", "port": 80, "servicePort": "http"}]
    whole = {"deregistrationDelay": 300, "listeners": listener, **keys}
    config.update({f"node-nlb-sync:{key}": value for key, value in whole.items()})
    with caplog.at_level(logging.WARNING):
        assert run_program(preview=True).resources
    found = [each for each in caplog.messages if "digest" not in each]
    assert [each[: len(line)] for each in found] == ([line] if line else [])
