"""A cached Debian root with the image's Python, entered through its own mount namespace."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox import environment
from sandbox.environment import PreparationError, Say
from sandbox.imagepython.pin import Pin
from sandbox.toolchain import store

# libstdc++6 for grpc, ca-certificates for uv.
_PACKAGES = "ca-certificates,libstdc++6,python3"
_KERNEL = ("/proc", "/sys", "/dev")
_NETWORK = ("/etc/resolv.conf", "/etc/hosts", "/etc/ssl")
UV = "/usr/local/bin/uv"

# Arguments: the root, pairs of a path and its place in the root, `--`, the working directory, the command.
# The mounts exist in this namespace only: the kernel removes the mounts after any end of the last process.
_ENTER = """
set -eu
root=$1; shift
for path in {kernel}; do mount --rbind "$path" "$root$path"; done
while [ "$1" != -- ]; do
  mkdir -p "$(dirname "$root$2")"
  if [ -d "$1" ]; then mkdir -p "$root$2"; else : >>"$root$2"; fi
  mount --bind "$1" "$root$2"
  shift 2
done
shift
exec chroot "$root" env -C "$@"
""".format(kernel=" ".join(_KERNEL))


def ensure(pin: Pin, say: Say) -> Path:
    """Return the root; create a root missing in the cache. Raises PreparationError."""
    home = store.root() / "image-python" / f"debian-{pin.suite}"
    executable = home / "usr/bin" / f"python{pin.version}"
    if lack := _lack():
        raise PreparationError(
            f"Python {pin.version}, that of the image, is missing: {lack}; "
            "run as root on Debian or Ubuntu after `apt-get install mmdebstrap`, or name an interpreter: "
            f"make test-image-python IMAGE_PYTHON=/path/to/python{pin.version}"
        )
    if not executable.exists():
        _make(pin, home, executable, say)
    if not executable.exists():
        raise PreparationError(
            f"Debian {pin.suite} has no Python {pin.version}; "
            "set BASE of syncer/Dockerfile to a release with that Python"
        )
    return home


def entering(
    root: Path, shared: Mapping[Path, str], where: Path, words: Sequence[str | Path]
) -> list[str | Path]:
    """Return the command that runs `words` in `root`; `shared` maps paths to their places in the root."""
    network = (*_NETWORK, os.environ.get("SSL_CERT_FILE") or _NETWORK[0])
    places = {**{Path(path): path for path in network if Path(path).exists()}, **shared}
    pairs = [each for path, place in places.items() for each in (path, place)]
    enter: list[str | Path] = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _ENTER, "sh"]
    return [*enter, root, *pairs, "--", where, *words]


def _lack() -> str:
    """Return the missing requirement of a root; "" if complete."""
    if os.geteuid() != 0:
        return "a Debian root needs root rights"
    for program in ("mmdebstrap", "unshare", "chroot"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"mounts are not allowed here ({tried.stderr.strip()})"


def _make(pin: Pin, home: Path, executable: Path, say: Say) -> None:
    what = f"Debian {pin.suite} with Python {pin.version}"
    with store.writing(lambda seconds: say(f"{what}: waiting for another run, {seconds:.0f} s")) as staging:
        if executable.exists():  # created by another run meanwhile
            return
        made = staging / "root"
        words: list[str | Path] = [
            "mmdebstrap",
            "--quiet",
            "--variant=essential",
            f"--include={_PACKAGES}",
            pin.suite,
            made,
        ]
        if refusal := environment.run(words, what, staging, say):
            raise PreparationError(f"mmdebstrap cannot create {what}: {refusal}")
        home.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(home, ignore_errors=True)  # root of an earlier Python
        made.replace(home)
