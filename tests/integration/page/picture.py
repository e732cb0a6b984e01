"""Takes the picture of docs/status.md: `python -m tests.integration.page.picture`."""

import asyncio
import tempfile
from functools import partial
from pathlib import Path

from sandbox.layout import HOST, free_ports
from syncer.page import page
from syncer.telemetry.status_pages import StatusPages
from syncer.telemetry.web import Queried, Routes, serving
from tests.integration.page import worlds
from tests.integration.page.browser import HINT, browser, tab
from tests.integration.page.conftest import page_of

PICTURE = Path(__file__).parents[3] / "docs" / "status.png"


async def take(told: worlds.Document) -> None:
    """Show `told` and write what is seen."""
    found = browser()
    if found is None:
        raise SystemExit(HINT)
    (port,) = free_ports(1)
    routes: Routes = {"/": page, "/status": Queried(partial(page_of, StatusPages(told)))}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        async with serving(routes, HOST, port), tab(found, Path(profile)) as shown:
            await shown.open(f"http://{HOST}:{port}/", 1280, 800)
            PICTURE.write_bytes(await shown.screenshot())


if __name__ == "__main__":
    asyncio.run(take(worlds.busy()))
