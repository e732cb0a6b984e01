"""Where a sandbox is, and which ports and addresses it has."""

import json
import shutil
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from sandbox import layout
from sandbox.layout import HOST, Layout, free_ports

NODE_PORTS_BEGIN = 30_000


def test_chosen_ports_are_free_all_different_and_never_given_away_by_kernel_or_cluster() -> None:
    ports = free_ports(50)
    assert len(set(ports)) == 50
    assert max(ports) < NODE_PORTS_BEGIN
    with ExitStack() as held:
        for port in ports:
            held.enter_context(socket.create_server((HOST, port)))


def test_a_port_on_which_something_listens_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, free = free_ports(2)
    monkeypatch.setattr(layout, "FREE_PORTS", [taken, free])
    with socket.create_server((HOST, taken)):
        assert [free_ports(1) for _ in range(20)] == [[free]] * 20


def test_n1_ports_and_addresses_are_read_back_as_they_were_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDBOX_DIR", str(tmp_path))
    saved = Layout.ephemeral(tmp_path)
    saved.save()
    assert Layout.load(tmp_path) == Layout.default(Path("/elsewhere")) == saved


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"aws_port": 1}', '{"aws_port": "x"}', '{"block": null}', "\0"]
)
def test_n1_a_damaged_layout_has_no_ports(tmp_path: Path, text: str) -> None:
    (tmp_path / "layout.json").write_text(text)
    assert Layout.load(tmp_path) == Layout(directory=tmp_path)
    assert set(Layout.load(tmp_path).ports().values()) == {0}


def test_n1_a_layout_with_a_boolean_or_a_missing_port_has_none(tmp_path: Path) -> None:
    for change in ({"etcd_port": True}, {"etcd_port": None}, {"block": "64"}):
        stored = {"block": 64, **Layout.ephemeral(tmp_path).ports(), **change}
        (tmp_path / "layout.json").write_text(json.dumps(stored))
        assert Layout.load(tmp_path) == Layout(directory=tmp_path)


def test_n1_a_layout_of_an_earlier_version_keeps_its_ports(tmp_path: Path) -> None:
    ports = Layout.ephemeral(tmp_path).ports()
    (tmp_path / "layout.json").write_text(json.dumps({**ports, "later_port": 7}))
    assert Layout.load(tmp_path) == Layout(directory=tmp_path, **ports)


def test_n1_clearing_a_sandbox_keeps_its_ports_for_the_next_run(tmp_path: Path) -> None:
    sandbox = Layout.ephemeral(tmp_path)
    sandbox.save()
    present = [sandbox.present]
    sandbox.run.mkdir()
    (sandbox.run / "cloud.pid").touch()
    (sandbox.pulumi_home / "plugins").mkdir(parents=True)
    present.append(sandbox.present)
    sandbox.clear()
    present.append(sandbox.present)
    assert present == [False, True, False]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["layout.json", "pulumi-home"]
    assert Layout.load(tmp_path) == sandbox


def test_n1_a_sandbox_copied_with_its_clone_is_not_taken_for_the_copys_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Layout.ephemeral(tmp_path / "one/.sandbox")
    original.save()
    original.run.mkdir()
    (original.run / "cloud.pid").write_text("1 2\n")
    monkeypatch.delenv("SANDBOX_DIR", raising=False)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    copy = Layout.default(tmp_path / "two")
    assert not copy.present
    assert set(copy.ports().values()) == {0}
    assert Layout.default(tmp_path / "one") == original
    assert original.present


def test_n1_a_sandbox_that_was_moved_or_is_reached_by_a_link_stays_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SANDBOX_DIR", raising=False)
    original = Layout.ephemeral(tmp_path / "one/.sandbox")
    original.save()
    original.run.mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "one")
    assert Layout.default(tmp_path / "link").ports() == original.ports()
    (tmp_path / "one").rename(tmp_path / "moved")
    moved = Layout.default(tmp_path / "moved")
    assert moved.present
    assert moved.ports() == original.ports()
