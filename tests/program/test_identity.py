"""Each kind of identity: what it makes in AWS, what the Pod gets, and what the network policy opens."""

import json
from typing import Any, cast

import pulumi
import pytest

from infra.args import NodeNlbArgs
from infra.nodenlb import NodeNlb
from tests.program.world import Cloud, Config, Record, Registered, RunProgram

ISSUER = "oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"
PROVIDER = f"arn:aws:iam::123456789012:oidc-provider/{ISSUER}"
KEY = "node-nlb-sync:identity"
KINDS: dict[str, dict[str, Any]] = {
    "pod-identity": {"clusterName": "prod"},
    "irsa": {"kind": "irsa", "oidcProviderArn": PROVIDER},
    "node-role": {"kind": "node-role", "roleName": "nodes"},
    "user-keys": {},
    "external": {"kind": "external"},
}
MADE = {
    "pod-identity": {
        "iam/role:Role",
        "iam/rolePolicy:RolePolicy",
        "eks/podIdentityAssociation:PodIdentityAssociation",
    },
    "irsa": {"iam/role:Role", "iam/rolePolicy:RolePolicy"},
    "node-role": {"iam/rolePolicy:RolePolicy"},
    "user-keys": {"iam/user:User", "iam/userPolicy:UserPolicy", "iam/accessKey:AccessKey"},
    "external": set(),
}
LINK_LOCAL = {
    "pod-identity": ["169.254.170.23/32", "fd00:ec2::23/128"],
    "node-role": ["169.254.169.254/32"],
}


def run(run_program: RunProgram, config: Config, kind: str) -> Record:
    config[KEY] = KINDS[kind]
    return run_program()


def pod(record: Record) -> dict[str, Any]:
    found: dict[str, Any] = record.one("kubernetes:apps/v1:Deployment").inputs["spec"]["template"]["spec"]
    return found


def of_identity(record: Record) -> list[Registered]:
    return [item for item in record.resources if item.type.startswith(("aws:iam/", "aws:eks/"))]


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_the_kind_needs_is_made(run_program: RunProgram, config: Config, kind: str) -> None:
    record = run(run_program, config, kind)
    assert {item.type.removeprefix("aws:") for item in of_identity(record)} == MADE[kind]
    deployment = record.one("kubernetes:apps/v1:Deployment")
    assert {item.urn for item in of_identity(record)} <= record.before(deployment)


@pytest.mark.parametrize("kind", KINDS)
def test_keys_are_in_a_secret_and_in_the_pod_for_user_keys_alone(
    run_program: RunProgram, config: Config, kind: str
) -> None:
    record = run(run_program, config, kind)
    names = {item["name"] for item in pod(record)["containers"][0]["env"]}
    has_keys = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= names
    assert has_keys == bool(record.of("kubernetes:core/v1:Secret")) == (kind == "user-keys")
    assert ("AWS_ACCESS_KEY_ID" in names) == has_keys


@pytest.mark.parametrize("kind", KINDS)
def test_the_network_policy_opens_what_the_kind_needs(
    run_program: RunProgram, config: Config, kind: str
) -> None:
    egress = run(run_program, config, kind).one("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    narrow = [rule for rule in egress.inputs["spec"]["egress"] if "to" in rule]
    found = [peer["ipBlock"]["cidr"] for rule in narrow for peer in rule["to"]]
    assert found == LINK_LOCAL.get(kind, [])
    assert all(rule["ports"] == [{"protocol": "TCP", "port": 80}] for rule in narrow)


@pytest.mark.parametrize("kind", ["pod-identity", "irsa", "node-role", "user-keys"])
def test_every_kind_has_the_same_policy_of_exact_groups(
    run_program: RunProgram, config: Config, kind: str
) -> None:
    record = run(run_program, config, kind)
    (rights,) = [item for item in of_identity(record) if item.type.endswith("Policy")]
    assert json.loads(rights.inputs["policy"]) == json.loads(record.outputs["policy"])
    change, read = json.loads(rights.inputs["policy"])["Statement"]
    assert sorted(change["Resource"]) == sorted(record.outputs["targetGroups"].values())
    assert read["Action"] == ["elasticloadbalancing:DescribeTargetHealth"]
    assert read["Condition"] == {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}


def test_doctor_rights_are_added_on_request(run_program: RunProgram, config: Config) -> None:
    config[KEY] = {"clusterName": "prod", "doctorRights": True}
    _, read = json.loads(run_program().outputs["policy"])["Statement"]
    assert read["Action"] == [
        "elasticloadbalancing:DescribeTargetHealth",
        "ec2:DescribeSecurityGroupRules",
        "elasticloadbalancing:DescribeAccountLimits",
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeTargetGroups",
    ]


def test_pod_identity_is_for_the_syncers_service_account(run_program: RunProgram, config: Config) -> None:
    record = run(run_program, config, "pod-identity")
    made = record.one("aws:eks/podIdentityAssociation:PodIdentityAssociation").inputs
    assert (made["clusterName"], made["namespace"]) == ("prod", "ingress-traefik")
    assert made["serviceAccount"] == pod(record)["serviceAccountName"]
    trust = json.loads(record.one("aws:iam/role:Role").inputs["assumeRolePolicy"])["Statement"][0]
    assert trust["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert trust["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    env, audience, token_file = token_of(record)
    assert env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] == "http://169.254.170.23/v1/credentials"
    assert env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] == token_file
    assert audience == "pods.eks.amazonaws.com"


def token_of(record: Record) -> tuple[dict[str, Any], str, str]:
    """The container's variables, and the audience and the path of the token that is mounted into it."""
    spec = pod(record)
    container = spec["containers"][0]
    (volume,), (mount,) = spec["volumes"], container["volumeMounts"]
    assert mount["name"] == volume["name"]
    token = volume["projected"]["sources"][0]["serviceAccountToken"]
    env = {item["name"]: item.get("value") for item in container["env"]}
    return env, token["audience"], f"{mount['mountPath']}/{token['path']}"


@pytest.mark.parametrize("kind", KINDS)
def test_eks_adds_credentials_for_external_alone(run_program: RunProgram, config: Config, kind: str) -> None:
    """An association that is about to be deleted would come before the role of the node."""
    template = run(run_program, config, kind).one("kubernetes:apps/v1:Deployment").inputs["spec"]["template"]
    skipped = template["metadata"]["annotations"].get("eks.amazonaws.com/skip-containers")
    assert skipped == (None if kind == "external" else template["spec"]["containers"][0]["name"])


@pytest.mark.parametrize("kind", ["pod-identity", "irsa", "user-keys"])
def test_another_kind_restarts_the_pods(run_program: RunProgram, config: Config, kind: str) -> None:
    """A Pod that is not restarted keeps the credentials of a deleted role or user."""
    assert pod(run(run_program, config, kind)) != pod(run(run_program, config, "node-role"))


def test_irsa_trusts_one_service_account_and_gives_the_pod_its_token(
    run_program: RunProgram, config: Config
) -> None:
    record = run(run_program, config, "irsa")
    trust = json.loads(record.one("aws:iam/role:Role").inputs["assumeRolePolicy"])["Statement"][0]
    assert trust["Principal"] == {"Federated": PROVIDER}
    assert trust["Condition"] == {
        "StringEquals": {
            f"{ISSUER}:sub": "system:serviceaccount:ingress-traefik:nlb-sync-sa",
            f"{ISSUER}:aud": "sts.amazonaws.com",
        }
    }
    env, audience, token_file = token_of(record)
    assert env["AWS_ROLE_ARN"] == "arn:aws:iam::123456789012:role/node-nlb"
    assert env["AWS_WEB_IDENTITY_TOKEN_FILE"] == token_file
    assert audience == "sts.amazonaws.com"


def test_the_node_role_gets_the_policy_and_nothing_is_made_beside(
    run_program: RunProgram, config: Config
) -> None:
    record = run(run_program, config, "node-role")
    assert record.one("aws:iam/rolePolicy:RolePolicy").inputs["role"] == "nodes"


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "AWS_CONTAINER_CREDENTIALS_FULL_URI"])
def test_credentials_of_ones_own_are_for_external_alone(
    run_program: RunProgram, config: Config, name: str
) -> None:
    config["node-nlb-sync:syncer"]["env"][name] = "x"
    config[KEY] = KINDS["pod-identity"]
    with pytest.raises(Exception, match=rf"syncer\.env\.{name}: read a variable that the stack sets"):
        run_program()
    config[KEY] = KINDS["external"]
    assert name in {item["name"] for item in pod(run_program())["containers"][0]["env"]}


def test_a_key_is_turned_by_one_number(run_program: RunProgram, config: Config) -> None:
    triggers = []
    for generation in (1, 2):
        config[KEY] = {"kind": "user-keys", "keyGeneration": generation}
        key = run_program().one("aws:iam/accessKey:AccessKey")
        triggers.append(key.replacement_trigger)
        assert not key.delete_before_replace
    assert triggers == [1, 2]


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("pod-identity", "clusterName"),
        ("irsa", "oidcProviderArn"),
        ("node-role", "roleName"),
    ],
)
def test_what_aws_does_not_have_is_named_before_anything_is_registered(
    run_program: RunProgram, config: Config, cloud: Cloud, kind: str, key: str
) -> None:
    cloud.no_identity = True
    config[KEY] = KINDS[kind]
    with pytest.raises(
        Exception, match=rf"identity\.{key}: read .* NoSuchEntity: not found.*; allowed: .*; fix: "
    ):
        run_program()
    assert run_program.last.resources == []


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    ("kind", "key"), [("pod-identity", "clusterName"), ("irsa", "oidcProviderArn"), ("node-role", "roleName")]
)
def test_an_output_is_read_once_its_resource_may_exist(
    run_program: RunProgram, config: Config, cloud: Cloud, kind: str, key: str, *, preview: bool
) -> None:
    """In a preview the name of a cluster that the same `up` makes is known, and the cluster is not there."""
    cloud.no_identity = True
    arguments = {name.removeprefix("node-nlb-sync:"): value for name, value in config.items()}
    given = KINDS[kind]

    def program() -> None:
        known = pulumi.Output.from_input(given[key])
        NodeNlb("edge", cast(NodeNlbArgs, {**ours(arguments), "identity": {**given, key: known}}))

    if preview:
        made = run_program(program, preview=True)
        assert of_identity(made)
        return
    wrong = rf"^node-nlb-sync: identity\.{key}: read .* NoSuchEntity: not found.*; allowed: .*; fix: "
    with pytest.raises(Exception, match=wrong):
        run_program(program)
    seen = [each.name for each in of_identity(run_program.last) if given[key] in json.dumps(each.inputs)]
    assert not seen


def ours(config: dict[str, Any]) -> dict[str, Any]:
    """The component's arguments, without the providers' configuration."""
    return {key: value for key, value in config.items() if ":" not in key}
