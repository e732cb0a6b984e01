"""`python -m sandbox.image`: build the syncer's image and print its name, or push it and print its digest."""

import argparse
import re
import signal
import sys
import tempfile
from pathlib import Path
from typing import Final

from sandbox import environment
from sandbox.environment import ROOT, PreparationError
from sandbox.image import base, builders
from sandbox.image.builders import Wanted
from sandbox.image.errors import masked, qualified, without_tag
from sandbox.image.storage import NAME
from sandbox.imagepython.pin import DOCKERFILE, Pin
from sandbox.toolchain import store

_REFERENCE: Final = re.compile(r"[a-z0-9][\w.:-]*(/[a-z0-9][a-z0-9._-]*)+(:[\w][\w.-]{0,127})?", re.ASCII)
_IMAGE: Final = re.compile(
    r"([A-Za-z0-9.-]+(:[0-9]{1,5})?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
    r"(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?",
    re.ASCII,
)
_USERINFO: Final = re.compile(r"//[^/]*@")
_VERSION: Final = re.compile(r'VERSION: Final = "([^"]+)"')
_INTERRUPTED: Final = 130  # 128 + SIGINT, as in a shell


def main() -> int:
    """Build; return 1 with a one-line error on failure."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.image", description=__doc__)
    parser.add_argument("--push", metavar="REGISTRY/NAME:TAG", default="")
    parser.add_argument("--platforms", metavar="LIST", help="by default this machine's")
    parser.add_argument("--base", metavar="IMAGE", help="debian builds a base image from Debian packages")
    parser.add_argument("--build-base", metavar="IMAGE", help="by default the base")
    parser.add_argument("--name", default=NAME)
    parser.add_argument("--source", metavar="URL", default="", help="URL of the sources, for a label")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        store.root().mkdir(parents=True, exist_ok=True)
        sys.stdout.write(run(parser.parse_args()) + "\n")
    except (PreparationError, OSError) as error:
        _say(f"error: {masked(str(error))}")
        return 1
    except KeyboardInterrupt:
        _say("interrupted; the next run continues from here")
        return _INTERRUPTED
    return 0


def run(arguments: argparse.Namespace) -> str:
    """Return the name of the image, or after a push the reference by digest. Raises PreparationError."""
    platforms = builders.platforms(arguments.platforms)
    if len(platforms) > 1 and not arguments.push:
        raise PreparationError("an image for several platforms must be pushed; set PUSH=REGISTRY/NAME:TAG")
    if arguments.push and not _REFERENCE.fullmatch(arguments.push):
        raise PreparationError(
            f"PUSH: read {arguments.push!r}; allowed: REGISTRY/NAME with or without :TAG; "
            "for example `make image PUSH=registry.example.com/node-nlb-sync:0.1.0`"
        )
    for name, given in (
        ("NAME", arguments.name),
        ("BASE", arguments.base),
        ("BUILD_BASE", arguments.build_base),
    ):
        if given and not _IMAGE.fullmatch(given):
            raise PreparationError(
                f"{name}: read {given!r}; allowed: an image reference in lower case, such as "
                "registry.example.com/python:3.13-slim"
            )
    if _USERINFO.search(arguments.source):
        raise PreparationError(
            "SOURCE: read a URL with a user name or password, visible in a label of the image; "
            "allowed: a URL without them, such as https://example.com/node-nlb-sync"
        )
    builder, pin = builders.find(), Pin.read()
    first, build = arguments.base or default_base(), arguments.build_base
    if first == "debian":
        first, build = base.ensure(builder, pin, _say)
    with tempfile.TemporaryDirectory(prefix="node-nlb-sync-") as secrets:
        wanted = Wanted(
            context=DOCKERFILE.parent,
            name=arguments.name,
            base=qualified(first),
            build_base=qualified(build or first),
            platforms=platforms,
            arguments={"VERSION": version(), "REVISION": revision(), "SOURCE": arguments.source},
            secrets=Path(secrets),
        )
        builder.build(wanted, _say)
        if not arguments.push:
            return wanted.name
        digest = builder.push(wanted, arguments.push, _say)
    return f"{without_tag(arguments.push)}@{digest}"


def default_base(dockerfile: Path = DOCKERFILE) -> str:
    """Return the default of BASE in the Dockerfile."""
    found = re.search(r"^ARG BASE=(\S+)$", dockerfile.read_text(), re.MULTILINE)
    return found[1] if found else ""


def version() -> str:
    """Return the project's version, for the image's label."""
    found = _VERSION.search((ROOT / "syncer/version.py").read_text())
    return found[1] if found else "0"


def revision() -> str:
    """Return the checked-out commit, with -dirty for changed files; unknown outside of a clone."""
    found = environment.answer(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    )
    return found.strip() or "unknown"


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
