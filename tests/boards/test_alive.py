"""No panel is dead: before an evening that runs, everything that boards ask comes back with something to draw."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.boards.alive import dead
from tests.boards.asked import asked_of
from tests.boards.draw import told_of
from tests.boards.macros import Chosen
from tests.boards.promtool import told_by
from tests.boards.running import Evening
from tests.boards.sources import POSTGRES, asked
from tests.boards.stage import NAMES, made

pytestmark = [pytest.mark.real, pytest.mark.slow]

HERE = Path(__file__).parent


class Excuse(NamedTuple):
    """Why a good evening shows nothing there, and the test that shows it something."""

    reason: str
    proof: str


FIVE_MINUTES = "a point stands for five whole minutes, so many are not over yet"
NOTHING_BAD = "an evening without it is a good one"
EXCUSED = {
    "duty 静默 A": Excuse("nobody has silenced anything", "test_duty.test_a_silence_is_one_row_with_all_that_it_hides"),
    "duty 无数据源的直播间 A": Excuse(NOTHING_BAD, "test_duty.test_what_nobody_can_see"),
    "feeds 不在名册的直播间 A": Excuse(NOTHING_BAD, "test_feeds.test_the_tables_are_those_of_the_story"),
    "feeds 需要处理的授权 A": Excuse(NOTHING_BAD, "test_feeds.test_the_tables_are_those_of_the_story"),
    "health 反复断流 A": Excuse("no room dropped three times", "test_health.test_rooms_to_repair"),
    "history 日结之后的变化 A": Excuse(
        "no day was cut yet", "test_history.test_days_as_they_were_cut_and_as_they_are_known_now"
    ),
    **{
        f"self 未成为新行的 {ref}": Excuse(NOTHING_BAD, "test_alive.test_rows_that_are_kept_out_are_drawn")
        for ref in "BCDE"
    },
    "self 落盘队列 B": Excuse(
        "its limit is drawn when half of it is reached",
        "test_itself.test_the_limit_of_the_spool_is_drawn_when_half_of_it_is_reached",
    ),
    "room 千次观看成交 GPM A": Excuse(
        "a server of our own counts no views", "test_room.test_numbers_and_sums_of_the_session"
    ),
    "wall 在线人数 A": Excuse(FIVE_MINUTES, "test_wall.test_curves_lie_above_each_other_by_the_time_of_day"),
    "wall 累计成交额 A": Excuse(FIVE_MINUTES, "test_wall.test_curves_lie_above_each_other_by_the_time_of_day"),
    "self 隔离中的数据 A": Excuse(NOTHING_BAD, "test_itself.test_what_postgresql_tells_of_itself"),
}


@pytest.mark.parametrize("name", NAMES)
async def test_everything_that_is_asked_has_an_answer(busy_evening: Evening, name: str):
    async with asked(busy_evening.addresses) as sources:
        chosen = {"room": Chosen(await told_of(sources))}
        found = {what: why async for what, why in dead(made("zh")[name], name, sources, chosen)}
    assert {what: why for what, why in found.items() if what not in EXCUSED or why != "nothing"} == {}


async def test_what_is_dead_is_named_with_its_reason(busy_evening: Evening):
    """A name of a metric that nobody writes, a label that nobody has, SQL that is refused or finds nothing."""
    asked_for = {
        "known": {"expr": "sum(livemon_rooms)"},
        "no metric": {"expr": "sum(livemon_romms)"},
        "no label": {"expr": 'sum(livemon_rooms{stat="live"})'},
        "not PromQL": {"expr": "sum(livemon_rooms"},
        "rows": {"rawSql": "SELECT 1 AS one", "format": "table"},
        "no rows": {"rawSql": "SELECT 1 AS one WHERE false", "format": "table"},
        "no table": {"rawSql": "SELECT * FROM livemon.rooms_now", "format": "table"},
        "not readable": {"rawSql": "SELECT * FROM tick_raw", "format": "table"},
        "backwards": {"rawSql": "SELECT now() - n * interval '1 s' AS time, n FROM generate_series(1, 3) AS n",
                      "format": "time_series"},
    }  # fmt: skip
    panels = [
        {"title": title, "targets": [{"refId": "A", **target}], "datasource": {"uid": POSTGRES}}
        for title, target in asked_for.items()
    ]
    async with asked(busy_evening.addresses) as sources:
        found = {what: why async for what, why in dead({"panels": panels}, "b", sources, {})}
    assert set(found) == {f"b {title} A" for title in asked_for if title not in ("known", "rows")}
    assert found["b no metric A"] == found["b no label A"] == found["b no rows A"] == "nothing"
    assert "permission denied" in found["b not readable A"]
    assert "ascending" in found["b backwards A"]


def test_rows_that_are_kept_out_are_drawn(tmp_path: Path):
    """One in each second, so 60 in a minute."""
    told = {"quarantined": "隔离", "shed": "主动丢弃", "reoffered": "重送", "lost": "遗失"}
    series = {f'livemon_{name}_total{{kind="sale"}}': "0+1x60" for name in told}
    wanted = [(f"未成为新行的 {words} {{{{kind}}}}", {'{kind="sale"}': 60}) for words in told.values()]
    assert told_by(tmp_path, "self", series, wanted, at_s=60) == ""


def test_excuses_name_what_is_asked_and_tests_that_are_there():
    names = {one.name for name in NAMES for one in asked_of(name, made("zh")[name])}
    assert set(EXCUSED) <= names
    for excuse in EXCUSED.values():
        module, _, function = excuse.proof.partition(".")
        assert re.search(rf"^(async )?def {function}\(", (HERE / f"{module}.py").read_text(), re.MULTILINE), excuse
