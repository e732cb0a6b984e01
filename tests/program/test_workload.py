"""The syncer's Deployment: in-place updates, secret environment, placement, and what cluster policies ask."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.program.world import Config, Record, Registered, RunProgram, in_clear, revealed

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
SECRET = "kubernetes:core/v1:Secret"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SYNCER = "node-nlb-sync:syncer"
PASSWORD = "hunter2-of-the-proxy"


def pod(record: Record) -> dict[str, Any]:
    found: dict[str, Any] = record.one(DEPLOYMENT).inputs["spec"]["template"]["spec"]
    return found


def container(record: Record) -> dict[str, Any]:
    (found,) = pod(record)["containers"]
    return dict(found)


def stamp(record: Record) -> str:
    template = record.one(DEPLOYMENT).inputs["spec"]["template"]
    return str(template["metadata"]["annotations"]["node-nlb-sync/configuration"])


def test_no_property_of_the_deployment_is_an_output_of_configmap_or_secret(record: Record) -> None:
    """A replaced dependency makes such a property unknown, and the Deployment is replaced with it."""
    deployment = record.one(DEPLOYMENT)
    told = {item.urn for kind in (SECRET, CONFIG_MAP) for item in record.of(kind).values()}
    used = {urn for urns in deployment.property_dependencies.values() for urn in urns}
    assert not told & used
    assert told <= set(deployment.dependencies)


@pytest.fixture
def with_secret(run_program: RunProgram, config: Config) -> Callable[..., Record]:
    def run(**env: str) -> Record:
        config[SYNCER] |= {"env": env}
        run_program.secret_keys = [SYNCER]
        return run_program()

    return run


def env_secret(record: Record) -> Registered:
    return record.of(SECRET)["node-nlb-env"]


def test_secret_values_of_env_are_in_a_secret_and_nowhere_in_clear(
    with_secret: Callable[..., Record],
) -> None:
    record = with_secret(HTTPS_PROXY=PASSWORD, NLB_SYNC_ADDRESS="$(POD_IP)")
    item = env_secret(record)
    data, secret = revealed(item.inputs["data"])
    assert secret
    assert {key: base64.b64decode(value).decode() for key, value in data.items()} == {"HTTPS_PROXY": PASSWORD}
    assert item.inputs["metadata"]["name"] == "nlb-sync-env"
    assert container(record)["envFrom"] == [
        {"configMapRef": {"name": "nlb-sync"}},
        {"secretRef": {"name": "nlb-sync-env"}},
    ]
    plain = {entry["name"]: entry["value"] for entry in container(record)["env"] if "value" in entry}
    assert plain == {"NLB_SYNC_ADDRESS": "$(POD_IP)"}
    clear = json.dumps([in_clear(each.inputs) for each in record.resources] + [in_clear(record.outputs)])
    assert PASSWORD not in clear
    assert base64.b64encode(PASSWORD.encode()).decode() not in clear


def test_a_changed_secret_rolls_the_deployment_and_is_not_in_its_annotation(
    with_secret: Callable[..., Record],
) -> None:
    first, again, changed = (with_secret(TOKEN=value) for value in ("one", "one", "two"))
    assert stamp(first) == stamp(again) != stamp(changed)


def test_without_secrets_there_is_no_second_secret(record: Record) -> None:
    assert list(record.of(SECRET)) == ["node-nlb"]


def test_a_reference_inside_a_text_is_refused_where_it_would_not_be_expanded(
    with_secret: Callable[..., Record],
) -> None:
    with pytest.raises(Exception, match=r"syncer\.env\.NLB_SYNC_X: read a reference to POD_IP .*; fix: "):
        with_secret(TOKEN=PASSWORD, NLB_SYNC_X="http://$(POD_IP):80")


def test_a_wrong_value_of_a_key_that_holds_secrets_is_not_repeated(
    run_program: RunProgram, config: Config
) -> None:
    config[SYNCER] |= {"env": {"TOKEN": 4711_0815_4242}, "replicas": PASSWORD}
    run_program.secret_keys = [SYNCER]
    with pytest.raises(Exception, match=r"syncer\.env\.TOKEN: read a value of a key that holds") as refused:
        run_program()
    assert PASSWORD not in str(refused.value)
    assert "4711" not in str(refused.value)


def test_placement_keys_are_in_the_pod(run_program: RunProgram, config: Config) -> None:
    config[SYNCER] |= {
        "imagePullSecrets": ["registry"],
        "priorityClassName": "system-cluster-critical",
        "labels": {"team": "edge", "app.kubernetes.io/managed-by": "platform"},
        "annotations": {"example.com/owner": "edge@example.com", "prometheus.io/scrape": "false"},
        "topologySpread": [{"topologyKey": "topology.kubernetes.io/zone"}],
    }
    record = run_program()
    deployment = record.one(DEPLOYMENT).inputs
    template = deployment["spec"]["template"]
    assert pod(record)["imagePullSecrets"] == [{"name": "registry"}]
    assert pod(record)["priorityClassName"] == "system-cluster-critical"
    assert pod(record)["topologySpreadConstraints"] == [
        {
            "topologyKey": "topology.kubernetes.io/zone",
            "maxSkew": 1,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"app": "nlb-sync"}},
        }
    ]
    assert "affinity" not in pod(record)
    expected = {
        "app": "nlb-sync",
        "app.kubernetes.io/name": "node-nlb-sync",
        "app.kubernetes.io/instance": "nlb-sync",
        "app.kubernetes.io/managed-by": "platform",
        "team": "edge",
    }
    assert template["metadata"]["labels"] == expected
    for item in (record.one(CONFIG_MAP), record.one(DEPLOYMENT)):
        assert item.inputs["metadata"]["labels"] == expected
    assert deployment["metadata"]["annotations"]["example.com/owner"] == "edge@example.com"
    assert template["metadata"]["annotations"]["prometheus.io/scrape"] == "false"
    assert deployment["spec"]["selector"] == {"matchLabels": {"app": "nlb-sync"}}


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("labels", "app"),
        ("labels", "app.kubernetes.io/name"),
        ("annotations", "node-nlb-sync/configuration"),
        ("annotations", "eks.amazonaws.com/skip-containers"),
    ],
)
def test_labels_and_annotations_of_the_stack_cannot_be_overridden(
    run_program: RunProgram, config: Config, key: str, name: str
) -> None:
    config[SYNCER] |= {key: {name: "mine"}}
    with pytest.raises(Exception, match=rf"syncer\.{key}.*{name}.*a key that the stack sets itself"):
        run_program()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("labels", {"a key": "x"}),
        ("labels", {"team": "edge team"}),
        ("imagePullSecrets", ["Registry"]),
        ("priorityClassName", "High"),
        ("topologySpread", [{"topologyKey": "zone", "whenUnsatisfiable": "Never"}]),
    ],
)
def test_what_the_api_server_would_refuse_is_refused_before(
    run_program: RunProgram, config: Config, key: str, value: Any
) -> None:
    config[SYNCER] |= {key: value}
    with pytest.raises(Exception, match=rf"node-nlb-sync:syncer\.{key}"):
        run_program()
    assert run_program.last.resources == []


def test_with_host_network_a_pod_ends_before_its_successor_needs_the_ports(
    run_program: RunProgram, config: Config
) -> None:
    config[SYNCER] |= {"hostNetwork": True}
    record = run_program()
    assert pod(record)["hostNetwork"] is True
    assert pod(record)["dnsPolicy"] == "ClusterFirstWithHostNet"
    assert record.one(DEPLOYMENT).inputs["spec"]["strategy"]["rollingUpdate"] == {
        "maxSurge": 0,
        "maxUnavailable": 1,
    }


def test_a_network_of_its_own_is_the_default(record: Record) -> None:
    assert {"hostNetwork", "dnsPolicy"}.isdisjoint(pod(record))


POLICIES: dict[str, Callable[[dict[str, Any], dict[str, Any], dict[str, str]], bool]] = {
    "Kyverno require-requests-limits, Gatekeeper K8sContainerLimits": lambda _, c, __: all(
        c["resources"][kind].get(amount) for kind in ("requests", "limits") for amount in ("cpu", "memory")
    ),
    "Kyverno require-pod-probes, Gatekeeper K8sRequiredProbes": lambda _, c, __: bool(
        c["livenessProbe"] and c["readinessProbe"] and c["livenessProbe"] != c["readinessProbe"]
    ),
    "Kyverno require-ro-rootfs, Gatekeeper K8sPSPReadOnlyRootFilesystem": lambda _, c, __: c[
        "securityContext"
    ]["readOnlyRootFilesystem"],
    "Kyverno require-drop-all, Gatekeeper K8sPSPCapabilities": lambda _, c, __: (
        c["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    ),
    "Kyverno disallow-privilege-escalation, K8sPSPAllowPrivilegeEscalationContainer": lambda _, c, __: (
        c["securityContext"]["allowPrivilegeEscalation"] is False
    ),
    "Kyverno require-run-as-nonroot, Gatekeeper K8sPSPAllowedUsers": lambda p, _, __: (
        p["securityContext"]["runAsNonRoot"] is True and p["securityContext"]["runAsUser"] > 0
    ),
    "Kyverno restrict-seccomp-strict, Gatekeeper K8sPSPSeccomp": lambda p, _, __: (
        p["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    ),
    "Kyverno disallow-host-namespaces, Gatekeeper K8sPSPHostNetworkingPorts": lambda p, c, __: (
        {"hostNetwork", "hostPID", "hostIPC"}.isdisjoint(p)
        and all("hostPort" not in each for each in c["ports"])
    ),
    "Kyverno restrict-volume-types, disallow-host-path": lambda p, _, __: not p.get("volumes"),
    "Kyverno disallow-latest-tag, Gatekeeper K8sDisallowedTags": lambda _, c, __: (
        "@sha256:" in c["image"] or c["image"].rpartition(":")[2] not in ("latest", c["image"])
    ),
    "Kyverno require-labels, Gatekeeper K8sRequiredLabels": lambda _, __, labels: (
        {"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/managed-by"}
        <= set(labels)
    ),
    "Kyverno spread-pods, Gatekeeper K8sPodAntiAffinity": lambda p, _, __: bool(
        p.get("affinity") or p.get("topologySpreadConstraints")
    ),
}


@pytest.mark.parametrize("policy", POLICIES)
def test_the_pod_passes_the_common_policies(record: Record, policy: str) -> None:
    labels = record.one(DEPLOYMENT).inputs["spec"]["template"]["metadata"]["labels"]
    assert POLICIES[policy](pod(record), container(record), labels)
