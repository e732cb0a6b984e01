"""What a person sees, in the order in which they would try it: the tests share one sandbox, in order."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from sandbox import process
from sandbox.cluster import Rest
from sandbox.layout import HOST
from sandbox.status import Target
from tests.e2e.conftest import made
from tests.e2e.driver import ROOT, Sandbox, entries, files_of_the_clone, traffic
from tests.waiting import eventually

# Every kind that the stack makes.
KINDS = (
    *(f"/api/v1/{kind}" for kind in ("namespaces", "services", "serviceaccounts", "secrets", "configmaps")),
    *("/apis/apps/v1/deployments", "/apis/policy/v1/poddisruptionbudgets"),
    "/apis/networking.k8s.io/v1/networkpolicies",
    *(
        f"/apis/rbac.authorization.k8s.io/v1/{kind}"
        for kind in ("clusterroles", "clusterrolebindings", "roles", "rolebindings")
    ),
)
pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox of its own: the last test takes it down, and the order of files is not known."""
    yield from made(tmp_path_factory.mktemp("loop") / "sandbox")


def a_target(sandbox: Sandbox) -> Target:
    """A healthy target whose node runs no syncer (losing it is what other tests are about)."""
    busy = sandbox.status().syncer
    nodes = {target.node: target for target in sandbox.groups()[0].targets if target.state == "healthy"}
    addresses = node_addresses(sandbox)
    return next(t for name, t in sorted(nodes.items()) if name and addresses.get(name, "-") not in busy)


def node_addresses(sandbox: Sandbox) -> dict[str, str]:
    pods = Rest(sandbox.layout).get("/api/v1/pods")["items"]
    return {pod["spec"].get("nodeName", ""): pod["status"].get("podIP", "-") for pod in pods}


def test_make_up_ends_with_addresses_groups_and_commands_to_try(sandbox: Sandbox) -> None:
    said = sandbox.said["up"]
    status = sandbox.status()
    assert status.static_ips
    for ip in status.static_ips.values():
        assert ip in said
    for group in status.groups:
        assert f"{group.healthy}/{len(group.targets)} healthy" in said
    assert "node add 2" in said
    assert "node drain" in said


def test_every_static_ip_answers_through_both_listeners_and_names_the_node(sandbox: Sandbox) -> None:
    nodes = {node.name for node in sandbox.status().nodes}
    for ip, port in entries(sandbox, "http"):
        with urllib.request.urlopen(f"http://{ip}:{port}/", timeout=5) as answer:
            assert answer.status == 200
            assert answer.headers["X-Served-By"] in nodes
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    for ip, port in entries(sandbox, "https"):
        with urllib.request.urlopen(f"https://{ip}:{port}/", timeout=5, context=unverified) as answer:
            assert answer.status == 200
            assert answer.headers["X-Served-By"] in nodes


def test_a_second_up_and_a_refresh_show_no_change(sandbox: Sandbox) -> None:
    sandbox.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes", "--non-interactive")
    sandbox.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes", "--non-interactive")
    sandbox.pulumi("preview", "--expect-no-changes", "--non-interactive")


def test_n2_make_up_and_pulumi_change_no_file_of_the_clone(sandbox: Sandbox) -> None:
    assert files_of_the_clone() == sandbox.said["files before"]


def test_n2_the_stack_reaches_this_sandboxs_aws_whatever_file_configures_it(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    other = tmp_path / "Pulumi.dev.yaml"
    other.write_text((ROOT / "Pulumi.dev.yaml").read_text())
    words = ("--config-file", str(other), "--expect-no-changes", "--non-interactive", "--refresh")
    sandbox.pulumi("preview", *words)


def test_n3_one_quoted_word_is_a_command_line(sandbox: Sandbox) -> None:
    line = "pulumi preview --non-interactive | tail -n 20 && echo $PULUMI_STACK"
    said = sandbox.sandbox("shell", line, timeout=550)
    assert "unchanged" in said
    assert said.endswith("dev\n")


def test_n1_nodes_pods_and_static_ips_are_in_this_sandboxs_own_networks(sandbox: Sandbox) -> None:
    status, layout = sandbox.status(), sandbox.layout
    assert all(IPv4Address(ip) in layout.elastic_network for ip in status.static_ips.values())
    nodes = Rest(layout).get("/api/v1/nodes")["items"]
    listed = [each for node in nodes for each in node["status"]["addresses"]]
    addresses = {each["address"] for each in listed if each["type"] == "InternalIP"}
    pods = {address for address in node_addresses(sandbox).values() if address != "-"}
    assert len(addresses) == len(nodes)
    assert pods
    assert all(IPv4Address(address) in layout.vpc_network for address in addresses | pods)


def test_status_says_the_same_to_programs(sandbox: Sandbox) -> None:
    told = json.loads(sandbox.sandbox("status", "--json"))
    assert told["up"]
    assert told["staticIps"] == dict(sandbox.status().static_ips)
    assert {group["name"] for group in told["targetGroups"]} == {"http", "https"}
    assert all(group["healthy"] == group["total"] > 0 for group in told["targetGroups"])
    assert told["syncer"]["ready"]


def test_traffic_counts_who_served_what(sandbox: Sandbox) -> None:
    said = sandbox.sandbox("traffic", "--rate", "10", "--seconds", "1")
    for ip in sandbox.status().static_ips.values():
        assert re.search(rf"^{ip}:\d+: 10 connections, node-\d+ \d+", said, re.MULTILINE)


def test_a_wrong_stack_configuration_is_refused_by_naming_each_key(sandbox: Sandbox, tmp_path: Path) -> None:
    wrong = tmp_path / "Pulumi.dev.yaml"
    right = (ROOT / "Pulumi.dev.yaml").read_text()
    wrong.write_text(
        right.replace("interval: 5", "interval: 1").replace(
            "image: node-nlb-sync:dev", "imag: node-nlb-sync:dev"
        )
    )
    said = refused(sandbox, "preview", "--config-file", str(wrong))
    assert "healthCheck.interval" in said
    assert "syncer.imag" in said
    assert "Traceback" not in said
    wrong.write_text(right.replace("  node-nlb-sync:vpcId: ", "  node-nlb-sync:vpc: "))
    assert "vpcId" in refused(sandbox, "preview", "--config-file", str(wrong))


def refused(sandbox: Sandbox, *words: str) -> str:
    done = subprocess.run(
        [".venv/bin/sandbox", "shell", "--", "pulumi", *words, "--non-interactive"],
        cwd=ROOT,
        env=sandbox.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    return done.stdout + done.stderr


def test_added_nodes_become_healthy_in_every_group(sandbox: Sandbox) -> None:
    names = sandbox.sandbox("node", "add", "2").split()
    assert len(names) == 2
    groups = {group.name for group in sandbox.groups()}
    eventually(
        lambda: all(sandbox.states(name) == dict.fromkeys(groups, "healthy") for name in names),
        within=60,
    )


def test_draining_a_node_fails_no_connection(sandbox: Sandbox) -> None:
    target = a_target(sandbox)
    groups = {group.name for group in sandbox.groups()}
    with traffic(sandbox) as record:
        drain = subprocess.Popen(
            [".venv/bin/sandbox", "node", "drain", target.node],
            env=sandbox.environment,
            stdout=subprocess.DEVNULL,
        )
        eventually(lambda: states_of(sandbox, target.id) == dict.fromkeys(groups, "draining"), within=10)
        assert drain.wait(60) == 0
        eventually(lambda: states_of(sandbox, target.id) == {}, within=60)
        time.sleep(1)  # a second of traffic after it is gone
    assert len(record.requests) > 20 * len(entries(sandbox, "http"))
    assert record.failures == []


def states_of(sandbox: Sandbox, instance: str) -> dict[str, str]:
    return {g.name: t.state for g in sandbox.groups() for t in g.targets if t.id == instance}


def test_a_target_removed_by_hand_is_back_within_35_seconds(sandbox: Sandbox) -> None:
    group = sandbox.groups()[0]
    target = next(t for t in group.targets if t.state == "healthy")
    sandbox.aws("elbv2").deregister_targets(
        TargetGroupArn=group.arn, Targets=[{"Id": target.id, "Port": target.port}]
    )
    back = {"initial", "healthy"}
    eventually(lambda: states_of(sandbox, target.id).get(group.name) in back, within=35)
    eventually(lambda: states_of(sandbox, target.id).get(group.name) == "healthy", within=20)


def test_a_foreign_target_in_an_exclusive_group_goes(sandbox: Sandbox) -> None:
    group = sandbox.groups()[0]
    (control_plane,) = (node for node in sandbox.status().nodes if node.name == "control-plane")
    foreign = {"Id": control_plane.instance_id, "Port": group.targets[0].port}
    sandbox.aws("elbv2").register_targets(TargetGroupArn=group.arn, Targets=[foreign])
    assert states_of(sandbox, control_plane.instance_id)
    eventually(lambda: set(states_of(sandbox, control_plane.instance_id).values()) <= {"draining"}, within=60)


def test_the_health_check_takes_traffic_off_a_killed_node(sandbox: Sandbox) -> None:
    target = a_target(sandbox)
    sandbox.sandbox("node", "kill", target.node)
    eventually(lambda: set(sandbox.states(target.node).values()) == {"unhealthy"}, within=40)
    with traffic(sandbox) as record:
        time.sleep(2)
    assert record.failures == []
    assert sandbox.states(target.node), "a node that is not Ready stays registered"


def test_with_health_checks_off_a_killed_node_costs_connections(sandbox: Sandbox) -> None:
    target = a_target(sandbox)
    sandbox.sandbox("health-checks", "off")
    try:
        sandbox.sandbox("node", "kill", target.node)
        with traffic(sandbox) as record:
            time.sleep(3)
    finally:
        sandbox.sandbox("health-checks", "on")
    assert record.failures
    eventually(lambda: set(sandbox.states(target.node).values()) == {"unhealthy"}, within=40)


def syncer_pids(sandbox: Sandbox) -> list[int]:
    """The processes that the pod runner started: their environment names its mounts."""
    listed = subprocess.run(
        ["ps", "axeww", "-o", "pid=,command="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    mounts = f"CONTAINER_SANDBOX_MOUNT_POINT={sandbox.layout.pods}"
    return [int(line.split()[0]) for line in listed if mounts in line]


def test_killing_the_syncer_in_the_middle_of_a_change_ends_in_the_same_state(sandbox: Sandbox) -> None:
    pids = syncer_pids(sandbox)
    assert pids
    adding = subprocess.Popen(
        [".venv/bin/sandbox", "node", "add", "3"],
        env=sandbox.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    names = (adding.communicate(timeout=60)[0]).split()
    groups = {group.name for group in sandbox.groups()}
    eventually(
        lambda: all(sandbox.states(name) == dict.fromkeys(groups, "healthy") for name in names), within=60
    )
    assert set(syncer_pids(sandbox)).isdisjoint(pids)


def test_without_the_firewall_rule_targets_turn_unhealthy_and_pulumi_up_mends_it(sandbox: Sandbox) -> None:
    ec2 = sandbox.aws("ec2")
    port = sandbox.groups()[0].targets[0].port
    health_ports = {
        int(g["HealthCheckPort"]) for g in sandbox.aws("elbv2").describe_target_groups()["TargetGroups"]
    }
    rules = [
        rule
        for rule in ec2.describe_security_group_rules()["SecurityGroupRules"]
        if not rule["IsEgress"] and rule.get("FromPort") in {port, *health_ports} and rule["FromPort"] > 1024
    ]
    assert rules
    for rule in rules:
        ec2.revoke_security_group_ingress(
            GroupId=rule["GroupId"], SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]]
        )
    eventually(lambda: not any(group.healthy for group in sandbox.groups()), within=60)
    sandbox.pulumi("up", "--yes", "--skip-preview", "--refresh", "--non-interactive")
    eventually(lambda: all(group.healthy for group in sandbox.groups()), within=60)


def test_make_up_on_a_running_sandbox_changes_nothing(sandbox: Sandbox) -> None:
    before = outputs_of(sandbox)
    said = sandbox.make("up")
    page = re.search(r"^syncer +ready +(http://\S+)$", said, re.MULTILINE)
    assert page, said
    # Either replica's page: which one is named depends on which became ready first.
    with urllib.request.urlopen(page[1], timeout=5) as answer:  # noqa: S310  (loopback)
        assert answer.status == 200
    assert outputs_of(sandbox) == before


def outputs_of(sandbox: Sandbox) -> dict[str, object]:
    status = sandbox.status()
    return {"ips": status.static_ips, "groups": [group.arn for group in status.groups]}


def test_destroy_leaves_no_aws_resource_and_the_namespace_with_the_syncers_record(sandbox: Sandbox) -> None:
    sandbox.pulumi("destroy", "--yes", "--skip-preview", "--non-interactive")
    elb, ec2 = sandbox.aws("elbv2"), sandbox.aws("ec2")
    assert elb.describe_load_balancers()["LoadBalancers"] == []
    assert elb.describe_target_groups()["TargetGroups"] == []
    assert ec2.describe_addresses()["Addresses"] == []
    assert sandbox.aws("iam").list_users()["Users"] == []
    groups = {group["GroupName"] for group in ec2.describe_security_groups()["SecurityGroups"]}
    assert groups <= {"default", "nodes.sandbox"}
    api = Rest(sandbox.layout)
    names = {item["metadata"]["name"] for path in KINDS for item in api.get(path)["items"]}
    left = {name for name in names if "nlb" in name or "traefik" in name}
    assert left == {"ingress-traefik", "nlb-sync-state"}


def test_make_up_provisions_again_what_was_destroyed_by_hand(sandbox: Sandbox) -> None:
    sandbox.make("up")
    assert all(group.healthy for group in sandbox.groups())


def test_make_down_leaves_no_process_and_no_port_even_where_some_were_killed(sandbox: Sandbox) -> None:
    for name in ("nodes", "dataplane"):
        os.kill(
            next(each.pid for each in process.running(sandbox.layout) if each.name == name), signal.SIGKILL
        )
    pids = [each.pid for each in process.running(sandbox.layout)]
    assert pids
    sandbox.make("down", timeout=120)
    assert [pid for pid in pids if alive(pid)] == []
    for port in sandbox.layout.ports().values():
        socket.create_server((HOST, port)).close()
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(sandbox.layout.directory) not in listed
    assert syncer_pids(sandbox) == []


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody has collected does not."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(found.stdout.strip()) and not found.stdout.startswith("Z")


def test_make_down_with_nothing_up_says_so_in_one_line(sandbox: Sandbox) -> None:
    done = subprocess.run(
        [".venv/bin/sandbox", "down"],
        env=sandbox.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert done.stderr == "error: no sandbox is running here; run `make up`\n"
