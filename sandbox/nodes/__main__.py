"""`python -m sandbox.nodes --dir DIR`: the nodes process of a sandbox, until SIGTERM."""

import argparse
import asyncio
import logging
import signal
from pathlib import Path

from sandbox.layout import Layout
from sandbox.nodes.process import run


async def _main(layout: Layout) -> None:
    serving = asyncio.create_task(run(layout))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    await asyncio.wait([serving])
    if not serving.cancelled():
        serving.result()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m sandbox.nodes", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="the sandbox's directory")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    asyncio.run(_main(Layout.load(parser.parse_args().dir)))
