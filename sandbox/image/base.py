"""A base image of Debian packages, for machines without access to a registry: BASE=debian."""

import shutil
from pathlib import Path
from typing import Final

from sandbox import environment
from sandbox.environment import PreparationError, Say
from sandbox.image.builders import Builder
from sandbox.imagepython.pin import Pin
from sandbox.toolchain import store

_PACKAGES: Final = "ca-certificates,python3,python-is-python3"
_NAME: Final = "localhost/node-nlb-sync-{what}:{version}-{suite}"


def ensure(builder: Builder, pin: Pin, say: Say) -> tuple[str, str]:
    """Return the names of the base and of the base for building; create missing images.

    Raises PreparationError.
    """
    return tuple(  # type: ignore[return-value]
        _made(builder, pin, what, packages, say)
        for what, packages in (("base", _PACKAGES), ("build", f"{_PACKAGES},python3-venv"))
    )


def _made(builder: Builder, pin: Pin, what: str, packages: str, say: Say) -> str:
    name = _NAME.format(what=what, version=pin.version, suite=pin.suite)
    if builder.has(name):
        return name
    if shutil.which("mmdebstrap") is None:
        raise PreparationError("BASE=debian needs mmdebstrap; run `apt-get install mmdebstrap`")
    with store.writing(lambda seconds: say(f"{name}: waiting for another run, {seconds:.0f} s")) as staging:
        archive: Path = staging / "root.tar"
        words = [
            "mmdebstrap",
            "--quiet",
            "--variant=essential",
            f"--include={packages}",
            pin.suite,
            str(archive),
        ]
        if refusal := environment.run(words, f"{name}: mmdebstrap", staging, say):
            raise PreparationError(f"mmdebstrap cannot create {name}: {refusal}")
        builder.load(archive, name, say)
    return name
