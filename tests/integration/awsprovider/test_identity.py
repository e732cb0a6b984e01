"""Roles, their policies and Pod Identity associations over their whole life, and the reads of identity."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.cloud.eks import CLUSTER, CLUSTER_ARN
from sandbox.cloud.iam import oidc_provider_arn
from sandbox.layout import ACCOUNT, ISSUER
from tests.integration.awsprovider.conftest import Clients, Workbench
from tests.integration.awsprovider.plugin import Failed, Plugin

ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/rolePolicy:RolePolicy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ASSOCIATION = "aws:eks/podIdentityAssociation:PodIdentityAssociation"


def document(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def trust(*actions: str) -> str:
    return document(Principal={"Service": "pods.eks.amazonaws.com"}, Action=list(actions))


TRUST = trust("sts:AssumeRole", "sts:TagSession")
ALLOW = document(Action="elasticloadbalancing:DescribeTargetHealth", Resource="*")


@pytest.fixture
def managed(boto: Clients) -> Iterator[str]:
    """The ARN of a customer managed policy."""
    made = boto.iam.create_policy(PolicyName="reading", PolicyDocument=ALLOW)["Policy"]["Arn"]
    yield made
    boto.iam.delete_policy(PolicyArn=made)


@pytest.fixture
def associated(managed: str, made: Workbench) -> list[Any]:
    """Role, inline policy, attachment and association."""
    role = made(ROLE, {"assumeRolePolicy": TRUST, "tags": {"who": "syncer"}}, "syncer")
    policy = made(POLICY, {"role": role.id, "policy": ALLOW})
    attachment = made(ATTACHMENT, {"role": role.id, "policyArn": managed})
    wanted = {
        "clusterName": CLUSTER,
        "namespace": "kube-system",
        "serviceAccount": "syncer",
        "roleArn": role.plain["arn"],
        "tags": {"a": "b"},
    }
    return [role, policy, attachment, made(ASSOCIATION, wanted)]


def test_everything_is_read_back_unchanged_and_deleted_twice(
    plugin: Plugin, boto: Clients, associated: list[Any]
) -> None:
    for each in associated:
        again = plugin.read(each)
        assert again is not None
        assert plugin.diff(again, each.inputs, checked=True).fields == []
        assert again.inputs == each.inputs
    assert associated[0].plain["arn"] == f"arn:aws:iam::{ACCOUNT}:role/{associated[0].id}"
    for each in reversed(associated):
        plugin.delete(each)
        plugin.delete(each)
        assert plugin.read(each) is None
    assert associated[0].id not in {role["RoleName"] for role in boto.iam.list_roles()["Roles"]}


def test_what_changes_in_place_changes_in_aws(plugin: Plugin, boto: Clients, associated: list[Any]) -> None:
    role, policy, _, association = associated
    other = plugin.create(ROLE, {"assumeRolePolicy": TRUST}, "other")
    changed = plugin.update(
        role, {"assumeRolePolicy": TRUST, "description": "x", "maxSessionDuration": 7200, "tags": {"c": "d"}}
    )
    assert (changed.plain["description"], changed.plain["tags"]) == ("x", {"c": "d"})
    found = boto.iam.get_role(RoleName=role.id)["Role"]
    assert (found["Description"], found["MaxSessionDuration"]) == ("x", 7200)
    plugin.update(policy, {"role": role.id, "policy": document(Action="ec2:*", Resource="*")})
    name = policy.plain["name"]
    held: Any = boto.iam.get_role_policy(RoleName=role.id, PolicyName=name)["PolicyDocument"]
    assert held["Statement"][0]["Action"] == "ec2:*"
    moved = plugin.update(
        association,
        {
            "clusterName": CLUSTER,
            "namespace": "kube-system",
            "serviceAccount": "syncer",
            "roleArn": other.plain["arn"],
        },
    )
    assert (moved.plain["roleArn"], moved.plain["associationId"]) == (other.plain["arn"], association.id)
    plugin.delete(other)


def test_a_role_in_use_and_a_role_that_does_not_trust_are_aws_errors(
    plugin: Plugin, associated: list[Any], made: Workbench
) -> None:
    other = made(ROLE, {"assumeRolePolicy": trust("sts:AssumeRole")}, "other")
    asked = {
        "clusterName": CLUSTER,
        "namespace": "kube-system",
        "serviceAccount": "another",
        "roleArn": other.plain["arn"],
    }
    with pytest.raises(Failed, match="InvalidParameterException: Trust policy of the role"):
        plugin.create(ASSOCIATION, asked)
    with pytest.raises(Failed, match="ResourceInUseException: Association already exists"):
        plugin.create(
            ASSOCIATION, {**asked, "serviceAccount": "syncer", "roleArn": associated[0].plain["arn"]}
        )
    with pytest.raises(Failed, match="ResourceNotFoundException: No cluster found for name: other"):
        plugin.create(ASSOCIATION, {**asked, "clusterName": "other"})


def test_the_cluster_is_read(plugin: Plugin) -> None:
    found = plugin.invoke("aws:eks/getCluster:getCluster", {"name": CLUSTER})
    assert (found["arn"], found["status"]) == (CLUSTER_ARN, "ACTIVE")
    assert found["identities"] == [{"oidcs": [{"issuer": ISSUER}]}]
    with pytest.raises(Failed, match="No cluster found for name: other"):
        plugin.invoke("aws:eks/getCluster:getCluster", {"name": "other"})


def test_a_role_is_read(plugin: Plugin, associated: list[Any]) -> None:
    found = plugin.invoke("aws:iam/getRole:getRole", {"name": associated[0].id})
    assert found["arn"] == associated[0].plain["arn"]
    assert json.loads(found["assumeRolePolicy"]) == json.loads(TRUST)
    with pytest.raises(Failed, match="NoSuchEntity"):
        plugin.invoke("aws:iam/getRole:getRole", {"name": "missing"})


def test_the_oidc_provider_is_found_by_arn_and_by_url(plugin: Plugin) -> None:
    token, arn = "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider", oidc_provider_arn(ISSUER)
    for args in ({"arn": arn}, {"url": ISSUER}):
        found = plugin.invoke(token, args)
        assert (found["arn"], found["clientIdLists"]) == (arn, ["sts.amazonaws.com"])
        assert found["url"] == ISSUER.removeprefix("https://")
    with pytest.raises(Failed, match="not found"):
        plugin.invoke(token, {"url": "https://oidc.example.com"})
    with pytest.raises(Failed, match="one of `arn,url`"):
        plugin.invoke(token, {})
