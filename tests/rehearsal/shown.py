"""Rooms of a played platform that shows them itself, heard by livemon's own kinds; and what the truth says was told."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import aiohttp
import msgspec

from collectors.api_feed import ApiRow, Make, RoomUnseen
from collectors.apis import APIS
from collectors.collector import BadFrame, FeedRefused, FeedRow, PartlyRead
from collectors.hook import App, Meaning
from collectors.live_rooms import LiveRoomsRow
from collectors.open_api import Answer, Caller, Tokens
from collectors.tick import Sale, Tick
from monitor.apps import read_apps
from monitor.crew import bounded_http
from monitor.facts import RosterRoom
from monitor.live.failure import Reason
from monitor.live.watch import Watch
from monitor.rehearsal.event.cast import Part
from monitor.rehearsal.event.cast import cast as dealt
from monitor.rehearsal.event.play import Play
from monitor.rehearsal.event.script import Broadcast
from monitor.rehearsal.event.tempo import Tempo
from monitor.rehearsal.scene import Platform, Scene
from monitor.rehearsal.truth import NOT_TOLD, OFF_AIR, Truth, frames_of, viewers_of
from tests.platforms.api_house import asking

from .staged import loaded, running, secret

ROOMS, SEED, PARTS_MAX = 400, 5, 8
HOUR = 3_600.0
Said = tuple[datetime, list[int]]


class Roster:
    """Nothing of livemon but its roster, as a line to an open API needs it."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.watch = Watch()
        self.watch.load([RosterRoom(it.number + 1, it.platform, it.room) for it in parts], (), [], datetime.now(UTC))
        self.missed: list[str] = []

    def unseen(self, feed: str, rooms: Sequence[str], reason: Reason) -> None:
        self.missed.extend(rooms)


class Codes:
    """The calls of a feed with a socket a room, by the identity codes of the platform's own settings."""

    def __init__(
        self, platform: Platform, app: App, url: str, http: aiohttp.ClientSession,
        hear: Callable[[bytes, datetime], None],
    ) -> None:  # fmt: skip
        self.hear = hear
        self.codes = {row["anchor"]: row["access_token"] for row in platform.settings().accounts}
        self.app, self.url, self.http = app, url, http
        self.kept: dict[str, Mapping[str, str]] = {}

    async def ask(self, make: Make, room: str = "") -> bytes:
        tokens = Tokens(self.codes[room], datetime.now(UTC)) if room else None
        call, api = make(Caller(self.app, self.url, self.url, "", tokens)), APIS[self.app.platform]
        async with self.http.post(call.url, data=call.body, headers=call.headers) as reply:
            answer = Answer(reply.status, {}, await reply.read())
        judged = api.judge(answer)
        if judged.verdict != "ok":
            raise RoomUnseen(judged.detail, judged.wait_s)
        return answer.body

    async def reach(self, link: str) -> str:
        return "127.0.0.1"

    def notes(self, room: str) -> Mapping[str, str]:
        return self.kept.get(room, {})

    async def note(self, room: str, notes: Mapping[str, str]) -> None:
        self.kept[room] = notes

    async def keep(self, room: str, frame: bytes, at: datetime) -> None:
        self.hear(frame, at)

    def tell(self, room: str, frame: bytes, at: datetime) -> bool:
        self.hear(frame, at)
        return True

    def roll(self, heard: Mapping[str, datetime], unheard: Mapping[str, Exception | None]) -> None: ...

    def all_lost(self, error: Exception | None) -> None: ...


@dataclass
class Ear:
    """One feed of livemon at a platform. `said` is what each of its frames says of the parts, as the truth would."""

    scene: Scene
    platform: Platform
    parts: list[Part]
    row: FeedRow
    app: App | None
    said: list[Said] = field(default_factory=list)
    ticks: list[Tick] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    over: bool = False

    def flush(self) -> None:
        """All that was told is in the file."""
        if not self.over:
            self.scene.truth.flush()

    async def emit(self, frame: bytes, at: datetime) -> None:
        if frame:
            self.hear(frame, at)

    def hear(self, frame: bytes, at: datetime) -> None:
        ticks: Sequence[Tick]
        if isinstance(self.row, LiveRoomsRow):
            meaning = cast(Meaning, cast(Any, self.row).parse(frame, at, self.app))
            self.sales += meaning.sales
            ticks = meaning.ticks
        else:
            try:
                ticks = cast(Sequence[Tick], cast(Any, self.row).parse(frame, at))
            except PartlyRead as error:
                ticks = error.ticks
            except BadFrame:
                return
        self.ticks += ticks
        by_room = {tick.room: tick for tick in ticks}
        assert len(by_room) == len(ticks)
        if ticks:
            self.said.append((ticks[0].at, [says(by_room.get(part.room)) for part in self.parts]))

    async def listen(self) -> None:
        """As `supervise` does it."""
        while True:
            try:
                await self._collect()
            except FeedRefused:
                raise
            except Exception as error:  # noqa: BLE001 - whatever ends it, the next one is tried
                self.ended.append(type(error).__name__)
                await asyncio.sleep(0.05)

    async def _collect(self) -> None:
        row = cast(Any, self.row)
        if isinstance(self.row, ApiRow):
            assert self.app is not None
            house, url = Roster(self.parts), cast(Any, self.platform).url
            async with asking(self.row, APIS[self.app.platform], self.app, url, (), cast(Any, house)) as line:
                await cast(Any, line).collect(None, self.emit, self.scene.now)
        elif isinstance(self.row, LiveRoomsRow):
            assert self.app is not None
            codes = Codes(self.platform, self.app, cast(Any, self.platform).url, self.scene.http, self.hear)
            await row.collect(self.scene.http, self.emit, self.scene.now, codes)
        else:
            async with bounded_http() as http:
                await row.collect(http, self.emit, self.scene.now)

    def truth(self) -> dict[str, list[Said]]:
        """What was told, by feed; signs of life and failures are left out."""
        self.flush()
        told = defaultdict[str, list[Said]](list)
        for feed, at, outcome, blob in frames_of(self.scene.truth.path):
            if outcome in ("answered", "stamped") and blob is not None:
                told[feed].append((at, list(viewers_of(blob))))
        return told

    def of_room(self, part: Part) -> list[int]:
        """What was heard of one room, in order."""
        place = self.parts.index(part)
        return [said[place] for _, said in self.said if said[place] != NOT_TOLD]


def says(tick: Tick | None) -> int:
    if tick is None:
        return NOT_TOLD
    return (tick.viewers or 0) if tick.live else OFF_AIR


@asynccontextmanager
async def eared(
    folder: Path, kind: Callable[[Scene], Platform], platform: str, script: Sequence[Sequence[Broadcast]] = (),
    **settings: Any,
) -> AsyncIterator[Ear]:  # fmt: skip
    """A play of some rooms, an hour in each second, or one that goes as its `script` says, for each room, at the speed
    of life; `settings` are other ones of livemon's feed."""
    began = datetime.now(UTC) - timedelta(seconds=1)
    of_it = [part for part in dealt(ROOMS, SEED) if part.platform == platform][:PARTS_MAX]
    parts = [msgspec.structs.replace(part, number=number) for number, part in enumerate(of_it)]
    assert len(parts) > 1
    play = Play(parts, SEED, Tempo(began, 1.0 if script else HOUR, 19.5 * HOUR))
    for number, broadcasts in enumerate(script[: len(parts)]):
        play.scripts[number] = iter(())
        play.told[number] = list(broadcasts)
    with Truth(folder / "truth.sqlite") as truth:
        async with aiohttp.ClientSession() as http:
            scene = Scene(play, play.tempo, truth, http, "http://127.0.0.1:9", secret)
            made = kind(scene)
            await made.open()
            try:
                config = loaded(folder, made.settings())
                [row] = config.feeds
                row = msgspec.structs.replace(row, rooms=[part.room for part in parts], **settings)
                apps = read_apps(config.apps)
                ear = Ear(scene, made, parts, row, next(iter(apps.values()), None))
                task = asyncio.ensure_future(ear.listen())
                try:
                    async with running(made):
                        yield ear
                finally:
                    task.cancel()
                    [ended] = await asyncio.gather(task, return_exceptions=True)
                    assert isinstance(ended, asyncio.CancelledError), ended
            finally:
                await made.close()
    ear.over = True
