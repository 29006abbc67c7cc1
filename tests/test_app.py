"""The monitor as a process: how it starts, follows its files, and ends."""

import asyncio
import os
import signal
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from monitor.rehearsal.monitored import Livemon
from monitor.rehearsal.rtmp_hall import free_ports
from tests.acceptance.hall import listening, rooms_page, seen, write_config

pytestmark = [pytest.mark.real]

PAGE = """<?xml version="1.0" encoding="utf-8" ?>
<rtmp><nginx_version>1.26.3</nginx_version><pid>{pid}</pid><uptime>{uptime}</uptime><server><application><name>live</name>
<live>{streams}<nclients>0</nclients></live></application></server></rtmp>
"""
STREAM = """<stream><name>{name}</name><time>1</time><bw_in>2000000</bw_in><bytes_in>{bytes_in}</bytes_in>
<client><id>{id}</id><publishing/><active/></client><nclients>{nclients}</nclients><publishing/><active/></stream>"""


class Stat:
    """A stat page whose streams the test decides."""

    def __init__(self) -> None:
        self.live = {"room1": 3, "room2": 0}  # viewers
        self.asked = 0

    async def page(self, request: web.Request) -> web.Response:
        self.asked += 1
        streams = "".join(
            STREAM.format(name=name, bytes_in=self.asked * 1000, id=n, nclients=viewers + 1)
            for n, (name, viewers) in enumerate(self.live.items())
        )
        return web.Response(text=PAGE.format(pid=7, uptime=self.asked, streams=streams), content_type="text/xml")


@pytest.fixture
async def stat():
    stat = Stat()
    app = web.Application()
    app.add_routes([web.get("/stat", stat.page)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stat.url = f"http://127.0.0.1:{runner.addresses[0][1]}/stat"
    yield stat
    await runner.cleanup()


def config_for(folder: Path, url: str, database=None, rooms=("live/room1", "live/room2")) -> tuple[Path, str]:
    """A config with the test's database, or with one that nobody answers for."""
    port = free_ports(1)[0]
    folder.mkdir(parents=True, exist_ok=True)
    dsn = 'dsn = "postgresql://livemon_writer@/livemon?host=/nonexistent"\n'
    if database is not None:
        secret = folder / "pg"
        secret.write_text(database.server.password("livemon_writer"))
        secret.chmod(0o600)
        host = database.server.socket
        dsn = f'dsn = "postgresql://livemon_writer@/{database.name}?host={host}"\ndsn_password_file = "pg"\n'
    return write_config(folder, port, url, list(rooms), database=dsn), f"http://127.0.0.1:{port}"


async def test_a_roster_change_is_watched_within_ten_seconds_and_a_retired_room_leaves_the_page(
    tmp_path, stat, database
):
    config, url = config_for(tmp_path, stat.url, database)
    async with Livemon(config, url) as livemon:
        await livemon.ready(2)
        await seen(livemon, "live/room1", 5, state=1, viewers=3)
        stat.live["新人"] = 5
        stat.live["room3"] = 1
        roster = tmp_path / "more.csv"
        roster.write_text(
            "platform,room,anchor,hall\nnginx_rtmp,live/room1,一,A\nnginx_rtmp,live/room3,三,A\n", encoding="utf-8"
        )
        code, said = await livemon.command("roster", "import", str(roster), "--replace", "--yes")
        assert code == 0, said
        assert await seen(livemon, "live/room3", 10, state=1, viewers=1) < 10
        assert set(await rooms_page(livemon)) == {"live/room1", "live/room3"}
        conn = await database.connect("reader")
        async with asyncio.timeout(15):
            while await conn.fetchval("SELECT count(*) FROM room_unlisted WHERE external_id = 'live/room2'") != 1:
                await asyncio.sleep(0.2)
        assert await conn.fetchval("SELECT live_by FROM room_coverage WHERE external_id = 'live/room3'") == ["hall-a"]
        await conn.close()
        assert await livemon.stop() == 0


async def test_a_bad_config_on_sighup_changes_nothing_and_a_good_one_is_followed(tmp_path, stat, database):
    config, url = config_for(tmp_path, stat.url, database)
    async with Livemon(config, url) as livemon:
        await livemon.ready(2)
        good = config.read_text(encoding="utf-8")
        config.write_text(good.replace("interval_s", "intervall_s"), encoding="utf-8")
        os.kill(livemon.child.pid, signal.SIGHUP)
        await _metric(livemon, "livemon_config_rejected_total", 1)
        assert "intervall_s" in livemon.last_words()
        await seen(livemon, "live/room1", 5, state=1)
        config.write_text(good.replace('"hall-a"', '"hall-b"'), encoding="utf-8")
        os.kill(livemon.child.pid, signal.SIGHUP)
        await _metric(livemon, 'livemon_feed_messages_total{feed="hall-b"}', 2)
        assert 'feed="hall-a"' not in await livemon.text("/metrics")
        await seen(livemon, "live/room1", 5, state=1)
        assert await livemon.stop() == 0


async def test_with_no_database_at_all_it_starts_says_why_it_is_not_ready_and_stops_cleanly(tmp_path, stat):
    config, url = config_for(tmp_path, stat.url)
    async with Livemon(config, url) as livemon:
        await listening(livemon)
        async with asyncio.timeout(25), aiohttp.ClientSession() as http:
            while True:
                async with http.get(f"{url}/readyz") as reply:
                    if reply.status == 503:
                        said = await reply.json()
                        break
                await asyncio.sleep(0.5)
        assert "PostgreSQL takes no batches" in said["reasons"][0]
        assert (await livemon.text("/healthz")).startswith("ok")
        assert await livemon.stop() == 0


async def test_a_second_instance_on_the_same_spool_ends_with_code_3_and_disturbs_nobody(tmp_path, stat, database):
    config, url = config_for(tmp_path, stat.url, database)
    async with Livemon(config, url) as livemon:
        await livemon.ready(2)
        began = datetime.now(UTC)
        code, said = await livemon.command("run")
        assert (code, "in use by another livemon" in said) == (3, True), said
        assert (datetime.now(UTC) - began).total_seconds() < 5
        await seen(livemon, "live/room1", 5, state=1)
        assert await livemon.stop() == 0


@pytest.mark.parametrize("damage", ["later release", "no database file"])
async def test_a_spool_that_cannot_be_read_ends_with_code_5_and_the_way_out(tmp_path, stat, damage):
    config, url = config_for(tmp_path, stat.url)
    spool = tmp_path / "data" / "spool" / "spool.db"
    spool.parent.mkdir(parents=True)
    if damage == "later release":
        made = sqlite3.connect(spool)
        made.execute("CREATE TABLE about (name TEXT PRIMARY KEY, value) WITHOUT ROWID")
        made.execute("INSERT INTO about VALUES ('format', 99)")
        made.commit()
        made.close()
    else:
        spool.write_bytes(b"this is no database " * 500)
    before = spool.read_bytes()
    livemon = Livemon(config, url)
    code, said = await livemon.command("run")
    assert code == 5, said
    assert ("later release" if damage == "later release" else "livemon spool repair") in said
    assert spool.read_bytes() == before


async def test_a_database_of_another_zone_ends_with_code_2(tmp_path, stat, database):
    config, url = config_for(tmp_path, stat.url, database)
    config.write_text('timezone = "Europe/Berlin"\n' + config.read_text(encoding="utf-8"), encoding="utf-8")
    livemon = Livemon(config, url)
    code, said = await livemon.command("run")
    assert code == 2, said
    assert "born with timezone 'Asia/Shanghai'" in said


async def test_a_new_spool_reads_open_sessions_before_it_watches(tmp_path, stat, database):
    config, url = config_for(tmp_path, stat.url, database)
    async with Livemon(config, url) as livemon:
        await livemon.ready(2)
        await seen(livemon, "live/room1", 5, state=1)
        await asyncio.sleep(1)
        assert await livemon.stop() == 0
    (tmp_path / "data").rename(tmp_path / "data-lost")
    async with Livemon(config, url) as livemon:
        await livemon.ready(2)
        await seen(livemon, "live/room1", 10, state=1)
        await asyncio.sleep(1)
        assert await livemon.stop() == 0
    conn = await database.connect("owner")
    assert await conn.fetchval("SELECT count(*) FROM session") == 2
    assert await conn.fetchval("SELECT count(*) FROM session_change") == 2
    await conn.close()


async def _metric(livemon: Livemon, series: str, at_least: float) -> None:
    async with asyncio.timeout(10):
        while True:
            for line in (await livemon.text("/metrics")).splitlines():
                if line.startswith(series) and float(line.rpartition(" ")[2]) >= at_least:
                    return
            await asyncio.sleep(0.1)
