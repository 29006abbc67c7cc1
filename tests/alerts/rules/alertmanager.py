"""A real Alertmanager with the shipped configuration, but for its times and the address that it calls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import which
from typing import Any

import aiohttp
import yaml
from aiohttp import web

from monitor.rehearsal.rtmp_hall import free_ports

CONFIG = Path(__file__).resolve().parents[3] / "prometheus" / "alertmanager.yml"
START_S_MAX = 20.0
Labels = dict[str, str]


class Manager:
    """Takes alerts as Prometheus posts them; keeps what its webhook was told."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http, self.url = http, ""
        self.told: list[dict[str, Any]] = []
        self.called = asyncio.Event()

    async def hear(self, request: web.Request) -> web.Response:
        self.told.append(await request.json())
        self.called.set()
        return web.Response()

    async def post(self, *alerts: Labels, over: bool = False) -> None:
        now = datetime.now(UTC)
        ends = {"endsAt": (now - timedelta(seconds=1)).isoformat()} if over else {}
        # Begun now, as Prometheus says it: what began longer ago than group_wait is told at once.
        starts = (now - timedelta(seconds=60)) if over else now
        body = [{"labels": labels, "startsAt": starts.isoformat(), **ends} for labels in alerts]
        async with self.http.post(f"{self.url}/api/v2/alerts", json=body) as answer:
            assert answer.status == 200, await answer.text()

    async def inhibited(self) -> list[Labels]:
        async with self.http.get(f"{self.url}/api/v2/alerts") as answer:
            return [alert["labels"] for alert in await answer.json() if alert["status"]["inhibitedBy"]]

    async def until(self, told: int, within_s: float = 20.0) -> None:
        async with asyncio.timeout(within_s):
            while len(self.told) < told:
                self.called.clear()
                await self.called.wait()


def quickened(url: str) -> str:
    """The shipped configuration with seconds instead of minutes."""
    config = yaml.safe_load(CONFIG.read_text())
    (hook,) = config["receivers"][0]["webhook_configs"]
    assert hook["url"] == "http://livemon:8790/alertmanager"
    hook["url"] = url
    config["route"] |= {"group_wait": "1s", "group_interval": "1s"}
    config["route"]["routes"][0] |= {"group_interval": "1s", "repeat_interval": "1s"}
    return yaml.safe_dump(config)


@asynccontextmanager
async def managing(folder: Path) -> AsyncIterator[Manager]:
    program = which("prometheus-alertmanager") or which("alertmanager")
    assert program, "bash tests/tools.sh installs Alertmanager"
    async with aiohttp.ClientSession() as http:
        manager = Manager(http)
        app = web.Application(client_max_size=16 * 1024**2)
        app.router.add_post("/alertmanager", manager.hear)
        runner = web.AppRunner(app)
        await runner.setup()
        hook, port = free_ports(2)
        await web.TCPSite(runner, "127.0.0.1", hook).start()
        (folder / "alertmanager.yml").write_text(quickened(f"http://127.0.0.1:{hook}/alertmanager"))
        process = await asyncio.create_subprocess_exec(
            program, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=warn",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            manager.url = f"http://127.0.0.1:{port}"
            await ready(manager)
            yield manager
        finally:
            process.kill()
            await process.wait()
            await runner.cleanup()


async def ready(manager: Manager) -> None:
    async with asyncio.timeout(START_S_MAX):
        while True:
            try:
                async with manager.http.get(f"{manager.url}/-/ready") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass  # it does not listen yet
            await asyncio.sleep(0.05)
