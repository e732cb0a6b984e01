"""Files that are too large or hold no text: each is one line."""

import json
import os
from pathlib import Path

import pytest

from syncer.__main__ import main
from syncer.cluster.access import configuration
from syncer.commands.reading import read_whole
from syncer.decide.documents import DocumentError
from syncer.elb.variables import check_files
from syncer.errors import MisconfiguredError


def test_s9_a_regular_file_is_refused_by_its_size_before_it_is_read(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(DocumentError, match="is larger than 256 MiB"):
        read_whole(str(large))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe", "has only a byte order mark of UTF-16"),
        (b"\xfe\xff", "has only a byte order mark of UTF-16"),
        (b"\xff\xfe\x00\x00", "has only a byte order mark of UTF-32"),
        (b"\xef\xbb\xbf", "has only a byte order mark of UTF-8"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (b"\x1f\x8b\x08\x00", "is compressed (gzip); unpack it first"),
        ("caf\u00e9".encode("latin-1"), "is not UTF-8 text"),
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\x00" * 50, "is not UTF-8 text"),
        (b"kind: List\nitems: []\n", "is not JSON (line 1: Expecting value); use -o json"),
        (b"null", "found nothing, expected a Node"),
        (b"NaN", "NaN is not a number in JSON"),
        (b'{"kind": "Node", "spec": {"x": -Infinity}}', "-Infinity is not a number in JSON"),
        (b"[" * 100_000, "is nested too deeply"),
        (b"[" + b"9" * 5000 + b"]", "a number that is too long"),
        (b'{"kind": "Node"} {"kind": "Node"}', "has a second document"),
    ],
)
def test_s9_what_is_wrong_with_a_file_is_told_as_it_is(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    content: bytes,
    says: str,
) -> None:
    path = tmp_path / "nodes.json"
    path.write_bytes(content)
    for name in (str(path), "-"):
        with path.open() as stdin:
            monkeypatch.setattr("sys.stdin", stdin)
            assert main(["explain", "-f", name]) == 2
        said = capsys.readouterr().err
        assert says in said
        assert said.count("\n") == 1


@pytest.mark.parametrize("name", ["/", "/nowhere", "a\nb", "\u202e"])
def test_s9_a_name_that_cannot_be_read_is_one_line(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["explain", "-f", name]) == 2
    said = capsys.readouterr().err
    assert "cannot be read: " in said
    assert said.rstrip("\n").isprintable()


def kubeconfig(path: Path, token_file: str) -> Path:
    path.write_text(
        json.dumps(
            {
                "current-context": "c",
                "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
                "clusters": [{"name": "k", "cluster": {"server": "https://127.0.0.1:1"}}],
                "users": [{"name": "u", "user": {"tokenFile": token_file}}],
            }
        )
    )
    return path


def test_s9_a_kubeconfig_or_a_token_without_an_end_is_refused_in_one_line(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    named = str(kubeconfig(tmp_path / "kubeconfig", "/dev/zero"))
    relative = str(kubeconfig(tmp_path / "relative", "pipe"))
    for path in ("/dev/zero", str(pipe), "/", named, relative, f"{named}:{pipe}"):
        with pytest.raises(MisconfiguredError, match=r"^KUBECONFIG is .*; allowed: the path of a kubeconfig"):
            configuration({"KUBECONFIG": path})
    (tmp_path / "token").write_text("secret")
    assert configuration({"KUBECONFIG": str(kubeconfig(tmp_path / "kubeconfig", "token"))}).api_key


@pytest.mark.parametrize(
    "name", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"]
)
def test_s9_a_file_of_aws_without_an_end_is_refused_and_dev_null_is_not(name: str) -> None:
    with pytest.raises(MisconfiguredError, match=f"^{name}: '/dev/zero' is not a regular file"):
        check_files({name: "/dev/zero"})
    check_files({name: "/dev/null"})
