"""Each feed that is polled, asked once, as the monitor would: does it answer, and does its answer mean anything?"""

import asyncio
import time
from datetime import datetime
from typing import cast

import aiohttp

from collectors.api_feed import ApiRow
from collectors.collector import BadFrame, FeedRow, Now
from collectors.hook import CalledRow, OrderPollRow, OrderSocketRow
from monitor.doctor.finding import Finding, fine, note, wrong
from monitor.live.failure import Reason, innermost, reason_of
from monitor.live.supervise import Collecting

ANSWER_S_MAX = 15.0
TODO: dict[Reason, str] = {
    "connect": "is the server up, and is its port open from this machine?",
    "timeout": "is the server up, and is a firewall in between?",
    "http_status": "open the url from this machine: is it the right page?",
    "rate_limited": "it is asked too often: give a longer interval_s, and look for others that ask with the same key",
    "auth": "let it allow this machine, or give the right key",
    "bad_frame": "open the url from this machine: is it the right page, of a version that livemon knows?",
    "closed": "look into the server's log",
    "dns": "is the name in url right, and does this machine's DNS know it?",
    "tls": "is its certificate valid for this name?",
    "silence": "it is there and says nothing: look into the server's log",
    "refused": "it will not have us: check key and permissions on the platform",
    "unknown": "look into the server's log",
}


class Enough(Exception):
    """The first frame has come: nothing more is asked."""


async def check_feed(
    feed: FeedRow, http: aiohttp.ClientSession, now: Now, answer_s_max: float = ANSWER_S_MAX
) -> Finding:
    """One frame of this feed, and what it means. What is handed out only once is left to the running monitor."""
    name = f"feed {feed.name}"
    if isinstance(feed, CalledRow):
        raise TypeError("a hook is not asked")
    if isinstance(feed, OrderSocketRow):
        return note(name, "not asked: what it hands out is gone for the running monitor", "`livemon status` shows it")
    if isinstance(feed, ApiRow):
        todo = f"`livemon status` shows it; `livemon doctor` asks app {feed.app} itself"
        return note(name, "not asked: the running monitor is, within the budget of its app", todo)
    if isinstance(feed, OrderPollRow):
        return note(name, "not asked: its shops are, each by its own account", "`livemon account list` shows them")
    asked = cast(Collecting, feed)  # every kind in `Feed` is a Collector: a test sees to it
    began = time.monotonic()
    try:
        frame, at = await _first_frame(asked, http, now, answer_s_max)
        took_s = time.monotonic() - began
        ticks = asked.parse(frame, at)
    except Exception as error:  # noqa: BLE001  a collector may raise whatever its library does; sorted by `reason_of`
        return _failed(name, innermost(error))
    live = sum(tick.live is True for tick in ticks)
    if not feed.rooms:
        return note(name, f"answers in {took_s * 1000:.0f} ms", "the roster has no room for it")
    return fine(name, f"answers in {took_s * 1000:.0f} ms: {live} of {len(feed.rooms)} rooms live")


async def _first_frame(
    feed: Collecting, http: aiohttp.ClientSession, now: Now, answer_s_max: float
) -> tuple[bytes, datetime]:
    heard: list[tuple[bytes, datetime]] = []

    async def emit(frame: bytes, at: datetime) -> None:
        heard.append((frame, at))
        raise Enough

    try:
        async with asyncio.timeout(answer_s_max):
            await feed.collect(http, emit, now)
    except* Enough:
        pass
    if not heard:
        raise EOFError("it ended without a word")
    return heard[0]


def _failed(name: str, error: Exception) -> Finding:
    reason = reason_of(error)
    words = " ".join(str(error).split())[:200]
    if isinstance(error, BadFrame):
        what = f"answers what means nothing to us: {words}"
    else:
        what = f"{reason}: {words}" if words else reason
    return wrong(name, what, TODO[reason])
