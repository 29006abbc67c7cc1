"""A real nginx-rtmp with real encoders and viewers, watched by a real monitor on the embedded PostgreSQL."""

import asyncio

import pytest

from monitor.rehearsal.monitored import Livemon
from monitor.rehearsal.rtmp_hall import RtmpHall, free_ports
from tests.acceptance.hall import ask, rooms_page, seen, write_config

pytestmark = [pytest.mark.real, pytest.mark.slow]

LIVE, DROPPED, OFFLINE = 1, 2, 0
SETTLE_S = 16  # after a start, as after any blind span, that a room is missing decides nothing for 15 s
ROOMS = ["live/room1", "live/room2", "live/room3"]
STORY = """
SELECT external_id, change, cause FROM session_change JOIN room USING (room_id) ORDER BY external_id, number
"""


async def test_what_happens_to_real_streams_is_seen_in_sql_and_metrics(tmp_path):
    with RtmpHall(tmp_path / "nginx") as hall:
        encoders = {room: hall.publish(room) for room in ROOMS}
        for room in ("live/room1", "live/room1", "live/room2"):
            hall.play(room)
        hall.publish("live/stranger")
        config = write_config(tmp_path / "monitor", port := free_ports(1)[0], hall.stat_url, ROOMS, grace_s=15)
        async with Livemon(config, f"http://127.0.0.1:{port}") as livemon:
            await livemon.ready(len(ROOMS))
            for room, viewers in zip(ROOMS, (2, 1, 0), strict=True):
                await seen(livemon, room, 10, state=LIVE, viewers=viewers)
            await asyncio.sleep(SETTLE_S)

            encoders["live/room1"].kill()
            assert await seen(livemon, "live/room1", 5, state=DROPPED, drops_total=0) < 3
            encoders["live/room3"].kill()
            hall.publish("live/room1")
            await seen(livemon, "live/room1", 5, state=LIVE, drops_total=1)

            encoders["live/room2"].freeze()
            assert 8 < await seen(livemon, "live/room2", 16, state=DROPPED, drops_total=0) < 14
            encoders["live/room2"].thaw()
            await seen(livemon, "live/room2", 5, state=LIVE, drops_total=1, viewers=1)
            await seen(livemon, "live/room3", 20, state=OFFLINE, viewers=0, drops_total=0)

            await asyncio.sleep(1.5)  # the last changes reach PostgreSQL
            assert await ask(livemon, STORY) == [
                ("live/room1", "opened", "status"),
                ("live/room1", "dropped", "status"),
                ("live/room1", "resumed", "status"),
                ("live/room2", "opened", "status"),
                ("live/room2", "dropped", "stall"),
                ("live/room2", "resumed", "status"),
                ("live/room3", "opened", "status"),
                ("live/room3", "dropped", "status"),
                ("live/room3", "closed", "unknown"),
            ]
            assert await ask(livemon, "SELECT external_id FROM drop_log ORDER BY 1") == [
                ("live/room1",),
                ("live/room2",),
            ]
            assert await ask(livemon, "SELECT external_id FROM room_unlisted") == [("live/stranger",)]
            peak = "SELECT external_id, max(viewers) FROM viewer_tick JOIN room USING (room_id) GROUP BY 1 ORDER BY 1"
            assert await ask(livemon, peak) == [("live/room1", "2"), ("live/room2", "1"), ("live/room3", "0")]
            assert set(await rooms_page(livemon)) == set(ROOMS)
            assert "livemon_books_difference" in (metrics := await livemon.text("/metrics"))
            assert [line for line in metrics.splitlines() if line.startswith("livemon_books_difference")] == [
                f'livemon_books_difference{{kind="{kind}"}} 0.0' for kind in ("change", "frame", "sale", "tick")
            ]
            assert await livemon.stop() == 0
