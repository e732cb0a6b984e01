"""`python3 -m sandbox.bootstrap`: make the project's virtual environment, before there is one.

Standard library alone. Any Python 3 must be able to read this file, to be told that it is too old.
"""

import sys

_OLDEST = (3, 11)


def main() -> int:
    """Prepare `.venv`; the exit status is 0 once it can be used."""
    if sys.version_info < _OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        sys.stderr.write(
            f"error: {sys.executable} is Python {found}, and 3.11 or newer is needed: "
            "install one and name it, as in `make PYTHON=python3.12 up`\n"
        )
        return 1
    from sandbox import environment  # noqa: PLC0415 (an older Python cannot read it)

    return environment.main()


if __name__ == "__main__":
    sys.exit(main())
