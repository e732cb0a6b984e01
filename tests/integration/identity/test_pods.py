"""Each kind of identity from inside a real Pod: boto3's own chain finds it, and AWS knows the role."""

import json
import textwrap
from collections.abc import Callable, Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from sandbox.cloud.eks import CLUSTER
from sandbox.cloud.network import NODE_ROLE
from sandbox.cluster import Rest
from sandbox.layout import ACCOUNT, REGION, Layout
from tests.integration.identity.conftest import NAMESPACE, Account, pod_trust, unique, web_trust
from tests.integration.nodes.processes import eventually

pytestmark = pytest.mark.toolchain

Json = dict[str, Any]
IDENTITY = textwrap.dedent("""
    import json, os, time
    import boto3
    while True:
        try:
            session = boto3.Session(region_name=os.environ.get("AWS_REGION", "eu-central-1"))
            said = {"arn": session.client("sts").get_caller_identity()["Arn"]}
        except Exception as error:
            said = {"error": repr(error)}
        names = [name for name in os.environ if name.startswith("AWS_")]
        print(json.dumps({**said, "env": {name: os.environ[name] for name in names}}), flush=True)
        time.sleep(0.5)
""")
Start = Callable[..., "Pod"]


class Pod:
    """A Pod that prints who AWS says it is, again and again."""

    def __init__(self, layout: Layout, made: Json) -> None:
        self._layout, self._name = layout, made["metadata"]["name"]
        self._uid = made["metadata"]["uid"]

    def said(self) -> list[Json]:
        """What it has printed."""
        log = self._layout.pods / f"{NAMESPACE}_{self._name}_{self._uid}" / "main.log"
        return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]

    def latest(self, key: str = "arn") -> Json:
        """The newest line, once it has `key`."""
        return eventually(lambda: next((one for one in self.said()[-1:] if key in one), None), 60)


@pytest.fixture(scope="session")
def here(machines: Layout) -> Account:
    return Account(machines)


@pytest.fixture
def start(here: Account) -> Iterator[Start]:
    api, path, made = Rest(here.layout), f"/api/v1/namespaces/{NAMESPACE}/pods", []

    def run(account: str, container: Json | None = None, **spec: Any) -> Pod:
        main = {
            "name": "main",
            "image": "registry.example/team/node-nlb-sync:test",
            "command": ["python", "-c", IDENTITY],
            **(container or {}),
        }
        body = {
            "metadata": {"name": unique("identity")},
            "spec": {"serviceAccountName": account, "containers": [main], **spec},
        }
        one = api.create(path, body)
        made.append(one["metadata"]["name"])
        return Pod(here.layout, one)

    yield run
    for name in made:
        api.delete(f"{path}/{name}", {"gracePeriodSeconds": 1})


def session_of(role_arn: str) -> str:
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/{role_arn.rpartition('/')[2]}/"


def test_a_pod_with_an_association_has_its_role(here: Account, start: Start) -> None:
    name, role = here.service_account(), here.role(pod_trust())
    here.client("eks").create_pod_identity_association(
        clusterName=CLUSTER, namespace=NAMESPACE, serviceAccount=name, roleArn=role
    )
    said = start(name).latest()
    assert said["arn"].startswith(f"{session_of(role)}eks-{CLUSTER}-identity-")
    assert said["env"]["AWS_CONTAINER_CREDENTIALS_FULL_URI"].endswith("/v1/credentials")
    file = said["env"]["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]
    assert file.endswith("/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token")
    assert said["env"]["AWS_REGION"] == REGION
    assert "AWS_ROLE_ARN" not in said["env"]


def test_a_role_that_stops_trusting_is_refused_by_the_agent(here: Account, start: Start) -> None:
    name, role = here.service_account(), here.role(pod_trust())
    here.client("eks").create_pod_identity_association(
        clusterName=CLUSTER, namespace=NAMESPACE, serviceAccount=name, roleArn=role
    )
    other = {"Version": "2012-10-17", "Statement": [web_trust(name)]}
    here.iam.update_assume_role_policy(RoleName=role.rpartition("/")[2], PolicyDocument=json.dumps(other))
    assert (
        "EKS does not have permissions to assume the associated role" in start(name).latest("error")["error"]
    )


def test_a_pod_of_an_annotated_service_account_has_its_role(here: Account, start: Start) -> None:
    name = here.service_account()
    role = here.role(web_trust(name))
    here.annotate(name, {"eks.amazonaws.com/role-arn": role})
    said = start(name).latest()
    assert said["arn"].startswith(session_of(role))
    assert said["env"]["AWS_ROLE_ARN"] == role
    assert said["env"]["AWS_WEB_IDENTITY_TOKEN_FILE"].endswith(
        "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"
    )


def test_a_pod_may_declare_the_token_itself(here: Account, start: Start) -> None:
    name = here.service_account()
    role = here.role(web_trust(name))
    token = {"path": "token", "audience": "sts.amazonaws.com", "expirationSeconds": 3600}
    said = start(
        name,
        {
            "env": [
                {"name": "AWS_ROLE_ARN", "value": role},
                {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/var/run/secrets/aws/token"},
            ],
            "volumeMounts": [{"name": "aws", "mountPath": "/var/run/secrets/aws"}],
        },
        volumes=[{"name": "aws", "projected": {"sources": [{"serviceAccountToken": token}]}}],
    ).latest()
    assert said["arn"].startswith(session_of(role))


def test_a_pod_without_identity_has_the_role_of_its_node(here: Account, start: Start) -> None:
    said = start(here.service_account()).latest()
    assert said["arn"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/{NODE_ROLE}/i-")


def test_the_metadata_wants_a_token(here: Account, start: Start) -> None:
    said = start(here.service_account()).latest()
    base = said["env"]["AWS_EC2_METADATA_SERVICE_ENDPOINT"] + "/latest"
    ttl = "X-aws-ec2-metadata-token-ttl-seconds"
    assert call("GET", f"{base}/meta-data/instance-id")[0] == 401
    assert call("GET", f"{base}/meta-data/instance-id", {"X-aws-ec2-metadata-token": "junk"})[0] == 401
    assert call("PUT", f"{base}/api/token")[0] == 400
    assert call("PUT", f"{base}/api/token", {ttl: "21601"})[0] == 400
    status, token = call("PUT", f"{base}/api/token", {ttl: "60"})
    assert status == 200
    known = {"X-aws-ec2-metadata-token": token}
    status, ident = call("GET", f"{base}/meta-data/instance-id", known)
    assert said["arn"].endswith(f"/{ident}")
    assert call("GET", f"{base}/meta-data/placement/region", known)[1] == REGION
    assert call("GET", f"{base}/meta-data/iam/security-credentials/", known)[1] == NODE_ROLE
    assert call("GET", f"{base}/meta-data/iam/security-credentials/other", known)[0] == 404


def call(method: str, url: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """Status and text of an answer."""
    try:
        with urlopen(Request(url, method=method, headers=headers or {}), timeout=10) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, ""


def test_with_a_hop_limit_of_one_only_the_node_itself_gets_credentials(here: Account, start: Start) -> None:
    ec2 = here.client("ec2")
    ids = [
        one["InstanceId"] for each in ec2.describe_instances()["Reservations"] for one in each["Instances"]
    ]
    try:
        for ident in ids:
            ec2.modify_instance_metadata_options(InstanceId=ident, HttpPutResponseHopLimit=1)
        name = here.service_account()
        pod, on_host = start(name), start(name, hostNetwork=True)
        assert f"/{NODE_ROLE}/i-" in on_host.latest()["arn"]
        assert "NoCredentialsError" in pod.latest("error")["error"]
    finally:
        for ident in ids:
            ec2.modify_instance_metadata_options(InstanceId=ident, HttpPutResponseHopLimit=2)
