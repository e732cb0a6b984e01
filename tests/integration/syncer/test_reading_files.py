"""Files that have no end or no writer, and a large one: an answer or one line, and soon."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from syncer.commands.reading import Limits, read_whole
from syncer.decide.documents import DocumentError
from tests.unit.commands.test_answering_from_files import raw_node

ROOT = Path(__file__).resolve().parents[3]
SMALL = Limits(most=100_000, silence=0.5, no_writer=0.3, whole=1.0)


def ask(*words: str) -> tuple[int, str]:
    """The exit code and what is said of a wrong file, by the command as a process."""
    done = subprocess.run(
        [sys.executable, "-m", "syncer", "explain", *words],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
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
