"""`doctor` against a real API server with RBAC and the AWS API over HTTP with IAM."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.cloud.client import ec2_client
from tests.control import control
from tests.integration.syncer.household import CHOSEN_PORT, NODES, SERVICES, Household
from tests.integration.syncer.questions import Ask, fill

pytestmark = pytest.mark.toolchain

DESCRIBE = dict.fromkeys(
    [
        "DescribeTargetHealth",
        "DescribeTargetGroups",
        "DescribeLoadBalancers",
        "DescribeLoadBalancerAttributes",
        "DescribeAccountLimits",
    ],
    "*",
)


def findings(answer: tuple[int, str, str]) -> list[dict[str, str]]:
    checks: list[dict[str, str]] = json.loads(answer[1])["checks"]
    return checks


def said(answer: tuple[int, str, str], result: str) -> list[str]:
    return [each["says"] for each in findings(answer) if each["result"] == result]


def targets(home: Household) -> dict[str, list[Any]]:
    return {
        name: home.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        for name, arn in home.groups.items()
    }


def test_all_well_is_exit_code_0_and_changes_nothing(home: Household, ask: Ask) -> None:
    fill(home, "a", "b")
    before = targets(home)
    answer = ask("doctor", "--json", NLB_SYNC_CROSS_ZONE="false")
    assert answer[0] == 0, answer
    assert json.loads(answer[1])["well"] is True
    assert said(answer, "fails") == []
    assert "RBAC allows all calls of the syncer" in said(answer, "ok")
    assert any("without NLB_SYNC_NAMESPACE" in each for each in said(answer, "note"))
    assert {"RegisterTargets is allowed", "DeregisterTargets is allowed"} <= set(said(answer, "ok"))
    assert any(each.startswith("2 targets pass the health check") for each in said(answer, "ok"))
    assert {each["check"] for each in findings(answer)} >= {"clock", "credentials", "nodes", "service"}
    assert targets(home) == before
    code, out, _ = ask("doctor")
    assert code == 0
    assert out.splitlines()[0].split() == ["CHECK", "RESULT", "DETAIL"]


def test_whose_the_credentials_are_is_asked_where_sts_is_at_hand(home: Household, ask: Ask) -> None:
    home.join("a")
    answer = ask("doctor", "--json", AWS_ENDPOINT_URL_STS=home.layout.aws_url)
    (found,) = [each for each in findings(answer) if each["check"] == "credentials"]
    assert found["says"].startswith("arn:aws:iam::123456789012:user/")
    answer = ask("doctor", "--json", AWS_ENDPOINT_URL_STS="http://127.0.0.1:9")
    (found,) = [each for each in findings(answer) if each["check"] == "credentials"]
    assert found["result"] == "note"
    assert "cannot read the identity: GetCallerIdentity: EndpointConnectionError" in found["says"]


def test_a_missing_right_to_write_fails_and_is_named(home: Household, ask: Ask) -> None:
    home.join("a")
    key = home.key("cannot-register", DeregisterTargets="*", **DESCRIBE)
    answer = ask("doctor", "--json", **key)
    assert answer[0] == 1
    assert all("allow elasticloadbalancing:RegisterTargets" in each for each in said(answer, "fails"))
    assert len(said(answer, "fails")) == 2
    assert "DeregisterTargets is allowed" in said(answer, "ok")


def test_the_predecessors_policy_is_enough_and_what_is_lost_is_said(home: Household, ask: Ask) -> None:
    fill(home, "a")
    key = home.key("predecessor", RegisterTargets="*", DeregisterTargets="*")
    answer = ask("doctor", "--json", **key)
    assert answer[0] == 0
    notes = said(answer, "note")
    assert any(
        "allow elasticloadbalancing:DescribeTargetHealth" in each and "blind" in each for each in notes
    )
    assert any("not checked: type, health check, zones, quota" in each for each in notes)


def test_a_throttled_account_delays_the_answer_and_is_no_fault(home: Household, ask: Ask) -> None:
    """An account whose other users leave one write a second."""
    fill(home, "a")
    control(home.layout.aws_url, "POST", "faults", {"rates": {"RegisterTargets,DeregisterTargets": [1, 1]}})
    try:
        answer = ask("doctor", "--json", NLB_SYNC_CROSS_ZONE="false")
    finally:
        control(home.layout.aws_url, "DELETE", "faults")
    assert (answer[0], said(answer, "fails")) == (0, [])


def test_a_group_that_does_not_exist_fails(home: Household, ask: Ask) -> None:
    gone = home.groups["http"][:-4] + "0000"
    answer = ask("doctor", "--json", NLB_SYNC_TARGET_GROUPS=f"{gone}=:30080")
    assert answer[0] == 1
    assert any("TargetGroupNotFound" in each for each in said(answer, "fails"))


def test_a_rule_that_was_removed_by_another_tool_is_named(home: Household, ask: Ask) -> None:
    ec2: Any = ec2_client(home.layout.aws_url)
    own, nodes = (
        ec2.create_security_group(GroupName=name, Description=name, VpcId=home.network.vpc_id)["GroupId"]
        for name in ("doctor-lb", "doctor-nodes")
    )
    balancer, groups = home.new_balancer(security_groups=[own])
    port = home.api.get(f"{SERVICES}/{home.service}")["spec"]["ports"][0]["nodePort"]
    number = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
    out = {**number, "UserIdGroupPairs": [{"GroupId": nodes}]}
    ec2.authorize_security_group_egress(GroupId=own, IpPermissions=[out])
    ec2.revoke_security_group_egress(
        GroupId=own, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    )
    into = {**number, "UserIdGroupPairs": [{"GroupId": own}]}
    ec2.authorize_security_group_ingress(GroupId=nodes, IpPermissions=[into])
    followed = {
        "NLB_SYNC_TARGET_GROUPS": f"{groups['http']}=default/{home.service}:http",
        "NLB_SYNC_CROSS_ZONE": "false",
        "AWS_ENDPOINT_URL_EC2": home.layout.aws_url,
    }
    assert f"security group rules for TCP {port} are present" in said(
        ask("doctor", "--json", **followed), "ok"
    )
    ec2.revoke_security_group_ingress(GroupId=nodes, IpPermissions=[into])
    (missing,) = said(ask("doctor", "--json", **followed), "fails")
    assert f"{nodes} has no ingress rule for TCP {port}: run `pulumi up --refresh`" in missing
    home.remove_balancer(balancer, groups)


def test_a_stale_health_check_port_names_the_cure(home: Household, ask: Ask) -> None:
    home.elb.modify_target_group(TargetGroupArn=home.groups["https"], HealthCheckPort=str(CHOSEN_PORT))
    answer = ask("doctor", "--json")
    assert answer[0] == 1, answer
    (stale,) = said(answer, "fails")
    assert stale.startswith(
        f"HealthCheckPortStale: the health check uses port {CHOSEN_PORT}, the NodePorts are "
    )
    assert stale.endswith("run `pulumi up`")


def test_a_service_without_the_port_and_a_zone_that_is_not_served_fail(home: Household, ask: Ask) -> None:
    home.join("a")
    home.api.create(
        NODES,
        {
            "metadata": {"name": "far", "labels": {"topology.kubernetes.io/zone": "eu-central-1z"}},
            "spec": {"providerID": "aws:///eu-central-1z/i-0123456789abcdef0"},
        },
    )
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    home.api.patch(f"{NODES}/far/status", {"status": ready})
    groups = f"{home.groups['http']}=default/{home.service}:ftp"
    answer = ask("doctor", "--json", NLB_SYNC_TARGET_GROUPS=groups)
    assert answer[0] == 1
    missing = f"the Service default/{home.service} has no NodePort named ftp; its TCP ports: "
    assert any(each.startswith(missing) for each in said(answer, "fails"))
    assert any("nodes in eu-central-1z get no traffic" in each for each in said(answer, "fails"))


def test_a_selector_that_matches_no_node_fails(home: Household, ask: Ask) -> None:
    home.join("a", "b")
    answer = ask("doctor", "--json", NLB_SYNC_NODE_SELECTOR="pool=webb")
    assert answer[0] == 1
    assert "2 nodes are listed, but no node may be a target: 2 SelectorMismatch" in said(answer, "fails")


def test_too_few_places_fail(home: Household, ask: Ask) -> None:
    home.join("a", "b", "c")
    answer = ask("doctor", "--json", NLB_SYNC_TARGET_LIMIT="2")
    assert answer[0] == 1
    assert "3 nodes for 2 places; raise the quota, or select fewer nodes" in said(answer, "fails")
    answer = ask("doctor", "--json", NLB_SYNC_TARGET_LIMIT="5000")
    assert any("NLB_SYNC_TARGET_LIMIT is 5000; allowed by" in each for each in said(answer, "fails"))


class Machine(http.server.BaseHTTPRequestHandler):
    """Answers 503 to every health check."""

    def do_GET(self) -> None:
        self.send_response(503)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def sick_machine() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Machine)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_health_check_that_no_target_passes_is_tried_from_here(
    home: Household, ask: Ask, sick_machine: int
) -> None:
    home.join("a")
    addresses = {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}]}
    home.api.patch(f"{NODES}/a/status", {"status": addresses})
    arn = home.groups["http"]
    home.elb.modify_target_group(
        TargetGroupArn=arn,
        HealthCheckProtocol="HTTP",
        HealthCheckPath="/ping",
        HealthCheckPort=str(sick_machine),
    )
    answer = ask("doctor", "--json", NLB_SYNC_TARGET_GROUPS=f"{arn}=:{sick_machine}")
    assert answer[0] == 1
    assert any(f"a answers 503 on 127.0.0.1:{sick_machine}/ping" in each for each in said(answer, "fails"))


def test_each_missing_verb_in_the_cluster_is_named(home: Household, ask: Ask, tmp_path: Path) -> None:
    home.join("a")
    kubeconfig = limited(home, tmp_path, [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}])
    answer = ask("doctor", "--json", KUBECONFIG=str(kubeconfig), NLB_SYNC_NAMESPACE="default")
    assert answer[0] == 1
    whose = f"the syncer's identity is system:serviceaccount:default:limited-{home.service}"
    assert whose in said(answer, "ok")
    lost = "RBAC does not allow: create leases in default; no leader election; run one replica only"
    assert lost in said(answer, "note")
    service = f"services/{home.service} in default"
    assert f"RBAC does not allow: list {service}; grant the right" in said(answer, "fails")
    lost = "RBAC does not allow: create events in default; events of Nodes go to the log only"
    assert lost in said(answer, "note")
    assert "RBAC does not allow: watch nodes; the list is read every 30 s instead" in said(answer, "note")
    assert "1 nodes are listed" in said(answer, "ok")


def test_without_credentials_nothing_else_is_asked_of_aws(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    nothing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"}
    answer = ask("doctor", "--json", **nothing)
    assert answer[0] == 1
    (row,) = (each["says"] for each in findings(answer) if each["check"] == "credentials")
    assert row.startswith("AWS credentials: ")
    assert "AWS_ACCESS_KEY_ID" in row


def limited(home: Household, directory: Path, rules: list[dict[str, Any]]) -> Path:
    """A kubeconfig of a ServiceAccount that may do no more than `rules`."""
    name = f"limited-{home.service}"
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    accounts = "/api/v1/namespaces/default/serviceaccounts"
    home.api.create(accounts, {"metadata": {"name": name}})
    home.api.create(f"{rbac}/clusterroles", {"metadata": {"name": name}, "rules": rules})
    home.api.create(
        f"{rbac}/clusterrolebindings",
        {
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "default"}],
        },
    )
    token = home.api.create(f"{accounts}/{name}/token", {"spec": {}})["status"]["token"]
    config = yaml.safe_load(home.layout.kubeconfig.read_text())
    config["users"] = [{"name": each["name"], "user": {"token": token}} for each in config["users"]]
    path = directory / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.mark.parametrize("kubelet", ["", "# Kubernetes-managed hosts file (host network).\n"])
def test_b9_a_name_after_the_node_fails_and_one_of_the_pod_or_of_a_person_does_not(
    home: Household, ask: Ask, tmp_path: Path, kubelet: str
) -> None:
    """With hostNetwork; the kubelet's file is enough where no Node has the host name."""
    fill(home, "a")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hosts").write_text(kubelet)
    pod = {
        "NLB_SYNC_NAMESPACE": "default",
        "NLB_SYNC_CROSS_ZONE": "false",
        "CONTAINER_SANDBOX_MOUNT_POINT": str(tmp_path),
        "HOSTNAME": "b" if kubelet else "a",
    }
    answer = ask("doctor", "--json", **pod)
    assert answer[0] == 1
    (failed,) = [each for each in findings(answer) if each["result"] == "fails"]
    assert failed["check"] == "settings"
    assert failed["says"].startswith(f"NLB_SYNC_NAME is not set, and the host name '{pod['HOSTNAME']}' is")
    for name in ({"NLB_SYNC_NAME": "edge"}, {"POD_NAME": "nlb-sync-7c5ddbdf54-lz4vr"}):
        answer = ask("doctor", "--json", **pod, **name)
        assert (answer[0], said(answer, "fails")) == (0, [])
