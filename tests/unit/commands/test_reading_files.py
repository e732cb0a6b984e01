"""Files that have no end, no writer or no text: each is one line, and soon."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from syncer.cluster.access import configuration
from syncer.commands.reading import Limits, read_whole
from syncer.decide.documents import DocumentError
from syncer.elb.variables import check_files
from syncer.errors import MisconfiguredError
from tests.unit.commands.test_answering_from_files import raw_node

ROOT = Path(__file__).resolve().parents[3]
SMALL = Limits(most=100_000, silence=0.5, no_writer=0.3, whole=1.0)


def ask(*words: str, stdin: bytes = b"") -> tuple[int, str]:
    """The exit code and what is said of a wrong file, by the command as a process."""
    done = subprocess.run(
        [sys.executable, "-m", "syncer", "explain", *words],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr.decode()


def test_s9_a_device_without_an_end_is_refused_in_one_line() -> None:
    code, said = ask("-f", "/dev/zero")
    assert (code, said) == (
        2,
        "nlb-sync: /dev/zero is larger than 256 MiB; give the output of kubectl or aws\n",
    )


def test_s9_a_pipe_that_nobody_writes_is_refused_in_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    code, said = ask("-f", str(tmp_path / "pipe"))
    assert code == 2
    assert "no writer of the pipe for 10 s" in said
    assert said.count("\n") == 1


def test_s9_a_pipe_whose_writer_is_slow_is_read_to_its_end(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        with pipe.open("wb") as file:
            threading.Event().wait(0.4)  # longer than a pipe without a writer is given
            file.write(b"[1, ")
            file.flush()
            threading.Event().wait(0.4)
            file.write(b"2]")

    writer = threading.Thread(target=write)
    writer.start()
    assert read_whole(str(pipe), SMALL) == b"[1, 2]"
    writer.join()


@pytest.mark.parametrize(
    ("sends", "says"),
    [(b"", "no data for 0.5 s"), (b"[", "no data for 0.5 s"), (b"x" * 200_000, "is larger than")],
)
def test_s9_a_writer_that_stops_or_sends_too_much_is_given_up(
    tmp_path: Path, sends: bytes, says: str
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    both = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)  # a writer that stays
    reading: list[str] = []

    def read() -> None:
        with pytest.raises(DocumentError) as refused:
            read_whole(str(pipe), SMALL)
        reading.append(str(refused.value))

    reader = threading.Thread(target=read)
    reader.start()
    while sends and reader.is_alive():
        try:
            sends = sends[os.write(both, sends) :]
        except BlockingIOError:
            threading.Event().wait(0.01)
    reader.join()
    os.close(both)
    assert says in reading[0]


def test_s9_drops_that_never_end_are_given_up(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    both = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.2):
            os.write(both, b" ")

    dripping = threading.Thread(target=drip)
    dripping.start()
    with pytest.raises(DocumentError, match="no end of data within 1 s"):
        read_whole(str(pipe), SMALL)
    stop.set()
    dripping.join()
    os.close(both)


def test_s9_a_regular_file_is_refused_by_its_size_before_it_is_read(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(DocumentError, match="is larger than 256 MiB"):
        read_whole(str(large))


def test_s9_a_large_list_is_read(tmp_path: Path) -> None:
    """Of the size of 5,000 Nodes: 60 MB as kubectl prints them."""
    images = [{"names": [f"registry.example/{n}@sha256:{'0' * 64}"], "sizeBytes": n} for n in range(50)]
    node = raw_node(1)
    node["status"]["images"] = images
    text = json.dumps(node, indent=4)
    count = 60_000_000 // len(text)
    path = tmp_path / "nodes.json"
    with path.open("w") as file:
        file.write('{"kind": "List", "items": [' + ",".join([text] * count) + "]}")
    code, said = ask("-f", str(path), "--json")
    assert (code, said) == (0, "")


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
def test_s9_what_is_wrong_with_a_file_is_told_as_it_is(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "nodes.json"
    path.write_bytes(content)
    for code, said in (ask("-f", str(path)), ask("-f", "-", stdin=content)):
        assert code == 2
        assert says in said
        assert said.count("\n") == 1


@pytest.mark.parametrize("name", ["/", "/nowhere", "a\nb", "\u202e"])
def test_s9_a_name_that_cannot_be_read_is_one_line(name: str) -> None:
    code, said = ask("-f", name)
    assert code == 2
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
