"""A process that serves /healthz and a /status of 5,000 nodes; its arguments are a port and a limit of files.

A line on its standard input holds every file that it may still open, another one lets them go.
"""

import asyncio
import contextlib
import logging
import resource
import sys
import time
from typing import Any

from sandbox.layout import HOST
from syncer.telemetry.status_route import status_route
from syncer.telemetry.web import Routes, serving, text
from tests.integration.page import worlds


async def main(port: int, files: int, told: worlds.Document) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)

    def observe() -> dict[str, Any]:
        nodes = [dict(node) for node in told["nodes"]]
        groups = [
            {**group, "targets": [dict(target) for target in group["targets"]]} for group in told["groups"]
        ]
        return {**told, "now": time.time(), "nodes": nodes, "groups": groups}

    status = status_route(observe, lambda state: state)
    routes: Routes = {"/healthz": lambda: text(200, "ok"), "/status": status}
    async with serving(routes, HOST, port):
        for _ in range(2):
            sys.stdout.write("up\n")
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.readline)
            with contextlib.ExitStack() as held:
                with contextlib.suppress(OSError):
                    while True:
                        held.enter_context(open("/dev/null"))  # noqa: ASYNC230, PTH123
                sys.stdout.write("full\n")
                sys.stdout.flush()
                await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), worlds.crowd(5000)))
