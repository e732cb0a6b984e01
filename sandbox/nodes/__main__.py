"""`python -m sandbox.nodes --dir DIR`: the nodes process of a sandbox, until SIGTERM."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from sandbox.layout import Layout
from sandbox.nodes.process import run

_SOCKET_PATH_MAX = 103  # sockaddr_un of macOS without its final zero byte; Linux has four more


async def _main(layout: Layout) -> None:
    serving = asyncio.create_task(run(layout))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    await asyncio.wait([serving])
    if not serving.cancelled():
        serving.result()


def main() -> None:
    """Serve the sandbox of the directory on the command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.nodes", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="the sandbox's directory")
    layout = Layout.load(parser.parse_args().dir)
    if len(os.fsencode(layout.nodes_socket)) > _SOCKET_PATH_MAX:
        sys.exit(
            f"{layout.nodes_socket} is longer than the path of a unix socket may be "
            f"({_SOCKET_PATH_MAX} bytes): set SANDBOX_DIR to a shorter one"
        )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    asyncio.run(_main(layout))


if __name__ == "__main__":
    main()
