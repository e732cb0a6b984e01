"""The Helm chart and `nlb-sync manifests`: the same objects, and a real API server takes them."""

import http.client
import json
import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.helmchart import CHART
from sandbox.cluster import Rest
from sandbox.cluster.rest import APPLY_PATCH, ApiError, admin_context
from sandbox.layout import HOST, Layout
from sandbox.plugins.kubernetes.catalog import Catalog
from sandbox.plugins.kubernetes.connection import Connection, load
from sandbox.toolchain import ensure
from syncer.manifests.credentials import KINDS, of_kind
from syncer.manifests.pod import Workload, pod_spec
from syncer.manifests.workload import rolling

# A build of helm takes minutes the first time.
pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(900)]

NAMESPACE, SERVICES = "chart-syncer", ("chart-edge", "chart-web")
ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup"
GROUPS = [
    {
        "arn": f"{ARN}/g{index}/000000000000000{index}",
        "namespace": namespace,
        "service": service,
        **({"port": port} if port else {}),
    }
    for index, (namespace, service, port) in enumerate(
        [
            (SERVICES[0], "traefik", "http"),
            (SERVICES[1], "nginx", 443),
            (SERVICES[0], "haproxy", None),
            (SERVICES[0], "traefik", "https"),
        ]
    )
]
ROLE = "arn:aws:iam::123456789012:role/nlb-sync"
IMAGE = f"registry.example.com/node-nlb-sync@sha256:{'0' * 64}"
ENV = {"NLB_SYNC_ADDRESS": "$(POD_IP)", "NLB_SYNC_LOG_LEVEL": "debug", "NOTE": "\"<a> & 'b'\": ü #\\"}


@pytest.fixture(scope="session")
def helm() -> Path:
    return ensure(("helm",), lambda _: None)["helm"]


def values(kind: str) -> dict[str, Any]:
    role = {"roleArn": ROLE} if kind == "irsa" else {}
    return {
        "image": IMAGE,
        "targetGroups": GROUPS,
        "identity": {"kind": kind, **role},
        "name": "edge",
        "zones": ["eu-central-1a", "eu-central-1b"],
        "labelFilter": "role=edge,!cordoned",
        "env": ENV,
    }


def templated(helm: Path, given: dict[str, Any], *flags: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(helm), "template", "release", str(CHART), "--namespace", NAMESPACE, "--values", "-", *flags],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )


def of_helm(helm: Path, given: dict[str, Any]) -> list[dict[str, Any]]:
    done = templated(helm, given)
    assert (done.returncode, done.stderr) == (0, "")
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def of_command(kind: str) -> list[dict[str, Any]]:
    """The objects that the command prints for the choice of `values`."""
    words = ["--identity", kind, "--image", IMAGE, "--name", "edge", "--namespace", NAMESPACE]
    words += ["--zones", "eu-central-1a,eu-central-1b", "--node-selector", "role=edge,!cordoned"]
    for group in GROUPS:
        port = f":{group['port']}" if "port" in group else ""
        words += ["--target-group", f"{group['arn']}={group['namespace']}/{group['service']}{port}"]
    words += [word for name, value in ENV.items() for word in ("--env", f"{name}={value}")]
    words += ["--role-arn", ROLE] if kind == "irsa" else []
    command = [sys.executable, "-m", "syncer", "manifests", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return list(yaml.safe_load_all(done.stdout))


def by_key(found: list[dict[str, Any]]) -> dict[tuple[str, ...], dict[str, Any]]:
    """The objects by what names them, without the tool's name."""
    plain = json.loads(json.dumps(found).replace('managed-by": "Helm"', 'managed-by": "nlb-sync"'))
    named: dict[tuple[str, ...], dict[str, Any]] = {
        (each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]): each
        for each in plain
    }
    assert len(named) == len(found)
    return named


@pytest.mark.parametrize("kind", KINDS)
def test_helm_template_prints_what_the_command_prints(helm: Path, kind: str) -> None:
    assert by_key(of_helm(helm, values(kind))) == by_key(of_command(kind))


@pytest.fixture(scope="module")
def namespaces(cluster: Layout) -> Layout:
    """The syncer's namespace warns of what PodSecurity `restricted` would refuse."""
    api = Rest(cluster)
    warn = {"pod-security.kubernetes.io/warn": "restricted"}
    for name, labels in ((NAMESPACE, warn), *((name, {}) for name in SERVICES)):
        api.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
    return cluster


def applied(layout: Layout, body: dict[str, Any]) -> list[str]:
    """Apply an object as a dry run, with unknown and repeated fields refused; the server's warnings."""
    kind = Catalog(Connection(load(str(layout.kubeconfig)))).find(body["apiVersion"], body["kind"])
    path = kind.path(body["metadata"].get("namespace", ""), body["metadata"]["name"])
    connection = http.client.HTTPSConnection(HOST, layout.apiserver_port, context=admin_context(layout))
    try:
        query = "dryRun=All&fieldManager=test&fieldValidation=Strict"
        connection.request("PATCH", f"{path}?{query}", json.dumps(body), {"Content-Type": APPLY_PATCH})
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status in {200, 201}, text
        return answer.headers.get_all("Warning") or []
    finally:
        connection.close()


EVERYTHING = {
    "labels": {"team": "edge"},
    "annotations": {"example.com/owner": "edge", "prometheus.io/scrape": "false"},
    "nodeSelector": {"role": "system"},
    "tolerations": [{"key": "process", "operator": "Equal", "value": "critical", "effect": "NoSchedule"}],
    "imagePullSecrets": [{"name": "registry"}],
    "priorityClassName": "system-cluster-critical",
    "egressPorts": [443, 8443],
    "replicas": 3,
}


@pytest.mark.parametrize("more", [{}, EVERYTHING], ids=["defaults", "everything"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_api_server_takes_every_object_without_a_warning(
    helm: Path, namespaces: Layout, kind: str, more: dict[str, Any]
) -> None:
    found = of_helm(helm, {**values(kind), **more})
    assert len(found) == 17
    assert [warning for each in found for warning in applied(namespaces, each)] == []


def test_the_api_server_warns_of_a_pod_that_is_not_restricted(helm: Path, namespaces: Layout) -> None:
    (deployment,) = [each for each in of_helm(helm, values("external")) if each["kind"] == "Deployment"]
    del deployment["spec"]["template"]["spec"]["securityContext"]
    assert "would violate PodSecurity" in " ".join(applied(namespaces, deployment))


def test_values_reach_the_deployment(helm: Path) -> None:
    found = {each["kind"]: each for each in of_helm(helm, {**values("irsa"), **EVERYTHING})}
    deployment = found["Deployment"]
    template = deployment["spec"]["template"]
    assert deployment["spec"]["replicas"] == 3
    assert template["metadata"]["labels"]["team"] == "edge"
    assert template["metadata"]["annotations"]["prometheus.io/scrape"] == "false"
    assert template["metadata"]["annotations"]["prometheus.io/port"] == "8080"
    assert deployment["metadata"]["annotations"] == EVERYTHING["annotations"]
    for name in ("nodeSelector", "tolerations", "imagePullSecrets", "priorityClassName"):
        assert template["spec"][name] == EVERYTHING[name]
    opened = [port["port"] for port in found["NetworkPolicy"]["spec"]["egress"][0]["ports"]]
    assert opened == [53, 53, 443, 8443]


def test_the_replicas_are_spread_and_on_their_nodes_network_as_the_components_are(helm: Path) -> None:
    spread = {"topologyKey": "topology.kubernetes.io/zone", "maxSkew": 2}
    given = {**values("node-role"), "topologySpread": [spread], "hostNetwork": True}
    (found,) = [each["spec"] for each in of_helm(helm, given) if each["kind"] == "Deployment"]
    whole = Workload(
        name=given["name"],
        namespace="default",
        image=given["image"],
        credentials=of_kind("node-role"),
        managed_by="Helm",
        topology_spread=[{**spread, "whenUnsatisfiable": "ScheduleAnyway"}],
        host_network=True,
    )
    assert found["strategy"] == rolling(whole)
    wanted = pod_spec(whole)
    assert "affinity" not in wanted
    for name in ("topologySpreadConstraints", "hostNetwork", "dnsPolicy", "affinity"):
        assert found["template"]["spec"].get(name) == wanted.get(name)


def test_a_target_group_that_is_there_twice_is_refused_in_one_line(helm: Path) -> None:
    given = values("node-role")
    arn = given["targetGroups"][0]["arn"]
    given["targetGroups"] = [given["targetGroups"][0]] * 2
    done = templated(helm, given)
    assert done.returncode != 0
    assert f"targetGroups: duplicate ARN: {arn}; list it once" in done.stderr


@pytest.mark.parametrize(
    ("flag", "says"),
    [
        ("replicas=two", "at '/replicas': got string, want integer"),
        ("repicas=2", "additional properties 'repicas' not allowed"),
        ("labels.app=x", "at '/labels/app'"),
        ("env.NLB_SYNC_NAME=x", "at '/env/NLB_SYNC_NAME'"),
        ("env.NLB_SYNC_ADDRESS=127.0.0.1", "at '/env/NLB_SYNC_ADDRESS'"),
        ("hostNetwork=1", "at '/hostNetwork': got number, want boolean"),
        ("targetGroups[0].port=0", "at '/targetGroups/0/port'"),
        ("targetGroups[0].arn=arn:aws:x", "at '/targetGroups/0/arn'"),
        ("topologySpread[0].maxSkew=2", "missing property 'topologyKey'"),
        ("identity.kind=keys", "at '/identity/kind': value must be one of 'pod-identity'"),
        ("image=Node:1", "at '/image': 'Node:1' does not match pattern"),
        ("image=a:1:2", "at '/image'"),
        ("image=a//b", "at '/image'"),
        ("image=", "at '/image'"),
        ("labels.a b=x", "additional properties 'a b' not allowed"),
        ("labels.a=x y", "at '/labels/a'"),
        ("nodeSelector.a=-", "at '/nodeSelector/a'"),
        ("annotations.a/b/c=x", "at '/annotations'"),
        ("labelFilter=role in worker", "at '/labelFilter'"),
        ("labelFilter=a=b\\,\\,c", "at '/labelFilter'"),
        ("labelFilter=a b", "at '/labelFilter'"),
        ("replicas=null", "missing property 'replicas'"),
        ("resources.limits=null", "missing property 'limits'"),
        ("identity.secretName=null", "missing property 'secretName'"),
        ("resources.limits.memory=200m", "at '/resources/limits/memory'"),
        (
            "resources.requests.cpu=0.6",
            "resources.requests.cpu: 0.6 is above resources.limits.cpu; set at most 500m",
        ),
        (
            "resources.limits.memory=0.1Gi",
            "resources.requests.memory: 200Mi is above resources.limits.memory",
        ),
    ],
)
def test_a_wrong_value_is_refused_by_its_path(helm: Path, flag: str, says: str) -> None:
    done = templated(helm, values("node-role"), "--set", flag)
    assert done.returncode != 0
    assert says in done.stderr


def test_the_packaged_chart_is_named_by_the_version(helm: Path, tmp_path: Path) -> None:
    command = [str(helm), "package", str(CHART), "--destination", str(tmp_path)]
    subprocess.run(command, capture_output=True, check=True)
    assert [path.name for path in tmp_path.iterdir()] == [f"nlb-sync-{version('node-nlb-sync')}.tgz"]


def test_helm_finds_nothing_wrong_with_the_chart(helm: Path) -> None:
    done = subprocess.run(
        [str(helm), "lint", "--strict", str(CHART), "--values", "-"],
        input=json.dumps(values("external")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_commands_of_the_page_install_and_remove_the_chart(
    helm: Path, cluster: Layout, tmp_path: Path
) -> None:
    page = (CHART.parent / "docs/manifests.md").read_text()
    (sample,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (install,) = re.findall(r"^helm .*", page, re.MULTILINE)
    (uninstall,) = re.findall(r"`(helm uninstall [^`]+)`", page)
    (tmp_path / "values.yaml").write_text(sample)
    (tmp_path / "chart").symlink_to(CHART)
    environ = {"KUBECONFIG": str(cluster.kubeconfig), "HOME": str(tmp_path), "PATH": str(helm.parent)}

    def run(command: str) -> str:
        done = subprocess.run(
            shlex.split(command), cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "warning" not in done.stderr.lower(), done.stderr
        return done.stdout

    api = Rest(cluster)
    api.create("/api/v1/namespaces", {"metadata": {"name": "traefik"}})
    path = "/apis/apps/v1/namespaces/kube-system/deployments/nlb-sync"
    notes = run(install)
    assert "has no digest" not in notes
    first = api.get(path)
    assert run(install.replace("values.yaml", "values.yaml --set ownership=add-only"))
    template, second = (
        each["spec"]["template"]["metadata"]["annotations"] for each in (first, api.get(path))
    )
    assert template["node-nlb-sync/configuration"] != second["node-nlb-sync/configuration"]
    assert api.get("/apis/rbac.authorization.k8s.io/v1/namespaces/traefik/roles/nlb-sync-service")
    run(uninstall)
    with pytest.raises(ApiError):
        api.get(path)
