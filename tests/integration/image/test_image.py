"""The image itself: what is in it, how large it is, and that its syncer works with no rights at all."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.image import bundle, storage
from syncer.version import VERSION
from tests.integration.image.conftest import PASSWORD, Contained
from tests.integration.syncer.household import Household

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(1200)]

BASE = "localhost/node-nlb-sync-base"
MOST_OVER_BASE = 60_000_000


def size(path: Path) -> int:
    """The bytes of all regular files below a path."""
    files = (each.lstat() for each in path.rglob("*") if each.is_file() and not each.is_symlink())
    return sum(each.st_size for each in files)


def test_it_adds_little_to_its_base_and_no_tool_that_built_it(image: str) -> None:
    with storage.root_of(image) as root:
        assert size(root / "app") <= MOST_OVER_BASE
        names = {
            each.name for place in ("usr/bin", "usr/local/bin", "app/bin") for each in root.glob(f"{place}/*")
        }
        assert "nlb-sync" in names
        assert not names & {"pip", "pip3", "uv", "gcc", "cc", "make", "git", "curl"}
        assert not (root / "build").exists()
        assert not (root / "app/kubernetes/aio").exists()
        services = {each.name for each in (root / "app/botocore/data").iterdir() if each.is_dir()}
        assert services == {"ec2", "elbv2", "signin", "sso", "sso-oidc", "sts"}
        assert not list((root / "app/syncer").glob("Dockerfile*"))
        compiled = {each.name.partition(".")[0] for each in root.glob("app/syncer/__pycache__/*.pyc")}
        assert compiled == {each.stem for each in root.glob("app/syncer/*.py")}


def test_it_holds_no_password_of_the_index_it_was_built_from(image: str) -> None:
    assert (
        PASSWORD
        not in subprocess.run(
            ["buildah", "inspect", "--type=image", image], capture_output=True, text=True, check=True
        ).stdout
    )
    with storage.root_of(image) as root:
        places = [root / place for place in ("app", "root", "run", "tmp")]
        files = [each for place in places for each in place.rglob("*") if each.is_file()]
        assert not any(PASSWORD.encode() in each.read_bytes() for each in files if not each.is_symlink())


def test_it_says_what_it_is_and_runs_as_nobody(image: str) -> None:
    _, config = storage.inspect("buildah", image)
    labels = config.labels
    assert labels["org.opencontainers.image.version"] == VERSION
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown", labels["org.opencontainers.image.revision"])
    assert config.user == "65532:65532"


def test_its_commands_are_on_the_path(image: str, tmp_path: Path) -> None:
    _, config = storage.inspect("buildah", image)
    for words in (["nlb-sync", "--version"], [*config.entrypoint, "--version"]):
        with storage.root_of(image) as root:
            bundle.write(tmp_path, root, words=words, variables=config.env)
            ran = subprocess.run(
                ["runc", "--root", str(tmp_path / "runc"), "run", "--bundle", str(tmp_path), "asked"],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        assert ran.stdout.strip() == f"nlb-sync {VERSION}", ran.stderr


def test_its_syncer_fills_the_groups_and_ends_at_sigterm(
    contained: Callable[[], Contained], home: Household
) -> None:
    home.join("a", "b", "c")
    syncer = contained()
    home.until(lambda: syncer.ready, within=60)
    home.until(lambda: home.filled_with("a", "b", "c"), within=60)
    assert syncer.status["version"] == VERSION
    home.delete("c")
    home.until(lambda: home.filled_with("a", "b"), within=60)
    assert syncer.stop(within=5) == 0
    assert syncer.get("/healthz") == (0, "")
    assert home.filled_with("a", "b")
