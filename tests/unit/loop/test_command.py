"""The command line and what it says when the environment is wrong."""

from pathlib import Path

import pytest

from syncer.__main__ import main
from syncer.cluster.access import configuration
from syncer.errors import MisconfiguredError
from syncer.settings import TABLE


def test_run_help_describes_every_variable(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert all(row.name in said and row.reason in said for row in TABLE)


def test_an_empty_environment_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NLB_SYNC_TARGET_GROUPS", raising=False)
    assert main(["run"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("NLB_SYNC_TARGET_GROUPS is not set; allowed: ARN")
    assert said.err.count("\n") == 1


def test_debug_shows_where_an_error_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NLB_SYNC_TARGET_GROUPS", "nonsense")
    with pytest.raises(MisconfiguredError):
        main(["--debug", "run"])


@pytest.mark.parametrize("content", ["", "{", "clusters: 7", "[]"])
def test_a_broken_kubeconfig_is_one_line_that_names_it(content: str, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(content)
    with pytest.raises(MisconfiguredError) as raised:
        configuration({"KUBECONFIG": str(path)})
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_kubeconfig_that_is_not_there_is_one_line_that_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MisconfiguredError, match=r"^KUBECONFIG is '/nowhere' \(.*\); allowed: the path of"):
        configuration({"KUBECONFIG": "/nowhere"})
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(MisconfiguredError, match="no cluster: set KUBECONFIG, or run in a Pod"):
        configuration({"KUBECONFIG": ""})


def test_a_pod_without_a_token_is_told_so(tmp_path: Path) -> None:
    environment = {
        "KUBERNETES_SERVICE_HOST": "10.0.0.1",
        "KUBERNETES_SERVICE_PORT": "443",
        "CONTAINER_SANDBOX_MOUNT_POINT": str(tmp_path),
    }
    with pytest.raises(MisconfiguredError, match="no access to the cluster by the ServiceAccount"):
        configuration(environment)


def test_a_rotated_token_is_read_for_the_next_request(tmp_path: Path) -> None:
    mount = tmp_path / "var/run/secrets/kubernetes.io/serviceaccount"
    mount.mkdir(parents=True)
    (mount / "token").write_text("first\n")
    (mount / "ca.crt").write_text("a certificate")
    config = configuration(
        {
            "KUBERNETES_SERVICE_HOST": "10.0.0.1",
            "KUBERNETES_SERVICE_PORT": "443",
            "CONTAINER_SANDBOX_MOUNT_POINT": str(tmp_path),
        }
    )
    assert config.get_api_key_with_prefix("BearerToken") == "Bearer first"
    (mount / "token").write_text("second")
    assert config.get_api_key_with_prefix("BearerToken") == "Bearer second"
    (mount / "token").unlink()
    assert config.get_api_key_with_prefix("BearerToken") == "Bearer second"
