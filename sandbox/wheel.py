"""`python -m sandbox.wheel`: build the wheel into dist/ and print its path."""

import shutil
import sys
import tempfile
from pathlib import Path

from sandbox import environment
from sandbox.environment import ROOT, PreparationError
from sandbox.toolchain import store

DIST = ROOT / "dist"


def main() -> int:
    """Build; return 1 with a one-line error on failure."""
    try:
        store.root().mkdir(parents=True, exist_ok=True)
        built = build()
    except (PreparationError, OSError) as error:
        _say(f"error: {error}")
        return 1
    sys.stdout.write(f"{built.relative_to(ROOT)}\n")
    return 0


def build(where: Path = DIST) -> Path:
    """Build the wheel of this tree in `where`. Raises PreparationError if uv is missing or fails."""
    with tempfile.TemporaryDirectory() as place:
        words: list[str | Path] = [environment.uv(_say), "build", "--wheel", "--out-dir", place, ROOT]
        if refusal := environment.run(words, "wheel: uv build", ROOT, _say):
            raise PreparationError(f"`uv build --wheel` cannot build the wheel: {refusal}")
        (built,) = Path(place).glob("*.whl")
        where.mkdir(exist_ok=True)
        shutil.copy(built, where)
        return where / built.name


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
