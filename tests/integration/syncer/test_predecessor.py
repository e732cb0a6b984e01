"""The predecessor's manifest, policy and rights, with our process in place of its own."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.cluster import ApiError
from sandbox.layout import HOST
from tests.integration.syncer.household import Household, Syncer

pytestmark = pytest.mark.toolchain

NAMESPACE = "ingress-traefik"
MANIFEST = Path(__file__).with_name("predecessor.yaml")
COLLECTIONS = {
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "ServiceAccount": f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts",
    "Deployment": f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments",
    "Namespace": "/api/v1/namespaces",
}


def apply(home: Household, item: dict[str, Any]) -> None:
    try:
        home.api.create(COLLECTIONS[item["kind"]], item)
    except ApiError as error:
        if error.status != HTTPStatus.CONFLICT:
            raise


def container(home: Household, secret: dict[str, str]) -> dict[str, str]:
    """The environment of the Deployment's one container, once everything of the manifest is applied."""
    apply(home, {"kind": "Namespace", "metadata": {"name": NAMESPACE}})
    items = list(yaml.safe_load_all(MANIFEST.read_text()))
    for item in items:
        apply(home, item)
    (template,) = items[-1]["spec"]["template"]["spec"]["containers"]
    return {
        each["name"]: each["value"] if "value" in each else secret[each["valueFrom"]["secretKeyRef"]["key"]]
        for each in template["env"]
    }


def token_mount(home: Household) -> Path:
    mount = home.layout.directory / "predecessor"
    secrets = mount / "var/run/secrets/kubernetes.io/serviceaccount"
    secrets.mkdir(parents=True, exist_ok=True)
    asked = home.api.create(f"{COLLECTIONS['ServiceAccount']}/nlb-sync-sa/token", {"spec": {}})
    (secrets / "token").write_text(asked["status"]["token"])
    (secrets / "ca.crt").write_bytes((home.layout.pki / "ca.crt").read_bytes())
    (secrets / "namespace").write_text(NAMESPACE)
    return mount


def drop_in(home: Household, user: str, region: str | None = None) -> Syncer:
    """Our process as the kubelet would start it: the manifest's environment, and what each Pod is given.

    AWS_ENDPOINT_URL… and the address are the test's own: AWS and the Pod's network are on this machine.
    """
    both = list(home.groups.values())
    key = home.key(user, RegisterTargets=both, DeregisterTargets=both)
    secret = {
        "aws_access_key": key["AWS_ACCESS_KEY_ID"],
        "aws_secret_key": key["AWS_SECRET_ACCESS_KEY"],
        "nlb_sync_targetgroup_arns": ",".join(both) + "\n",  # as `kubectl create secret --from-file` keeps it
    }
    declared = container(home, secret)
    changed = {} if region is None else {"NLB_SYNC_AWSREGION": region}
    return home.bare_syncer(
        **declared,
        **changed,
        HOSTNAME="nlb-sync-5d8f7c9b6-x2x4z",
        KUBERNETES_SERVICE_HOST=HOST,
        KUBERNETES_SERVICE_PORT=str(home.layout.apiserver_port),
        CONTAINER_SANDBOX_MOUNT_POINT=str(token_mount(home)),
        AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2=home.layout.aws_url,
        NLB_SYNC_ADDRESS=HOST,
    )


def join(home: Household, *names: str) -> None:
    home.join(*names)
    for name in names:
        home.label(name, "kops.k8s.io/instancegroup", "nodes")


def test_with_its_environment_policy_and_rights_alone_its_groups_are_right(home: Household) -> None:
    join(home, "a", "b", "c")
    home.join("control-plane")
    syncer = drop_in(home, f"predecessor-{home.service}")

    def right(*names: str) -> bool:
        expected = {group: {(name, port) for name in names} for group, port in (("http", 80), ("https", 443))}
        return {group: home.registered(group) for group in home.groups} == expected

    home.until(lambda: right("a", "b", "c"), within=60)
    home.until(lambda: syncer.ready, within=5)
    join(home, "d")
    home.until(lambda: right("a", "b", "c", "d"), within=5)
    home.delete("a")
    home.until(lambda: right("b", "c", "d"), within=5)
    assert [group["blind"] for group in syncer.status["groups"]] == [True, True]
    assert [syncer.metric(f'nlb_sync_blind{{target_group="{name}"}}') for name in home.names()] == [1, 1]
    assert "blind: DescribeTargetHealth: AccessDenied: allow" in syncer.log.read_text()
    home.until(lambda: "events go to the log only" in syncer.log.read_text(), within=10)
    assert syncer.get("/healthz")[0] == 200
    assert syncer.stop() == 0
    assert right("b", "c", "d")


def test_a_region_that_is_not_the_groups_does_no_harm(home: Household) -> None:
    join(home, "a")
    syncer = drop_in(home, f"elsewhere-{home.service}", region="us-west-2")
    home.until(lambda: home.registered("http") == {("a", 80)}, within=60)
    assert syncer.stop() == 0
