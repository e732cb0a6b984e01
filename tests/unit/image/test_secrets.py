"""What a build gets of this machine's variables, and how."""

import stat
import subprocess
from pathlib import Path

import pytest

from sandbox.environment import PreparationError
from sandbox.image.secrets import flags


def test_index_and_proxy_are_passed_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.touch()
    variables = {
        "AWS_SECRET_ACCESS_KEY": "secret",
        "HTTPS_PROXY": "http://proxy:3128",
        "PIP_INDEX_URL": "https://me:it's $HOME@index.example.com/simple",
        "SSL_CERT_FILE": str(ca),
        "UV_CACHE_DIR": "/here",
        "UV_INDEX_OWN_PASSWORD": "p",
    }
    file = tmp_path / "environment"
    assert list(flags(tmp_path, variables)) == [
        f"--secret=id=environment,src={file}",
        f"--secret=id=ca,src={ca}",
    ]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    read = subprocess.run(
        ["env", "-i", "sh", "-c", f'set -a; . "{file}"; env'], capture_output=True, text=True, check=True
    )
    seen = dict(line.split("=", 1) for line in read.stdout.splitlines())
    passed = {"HTTPS_PROXY", "PIP_INDEX_URL", "UV_INDEX_OWN_PASSWORD"}
    assert {name: seen[name] for name in passed} == {name: variables[name] for name in passed}
    assert not {"AWS_SECRET_ACCESS_KEY", "UV_CACHE_DIR"} & seen.keys()


def test_a_machine_without_such_variables_has_no_secrets(tmp_path: Path) -> None:
    assert list(flags(tmp_path, {"PATH": "/bin"})) == []
    assert list(tmp_path.iterdir()) == []


def test_a_ca_file_that_does_not_exist_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        PreparationError, match=r"^SSL_CERT_FILE: missing file: /nowhere/ca; correct or unset"
    ):
        list(flags(tmp_path, {"SSL_CERT_FILE": "/nowhere/ca"}))
