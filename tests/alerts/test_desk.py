"""A whole livemon: what Alertmanager posts is told in words, once, and people act on it, whatever PostgreSQL does."""

import asyncio
import os
import re
import signal
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.alerts.chat import Chat, served
from tests.alerts.desk_ground import (
    acknowledged,
    actions,
    born_a_rehearsal,
    configured,
    dropped,
    figure,
    planned,
    playing,
    post,
    robot_table,
    shows,
    shut,
    stands,
    until,
)
from tests.alerts.real_alertmanager import running

pytestmark = pytest.mark.real
BEGAN = datetime.now(ZoneInfo("Asia/Shanghai")) - timedelta(hours=12)  # no change of shift is near
SHIFT = '[[shift]]\nname = "day"\nstarts = "{:%H:%M}"\nends = "{:%H:%M}"\nduty = ["li"]\n'
SHIFT = SHIFT.format(BEGAN, BEGAN - timedelta(minutes=1))


@pytest.fixture
async def stat():
    async with playing() as stat:
        yield stat


@pytest.fixture
async def chat():
    chat = Chat("wecom", time.time)
    async with served(chat):
        yield chat


async def test_a_drop_and_its_recovery_are_told_in_words_though_postgresql_is_away(tmp_path, stat, chat, database):
    async with configured(tmp_path, stat, database, robot_table(tmp_path, "hall", chat)) as livemon:
        await stands(livemon, "live/1", 1)
        await shut(database, tmp_path)
        del stat.live["1"]
        await stands(livemon, "live/1", 2)
        since = datetime.now(UTC)
        assert await post(livemon, dropped(since=since)) == 200
        await until(lambda: chat.texts, why=livemon.last_words)
        pieces = ("【停播】#1 大连·王姐海鲜", "停前在线 12,340", "3 号馆", "张三", "我来处理", f"{livemon.url}/a/")
        assert all(piece in chat.texts[0] for piece in pieces), chat.texts
        link = re.search(rf"{livemon.url}(/a/[\w.-]+)", chat.texts[0])
        assert link is not None
        assert 'href="../runbooks/LivemonRoomDropped"' in await livemon.text(link[1])
        assert "<h1>LivemonRoomDropped: 直播间断流</h1>" in await livemon.text("/runbooks/LivemonRoomDropped")
        stat.live["1"] = 12_000
        await stands(livemon, "live/1", 1)
        assert await post(livemon, dropped(since=since, over=True)) == 200
        await until(lambda: len(chat.texts) == 2, why=livemon.last_words)
        assert "恢复" in chat.texts[1]
        assert "#1" in chat.texts[1]
        assert await livemon.stop() == 0
    assert len(chat.texts) == 2


async def test_what_is_told_comes_to_postgresql_in_the_end(tmp_path, stat, chat, database):
    async with configured(tmp_path, stat, database, robot_table(tmp_path, "hall", chat)) as livemon:
        await stands(livemon, "live/1", 1)
        del stat.live["1"]
        await stands(livemon, "live/1", 2)
        await post(livemon, dropped())
        code, said = await livemon.command("ended", "nginx_rtmp", "live/1", "--by", "张三")
        assert code == 0, said
        conn = await database.connect("reader")
        async with asyncio.timeout(15):
            while await conn.fetchval("SELECT count(*) FROM alert_action") != 1:
                await asyncio.sleep(0.1)
        row = await conn.fetchrow("SELECT alertname, action, by_whom FROM alert_action JOIN alert ON alert = alert_id")
        assert tuple(row) == ("LivemonRoomDropped", "ended", "张三")
        assert await conn.fetchval("SELECT close_reason FROM session WHERE closed_at IS NOT NULL") == "ended"
        await conn.close()
        assert await livemon.stop() == 0


async def test_without_robots_alerts_are_kept_and_acted_on_and_one_that_comes_with_a_reload_is_told_the_next(
    tmp_path, stat, chat, database
):
    async with configured(tmp_path, stat, database) as livemon:
        await stands(livemon, "live/1", 1)
        del stat.live["1"]
        await stands(livemon, "live/1", 2)
        assert await post(livemon, dropped()) == 200
        assert await figure(livemon, 'livemon_alert_posts_total{outcome="kept"}') == 1
        assert await figure(livemon, 'livemon_deliveries_failed_total{robot="deadman"}') == 0
        assert await figure(livemon, 'livemon_messages_given_up_total{severity="warning"}') == 0
        code, said = await livemon.command("ack", "1", "--by", "张三")
        assert (code, "alertmanager_url" in said) == (1, True), said
        with livemon.config.open("a") as file:
            file.write(robot_table(tmp_path, "late", chat) + SHIFT)
        os.kill(livemon.child.pid, signal.SIGHUP)
        async with asyncio.timeout(10):
            while await figure(livemon, 'livemon_deliveries_failed_total{robot="late"}') != 0:
                await asyncio.sleep(0.1)
        del stat.live["2"]
        await stands(livemon, "live/2", 2)
        await post(livemon, dropped("live/2"))
        await until(lambda: chat.texts, why=livemon.last_words)
        assert "#2 沈阳·李哥" in chat.texts[0]
        code, said = await livemon.command("handover")
        assert code == 0, said
        await until(lambda: len(chat.texts) == 2)
        assert "王姐海鲜" in chat.texts[1]
        assert "王姐海鲜" in said
        assert await livemon.stop() == 0


async def test_a_look_at_the_link_changes_nothing_and_a_press_holds_the_alert(tmp_path, stat, chat, database):
    (tmp_path / "alertmanager").mkdir()
    async with running(tmp_path / "alertmanager") as manager:
        top = f'alertmanager_url = "{manager.url}"'
        async with configured(tmp_path, stat, database, robot_table(tmp_path, "hall", chat), top) as livemon:
            await stands(livemon, "live/1", 1)
            del stat.live["1"]
            await stands(livemon, "live/1", 2)
            alert = dropped()
            await manager.fire(alert["labels"])
            await post(livemon, alert)
            await until(lambda: chat.texts, why=livemon.last_words)
            [link] = set(re.findall(rf"{livemon.url}/a/[\w-]+", chat.texts[0]))
            for method in ("GET", "HEAD", "GET"):
                async with livemon.http.request(method, link) as answer:
                    assert answer.status == 200
            assert await acknowledged(manager) == []
            async with livemon.http.post(link, data={"do": "take", "name": "张三"}) as answer:
                assert answer.status == 403  # no browser, no page of ours
            assert await acknowledged(manager) == []
            origin = {"Origin": livemon.url}
            async with livemon.http.post(link, data={"do": "take", "name": "张三"}, headers=origin) as answer:
                assert answer.status == 200, await answer.text()
            assert await acknowledged(manager) == ["livemon ack #1 by 张三"]
            code, said = await livemon.command("ack", "1", "--by", "李四")
            assert (code, "张三" in said) == (1, True), said
            assert await acknowledged(manager) == ["livemon ack #1 by 张三"]
            assert await livemon.stop() == 0


async def test_killed_while_a_robot_is_down_nothing_is_lost_and_nothing_is_doubled(tmp_path, stat, chat, database):
    chat.mood = "down"
    async with configured(tmp_path, stat, database, robot_table(tmp_path, "hall", chat)) as livemon:
        await stands(livemon, "live/1", 1)
        stat.live.clear()
        await stands(livemon, "live/2", 2)
        alerts = [dropped(f"live/{number}") for number in (1, 2)]
        assert await post(livemon, *alerts) == 200
        await until(lambda: chat.calls, why=livemon.last_words)
        livemon.kill()
        chat.mood = "well"
        livemon.start()
        await until(lambda: chat.texts, why=livemon.last_words)
        await stands(livemon, "live/1", 2)
        assert await post(livemon, *alerts) == 200  # Alertmanager repeats
        await asyncio.sleep(3)
        livemon.kill()
        livemon.start()
        await stands(livemon, "live/1", 2)
        await asyncio.sleep(3)
        assert await livemon.stop() == 0
    assert len(chat.texts) == 1, chat.texts
    assert all(f"#{number}" in chat.texts[0] for number in (1, 2))


async def test_a_lost_room_that_a_person_ended_is_not_lost_again_after_a_restart(tmp_path, stat, database):
    """Of which there is no alert, so that nothing but the word itself is remembered."""
    async with configured(tmp_path, stat, database, grace_s=2) as livemon:
        await livemon.ready(2)
        code, said = await livemon.command("schedule", "import", str(planned(tmp_path)))
        assert code == 0, said
        for room in ("live/1", "live/2"):
            await stands(livemon, room, 1)
            await shows(livemon, "expected", room, 1)
        stat.live.clear()
        await stands(livemon, "live/1", 4)
        await stands(livemon, "live/2", 4)
        code, said = await livemon.command("ended", "nginx_rtmp", "live/1", "--by", "张三")
        assert code == 0, said
        await stands(livemon, "live/1", 0)
        livemon.kill()
        livemon.start()
        await stands(livemon, "live/2", 4)  # of which nobody has said anything
        await stands(livemon, "live/1", 0)
        assert await livemon.stop() == 0


async def test_whoever_is_on_duty_is_called_once_and_the_outside_heartbeat_goes_on(tmp_path, stat, chat, database):
    tables = robot_table(tmp_path, "hall", chat) + SHIFT
    top = f'deadman_url = "{stat.heartbeat}"'
    async with configured(tmp_path, stat, database, tables, top) as livemon:
        await stands(livemon, "live/1", 1)
        since = datetime.now(UTC) - timedelta(minutes=6)
        broken = dropped("", since, alertname="LivemonBooksDiffer", platform="", hall="")
        gone = dropped("", since, over=True, alertname="LivemonWriterBlocked", platform="", hall="")
        watchdog = dropped("", since, alertname="LivemonWatchdog", platform="", hall="", severity="info")
        assert await post(livemon, broken, gone, watchdog) == 200
        await until(lambda: len(chat.texts) == 2, why=livemon.last_words)
        await until(lambda: stat.beats)
        assert ("升级" in chat.texts[1], "<@lisi>" in chat.texts[1], "/a/" in chat.texts[1]) == (True, True, True), (
            chat.texts
        )
        await asyncio.sleep(2)  # till the robot's answer is noted: killed before that, livemon tells it again
        livemon.kill()
        assert actions(tmp_path, "escalated") == 1
        livemon.start()
        await stands(livemon, "live/1", 1)
        await asyncio.sleep(7)
        livemon.kill()
        assert actions(tmp_path, "escalated") == 1
    assert (len(chat.texts), stat.beats) == (2, 1)


@pytest.mark.parametrize("speaks", [False, True])
async def test_in_a_rehearsal_robots_are_silent_unless_they_are_let_and_messages_are_marked(
    tmp_path, stat, chat, database, speaks
):
    table = robot_table(tmp_path, "hall", chat)
    await born_a_rehearsal(database)
    top = 'purpose = "rehearsal"\ngrafana_url = "http://g.cn"'
    livemon = configured(tmp_path, stat, database, table, top)
    livemon.options = ("--robots",) if speaks else ()
    async with livemon:
        await stands(livemon, "live/1", 1)
        del stat.live["1"]
        await stands(livemon, "live/1", 2)
        assert await post(livemon, dropped()) == 200
        if speaks:
            await until(lambda: chat.texts, why=livemon.last_words)
            assert chat.texts[0].lstrip("#* ").startswith("【演练】【停播】#1"), chat.texts
            reader = await database.connect("reader")
            room_id = await reader.fetchval("SELECT room_id FROM room WHERE external_id = 'live/1'")
            await reader.close()
            board = re.search(r"http://g\.cn/d/([\w-]+)\?[^)\s]*var-room=(\d+)", chat.texts[0])
            assert board is not None, chat.texts
            assert board.groups() == ("livemon-room-rehearsal", str(room_id))
        code, said = await livemon.command("handover")
        assert code == 0, said
        await (until(lambda: len(chat.texts) == 2) if speaks else asyncio.sleep(5))
        assert await livemon.stop() == 0
    assert all(text.lstrip("#* ").startswith("【演练】") for text in chat.texts)
    assert chat.calls == (2 if speaks else 0)


async def test_a_robot_that_hangs_holds_up_no_stop(tmp_path, stat, chat, database):
    chat.mood, chat.slow_s = "slow", 30.0
    async with configured(tmp_path, stat, database, robot_table(tmp_path, "hall", chat)) as livemon:
        await stands(livemon, "live/1", 1)
        del stat.live["1"]
        await stands(livemon, "live/1", 2)
        assert await post(livemon, dropped()) == 200
        await until(lambda: chat.calls, why=livemon.last_words)
        began_s = time.monotonic()
        assert await livemon.stop() == 0
        assert time.monotonic() - began_s < 12
        assert "Traceback" not in livemon.last_words()
