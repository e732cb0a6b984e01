"""Why the Pods of a sandbox run as processes."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from sandbox.environment import PreparationError
from sandbox.image import builders, storage
from sandbox.image.storage import Config
from sandbox.kubelet import unpacked_image
from sandbox.kubelet.runtimes import ProcessRuntime, of
from sandbox.kubelet.unpacked_image import UnpackedImage
from sandbox.layout import Layout


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """Root rights on Linux, a runtime and a builder whose storage is empty."""

    def inspect(program: str, image: str) -> None:
        raise OSError(f"{program} inspect: {image}: image not known")

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
    monkeypatch.setattr(builders, "find", builders.Buildah)
    monkeypatch.setattr(storage, "inspect", inspect)
    return Layout.ephemeral(tmp_path)


def test_there_is_no_image(layout: Layout) -> None:
    said = unpacked_image.choose(layout, storage.NAME)
    assert said == f"processes: missing image: {storage.NAME}; run `make image`"


def test_the_image_is_for_another_architecture(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config.of({"architecture": "riscv64"})
    monkeypatch.setattr(storage, "inspect", lambda *_: ("0" * 64, config))
    said = unpacked_image.choose(layout, storage.NAME)
    assert said.startswith(f"processes: {storage.NAME} is for linux/riscv64; run `make image` for linux/")


def test_none_is_wanted(layout: Layout) -> None:
    assert unpacked_image.choose(layout, "") == "processes: SANDBOX_IMAGE is empty"


def test_there_are_no_rights(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert unpacked_image.choose(layout, storage.NAME) == "processes: containers need Linux and root rights"


def test_there_is_no_runtime(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert unpacked_image.choose(layout, storage.NAME) == "processes: neither runc nor crun is installed"


def test_there_is_no_builder(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> builders.Builder:
        raise PreparationError(builders.NONE_HERE)

    monkeypatch.setattr(builders, "find", none)
    assert unpacked_image.choose(layout, storage.NAME) == f"processes: {builders.NONE_HERE}"


def test_an_earlier_choice_is_forgotten(layout: Layout) -> None:
    layout.image.write_text("{}")
    unpacked_image.choose(layout, storage.NAME)
    assert UnpackedImage.read(layout) is None
    assert isinstance(of(layout), ProcessRuntime)
