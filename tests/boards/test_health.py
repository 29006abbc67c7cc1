"""The board of stream health: an evening of four rooms whose stops were counted by hand, and its PromQL by promtool."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from monitor.store import embedded
from tests.boards.macros import Chosen, Opened, sql_sent
from tests.boards.promtool import NOTHING, told_by
from tests.boards.stage import queries
from tests.history.story import roll
from tests.postgres import TEMPLATE, FreshDatabase, _fresh, elsewhere
from tests.sql.stage import Stage, evening

START = evening("20:00", days_ago=1)
ALL = Chosen(".*", quoted=True, as_it_is=True)


def at(minute: int, second: int = 0) -> datetime:
    return START + timedelta(minutes=minute, seconds=second)


@pytest.fixture(scope="module")
def told(postgres: embedded.Server) -> Iterator[FreshDatabase]:
    for database in _fresh(postgres, TEMPLATE):
        elsewhere(tell(database))
        yield database


async def tell(database: FreshDatabase) -> None:
    """Room 1 flaps, 2 is lost and was planned until 20:30, 3 only signs off, 4 is lost without a plan."""
    sql = await database.connect("writer")
    stage = Stage(sql)
    await stage.ready()
    await sql.execute("SELECT ensure_minute_day(event_date($1))", START)
    one, three, four = [await stage.room(f"live/{number}") for number in (1, 3, 4)]
    two = await stage.room("w2", platform="wechat")
    for room, hall, city in [
        (one, "一号馆", "沈阳"),
        (two, "", "大连"),
        (three, "二号馆", "沈阳"),
        (four, "二号馆", "沈阳"),
    ]:
        await sql.execute("UPDATE room SET hall = $2, city = $3 WHERE room_id = $1", room, hall, city)
    await stage.feed("hall-a", [one])
    await stage.feed("hall-b", [three, four])
    await stage.feed("wechat", [two], platform="wechat")
    await stage.session(
        one,
        ("opened", at(0), "status"),
        ("dropped", at(10), "stall"), ("resumed", at(10, 20), "status"),
        ("dropped", at(15), "event"), ("resumed", at(15, 40), "status"),
        ("dropped", at(18), "event"), ("resumed", at(18, 5), "status"),
        ("closed", at(30), "ended"),
    )  # fmt: skip
    await stage.session(two, ("opened", at(0), "status"), ("dropped", at(20), "status"), ("closed", at(22), "lost"))
    await stage.session(three, ("opened", at(20), "event"), ("dropped", at(25), "event"), ("closed", at(30), "ended"))
    await stage.session(four, ("opened", at(0), "status"), ("dropped", at(5), "failed"), ("closed", at(7), "lost"))
    await stage.slot(two, at(0), at(30))
    await stage.ticks(one, (at(9), True, 180), (at(14), True, 180), (at(17), True, 180))
    await stage.ticks(two, (at(19), True, 100))
    await stage.blind("hall-a", at(24), at(25))
    await roll(sql)
    await sql.close()


class Board:
    """The board as it is open, asking as livemon_reader."""

    def __init__(self, database: FreshDatabase) -> None:
        self.database = database

    async def rows(self, panel: str, *, until: datetime | None = None, **chosen: str) -> list[tuple[Any, ...]]:
        values = {
            name: Chosen((chosen[name],), True) if name in chosen else ALL for name in ("platform", "hall", "city")
        }
        text = sql_sent(queries("rawSql", board="health")[f"health {panel} A"], Opened(START, until or at(30), values))
        reader = await self.database.connect("reader")
        try:
            return [tuple(row.values()) for row in await reader.fetch(text)]
        finally:
            await reader.close()

    async def counts(self, panel: str, **chosen: str) -> dict[tuple[str, str], int]:
        """(clock, series) -> how many, where there are any."""
        zone = START.tzinfo
        found = await self.rows(panel, **chosen)
        return {(f"{time.astimezone(zone):%H:%M}", metric): number for time, metric, number in found if number}


@pytest.fixture
def board(told: FreshDatabase) -> Board:
    return Board(told)


@pytest.mark.real
@pytest.mark.parametrize(
    ("chosen", "numbers"),
    [
        ({}, (5, 3, 0.6, 30, 516)),  # 5, 20, 40 and 600 s; of room 4 nobody can say
        ({"hall": "一号馆"}, (3, 1, 1, 20, 38)),
        ({"city": "大连"}, (1, 1, 0, 600, 600)),
        ({"platform": "nginx_rtmp", "hall": "二号馆"}, (1, 1, 0, None, None)),
        ({"platform": "douyin"}, (0, 0, None, None, None)),
    ],
)
async def test_drops_of_the_span(board: Board, chosen: dict[str, str], numbers: tuple[float | None, ...]):
    (found,) = await board.rows("所选时段的断流", **chosen)
    assert tuple(None if number is None else round(float(number), 6) for number in found) == numbers


@pytest.mark.real
async def test_drops_over_time(board: Board):
    assert await board.counts("断流（按平台）") == {
        ("20:05", "nginx_rtmp"): 1, ("20:10", "nginx_rtmp"): 1, ("20:15", "nginx_rtmp"): 2, ("20:20", "wechat"): 1,
    }  # fmt: skip
    assert await board.counts("断流（按平台）", platform="wechat") == {("20:20", "wechat"): 1}
    assert await board.counts("断流（按场馆）") == {
        ("20:05", "二号馆"): 1, ("20:10", "一号馆"): 1, ("20:15", "一号馆"): 2,
    }  # fmt: skip
    assert await board.counts("断流（按场馆）", hall="二号馆") == {("20:05", "二号馆"): 1}
    assert await board.counts("断流（按城市）", city="大连") == {("20:20", "大连"): 1}
    assert await board.counts("恢复与断流未恢复") == {
        ("20:05", "断流未恢复"): 1, ("20:10", "已恢复"): 1, ("20:15", "已恢复"): 2, ("20:20", "断流未恢复"): 1,
    }  # fmt: skip
    assert await board.counts("断流依据") == {
        ("20:05", "平台报故障"): 1, ("20:10", "卡流"): 1, ("20:15", "推送通知"): 2, ("20:20", "查询状态"): 1,
    }  # fmt: skip
    assert await board.counts("断流依据", hall="一号馆", city="大连") == {}
    # A bar is as wide as the shortest way between points: two of each for 20:00, 20:05 ... 20:30.
    assert len(await board.rows("恢复与断流未恢复")) == 14


@pytest.mark.real
async def test_how_long_drops_last(board: Board):
    assert [number for _, number in await board.rows("断流时长分布")] == [1, 1, 1, 0, 0, 1, 0, 1]
    assert [number for _, number in await board.rows("断流时长分布", city="大连")] == [0, 0, 0, 0, 0, 1, 0, 0]


@pytest.mark.real
async def test_rooms_to_repair(board: Board):
    worst = await board.rows("最严重的十个直播间")
    told = [(row[4], *row[5:9]) for row in worst]  # room, drops, down, longest, lost hours
    assert told == [
        ("w2", 1, 600, 600, Decimal("16.7")),  # 100 x 600 s
        ("live/1", 3, 65, 40, Decimal("3.3")),  # 180 x 65 s = 3.25 h
        ("live/4", 1, None, None, None),
    ]
    assert [row[4] for row in await board.rows("最严重的十个直播间", city="沈阳")] == ["live/1", "live/4"]
    flapping = await board.rows("反复断流")
    assert [(row[3], row[4], row[5]) for row in flapping] == [("live/1", 3, 3)]
    assert await board.rows("反复断流", until=at(17)) == []  # two


@pytest.mark.real
async def test_shares_of_places(board: Board):
    halls = [(row[0], row[1], *map(float, row[2:6]), row[6]) for row in await board.rows("各场馆")]
    assert halls == [
        ("一号馆", 3, 6.22, 0.03611, 0.03458, 0.5, "一号馆"),  # 65 s of 1,800 down; 60 s of 1,735 blind
        ("二号馆", 1, 6.0, 0.0, 0.0, 0.2, "二号馆"),  # 2 x 300 s on air; how long room 4 was down nobody can say
    ]
    assert [row[3] for row in await board.rows("各场馆", hall="一号馆", platform="wechat")] == []
    cities = {row[0]: (row[1], float(row[3])) for row in await board.rows("各城市", until=at(25))}
    assert cities["大连"] == (1, 0.2)  # down since 20:20: until then 300 s of 1,500
    assert cities["沈阳"][0] == 4


INFO = {
    1: 'platform="p", hall="A", city="沈阳"', 2: 'platform="p", hall="A", city="大连"',
    3: 'platform="p", hall="B", city="沈阳"', 4: 'platform="q", hall="", city="沈阳"',
}  # fmt: skip
STATE_OF = {1: 1, 2: 4, 3: 1, 4: 1}
BITS_OF = {1: 400_000, 2: 100_000, 3: 500_000, 4: 6_000_000}  # 2 is lost: what it still shows is no stream
SERIES = {
    f'livemon_room_info{{{labels}, room="{number}", anchor="a"}}': "1x60" for number, labels in INFO.items()
} | {
    f'livemon_{name}{{platform="{INFO[number][10]}", room="{number}"}}': f"{value}x60"
    for name, values in (
        ("room_state", STATE_OF),
        ("room_bits_per_second", BITS_OF),
        ("room_expected", dict.fromkeys(STATE_OF, 0)),
    )
    for number, value in values.items()
}  # fmt: skip
EVERY = {"platform": ".*", "hall": ".*", "city": ".*"}


@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [
        ({}, [("断流未恢复", 1), ("断流", 0), ("看不见", 0), ("低码率", 1), ("直播间状态 直播中", 3),
              ("直播间状态 断流未恢复", 1),
              ("推流码率分布 0–0.5", 1), ("推流码率分布 0.5–1", 1), ("推流码率分布 1–2", 0), ("推流码率分布 ≥ 4", 1)]),
        ({"hall": "A"}, [("直播间状态 直播中", 1), ("断流未恢复", 1), ("低码率", 1), ("推流码率分布 ≥ 4", 0)]),
        ({"city": "沈阳"}, [("断流未恢复", 0), ("推流码率分布 0.5–1", 1), ("直播间状态 直播中", 3),
                             ("直播间状态 断流未恢复", 0)]),
        ({"platform": "q"}, [("断流未恢复", 0), ("低码率", 0), ("推流码率分布 ≥ 4", 1), ("直播间状态 直播中", 1)]),
        ({"hall": "C"}, [("断流未恢复", NOTHING), ("低码率", NOTHING)]),
    ],
)  # fmt: skip
def test_the_numbers_of_now(tmp_path: Path, chosen: dict[str, str], wanted: list[tuple[str, float | None]]):
    assert told_by(tmp_path, "health", SERIES, wanted, at_s=60, values=EVERY | chosen, rules=["recording"]) == ""
