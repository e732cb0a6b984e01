"""What a Pod gets for its ServiceAccount's role, as EKS's webhook gives it."""

import copy
from typing import Any

from sandbox.kubelet.webhook import granted, moved_agent, moved_files, pod_identity, service_account_role
from sandbox.layout import REGION

Json = dict[str, Any]
ROLE = "arn:aws:iam::123456789012:role/syncer"
AGENT = pod_identity("http://127.64.0.16:10170")


def pod(**container: Any) -> Json:
    return {"spec": {"containers": [{"name": "main", **container}]}}


def account(**annotations: str) -> Json:
    return {"metadata": {"annotations": {f"eks.amazonaws.com/{k}": v for k, v in annotations.items()}}}


def variables(found: Json, index: int = 0) -> dict[str, str]:
    return {one["name"]: one["value"] for one in found["spec"]["containers"][index].get("env", [])}


def token(found: Json) -> Json:
    (volume,) = found["spec"]["volumes"]
    (source,) = volume["projected"]["sources"]
    return dict(source["serviceAccountToken"])


def test_an_association_gives_agent_token_and_region() -> None:
    before = pod(env=[{"name": "A", "value": "b"}])
    unchanged = copy.deepcopy(before)
    found = granted(before, AGENT)
    directory = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"
    assert variables(found) == {
        "A": "b",
        "AWS_STS_REGIONAL_ENDPOINTS": "regional",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.64.0.16:10170/v1/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": f"{directory}/eks-pod-identity-token",
    }
    wanted = {
        "path": "eks-pod-identity-token",
        "audience": "pods.eks.amazonaws.com",
        "expirationSeconds": 86400,
    }
    assert token(found) == wanted
    (mount,) = found["spec"]["containers"][0]["volumeMounts"]
    assert (mount["mountPath"], mount["readOnly"]) == (directory, True)
    assert before == unchanged


def test_an_annotation_gives_role_and_token() -> None:
    grant = service_account_role(account(**{"role-arn": ROLE, "audience": "x", "token-expiration": "600"}))
    found = granted(pod(), grant)
    assert variables(found)["AWS_ROLE_ARN"] == ROLE
    assert token(found) == {"path": "token", "audience": "x", "expirationSeconds": 600}


def test_no_role_changes_nothing() -> None:
    assert service_account_role({"metadata": {}}) is None
    assert granted(pod(), None) == pod()


def test_a_container_keeps_what_it_sets_itself() -> None:
    own = [{"name": "AWS_ROLE_ARN", "value": "own"}]
    grant = service_account_role(account(**{"role-arn": ROLE}))
    assert granted(pod(env=own), grant) == pod(env=own)
    region = [{"name": "AWS_REGION", "value": "us-east-1"}]
    assert variables(granted(pod(env=region), grant))["AWS_REGION"] == "us-east-1"


def test_a_container_that_the_pod_says_to_skip_gets_nothing() -> None:
    annotated = {"metadata": {"annotations": {"eks.amazonaws.com/skip-containers": "other,main"}}, **pod()}
    assert granted(annotated, AGENT) == annotated
    other = {"metadata": {"annotations": {"eks.amazonaws.com/skip-containers": "other"}}, **pod()}
    assert granted(other, AGENT) != other


def test_init_containers_get_it_too() -> None:
    grant = service_account_role(account(**{"role-arn": ROLE}))
    found = granted({"spec": {"initContainers": [{"name": "a"}], "containers": []}}, grant)
    assert {"name": "AWS_ROLE_ARN", "value": ROLE} in found["spec"]["initContainers"][0]["env"]


def test_files_in_volumes_are_moved_and_others_are_not() -> None:
    container = {"volumeMounts": [{"mountPath": "/var/run/aws/"}]}
    env = {
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/aws/token",
        "AWS_CONFIG_FILE": "/var/run/awsome/config",
        "KUBECONFIG": "/var/run/aws/kubeconfig",
    }
    assert moved_files(env, container, "/pod") == {"AWS_WEB_IDENTITY_TOKEN_FILE": "/pod/var/run/aws/token"}


def test_the_agents_address_is_moved_and_others_are_not() -> None:
    name, agent = "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.64.0.16:10170"
    moved = moved_agent({name: "http://169.254.170.23/v1/credentials"}, agent)
    assert moved == {name: f"{agent}/v1/credentials"}
    assert moved_agent({name: "http://169.254.170.2/v2/credentials/x"}, agent) == {}
    assert moved_agent({}, agent) == {}
