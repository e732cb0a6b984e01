"""Volumes hold what their sources say, follow them, and tokens in them are renewed in time."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from sandbox.kubelet.environment import ConfigError, Facts, Objects
from sandbox.kubelet.volumes import Volumes, link, references
from sandbox.nodes.kube import Kube

FACTS = Facts(pod_ip="127.64.31.7", host_ip="127.64.16.4", allocatable={})


class Issuer:
    """Hands out a new token at each call, as TokenRequest does."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    async def create(self, _path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(body["spec"])
        return {"status": {"token": f"token-{len(self.asked)}"}}


def pod(*volumes: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": "p", "namespace": "n", "uid": "u", "labels": {}}
    return {"metadata": metadata, "spec": {"serviceAccountName": "sa", "volumes": list(volumes)}}


def write(volumes: Volumes, found: dict[str, Any], objects: Objects | None = None) -> None:
    asyncio.run(volumes.write(found, FACTS, objects or {}))


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def volumes(tmp_path: Path, issuer: Issuer) -> Volumes:
    return Volumes(cast("Kube", issuer), tmp_path / "volumes")


def projected(*sources: dict[str, Any]) -> dict[str, Any]:
    return {"name": "api", "projected": {"sources": list(sources)}}


def token(seconds: int) -> dict[str, Any]:
    return {"serviceAccountToken": {"path": "token", "expirationSeconds": seconds}}


def test_a_token_is_kept_while_it_is_fresh_and_bound_to_its_pod(volumes: Volumes, issuer: Issuer) -> None:
    for _ in range(2):
        write(volumes, pod(projected(token(3607))))

    assert (volumes.directory / "api" / "token").read_text() == "token-1"
    assert issuer.asked[0]["expirationSeconds"] == 3607
    assert issuer.asked[0]["boundObjectRef"]["uid"] == "u"


def test_a_token_near_its_end_is_replaced(volumes: Volumes) -> None:
    for _ in range(2):
        write(volumes, pod(projected(token(0))))

    assert (volumes.directory / "api" / "token").read_text() == "token-2"


def test_secrets_are_readable_by_their_owner_alone_and_follow_their_object(volumes: Volumes) -> None:
    found = pod({"name": "s", "secret": {"secretName": "keys"}})
    write(volumes, found, {("secrets", "keys"): {"id": b"1", "gone": b"x"}})
    write(volumes, found, {("secrets", "keys"): {"id": b"2"}})

    assert [path.name for path in (volumes.directory / "s").iterdir()] == ["id"]
    assert (volumes.directory / "s" / "id").read_bytes() == b"2"
    assert volumes.directory.stat().st_mode & 0o077 == 0
    assert (volumes.directory / "s" / "id").stat().st_mode & 0o777 == 0o644  # any user of a container


def test_items_choose_keys_and_give_them_paths(volumes: Volumes) -> None:
    chosen = {"name": "told", "items": [{"key": "a", "path": "deep/b"}]}
    found = pod({"name": "c", "configMap": chosen})
    write(volumes, found, {("configmaps", "told"): {"a": b"1", "other": b"2"}})

    assert references(found) == {("configmaps", "told")}
    assert (volumes.directory / "c" / "deep" / "b").read_bytes() == b"1"
    assert not (volumes.directory / "c" / "other").exists()


def test_a_missing_object_is_an_error_unless_it_is_optional(volumes: Volumes) -> None:
    with pytest.raises(ConfigError, match='secret "keys" not found'):
        write(volumes, pod({"name": "s", "secret": {"secretName": "keys"}}))
    write(volumes, pod({"name": "s", "secret": {"secretName": "keys", "optional": True}}))


def test_a_kind_of_volume_that_is_not_simulated_is_named(volumes: Volumes) -> None:
    with pytest.raises(ConfigError, match="volume h: kind hostPath is not simulated"):
        write(volumes, pod({"name": "h", "hostPath": {"path": "/"}}))


def test_mount_paths_lie_below_the_container_s_root(volumes: Volumes, tmp_path: Path) -> None:
    write(volumes, pod({"name": "c", "configMap": {"name": "told"}}), {("configmaps", "told"): {"a": b"1"}})
    container = {"volumeMounts": [{"name": "c", "mountPath": "/etc/told"}]}

    for _ in range(2):  # a restarted container finds its links
        link(tmp_path / "root", volumes.directory, container)

    assert (tmp_path / "root" / "etc" / "told" / "a").read_bytes() == b"1"
