"""room_coverage where rooms differ in little, and that it looks a shop up and does not walk through its sales."""

from typing import Any

import pytest

from tests.postgres import FreshDatabase
from tests.sql.stage import Sql, Stage, evening
from tests.sql.test_pruning import explain

pytestmark = pytest.mark.real

SALES = (
    "INSERT INTO sale (platform, event_id, at, received_at, feed, shop, kind, amount_minor, currency, via)"
    " SELECT $1, $2 || n, now(), now(), $2, $3 || n % $4, 'paid', 1, 'CNY', 'push' FROM generate_series(1, $5) AS n"
)


async def room(stage: Stage, external_id: str, shop: str, platform: str = "nginx_rtmp") -> int:
    number = await stage.room(external_id, platform=platform)
    await stage.sql.execute("UPDATE room SET shop = $2 WHERE room_id = $1", number, shop)
    return number


async def told(reader: Sql) -> dict[str, dict[str, Any]]:
    return {row["external_id"]: dict(row) for row in await reader.fetch("SELECT * FROM room_coverage")}


async def test_each_room_is_told_its_own_though_rooms_differ_in_one_feed(stage: Stage, reader: Sql):
    seen, sold, both, twin, shopless = [
        await room(stage, "seen", "quiet"),
        await room(stage, "sold", "shop0"),
        await room(stage, "both", "shop0"),
        await room(stage, "twin", "quiet"),
        await room(stage, "shopless", ""),
    ]
    await room(stage, "strange", "shop0", platform="wechat")
    await stage.feed("hall-a", [seen, both, twin])
    await stage.feed("hall-b", [both])
    await stage.feed("orders", [shopless], kind="doudian", platform="doudian", signals=["sales"])
    await stage.feed("mute", [sold], kind="doudian", platform="doudian", signals=["viewers"])
    await stage.feed("moved", [], kind="bilibili", platform="bilibili", signals=["sales"])
    await stage.sql.execute("UPDATE feed_room SET to_at = now() WHERE feed = 'hall-a' AND room_id = $1", twin)
    await stage.sql.execute("UPDATE room SET shop = '' WHERE external_id = 'seen'")
    await stage.sale(seen, None, evening("20:00"), "gift", 1, "")
    await stage.sql.execute("UPDATE sale SET shop = ''")
    for feed in ("orders", "mute", "moved"):
        await stage.sql.execute(SALES, "doudian", feed, "shop", 1, 1)
    rows = await told(reader)
    by = {name: (row["live_by"], row["viewers_by"], row["sales_by"]) for name, row in rows.items()}
    assert by == {
        "seen": (["hall-a"], ["hall-a"], []), "sold": ([], ["mute"], ["orders"]),
        "both": (["hall-a", "hall-b"], ["hall-a", "hall-b"], ["orders"]), "twin": ([], [], []),
        "shopless": ([], [], ["orders"]),
        # Sales of `mute` are not what it says it tells; those of `moved` are of another platform than it is now.
        "strange": ([], [], ["orders"]),
    }  # fmt: skip
    assert rows["seen"]["why"] == "sales: feed hall-a does not tell it"
    assert rows["twin"]["why"].endswith("; sales: no feed of platform nginx_rtmp tells it")
    assert rows["strange"]["why"].startswith("live: no feed is configured for platform wechat; viewers: no feed is")
    assert rows["both"]["why"] is None


async def test_a_shop_is_looked_up_whatever_the_number_of_its_sales(stage: Stage, reader: Sql, database: FreshDatabase):
    for number in range(40):
        await room(stage, f"live/{number}", f"shop{number % 4}")
    await stage.feed("orders", [], kind="doudian", platform="doudian", signals=["sales"])
    for feed in ("silent", "moved"):  # for either all sales of the shop, or all there are, could be walked through
        await stage.feed(feed, [], kind="taobao", platform="taobao", signals=["sales"])
    await stage.sql.execute(SALES, "doudian", "orders", "shop", 2, 10_000)
    await stage.sql.execute(SALES, "doudian", "moved", "shop", 2, 10_000)
    owner = await database.connect("owner")
    await owner.execute("ANALYZE sale")  # now it is known that one row in four is like the one that is looked for
    await owner.close()
    plan = await explain(reader, "SELECT * FROM room_coverage", analyze=True)
    sales = [node for node in plan if node.get("Relation Name") == "sale"]
    read = sum((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"] for node in sales)
    assert sales
    assert read <= 40 * 3  # at most once for each room and feed
    assert {name: row["sales_by"] for name, row in (await told(reader)).items() if name < "live/13"} == {
        "live/0": ["orders"], "live/1": ["orders"], "live/10": [], "live/11": [], "live/12": ["orders"],
    }  # fmt: skip
