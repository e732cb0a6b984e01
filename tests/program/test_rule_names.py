"""Rules of node security groups keep their place in the state: AWS refuses a second rule like the first."""

from typing import Any

import pytest

from tests.program.test_program import EGRESS_RULE, INGRESS_RULE, NODES_GROUP
from tests.program.world import Cloud, Config, Record, Registered, RunProgram

FIRST, LAST = "sg-0000000000000000a", "sg-fffffffffffffffff"
EKS = {"aws:eks:cluster-name": "prod"}


def edited(config: Config, **changes: Any) -> None:
    for key, value in changes.items():
        name = f"node-nlb-sync:{key}"
        if value is None:
            del config[name]
        else:
            config[name] = value


def rules(record: Record) -> list[Registered]:
    """The rules of the nodes, without those of clients."""
    found = [item for type_ in (EGRESS_RULE, INGRESS_RULE) for item in record.of(type_).values()]
    return [item for item in found if ":firewall:" in item.parent]


def in_state(record: Record) -> dict[str, Any]:
    """The state after a run."""
    return {item.urn: {"type": item.type, "outputs": item.inputs} for item in record.resources}


def same(item: Registered) -> tuple[Any, ...]:
    """What AWS compares of a rule."""
    given = item.inputs
    peer = given.get("referencedSecurityGroupId") or given.get("cidrIpv4")
    return item.type, given["securityGroupId"], given["ipProtocol"], int(given["fromPort"]), peer


def ports(*numbers: tuple[str, int]) -> dict[str, Any]:
    return {"ports": [{"name": name, "port": number} for name, number in numbers]}


MOVES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "another group first": ({}, {"nodeSecurityGroupId": None, "nodeSecurityGroupIds": [FIRST, NODES_GROUP]}),
    "another group last": ({}, {"nodeSecurityGroupId": None, "nodeSecurityGroupIds": [NODES_GROUP, LAST]}),
    "tags in place of the id": ({}, {"nodeSecurityGroupId": None, "nodeSecurityGroupTags": EKS}),
    "one of several": (
        {"nodeSecurityGroupId": None, "nodeSecurityGroupIds": [FIRST, NODES_GROUP]},
        {"nodeSecurityGroupId": NODES_GROUP, "nodeSecurityGroupIds": None},
    ),
    "the id in place of tags": (
        {"nodeSecurityGroupId": None, "nodeSecurityGroupTags": EKS},
        {"nodeSecurityGroupId": NODES_GROUP, "nodeSecurityGroupTags": None},
    ),
    "other clients": (
        {"firewall": {"source": "clients"}, "clientCidrs": ["192.0.2.0/24"]},
        {"nodeSecurityGroupId": None, "nodeSecurityGroupIds": [FIRST, NODES_GROUP]},
    ),
}


@pytest.mark.parametrize("move", MOVES)
def test_each_rule_of_a_group_keeps_its_place(
    run_program: RunProgram, config: Config, cloud: Cloud, move: str
) -> None:
    cloud.group_tags = {FIRST: EKS, NODES_GROUP: EKS, LAST: EKS}
    former, new = MOVES[move]
    edited(config, **former)
    before = run_program(fresh=True)
    cloud.state = in_state(before)
    edited(config, **new)
    after = run_program(fresh=True)
    kept = {same(item): item.name for item in rules(before)}
    found = [item for item in rules(after) if same(item) in kept]
    assert found
    for item in found:
        former_name = kept[same(item)]
        assert former_name == item.name or item.aliases == (former_name,)
    assert all(not item.aliases for item in rules(after) if same(item) not in kept)


def test_a_port_with_another_number_keeps_its_rules(
    run_program: RunProgram, config: Config, cloud: Cloud
) -> None:
    """Kubernetes keeps the NodePort of a port that keeps its name."""
    cloud.state = in_state(run_program(fresh=True))
    config["node-nlb-sync:ingress"] |= ports(("http", 8080), ("https", 443))
    after = {item.name: item.aliases for item in rules(run_program(fresh=True))}
    assert after == {
        "node-nlb-8080-to-nodes": ("node-nlb-80-to-nodes",),
        "node-nlb-443-to-nodes": (),
        "node-nlb-nodes-8080-from-load-balancer": ("node-nlb-nodes-80-from-load-balancer",),
        "node-nlb-nodes-443-from-load-balancer": (),
    }


def test_a_renamed_port_in_another_list_of_groups_keeps_its_rules(
    run_program: RunProgram, config: Config, cloud: Cloud
) -> None:
    cloud.state = in_state(run_program(fresh=True))
    config["node-nlb-sync:ingress"] |= ports(("web", 80), ("https", 443))
    config["node-nlb-sync:healthCheck"] |= {"servicePort": "web"}
    config["node-nlb-sync:listeners"][0] |= {"servicePort": "web"}
    edited(config, nodeSecurityGroupId=None, nodeSecurityGroupIds=[FIRST, NODES_GROUP])
    after = {item.name: item.aliases for item in rules(run_program(fresh=True))}
    assert after[f"node-nlb-80-to-{NODES_GROUP}"] == ("node-nlb-80-to-nodes",)
    assert after[f"node-nlb-80-to-{FIRST}"] == ()


def test_the_rules_of_version_0_1_0_keep_their_place(run_program: RunProgram, cloud: Cloud) -> None:
    """Logical names had the name of the Service port, and a component has its own rules alone."""
    before = in_state(run_program(fresh=True))
    for former, new in (("node-nlb-80", "node-nlb-http"), ("nodes-80", "nodes-http")):
        before = {urn.replace(former, new): each for urn, each in before.items()}
    others = {urn.replace("::node-nlb-443", "::node-nlb-b-443"): each for urn, each in before.items()}
    cloud.state = {urn: each for urn, each in {**before, **others}.items() if "::node-nlb-443" not in urn}
    after = {item.name: item.aliases for item in rules(run_program(fresh=True))}
    assert after["node-nlb-80-to-nodes"] == ("node-nlb-http-to-nodes",)
    assert after["node-nlb-nodes-80-from-load-balancer"] == ("node-nlb-nodes-http-from-load-balancer",)
    assert after["node-nlb-443-to-nodes"] == ()


def test_a_rule_of_health_checks_becomes_that_of_a_listener(
    run_program: RunProgram, config: Config, cloud: Cloud
) -> None:
    config["node-nlb-sync:ingress"] |= ports(("http", 80), ("https", 443), ("ping", 8888))
    config["node-nlb-sync:healthCheck"] |= {"servicePort": "ping"}
    cloud.state = in_state(run_program(fresh=True))
    config["node-nlb-sync:listeners"].append({"name": "ping", "port": 8888, "servicePort": "ping"})
    after = {item.name: item.aliases for item in rules(run_program(fresh=True))}
    assert after["node-nlb-8888-to-nodes"] == ("node-nlb-health-ping-to-nodes",)
