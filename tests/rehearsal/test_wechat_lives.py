"""A played WeChat's rooms, asked one by one as livemon asks them: what it hears is what the truth says was answered."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest

from collectors.apis.wechat import WechatApi
from collectors.hook import App
from collectors.platforms.wechat_live import WechatLive
from collectors.tick import Tick
from monitor.accounts.account import Account
from monitor.facts import RosterRoom
from monitor.live.failure import Reason
from monitor.live.supervise import Collecting
from monitor.live.watch import Watch
from monitor.rehearsal.compare.case import feeds_of, ways_in
from monitor.rehearsal.event.cast import cast as dealt
from monitor.rehearsal.event.play import Play
from monitor.rehearsal.event.tempo import Tempo
from monitor.rehearsal.house import shown
from monitor.rehearsal.platforms.relay import Relay
from monitor.rehearsal.platforms.wechat import NAME, Wechat
from monitor.rehearsal.scene import Scene
from monitor.rehearsal.truth import OFF_AIR, Truth, feeds_in, frames_of, viewers_of
from tests.platforms.api_house import asking

from .staged import secret

ROOMS, SEED = 90, 5
HOUR = 3_600.0  # an hour of the play each second


class Enough(Exception):
    """So much was heard."""


class House:
    """Nothing of livemon but its roster."""

    def __init__(self, scene: Scene) -> None:
        self.watch = Watch()
        roster = [RosterRoom(part.number + 1, part.platform, part.room) for part in scene.play.parts]
        self.watch.load(roster, (), [], scene.now())
        self.missed: list[str] = []

    def unseen(self, feed: str, rooms: Sequence[str], reason: Reason) -> None:
        self.missed.extend(rooms)


async def heard(platform: Wechat, scene: Scene, enough: int) -> dict[str, list[Tick]]:
    """By room, what livemon understands until it has heard so many frames; by the platform's own settings."""
    rows = [row for row in platform.settings().accounts if row.get("anchor")]
    accounts = [Account(NAME, "wechat", "", it["anchor"], key=it["key"], secret=it["secret"].encode()) for it in rows]
    row = WechatLive(name="live-wechat", app=NAME, rooms=[it["anchor"] for it in rows], interval_s=0.05)
    ticks, house = defaultdict[str, list[Tick]](list), House(scene)
    count = 0

    async def emit(frame: bytes, at: datetime) -> None:
        nonlocal count
        for tick in row.parse(frame, at):
            ticks[tick.room].append(tick)
        count += 1
        if count >= enough:
            raise Enough

    async with asking(row, WechatApi(), App(NAME, "wechat", "wx", (b"s",)), platform.url, accounts, house) as line:
        with pytest.raises(BaseExceptionGroup) as ended:
            await cast(Collecting, line).collect(cast(Any, None), emit, scene.now)
    assert ended.group_contains(Enough)
    assert not house.missed
    return ticks


@pytest.mark.parametrize("again", [False, True])
async def test_each_room_is_heard_as_it_was_answered(tmp_path: Path, again: bool) -> None:
    """Also by a livemon that begins anew, and knows nothing of the lives that are over."""
    began = datetime.now(UTC) - timedelta(hours=1)
    with Truth(tmp_path / "truth.sqlite") as truth:
        async with aiohttp.ClientSession() as http:
            play = Play(dealt(ROOMS, SEED), SEED, Tempo(began, HOUR, 19 * 3600.0 - 3600 * HOUR))
            scene = Scene(play, play.tempo, truth, http, "http://127.0.0.1:9", secret)
            platform = Wechat(scene)
            await platform.open()
            try:
                found = await heard(platform, scene, 700)
                if again:
                    for room, ticks in (await heard(platform, scene, 300)).items():
                        found[room] += ticks
            finally:
                await platform.close()
        truth.flush()
    served = defaultdict[str, list[int]](list)
    for feed, _, _, blob in frames_of(truth.path):
        served[feed.removeprefix("live-wechat:")] += viewers_of(blob or b"")
    assert len(found) == len(platform.lives.parts) > 10
    lost = 0
    for room, ticks in found.items():
        told = [(tick.viewers if tick.live else OFF_AIR) for tick in ticks]
        if len(told) < len(served[room]):  # one that was answered when all ended
            lost += len(served[room]) - len(told)
            told, served[room] = _without(told, served[room])
        assert told == served[room]
    assert lost <= len(found) * (1 + again)
    everything = [tick for ticks in found.values() for tick in ticks]
    assert {tick.live for tick in everything} == {True, False}
    assert len({tick.session_key for tick in everything}) > 10
    ways = ways_in(feeds_in(truth.path))
    assert ways == {"wechat": "live"}
    feeds = feeds_of(play, ways)
    assert {feed for feed in feeds if feed.startswith("live-wechat:")} == {
        f"live-wechat:{part.room}" for part in platform.lives.parts
    }


def _without(told: list[int], served: list[int]) -> tuple[list[int], list[int]]:
    """What was heard, and what was served of it: answers that nobody took were at the end of a life of livemon."""
    left, kept = list(told), list[int]()
    for viewers in served:
        if left and viewers == left[0]:
            kept.append(left.pop(0))
    return told, kept


async def test_what_shows_its_rooms_has_no_relay(tmp_path: Path) -> None:
    play = Play(dealt(ROOMS, SEED), SEED, Tempo(datetime.now(UTC)))
    with Truth(tmp_path / "truth.sqlite") as truth:
        async with aiohttp.ClientSession() as http:
            scene = Scene(play, play.tempo, truth, http, "http://127.0.0.1:9", secret)
            relays = {each.platform for each in shown(scene, {"", "wechat"}) if isinstance(each, Relay)}
    assert "wechat" not in relays
    assert "doudian" in relays
