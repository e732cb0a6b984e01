"""The command line and what it says when the environment is wrong."""

import json
import os
from pathlib import Path

import pytest

from syncer.__main__ import main
from syncer.cluster.access import configuration
from syncer.config.settings import TABLE
from syncer.elb.variables import ENDPOINT_VARIABLES
from syncer.errors import MisconfiguredError
from syncer.version import VERSION
from tests.simulation.world import HTTP


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


def test_the_version_is_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"nlb-sync {VERSION}\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "the following arguments are required: COMMAND; see `python -m syncer --help`"),
        (["run", "--bogus"], "unrecognized arguments: --bogus; see `python -m syncer --help`"),
        (["wait", "a"], "one of the arguments --drained --healthy is required; see `python -m syncer wait "),
        (
            ["plan", "--nodes", "n", "--targets", "t", "--port", "99999"],
            "argument --port: '99999' is not a port from 1 to 65535; see `python -m syncer plan --help`",
        ),
    ],
)
def test_a_wrong_flag_is_one_line_too(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"nlb-sync: {says}")
    assert said.err.count("\n") == 1


def kubeconfig(server: str) -> str:
    names = {"contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}], "current-context": "c"}
    clusters = {"clusters": [{"name": "k", "cluster": {"server": server}}]}
    return json.dumps({**names, **clusters, "users": [{"name": "u", "user": {}}]})


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment in which nothing is wrong."""
    path = tmp_path / "kubeconfig"
    path.write_text(kubeconfig("https://127.0.0.1:1"))
    monkeypatch.setenv("KUBECONFIG", str(path))
    monkeypatch.setenv("NLB_SYNC_TARGET_GROUPS", f"{HTTP}=:30080")


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("name", ENDPOINT_VARIABLES)
@pytest.mark.parametrize(
    "value", ["nonsense", "localhost:4566", "ftp://host", "http://a_b", "http://h:99999"]
)
def test_an_endpoint_that_is_no_url_is_one_line_that_names_the_variable(
    name: str, value: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    for words in (["run"], ["wait", "i-0123456789abcdef0", "--drained"]):
        assert main(words) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"{name} is {value!r}; allowed: a URL such as https://")
        assert said.count("\n") == 1


def test_debug_shows_where_an_error_comes_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NLB_SYNC_TARGET_GROUPS", "nonsense")
    assert main(["--debug", "run"]) == 2
    assert "Traceback" in capsys.readouterr().err
    assert main(["run"]) == 2
    assert "Traceback" not in capsys.readouterr().err


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
    with pytest.raises(
        MisconfiguredError, match="cluster configuration is missing; set KUBECONFIG, or run in a Pod"
    ):
        configuration({"KUBECONFIG": ""})


def test_certificates_in_the_text_need_a_directory_that_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kubeconfig"
    found = json.loads(kubeconfig("https://h:6443"))
    found["clusters"][0]["cluster"]["certificate-authority-data"] = "eA=="
    path.write_text(json.dumps(found))
    assert configuration({"KUBECONFIG": str(path)}).host == "https://h:6443"

    def nowhere() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr("tempfile.gettempdir", nowhere)
    with pytest.raises(MisconfiguredError, match="set TMPDIR to a writable directory, or refer to the cert"):
        configuration({"KUBECONFIG": str(path)})


@pytest.mark.parametrize("server", ["nonsense", "127.0.0.1:6443", "https://h:99999", ""])
def test_an_api_server_that_is_no_url_is_one_line_that_names_the_kubeconfig(
    server: str, tmp_path: Path
) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(kubeconfig(server))
    with pytest.raises(MisconfiguredError) as raised:
        configuration({"KUBECONFIG": str(path)})
    assert str(raised.value) == (
        f"KUBECONFIG {str(path)!r} has API server {server!r}; allowed: a URL such as https://HOST:6443"
    )


@pytest.mark.usefixtures("settled")
def test_a_proxy_without_a_scheme_is_taken_as_elsewhere_and_one_of_another_kind_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    assert configuration(os.environ).proxy == "http://proxy.example:3128"
    monkeypatch.setenv("HTTPS_PROXY", "ftp://me:hidden@proxy.example")
    assert main(["run"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("the proxy for the API server, of HTTPS_PROXY")
    assert said.count("\n") == 1
    assert "hidden" not in said


def test_a_pod_without_a_token_is_told_so(tmp_path: Path) -> None:
    environment = {
        "KUBERNETES_SERVICE_HOST": "10.0.0.1",
        "KUBERNETES_SERVICE_PORT": "443",
        "CONTAINER_SANDBOX_MOUNT_POINT": str(tmp_path),
    }
    with pytest.raises(
        MisconfiguredError, match="cannot load the cluster configuration of the ServiceAccount"
    ):
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
