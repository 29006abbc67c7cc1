"""The beginning of an evening, of every kind alike, with somebody between the feed and its platform."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec

from collectors.platforms.ws_json import WsJson

from .between import Between
from .bilibili_house import hall, row
from .kinds import KINDS
from .stage import LIVE, OFFLINE, Stage
from .test_bilibili_sight import Seen
from .test_kwaixiaodian_uv import ONE, OTHER, both_live

SMALL_BYTES = 65_536  # for a message, where the settings say how large one may be
BY_ITSELF = ("http_json", "ws_json")  # who asks without an account's client
ASKING = (*KINDS, "kwaixiaodian_uv")  # whose answers come over a socket here
HEARING = ("ws_json", "twitch_eventsub", "bilibili_open")


@dataclass
class Piece:
    """One room is on air. `good`: that is known, and all else that the kind tells. `heard` grows while it does."""

    between: Between
    good: Callable[[], bool]
    heard: Callable[[], int]
    changes: Callable[[], list[str]]
    failed: Sequence[str]
    kept: Sequence[bytes]
    wait: Callable[[Callable[[], object]], Awaitable[None]]

    async def more(self) -> None:
        """It goes well, and what is heard now was said now."""
        await self.wait(self.good)
        heard = self.heard() + 2
        await self.wait(lambda: self.heard() >= heard)
        assert self.good()

    async def failure(self, after: int) -> set[str]:
        """Wait for the next one; returns how it, and those that came at once, are called."""
        await self.wait(lambda: len(self.failed) > after)
        return set(self.failed[after:])


@asynccontextmanager
async def begun(kind: str, between: Between) -> AsyncIterator[Piece]:
    if kind == "bilibili_open":
        async with _heard_rooms(between) as piece:
            yield piece
        return
    stage, good, one = await _counted(between) if kind == "kwaixiaodian_uv" else _played(kind, between)
    async with stage.playing():
        yield Piece(
            between,
            good,
            lambda: stage.messages,
            lambda: stage.changes(one),
            stage.failed,
            stage.quarantined,
            stage.until,
        )


def _played(kind: str, between: Between) -> tuple[Stage, Callable[[], bool], str]:
    played = KINDS[kind]()
    if isinstance(played.row, WsJson):
        played.row = msgspec.structs.replace(played.row, body_bytes_max=SMALL_BYTES)
    stage = Stage(played, between=between)
    one, other = stage.rooms
    played.on_air(one, 7)
    return stage, lambda: stage.states == {one: LIVE, other: OFFLINE} and stage.counts(one, 7), one


async def _counted(between: Between) -> tuple[Stage, Callable[[], bool], str]:
    """Another feed says that both are on air; this one counts."""
    stage = await both_live(between)
    return stage, lambda: stage.viewers == [7, 15_832] and stage.states == {ONE: LIVE, OTHER: LIVE}, ONE


@asynccontextmanager
async def _heard_rooms(between: Between) -> AsyncIterator[Piece]:
    async with hall("5") as found, between.to(found.fake.sockets.url) as url:
        found.fake.sockets.url = url
        async with Seen(found, row(["5"], interval_s=1.0)).watching() as seen:
            await found.until(lambda: found.listeners() == 1 and seen.watch.feeds["bili"].sees)
            seen.stage("5")
            sockets = found.fake.sockets
            yield Piece(
                between, lambda: seen.state("5") == LIVE and found.listeners() == 1, lambda: 2 * sockets.beats,
                lambda: [change for _, change in seen.changes()], seen.failed, [], found.until,
            )  # fmt: skip
