"""The real nginx with real encoders and viewers, seen through the collector: what recordings promise holds today."""

import asyncio
import os
import re
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime

import aiohttp
import pytest

from collectors.collector import FeedRefused
from collectors.servers.nginx_rtmp import NginxRtmp
from collectors.tick import Tick
from monitor.rehearsal.rtmp_hall import RtmpHall

from .conftest import Hall

pytestmark = pytest.mark.real
ROOM = "live/room1"


def look(hall: RtmpHall, room: str = ROOM) -> Tick:
    """What the collector makes of the stat page of this instant."""
    feed = NginxRtmp(name="hall-a", url=hall.stat_url, rooms=[room])
    ticks = {tick.room: tick for tick in feed.parse(hall.stat(), datetime.now(UTC))}
    return ticks[room]


def wait_for(hall: RtmpHall, wanted: Callable[[Tick], object], within_s: float = 10.0, room: str = ROOM) -> Tick:
    until = time.monotonic() + within_s
    while not wanted(tick := look(hall, room)):
        assert time.monotonic() < until, f"still {tick} after {within_s} s; {hall.last_words()}"
        time.sleep(0.1)
    return tick


def moved(hall: RtmpHall) -> bool:
    before = look(hall).progress
    time.sleep(1.0)
    return look(hall).progress != before


@pytest.mark.slow
def test_viewers_are_the_real_players_and_nobody_else(hall: RtmpHall) -> None:
    assert look(hall).live is False
    hall.publish(ROOM)
    alone = wait_for(hall, lambda tick: tick.live)
    assert (alone.viewers, alone.kbps) == (0, None)
    assert alone.session_key
    players = [hall.play(ROOM) for _ in range(3)]
    wait_for(hall, lambda tick: tick.viewers == 3)
    players[0].kill()
    assert wait_for(hall, lambda tick: tick.viewers == 2).session_key == alone.session_key
    assert moved(hall)
    assert wait_for(hall, lambda tick: tick.kbps, within_s=20).live


def test_a_killed_encoder_is_down_while_its_viewer_waits_and_back_with_another_key(hall: RtmpHall) -> None:
    encoder = hall.publish(ROOM)
    wait_for(hall, lambda tick: tick.live)
    hall.play(ROOM)
    before = wait_for(hall, lambda tick: tick.viewers == 1)
    encoder.kill()
    down = wait_for(hall, lambda tick: not tick.live, within_s=2)
    assert (down.viewers, down.kbps, down.session_key) == (None, None, None)
    assert b"<name>room1</name>" in hall.stat()  # listed for the one who waits
    hall.publish(ROOM)
    back = wait_for(hall, lambda tick: tick.live)
    assert back.viewers == 1
    assert back.session_key != before.session_key


def test_an_encoder_that_stops_cleanly_is_down(hall: RtmpHall) -> None:
    encoder = hall.publish(ROOM)
    wait_for(hall, lambda tick: tick.live)
    encoder.stop()
    wait_for(hall, lambda tick: not tick.live, within_s=2)
    assert b"<stream>" not in hall.stat()


def test_a_frozen_encoder_stays_live_and_its_progress_stands_until_it_thaws(hall: RtmpHall) -> None:
    encoder = hall.publish(ROOM)
    key = wait_for(hall, lambda tick: tick.live).session_key
    assert moved(hall)
    encoder.freeze()
    time.sleep(0.5)
    assert not moved(hall)
    frozen = look(hall)
    assert frozen.live
    encoder.thaw()
    again = wait_for(hall, lambda tick: tick.progress != frozen.progress)
    assert (again.live, again.session_key) == (True, key)


def test_a_frozen_encoder_is_cut_where_the_server_is_told_to(hall_of: Hall) -> None:
    hall = hall_of(live="drop_idle_publisher 2s;")
    encoder = hall.publish(ROOM)
    wait_for(hall, lambda tick: tick.live)
    encoder.freeze()
    wait_for(hall, lambda tick: not tick.live, within_s=6)


def test_a_second_encoder_is_refused_and_changes_nothing(hall: RtmpHall) -> None:
    hall.publish(ROOM)
    before = wait_for(hall, lambda tick: tick.live)
    second = hall.publish(ROOM)
    assert second.process.wait(10) != 0
    after = look(hall)
    assert (after.live, after.session_key, after.viewers) == (True, before.session_key, 0)


def test_after_a_restart_the_same_client_number_is_another_key(hall: RtmpHall) -> None:
    hall.publish(ROOM)
    before = wait_for(hall, lambda tick: tick.live).session_key or ""
    hall.stop()
    hall.start()
    assert look(hall).live is False
    hall.publish(ROOM)
    after = wait_for(hall, lambda tick: tick.live).session_key or ""
    assert after.partition(":")[0] != before.partition(":")[0]


def test_a_hostile_name_blinds_nobody(hall: RtmpHall) -> None:
    hall.publish(ROOM)
    for name in ('a&b<c>"d', "直播间一", "直播间一".encode("gb18030"), b"ctl\x01\x1bx", b"\xed\xa0\x80", "播" * 100):
        hall.publish(b"live/" + (name if isinstance(name, bytes) else name.encode()))
    wait_for(hall, lambda tick: hall.stat().count(b"<stream>") == 7)
    assert look(hall).live
    assert look(hall, 'live/a&b<c>"d').live


def test_a_push_to_another_server_is_no_viewer(hall_of: Hall) -> None:
    other = hall_of()
    hall = RtmpHall(other.folder.with_name("pushing"), live=f"push rtmp://127.0.0.1:{other.rtmp_port}/sink;")
    with hall:
        hall.publish(ROOM)
        wait_for(other, lambda tick: tick.live, room="sink/room1")
        hall.play(ROOM)
        wait_for(hall, lambda _: hall.stat().count(b"<client>") == 3)
        assert look(hall).viewers == 1


class Heard(Exception):
    """So many frames came."""


async def listen(hall: RtmpHall, frames_max: int, between: Callable[[int], None] = lambda _: None) -> None:
    """Run the collector itself until so many frames came; `between` acts after each of them."""
    frames: list[bytes] = []

    async def emit(frame: bytes, at: datetime) -> None:
        frames.append(frame)
        between(len(frames))
        if len(frames) == frames_max:
            raise Heard

    feed = NginxRtmp(name="hall-a", url=hall.stat_url, rooms=[ROOM], interval_s=0.5)
    async with aiohttp.ClientSession() as http, asyncio.timeout(30):
        await feed.collect(http, emit, lambda: datetime.now(UTC))


async def test_two_workers_are_refused(hall_of: Hall) -> None:
    hall = hall_of(workers=2)
    await asyncio.sleep(2)  # an uptime by which a restart is out of the question
    with pytest.raises(FeedRefused, match="worker_processes 1"):
        await listen(hall, frames_max=40)


async def test_a_crashed_worker_is_replaced_and_heard_on(hall: RtmpHall) -> None:
    await asyncio.sleep(2)

    def crash(frames: int) -> None:
        if frames == 2:
            found = re.search(rb"<pid>(\d+)</pid>", hall.stat())
            assert found
            os.kill(int(found[1]), signal.SIGKILL)
            time.sleep(0.5)

    with pytest.raises(Heard):
        await listen(hall, frames_max=5, between=crash)
    assert hall.last_words().count("exited on signal 9") == 1


def test_nothing_is_left_running_after_the_hall(hall_of: Hall) -> None:
    hall = hall_of()
    encoder = hall.publish(ROOM)
    wait_for(hall, lambda tick: tick.live)
    assert hall.server
    for program in (encoder, hall.server):
        program.freeze()
    hall.__exit__(None, None, None)
    for program in (encoder, hall.server):
        with pytest.raises(ProcessLookupError):
            os.killpg(program.pid, 0)
