"""`python -m sandbox.toolchain`: prepare the tools and say where each one is."""

import argparse
import signal
import sys

from sandbox.toolchain.display import display
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.resolve import ensure

_INTERRUPTED = 130  # 128 + SIGINT, as in a shell


def main() -> int:
    """Prepare the tools named on the command line, or all; print the paths on stdout."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.toolchain", description=__doc__)
    parser.add_argument("tools", nargs="*", metavar="TOOL", help="default: the tools of the sandbox")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    arguments = parser.parse_args()
    # SIGTERM is handled as an interruption, so that no compiler continues to run.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with display() as report:
            paths = ensure(arguments.tools or None, report)
    except ToolchainError as error:
        if arguments.debug:
            raise
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; the next run continues from here\n")
        return _INTERRUPTED
    for path in paths.values():
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
