"""A load balancer for several clusters: the edge, its attachments, and both in one stack."""

import json
from typing import Any, cast

import pulumi
import pytest

from infra.args import NodeNlbArgs
from infra.nodenlb import NodeNlb
from tests.program.world import VPC, Cloud, Config, Record, RunProgram

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/{}/0123456789abcdef"
BLUE = {name: ARN.format(f"blue-{name}") for name in ("http", "https")}
GREEN = {name: ARN.format(f"green-{name}") for name in ("http", "https")}
EDGE = "sg-0123456789abcdef0"
OURS = "node-nlb-sync:"
LISTENER = "aws:lb/listener:Listener"
NLB = "aws:lb/loadBalancer:LoadBalancer"
GROUP = "aws:lb/targetGroup:TargetGroup"
INGRESS, EGRESS = (f"aws:vpc/securityGroup{way}Rule:SecurityGroup{way}Rule" for way in ("Ingress", "Egress"))


@pytest.fixture(autouse=True)
def groups(cloud: Cloud) -> None:
    """The groups of two clusters are in the VPC."""
    cloud.target_types = {arn: "instance" for each in (BLUE, GREEN) for arn in each.values()}


def edited(config: Config, **keys: Any) -> None:
    config.update({f"{OURS}{key}": value for key, value in keys.items()})


def edge_of(config: Config, **attachments: tuple[int, dict[str, str]]) -> None:
    """Turn stack dev into an edge."""
    for key in ("vpcId", "zones", "addresses", "clientCidrs", "crossZone", "tags"):
        config[f"kept:{key}"] = config.get(f"{OURS}{key}")
    for key in [key for key in config if key.startswith(OURS)]:
        del config[key]
    for key in [key for key in config if key.startswith("kept:")]:
        if (value := config.pop(key)) is not None:
            config[key.replace("kept:", OURS)] = value
    given = {name: {"weight": weight, "targetGroups": arns} for name, (weight, arns) in attachments.items()}
    edited(config, cluster=False, attachments=given)


def attachment_of(config: Config) -> None:
    """Turn stack dev into an attachment."""
    for key in ("zones", "addresses"):
        config.pop(f"{OURS}{key}", None)
    edited(config, edge={"securityGroupId": EDGE})


def actions(record: Record) -> dict[str, Any]:
    """Listener to its forward action: an ARN, or ARN to weight."""
    found = {}
    for name, item in record.of(LISTENER).items():
        (action,) = item.inputs["defaultActions"]
        assert action["type"] == "forward"
        assert len(action.keys() & {"targetGroupArn", "forward"}) == 1
        several = action.get("forward", {}).get("targetGroups", [])
        found[name] = action.get("targetGroupArn") or {each["arn"]: each["weight"] for each in several}
    return found


def own(record: Record) -> dict[str, str]:
    found: dict[str, str] = record.outputs["targetGroups"]
    return found


def test_the_listeners_of_a_stack_forward_to_its_own_groups_and_to_attachments(
    run_program: RunProgram, config: Config
) -> None:
    given = {"green": {"weight": 10, "targetGroups": GREEN}, "b": {"weight": 0, "targetGroups": BLUE}}
    edited(config, weight=90, attachments=given)
    record = run_program()
    assert actions(record) == {
        f"node-nlb-{port}": {own(record)[name]: 90, GREEN[name]: 10, BLUE[name]: 0}
        for name, port in (("http", 80), ("https", 443))
    }


def test_a_listener_without_an_attached_group_stays_as_it_was(
    run_program: RunProgram, config: Config
) -> None:
    before = run_program()
    edited(config, attachments={"green": {"weight": 0, "targetGroups": {"http": GREEN["http"]}}})
    after = run_program()
    assert isinstance(actions(after)["node-nlb-80"], dict)
    assert actions(after)["node-nlb-443"] == actions(before)["node-nlb-443"] == own(before)["https"]


def test_an_edge_without_attachments_has_addresses_and_a_load_balancer_and_no_listener(
    run_program: RunProgram, config: Config
) -> None:
    edge_of(config)
    record = run_program()
    assert {item.type for item in record.resources if item.type.startswith(("aws:", "kubernetes:"))} == {
        "aws:ec2/eip:Eip",
        "aws:ec2/securityGroup:SecurityGroup",
        INGRESS,
        NLB,
    }
    assert record.outputs["securityGroupId"].startswith("sg-")
    assert len(record.outputs["staticIps"]) == 3
    assert record.outputs["dnsName"]
    for name in ("targetGroups", "nodePorts", "syncer"):
        assert record.outputs[name] == {}
    assert (record.outputs["policy"], record.outputs["syncerTargetGroups"]) == ("", "")


def test_an_edge_forwards_to_its_attachments_alone(run_program: RunProgram, config: Config) -> None:
    edge_of(config, blue=(50, BLUE), green=(50, GREEN))
    record = run_program()
    assert actions(record) == {
        f"node-nlb-{port}": {BLUE[name]: 50, GREEN[name]: 50} for name, port in (("http", 80), ("https", 443))
    }
    assert not record.of(GROUP)
    edge_of(config, green=(0, GREEN))
    assert actions(run_program()) == {"node-nlb-80": GREEN["http"], "node-nlb-443": GREEN["https"]}


def test_the_load_balancer_is_the_same_with_and_without_a_cluster(
    run_program: RunProgram, config: Config
) -> None:
    before = run_program()
    edge_of(config, green=(100, GREEN))
    after = run_program()
    for kind in (NLB, "aws:ec2/eip:Eip", "aws:ec2/securityGroup:SecurityGroup"):
        assert {name: (item.inputs, item.urn) for name, item in before.of(kind).items()} == {
            name: (item.inputs, item.urn) for name, item in after.of(kind).items()
        }
    assert {name: item.urn for name, item in before.of(LISTENER).items()} == {
        name: item.urn for name, item in after.of(LISTENER).items()
    }


def test_an_attachment_has_groups_rules_and_a_syncer_and_no_load_balancer(
    run_program: RunProgram, config: Config
) -> None:
    attachment_of(config)
    record = run_program()
    kinds = {item.type for item in record.resources if item.type.startswith("aws:")}
    assert kinds == {
        GROUP,
        INGRESS,
        EGRESS,
        "aws:iam/user:User",
        "aws:iam/userPolicy:UserPolicy",
        "aws:iam/accessKey:AccessKey",
    }
    assert {item.inputs["referencedSecurityGroupId"] for item in record.of(INGRESS).values()} == {EDGE}
    assert {item.inputs["securityGroupId"] for item in record.of(EGRESS).values()} == {EDGE}
    assert set(own(record)) == {"http", "https"}
    outputs = record.outputs
    assert (outputs["staticIps"], outputs["listeners"], outputs["securityGroupId"]) == ({}, {}, "")
    policy = json.loads(record.one("aws:iam/userPolicy:UserPolicy").inputs["policy"])
    assert policy["Statement"][0]["Resource"] == sorted(own(record).values())
    # Deployed after its groups and rules, and deleted before them.
    deployment = record.one("kubernetes:apps/v1:Deployment")
    for kind in (GROUP, INGRESS, EGRESS):
        assert {item.urn for item in record.of(kind).values()} <= record.before(deployment)


def test_the_rules_of_an_attachment_are_deleted_after_its_groups(
    run_program: RunProgram, config: Config
) -> None:
    """AWS refuses to delete a group in use, and its targets must stay reachable then."""
    attachment_of(config)
    record = run_program()
    rules = {item.urn for kind in (INGRESS, EGRESS) for item in record.of(kind).values()}
    service = record.one("kubernetes:core/v1:Service").urn
    assert rules
    for group in record.of(GROUP).values():
        assert {*rules, service} <= record.before(group)


def test_the_groups_of_an_attachment_equal_those_of_a_stack_of_its_own(
    run_program: RunProgram, config: Config
) -> None:
    before = {name: item.inputs for name, item in run_program().of(GROUP).items()}
    attachment_of(config)
    assert {name: item.inputs for name, item in run_program().of(GROUP).items()} == before


def test_the_syncer_of_an_attachment_owns_its_groups_and_learns_zones_and_quota(
    run_program: RunProgram, config: Config
) -> None:
    attachment_of(config)
    data = run_program().one("kubernetes:core/v1:ConfigMap").inputs["data"]
    assert data["NLB_SYNC_OWNERSHIP"] == "exclusive"
    assert data["NLB_SYNC_CROSS_ZONE"] == "true"
    assert not {"NLB_SYNC_ZONES", "NLB_SYNC_TARGET_LIMIT"} & set(data)


def test_ids_of_other_stacks_may_be_outputs(run_program: RunProgram, config: Config, cloud: Cloud) -> None:
    zones = cloud.zones

    def program() -> None:
        node_group = config[f"{OURS}nodeSecurityGroupId"]
        image = {"image": "node-nlb-sync:dev"}
        given = {
            "vpc_id": VPC,
            "zones": {zone: {"subnet_id": subnet} for subnet, zone in zones.items()},
            "cluster": False,
            "attachments": {
                "green": {
                    "weight": 1,
                    "target_groups": {name: pulumi.Output.from_input(arn) for name, arn in GREEN.items()},
                },
                "blue": {"weight": 3, "target_groups": BLUE},
            },
        }
        edge = NodeNlb("edge", cast(NodeNlbArgs, given))
        cluster = {
            "vpc_id": VPC,
            "node_security_group_id": node_group,
            "edge": {"security_group_id": edge.security_group_id.apply(lambda _: EDGE)},
            "syncer": image,
        }
        NodeNlb("blue", cast(NodeNlbArgs, cluster))

    record = run_program(program)
    assert actions(record)["edge-80"] == {BLUE["http"]: 3, GREEN["http"]: 1}
    assert {item.inputs.get("referencedSecurityGroupId") for item in record.of(INGRESS).values()} == {
        None,
        EDGE,
    }


@pytest.mark.parametrize(
    ("arn", "read"),
    [
        (ARN.format("gone"), "no matching ELBv2 Target Group found"),
        (ARN.format("far"), "a group of vpc-0123456789abcdef0"),
    ],
)
@pytest.mark.parametrize("output", [False, True])
def test_a_group_that_cannot_be_attached_is_found_before_a_listener_gets_it(
    run_program: RunProgram, config: Config, cloud: Cloud, *, arn: str, read: str, output: bool
) -> None:
    cloud.target_types[ARN.format("far")] = "instance"
    cloud.group_vpcs[arn] = "vpc-0123456789abcdef0"
    edge_of(config, green=(1, {"http": arn}))

    def program() -> None:
        given = {
            "vpc_id": VPC,
            "zones": config[f"{OURS}zones"],
            "cluster": False,
            "attachments": {"green": {"weight": 1, "target_groups": {"http": pulumi.Output.from_input(arn)}}},
        }
        NodeNlb("edge", cast(NodeNlbArgs, given))

    with pytest.raises(
        Exception, match=rf"attachments\.green\.targetGroups\.http: read {arn}.*{read}.*; fix: "
    ):
        run_program(program) if output else run_program()
    assert not run_program.last.of(LISTENER)
    assert output or run_program.last.resources == []


def test_an_edge_in_a_stack_with_a_load_balancer_is_refused(
    run_program: RunProgram, config: Config, cloud: Cloud
) -> None:
    mark = {"node-nlb-sync:stack": f"node-nlb-sync/dev/{VPC}"}
    arn = ARN.format("").replace(":targetgroup//", ":loadbalancer/net/node-nlb-0a1b2c3/")
    cloud.balancers[arn] = {"name": "node-nlb-0a1b2c3", "vpcId": VPC, "tags": mark, "subnetMappings": []}
    attachment_of(config)
    with pytest.raises(Exception, match=r"node-nlb-sync:edge: read an edge, and this stack has the load bal"):
        run_program()
    assert run_program.last.resources == []


def test_an_edge_counts_the_rules_of_clients(run_program: RunProgram, config: Config, cloud: Cloud) -> None:
    edge_of(config)
    listed = "pl-0123456789abcdef0"
    edited(config, clientCidrs=[f"10.0.{each}.0/24" for each in range(31)])
    with pytest.raises(Exception, match="clientCidrs: read 31 networks for 2 listeners, which are 62 rules"):
        run_program(preview=True)
    assert run_program.last.resources == []
    edited(config, clientCidrs=[], loadBalancer={"clientPrefixLists": [listed]})
    with pytest.raises(Exception, match=f"{listed}, which does not exist"):
        run_program(preview=True)
    cloud.prefix_lists[listed] = 31
    with pytest.raises(Exception, match="31 entries of prefix lists for 2 listeners, which are 62 rules"):
        run_program(preview=True)


def test_an_attachment_counts_no_rules_of_its_edge(run_program: RunProgram, config: Config) -> None:
    attachment_of(config)
    edited(config, clientCidrs=[f"10.0.{each}.0/24" for each in range(31)])
    assert run_program(preview=True).of(GROUP)
    edited(config, firewall={"source": "clients"})
    with pytest.raises(Exception, match="with 0 rules, beside 64 of the stack"):
        run_program(preview=True)
