"""Read the version of an executable with the name of a Pulumi plugin.

Providers of the Terraform bridge (AWS) print the version for `--version`. All others, among them the
Kubernetes provider and the Python language host, have no such flag: they serve, print the port, and answer
GetPluginInfo, as for the engine.
"""

import contextlib
import os
import re
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import Final, Literal

from sandbox.layout import HOST
from sandbox.plugins import protocol

Role = Literal["language", "resource"]

_ANSWER_S: Final = 20.0  # the AWS provider loads in two seconds on a busy machine
_VERSION: Final = re.compile(r"v?(\d+\.\d+\.\d+(?:[-+.][0-9A-Za-z.+-]*)?)")
_PORT: Final = re.compile(r"\d{1,5}")


class NoVersionError(Exception):
    """The executable reports no version; the message is the reason, in a few words."""


def ask(path: Path, role: Role, timeout_s: float = _ANSWER_S) -> str:
    """Return the version of the plugin at `path`, without a leading `v`.

    Raises NoVersionError where the plugin cannot be run, ends, or prints no version within `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    said = ""
    for arguments in (["--version"], []):
        said, version = _run([str(path), *arguments], role, deadline)
        if version:
            return version
    raise NoVersionError(f"version answer is {said!r}" if said else "no answer")


def _run(command: list[str], role: Role, deadline: float) -> tuple[str, str]:
    """Return a command's first line, and the version from the line or from the server on the printed port."""
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # so that child processes end with the plugin
        )
    except OSError as error:
        raise NoVersionError(f"cannot run ({error.strerror})") from None
    try:
        line = _first_line(child, deadline)
        if _PORT.fullmatch(line):
            return line, _of_server(int(line), role, deadline)
        found = _VERSION.fullmatch(line)
        return line, found[1] if found else ""
    finally:
        _end(child)


def _first_line(child: subprocess.Popen[bytes], deadline: float) -> str:
    assert child.stdout  # noqa: S101  (PIPE above)
    output, said = child.stdout.fileno(), b""
    while b"\n" not in said and len(said) < 200:  # noqa: PLR2004 (a version is shorter)
        readable, _, _ = select.select([output], [], [], max(0.0, deadline - time.monotonic()))
        chunk = os.read(output, 200) if readable else b""
        if not chunk:
            break
        said += chunk
    return said.decode(errors="replace").partition("\n")[0].strip()


def _of_server(port: int, role: Role, deadline: float) -> str:
    """Return the response to GetPluginInfo of a plugin on `port`."""
    if role == "language":
        _, services = protocol.language_stubs()
        stub = services.LanguageRuntimeStub
    else:
        _, services = protocol.provider_stubs()
        stub = services.ResourceProviderStub
    with protocol.grpc.insecure_channel(f"{HOST}:{port}") as channel:
        try:
            answer = stub(channel).GetPluginInfo(
                protocol.empty_pb2.Empty(),
                timeout=max(0.1, deadline - time.monotonic()),
                wait_for_ready=True,
            )
        except protocol.grpc.RpcError as error:
            raise NoVersionError(f"GetPluginInfo fails: {error.code().name}") from None
    found = _VERSION.fullmatch(answer.version)
    if not found:
        raise NoVersionError(f"GetPluginInfo answers version {answer.version!r}")
    return found[1]


def _end(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
        os.killpg(child.pid, signal.SIGKILL)
    if child.stdout:
        child.stdout.close()
    child.wait()
