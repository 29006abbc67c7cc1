"""Room: the curves, marks, numbers and sums of one room from a small evening worked out by hand; that it opens for
anything that may stand in its variables."""

from collections.abc import Iterator
from copy import copy
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from grafana.boards.panels import STALE
from monitor.store import embedded
from tests.boards.macros import Chosen, Opened, sql_sent
from tests.boards.stage import every, made, panels, title, variables
from tests.history.story import roll
from tests.postgres import TEMPLATE, FreshDatabase, _fresh, elsewhere
from tests.sql.stage import ZONE, Sql, Stage

pytestmark = pytest.mark.real
ODD = "a'b\"c|d]]$x${room}\\%"
STATE = {"live": 1, "dropped": 2, "blind": 3, "lost": 4, "offline": 0}
MARKS = ["断流", "看不见", "场次起止"]


class Evening:
    """One room, seen by two feeds, with two sessions; another that was lost. Times are minutes before `now`."""

    def __init__(self, database: FreshDatabase) -> None:
        self.database, self.now = database, datetime.now(ZONE).replace(microsecond=0)
        self.room = self.lost = 0
        self.first: UUID | None = None
        self.second: UUID | None = None

    def ago(self, minutes: float) -> datetime:
        return self.now - timedelta(minutes=minutes)

    async def play(self) -> None:
        sql, ago = await self.database.connect("writer"), self.ago
        stage = Stage(sql)
        await stage.ready()
        self.room, self.lost = await stage.room(ODD), await stage.room("lost")
        for feed in ("hall-a", "hall-b"):
            await stage.feed(feed, [self.room, self.lost])
        self.first = await stage.session(
            self.room, ("opened", ago(180), "status"), ("dropped", ago(120), "event"), ("closed", ago(120), "ended")
        )
        self.second = await stage.session(
            self.room, ("opened", ago(60), "status"), ("dropped", ago(40), "stall"), ("resumed", ago(38), "status")
        )
        await stage.ticks(
            self.room, (ago(60), True, 100), (ago(59), True, 300, 2_000), (ago(40), False, 0), (ago(38), True, None),
            (ago(37.5), True, 200),
        )  # fmt: skip
        await stage.blind("hall-a", ago(30), ago(25))  # only while the other does not see either, nobody does
        await stage.blind("hall-b", ago(28), ago(20))
        changes = ("opened", ago(150), "status"), ("dropped", ago(100), "status"), ("closed", ago(98), "lost")
        await stage.session(self.lost, *changes)
        await stage.slot(self.lost, ago(160), ago(60))
        await stage.slot(self.room, ago(180), ago(110))
        await stage.slot(self.room, ago(-30), ago(-90))
        await self._sales(stage, sql)
        await roll(sql)
        await sql.close()

    async def _sales(self, stage: Stage, sql: Sql) -> None:
        ago = self.ago
        await stage.sale(self.room, self.first, ago(130), "paid", 4_000, "o0")
        await stage.sale(self.room, self.second, ago(50), "paid", 10_000, "o1")  # one order in two parts
        await stage.sale(self.room, self.second, ago(50), "paid", 5_000, "o1")
        await stage.sale(self.room, self.second, ago(10), "refunded", 3_000, "o1")
        await stage.sale(self.room, self.second, ago(45), "paid", 9_900, "o2", currency="USD")
        await stage.sale(self.room, self.second, ago(1 / 3), "paid", 2_000, "o3")
        items = [("o1:paid:2", "i1", "羊绒围巾", 2, 8_000), ("o1:paid:2", "i2", "袜子", 4, 2_000),
                 ("o1:paid:3", "i1", "羊绒围巾", 1, 5_000), ("o2:paid:5", "i1", "羊绒围巾", 9, 9_900)]  # fmt: skip
        await sql.executemany(
            "INSERT INTO sale_item (platform, event_id, item_id, title, units, amount_minor)"
            " VALUES ('doudian', 'shop:' || $1, $2, $3, $4, $5)",
            items,
        )

    def opened(
        self, from_ago: float, to_ago: float = 0.0, *, room: str = "", session: UUID | str | None = None
    ) -> Opened:
        chosen = {"room": Chosen(room or str(self.room)), "session": Chosen(str(session or self.second))}
        return Opened(self.ago(from_ago), self.ago(to_ago), chosen)

    async def ask(self, text: str, opened: Opened, search: str = "") -> list[dict[str, Any]]:
        reader = await self.database.connect("reader")
        rows = [dict(row) for row in await reader.fetch(sql_sent(text, opened, search=search))]
        await reader.close()
        return rows

    async def shown(self, name: str, opened: Opened, kind: str = "") -> list[tuple[Any, ...]]:
        """Rows of the panel with this title."""
        (panel,) = [p for _, p in panels(board="room") if title(p) == name and p["type"].startswith(kind)]
        return [tuple(row.values()) for row in await self.ask(panel["targets"][0]["rawSql"], opened)]

    def timed(self, rows: list[tuple[Any, ...]]) -> list[tuple[float, Any]]:
        """As minutes before now, and the first value."""
        return [((self.now - row[0]) / timedelta(minutes=1), row[1]) for row in rows]


@pytest.fixture(scope="module")
def told(postgres: embedded.Server) -> Iterator[Evening]:
    """Played once: the roller's SQL takes most of the time."""
    for database in _fresh(postgres, TEMPLATE):
        made = Evening(database)
        elsewhere(made.play())
        yield made


@pytest.fixture
def evening(postgres: embedded.Server, told: Evening) -> Iterator[Evening]:
    """A copy of one's own."""
    for database in _fresh(postgres, told.database.name):
        mine = copy(told)
        mine.database = database
        yield mine


def marks() -> dict[str, str]:
    told = made("zh")["room"]["annotations"]["list"]
    return {mark["name"]: mark["target"]["rawSql"] for mark in told if mark["name"] in MARKS}


async def test_states_follow_what_was_told_and_blind_covers_all(evening: Evening):
    whole = await evening.shown("状态", evening.opened(200))
    assert evening.timed(whole) == [
        (180, STATE["live"]),
        (120, STATE["offline"]),
        (60, STATE["live"]),
        (40, STATE["dropped"]),
        (38, STATE["live"]),
        (28, STATE["blind"]),
        (25, STATE["live"]),
    ]
    assert evening.timed(await evening.shown("状态", evening.opened(50, 39))) == [
        (50, STATE["live"]),
        (40, STATE["dropped"]),
    ]
    assert evening.timed(await evening.shown("状态", evening.opened(27, 26))) == [(27, STATE["blind"])]
    assert await evening.shown("状态", evening.opened(300, 200)) == []


async def test_lost_lasts_until_what_was_planned_is_over(evening: Evening):
    rows = await evening.shown("状态", evening.opened(110, room=str(evening.lost)))
    expected = [(110, "live"), (100, "dropped"), (98, "lost"), (60, "offline"), (28, "blind"), (25, "offline")]
    assert evening.timed(rows) == [(at, STATE[state]) for at, state in expected]


async def test_viewers_are_every_observation_or_minutes(evening: Evening):
    curve = [row for row in await evening.shown("在线人数", evening.opened(70)) if row[1] is not None]
    assert evening.timed(curve) == [(60, 100), (59, 300), (37.5, 200)]
    minutes = await evening.shown("在线人数", evening.opened(7 * 60))
    assert max(row[1] for row in minutes) == 300
    assert all(row[0].second == 0 for row in minutes)
    assert len(minutes) <= 6  # each number holds a minute at most


@pytest.mark.parametrize("name", ["在线人数", "码率"])
async def test_lines_are_broken_by_a_drop_and_by_a_blind_span_however_short(evening: Evening, name: str):
    """By a number that is none, a millisecond after the last moment that was seen: of six hours and less."""
    broken = [row[0] for row in await evening.shown(name, evening.opened(200)) if row[1] is None]
    assert broken == [evening.ago(minutes) + timedelta(milliseconds=1) for minutes in (120, 120, 40, 28)]
    assert None not in {row[1] for row in await evening.shown(name, evening.opened(7 * 60))}


async def test_marks_are_drops_blind_spans_and_sessions(evening: Evening):
    texts = marks()
    assert list(texts) == MARKS
    found = {name: await evening.ask(text, evening.opened(70)) for name, text in texts.items()}
    ago = evening.ago
    told = [(row["time"], row["timeend"], row["text"]) for row in found["断流"]]
    assert told == [(ago(40), ago(38), "断流，已恢复 (stall)")]
    assert [(row["time"], row["timeend"]) for row in found["看不见"]] == [(ago(28), ago(25))]
    assert [(row["time"], row["text"]) for row in found["场次起止"]] == [(ago(60), "开播")]
    assert len(await evening.ask(texts["场次起止"], evening.opened(200))) == 3
    assert await evening.ask(texts["断流"], evening.opened(37)) == []  # over before the span begins
    assert len(await evening.ask(texts["断流"], evening.opened(39))) == 1


async def test_numbers_and_sums_of_the_session(database: FreshDatabase):
    evening = Evening(database)  # of this moment: the newest sale is a matter of seconds
    await evening.play()
    opened = evening.opened(5)  # whatever the span of time
    ((peak, _, _, views, orders, airtime_s, drops, down_s, blind_s),) = await evening.shown("本场", opened)
    assert (peak, views, orders, drops, down_s, blind_s) == (300, 2_000, 2, 1, 120, 180)
    assert 0 <= airtime_s - 58 * 60 < 60
    until = f"截至 {evening.ago(1 / 3):%m-%d %H:%M:%S}"
    sums = {"成交额 GMV": "170.00", "退款（截至目前）": "30.00", "净成交额": "140.00", "千次观看成交 GPM": "85.00"}
    for name, told in sums.items():
        ((_, words, value),) = await evening.shown(name, opened)
        assert (words, value) == (until, Decimal(told)), name
    # Of the first session all is known: a later sale of its platform is in.
    ((_, words, value),) = await evening.shown("成交额 GMV", evening.opened(5, session=evening.first))
    assert (words, value) == (f"截至 {evening.ago(120):%m-%d %H:%M:%S}", 40)


async def test_a_sum_without_a_new_sale_says_that_it_is_stale(evening: Evening):
    writer = await evening.database.connect("writer")
    await writer.execute("UPDATE sale SET at = at - interval '3 minutes' WHERE order_id = 'o3'")
    await roll(writer)
    await writer.close()
    ((_, words, value),) = await evening.shown("成交额 GMV", evening.opened(5))
    assert words == f"停更，截至 {evening.ago(3 + 1 / 3):%m-%d %H:%M:%S}"
    assert words.startswith(STALE.strip("^()").split("|")[0])
    assert value == 170


async def test_orders_by_the_minute_and_items(evening: Evening):
    rows = await evening.shown("每分钟订单与成交额", evening.opened(200))
    sold = [(orders, gmv) for _, orders, gmv in rows if orders or gmv]
    assert sold == [(1, 40), (1, 150), (1, 20)]
    items = await evening.shown("本场商品", evening.opened(5))
    assert [row[:4] for row in items] == [("羊绒围巾", 1, 3, 130), ("袜子", 1, 4, 20)]


async def test_drops_sessions_and_slots(evening: Evening):
    drops = await evening.shown("断流", evening.opened(200), "table")
    assert drops == [(evening.ago(40), evening.ago(38), 120, None, "已恢复", "stall")]
    sessions = await evening.shown("历次场次", evening.opened(5))
    assert [(row[0], row[2], row[9]) for row in sessions] == [
        (evening.ago(60), None, str(evening.second)),
        (evening.ago(180), "ended", str(evening.first)),
    ]
    assert sessions[1][-2:] == tuple(str(round(evening.ago(at).timestamp() * 1000)) for at in (185, 115))
    slots = await evening.shown("排期", evening.opened(5))
    assert [(row[2], row[3]) for row in slots] == [("已播", evening.ago(180)), ("未到", None)]


async def test_the_lists_of_rooms_and_sessions(evening: Evening):
    (rooms,), (sessions,) = variables("room", "room"), variables("room", "session")
    assert (rooms["refresh"], sessions["refresh"]) == (1, 2)
    everything = await evening.ask(rooms["query"], evening.opened(200))
    assert {row["__value"] for row in everything} == {str(evening.room), str(evening.lost)}
    for typed in ("a'b", "主播a", ODD, "一号馆"):
        found = await evening.ask(rooms["query"], evening.opened(200), search=typed)
        assert str(evening.room) in {row["__value"] for row in found}, typed
    assert await evening.ask(rooms["query"], evening.opened(200), search="没有") == []
    found = await evening.ask(sessions["query"], evening.opened(200))
    assert [tuple(row.values()) for row in found] == [
        (f"{evening.ago(60):%m-%d %H:%M} · 直播中", str(evening.second)),
        (f"{evening.ago(180):%m-%d %H:%M} · 1:00", str(evening.first)),
    ]
    assert await evening.ask(sessions["query"], evening.opened(300, 200)) == []


@pytest.mark.parametrize("value", ["", "0", "99999999999", "'; DROP", "1 OR 1=1", '\\"', "无"])
async def test_nothing_in_its_variables_is_an_error(evening: Evening, value: str):
    """Also a room that there is, with no session in the span: its row says so."""
    of_room = Opened(evening.ago(60), evening.now, {"room": Chosen(value), "session": Chosen(value)})
    no_session = Opened(evening.ago(60), evening.now, {"room": Chosen(str(evening.room)), "session": Chosen(value)})
    reader = await evening.database.connect("reader")
    for language, name, board in every():
        if name == "room":
            texts = [target["rawSql"] for panel in board["panels"] for target in panel.get("targets", [])]
            texts += [mark["target"]["rawSql"] for mark in board["annotations"]["list"] if "rawSql" in mark["target"]]
            texts += [variable["query"] for variable in board["templating"]["list"][2:]]
            for text in texts:
                assert await reader.fetch(sql_sent(text, of_room)) == [], (language, text)
                await reader.fetch(sql_sent(text, no_session))
    await reader.close()
    (head,) = await evening.ask(panels_of("直播间"), no_session)
    assert head["external_id"] == ODD
    assert head["remark"] == (None if value else "所选时段内没有场次")


def panels_of(name: str) -> str:
    (panel,) = [panel for _, panel in panels(board="room") if title(panel) == name]
    return str(panel["targets"][0]["rawSql"])


async def test_a_room_that_nobody_sees_says_why(evening: Evening):
    writer = await evening.database.connect("writer")
    await writer.execute("UPDATE feed_room SET to_at = now() - interval '1 minute'")
    await writer.close()
    (head,) = await evening.ask(panels_of("直播间"), evening.opened(60))
    assert head["state_code"] == 5
    assert "数据源 hall-a, hall-b 不包含本直播间" in head["remark"]
