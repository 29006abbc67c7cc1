"""Rooms in doubt are looked at two at a time, each once a minute; what is too much is counted, and nobody waits."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
import msgspec
import pytest

from collectors.collector import Emit, FeedRow, Now, PartlyRead
from collectors.polled_frame import joined
from collectors.servers.icecast import Icecast
from collectors.servers.nginx_rtmp import NginxRtmp
from collectors.servers.node_media_server import NodeMediaServer
from collectors.servers.srs import Srs
from collectors.servers.zlmediakit import Zlmediakit
from collectors.tick import Tick
from monitor.facts import Change, RosterRoom, Slot
from monitor.live.watch import Watch
from monitor.probe.command import Ran
from monitor.probe.probed_feed import ProbedFeed
from monitor.probe.prober import AT_ONCE_MAX, WAITING_MAX, Prober, probed
from tests.probe.test_command import packets

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROOMS = [f"live/room{number}" for number in range(60)]
HALL = NginxRtmp(name="hall", url="http://10.0.0.7/stat", probe_url="rtmp://10.0.0.7/{room}?token=canary")
OTHER = NodeMediaServer(name="other", url="http://10.0.0.8:8000", probe_url="rtmp://10.0.0.8/{room}")
MOVING = Ran(0, packets(8, 8), b"", 8.4)
FROZEN = Ran(1, b"", b"rtmp://10.0.0.7/live/room1?token=canary: Input/output error", 4.4)


class Children:
    """What is run in place of ffprobe: each run lasts until it is let go."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.running = self.most = 0
        self.go = asyncio.Event()
        self.answer = MOVING

    async def run(self, arguments: Sequence[str]) -> Ran:
        self.asked.append(arguments[-1])
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.go.wait()
            return self.answer
        finally:
            self.running -= 1


class Stage:
    def __init__(self, *rows: FeedRow) -> None:
        self.at, self.passed_s, self.children = AT, 0.0, Children()
        self.watch = Watch()
        self.load(*(rows or (HALL,)))
        self.prober = Prober(self.watch, lambda: self.at, self.children.run, lambda: self.passed_s)

    def load(self, *rows: FeedRow) -> None:
        platforms = {row.platform or row.PLATFORM for row in rows}
        roster = [
            RosterRoom(number, platform, room)
            for platform in sorted(platforms)
            for number, room in enumerate(ROOMS, 1 + 1000 * sorted(platforms).index(platform))
        ]
        slots = [Slot(1, AT - timedelta(hours=1), AT + timedelta(hours=1))]
        self.watch.load(roster, slots, rows, self.at)

    def poll(self, row: FeedRow = HALL, **seen: bool) -> None:
        ticks = [Tick(row.name, f"live/{name}", self.at, "status", live, progress=7) for name, live in seen.items()]
        self.prober.heard(self.watch.hear(row.name, self.at, ticks, self.at).changes)

    def change(self, room: str, cause: str = "stall") -> None:
        self.prober.heard([Change("nginx_rtmp", room, AT, 2, "dropped", AT, cause)])

    def count(self, outcome: str, feed: str = "hall") -> int:
        return self.prober.counts()[feed, outcome]

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self.prober.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_two_are_looked_at_at_a_time_so_many_wait_and_the_rest_is_counted():
    stage = Stage()
    stage.poll(room0=True)
    async with stage.working():
        for room in ROOMS:
            stage.change(room)
            await settled()
        taken = AT_ONCE_MAX + WAITING_MAX
        assert len(stage.children.asked) == stage.children.running == AT_ONCE_MAX == 2
        assert stage.count("shed") == len(ROOMS) - taken
        stage.children.go.set()
        await settled()
        assert stage.children.most == AT_ONCE_MAX
        assert len(stage.children.asked) == stage.count("moving") == taken
        assert stage.count("shed") + stage.count("moving") == len(ROOMS)


async def test_a_room_is_looked_at_once_a_minute():
    stage = Stage()
    stage.poll(room0=True)
    stage.children.go.set()
    async with stage.working():
        for _ in range(5):
            stage.change("live/room1")
            await settled()
        assert len(stage.children.asked) == 1
        assert stage.count("shed") == 4
        stage.passed_s += 60
        stage.change("live/room1")
        await settled()
        assert len(stage.children.asked) == 2


async def test_what_waited_too_long_or_is_no_longer_asked_for_is_let_go():
    stage = Stage()
    stage.poll(room0=True)
    stage.change("live/room1")
    stage.load(msgspec.structs.replace(HALL, probe_url=""))
    async with stage.working():
        await settled()
        assert stage.children.asked == []
        stage.load(HALL)
        assert stage.count("shed") == 1
        stage.change("live/room2")
        stage.passed_s += 61
        await settled()
    assert (stage.children.asked, stage.count("shed")) == ([], 2)


async def test_only_stops_that_are_missed_are_looked_at_and_only_where_the_feed_asks_for_it():
    stage = Stage(HALL, msgspec.structs.replace(OTHER, probe_url=""))
    stage.children.go.set()
    async with stage.working():
        for row in (HALL, OTHER):
            stage.poll(row, room0=True, room1=True)
            stage.at += timedelta(seconds=5)
            stage.poll(row, room0=False, room1=False)
            stage.at += timedelta(seconds=5)
        await settled()
    assert stage.children.asked == ["rtmp://10.0.0.7/live/room0?token=canary"]  # room1 is not planned


async def test_a_stall_that_the_watch_sees_is_looked_at():
    stage = Stage()
    stage.children.go.set()
    async with stage.working():
        for _ in range(4):
            stage.poll(room1=True)
            stage.at += timedelta(seconds=5)
        await settled()
    assert stage.children.asked == ["rtmp://10.0.0.7/live/room1?token=canary"]
    assert stage.watch.muster.by_key["nginx_rtmp", "live/room1"].state == 2


async def test_what_is_found_changes_nothing_but_what_is_told_and_its_key_is_told_nobody(
    caplog: pytest.LogCaptureFixture,
):
    stage = Stage()
    stage.poll(room1=True)
    stage.children.answer = FROZEN
    stage.children.go.set()
    room = stage.watch.muster.by_key["nginx_rtmp", "live/room1"]
    session, state = room.session, room.state
    with caplog.at_level(logging.DEBUG):
        async with stage.working():
            stage.change("live/room1")
            await settled()
    assert (room.session, room.state) == (session, state)
    assert room.probed == ("nothing", AT)
    told = (
        "room live/room1 of feed hall is in doubt (stall): a player finds nothing that moves: its source is frozen or"
    )
    assert [record.getMessage().startswith(told) for record in caplog.records] == [True]
    assert "canary" not in caplog.text
    assert "canary" not in str(stage.prober.counts())


async def test_without_ffprobe_all_goes_on_and_is_counted():
    stage = Stage()
    stage.poll(room1=True)
    stage.children.answer = Ran(-1, b"", b"", 0.0, "no_program")
    stage.children.go.set()
    async with stage.working():
        stage.change("live/room1")
        stage.change("live/room2")
        await settled()
    assert stage.count("no_program") == 2


async def test_a_feed_that_is_blind_is_not_asked_for_its_rooms():
    stage = Stage()
    stage.poll(room1=True)
    stage.watch.lose("hall", "connect", AT)
    async with stage.working():
        stage.change("live/room1")
        await settled()
    assert stage.children.asked == []


async def test_our_player_is_taken_off_who_counts_without_names():
    stage = Stage(HALL, OTHER)
    stage.poll(OTHER, room1=True)

    def told(row: NginxRtmp | NodeMediaServer, frame: bytes = b"") -> list[int | None]:
        asked_at = stage.at - timedelta(seconds=0.1)
        ticks = [Tick(row.name, f"live/{name}", asked_at, "status", True, 7) for name in ("room1", "room2")]
        ticks.append(Tick(row.name, "live/room1", asked_at, "status", False))
        return [tick.viewers for tick in stage.prober.without_us(row, frame, ticks, asked_at)]

    async with stage.working():
        stage.prober.suspect("other", "live/room1", "thin")
        await settled()
        assert told(OTHER) == [None, 7, None]  # he may not be there yet
        stage.at += timedelta(seconds=3)
        assert told(OTHER) == [6, 7, None]
        assert told(HALL) == [7, 7, None]  # he is at another server
        stage.children.go.set()
        await settled()
        assert told(OTHER) == [6, 7, None]
        stage.at += timedelta(seconds=0.5)
        assert told(OTHER) == [None, 7, None]
        stage.at += timedelta(seconds=3)
        assert told(OTHER) == [7, 7, None]


async def test_a_room_that_is_looked_at_again_while_the_server_keeps_the_last_player_counts_neither():
    row = Zlmediakit(name="zlm", url="http://10.0.0.9", probe_url="http://10.0.0.9/{room}/hls.m3u8")
    stage = Stage(row)
    stage.poll(row, room1=True)

    def told(others: int, ours: int) -> int | None:
        tick = Tick("zlm", "live/room1", stage.at, "status", True, others + ours)
        return stage.prober.without_us(row, b"", [tick], stage.at)[0].viewers

    def passes(to_s: float) -> None:
        stage.at, stage.passed_s = AT + timedelta(seconds=to_s), to_s

    async with stage.working():
        stage.prober.suspect("zlm", "live/room1", "thin")
        await settled()
        passes(5)
        assert told(10, 1) == 10
        passes(12)
        stage.children.go.set()
        await settled()
        stage.children.go.clear()
        passes(61)
        stage.prober.suspect("zlm", "live/room1", "thin")
        await settled()
        for to_s in (63, 66, 70):
            passes(to_s)
            assert told(10, 2) is None  # the first one may be counted or not
        passes(73)
        assert told(10, 1) == 10
        stage.children.go.set()
        await settled()
        passes(134)
        assert told(10, 0) == 10


async def test_he_is_not_taken_off_twice_where_the_answer_names_him():
    stage = Stage()
    stage.poll(room1=True)
    async with stage.working():
        stage.prober.suspect("hall", "live/room1", "thin")
        await settled()
        stage.at += timedelta(seconds=3)
        tick = Tick("hall", "live/room1", stage.at, "status", True, 7)
        named = stage.prober.without_us(HALL, b"<client></client>", [tick], stage.at)
        counted = stage.prober.without_us(HALL, b"<nclients>8</nclients>", [tick], stage.at)
    assert ([each.viewers for each in named], [each.viewers for each in counted]) == ([7], [6])


async def test_he_is_taken_off_an_answer_too_that_lacks_the_clients_and_who_is_thin_in_it_is_looked_at():
    row = Srs(name="srs", url="http://10.0.0.9:1985", probe_url="rtmp://10.0.0.9/{room}", rooms=["live/room1"])
    stage = Stage(row)
    feed = ProbedFeed(row, row, stage.prober)
    stream = {"id": "v", "name": "room1", "app": "live", "clients": 8, "recv_bytes": 7, "publish": {"active": True}}

    def told(kbps: int) -> list[int | None]:
        page = {"code": 0, "service": "a", "streams": [stream | {"kbps": {"recv_30s": kbps}}]}
        with pytest.raises(PartlyRead, match=r"^timeout: ") as partly:
            feed.parse(joined(None, [json.dumps(page).encode()], failed="timeout"), stage.at)
        return [tick.viewers for tick in partly.value.ticks]

    stage.poll(row, room1=True)
    async with stage.working():
        assert told(2000) == [7]
        await settled()
        assert stage.children.asked == []
        assert told(20) == [7]
        await settled()
        assert stage.children.asked == ["rtmp://10.0.0.9/live/room1"]
        stage.at += timedelta(seconds=3)
        assert told(20) == [6]


async def test_he_is_no_viewer_either_where_an_answer_hides_other_rooms():
    stage = Stage()
    stage.poll(room1=True)
    async with stage.working():
        stage.prober.suspect("hall", "live/room1", "thin")
        await settled()
        stage.at += timedelta(seconds=3)
        with pytest.raises(PartlyRead) as hidden:
            ProbedFeed(Hiding(name="hall"), HALL, stage.prober).parse(b"<nclients>8</nclients>", stage.at)
    assert ([tick.viewers for tick in hidden.value.ticks], hidden.value.unseen) == ([6], {"live/room2": "reload"})


class Hiding(FeedRow, tag="hiding", frozen=True, kw_only=True):
    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None: ...

    def parse(self, frame: bytes, at: datetime) -> list[Tick]:
        seen = Tick(self.name, "live/room1", at, "status", True, 7)
        raise PartlyRead("reload", [seen], {"live/room2": "reload"}, whole=True)


def test_counts_are_of_the_feeds_that_ask_for_it_from_the_start():
    stage = Stage(HALL, Icecast(name="radio", url="http://10.0.0.9:8000"))
    assert {feed for feed, _ in stage.prober.counts()} == {"hall"}
    assert set(stage.prober.counts().values()) == {0}
    assert probed(Icecast(name="radio", url="http://10.0.0.9:8000")) is None
