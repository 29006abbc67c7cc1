"""What own servers call to tell: from memory to the watch, in order, bounded by feed, and nothing of it kept."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec

from collectors.collector import FeedRow
from collectors.hook import App, Delivery
from collectors.servers.nginx_rtmp import NginxRtmp
from collectors.servers.nginx_rtmp_hooks import NginxRtmpHooks
from monitor.facts import Heard, RosterRoom
from monitor.live.session import DROPPED, LIVE
from monitor.live.watch import Watch
from monitor.rates import Rates
from monitor.sale_rules import SaleRules
from monitor.server_lane import Outlets, ServerLane

NOON = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
HOOKS = NginxRtmpHooks(name="hooks", app="halls")
OTHER = NginxRtmpHooks(name="other", app="halls")
POLL = NginxRtmp(name="poll", url="http://127.0.0.1:1/stat")
ROOMS = ("live/room1", "live/直播间")
STAT = (
    "<rtmp><pid>42</pid><uptime>9</uptime><server><application><name>live</name><live>{}</live></application></server>"
    "</rtmp>"
)
STREAM = (
    "<stream><name>room1</name><bw_in>0</bw_in><bytes_in>{bytes}</bytes_in><client><id>{client}</id><publishing/>"
    "</client><nclients>1</nclients><publishing/></stream>"
)


def call(name: str, client: int = 7, room: str = "room1", **more: str) -> bytes:
    told = {"app": "live", "clientid": str(client), "call": name, "name": room} | more
    body = "&".join(f"{key}={value}" for key, value in told.items()).encode()
    return msgspec.msgpack.encode(Delivery("POST", "/hooks/hooks", "", {}, body))


class Stage:
    """A watch with two rooms, the lane before it, and an inbox that may be full."""

    def __init__(self, held_max: int = 1_000, feeds: tuple[FeedRow, ...] = (HOOKS, OTHER, POLL)) -> None:
        self.watch = Watch()
        self.seconds = 0.0
        roster = [RosterRoom(number, "nginx_rtmp", room) for number, room in enumerate(ROOMS, 1)]
        self.watch.load(roster, (), feeds, NOON)
        self.heard: list[Heard] = []
        self.failed: Counter[str] = Counter()
        self.watching, self.roomy = True, asyncio.Event()
        self.roomy.set()
        self.lane = ServerLane(self.watch, self.outlets(), held_max)

    def outlets(self) -> Outlets:
        async def room(ticks: int, facts: int) -> None:
            await self.roomy.wait()

        return Outlets(
            room=room, put=self.heard.append, encrypt=lambda frame: b"sealed:" + frame[::-1],
            failed=lambda feed: self.failed.update([feed]), app_of=lambda row: App("halls", "nginx_rtmp"),
            rules=lambda: SaleRules(b"k" * 32, Rates(()), None), watching=lambda: self.watching, now=self.now,
        )  # fmt: skip

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    def told(self) -> list[tuple[str, str]]:
        return [(change.change, change.cause) for heard in self.heard for change in heard.changes]

    async def settle(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)

    async def call(self, seconds: float, frame: bytes, feed: str = "hooks") -> bool:
        self.seconds = seconds
        taken = self.lane.hold(feed, frame, self.now())
        await self.settle()
        return taken

    def poll(self, seconds: float, client: int | None) -> None:
        """The stat page as nginx would show it: its process is 42."""
        self.seconds = seconds
        shown = STREAM.format(bytes=int(seconds * 1000), client=client) if client else ""
        row = msgspec.structs.replace(POLL, rooms=list(ROOMS))
        self.heard.append(
            self.watch.hear("poll", self.now(), row.parse(STAT.format(shown).encode(), self.now()), self.now())
        )


@contextlib.asynccontextmanager
async def staged(held_max: int = 1_000) -> AsyncIterator[Stage]:
    stage = Stage(held_max)
    running = asyncio.create_task(stage.lane.run())
    try:
        yield stage
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def test_poll_and_hook_of_one_server_agree_on_one_session() -> None:
    async with staged() as stage:
        stage.poll(0, None)
        await stage.call(2, call("publish"))
        stage.poll(5, 7)
        await stage.call(6, call("publish", 30))  # a second publisher, refused by nginx, who stays for a while
        stage.poll(10, 7)
        await stage.call(11, call("update_publish", 30, time="5", timestamp="5000"))
        await stage.call(11.5, call("publish_done", 30))
        assert stage.told() == [("opened", "event")]
        await stage.call(12, call("publish_done"))
        assert stage.watch.rooms[0].session.phase is DROPPED
        stage.poll(15, None)
        await stage.call(20, call("publish", 9))
        stage.poll(25, 9)
        stage.poll(30, 9)
        assert stage.told() == [("opened", "event"), ("dropped", "event"), ("resumed", "event")]
        assert (stage.watch.rooms[0].state, stage.watch.rooms[0].session.key) == (1, "42:9")


async def test_an_end_alone_is_enough_where_publishers_are_not_asked_about() -> None:
    async with staged() as stage:
        stage.poll(0, None)
        stage.poll(5, 7)
        await stage.call(6.5, call("publish_done"))
        assert stage.told() == [("opened", "status"), ("dropped", "event")]
        stage.poll(10, None)
        stage.poll(15, 9)
        assert stage.told()[-1] == ("resumed", "status")


async def test_calls_of_a_room_that_nobody_listed_are_noted_and_open_nothing() -> None:
    async with staged() as stage:
        assert await stage.call(0, call("publish", room="stranger"))
        assert stage.told() == []
        assert set(stage.watch.feeds["hooks"].unlisted) == {"live/stranger"}


async def test_silence_of_a_hook_blinds_nobody() -> None:
    async with staged() as stage:
        stage.poll(0, None)
        stage.poll(5, 7)
        await stage.call(6, call("update_publish", time="5", timestamp="5000"))
        for seconds in range(10, 4_000, 5):
            stage.poll(seconds, 7)
            stage.heard.append(stage.watch.tend(stage.now()))
        assert (stage.told(), stage.watch.rooms[0].state) == ([("opened", "status")], LIVE)
        assert not [span for heard in stage.heard for span in heard.spans if span.feed == "hooks"]


async def test_what_means_nothing_is_counted_each_time_and_kept_encrypted_once_a_minute() -> None:
    async with staged() as stage:
        for _ in range(20):
            assert await stage.call(1, call("dance"))
        kept = [bad for heard in stage.heard for bad in heard.quarantine]
        assert stage.failed == {"hooks": 20}
        assert [(bad.feed, bad.kind, bad.reason) for bad in kept] == [
            ("hooks", "frame", "unknown_call: no call of nginx-rtmp")
        ]
        assert kept[0].payload == b"sealed:" + call("dance")[::-1]
        assert "dance" not in kept[0].sample
        assert await stage.call(2, call("publish"))
        assert stage.told() == [("opened", "event")]


async def test_a_full_inbox_holds_calls_back_and_what_is_beyond_the_cap_of_its_feed_is_shed() -> None:
    async with staged(held_max=3) as stage:
        stage.roomy.clear()
        assert [await stage.call(n, call("publish")) for n in range(5)] == [True, True, True, False, False]
        assert [await stage.call(9, call("publish"), "other") for _ in range(4)] == [True, True, True, False]
        assert stage.heard == []
        stage.roomy.set()
        await stage.settle()
        assert len(stage.heard) == 6
        assert await stage.call(10, call("publish_done"))
        assert stage.told() == [("opened", "event"), ("dropped", "event")]


async def test_calls_of_one_feed_are_told_in_their_order_and_a_flooded_one_holds_up_no_other() -> None:
    async with staged() as stage:
        stage.roomy.clear()
        for n in range(100):
            stage.lane.hold("hooks", call("publish" if n % 2 == 0 else "publish_done"), NOON + timedelta(seconds=n))
        stage.lane.hold("other", call("publish", room="%E7%9B%B4%E6%92%AD%E9%97%B4"), NOON + timedelta(seconds=100))
        stage.seconds = 101
        stage.roomy.set()
        for _ in range(6):
            await asyncio.sleep(0)
        seen = [change.room for heard in stage.heard for change in heard.changes]
        assert "live/直播间" in seen[:3]
        for _ in range(10):
            await stage.settle()
        stamps = [change.at for heard in stage.heard for change in heard.changes if change.room == ROOMS[0]]
        assert len(stamps) == 100
        assert stamps == sorted(stamps)


async def test_before_the_rooms_are_known_all_is_shed() -> None:
    async with staged() as stage:
        stage.watching = False
        assert not await stage.call(0, call("publish"))
        assert stage.heard == []


async def test_a_feed_that_left_the_config_while_its_call_waited_ends_nothing() -> None:
    async with staged() as stage:
        assert await stage.call(0, call("publish"), "gone")
        assert await stage.call(1, call("publish"))
        assert stage.told() == [("opened", "event")]
