"""One stack from its first preview to its destruction, by the literal Pulumi CLI and the offline plugins."""

import base64
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import pytest

from sandbox.cluster import ApiError, Rest
from tests.integration.plugins.conftest import Make
from tests.integration.plugins.project import Project, Said

pytestmark = pytest.mark.toolchain

NAMESPACE = "/api/v1/namespaces/engine-life"
SERVICE = f"{NAMESPACE}/services/traefik"
PASSWORD = "correct horse battery"
PROGRAM = """\
    import pulumi
    import pulumi_kubernetes as k8s

    config = pulumi.Config()
    namespace = k8s.core.v1.Namespace("namespace", metadata={"name": "engine-life"})
    inside = namespace.metadata["name"]
    service = k8s.core.v1.Service(
        "service",
        metadata={
            "name": "traefik",
            "namespace": inside,
            "labels": {"ours": "goes"},
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        spec={
            "type": "NodePort",
            "selector": {"app": "traefik"},
            "ports": [{"name": "http", "port": 80}, {"name": "https", "port": 443}],
        },
    )
    settings = k8s.core.v1.ConfigMap(
        "settings", metadata={"namespace": inside}, data={"mode": "first"}
    )
    k8s.core.v1.ConfigMap("fixed", metadata={"name": "fixed", "namespace": inside}, data={"mode": "first"})
    k8s.core.v1.Secret(
        "credentials",
        metadata={"name": "credentials", "namespace": inside},
        string_data={
            "password": config.require_secret("password"),
            "port": service.spec.apply(lambda spec: str(spec.ports[0].node_port)),
        },
    )
    k8s.apps.v1.Deployment(
        "workload",
        metadata={"name": "workload", "namespace": inside},
        spec={
            "replicas": 0,
            "selector": {"matchLabels": {"app": "workload"}},
            "template": {
                "metadata": {"labels": {"app": "workload"}},
                "spec": {
                    "containers": [
                        {
                            "name": "main",
                            "image": "example.invalid/none",
                            "env": [{"name": "EMPTY", "value": ""}],
                            "resources": {"requests": {"cpu": "0.25", "memory": "0.5Gi"}},
                            "volumeMounts": [{"name": "settings", "mountPath": "/settings"}],
                        }
                    ],
                    "volumes": [{"name": "settings", "configMap": {"name": settings.metadata["name"]}}],
                },
            },
        },
    )
    k8s.core.v1.ConfigMap(
        "adopted",
        metadata={"name": "engine-adopted", "namespace": "default"},
        data={"kept": "as it was"},
        opts=pulumi.ResourceOptions(import_="default/engine-adopted"),
    )
    pulumi.export("nodePorts", service.spec.apply(lambda s: {p.name: p.node_port for p in s.ports}))
    pulumi.export("settings", settings.metadata["name"])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What happened, stage by stage."""

    previewed: Said
    existed_after_preview: bool
    created: dict[str, Any]
    live: dict[str, Any]
    secret: dict[str, Any]
    state: str
    up_again: Said
    refreshed: Said
    refreshed_after_edit: Said
    mended: dict[str, Any]
    replaced: dict[str, Any]
    config_maps: dict[str, dict[str, str]]
    mounted: str
    gone: bool


@pytest.fixture(scope="module")
def life(make_project: Make, api: Rest) -> Life:
    adopted = {"metadata": {"name": "engine-adopted"}, "data": {"kept": "as it was"}}
    api.create("/api/v1/namespaces/default/configmaps", adopted)
    project = make_project("life")
    project.write(PROGRAM)
    project.run("config", "set", "--secret", "password", PASSWORD).ok()
    try:
        lived = _live(project, api)
    except BaseException:
        project.run("destroy", "--yes", "--skip-preview", "--stack=dev")
        raise
    return lived


def _live(project: Project, api: Rest) -> Life:
    previewed = project.run("preview", "--stack=dev")
    existed = _exists(api, NAMESPACE)
    project.up().ok()
    created, live, state = project.outputs(), api.get(SERVICE), project.state_file()
    secret = api.get(f"{NAMESPACE}/secrets/credentials")
    up_again = project.up("--expect-no-changes")
    refreshed = project.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    api.patch(f"{SERVICE}?fieldManager=kubectl-edit", {"spec": {"selector": {"app": "by-hand"}}})
    api.patch(f"{SERVICE}?fieldManager=a-controller", {"metadata": {"labels": {"theirs": "stays"}}})
    after_edit = project.run("refresh", "--yes", "--skip-preview", "--diff")
    project.write(PROGRAM.replace('"mode": "first"', '"mode": "second"').replace('"ours": "goes"', ""))
    project.run("up", "--yes", "--stack=dev").ok()
    mended, replaced = api.get(SERVICE), project.outputs()
    config_maps = {
        each["metadata"]["name"]: each.get("data", {}) for each in api.get(f"{NAMESPACE}/configmaps")["items"]
    }
    workload = api.get("/apis/apps/v1/namespaces/engine-life/deployments/workload")
    project.run("destroy", "--yes", "--skip-preview", "--stack=dev").ok()
    return Life(
        previewed=previewed,
        existed_after_preview=existed,
        created=created,
        live=live,
        secret=secret,
        state=state,
        up_again=up_again,
        refreshed=refreshed,
        refreshed_after_edit=after_edit,
        mended=mended,
        replaced=replaced,
        config_maps=config_maps,
        mounted=workload["spec"]["template"]["spec"]["volumes"][0]["configMap"]["name"],
        gone=not _exists(api, NAMESPACE)
        and not _exists(api, "/api/v1/namespaces/default/configmaps/engine-adopted"),
    )


def _exists(api: Rest, path: str) -> bool:
    try:
        api.get(path)
    except ApiError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return False
        raise
    return True


def test_a_preview_with_values_that_are_not_known_yet_makes_nothing(life: Life) -> None:
    assert life.previewed.code == 0, life.previewed.text
    assert "7 to create" in life.previewed.text
    assert "1 to import" in life.previewed.text
    assert not life.existed_after_preview


def test_no_plugin_is_warned_about(life: Life) -> None:
    assert "warning" not in life.previewed.text


def test_the_ports_that_the_cluster_allocated_come_back_as_outputs(life: Life) -> None:
    allocated = {port["name"]: port["nodePort"] for port in life.live["spec"]["ports"]}

    assert life.created["nodePorts"] == allocated
    assert base64.b64decode(life.secret["data"]["port"]) == str(allocated["http"]).encode()


def test_a_name_that_the_program_leaves_out_is_the_logical_name_and_eight_hex_digits(life: Life) -> None:
    stem, _, suffix = life.created["settings"].rpartition("-")

    assert stem == "settings"
    assert len(suffix) == 8
    assert int(suffix, 16) >= 0


def test_no_secret_is_in_the_state_in_clear(life: Life) -> None:
    assert base64.b64decode(life.secret["data"]["password"]) == PASSWORD.encode()
    assert PASSWORD not in life.state
    assert life.secret["data"]["password"] not in life.state


def test_a_second_up_changes_nothing(life: Life) -> None:
    assert life.up_again.code == 0, life.up_again.text


def test_a_refresh_finds_nothing_where_nothing_drifted(life: Life) -> None:
    assert life.refreshed.code == 0, life.refreshed.text


def test_a_refresh_sees_what_was_edited_by_hand_and_no_field_that_is_not_ours(life: Life) -> None:
    assert 'app: "traefik" => "by-hand"' in life.refreshed_after_edit.text
    assert "theirs" not in life.refreshed_after_edit.text


def test_an_up_after_the_refresh_mends_the_drift(life: Life) -> None:
    assert life.mended["spec"]["selector"] == {"app": "traefik"}
    assert life.mended["spec"]["ports"] == life.live["spec"]["ports"]


def test_a_field_that_the_program_no_longer_sets_goes_and_anothers_field_stays(life: Life) -> None:
    assert life.live["metadata"]["labels"] == {"ours": "goes"}
    assert life.mended["metadata"]["labels"] == {"theirs": "stays"}


def test_a_changed_config_map_is_replaced_under_a_new_name_and_the_workload_follows(life: Life) -> None:
    assert life.replaced["settings"] != life.created["settings"]
    assert life.created["settings"] not in life.config_maps
    assert life.mounted == life.replaced["settings"]


def test_a_changed_config_map_of_a_fixed_name_is_deleted_before_it_is_made_again(life: Life) -> None:
    assert life.config_maps["fixed"] == {"mode": "second"}


def test_destroy_leaves_nothing_not_even_what_was_imported(life: Life) -> None:
    assert life.gone
