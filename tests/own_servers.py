"""Feeds of own servers, frames that were recorded of them, and a played server that answers as a test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import aiohttp
import msgspec
from aiohttp import web

from collectors import frames
from collectors.collector import Collector, FeedRefused, Now
from collectors.server_feed import ServerRow
from collectors.servers.icecast import Icecast
from collectors.servers.mediamtx import Mediamtx
from collectors.servers.node_media_server import NodeMediaServer
from collectors.servers.srs import Srs
from collectors.servers.zlmediakit import Zlmediakit
from collectors.tick import Tick

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
FEEDS = Path(__file__).parent / "feeds"
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
ROWS: dict[str, ServerRow] = {
    "srs": Srs(name="s", url="http://127.0.0.1", rooms=["live/room1"]),
    "node_media_server": NodeMediaServer(
        name="s", url="http://127.0.0.1", password_file=Path("p"), rooms=["live/room1"]
    ),
    "zlmediakit": Zlmediakit(name="s", url="http://127.0.0.1", rooms=["live/room1"]),
    "mediamtx": Mediamtx(name="s", url="http://127.0.0.1", rooms=["live/room1"]),
    "icecast": Icecast(name="s", url="http://127.0.0.1", rooms=["room1"]),
}


def recorded(kind: str, case: str = "one_evening", number: int = 1) -> bytes:
    lines = (FEEDS / kind / case / "frames.jsonl").read_bytes().splitlines()
    return list(frames.decode_lines(lines))[number][0]


def changed(frame: bytes, old: bytes, new: bytes) -> bytes:
    assert old in frame
    return frame.replace(old, new)


def parse(kind: str, frame: bytes, **settings: object) -> list[Tick]:
    row = msgspec.structs.replace(ROWS[kind], **settings)
    return list(cast(Collector, row).parse(frame, AT))


SRS, NMS, ZLM, MTX = (recorded(kind) for kind in ("srs", "node_media_server", "zlmediakit", "mediamtx"))
STATUS, XML = recorded("icecast", number=2), recorded("icecast", "by_admin", 0)
INDEX = b'{"code":0,"server":"vid-3p6c0y1","service":"g191u926","pid":"1850","urls":{}}'  # SRS' /api/v1/summaries/
PAGED = recorded("srs", "paged", 0)


@asynccontextmanager
async def served(answer: Handler) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(answer))  # type: ignore[arg-type]
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


class Enough(Exception):
    """So many frames came."""


def utc_now() -> datetime:
    return datetime.now(UTC)


async def heard(row: Collector, count: int, now: Now = utc_now) -> list[bytes]:
    found: list[bytes] = []

    async def emit(frame: bytes, at: datetime) -> None:
        found.append(frame)
        if len(found) == count:
            raise Enough

    async with aiohttp.ClientSession() as http, asyncio.timeout(10):
        try:
            await row.collect(http, emit, now)
        except* Enough:
            pass
        except* FeedRefused as refused:
            raise refused.exceptions[0] from None
    return found


def secret(tmp_path: Path, text: str = "s3cret-word") -> Path:
    file = tmp_path / "secret"
    file.write_text(text + "\n")
    return file
