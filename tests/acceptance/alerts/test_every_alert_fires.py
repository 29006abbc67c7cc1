"""Every alert fires from the real metrics of a real livemon, by really causing it; and nothing else does meanwhile.

No series is written by hand. A scene is one `livemon run` with its faults and a set of alerts: each of them must
fire in it, and no other may. Durations of rules that are longer than a scene are divided, see `watchmen.py`.
"""

import asyncio
import itertools
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from monitor.rehearsal.monitored import Livemon
from monitor.rehearsal.platforms.doudian_api import FakeDoudian
from monitor.rehearsal.platforms.taobao_tmc import FakeTmc
from monitor.store.migrate import Birth, migrate
from tests.acceptance.alerts.ground import Ground
from tests.acceptance.alerts.halls import Hall, open_halls, room_of
from tests.acceptance.alerts.machine import SetLivemon, SlowLine, meanwhile, slow_disk, taken_processor
from tests.acceptance.alerts.watchmen import Watchmen, every_alert, watching
from tests.acceptance.test_accounts import DOUDIAN_TABLES, order
from tests.alerts.chat import Chat, served
from tests.faults.disk import small_disk
from tests.orders.chinese import DOUDIAN, doudian, doudian_message

pytestmark = [pytest.mark.real, pytest.mark.slow]


@asynccontextmanager
async def scene(
    ground: Ground, fires: set[str], faster: dict[str, float], scrape_s: int = 1, livemon: Livemon | None = None,
    line: SlowLine | None = None,
) -> AsyncIterator[tuple[Livemon, Watchmen]]:  # fmt: skip
    """A livemon that is ready, and who watches it. At the end nothing but these has fired, and every one of them."""
    address = f"127.0.0.1:{ground.port}"
    async with livemon or Livemon(ground.config, f"http://{address}") as livemon:
        await livemon.ready(ground.rooms)
        scraped = address if line is None else line.address
        async with watching(ground.folder / "watchmen", scraped, faster, scrape_s) as watchmen:
            yield livemon, watchmen
            assert await watchmen.ever_fired() == fires | {"LivemonWatchdog"}
            await watchmen.rules_are_whole()


def test_each_alert_is_in_a_scene() -> None:
    assert {*ROOMS, *FEEDS, *MACHINE, *PIPELINE, "LivemonWatchdog"} == every_alert()


# --- rooms -----------------------------------------------------------------------------------------------------------

OUTAGES = {"LivemonPlatformOutage", "LivemonHallOutage", "LivemonRoomsDroppedMany"}
ROOMS = {
    *OUTAGES, "LivemonRoomDropped", "LivemonRoomLost", "LivemonRoomNotStarted", "LivemonViewersCollapsed",
    "LivemonSalesStalled",
}  # fmt: skip
ROOMS_FASTER = {
    **dict.fromkeys(OUTAGES, 12.0),  # kept for 5 s, not for a minute
    **dict.fromkeys(("LivemonRoomDropped", "LivemonRoomLost"), 3.0),  # kept for 10 s, not for 30 s
    "LivemonRoomNotStarted": 30.0,  # 10 s late, not 5 min
    "LivemonViewersCollapsed": 60.0,
    "LivemonSalesStalled": 60.0,
    "room:livemon_room_orders:increase10m": 60.0,
}
STOPPED = 'max_over_time(ALERTS{alertname=~"LivemonRoom(Dropped|Lost)",alertstate="firing"}[1h])'
TOP_TIER, PLANNED, UNPLANNED, ABSENT, LEFT_ALONE, UNSOLD, SOLD = range(1, 8)


async def selling(ground: Ground, rooms: Callable[[], list[int]]) -> None:
    """Twice a second one order of each of these rooms."""
    for number in itertools.count():
        told: list[dict[str, object]] = [
            {"event_id": f"s1:{room}-{number}:paid", "platform": "single", "room": room_of(room)} for room in rooms()
        ]
        assert await ground.sell("erp", *told) == 200
        await asyncio.sleep(0.5)


async def test_rooms_stop_do_not_begin_and_sell_no_more(tmp_path: Path, database: Any) -> None:
    single, hosted = Hall("single", range(1, 8)), Hall("hosted", range(100, 140))
    own, many = Hall("own", range(200, 208), hall="A"), Hall("many", range(300, 420))
    halls = (single, hosted, own, many)
    single.on_air -= {ABSENT}
    roster = [line for hall in halls for line in hall.roster({TOP_TIER: 1})]
    async with open_halls(*halls):
        ground = Ground(
            tmp_path, database, halls, top="grace_s = 15.0\nend_slack_s = 1.0", roster=roster,
            pushes={"erp": ["single"]},
        )  # fmt: skip
        async with scene(ground, ROOMS, ROOMS_FASTER) as (_, seen):
            selling_rooms = [UNSOLD, SOLD]
            async with meanwhile(selling(ground, lambda: selling_rooms)):
                await ground.plan(*(("single", room_of(room)) for room in (TOP_TIER, PLANNED, ABSENT)))
                hosted.on_air -= set(hosted.numbers[:25])
                own.on_air -= set(own.numbers[:6])
                single.on_air -= {TOP_TIER, PLANNED, UNPLANNED}
                many.on_air -= set(many.numbers[:20])
                await seen.fires("LivemonPlatformOutage", 10, platform="hosted")
                await seen.fires("LivemonHallOutage", 10, platform="own", hall="A")
                await seen.fires("LivemonRoomsDroppedMany", 10, platform="many", severity="warning")
                await seen.fires("LivemonRoomDropped", 15, room=room_of(TOP_TIER), severity="critical")
                await seen.fires("LivemonRoomDropped", 15, room=room_of(PLANNED), severity="warning")
                many.on_air -= set(many.numbers[:35])
                await seen.fires("LivemonRoomsDroppedMany", 10, platform="many", severity="critical")
                await seen.fires("LivemonRoomNotStarted", 90, room=room_of(ABSENT))
                await seen.fires("LivemonRoomLost", 90, room=room_of(TOP_TIER), severity="critical")
                single.viewers[LEFT_ALONE] = 50
                await seen.fires("LivemonViewersCollapsed", 20, room=room_of(LEFT_ALONE))
                selling_rooms.remove(UNSOLD)
                await seen.fires("LivemonSalesStalled", 40, room=room_of(UNSOLD))
                # Neither who was not planned, nor who is one of many.
                assert {found["room"] for found in await seen.ask(STOPPED)} == {room_of(TOP_TIER), room_of(PLANNED)}
                for hall in halls:
                    hall.on_air = set(hall.numbers)
                selling_rooms.append(UNSOLD)
                for name in ROOMS - {"LivemonSalesStalled", "LivemonViewersCollapsed"}:
                    await seen.clears(name, 60)


# --- feeds, sales, accounts ------------------------------------------------------------------------------------------

FEEDS = {
    "LivemonFeedRefused", "LivemonFeedBlind", "LivemonFeedFrozen", "LivemonFeedStale", "LivemonPushMissed",
    "LivemonQuarantine", "LivemonHookAuthFailures", "LivemonAccountsRefused", "LivemonAccountsExpiring",
}  # fmt: skip
FEEDS_FASTER = {
    "LivemonAccountsRefused": 12.0,
    "LivemonAccountsExpiring": 180.0,
    "LivemonQuarantine": 10.0,  # over after half a minute, not after five
    "LivemonHookAuthFailures": 10.0,
}
SHOPS = OURS, LEAVING, ENDING = "4463798", "4463799", "4463800"
TAOBAO_TABLES = """
[[app]]
name = "{name}"
platform = "taobao"
key = "12129701"
secret_file = "tb.secret"

[[feed]]
kind = "taobao_tmc"
name = "{name}"
app = "{name}"
url = "ws://127.0.0.1:{port}/"
interval_s = 0.5
"""
UNSEEN = 'max_over_time(ALERTS{alertname=~"LivemonFeed.*|LivemonPush.*",alertstate="firing"}[1h])'


async def come_in(ground: Ground, platform: FakeDoudian, shop: str) -> None:
    """The owner of the shop opens our link, and lets us in."""

    def back(page: str) -> str:
        told = {"code": platform.office.code(shop), "state": parse_qs(urlsplit(page).query)["state"][0]}
        return f"http://127.0.0.1:{ground.hooks}/oauth/dd?{urlencode(told)}"

    ground.shop = shop
    assert "授权成功" in await ground.link(back)


async def feeds_cannot_be_seen_sales_are_bad_and_shops_leave(folder: Path, database: Any) -> None:
    gone, still = Hall("gone", range(1, 4)), Hall("still", range(11, 14))
    halls = (gone, still, Hall("fine", range(21, 24)))
    shops = FakeDoudian(DOUDIAN.key, DOUDIAN.secrets[0], lambda: datetime.now(UTC))
    late, barred = (FakeTmc("12129701", "a secret of taobao") for _ in range(2))
    sockets = {"late": await late.serve(), "barred": await barred.serve()}
    tables = DOUDIAN_TABLES.format(key=DOUDIAN.key, api=await shops.serve())
    for name, socket in sockets.items():
        tables += TAOBAO_TABLES.format(name=name, port=socket.sockets[0].getsockname()[1])
    roster = [line for hall in halls for line in hall.roster()]
    roster += [f"doudian,880{shop[-1]},主播,,3,{shop},zhang" for shop in SHOPS] + ["taobao,AAFa-1,主播,,3,,"]
    async with open_halls(*halls):
        ground = Ground(
            folder, database, halls, tables=tables, roster=roster, pushes={"good": ["single"], "foreign": ["single"]}
        )
        ground.secret("dd.secret", DOUDIAN.secrets[0].decode())
        ground.secret("tb.secret", "a secret of taobao")
        async with scene(ground, FEEDS, FEEDS_FASTER) as (_, seen):
            gone.status, still.still = 503, True
            barred.refusal = (1004, "invalid sign")
            barred.cut()
            event = {"anchor_open_id": "AAFa-1", "event": "PUBLISH_LIVE", "live_id": 77}
            late.publish("taobao_live_FeedRelated", event, 0, round(time.time() * 1000) - 60_000)
            for shop in SHOPS:
                if shop == ENDING:  # what it is granted ends in eight minutes
                    shops.office.rules = replace(shops.office.rules, access_s=480.0)
                await come_in(ground, shops, shop)
            shops.office.revoke(LEAVING)
            pushed = order(shops, 1, OURS, 12_300, "8808")
            paid: dict[str, object] = {"pay_time": int(pushed.created_at.timestamp()), "pay_amount": 12_300}
            ids: dict[str, object] = {"p_id": int(pushed.order_id), "shop_id": int(OURS), "order_status": 2}
            await ground.push("/hooks/doudian", doudian([doudian_message("101", **ids, **paid)]))
            await ground.until("SELECT via FROM sale WHERE kind = 'paid'", "push")
            await asyncio.sleep(1.5)  # stamps of orders are whole seconds
            order(shops, 2, OURS, 45_600, "8808")  # this one is never pushed
            await seen.fires("LivemonFeedBlind", 90, feed="gone", platform="gone")
            await seen.fires("LivemonFeedRefused", 90, feed="barred")
            await seen.fires("LivemonFeedStale", 40, feed="late")
            await seen.fires("LivemonAccountsRefused", 40, platform="doudian")
            await seen.fires("LivemonAccountsExpiring", 40, platform="doudian")
            assert await ground.sell("good", {"event_id": "s1:1:paid", "platform": "another"}) == 200
            for _ in range(3):
                told: dict[str, object] = {"event_id": "s1:2:paid"}
                assert await ground.sell("foreign", told, signed_by="the secret of somebody else") == 401
            await seen.fires("LivemonQuarantine", 20, kind="sale", severity="critical")
            await seen.fires("LivemonHookAuthFailures", 20, feed="foreign", severity="critical")
            await seen.fires("LivemonPushMissed", 60, feed="doudian")
            await seen.fires("LivemonFeedFrozen", 90, feed="still")
            # Each feed by the first that holds, and no feed by two.
            fired = sorted((found["feed"], found["alertname"]) for found in await seen.ask(UNSEEN))
            assert fired == [
                ("barred", "LivemonFeedRefused"), ("doudian", "LivemonPushMissed"), ("gone", "LivemonFeedBlind"),
                ("late", "LivemonFeedStale"), ("still", "LivemonFeedFrozen"),
            ]  # fmt: skip
            gone.status, still.still = 200, False
            await come_in(ground, shops, LEAVING)
            for name in ("FeedBlind", "FeedFrozen", "Quarantine", "HookAuthFailures", "AccountsRefused"):
                await seen.clears(f"Livemon{name}", 60)
    for socket in sockets.values():
        socket.close()
    await shops.close()


# --- the machine -----------------------------------------------------------------------------------------------------

MACHINE = {
    "LivemonTargetMissing", "LivemonScrapeNearLimit", "LivemonDiskSlow", "LivemonLoopLag", "LivemonClockSkew",
}  # fmt: skip
MACHINE_FASTER = {"LivemonScrapeNearLimit": 6.0, "LivemonDiskSlow": 2.0, "LivemonClockSkew": 30.0}


async def test_the_machine_is_slow_its_clock_is_set_and_livemon_is_gone(tmp_path: Path, database: Any) -> None:
    """Scrapes as in production, nearly: each 4 s, with 4 s for an answer."""
    hall = Hall("fine", range(1, 6))
    with small_disk(tmp_path) as disk:
        async with open_halls(hall):
            ground = Ground(tmp_path, database, [hall])
            text = ground.config.read_text(encoding="utf-8")
            ground.config.write_text(text.replace('data_dir = "data"', f'data_dir = "{disk.folder}/data"'))
            livemon = SetLivemon(ground.config, f"http://127.0.0.1:{ground.port}")
            line = SlowLine(f"127.0.0.1:{ground.port}")
            async with line.laid(), scene(ground, MACHINE, MACHINE_FASTER, 4, livemon, line) as (_, seen):
                await seen.fires("LivemonWatchdog", 5)
                livemon.set_wall(5.0)
                async with meanwhile(slow_disk(disk.folder)):
                    await seen.fires("LivemonClockSkew", 90)
                    line.wait_s = 3.4  # only now: on a busy machine such scrapes also fail, and `for` begins anew
                    await seen.fires("LivemonScrapeNearLimit", 90, job="livemon-rooms")
                    await seen.fires("LivemonDiskSlow", 70)
                line.wait_s = 0.0
                async with meanwhile(taken_processor(livemon)):
                    await seen.fires("LivemonLoopLag", 40)
                await seen.clears("LivemonLoopLag", 45)  # it is kept firing for 30 s
                await seen.clears("LivemonScrapeNearLimit", 15)
                await seen.clears("LivemonClockSkew", 90)
                livemon.kill()
                await seen.fires("LivemonTargetMissing", 40, job="livemon-rooms")
                livemon.start()
                await seen.clears("LivemonTargetMissing", 40)
                await seen.clears("LivemonDiskSlow", 60)


# --- the way to PostgreSQL -------------------------------------------------------------------------------------------

PIPELINE = {
    "LivemonPartitionMissing", "LivemonWriterBlocked", "LivemonSpoolGrowing", "LivemonSpoolFull",
    "LivemonBooksDoNotBalance", "LivemonDeliveryFailing",
}  # fmt: skip
PIPELINE_FASTER = {
    "LivemonPartitionMissing": 12.0,
    "LivemonBooksDoNotBalance": 6.0,
    "LivemonSpoolGrowing": 6.0,
    "LivemonSpoolFull": 6.0,
    "LivemonDeliveryFailing": 10.0,
}
ROBOT = """
[[robot]]
name = "night"
kind = "feishu"
url_file = "robot.url"
"""
FULL = 16_000_000  # spool_bytes_max; ticks are shed from 95 % of it on
MAKES_NOTHING = """
CREATE OR REPLACE FUNCTION ensure_tick_day(day date) RETURNS boolean LANGUAGE sql
SECURITY DEFINER SET search_path = livemon, pg_temp AS 'SELECT false'
"""


async def nothing_can_be_written_and_the_spool_fills(folder: Path, database: Any) -> None:
    """The event's zone is one in which this day ends within hours, so that its partition does, too."""
    hall = Hall("fine", range(1, 101))
    right = await born(database, datetime.now(UTC))
    chat = Chat("feishu", time.time, mood="down")
    async with open_halls(hall), served(chat):
        ground = Ground(
            folder, database, [hall], top=f'spool_bytes_max = {FULL}\ntimezone = "{zone(datetime.now(UTC))}"',
            pushes={"erp": ["single"]}, tables=ROBOT,
        )  # fmt: skip
        ground.secret("robot.url", chat.url)
        async with scene(ground, PIPELINE, PIPELINE_FASTER) as (livemon, seen):
            await seen.fires("LivemonPartitionMissing", 20)
            await seen.fires("LivemonDeliveryFailing", 90, robot="night")  # that one could not be told
            await ground.shut_door()
            await seen.fires("LivemonWriterBlocked", 40)
            for number in itertools.count():
                assert await ground.sell("erp", *large(number)) == 200
                if (await seen.ask("livemon_spool_bytes"))[0]["value"] > 0.96 * FULL:
                    break
            await seen.fires("LivemonSpoolFull", 20)
            await seen.fires("LivemonSpoolGrowing", 20)
            ground.open_door()
            chat.mood = "well"
            await seen.clears("LivemonWriterBlocked", 60)
            await seen.clears("LivemonSpoolFull", 120)
            await seen.clears("LivemonSpoolGrowing", 120)
            await seen.clears("LivemonDeliveryFailing", 60)
            assert any("分区" in text for text in chat.texts)  # late, but told
            conn = await database.connect("owner")
            await conn.execute(right)
            await conn.close()
            await asyncio.sleep(1)
            await ground.shut_door()
            await asyncio.sleep(3)
            await livemon.leave()
            lose_a_batch(ground.folder / "data" / "spool")
            livemon.start()
            await seen.fires("LivemonBooksDoNotBalance", 40, kind="tick")
            ground.open_door()
            await seen.clears("LivemonPartitionMissing", 40)
            await seen.clears("LivemonWriterBlocked", 40)


def zone(now: datetime) -> str:
    """One in which it is 18 o'clock and something now."""
    ahead = (18 - now.hour + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}"  # these are named after how far they are behind


async def born(database: Any, now: datetime) -> str:
    """The event's database, in which somebody has put an old function that makes no days; the right one is returned."""
    conn = await database.connect("owner")
    await migrate(conn, Birth(timezone=zone(now), currency="CNY"))
    await conn.execute("SELECT ensure_tick_day(event_date(now()) + n) FROM generate_series(-7, 0) AS n")
    right: str = await conn.fetchval("SELECT pg_get_functiondef('ensure_tick_day(date)'::regprocedure)")
    await conn.execute(MAKES_NOTHING)
    await conn.close()
    return right


def large(number: int) -> list[dict[str, object]]:
    """Two thirds of a mebibyte of orders."""
    title = "apple " * 40
    return [
        {
            "event_id": f"s1:{number}-{part}:paid", "platform": "single",
            "items": [{"item_id": f"i{item}", "title": title, "units": 1} for item in range(200)],
        }
        for part in range(12)
    ]  # fmt: skip


def lose_a_batch(spool: Path) -> None:
    """What a hand in the spool, or a disk that lies, does: rows that wait are gone, and no book says so."""
    with closing(sqlite3.connect(spool / "spool.db")) as conn, conn:
        conn.execute("DELETE FROM batch WHERE state = 'pending' AND kind = 'ticks'")


async def test_feeds_and_the_way_to_postgresql(tmp_path: Path, database: Any, empty_database: Any) -> None:
    """Two livemons at once, each with its own watchmen: most of both scenes is waiting."""
    async with asyncio.TaskGroup() as group:
        for name, play, held in (
            ("feeds", feeds_cannot_be_seen_sales_are_bad_and_shops_leave, database),
            ("pipeline", nothing_can_be_written_and_the_spool_fills, empty_database),
        ):
            (tmp_path / name).mkdir()
            group.create_task(play(tmp_path / name, held), name=name)
