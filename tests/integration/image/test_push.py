"""Pushes to a real registry, with and without a login, and a build for another architecture."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import yaml

from sandbox.layout import free_ports
from tests.integration.image.conftest import ROOT, build_first_stage, no_docker

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(1200)]


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry on a port of this machine, as Buildah is told of it."""

    port: int
    environment: dict[str, str]

    def make_image(self, *words: str) -> tuple[int, str, str]:
        command = [sys.executable, "-m", "sandbox.image", "--base", "debian", *words]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=900, check=False
        )
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def registry(image: str, tmp_path: Path) -> Iterator[Callable[..., Registry]]:
    """Start a registry, one that wants a login on request."""
    del image
    running: list[subprocess.Popen[bytes]] = []

    def start(*, login: bool = False) -> Registry:
        (port,) = free_ports(1)
        config = {
            "version": 0.1,
            "storage": {"filesystem": {"rootdirectory": str(tmp_path / "registry")}},
            "http": {"addr": f"127.0.0.1:{port}"},
        }
        if login:  # nobody knows the password
            (tmp_path / "users").write_text("someone:$2y$05$" + "a" * 53 + "\n")
            config["auth"] = {"htpasswd": {"realm": "here", "path": str(tmp_path / "users")}}
        (tmp_path / "registry.yml").write_text(yaml.safe_dump(config))
        told = f'[[registry]]\nlocation = "127.0.0.1:{port}"\ninsecure = true\n'
        (tmp_path / "registries.conf").write_text(told)
        words = ["docker-registry", "serve", str(tmp_path / "registry.yml")]
        with (tmp_path / "registry.log").open("wb") as log:
            running.append(subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT))
        deadline = time.monotonic() + 20
        while not _answers(port):
            assert time.monotonic() < deadline, (tmp_path / "registry.log").read_text()
            time.sleep(0.05)
        (tmp_path / "auth.json").write_text("{}")
        conf = {"CONTAINERS_REGISTRIES_CONF": str(tmp_path / "registries.conf")}
        return Registry(port, {**no_docker(), **conf, "REGISTRY_AUTH_FILE": str(tmp_path / "auth.json")})

    yield start
    for each in running:
        each.terminate()
        each.wait(10)


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/v2/", timeout=2):
            return True
    except HTTPError as refused:
        with refused:
            return refused.code == 401
    except OSError:
        return False


def test_a_push_prints_the_digest_under_which_the_registry_has_it(registry: Callable[..., Registry]) -> None:
    there = registry()
    name = f"127.0.0.1:{there.port}/team/node-nlb-sync"
    code, said, progress = there.make_image("--push", f"{name}:0.1.0")
    assert code == 0, progress
    reference, _, digest = said.strip().partition("@")
    assert reference == name
    url = f"http://127.0.0.1:{there.port}/v2/team/node-nlb-sync/manifests/{digest}"
    accepted = "application/vnd.oci.image.manifest.v1+json"
    with urlopen(Request(url, headers={"Accept": accepted}), timeout=5) as answer:
        assert len(json.load(answer)["layers"]) == 2  # the base, and the syncer with its libraries


def test_without_a_login_the_command_that_logs_in_is_named(registry: Callable[..., Registry]) -> None:
    there = registry(login=True)
    name = f"127.0.0.1:{there.port}/team/node-nlb-sync:0.1.0"
    code, said, progress = there.make_image("--push", name)
    assert (code, said) == (1, "")
    last = progress.splitlines()[-1]
    assert last.startswith(f"error: the registry 127.0.0.1:{there.port} refuses the push: ")
    builder = "podman" if shutil.which("podman") else "buildah"
    assert last.endswith(f"run `{builder} login 127.0.0.1:{there.port}`")


def test_a_registry_that_is_not_there_is_one_line(registry: Callable[..., Registry]) -> None:
    there = registry()
    (port,) = free_ports(1)
    code, said, progress = there.make_image("--push", f"127.0.0.1:{port}/node-nlb-sync:0.1.0")
    assert (code, said) == (1, "")
    last = progress.splitlines()[-1]
    assert last.startswith(f"error: the registry 127.0.0.1:{port} cannot be reached: ")


def test_another_architecture_gets_its_own_libraries_without_emulation(
    image: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Only the stage that builds: there is no base for the other architecture here, and no emulator."""
    del image
    secrets = tmp_path_factory.mktemp("secrets")
    build_first_stage(secrets, "linux/arm64", f"--output=type=local,dest={tmp_path}")
    (library,) = (tmp_path / "app/pydantic_core").glob("*.so")
    assert "aarch64" in library.name
    assert library.read_bytes()[18:20] == b"\xb7\x00"  # e_machine of ELF: EM_AARCH64
