"""One fact is one row, however often, by whatever way and on whatever day it comes; another amount is set aside."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from collectors.hook import Need
from collectors.orders.kwaixiaodian import Kwaixiaodian
from collectors.orders.push_json import PushJson
from tests.acceptance.shop import Line, Shop, books, drained, pushed, sale
from tests.faults.test_restore import back_up, put_back
from tests.orders.chinese import as_json, kwaixiaodian

pytestmark = [pytest.mark.real, pytest.mark.slow]

SHANGHAI = ZoneInfo("Asia/Shanghai")
ROWS = (PushJson(name="erp", app="erp"), Kwaixiaodian(name="ks", app="kuaishou-main"))
ONE = [("s1:1:paid", 1230, "CNY")]
SALES = "SELECT event_id, amount_minor, currency FROM sale ORDER BY event_id"


async def filed(shop, livemon, name, at, amount="12.30") -> None:
    """The same fact, as a file that somebody imports into the running monitor."""
    file = shop.folder / f"{name}.csv"
    file.write_text(f"店铺,订单号,类型,支付时间,金额,币种\ns1,1,支付,{at.isoformat()},{amount},CNY\n", encoding="utf-8")
    code, said = await livemon.command("import", "sale", str(file), "--feed", "erp")
    assert code == 0, said


async def test_five_at_once_again_the_next_day_after_a_restart_and_after_a_restore(database, tmp_path):
    shop = Shop(tmp_path, database)
    shop.open_door()
    now = datetime.now(SHANGHAI)
    at = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(milliseconds=1)  # the last of yesterday
    fact = {"event_id": "s1:1:paid", "at": at.isoformat()}
    async with shop.livemon() as livemon:
        assert await livemon.stop() == 0
    await back_up(database)  # nothing is in it
    async with shop.livemon() as livemon:
        await asyncio.gather(
            *(shop.deliver(fact) for _ in range(3)),
            filed(shop, livemon, "一", at),
            filed(shop, livemon, "二", at.astimezone(UTC) + timedelta(milliseconds=2)),  # to this one it is today
        )
        await drained(livemon)
        assert await shop.ask(SALES) == ONE
        told = await books(livemon, "sale")
        assert (told["received"], told["written"], told["duplicates"], told["quarantined"]) == (5, 1, 4, 0)
        assert await livemon.stop() == 0

    tomorrow = (now.replace(hour=0, minute=0, second=1) + timedelta(days=1) - now).total_seconds()
    async with shop.desk(ROWS, ahead_s=tomorrow) as desk:
        assert desk.now().astimezone(SHANGHAI).date() == now.date() + timedelta(days=1)
        frame = msgspec.msgpack.encode(pushed([sale(**fact)]))
        await desk.lane.keep("erp", frame, desk.now())
        await asyncio.wait_for(standing(desk, duplicates=5), 20)
    assert await shop.ask(SALES) == ONE

    async with shop.livemon() as livemon:
        await shop.deliver(fact)
        await filed(shop, livemon, "三", at)
        await drained(livemon)
        assert await livemon.stop() == 0
    assert await shop.ask(SALES) == ONE

    await put_back(database)
    assert await shop.ask(SALES) == []
    async with shop.livemon() as livemon:
        await shop.until(SALES, ONE)  # the spool has it still
        await shop.deliver(fact)
        await filed(shop, livemon, "四", at)
        await drained(livemon)
        assert await shop.ask(SALES) == ONE
        assert await shop.ask("SELECT reason FROM quarantine") == []
        assert (await books(livemon, "sale"))["written"] == 1
        assert await livemon.stop() == 0


async def test_another_amount_under_a_known_id_is_set_aside_and_the_first_is_kept(database, tmp_path):
    shop = Shop(tmp_path, database)
    shop.open_door()
    async with shop.livemon() as livemon:
        await shop.deliver({"event_id": "s1:1:paid"})
        await shop.until(SALES, ONE)
        assert (await books(livemon, "sale"))["quarantined"] == 0
        await shop.deliver({"event_id": "s1:1:paid", "amount_minor": 1231}, {"event_id": "s1:2:paid"})
        await filed(shop, livemon, "一", datetime.now(UTC), amount="99.00")
        await shop.deliver({"event_id": "s1:1:paid", "currency": "USD"}, {"event_id": "s1:1:paid", "kind": "refunded"})
        await drained(livemon)
        assert await shop.ask(SALES) == [*ONE, ("s1:2:paid", 1230, "CNY")]
        why = ("sale", "another sale is kept under this event id", "s1:1:paid")
        assert await shop.ask("SELECT kind, reason, sample FROM quarantine") == [why] * 4
        async with asyncio.timeout(10):  # what LivemonQuarantine looks at
            while (await books(livemon, "sale"))["quarantined"] != 4:
                await asyncio.sleep(0.1)
        assert await livemon.stop() == 0


async def test_what_needs_a_detail_waits_in_sight_and_nobody_waits_for_it(database, tmp_path):
    shop = Shop(tmp_path, database)
    shop.open_door()
    paid_at = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=3)
    async with shop.livemon() as livemon:
        line = Line(shop.hooks)
        for order in range(1, 6):
            told = {"oid": order, "sellerId": 77, "status": 30, "updateTime": 1}
            assert (await line.post("ks", kwaixiaodian("kwaishop_order_paySuccess", told)))[0] == 200
            await shop.deliver(*({"event_id": f"s1:{order}-{n}:paid"} for n in range(10)), line=line)
        line.close()
        await drained(livemon, 20, frames=5)  # visible as livemon_spooled{kind="frame"}
        assert await shop.ask("SELECT platform, count(*) FROM sale GROUP BY 1") == [("push_json", 50)]
        code, said = await livemon.command("status", "--once")
        assert code == 0
        assert re.search(r"ks\b.*\b5\b", said), said
        assert await livemon.stop() == 0

    def detail(order: int, of: int) -> bytes:
        head = {"oid": of, "totalFee": order * 100, "payTime": int(paid_at.timestamp()) * 1000, "buyerNick": "李四"}
        return as_json({"result": 1, "data": {"orderBaseInfo": head}})

    async with shop.desk(ROWS) as desk:
        await asyncio.wait_for(standing(desk, kind="frame", spooled=5), 10)
        for order in range(1, 6):  # of another order, of no order at all, an error of the platform: never guessed
            for wrong in (detail(order, order + 9), b"<html>", b'{"result":21,"error_msg":"later"}'):
                await desk.reader.answered("kwaixiaodian", Need("order.detail", str(order), "77"), wrong)
        await desk.lane.keep("erp", msgspec.msgpack.encode(pushed([sale(event_id="s1:9:paid")])), desk.now())
        await shop.until("SELECT count(*) FROM sale", [(51,)])
        assert desk.store.spool.standing().books["frame"].spooled == 5
        for order in range(1, 5):
            await desk.reader.answered("kwaixiaodian", Need("order.detail", str(order), "77"), detail(order, order))
        await shop.until("SELECT event_id, amount_minor, at FROM sale WHERE platform = 'kwaixiaodian' ORDER BY 1",
                         [(f"77:{order}:paid", order * 100, paid_at) for order in range(1, 5)])  # fmt: skip
        await asyncio.wait_for(standing(desk, kind="frame", spooled=1, difference=0), 10)
    assert await shop.ask("SELECT reason FROM quarantine") == []


async def standing(desk, kind: str = "sale", **columns: int) -> None:
    """Until the books of this kind say so."""
    while True:
        await desk.store.sealer.take_stock()
        book = desk.store.sealer.standing.books[kind]
        if all(getattr(book, name) == value for name, value in columns.items()):
            return
        await asyncio.sleep(0.05)
