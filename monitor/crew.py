"""The crew: one supervised collector for each feed, as config and roster say now."""

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

import aiohttp
import msgspec

from collectors.api_feed import ApiRow
from collectors.collector import FeedRow, Now
from collectors.hook import CalledRow, OrderPollRow, OrderSocketRow
from collectors.live_rooms import LiveRoomsRow
from monitor.live.sight import silence_s_max
from monitor.live.supervise import Collecting, Outlets, supervise
from monitor.live.watch import Watch
from monitor.probe.probed_feed import ProbedFeed
from monitor.probe.prober import Prober, probed

CONNECTIONS_PER_HOST_MAX = 8
TOTAL_TIMEOUT_S = 30.0


def bounded_http() -> aiohttp.ClientSession:
    """What every collector asks with, in the monitor and elsewhere: limits, no cookies, no proxy of the environment."""
    connector = aiohttp.TCPConnector(limit=0, limit_per_host=CONNECTIONS_PER_HOST_MAX)
    timeout = aiohttp.ClientTimeout(total=TOTAL_TIMEOUT_S)
    return aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    )


class Crew:
    """`line` makes what `supervise` knows of the row of an order socket, `polls` of one that asks its platform's open
    API, for orders, for how rooms stand, or for their sockets. `prober`: who looks at rooms of own servers."""

    def __init__(
        self,
        watch: Watch,
        now: Now,
        outlets: Outlets,
        line: Callable[[OrderSocketRow], Collecting],
        polls: Callable[[LiveRoomsRow | OrderPollRow | ApiRow], Collecting],
        prober: Prober | None = None,
    ) -> None:
        self.prober = prober
        self.watch, self.now, self.outlets, self.line, self.polls = watch, now, outlets, line, polls
        self._tasks: dict[str, tuple[FeedRow, asyncio.Task[None]]] = {}
        self._rows: Sequence[FeedRow] = ()
        self._group: asyncio.TaskGroup | None = None
        self._http: aiohttp.ClientSession | None = None
        self._ready = False

    async def work(self, ready: asyncio.Event, until: asyncio.Event) -> None:
        """Keep all collectors at work from `ready` until `until`, then let each of them go."""
        async with bounded_http() as self._http:
            try:
                async with asyncio.TaskGroup() as self._group:
                    starting = self._group.create_task(self._start(ready), name="crew")
                    await until.wait()
                    starting.cancel()
                    for _, task in self._tasks.values():
                        task.cancel()
            finally:
                self._group = None
                self._tasks.clear()

    async def _start(self, ready: asyncio.Event) -> None:
        await ready.wait()
        self._ready = True
        self.muster(self._rows)

    def muster(self, rows: Sequence[FeedRow]) -> None:
        """Begin what is new, end what is gone, begin anew what changed (its settings, or the rooms it watches)."""
        self._rows = rows
        if self._group is None or self._http is None or not self._ready:
            return
        wanted = {
            row.name: msgspec.structs.replace(row, rooms=self.watch.rooms_of(row))
            for row in rows
            if not isinstance(row, CalledRow)  # a hook is called: there is nothing to ask
        }
        for name in [name for name, (row, _) in self._tasks.items() if wanted.get(name) != row]:
            self._tasks.pop(name)[1].cancel()
        for name, row in wanted.items():
            if name not in self._tasks:
                work = supervise(
                    self._collecting(row), self._http, self.watch, self.now, self.outlets, silence_s_max(row)
                )
                self._tasks[name] = (row, self._group.create_task(work, name=f"feed {name}"))

    def _collecting(self, row: FeedRow) -> Collecting:
        """Every other kind in `Feed` is a Collector: a test sees to it."""
        if isinstance(row, LiveRoomsRow | OrderPollRow | ApiRow):
            return self.polls(row)
        if isinstance(row, OrderSocketRow):
            return self.line(row)
        collecting, to_probe = cast(Collecting, row), probed(row)
        return collecting if self.prober is None or to_probe is None else ProbedFeed(collecting, to_probe, self.prober)
