"""EKS's API of the sandbox: its cluster, Pod Identity associations, and the credentials of EKS Auth."""

import base64
from typing import Any

import pytest

from sandbox.cloud.eks import CLUSTER, CLUSTER_ARN
from sandbox.layout import ACCOUNT, ISSUER, REGION
from tests.integration.cloud.world import refusal
from tests.integration.identity.conftest import (
    NAMESPACE,
    Account,
    allow,
    pod_trust,
    subject,
    unique,
    web_trust,
)

AUDIENCE = "pods.eks.amazonaws.com"


def associate(account: Account, name: str, role: str, **more: Any) -> str:
    """The id of a new association."""
    made = account.client("eks").create_pod_identity_association(
        clusterName=CLUSTER, namespace=NAMESPACE, serviceAccount=name, roleArn=role, **more
    )
    return str(made["association"]["associationId"])


def credentials(account: Account, token: str) -> dict[str, str]:
    """What EKS Auth gives for a token, as boto3 names the parts elsewhere."""
    found = account.client("eks-auth").assume_role_for_pod_identity(clusterName=CLUSTER, token=token)
    keys = found["credentials"]
    names = {
        "AccessKeyId": "accessKeyId",
        "SecretAccessKey": "secretAccessKey",
        "SessionToken": "sessionToken",
    }
    return {ours: keys[theirs] for ours, theirs in names.items()}


def test_the_cluster_is_described_with_its_real_issuer(account: Account) -> None:
    eks = account.client("eks")
    cluster = eks.describe_cluster(name=CLUSTER)["cluster"]
    token = account.token(account.service_account())
    claims = base64.urlsafe_b64decode(token.split(".")[1] + "==").decode()
    assert cluster["identity"]["oidc"]["issuer"] == ISSUER
    assert f'"iss":"{ISSUER}"' in claims
    assert cluster["endpoint"] == account.layout.apiserver_url
    assert base64.b64decode(cluster["certificateAuthority"]["data"]).startswith(b"-----BEGIN CERT")
    assert eks.list_clusters()["clusters"] == [CLUSTER]
    code, message = refusal(eks.describe_cluster, name="other")
    assert (code, message) == ("ResourceNotFoundException", "No cluster found for name: other.")


def test_an_association_is_created_read_changed_and_deleted(account: Account) -> None:
    eks, name = account.client("eks"), account.service_account()
    first, second = account.role(pod_trust()), account.role(pod_trust())
    ident = associate(account, name, first, tags={"a": "b"})
    at = {"clusterName": CLUSTER, "associationId": ident}
    found = eks.describe_pod_identity_association(**at)["association"]
    arn = f"arn:aws:eks:{REGION}:{ACCOUNT}:podidentityassociation/{CLUSTER}/{ident}"
    assert (found["associationArn"], found["roleArn"], found["tags"]) == (arn, first, {"a": "b"})
    listed = eks.list_pod_identity_associations(clusterName=CLUSTER, namespace=NAMESPACE, serviceAccount=name)
    assert [one["associationId"] for one in listed["associations"]] == [ident]
    assert eks.list_pod_identity_associations(clusterName=CLUSTER, namespace="none")["associations"] == []
    eks.update_pod_identity_association(**at, roleArn=second)
    eks.tag_resource(resourceArn=arn, tags={"c": "d"})
    eks.untag_resource(resourceArn=arn, tagKeys=["a"])
    found = eks.describe_pod_identity_association(**at)["association"]
    assert (found["roleArn"], found["tags"]) == (second, {"c": "d"})
    assert eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"c": "d"}
    eks.delete_pod_identity_association(**at)
    assert refusal(eks.describe_pod_identity_association, **at)[0] == "ResourceNotFoundException"
    assert refusal(eks.delete_pod_identity_association, **at)[0] == "ResourceNotFoundException"


def test_a_service_account_has_one_association(account: Account) -> None:
    name, role = account.service_account(), account.role(pod_trust())
    associate(account, name, role)
    code, message = refusal(lambda **_: associate(account, name, role))
    assert code == "ResourceInUseException"
    assert "Association already exists" in message


@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": {"Service": "ec2.amazonaws.com"}},
        {"Action": "sts:AssumeRole"},
        {"Action": "sts:TagSession"},
        {"Condition": {"StringEquals": {"aws:RequestTag/kubernetes-namespace": "another"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "210987654321"}}},
    ],
    ids=["principal", "no TagSession", "no AssumeRole", "namespace", "account"],
)
def test_the_role_must_trust_pod_identity(account: Account, changes: dict[str, Any]) -> None:
    name, role = account.service_account(), account.role(pod_trust(**changes))
    code, message = refusal(lambda **_: associate(account, name, role))
    assert code == "InvalidParameterException"
    assert message.startswith("Trust policy of the role provided is invalid.")


def test_the_role_must_exist(account: Account) -> None:
    missing = f"arn:aws:iam::{ACCOUNT}:role/{unique('missing')}"
    code, _ = refusal(lambda **_: associate(account, account.service_account(), missing))
    assert code == "InvalidParameterException"


def test_conditions_on_the_session_tags_hold(account: Account) -> None:
    name = account.service_account()
    tags = {
        "aws:RequestTag/eks-cluster-arn": CLUSTER_ARN,
        "aws:RequestTag/kubernetes-namespace": NAMESPACE,
        "aws:RequestTag/kubernetes-service-account": name,
        "aws:SourceArn": CLUSTER_ARN,
    }
    associate(account, name, account.role(pod_trust(Condition={"StringEquals": tags})))
    credentials(account, account.token(name, AUDIENCE))


def test_a_token_gets_a_session_of_the_associated_role(account: Account) -> None:
    name = account.service_account()
    role = account.role(pod_trust(), allow("elasticloadbalancing:DescribeLoadBalancers"))
    ident = associate(account, name, role)
    keys = credentials(account, account.token(name, AUDIENCE))
    arn = account.client("sts", keys).get_caller_identity()["Arn"]
    assert arn.startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.rpartition('/')[2]}/eks-{CLUSTER}-")
    elb = account.client("elbv2", keys)
    elb.describe_load_balancers()
    assert refusal(elb.describe_target_groups)[0] == "AccessDenied"
    account.client("eks").delete_pod_identity_association(clusterName=CLUSTER, associationId=ident)
    code, message = refusal(lambda **_: credentials(account, account.token(name, AUDIENCE)))
    assert code == "ResourceNotFoundException"
    assert message == "The token included in the request has no service account role association for it."


def test_a_role_that_no_longer_trusts_gives_no_credentials(account: Account) -> None:
    name, role = account.service_account(), account.role(pod_trust())
    associate(account, name, role)
    other = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "x"}, '
    other += '"Action": "sts:AssumeRole"}]}'
    account.iam.update_assume_role_policy(RoleName=role.rpartition("/")[2], PolicyDocument=other)
    code, message = refusal(lambda **_: credentials(account, account.token(name, AUDIENCE)))
    assert code == "AccessDeniedException"
    assert message == "Unauthorized Exception! EKS does not have permissions to assume the associated role."


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": ["sts.amazonaws.com"]}, "InvalidTokenException"),
        ({"iss": "https://elsewhere.example.com"}, "InvalidTokenException"),
        ({"own_key": True}, "InvalidTokenException"),
        ({"exp": 1}, "ExpiredTokenException"),
    ],
    ids=["audience", "issuer", "key", "expired"],
)
def test_a_token_that_is_not_valid_is_refused(account: Account, claims: dict[str, Any], code: str) -> None:
    name, role = account.service_account(), account.role(pod_trust())
    associate(account, name, role)
    credentials(account, account.forged(name, aud=[AUDIENCE]))
    token = account.forged(name, **{"aud": [AUDIENCE], **claims})
    assert refusal(lambda **_: credentials(account, token))[0] == code


def test_whoever_associates_must_be_allowed_to_pass_the_role(account: Account) -> None:
    name, caller = account.service_account(), account.service_account()
    role = account.role(pod_trust())
    own = account.role(web_trust(caller), allow("eks:CreatePodIdentityAssociation"))
    eks = account.client("eks", account.assume(own, account.token(caller)))
    asked = {"clusterName": CLUSTER, "namespace": NAMESPACE, "serviceAccount": name, "roleArn": role}
    code, message = refusal(eks.create_pod_identity_association, **asked)
    assert code == "AccessDeniedException"
    assert "iam:PassRole" in message
    for service in ("ec2.amazonaws.com", "pods.eks.amazonaws.com"):
        condition = {"StringEquals": {"iam:PassedToService": service}}
        passing = {**allow("iam:PassRole", resource=role), "Condition": condition}
        account.allow(own, allow("eks:CreatePodIdentityAssociation"), passing)
        if service.startswith("ec2"):
            assert refusal(eks.create_pod_identity_association, **asked)[0] == "AccessDeniedException"
        else:
            eks.create_pod_identity_association(**asked)


def test_the_subject_decides_whose_association_it_is(account: Account) -> None:
    name, other = account.service_account(), account.service_account()
    associate(account, name, account.role(pod_trust()))
    token = account.forged(name, aud=[AUDIENCE], sub=subject(other))
    assert refusal(lambda **_: credentials(account, token))[0] == "ResourceNotFoundException"
