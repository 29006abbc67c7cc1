"""Chromium without a window, driven over its DevTools protocol: a page opened, asked, and taken a picture of."""

import asyncio
import base64
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from monitor.rehearsal.program import Program

START_S_MAX = 20.0
ANSWER_S_MAX = 60.0
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-sync",
    "--disable-component-update", "--disable-quic", "--hide-scrollbars", "--force-color-profile=srgb",
    "--remote-debugging-port=0",
)  # fmt: skip

type Json = dict[str, Any]


class Tab:
    """One page. `said` is what it wrote on its console as an error."""

    def __init__(self, browser: "Browser", session: str) -> None:
        self._browser, self._session = browser, session
        self.said: list[str] = []

    async def ask(self, method: str, **arguments: Any) -> Json:
        return await self._browser.ask(method, arguments, self._session)

    async def size(self, width: int, height: int) -> None:
        await self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    async def evaluate(self, expression: str) -> Any:
        """The value of JavaScript, a promise's when it is kept. Raises AssertionError for what it throws."""
        told = await self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    async def picture(self) -> bytes:
        """What is in sight, as PNG."""
        told = await self.ask("Page.captureScreenshot", format="png", optimizeForSpeed=False)
        return base64.b64decode(told["data"])


class Browser:
    """The connection to one Chromium."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self._tabs: dict[str, Tab] = {}

    async def ask(self, method: str, arguments: Json, session: str = "") -> Json:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": arguments}
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json(message | ({"sessionId": session} if session else {}))
        async with asyncio.timeout(ANSWER_S_MAX):
            told = await answer
        assert "error" not in told, f"{method}: {told.get('error')}"
        result: Json = told["result"]
        return result

    async def listen(self) -> None:
        """Until the connection ends."""
        async for message in self._socket:
            told = message.json()
            if "id" in told:
                self._waiting.pop(told["id"]).set_result(told)
            elif told.get("sessionId") in self._tabs:
                self._heard(self._tabs[told["sessionId"]], told["method"], told["params"])

    def _heard(self, tab: Tab, method: str, told: Json) -> None:
        if method == "Runtime.exceptionThrown":
            tab.said.append(str(told["exceptionDetails"].get("exception", {}).get("description", told)))
        elif method == "Runtime.consoleAPICalled" and told["type"] == "error":
            tab.said.append(" ".join(str(each.get("value", each.get("description", ""))) for each in told["args"]))

    async def open(self, url: str, width: int, height: int, locale: str = "zh-CN") -> Tab:
        """A page of this size, in CSS pixels, which begins to load."""
        target = (await self.ask("Target.createTarget", {"url": "about:blank"}))["targetId"]
        session = (await self.ask("Target.attachToTarget", {"targetId": target, "flatten": True}))["sessionId"]
        tab = self._tabs[session] = Tab(self, session)
        for domain in ("Page", "Runtime"):
            await tab.ask(f"{domain}.enable")
        await tab.size(width, height)
        agent = (await self.ask("Browser.getVersion", {}))["userAgent"]
        await tab.ask("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=locale)
        await tab.ask("Emulation.setLocaleOverride", locale=locale.replace("-", "_"))
        await tab.ask("Emulation.setTimezoneOverride", timezoneId="Etc/UTC")  # boards say their zone themselves
        await tab.ask("Page.navigate", url=url)
        return tab


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """One that keeps nothing: its profile is a new folder, gone at the end."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert program is not None, "bash tests/tools.sh installs chromium"
    async with AsyncExitStack() as stack:
        profile = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)))
        child = stack.enter_context(Program([program, *FLAGS, f"--user-data-dir={profile}"], profile / "log"))
        address = await _address(child, profile / "DevToolsActivePort")
        http = await stack.enter_async_context(aiohttp.ClientSession())
        socket = await stack.enter_async_context(http.ws_connect(address, max_msg_size=0))
        browser = Browser(socket)
        listening = asyncio.create_task(browser.listen())
        stack.callback(listening.cancel)
        yield browser


async def _address(child: Program, told: Path) -> str:
    async with asyncio.timeout(START_S_MAX):
        while True:
            assert child.running, child.log.read_text(errors="replace")[-2000:]
            lines = told.read_text().split() if told.exists() else []
            if len(lines) == 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
            await asyncio.sleep(0.05)
