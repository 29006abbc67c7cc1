"""Every kind of own server that can be had, real, with real sources and listeners: what goes wrong is seen in time.

The same piece for all: the collector, its keeper and the watch as in the monitor, asked every half second. In time is
the interval, what the kind says of its server's lag, and a second; for a stall its STALL_S. `--measured` prints it all.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from collectors.collector import FeedRow
from collectors.servers.nginx_rtmp_hooks import NginxRtmpHooks
from collectors.tick import Tick
from monitor.facts import Change, RosterRoom
from monitor.rehearsal.program import Program
from tests.platforms.stage import BLIND, DROPPED, LIVE, Stage, now

from .halls import HALLS, INTERVAL_S, Hall, IcecastHall, NginxHall, NodeMediaServerHall, furnish

pytestmark = [pytest.mark.real, pytest.mark.slow]
START_S = 15.0
# How far a server's list may lag, and after how long without a byte it is a stall: as collectors/README.md promises it.
LAG_S = {"nginx_rtmp": 2.0, "node_media_server": 1.0, "icecast": 1.0}
STALL_S = {"nginx_rtmp": 10.0, "node_media_server": 10.0, "icecast": 10.0}
NEVER_CUT_S = 15.0  # the same of Icecast where its bytes alone tell; above, where it cuts a frozen source itself
every_kind = pytest.mark.parametrize("kind", HALLS)
Measure = Callable[[str, str, float, float], None]


class Real:
    """What a Stage is given: the feed alone, since the platform is a true one."""

    def __init__(self, row: FeedRow) -> None:
        self.row = row

    @asynccontextmanager
    async def playing(self, house: object) -> AsyncIterator[FeedRow]:
        yield self.row


class Evening:
    """One hall with so many rooms on air, watched."""

    def __init__(self, hall: Hall, rooms: int) -> None:
        self.hall, self.rooms = hall, [hall.room(number) for number in range(1, rooms + 1)]
        self.row = hall.row(self.rooms)
        self.kind = str(type(self.row).__struct_config__.tag)
        self.stage = Stage(Real(self.row))  # type: ignore[arg-type]
        self.sources: dict[str, Program] = {}
        self.failed_before = 0  # Icecast's status is no JSON in its first half second

    @property
    def lag_s(self) -> float:
        return INTERVAL_S + LAG_S[self.kind] + 1.0

    @property
    def stall_s(self) -> float:
        return INTERVAL_S + STALL_S[self.kind] + 1.0

    @asynccontextmanager
    async def played(self) -> AsyncIterator["Evening"]:
        self.sources = {room: self.hall.publish(room) for room in self.rooms}
        async with self.stage.playing():
            for room in self.rooms:
                await self.until(lambda room=room: self.stage.of(room).state == LIVE, START_S)
            self.failed_before = len(self.stage.failed)
            yield self

    async def until(self, so: Callable[[], object], within_s: float) -> float:
        """The seconds until it is so. Raises AssertionError after twice the time it may take, to say by how much."""
        began = time.monotonic()
        while not so():
            took_s = time.monotonic() - began
            assert took_s < 2 * within_s, f"not within {within_s} s: {self.stage.states}, {self.stage.failed[-3:]}"
            await asyncio.sleep(0.01)
        return time.monotonic() - began

    async def is_in(self, room: str, state: int, within_s: float = START_S) -> float:
        return await self.until(lambda: self.stage.of(room).state == state, within_s)

    async def stays(self, polls: int) -> None:
        await self.stage.messages_more(polls)

    def changes(self, room: str) -> list[tuple[str, str]]:
        told: list[Change] = [change for heard in self.stage.put for change in heard.changes if change.room == room]
        return [(change.change, change.cause) for change in told]

    def nothing_happened(self, *rooms: str) -> None:
        assert {room: self.changes(room) for room in rooms} == {room: [("opened", "status")] for room in rooms}
        assert self.stage.failed[self.failed_before :] == []


@asynccontextmanager
async def evening(kind: str, tmp_path: Path, loops: Path, rooms: int = 2) -> AsyncIterator[Evening]:
    folder = tmp_path / "hall"
    hall = await asyncio.to_thread(HALLS[kind], folder)
    furnish(folder, loops)
    with hall:
        async with Evening(hall, rooms).played() as played:
            yield played


@every_kind
@pytest.mark.parametrize("fault", ["clean stop", "SIGKILL"])
async def test_a_source_that_goes_is_dropped_in_time_and_back_when_it_comes_again(
    kind: str, fault: str, tmp_path: Path, loops: Path, measured: Measure
):
    async with evening(kind, tmp_path, loops) as played:
        room, other = played.rooms
        source = played.sources[room]
        going = asyncio.create_task(asyncio.to_thread(source.stop if fault == "clean stop" else source.kill))
        took_s = await played.is_in(room, DROPPED, played.lag_s)
        await going
        measured(kind, fault, took_s, played.lag_s)
        assert took_s < played.lag_s
        played.hall.publish(room)
        await played.is_in(room, LIVE)
        await played.stays(4)
        assert [change for change, _ in played.changes(room)] == ["opened", "dropped", "resumed"]
        played.nothing_happened(other)


@every_kind
async def test_a_frozen_source_is_a_stall_in_time_and_on_air_again_when_it_thaws(
    kind: str, tmp_path: Path, loops: Path, measured: Measure
):
    async with evening(kind, tmp_path, loops) as played:
        room, other = played.rooms
        await played.stays(8)  # so that it has moved
        played.sources[room].freeze()
        took_s = await played.is_in(room, DROPPED, played.stall_s)
        measured(kind, "SIGSTOP", took_s, played.stall_s)
        assert took_s < played.stall_s
        assert played.changes(room)[-1][1] == ("status" if "icecast" in kind else "stall")  # Icecast cuts it
        played.sources[room].thaw()
        if "icecast" in kind:
            played.hall.publish(room)
        await played.is_in(room, LIVE)
        assert [change for change, _ in played.changes(room)] == ["opened", "dropped", "resumed"]
        played.nothing_happened(other)


async def test_icecast_that_does_not_cut_a_frozen_source_shows_by_its_bytes_that_it_stalls(
    tmp_path: Path, loops: Path, measured: Measure
):
    hall = IcecastHall(tmp_path / "hall", by_admin=True, source_timeout_s=120)
    furnish(hall.folder, loops)
    with hall:
        async with Evening(hall, 2).played() as played:
            room, other = played.rooms
            await asyncio.sleep(6.0)  # so that it has moved: its bytes are counted every 5 s
            played.sources[room].freeze()
            within_s = INTERVAL_S + NEVER_CUT_S + 1.0
            took_s = await played.is_in(room, DROPPED, within_s)
            assert took_s < within_s
            measured("icecast, as admin", "SIGSTOP, never cut", took_s, within_s)
            assert played.changes(room)[-1] == ("dropped", "stall")
            played.sources[room].thaw()
            await played.is_in(room, LIVE)
            played.nothing_happened(other)


@pytest.mark.parametrize(("by_admin", "fallback"), [(False, "/backup"), (True, "/style.css")])
async def test_a_mount_that_icecast_lists_for_its_fallback_alone_is_off_air(
    by_admin: bool, fallback: str, tmp_path: Path, loops: Path
):
    hall = IcecastHall(tmp_path / "hall", by_admin, fallback=fallback)
    furnish(hall.folder, loops)
    with hall:
        if fallback == "/backup":
            hall.publish("backup")
        async with Evening(hall, 2).played() as played:
            room, other = played.rooms
            hall.play(room)
            await played.until(lambda: played.stage.of(room).viewers == 1, 8.0)
            await asyncio.to_thread(played.sources[room].stop)
            took_s = await played.is_in(room, DROPPED, played.lag_s)
            assert took_s < played.lag_s
            await played.stays(4)
            assert (played.stage.of(room).state, played.stage.of(room).viewers) == (DROPPED, 0)
            hall.publish(room)
            await played.is_in(room, LIVE)
            await played.until(lambda: played.stage.of(room).viewers == 1, 8.0)  # whom the fallback kept
            assert [change for change, _ in played.changes(room)] == ["opened", "dropped", "resumed"]
            played.nothing_happened(other)


@pytest.mark.parametrize("by_admin", [False, True])
async def test_a_title_that_spoils_icecasts_status_is_counted_and_drops_nobody(
    by_admin: bool, tmp_path: Path, loops: Path
):
    hall = IcecastHall(tmp_path / "hall", by_admin)
    furnish(hall.folder, loops)
    with hall:
        async with Evening(hall, 2).played() as played:
            room, stage = played.rooms[0], played.stage
            await asyncio.to_thread(hall.entitle, room, "-")
            if by_admin:
                await played.stays(4)
                played.nothing_happened(*played.rooms)
            else:
                await played.is_in(room, BLIND)
                assert set(stage.failed[played.failed_before :]) == {"bad_frame"}
                assert b'"title":-' in stage.quarantined[-1]
            await asyncio.to_thread(hall.entitle, room, "产品 7")
            await played.is_in(room, LIVE)
            await played.stays(2)
            assert [played.changes(one) for one in played.rooms] == [[("opened", "status")]] * 2


@every_kind
async def test_a_second_source_of_the_same_name_is_refused_and_changes_nothing(kind: str, tmp_path: Path, loops: Path):
    async with evening(kind, tmp_path, loops) as played:
        room, other = played.rooms
        key = played.stage.of(room).session.key
        second = played.hall.publish(room)
        await asyncio.to_thread(second.process.wait, 20)
        await played.stays(4)
        assert second.process.returncode != 0
        assert played.stage.of(room).session.key == key
        assert played.stage.counts(room, 0)
        played.nothing_happened(room, other)


@every_kind
async def test_viewers_are_counted_exactly_as_they_come_and_go(kind: str, tmp_path: Path, loops: Path):
    async with evening(kind, tmp_path, loops) as played:
        room, other = played.rooms
        players: list[Program] = []
        for number in (1, 2, 3):
            players.append(played.hall.play(room))
            await played.until(lambda number=number: played.stage.of(room).viewers == number, 8.0)
        await played.stays(4)
        assert (played.stage.of(room).viewers, played.stage.of(other).viewers) == (3, 0)
        for number, leave in zip((2, 1, 0), (players[0].kill, players[1].stop, players[2].kill), strict=True):
            await asyncio.to_thread(leave)
            await played.until(lambda number=number: played.stage.of(room).viewers == number, 8.0)
        await played.stays(4)
        assert played.stage.of(room).viewers == 0
        seen = {tick.viewers for heard in played.stage.put for _, tick in heard.ticks if tick.live}
        assert seen <= {0, 1, 2, 3}
        played.nothing_happened(room, other)


async def test_the_recorder_of_node_media_server_is_no_viewer(tmp_path: Path, loops: Path):
    hall = NodeMediaServerHall(tmp_path / "hall", records=True)
    furnish(hall.folder, loops)
    with hall:
        async with Evening(hall, 2).played() as played:
            room, other = played.rooms
            player = played.hall.play(room)
            await played.until(lambda: played.stage.of(room).viewers == 1, 8.0)
            await played.stays(4)
            await asyncio.to_thread(player.kill)
            await played.until(lambda: played.stage.of(room).viewers == 0, 8.0)
            seen = {tick.viewers for heard in played.stage.put for _, tick in heard.ticks if tick.live}
            assert seen == {0, 1}
            assert all(any(hall.folder.glob(f"record/{one}/*.flv")) for one in (room, other))
            played.nothing_happened(room, other)


@every_kind
async def test_a_restart_of_the_server_is_blindness_and_then_a_drop_of_who_does_not_come_back(
    kind: str, tmp_path: Path, loops: Path, measured: Measure
):
    async with evening(kind, tmp_path, loops) as played:
        room, other = played.rooms
        await asyncio.to_thread(played.hall.stop)
        await played.is_in(room, BLIND)
        await asyncio.sleep(1.0)
        assert played.changes(room) == [("opened", "status")]
        await asyncio.to_thread(played.hall.start)
        took_s = played.hall.settled_s + await played.is_in(room, DROPPED, played.lag_s)
        measured(kind, "server restart (since it answers)", took_s, played.lag_s)
        assert took_s < played.lag_s
        for back in (room, other):
            played.hall.publish(back)
        for back in (room, other):
            await played.is_in(back, LIVE)
            assert [change for change, _ in played.changes(back)] == ["opened", "dropped", "resumed"]


async def test_a_reload_of_nginx_is_blindness_for_those_who_stay_with_the_former_worker(tmp_path: Path, loops: Path):
    async with evening("nginx_rtmp", tmp_path, loops, rooms=3) as played:
        stays, comes_back, ends = played.rooms
        hall, stage = played.hall, played.stage
        assert isinstance(hall, NginxHall)
        players = [hall.play(room) for room in played.rooms]
        for room in played.rooms:
            await played.until(lambda room=room: stage.of(room).viewers == 1, 8.0)
        keys = {room: stage.of(room).session.key for room in played.rooms}
        await asyncio.sleep(6.0)  # so old that its age shows that it was loaded anew
        hall.reload()
        for room in played.rooms:
            await played.is_in(room, BLIND, 5.0)
        await played.stays(6)
        assert all(program.running for program in (*played.sources.values(), *players))
        assert [(stage.of(room).state, stage.of(room).viewers) for room in played.rooms] == [(BLIND, None)] * 3
        played.nothing_happened(*played.rooms)

        await asyncio.to_thread(played.sources[comes_back].stop)
        hall.publish(comes_back)
        await played.is_in(comes_back, LIVE)
        hall.play(comes_back)
        await played.until(lambda: stage.of(comes_back).viewers == 1, 8.0)
        assert stage.of(comes_back).session.key != keys[comes_back]
        told = [change for change, _ in played.changes(comes_back)]
        assert told == ["opened", "closed", "opened"], "who is seen again with another key is another session"
        assert [(span.cause, span.room) for span in stage.spans(comes_back)] == [("reload", comes_back)]

        at = now()
        roster = [RosterRoom(number, "nginx_rtmp", room) for number, room in enumerate(played.rooms, 1)]
        end = Tick("calls", ends, at, "event", False, session_key=":" + (keys[ends] or "").partition(":")[2])
        stage.watch.load(roster, (), [played.row, NginxRtmpHooks(name="calls", app="halls")], at)
        stage.put.append(stage.watch.hear("calls", at, [end], at, whole=False))
        await played.stays(2)
        assert played.changes(ends)[1:] == [("dropped", "event")], "a call tells of the end all the same"
        assert (stage.of(stays).state, stage.of(ends).state) == (BLIND, BLIND)
        played.nothing_happened(stays)


@every_kind
async def test_of_fifteen_streams_each_is_seen_and_only_the_one_that_goes_is_dropped(
    kind: str, tmp_path: Path, loops: Path, measured: Measure
):
    async with evening(kind, tmp_path, loops, rooms=15) as played:
        played.hall.play(played.rooms[14])
        await played.until(lambda: played.stage.of(played.rooms[14]).viewers == 1, 8.0)
        gone = played.rooms[7]
        await asyncio.to_thread(played.sources[gone].kill)
        took_s = await played.is_in(gone, DROPPED, played.lag_s)
        measured(kind, "SIGKILL, one of fifteen", took_s, played.lag_s)
        assert took_s < played.lag_s
        await played.stays(4)
        others = [room for room in played.rooms if room != gone]
        played.nothing_happened(*others)
        assert [played.stage.of(room).viewers for room in others] == [0] * 13 + [1]
