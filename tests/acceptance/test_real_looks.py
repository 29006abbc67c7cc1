"""A real monitor looks at a real room in doubt, counts itself as nobody, and leaves no player behind."""

import asyncio
from pathlib import Path

import pytest

from monitor.rehearsal.monitored import Livemon, samples
from monitor.rehearsal.rtmp_hall import RtmpHall, free_ports
from tests.acceptance.hall import ask, seen, write_config

pytestmark = [pytest.mark.real, pytest.mark.slow]
LIVE, DROPPED = 1, 2
ROOMS = ["live/room1", "live/room2"]
STORY = "SELECT external_id, change, cause FROM session_change JOIN room USING (room_id) ORDER BY external_id, number"
PEAK = "SELECT external_id, max(viewers) FROM viewer_tick JOIN room USING (room_id) GROUP BY 1 ORDER BY 1"


async def looked(livemon: Livemon, outcome: str, count: int, within_s: float = 20.0) -> None:
    wanted = ("livemon_probes_total", {"feed": "hall-a", "outcome": outcome}, float(count))
    async with asyncio.timeout(within_s):
        while wanted not in samples(await livemon.text("/metrics")):
            await asyncio.sleep(0.2)


def players(port: int) -> list[int]:
    """The ffprobes of this machine that look at this hall."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            said = path.read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if said[0].endswith(b"ffprobe") and any(f":{port}/".encode() in word for word in said):
            found.append(int(path.parent.name))
    return found


async def test_a_frozen_encoder_is_looked_at_and_nothing_else_changes(tmp_path: Path):
    with RtmpHall(tmp_path / "nginx") as hall:
        encoders = {room: hall.publish(room) for room in ROOMS}
        hall.play(ROOMS[0])
        config = write_config(tmp_path / "monitor", port := free_ports(1)[0], hall.stat_url, ROOMS, grace_s=60)
        with config.open("a", encoding="utf-8") as more:
            more.write(f'probe_url = "rtmp://127.0.0.1:{hall.rtmp_port}/{{room}}"\n')
        async with Livemon(config, f"http://127.0.0.1:{port}") as livemon:
            await livemon.ready(len(ROOMS))
            for room, viewers in zip(ROOMS, (1, 0), strict=True):
                await seen(livemon, room, 10, state=LIVE, viewers=viewers)
            await looked(livemon, "nothing", 0)
            await asyncio.sleep(2)
            encoders[ROOMS[0]].freeze()
            await seen(livemon, ROOMS[0], 16, state=DROPPED, viewers=1)
            await looked(livemon, "nothing", 1)
            await seen(livemon, ROOMS[0], 1, state=DROPPED, viewers=1, drops_total=0)
            encoders[ROOMS[0]].thaw()
            await seen(livemon, ROOMS[0], 5, state=LIVE, viewers=1)
            await asyncio.sleep(1.5)  # the last changes reach PostgreSQL
            assert await ask(livemon, STORY) == [
                (ROOMS[0], "opened", "status"),
                (ROOMS[0], "dropped", "stall"),
                (ROOMS[0], "resumed", "status"),
                (ROOMS[1], "opened", "status"),
            ]
            assert await ask(livemon, PEAK) == [(ROOMS[0], "1"), (ROOMS[1], "0")]

            encoders[ROOMS[1]].freeze()
            async with asyncio.timeout(20):
                while not players(hall.rtmp_port):
                    await asyncio.sleep(0.05)
            assert await livemon.stop() == 0
            assert players(hall.rtmp_port) == []
            log = livemon.log.read_text(encoding="utf-8")
            assert f"room {ROOMS[0]} of feed hall-a is in doubt (stall)" in log
            assert "rtmp://" not in log
