"""The real image, built once, and the syncer in it under runc."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.image import base, bundle, storage
from sandbox.image.builders import Buildah, Wanted
from sandbox.imagepython.pin import DOCKERFILE, Pin
from sandbox.layout import free_ports
from tests.integration.syncer.conftest import home, household
from tests.integration.syncer.household import Household, Syncer

__all__ = ["home", "household"]

ROOT = Path(__file__).parents[3]
NAME = "localhost/node-nlb-sync:tested"
PASSWORD = "a-password-of-an-index"


@pytest.fixture(scope="session")
def image() -> str:
    """The image's name in Buildah's storage, on a base of Debian's packages."""
    lacking = [program for program in ("buildah", "runc", "mmdebstrap") if shutil.which(program) is None]
    if lacking or os.geteuid() != 0:
        what = f"{', '.join(lacking)} is not installed" if lacking else "building needs root rights"
        if os.environ.get("CI"):
            pytest.fail(f"{what}, and CI must test the image")
        pytest.skip(what)
    words = [sys.executable, "-m", "sandbox.image", "--base", "debian", "--name", NAME]
    done = subprocess.run(
        words,
        cwd=ROOT,
        env={**no_docker(), "UV_INDEX_OWN_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{NAME}\n"
    return NAME


def build_first_stage(secrets: Path, platform: str, *options: str) -> None:
    """Build the stage that installs the libraries, with more options of Buildah. Raises PreparationError."""
    builder = Buildah()
    first, build = base.ensure(builder, Pin.read(), lambda _: None)
    wanted = Wanted(
        context=DOCKERFILE.parent,
        name="localhost/node-nlb-sync:first-stage",
        base=first,
        build_base=build,
        platforms=[platform],
        arguments={},
        secrets=secrets,
    )
    builder.build(wanted, lambda _: None, "--target=build", *options)


def no_docker() -> dict[str, str]:
    """The environment in which no engine of Docker's is reached: Podman and Buildah share their storage."""
    return {**os.environ, "DOCKER_HOST": "unix:///nowhere"}


class Contained(Syncer):
    """The image's own process under runc; signals reach it as its first process."""

    def __init__(self, image: str, root: Path, environment: dict[str, str], directory: Path) -> None:
        (self.port,) = free_ports(1)
        _, config = storage.inspect("buildah", image)
        kubeconfig = directory / "kubeconfig"
        kubeconfig.write_text(Path(environment["KUBECONFIG"]).read_text())
        kubeconfig.chmod(0o644)
        temporary = directory / "temporary"  # the client writes a kubeconfig's certificates to files
        temporary.mkdir(exist_ok=True)
        temporary.chmod(0o777)
        variables = {**environment, "KUBECONFIG": "/kubeconfig", "NLB_SYNC_PORT": str(self.port)}
        bundle.write(
            directory,
            root,
            words=[*config.entrypoint, *config.cmd],
            variables={**config.env, **variables},
            binds=[
                bundle.Bind(source=kubeconfig, destination="/kubeconfig"),
                bundle.Bind(source=temporary, destination="/tmp", writable=True),  # noqa: S108
            ],
        )
        self.log = directory / "log"
        words = ["runc", "--root", str(directory / "runc"), "run", "--bundle", str(directory), directory.name]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT)


@pytest.fixture
def contained(image: str, home: Household, tmp_path: Path) -> Iterator[Callable[[], Contained]]:
    """Start the image's syncer for the groups and the Service of `home`."""
    started: list[Contained] = []
    with storage.root_of(image) as root:

        def start() -> Contained:
            started.append(Contained(image, root, home.environment, tmp_path))
            return started[-1]

        yield start
        for each in started:
            if each.process.poll() is None:
                each.stop(within=30)
