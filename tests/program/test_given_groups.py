"""A stack for target groups that exist already: the syncer and its identity, and no load balancer."""

import json
from typing import cast

import pulumi
import pytest

from infra.args import NodeNlbArgs
from infra.nodenlb import NodeNlb
from tests.program.world import Cloud, Config, Record, Registered, RunProgram

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/{}/0123456789abcdef"
HTTP, HTTPS = ARN.format("http"), ARN.format("https")
ELSEWHERE = HTTP.replace("eu-central-1", "us-east-1")
PORTS = {"http": 31080, "https": 31443}
OURS = "node-nlb-sync:"


@pytest.fixture(autouse=True)
def config(config: Config, cloud: Cloud) -> Config:
    """Stack dev without all that is about a load balancer."""
    cloud.target_types = {HTTP: "instance", HTTPS: "instance", ARN.format("ip"): "ip"}
    kept = {key: value for key, value in config.items() if key.startswith(("aws:", "kubernetes:"))}
    config.clear()
    config.update(kept)
    config[f"{OURS}syncer"] = {"image": "node-nlb-sync:dev"}
    config[f"{OURS}targetGroups"] = {"https": HTTPS, "http": HTTP}
    return config


@pytest.fixture
def record(run_program: RunProgram) -> Record:
    return run_program(adopted=PORTS)


def told(record: Record) -> dict[str, str]:
    found: dict[str, str] = record.one("kubernetes:core/v1:ConfigMap").inputs["data"]
    return found


def test_the_syncer_and_its_identity_are_made_and_nothing_else_in_aws(record: Record) -> None:
    made = {item.type for item in record.resources if item.type.startswith("aws:")}
    assert made == {"aws:iam/user:User", "aws:iam/userPolicy:UserPolicy", "aws:iam/accessKey:AccessKey"}
    assert record.of("kubernetes:apps/v1:Deployment")
    assert not record.of("kubernetes:core/v1:Service")


def test_the_syncer_leaves_targets_of_others_alone(record: Record) -> None:
    data = told(record)
    assert data["NLB_SYNC_OWNERSHIP"] == "tracked"
    # The zones and the quota of a load balancer that the stack did not make are not known.
    assert not {"NLB_SYNC_ZONES", "NLB_SYNC_CROSS_ZONE", "NLB_SYNC_TARGET_LIMIT"} & set(data)


def test_each_group_follows_the_service_port_of_its_name(record: Record) -> None:
    service = "ingress-traefik/traefik-ingress-service-nlb"
    assert record.outputs["syncerTargetGroups"] == f"{HTTP}={service}:http,{HTTPS}={service}:https"


def test_its_policy_is_held_to_the_given_groups(record: Record) -> None:
    policy: Registered = record.one("aws:iam/userPolicy:UserPolicy")
    change, _ = json.loads(policy.inputs["policy"])["Statement"]
    assert change["Resource"] == [HTTP, HTTPS]


def test_outputs_of_a_load_balancer_are_empty(record: Record) -> None:
    outputs = record.outputs
    assert outputs["targetGroups"] == {"http": HTTP, "https": HTTPS}
    assert (outputs["staticIps"], outputs["listeners"], outputs["endpointService"]) == ({}, {}, {})
    for name in ("dnsName", "hostedZoneId", "loadBalancerArn", "securityGroupId"):
        assert outputs[name] == ""


def test_arns_may_be_outputs(run_program: RunProgram) -> None:
    def program() -> None:
        groups = {name: pulumi.Output.from_input(arn) for name, arn in {"http": HTTP, "https": HTTPS}.items()}
        args = {"target_groups": groups, "syncer": {"image": "node-nlb-sync:dev"}}
        NodeNlb("edge", cast(NodeNlbArgs, args))

    found = run_program(program, adopted=PORTS)
    assert HTTP in json.dumps(found.one("aws:iam/userPolicy:UserPolicy").inputs["policy"])


@pytest.mark.parametrize("preview", [True, False])
def test_a_group_that_comes_as_an_output_is_read_once_it_may_exist(
    run_program: RunProgram, cloud: Cloud, *, preview: bool
) -> None:
    cloud.target_types = {}

    def program() -> None:
        args = {"target_groups": {"http": pulumi.Output.from_input(HTTP)}, "syncer": {"image": "a:1"}}
        NodeNlb("edge", cast(NodeNlbArgs, args))

    if preview:
        assert run_program(program, preview=True, adopted=PORTS).of("aws:iam/user:User")
        return
    with pytest.raises(Exception, match=r"node-nlb-sync: targetGroups\.http: read .*no matching"):
        run_program(program, adopted=PORTS)


@pytest.mark.parametrize(
    ("arn", "said"),
    [(ARN.format("gone"), "no matching ELBv2 Target Group found"), (ARN.format("ip"), "target type ip")],
)
def test_a_group_that_cannot_take_nodes_is_found_before_anything_is_made(
    run_program: RunProgram, config: Config, arn: str, said: str
) -> None:
    config[f"{OURS}targetGroups"] = {"http": arn}
    with pytest.raises(Exception, match=rf"targetGroups\.http: read {arn}.*{said}.*; fix: "):
        run_program(adopted=PORTS)
    assert run_program.last.resources == []
