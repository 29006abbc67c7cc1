"""May livemon have as many files and sockets open as this roster and its listeners can ask for?"""

import re
import resource
from collections.abc import Sequence

import aiohttp

from collectors.collector import FeedRow
from collectors.hook import CalledRow
from collectors.live_rooms import LiveRoomsRow
from monitor import open_files
from monitor.crew import CONNECTIONS_PER_HOST_MAX
from monitor.doctor.finding import Finding, fine, note, wrong
from monitor.http.guard import Limits

OWN = 512  # spool, PostgreSQL, log, robots, and the calls of platforms, which have a cap of their own
CALLERS = Limits().connections_max + Limits().trusted_more_max  # of one listener
TOLD = re.compile(rb"^process_max_fds (\d[\d.e+]*)$", re.MULTILINE)
PAGE_BYTES_MAX = 4 * 1024 * 1024
RAISE_IT = (
    "under systemd LimitNOFILE={many} in [Service], in docker-compose.yml `ulimits: {{ nofile: {many} }}`, in a shell "
    "`ulimit -Hn {many}` as root; then start livemon again"
)


async def check_open_files(
    http: aiohttp.ClientSession, monitor_url: str, feeds: Sequence[FeedRow], hooks: bool
) -> Finding:
    """Of the running monitor, as it says itself; where none runs, what one that is started from here would have."""
    running = await _of_the_monitor(http, monitor_url)
    allowed = running if running is not None else open_files.raised(*resource.getrlimit(resource.RLIMIT_NOFILE))
    return judge_open_files(allowed, of_feeds(feeds), CALLERS * (2 if hooks else 1), running is not None)


def of_feeds(feeds: Sequence[FeedRow]) -> int:
    """So many at most, for feeds with the rooms that they have."""
    return OWN + sum(_of_feed(feed) for feed in feeds)


def _of_feed(feed: FeedRow) -> int:
    if isinstance(feed, CalledRow):
        return 0  # callers are counted by listener
    if isinstance(feed, LiveRoomsRow):
        return len(feed.rooms or ())
    return CONNECTIONS_PER_HOST_MAX if feed.ROOM_BY_ROOM else 1


def judge_open_files(allowed: int, for_feeds: int, for_callers: int, is_running: bool) -> Finding:
    """A verdict on a limit; RLIM_INFINITY is none."""
    if allowed == resource.RLIM_INFINITY:
        return fine("open files", "without a limit")
    whose = "the running monitor" if is_running else "a monitor started from here"
    what = f"{whose} may have {allowed:,} files and sockets open; its feeds need up to {for_feeds:,}"
    todo = RAISE_IT.format(many=open_files.MAX)
    if allowed < for_feeds:
        return wrong("open files", f"{what}: rooms would stay blind", todo)
    if allowed < for_feeds + for_callers:
        return note("open files", f"{what}, and whoever calls its listeners up to {for_callers:,} more", todo)
    return fine("open files", f"{what}, and whoever calls its listeners up to {for_callers:,} more")


async def _of_the_monitor(http: aiohttp.ClientSession, url: str) -> int | None:
    """None: none runs there, or it does not say (as on macOS)."""
    try:
        async with http.get(f"{url}/metrics", timeout=aiohttp.ClientTimeout(total=5.0)) as reply:
            page = bytearray()
            async for chunk in reply.content.iter_any():
                page += chunk
                if len(page) > PAGE_BYTES_MAX:
                    return None
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None
    told = TOLD.search(page)
    return None if told is None else round(float(told[1]))
