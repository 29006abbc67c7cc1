"""A real Alertmanager on a port of its own, that tells nobody."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp

from monitor.rehearsal.rtmp_hall import free_ports

PROGRAMS = ("prometheus-alertmanager", "alertmanager")
CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
START_S_MAX = 20.0


class Running:
    """Where it listens, and what fires in it."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url, self.http = url, http

    async def fire(self, *alerts: dict[str, str], since: datetime | None = None) -> None:
        since = since or datetime.now(UTC)
        await self._post([{"labels": each, "startsAt": since.isoformat()} for each in alerts])

    async def resolve(self, *alerts: dict[str, str]) -> None:
        ended = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
        await self._post([{"labels": each, "endsAt": ended} for each in alerts])

    async def _post(self, alerts: list[dict[str, object]]) -> None:
        async with self.http.post(f"{self.url}/api/v2/alerts", json=alerts) as answer:
            assert answer.status == 200, await answer.text()


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Running]:
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert program is not None, "bash tests/tools.sh installs Alertmanager"
    (port,) = free_ports(1)
    (folder / "alertmanager.yml").write_text(CONFIG)
    process = await asyncio.create_subprocess_exec(
        program, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=warn",
        stdout=asyncio.subprocess.DEVNULL, stderr=(folder / "log").open("wb"),
    )  # fmt: skip
    try:
        async with aiohttp.ClientSession() as http:
            url = f"http://127.0.0.1:{port}"
            await _ready(http, url, folder)
            yield Running(url, http)
    finally:
        process.kill()
        await process.wait()


async def _ready(http: aiohttp.ClientSession, url: str, folder: Path) -> None:
    until = asyncio.get_running_loop().time() + START_S_MAX
    while asyncio.get_running_loop().time() < until:
        try:
            async with http.get(f"{url}/-/ready") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.05)
    raise AssertionError((folder / "log").read_text())
