"""Nginx away, livemon away, PostgreSQL away: blind time, and the same sessions; stops are judged by the schedule."""

import asyncio
import os
from datetime import UTC, datetime, timedelta

import pytest

from monitor.rehearsal.monitored import Livemon
from monitor.rehearsal.rtmp_hall import RtmpHall, free_ports
from tests.acceptance.hall import listening, rooms_page, seen, write_config

pytestmark = [pytest.mark.real, pytest.mark.slow]

OFFLINE, LIVE, DROPPED, BLIND, LOST = range(5)
ROOMS = [f"live/room{n}" for n in range(1, 5)]
AWAY_S = 60.0
SESSIONS = """
SELECT external_id, session_id, closed_at IS NULL AS open, close_reason
FROM session JOIN room USING (room_id) ORDER BY external_id, opened_at
"""


async def test_nginx_away_is_blind_and_stops_are_judged_by_the_schedule(tmp_path, database):
    with RtmpHall(tmp_path / "nginx") as hall:
        encoders = {room: hall.publish(room) for room in ROOMS}
        config = _config(tmp_path, database, hall.stat_url, port := free_ports(1)[0])
        async with Livemon(config, f"http://127.0.0.1:{port}") as livemon:
            await livemon.ready(len(ROOMS))
            for room in ROOMS:
                await seen(livemon, room, 10, state=LIVE)
            await asyncio.sleep(8)
            ends = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=12)
            await _plan(livemon, {"live/room1": ends, "live/room2": ends + timedelta(minutes=5)})
            await seen(livemon, "live/room2", 12, expected=1)

            encoders["live/room2"].stop()
            await seen(livemon, "live/room2", 4, state=DROPPED)
            await asyncio.sleep((ends - datetime.now(UTC)).total_seconds())
            encoders["live/room1"].stop()
            await seen(livemon, "live/room2", 12, state=LOST, drops_total=1)
            await seen(livemon, "live/room1", 12, state=OFFLINE, drops_total=0)

            hall.stop()
            gone_at = datetime.now(UTC)
            await seen(livemon, "live/room3", 8, state=BLIND)
            await asyncio.sleep(AWAY_S - 5)
            assert {room["state"] for room in (await rooms_page(livemon)).values()} == {BLIND}
            hall.start()
            back_at = datetime.now(UTC)
            await seen(livemon, "live/room3", 12, state=LIVE)  # as far as we know: the list is empty
            await asyncio.sleep(3)  # an empty list, several times, before the publishers return
            shown = await rooms_page(livemon)
            assert [shown[room]["state"] for room in ROOMS] == [OFFLINE, LOST, LIVE, LIVE]
            for room in ("live/room3", "live/room4"):
                encoders[room] = hall.publish(room)
            for room in ("live/room3", "live/room4"):
                await seen(livemon, room, 5, state=LIVE, drops_total=0)
            await asyncio.sleep(16)  # beyond the settling
            shown = await rooms_page(livemon)
            assert [shown[room]["drops_total"] for room in ROOMS] == [0, 1, 0, 0]
            assert [shown[room]["state"] for room in ROOMS] == [OFFLINE, LOST, LIVE, LIVE]
            hall.publish("live/room2")
            await seen(livemon, "live/room2", 5, state=LIVE)
            assert await livemon.stop() == 0

        conn = await database.connect("owner")
        assert {row["external_id"]: row["close_reason"] for row in await conn.fetch(SESSIONS) if not row["open"]} == {
            "live/room1": "scheduled", "live/room2": "lost", "live/room3": "unseen", "live/room4": "unseen",
        }  # fmt: skip
        assert [tuple(row) for row in await conn.fetch("SELECT external_id FROM drop_log")] == [("live/room2",)]
        spans = await conn.fetch("SELECT * FROM blind WHERE feed = 'hall-a' AND room_id IS NULL ORDER BY from_at")
        span = spans[-1]
        assert abs(span["from_at"] - gone_at) < timedelta(seconds=2)
        assert abs(span["to_at"] - back_at) < timedelta(seconds=11)  # the back-off of a feed is at most 10 s
        await conn.close()


async def test_livemon_away_is_blind_and_the_same_session_goes_on_with_postgresql_down_and_batches_pending(
    tmp_path, database
):
    with RtmpHall(tmp_path / "nginx") as hall:
        for room in ROOMS:
            hall.publish(room)
        door = tmp_path / "door"
        door.symlink_to(database.server.socket)
        config = _config(tmp_path, database, hall.stat_url, port := free_ports(1)[0])
        async with Livemon(config, f"http://127.0.0.1:{port}") as livemon:
            await livemon.ready(len(ROOMS))
            for room in ROOMS:
                await seen(livemon, room, 10, state=LIVE)
            await asyncio.sleep(2)
            conn = await database.connect("owner")
            before = await conn.fetch(SESSIONS)
            assert [row["open"] for row in before] == [True] * len(ROOMS)
            os.unlink(door)  # nobody finds PostgreSQL from now on
            admin = await database.connect("postgres")
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'livemon-%'"
                " AND datname = current_database()"
            )
            await asyncio.sleep(3)
            stopped_at = datetime.now(UTC)
            assert await livemon.stop() == 0
        await asyncio.sleep(5)
        async with Livemon(config, f"http://127.0.0.1:{port}") as livemon:  # and PostgreSQL is still away
            await listening(livemon)
            for room in ROOMS:
                await seen(livemon, room, 15, state=LIVE, drops_total=0)
            seen_at = datetime.now(UTC)
            text = await livemon.text("/metrics")
            assert (
                float(next(x for x in text.splitlines() if x.startswith('livemon_spooled{kind="tick"}')).split()[1]) > 0
            )
            door.symlink_to(database.server.socket)
            async with asyncio.timeout(40):
                while 'spooled{kind="tick"} 0' not in await livemon.text("/metrics"):
                    await asyncio.sleep(0.5)
            assert await livemon.stop() == 0
        after = await conn.fetch(SESSIONS)
        assert [tuple(row) for row in after] == [tuple(row) for row in before]
        span = await conn.fetchrow("SELECT * FROM blind WHERE cause = 'restart'")
        assert abs(span["from_at"] - stopped_at) < timedelta(seconds=2)
        assert span["from_at"] + timedelta(seconds=5) < span["to_at"] < seen_at
        assert await conn.fetchval("SELECT count(*) FROM session_change WHERE change <> 'opened'") == 0
        twice = "SELECT count(*) FROM (SELECT FROM tick_raw GROUP BY room_id, at HAVING count(*) > 1) AS t"
        assert await conn.fetchval(twice) == 0
        await conn.close()
        await admin.close()


def _config(tmp_path, database, url, port):
    """The test's own database, reached through a door that can be shut."""
    folder = tmp_path / "monitor"
    folder.mkdir(exist_ok=True)
    door = tmp_path / "door"
    if not door.is_symlink():
        door.symlink_to(database.server.socket)
    secret = folder / "pg"
    secret.write_text(database.server.password("livemon_writer"))
    secret.chmod(0o600)
    dsn = f'dsn = "postgresql://livemon_writer@/{database.name}?host={door}"\ndsn_password_file = "pg"\n'
    return write_config(folder, port, url, ROOMS, grace_s=6, end_slack_s=4, database=dsn)


async def _plan(livemon, ends):
    path = livemon.config.with_name("schedule.csv")
    began = datetime.now(UTC) - timedelta(minutes=5)
    rows = [f"nginx_rtmp,{room},{began:%FT%T%:z},{end:%FT%T%:z}" for room, end in ends.items()]
    path.write_text("\n".join(["platform,room,starts_at,ends_at", *rows]) + "\n")
    code, said = await livemon.command("schedule", "import", str(path))
    assert code == 0, said
