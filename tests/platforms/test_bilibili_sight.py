"""What the watch makes of bilibili_open: rooms are blind alone or all together, never down because we heard nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import aiohttp
import msgspec

from collectors.hook import App
from collectors.platforms.bilibili_open import BilibiliOpen
from monitor.accounts.live_line import LiveLine
from monitor.accounts.live_rolls import WatchRolls
from monitor.facts import BlindSpan, Heard
from monitor.live.session import Session
from monitor.live.supervise import Outlets, Supervisor
from monitor.live.watch import Watch

from .bilibili_house import KEY, SECRET, Hall, hall, roster_row, row

OFFLINE, LIVE, BLIND = 0, 1, 3


class Seen:
    """The watch behind the feed, and all that it brought to light."""

    def __init__(self, found: Hall, feed: BilibiliOpen) -> None:
        self.found, self.feed = found, feed
        self.watch = Watch(settle_s=0.0)
        self.watch.load([roster_row(room) for room in feed.rooms or ()], (), [feed], found.clock())
        self.put: list[Heard] = []
        self.failed: list[str] = []

    async def keep(self, feed: str, frame: bytes, at: datetime) -> int:
        """As the reader does with what is on disk."""
        self.hold(feed, frame, at)
        return 0

    def hold(self, feed: str, frame: bytes, at: datetime) -> bool:
        """As the lane does with what is not kept."""
        meaning = self.feed.parse(frame, at, App("bili", "bilibili", KEY, (SECRET,)))
        self.put.append(self.watch.hear(feed, at, meaning.ticks, self.found.clock(), whole=False))
        return True

    def restarted(self) -> "Seen":
        """livemon ended, and starts again from what was sealed until then."""
        again = Seen(self.found, self.feed)
        sessions = {
            (change.platform, change.room): msgspec.msgpack.decode(change.state, type=Session)
            for heard in self.put
            for change in heard.changes
        }
        feeds = {heard.feed.feed: heard.feed for heard in self.put if heard.feed is not None}
        again.watch.restore(sessions, feeds.values(), self.found.clock())
        again.put.append(again.watch.tend(self.found.clock()))
        return again

    def state(self, room: str) -> int:
        return self.watch.muster.by_key["bilibili", room].state

    def spans(self, room: str | None) -> list[BlindSpan]:
        return [span for heard in self.put for span in heard.spans if span.room == room]

    def changes(self) -> list[tuple[str, str]]:
        return [(change.room, change.change) for heard in self.put for change in heard.changes]

    @asynccontextmanager
    async def watching(self) -> AsyncIterator["Seen"]:
        rolls = WatchRolls(
            self.watch, lambda feed, reason: self.failed.append(reason), self.put.append, self.found.clock
        )
        given = self.found.house(self.feed)
        line = LiveLine(self.feed, msgspec.structs.replace(given, keep=self.keep, hold=self.hold, rolls=rolls))

        async def room(ticks: int, facts: int) -> None: ...

        outlets = Outlets(
            room=room, put=self.put.append, quarantine=lambda feed, frame, at, reason: None, heard=lambda feed: None,
            failed=lambda feed, reason: self.failed.append(reason), polled=lambda feed, seconds: None,
        )  # fmt: skip
        async with aiohttp.ClientSession() as http:
            task = asyncio.create_task(Supervisor(line, self.watch, self.found.clock, outlets).run(http))
            try:
                yield self
            finally:
                task.cancel()
                await asyncio.wait([task])

    def stage(self, room: str, name: str = "LIVE_START") -> None:
        data = {"room_id": int(room), "timestamp": int(self.found.clock().timestamp()), "open_id": "o"}
        self.found.fake.sockets.push(room, name, data)


async def test_a_room_is_unseen_until_it_is_told_of_and_then_goes_on_and_off_air() -> None:
    async with hall("5", "6") as found, Seen(found, row(["5", "6"])).watching() as seen:
        await found.until(lambda: found.listeners() == 2 and seen.watch.feeds["bili"].sees)
        assert (seen.state("5"), seen.state("6")) == (BLIND, BLIND), "nobody said how they stand"
        seen.stage("5")
        await found.until(lambda: seen.state("5") == LIVE)
        found.clock.add(2.0)
        seen.stage("5", "LIVE_END")
        await found.until(lambda: seen.state("5") == OFFLINE)
        assert seen.changes() == [("5", "opened"), ("5", "closed")]
        assert seen.state("6") == BLIND


async def test_a_restart_in_mid_session_is_a_blind_span_and_the_session_goes_on() -> None:
    """Nobody tells how a room stands: each is unseen until its first message, neither offline nor on air anew."""
    async with hall("5", "6") as found:
        before = Seen(found, row(["5", "6"]))
        async with before.watching():
            await found.until(lambda: found.listeners() == 2 and before.watch.feeds["bili"].sees)
            before.stage("5")
            before.stage("6")
            await found.until(lambda: (before.state("5"), before.state("6")) == (LIVE, LIVE))
            found.clock.add(2.0)
            before.stage("6", "LIVE_END")
            await found.until(lambda: before.state("6") == OFFLINE)
        await found.until(lambda: found.listeners() == 0)
        [opened, *_] = [change for heard in before.put for change in heard.changes if change.room == "5"]
        found.clock.add(30.0)
        after = before.restarted()
        async with after.watching():
            await found.until(lambda: found.listeners() == 2 and after.watch.feeds["bili"].sees)
            assert (after.state("5"), after.state("6")) == (BLIND, BLIND), "nobody has said how they stand"
            assert after.changes() == []
            after.stage("5", "LIKE")
            await found.until(lambda: after.state("5") == LIVE)
            assert after.changes() == [], "it is the session of before"
            found.clock.add(2.0)
            after.stage("5", "LIVE_END")
            await found.until(lambda: after.state("5") == OFFLINE)
        [closed] = [change for heard in after.put for change in heard.changes]
        assert (closed.room, closed.change, closed.cause, closed.opened_at) == (
            "5",
            "closed",
            "ended",
            opened.opened_at,
        )
        [begun, ended] = after.spans(None)
        assert (begun.cause, begun.to_at, ended.from_at) == ("restart", None, begun.from_at)
        assert ended.to_at is not None
        assert (ended.to_at - begun.from_at).total_seconds() > 30
        assert sorted(found.fake.started) == ["5", "6"], "the runs of before go on, too"


async def test_an_hour_of_messages_at_once_ends_nothing() -> None:
    """W14: whoever plays its backlog to whom comes back tells of what was, and each message says when that was."""
    async with hall("5") as found, Seen(found, row(["5"])).watching() as seen:
        await found.until(lambda: found.listeners() == 1 and seen.watch.feeds["bili"].sees)
        seen.stage("5")
        await found.until(lambda: seen.state("5") == LIVE)
        hour_ago_s = int(found.clock().timestamp()) - 3_600
        for number in range(200):
            data = {"room_id": 5, "timestamp": hour_ago_s + number, "open_id": "o"}
            found.fake.sockets.push("5", "LIVE_END" if number % 2 else "LIVE_START", data)
        heard = len(seen.put)
        await found.until(lambda: len(seen.put) >= heard + 200)
        assert (seen.state("5"), seen.changes()) == (LIVE, [("5", "opened")])


async def test_a_room_whose_code_is_over_is_blind_alone_and_its_session_stays() -> None:
    async with hall("5", "6") as found, Seen(found, row(["5", "6"])).watching() as seen:
        await found.until(lambda: found.listeners() == 2 and seen.watch.feeds["bili"].sees)
        seen.stage("5")
        seen.stage("6")
        await found.until(lambda: (seen.state("5"), seen.state("6")) == (LIVE, LIVE))
        found.fake.expired.add("CODE5")
        del found.fake.games[next(game.game_id for game in found.fake.games.values() if game.room == "5")]
        await found.until(lambda: seen.state("5") == BLIND)
        await found.until(lambda: seen.state("6") == LIVE and found.listeners() == 1)
        assert seen.changes() == [("5", "opened"), ("6", "opened")], "blind is not down"
        assert {span.cause for span in seen.spans("5")} <= {"closed", "auth"}
        found.fake.expired.clear()
        found.let_in("5")
        await found.until(lambda: seen.state("5") == LIVE)
        assert seen.spans("5")[-1].to_at is not None
        assert not [span for span in seen.spans(None) if span.cause != "restart"]


async def test_all_that_are_cut_at_once_are_one_blind_span_of_the_feed() -> None:
    rooms = [str(number) for number in range(100, 140)]
    async with hall(*rooms) as found, Seen(found, row(rooms, connects_per_s=100.0, interval_s=4.0)).watching() as seen:
        await found.until(lambda: found.listeners() == 40 and seen.watch.feeds["bili"].sees)
        for room in rooms:
            seen.stage(room)
        await found.until(lambda: all(seen.state(room) == LIVE for room in rooms))
        before = len(seen.spans(None))
        found.fake.sockets.cut()
        await found.until(lambda: all(seen.state(room) == BLIND for room in rooms))
        await found.until(lambda: all(seen.state(room) == LIVE for room in rooms))
        spans = seen.spans(None)[before:]
        assert {span.from_at for span in spans} == {spans[0].from_at}
        assert spans[-1].to_at is not None
        assert not any(seen.spans(room) for room in rooms), "one span, not forty"
        assert {change for _, change in seen.changes()} == {"opened"}


async def test_what_the_first_rooms_say_that_are_back_does_not_end_the_blindness_of_all() -> None:
    """They come back one by one, and whoever is back talks at once: all are blind until nearly all are heard."""
    rooms = [str(number) for number in range(100, 110)]
    async with hall(*rooms) as found, Seen(found, row(rooms, connects_per_s=20.0, interval_s=4.0)).watching() as seen:
        await found.until(lambda: found.listeners() == 10 and seen.watch.feeds["bili"].sees)
        for room in rooms:
            seen.stage(room)
        await found.until(lambda: all(seen.state(room) == LIVE for room in rooms))
        sight, listened = seen.watch.feeds["bili"], list[int]()
        found.fake.sockets.cut()
        await found.until(lambda: not sight.sees)

        def talking() -> bool:
            for room in rooms:
                seen.stage(room, "LIKE")
            listened.append(found.listeners())
            return sight.sees

        await found.until(talking)
        assert any(0 < count < 9 for count in listened), "some were back and talked while the others were not"
        assert listened[-1] >= 9
        assert not any(seen.spans(room) for room in rooms)


async def test_a_key_that_is_wrong_is_a_refusal_of_the_feed() -> None:
    async with hall("5") as found, Seen(found, row(["5"])).watching() as seen:
        found.secret = b"another"
        await found.until(lambda: seen.watch.feeds["bili"].state == "refused")
        assert "4002" in seen.watch.feeds["bili"].detail
