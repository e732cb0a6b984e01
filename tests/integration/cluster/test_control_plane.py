"""The control plane is real, reached by the kubeconfig that was written, and holds its clients to RBAC."""

import http.client
import json
import socket
import stat
import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from sandbox import cluster as control
from sandbox import trust
from sandbox.cluster import Rest
from sandbox.errors import SandboxError
from sandbox.layout import HOST, Layout

pytestmark = pytest.mark.toolchain

SERVICES = "/api/v1/namespaces/default/services"
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"


def test_the_kubeconfig_is_private_and_its_context_is_sandbox(cluster: Layout) -> None:
    content = yaml.safe_load(cluster.kubeconfig.read_text())

    assert stat.S_IMODE(cluster.kubeconfig.stat().st_mode) == 0o600
    assert content["current-context"] == "sandbox"
    assert content["clusters"][0]["cluster"]["server"] == cluster.apiserver_url


def test_nodeports_are_allocated_in_the_default_range(cluster: Layout) -> None:
    api = Rest(cluster)
    made = api.create(
        SERVICES,
        {
            "metadata": {"generateName": "nodeport-"},
            "spec": {"type": "NodePort", "ports": [{"name": "http", "port": 80}]},
        },
    )
    api.delete(f"{SERVICES}/{made['metadata']['name']}")

    assert 30000 <= made["spec"]["ports"][0]["nodePort"] <= 32767


def test_a_service_account_token_opens_only_what_rbac_grants(cluster: Layout) -> None:
    api = Rest(cluster)
    api.create(ACCOUNTS, {"metadata": {"name": "stranger"}})
    token = api.create(f"{ACCOUNTS}/stranger/token", {"spec": {}})["status"]["token"]
    context = trust.context(cluster.pki / "ca.crt")
    connection = http.client.HTTPSConnection(HOST, cluster.apiserver_port, context=context, timeout=5)
    connection.request("GET", "/api/v1/nodes", headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()

    assert answer.status == 403
    assert 'User "system:serviceaccount:default:stranger" cannot list' in body["message"]


def test_a_restarted_api_server_still_knows_its_objects(cluster: Layout, tools: dict[str, Path]) -> None:
    Rest(cluster).create("/api/v1/namespaces", {"metadata": {"name": "kept"}})

    control.restart(cluster, tools, "kube-apiserver")

    assert Rest(cluster).get("/api/v1/namespaces/kept")["status"]["phase"] == "Active"


def test_starting_what_already_runs_changes_nothing(cluster: Layout, tools: dict[str, Path]) -> None:
    before = (cluster.run / "kube-apiserver.pid").read_text()

    control.start(cluster, tools, control.STORE_AND_API)

    assert (cluster.run / "kube-apiserver.pid").read_text() == before


def test_a_port_in_use_is_named_with_its_process_and_the_way_out(
    tmp_path: Path, tools: dict[str, Path]
) -> None:
    layout = Layout.ephemeral(tmp_path)
    with (
        socket.create_server((HOST, layout.etcd_port)),
        pytest.raises(control.PortInUseError, match=rf"port {layout.etcd_port} .*etcd.*make down"),
    ):
        control.start(layout, tools, control.STORE_AND_API)

    assert not layout.pki.exists()


def test_an_api_server_that_is_down_is_named_with_the_way_out(tmp_path: Path, cluster: Layout) -> None:
    down = replace(Layout.ephemeral(tmp_path), directory=cluster.directory)

    with pytest.raises(SandboxError, match=rf"{down.apiserver_url}; run `make up`"):
        Rest(down).get("/version")


def test_a_deleted_namespace_goes_with_all_that_was_in_it(control_plane: Layout) -> None:
    api = Rest(control_plane)
    api.create("/api/v1/namespaces", {"metadata": {"name": "short-lived"}})
    api.create("/api/v1/namespaces/short-lived/configmaps", {"metadata": {"name": "inside"}})

    api.delete("/api/v1/namespaces/short-lived")

    deadline = time.monotonic() + 20
    while "short-lived" in {item["metadata"]["name"] for item in api.get("/api/v1/namespaces")["items"]}:
        assert time.monotonic() < deadline
        time.sleep(0.1)
