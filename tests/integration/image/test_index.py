"""The package index of this machine, which the build uses."""

from pathlib import Path

import pytest

from sandbox.environment import PreparationError
from sandbox.layout import free_ports
from tests.integration.image.conftest import build_first_stage

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(1200)]


def test_the_build_uses_the_index_that_is_named(
    image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del image
    (port,) = free_ports(1)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(PreparationError, match=r"^a package cannot be downloaded: .*uv==") as refused:
        build_first_stage(tmp_path, "linux/amd64", "--no-cache")  # the key of the cache has no secrets
    assert "\n" not in str(refused.value)
    assert "PIP_INDEX_URL" in str(refused.value)
