"""An OCI bundle for runc: the image's root, and a process as Kubernetes' `restricted` profile allows it."""

import contextlib
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

USER: Final = 65532
# As runc's own default, `runc spec`; sysfs of the host's network needs a read-only bind.
_MOUNTS: Final[Sequence[Mapping[str, Any]]] = (
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {
        "destination": "/dev",
        "type": "tmpfs",
        "source": "tmpfs",
        "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "size=16m"]},  # noqa: S108
)


@contextlib.contextmanager
def root_of(image: str) -> Iterator[Path]:
    """The file system of an image in Buildah's storage, while the block runs. Raises OSError without it."""
    container = _buildah("from", "--pull-never", image)
    try:
        yield Path(_buildah("mount", container))
    finally:
        _buildah("umount", container)
        _buildah("rm", container)


def config_of(image: str) -> dict[str, Any]:
    """The image's own configuration: Env, Entrypoint, Cmd, User, Labels (OCI image specification)."""
    found: dict[str, Any] = json.loads(_buildah("inspect", "--type=image", image))["OCIv1"]["config"]
    return found


def write(
    where: Path, root: Path, *, words: Sequence[str], variables: Sequence[str], readable: Mapping[Path, str]
) -> None:
    """Write `config.json` into `where`, for `runc run --bundle`.

    The process has the image's user, no capabilities, no new privileges, a read-only root and the network
    of this machine. Each path of `readable` is found at its value.
    """
    binds = [
        {"destination": place, "type": "bind", "source": str(path), "options": ["bind", "ro"]}
        for path, place in readable.items()
    ]
    none: dict[str, list[str]] = {
        kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")
    }
    spec = {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": USER, "gid": USER},
            "args": list(words),
            "env": list(variables),
            "cwd": "/",
            "capabilities": none,
            "noNewPrivileges": True,
        },
        "root": {"path": str(root), "readonly": True},
        "mounts": [*_MOUNTS, *binds],
        "linux": {"namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")]},
    }
    (where / "config.json").write_text(json.dumps(spec, indent=2))


def _buildah(*words: str) -> str:
    done = subprocess.run(["buildah", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"buildah {words[0]}: {done.stderr.strip()}")
    return done.stdout.strip()
