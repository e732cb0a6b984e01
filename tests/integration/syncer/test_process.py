"""The syncer as a process: real API server, AWS API over HTTP, real signals."""

import json
import socket
from pathlib import Path

import pytest
import yaml

from sandbox.layout import HOST
from tests.integration.syncer.household import CHOSEN_PORT, SERVICES, Household

pytestmark = pytest.mark.toolchain


def test_nodes_that_join_change_and_go_are_followed(home: Household) -> None:
    home.join("a", "b", "c", "d")
    syncer = home.syncer()
    home.until(lambda: home.filled_with("a", "b", "c", "d"), within=15)
    home.until(lambda: syncer.ready, within=5)
    home.join("e")
    home.until(lambda: home.filled_with("a", "b", "c", "d", "e"), within=5)
    home.label("a", "node.kubernetes.io/exclude-from-external-load-balancers", "true")
    home.until(lambda: "a" not in {name for name, _ in home.registered("http")}, within=10)
    home.delete("b")
    home.until(lambda: home.filled_with("c", "d", "e"), within=10)
    verdicts = {each["node"]: each["reason"] for each in syncer.status["nodes"]}
    assert verdicts == {"a": "ExcludedByLabel", "c": "Ready", "d": "Ready", "e": "Ready"}


def test_sigterm_ends_it_at_once_with_0_and_leaves_every_target(home: Household) -> None:
    home.join("a", "b")
    syncer = home.syncer()
    home.until(lambda: home.filled_with("a", "b"), within=15)
    assert syncer.stop(within=10) == 0
    assert home.filled_with("a", "b")


def test_kill_9_in_the_middle_of_a_change_ends_in_the_same_state(home: Household) -> None:
    home.join("a", "b", "c")
    syncer = home.syncer()
    home.until(lambda: home.filled_with("a", "b", "c"), within=15)
    home.join("d")
    home.delete("a")
    syncer.end()
    home.syncer()
    home.until(lambda: home.filled_with("b", "c", "d"), within=20)


def test_a_target_removed_by_hand_comes_back_and_a_foreign_one_goes(home: Household) -> None:
    home.join("a", "b")
    home.syncer()
    home.until(lambda: home.filled_with("a", "b"), within=15)
    group, instance = home.groups["http"], home.instances["a"]
    home.elb.deregister_targets(
        TargetGroupArn=group, Targets=[{"Id": instance, "Port": home.node_port("http")}]
    )
    assert not home.filled_with("a", "b")
    home.until(lambda: home.filled_with("a", "b"), within=10)
    home.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": instance, "Port": CHOSEN_PORT}])
    assert not home.filled_with("a", "b")
    home.until(lambda: home.filled_with("a", "b"), within=10)


def test_a_node_whose_instance_is_unknown_to_aws_keeps_no_other_out(home: Household) -> None:
    home.join_as("ghost", "i-00000000000000bad")
    home.join("a", "b")
    syncer = home.syncer()
    home.until(lambda: home.filled_with("a", "b"), within=15)
    home.until(lambda: all(group["held"] for group in syncer.status["groups"]), within=5)
    assert {each["why"] for group in syncer.status["groups"] for each in group["held"]} == {"Poison"}
    refused = [syncer.metric(f'nlb_sync_refused_total{{target_group="{group}"}}') for group in home.names()]
    assert refused == [1, 1]


def test_a_missing_right_is_named_where_people_look(home: Household) -> None:
    home.join("a")
    key = home.key(f"reader-{home.service}", DescribeTargetHealth="*")
    syncer = home.syncer(**key)
    home.until(lambda: syncer.ready, within=15)
    home.until(lambda: all(group["problem"] for group in syncer.status["groups"]), within=15)
    for group in syncer.status["groups"]:
        assert "allow elasticloadbalancing:RegisterTargets" in group["problem"]
    assert syncer.get("/healthz")[0] == 200


def test_a_changed_node_port_is_followed(home: Household) -> None:
    home.join("a")
    home.syncer()
    home.until(lambda: home.filled_with("a"), within=15)
    home.api.patch(
        f"{SERVICES}/{home.service}",
        {"spec": {"ports": [{"name": "http", "port": 80, "nodePort": CHOSEN_PORT}]}},
    )
    home.until(lambda: ("a", CHOSEN_PORT) in home.registered("http"), within=5)


def test_in_a_pod_it_uses_the_mounted_token_and_says_which_right_it_lacks(home: Household) -> None:
    accounts = "/api/v1/namespaces/default/serviceaccounts"
    roles = "/apis/rbac.authorization.k8s.io/v1"
    mount = home.layout.directory / "pod"
    secrets = mount / "var/run/secrets/kubernetes.io/serviceaccount"
    secrets.mkdir(parents=True)
    home.api.create(accounts, {"metadata": {"name": "nlb-sync-sa"}})
    token = home.api.create(f"{accounts}/nlb-sync-sa/token", {"spec": {}})["status"]["token"]
    (secrets / "token").write_text(token)
    (secrets / "ca.crt").write_bytes((home.layout.pki / "ca.crt").read_bytes())
    home.join("a")
    syncer = home.syncer(
        KUBECONFIG="",
        KUBERNETES_SERVICE_HOST=HOST,
        KUBERNETES_SERVICE_PORT=str(home.layout.apiserver_port),
        CONTAINER_SANDBOX_MOUNT_POINT=str(mount),
        NLB_SYNC_ADDRESS=HOST,
    )
    home.until(lambda: syncer.get("/readyz")[0] == 503, within=10)
    home.until(lambda: "cannot list resource" in syncer.get("/readyz")[1], within=5)
    assert '"nodes"' in syncer.get("/readyz")[1]
    rule = {"apiGroups": [""], "resources": ["nodes", "services"], "verbs": ["get", "list", "watch"]}
    home.api.create(f"{roles}/clusterroles", {"metadata": {"name": "nlb-sync"}, "rules": [rule]})
    home.api.create(
        f"{roles}/clusterrolebindings",
        {
            "metadata": {"name": "nlb-sync"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "nlb-sync"},
            "subjects": [{"kind": "ServiceAccount", "name": "nlb-sync-sa", "namespace": "default"}],
        },
    )
    home.until(lambda: home.filled_with("a"), within=10)
    home.until(lambda: syncer.ready, within=5)
    assert token not in syncer.log.read_text()


def test_the_secret_key_is_in_no_log_and_every_line_is_json(home: Household) -> None:
    home.join("a")
    syncer = home.syncer(NLB_SYNC_LOG_LEVEL="debug")
    home.until(lambda: home.filled_with("a"), within=15)
    assert syncer.stop() == 0
    lines = syncer.log.read_text().splitlines()
    assert "sandbox-secret-key" not in "".join(lines)
    written = [json.loads(line) for line in lines]
    changes = [line for line in written if line.get("change") == "register"]
    assert {line["group"].partition("-")[0] for line in changes} == {"http", "https"}
    assert all(line["reconcile"] for line in changes)


def test_once_fills_the_groups_and_ends(home: Household) -> None:
    home.join("a")
    syncer = home.syncer("--once")
    assert syncer.process.wait(15) == 0
    assert home.filled_with("a")


def test_once_ends_well_where_the_groups_may_not_be_read_and_ill_where_they_may_not_be_written(
    home: Household,
) -> None:
    home.join("a")
    blind = home.syncer("--once", **home.key("once-blind", RegisterTargets="*", DeregisterTargets="*"))
    assert blind.process.wait(15) == 0
    assert home.filled_with("a")
    home.join("b")
    reader = home.syncer("--once", **home.key("once-reader", DescribeTargetHealth="*"))
    assert reader.process.wait(15) == 1
    assert home.filled_with("a")


def test_once_ends_where_the_api_server_does_not_answer(home: Household, tmp_path: Path) -> None:
    home.join("a")
    config = yaml.safe_load(home.layout.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    syncer = home.syncer("--once", KUBECONFIG=str(path))
    assert syncer.process.wait(60) == 1
    last = syncer.log.read_text().splitlines()[-1]
    assert last.startswith("nothing was done within 30 s: GET /api/v1/nodes: ")
    assert home.registered("http") == set()


def test_a_dry_run_says_what_it_would_do_and_does_not(home: Household) -> None:
    home.join("a")
    syncer = home.syncer("--once", "--dry-run")
    assert syncer.process.wait(15) == 0
    assert home.registered("http") == set()
    assert "would register 1" in syncer.log.read_text()


def test_the_predecessors_environment_runs_it_on_the_groups_own_ports(home: Household) -> None:
    home.join("a", "b")
    home.label("a", "role", "ingress")
    syncer = home.syncer(
        NLB_SYNC_TARGET_GROUPS="",
        AWS_ACCESS_KEY_ID="",
        AWS_SECRET_ACCESS_KEY="",
        AWS_ACCESS_KEY="sandbox",
        AWS_SECRET_KEY="sandbox-secret-key",
        NLB_SYNC_TARGETGROUPARNS=",".join(home.groups.values()),
        NLB_SYNC_LABELFILTERKEY="role",
        NLB_SYNC_LABELFILTERVALUE="ingress",
        NLB_SYNC_AWSREGION="eu-central-1",
        NLB_SYNC_PROMETHEUS="false",
    )
    home.until(lambda: home.registered("http") == {("a", 80)}, within=15)
    home.until(lambda: home.registered("https") == {("a", 443)}, within=5)
    assert syncer.get("/metrics")[0] == 404
    assert syncer.get("/healthz")[0] == 200


def test_a_port_in_use_is_one_line_and_exit_code_2(home: Household) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        syncer = home.syncer(NLB_SYNC_PORT=str(port))
        assert syncer.process.wait(15) == 2
    said = syncer.log.read_text().splitlines()
    assert said == [
        f"cannot listen on 127.0.0.1:{port}: address already in use; set NLB_SYNC_ADDRESS and NLB_SYNC_PORT"
    ]
