"""Headless Chromium over the DevTools protocol: just enough of it to look at a page and to use it."""

import asyncio
import base64
import contextlib
import itertools
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from tests.waiting import eventually

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
HINT = "no Chromium here: install chromium or google-chrome, or name one in the variable CHROME"

# No sandbox: a container has no user namespaces, and only our own page is shown. The rest keeps it offline.
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--remote-debugging-port=0"),
)


def browser() -> str | None:
    """The executable, None where there is none. CHROME names one; a wrong one is an error, not a skip."""
    if named := os.environ.get("CHROME"):
        found = shutil.which(named)
        assert found, f"CHROME is {named!r}, and that is no executable"
        return found
    return next(filter(None, map(shutil.which, NAMES)), str(MAC) if MAC.exists() else None)


class Tab:
    """One page in the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self.complaints: list[str] = []

    async def listen(self) -> None:
        """Take what the browser says: answers, and what the console and the log complain of."""
        async for message in self._socket:
            said = message.json()
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said)
            elif said["method"] in {
                "Runtime.exceptionThrown",
                "Log.entryAdded",
                "Page.javascriptDialogOpening",
            }:
                self.complaints.append(json.dumps(said["params"]))

    async def call(self, method: str, **parameters: Any) -> Any:
        """One command of the protocol."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        said = await asyncio.wait_for(answer, 60)
        assert "error" not in said, said
        return said["result"]

    async def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is awaited."""
        said = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    async def open(self, url: str, width: int = 1280, height: int = 900, *, dark: bool = False) -> None:
        """Show a page in a window of this size, until it has a row."""
        await self.load(url, width, height, dark=dark)
        await self.until("document.getElementById('rows')?.childElementCount > 0")

    async def load(self, url: str, width: int = 1280, height: int = 900, *, dark: bool = False) -> None:
        """Show a page in a window of this size, until the syncer has answered it."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])
        await self.call("Page.navigate", url=url)
        await self.until("document.getElementById('flags')?.childElementCount > 0")

    async def until(self, condition: str, within: float = 20.0) -> None:
        """Wait until an expression holds in the page."""
        async with asyncio.timeout(within):
            while not await self.run(condition):  # noqa: ASYNC110 - the event is in another process
                await asyncio.sleep(0.05)

    async def act(self, script: str) -> None:
        """Run a statement that changes what is asked for, until its answer is shown."""
        await self.run(f"{script}; null")
        await self.shown()

    async def shown(self) -> None:
        """Wait until the page shows the answer to what is asked for."""
        await self.until("view.asked === query()")

    async def press(self, key: str, code: int) -> None:
        """A key, as a person presses it."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": " "} if key == " " and kind == "keyDown" else {}
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **text)

    async def type(self, text: str) -> None:
        """Text into what has the focus."""
        await self.call("Input.insertText", text=text)

    async def screenshot(self) -> bytes:
        """A PNG of the window."""
        return base64.b64decode((await self.call("Page.captureScreenshot", format="png"))["data"])


@contextlib.asynccontextmanager
async def tab(executable: str, profile: Path) -> AsyncIterator[Tab]:
    """A new browser with one empty page, ended after the block."""
    process = await asyncio.create_subprocess_exec(
        *(executable, *FLAGS, f"--user-data-dir={profile}", "about:blank"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        note = profile / "DevToolsActivePort"
        await asyncio.to_thread(eventually, lambda: note.exists() and len(note.read_text().split()) > 1, 60)
        base = f"http://127.0.0.1:{note.read_text().split()[0]}"
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{base}/json/list") as answer:
                pages = [each for each in await answer.json() if each["type"] == "page"]
            async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                page = Tab(socket)
                listening = asyncio.create_task(page.listen())
                for domain in ("Page", "Runtime", "Log"):
                    await page.call(f"{domain}.enable")
                yield page
                listening.cancel()
    finally:
        process.terminate()
        await process.wait()
