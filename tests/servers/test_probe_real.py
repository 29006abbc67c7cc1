"""Real rooms are looked at by the real ffprobe: it sees what a viewer would, and is no viewer itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import msgspec
import pytest

from collectors.probed_row import PROBE_MARK, ProbedRow
from monitor.alerts.seen import WatchSight
from monitor.store.batch import session_id
from tests.platforms.stage import DROPPED, LIVE

from .halls import HALLS, Hall, IcecastHall, NginxHall, NodeMediaServerHall, furnish
from .looked import LOOK_S_MAX, Looked

pytestmark = [pytest.mark.real, pytest.mark.slow]
OURS = f"<flashver>{PROBE_MARK}".encode()
by_mark_and_by_time = pytest.mark.parametrize("kind", ["nginx_rtmp", "node_media_server", "icecast"])


def players_of(hall: Hall) -> str:
    if isinstance(hall, IcecastHall):
        return hall.url + "/{room}"
    assert isinstance(hall, NginxHall | NodeMediaServerHall)
    return f"rtmp://127.0.0.1:{hall.rtmp_port}/{{room}}"


@asynccontextmanager
async def looked_at(
    kind: str, tmp_path: Path, loops: Path, rooms: int = 1, probe_url: str = ""
) -> AsyncIterator[tuple[Hall, Looked]]:
    hall = await asyncio.to_thread(HALLS[kind], tmp_path / "hall")
    furnish(tmp_path / "hall", loops)
    row = hall.row([hall.room(number) for number in range(1, rooms + 1)])
    with hall:
        looked = Looked(cast(ProbedRow, msgspec.structs.replace(row, probe_url=probe_url or players_of(hall))))
        async with looked.watching():
            yield hall, looked


@by_mark_and_by_time
async def test_viewers_stay_exact_while_rooms_are_looked_at(kind: str, tmp_path: Path, loops: Path):
    async with looked_at(kind, tmp_path, loops, rooms=3) as (hall, looked):
        for room in looked.rooms:
            hall.publish(room)
            await looked.comes_to(room, LIVE)
        for count in (1, 2):
            hall.play(looked.rooms[0])
            await looked.is_so(lambda count=count: looked.of(looked.rooms[0]).viewers == count)
        before, listed = len(looked.put), 0
        for room in looked.rooms:
            looked.prober.suspect(looked.row.name, room, "thin")
        # Icecast keeps up to 16 s of this sound, and gives them at once.
        outcomes = ("sound_only", "unsure") if kind == "icecast" else ("moving",)
        async with asyncio.timeout(3 * LOOK_S_MAX):
            while looked.found(*outcomes) < 3:
                if isinstance(hall, NginxHall):
                    listed = max(listed, (await asyncio.to_thread(hall.stat)).count(OURS))
                await asyncio.sleep(0.2)
        await looked.messages_more(6)
        unsure = set() if kind == "nginx_rtmp" else {None}
        assert listed == (2 if kind == "nginx_rtmp" else 0)  # both were there, and never three
        assert looked.viewers(looked.rooms[0], before) - unsure == {2}
        assert looked.viewers(looked.rooms[1], before) - unsure == {0}
        assert [looked.of(room).viewers for room in looked.rooms] == [2, 0, 0]
        assert [looked.changes(room) for room in looked.rooms] == [["opened"]] * 3


@pytest.mark.parametrize("kind", ["nginx_rtmp", "node_media_server"])
async def test_a_frozen_source_is_looked_at_told_as_such_and_decides_nothing(kind: str, tmp_path: Path, loops: Path):
    async with looked_at(kind, tmp_path, loops) as (hall, looked):
        (room,) = looked.rooms
        source = hall.publish(room)
        await looked.comes_to(room, LIVE)
        hall.play(room)
        await looked.is_so(lambda: looked.of(room).viewers == 1)
        await looked.messages_more(8)
        before = len(looked.put)
        source.freeze()
        await looked.comes_to(room, DROPPED)
        await looked.is_so(lambda: looked.found("nothing") == 1)
        sight = WatchSight(looked.watch, session_id).room(looked.row.PLATFORM, room)
        assert sight is not None
        assert (sight.state, sight.picture) == (DROPPED, "nothing")
        assert looked.changes(room) == ["opened", "dropped"]
        assert looked.viewers(room, before) - {None} == {1}
        source.thaw()
        await looked.comes_to(room, LIVE)
        assert looked.changes(room) == ["opened", "dropped", "resumed"]


async def test_sound_without_a_picture_is_told_as_such(tmp_path: Path, loops: Path):
    async with looked_at("nginx_rtmp", tmp_path, loops) as (hall, looked):
        (room,) = looked.rooms
        cast(NginxHall, hall).publish(room, "-vn")
        await looked.comes_to(room, LIVE)
        looked.prober.suspect(looked.row.name, room, "thin")
        await looked.is_so(lambda: looked.found("sound_only") == 1)


async def test_a_room_that_nobody_publishes_and_a_server_that_is_not_there(tmp_path: Path, loops: Path):
    async with looked_at("nginx_rtmp", tmp_path, loops) as (_, looked):
        looked.prober.suspect(looked.row.name, looked.rooms[0], "missing")
        await looked.is_so(lambda: looked.found("nothing") == 1)
    async with looked_at("nginx_rtmp", tmp_path, loops, probe_url="rtmp://127.0.0.1:9/{room}") as (_, looked):
        looked.prober.suspect(looked.row.name, looked.rooms[0], "missing")
        await looked.is_so(lambda: looked.found("unreachable") == 1)
