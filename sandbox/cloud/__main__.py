"""`python -m sandbox.cloud --dir DIR`: the AWS API of a sandbox, until SIGTERM."""

import argparse
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

from sandbox.layout import HOST, Layout


def main() -> int:
    """Serve; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.cloud", description=__doc__)
    parser.add_argument("--dir", required=True, type=Path, help="the sandbox's directory")
    parser.add_argument("--socket", type=int, help="descriptor of the listening socket")
    arguments = parser.parse_args()
    layout = Layout.load(arguments.dir)
    logging.basicConfig(format="%(asctime)s %(name)s %(message)s", level=logging.INFO, stream=sys.stderr)
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    try:
        # `make up` passes the listening socket that reserved the sandbox's ports (sandbox.slots).
        given = arguments.socket
        bound = (
            socket.create_server((HOST, layout.aws_port)) if given is None else socket.socket(fileno=given)
        )
    except OSError as error:
        sys.stderr.write(
            f"cloud: port {layout.aws_port} cannot be used ({error.strerror}); stop the process that uses "
            "it\n"
        )
        return 1
    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    from sandbox.cloud.server import make  # noqa: PLC0415 (moto reads its settings at import)

    server = make(bound, layout)
    logging.getLogger("sandbox.cloud").info("serving AWS on %s", layout.aws_url)
    server.serve_forever()
    return 0  # not reached: SIGTERM ends the process


def _leave(_number: int, _frame: FrameType | None) -> None:
    """Exit at once: all state is in memory, and an orderly interpreter shutdown takes a second."""
    os._exit(0)


if __name__ == "__main__":
    raise SystemExit(main())
