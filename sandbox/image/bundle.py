"""An OCI bundle for runc or crun: a process with the rights of Kubernetes' `restricted` profile."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

USER: Final = 65532
# /proc and /dev as in `runc spec`. A Pod has a writable /tmp only if declared.
_MOUNTS: Final[Sequence[Mapping[str, Any]]] = (
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {
        "destination": "/dev",
        "type": "tmpfs",
        "source": "tmpfs",
        "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """A file or directory of this machine at a path in the container."""

    source: Path
    destination: str
    writable: bool = False


def write(
    where: Path,
    root: Path,
    *,
    words: Sequence[str],
    variables: Mapping[str, str],
    binds: Sequence[Bind] = (),
    user: int = USER,
) -> None:
    """Write `config.json` into `where`, for `runc run --bundle`.

    The process has no capabilities, no new privileges, a read-only root and the network of this machine.
    """
    mounts = [
        {
            "destination": bind.destination,
            "type": "bind",
            "source": str(bind.source),
            "options": ["bind", "rw" if bind.writable else "ro"],
        }
        for bind in binds
    ]
    none: dict[str, list[str]] = {
        kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")
    }
    spec = {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": user, "gid": user},
            "args": list(words),
            "env": [f"{key}={value}" for key, value in variables.items()],
            "cwd": "/",
            "capabilities": none,
            "noNewPrivileges": True,
        },
        "root": {"path": str(root), "readonly": True},
        "mounts": [*_MOUNTS, *mounts],
        "linux": {"namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")]},
    }
    file = where / "config.json"
    file.touch(mode=0o600)  # the file can contain keys
    file.write_text(json.dumps(spec, indent=2, ensure_ascii=True))
