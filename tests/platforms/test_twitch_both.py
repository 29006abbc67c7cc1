"""Both feeds of Twitch on the same channels: a stream's id is one session, whoever tells it, and whatever is lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from collectors.apis.twitch import TwitchApi
from collectors.platforms.twitch import Twitch
from monitor.facts import RosterRoom

from .api_house import asking
from .stage import LIVE, OFFLINE, Stage, now
from .twitch_played import APP, ROOMS, PlayedEventsub

ONE, OTHER = ROOMS
LIST = Twitch(name="twitch", app="twitch", rooms=list(ROOMS), interval_s=0.05)


class Both(Stage):
    """The socket's feed, and the list's beside it; one watch hears both."""

    played: PlayedEventsub

    def __init__(self) -> None:
        super().__init__(PlayedEventsub())
        roster = [RosterRoom(number, "twitch", room) for number, room in enumerate(ROOMS, 1)]
        self.watch.load(roster, (), [self.played.row, LIST], now())

    @asynccontextmanager
    async def playing(self) -> AsyncIterator["Both"]:
        async with super().playing(), asking(LIST, TwitchApi(), APP, self.played.url, (), self) as line:
            async with self.keeping(line):
                yield self

    async def both_ask(self, times: int = 3) -> None:
        """Each of them has asked so often again."""
        for _ in range(times):
            before = {name: feed.seen_until for name, feed in self.watch.feeds.items()}
            await self.until(lambda before=before: all(self._later(name, before[name]) for name in before))

    def _later(self, name: str, than: object) -> bool:
        return self.watch.feeds[name].seen_until != than


async def test_one_stream_is_one_session_through_a_reconnect() -> None:
    """It goes on while the socket is lost, and again while it moves; the other channel has nothing to do with it."""
    stage = Both()
    async with stage.playing():
        await stage.until(lambda: stage.states == {ONE: OFFLINE, OTHER: OFFLINE})
        stage.played.on_air(ONE, 5)
        await stage.until(lambda: stage.of(ONE).state == LIVE)
        await stage.both_ask()
        stage.played.fake.sockets.cut()
        await stage.until(lambda: "closed" in stage.failed)
        await stage.both_ask()
        stage.played.fake.sockets.move()
        await stage.until(lambda: stage.played.fake.sockets.welcomed >= 3)
        await stage.both_ask()
        assert stage.states == {ONE: LIVE, OTHER: OFFLINE}
    assert (stage.changes(ONE), stage.changes(OTHER)) == (["opened"], [])


async def test_a_stream_that_took_the_place_of_another_while_the_socket_was_lost_is_one_new_session() -> None:
    stage = Both()
    async with stage.playing():
        stage.played.on_air(ONE, 5)
        await stage.until(lambda: stage.of(ONE).state == LIVE)
        await stage.both_ask()  # now the list has decided last: it does not lag behind an event
        sockets = stage.played.fake.sockets
        sockets.silent = True
        stage.played.off_air(ONE)
        stage.played.on_air(ONE, 7)
        sockets.silent = False
        sockets.cut()
        await stage.until(lambda: len(stage.changes(ONE)) > 1)
        await stage.both_ask()
        assert stage.of(ONE).session.key == stage.played.fake.streams[ONE].id
    assert stage.changes(ONE) == ["opened", "closed", "opened"]


async def test_what_a_cache_still_answers_of_the_stream_before_begins_no_session() -> None:
    """One of Twitch's machines has the old list: it comes after the new one was told, from either feed."""
    stage = Both()
    async with stage.playing():
        stage.played.on_air(ONE, 5)
        await stage.until(lambda: stage.of(ONE).state == LIVE)
        await stage.both_ask()
        streams = stage.played.fake.streams
        old = streams[ONE]
        streams[ONE] = new = replace(old, id="49999")
        await stage.until(lambda: len(stage.changes(ONE)) > 1)
        for _ in range(3):
            streams[ONE] = old
            await stage.both_ask()
            streams[ONE] = new
            await stage.both_ask()
    assert stage.changes(ONE) == ["opened", "closed", "opened"]
