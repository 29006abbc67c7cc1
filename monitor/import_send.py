"""Brings deliveries made of a file to a running monitor's hooks, or, where none runs, into its spool."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import batched

import aiohttp
import msgspec
from multidict import CIMultiDictProxy

from collectors.hook import Delivery
from collectors.orders.push_json import ACCEPTED, signature
from monitor.import_plan import Chunk
from monitor.store.cipher import Cipher
from monitor.store.frames import arrival
from monitor.store.renewal import check_key
from monitor.store.spool import Spool

GROUP_MAX = 64
PATIENCE_S = 120.0  # so long without a delivery that was taken, and we give up
RETRY_S = (1.0, 30.0)
TIMEOUT = aiohttp.ClientTimeout(total=30)
LATER = frozenset({408, 429, 500, 502, 503, 504})
WHY = {
    401: "it does not know this feed's secret: does it run with this config? reload it (SIGHUP)",
    404: "it does not know this feed: reload its config (SIGHUP)",
    413: "it takes no bodies of this size",
}


class NotTaken(Exception):
    """A delivery was refused, or could not be brought: why, for a person."""


async def post(
    http: aiohttp.ClientSession,
    url: str,
    secret: bytes,
    chunks: Iterable[Chunk],
    now: Callable[[], datetime],
    took: Callable[[Chunk], None],
    patience_s: float = PATIENCE_S,
) -> None:
    """One after the other, each signed at its time and tried until it is taken. Raises NotTaken."""
    loop = asyncio.get_running_loop()
    for chunk in chunks:
        give_up_at = loop.time() + patience_s
        while (wait := await _post_once(http, url, _headers(chunk, secret, now()), chunk)) is not None:
            why, wait_s = wait
            if loop.time() + wait_s > give_up_at:
                raise NotTaken(why)
            await asyncio.sleep(wait_s)
        took(chunk)


async def _post_once(
    http: aiohttp.ClientSession, url: str, headers: dict[str, str], chunk: Chunk
) -> tuple[str, float] | None:
    """None once it is taken, else why it was not, and how long to wait until the next try. Raises NotTaken."""
    try:
        async with http.post(url, data=chunk.body, headers=headers, timeout=TIMEOUT, allow_redirects=False) as reply:
            answer = await reply.content.read(len(ACCEPTED.body) + 1)
            if reply.status == 200 and answer == ACCEPTED.body:
                return None
            if reply.status in LATER:
                return f"it answers {reply.status}", _retry_after_s(reply.headers)
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"it cannot be reached: {error or type(error).__name__}", RETRY_S[0]
    raise NotTaken(WHY.get(reply.status, f"it answers {reply.status}: is that the address of its hooks?"))


def _headers(chunk: Chunk, secret: bytes, at: datetime) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    return {
        "Content-Type": "application/json",
        "X-Livemon-Timestamp": stamp,
        "X-Livemon-Id": chunk.name,
        "X-Livemon-Signature": signature(stamp, chunk.name, chunk.body, secret),
    }


def _retry_after_s(headers: CIMultiDictProxy[str]) -> float:
    told = headers.get("Retry-After", "")
    return min(max(float(told), RETRY_S[0]), RETRY_S[1]) if told.isascii() and told.isdigit() else RETRY_S[0]


def keep(
    spool: Spool, cipher: Cipher, feed: str, chunks: Iterable[Chunk], at: datetime, took: Callable[[Chunk], None]
) -> int:
    """Into the spool of a stopped monitor, as its hooks would; how many it did not have yet.

    Raises SpoolFull, and CannotDecrypt where what waits there already is under another key.
    """
    hours = spool.unlock(cipher)
    check_key(spool, hours)
    before = spool.standing().books["frame"].received
    for group in batched(chunks, GROUP_MAX, strict=False):
        spool.frames.append([arrival(hours, feed, frame_of(feed, chunk), at, at, chunk.name) for chunk in group])
        for chunk in group:
            took(chunk)
    return spool.standing().books["frame"].received - before


def frame_of(feed: str, chunk: Chunk) -> bytes:
    return msgspec.msgpack.encode(Delivery("POST", f"/hooks/{feed}", "", {"x-livemon-id": chunk.name}, chunk.body))
