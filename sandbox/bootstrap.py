"""`python3 -m sandbox.bootstrap`: create the project's virtual environment.

Standard library only. Any Python 3 must be able to read this file, for the error about a too old Python.
"""

import sys

_OLDEST = (3, 11)


def main() -> int:
    """Prepare `.venv`; return exit status 0 for a usable environment."""
    if sys.version_info < _OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        sys.stderr.write(
            f"error: {sys.executable} is Python {found}; allowed: 3.11 or newer; "
            "install one and name it, as in `make PYTHON=python3.12 up`\n"
        )
        return 1
    from sandbox import environment  # noqa: PLC0415 (an older Python cannot read the module)

    return environment.main()


if __name__ == "__main__":
    sys.exit(main())
