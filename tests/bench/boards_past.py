"""A real Prometheus that already knows the last hour of 12,000 rooms, sample by sample, in a minute or two.

It scrapes a page of ours that tells each series at many instants at once, with its own time: as many samples as an hour
of scraping every 5 s leaves behind, without the hour. The page is livemon's own, of the families that boards ask for.
"""

import asyncio
import os
import re
import time
import urllib.parse
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from aiohttp import web

from monitor.http.rooms_page import RoomsPage
from monitor.live.watch import Watch
from monitor.rehearsal.rtmp_hall import free_ports
from tests.http.stand_in import busy_watch

STEP_S = 5
AT_ONCE = 12  # instants on one page: one minute of them
PULL_S = 4  # between pages; a page takes about one second
READY_S_MAX, FILLED_S_MAX, ASKED_S_MAX = 20.0, 900.0, 60.0
TICKS = os.sysconf("SC_CLK_TCK")
type Json = dict[str, Any]


class Past(NamedTuple):
    """`series` of each instant, from `from_at` to `to_at` (seconds since 1970)."""

    client: "Client"
    series: int
    samples: int
    from_at: float
    to_at: float
    filled_s: float


class Client:
    """Asks Prometheus, and knows how much processor it has used."""

    def __init__(self, url: str, process: int, session: aiohttp.ClientSession) -> None:
        self.url, self.process, self.session = url, process, session

    async def ask(self, path: str, **query: str) -> Json:
        """Raises RuntimeError with Prometheus's own words when it does not answer with data."""
        text = urllib.parse.urlencode(query)
        async with self.session.post(
            f"{self.url}/api/v1/{path}", data=text, headers={"Content-Type": "application/x-www-form-urlencoded"}
        ) as response:
            said: Json = await response.json()
        if said.get("status") != "success":
            raise RuntimeError(str(said.get("error")))
        data: Json = said["data"]
        return data

    @property
    def cpu_s(self) -> float:
        words = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / TICKS


class Pages:
    """The past, page after page; the last is told again and again."""

    def __init__(self, lines: list[bytes], from_at: float, to_at: float) -> None:
        self.lines = lines
        self.instants = list(_instants(from_at, to_at))
        self.told = 0
        self.over = asyncio.Event()

    async def page(self, _: web.Request) -> web.Response:
        instants = self.instants[self.told : self.told + AT_ONCE]
        if not instants:
            self.over.set()
            return web.Response(text="")
        self.told += AT_ONCE
        body = await asyncio.to_thread(self._page, instants)
        return web.Response(body=body, content_type="text/plain")

    def _page(self, instants: list[int]) -> bytes:
        parts = []
        for at_ms in instants:
            parts.append((b" %d\n" % at_ms).join(self.lines))
            parts.append(b" %d\n" % at_ms)
        return b"".join(parts)


def _instants(from_at: float, to_at: float) -> Iterator[int]:
    at = from_at
    while at <= to_at:
        yield round(at * 1000)
        at += STEP_S


async def room_lines(rooms: int, families: set[str]) -> list[bytes]:
    """Of livemon's own page, without those that no board asks for; and what rules would have recorded by hall of it."""
    watch = busy_watch(rooms)
    page = await RoomsPage(lambda: watch).render()
    named = re.compile(rb"(\w+)[{ ]")
    lines = [line for line in page.splitlines() if (found := named.match(line)) and found[1].decode() in families]
    return lines + [line.encode() for line in recorded_lines(watch)]


def recorded_lines(watch: Watch) -> Iterator[str]:
    """The series of prometheus/rules/recording.yml that boards ask for; their numbers do not matter here."""
    rooms: Counter[str] = Counter()
    for room in watch.rooms:
        place = f'platform="{room.row.platform}",hall="{room.row.hall}",city="{room.row.city}"'
        expected = ',expected="1"' if room.expected else ""
        rooms[f'platform_hall_city_state_expected:livemon_rooms:count{{{place},state="{room.state}"{expected}}}'] += 1
        rooms[f"platform_hall_city:livemon_room_viewers:sum{{{place}}}"] += 1
        rooms[f'platform_hall_city_class:livemon_rooms_bit_rate:count{{{place},class="{room.row.room_id % 5}"}}'] += 1
    for series, count in rooms.items():
        yield f"{series} {count}"


@asynccontextmanager
async def past(
    folder: Path, rooms: int, families: set[str], minutes: float, pull_s: int = PULL_S
) -> AsyncIterator[Past]:
    """Prometheus runs until the block is left; raises TimeoutError if it cannot be filled in time."""
    pages_port, port = free_ports(2)
    to_at = time.time()
    from_at = to_at - minutes * 60
    pages = Pages(await room_lines(rooms, families), from_at, to_at)
    application = web.Application()
    application.router.add_get("/metrics", pages.page)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", pages_port).start()
    (folder / "prometheus.yml").write_text(
        f"global: {{scrape_interval: {pull_s}s, scrape_timeout: {pull_s}s}}\n"
        "scrape_configs:\n  - job_name: livemon-rooms\n    honor_timestamps: true\n"
        f"    static_configs: [{{targets: ['127.0.0.1:{pages_port}']}}]\n"
    )
    process = await asyncio.create_subprocess_exec(
        "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
        # One block in memory: an hour ago is then not too old to be told beside the time of now.
        "--storage.tsdb.min-block-duration=24h", "--storage.tsdb.max-block-duration=24h",
        stderr=(folder / "log").open("wb"),
    )  # fmt: skip
    began = time.monotonic()
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ASKED_S_MAX)) as session:
            client = Client(f"http://127.0.0.1:{port}", process.pid, session)
            async with asyncio.timeout(FILLED_S_MAX):
                await pages.over.wait()
            stored = await client.ask("query", query="count({job='livemon-rooms', platform!=''})", time=str(to_at))
            series = int(stored["result"][0]["value"][1]) if stored["result"] else 0
            if series != len(pages.lines):
                said = (folder / "log").read_text()[-500:]
                raise RuntimeError(f"{series} of {len(pages.lines)} series were stored: {said}")
            filled_s = time.monotonic() - began
            yield Past(client, series, series * len(pages.instants), from_at, to_at, filled_s)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await runner.cleanup()
