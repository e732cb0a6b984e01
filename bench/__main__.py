"""Run `python -m bench`: progress on stderr, the table on stdout. No figure makes the command fail."""

import json
import signal
import sys
from collections.abc import Sequence

from bench import flags, table
from bench.run import Figures
from bench.session import bench
from sandbox.errors import SandboxError
from sandbox.toolchain import ToolchainError

_FAILED, _INTERRUPTED = 1, 130  # 128 + SIGINT, the exit code of a shell


def main(words: Sequence[str] | None = None) -> int:
    """Return 0 when every row was measured, 1 when the bench failed, 2 for a wrong flag, 130 for Ctrl-C."""
    options = flags.parse(words)
    if options.list:
        sys.stdout.writelines(f"{each.name:12} {each.title}\n" for each in options.measures)
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    found: dict[str, Figures] = {contender.name: {} for contender in options.contenders}
    code, machine = 0, table.Machine()
    try:
        bench(options, found)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; below is what was measured by then\n")
        code = _INTERRUPTED
    except Exception as error:  # keep the figures measured so far
        if options.debug:
            raise
        known = isinstance(error, (SandboxError, ToolchainError))
        hint = "" if known else f" ({type(error).__name__}; --debug shows where)"
        sys.stderr.write(f"error: {error}{hint}\n")
        code = _FAILED
    measured = [each for each in options.measures if any(each.name in rows for rows in found.values())]
    if options.json:
        sys.stdout.write(json.dumps(table.document(measured, found, options, machine), indent=1) + "\n")
    elif measured:
        lines = [table.markdown(measured, found), "", *table.legend(options, machine), ""]
        sys.stdout.write("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
