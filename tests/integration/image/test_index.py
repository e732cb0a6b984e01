"""The package index of this machine, which the build uses."""

from pathlib import Path

import pytest

from sandbox.environment import PreparationError
from sandbox.image import base
from sandbox.image.builders import Buildah, Wanted
from sandbox.imagepython.pin import DOCKERFILE, Pin
from sandbox.layout import free_ports

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(1200)]


def build(secrets: Path) -> None:
    """Build the stage that installs; without the cache, whose key has no secrets."""
    builder = Buildah()
    first, installing = base.ensure(builder, Pin.read(), lambda _: None)
    wanted = Wanted(
        context=DOCKERFILE.parent,
        name="localhost/node-nlb-sync:index",
        base=first,
        build_base=installing,
        platforms=["linux/amd64"],
        arguments={},
        secrets=secrets,
    )
    builder.build(wanted, lambda _: None, "--target=build", "--no-cache")


def test_the_build_uses_the_index_that_is_named(
    image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del image
    (port,) = free_ports(1)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(PreparationError, match=r"^a package cannot be downloaded: .*uv==") as refused:
        build(tmp_path)
    assert "\n" not in str(refused.value)
    assert "PIP_INDEX_URL" in str(refused.value)
