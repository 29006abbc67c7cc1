"""What is true of every ready question: two languages, a test, a limit in time, and no other day is read."""

import re
from pathlib import Path

import pytest

from tests.history.questions.asking import EDIT, QUERIES, edited, question
from tests.history.questions.market_evening import DAY, DAY_BEFORE, EVENING, THAT_DAY, Market
from tests.postgres import FreshDatabase
from tests.sql.stage import Sql
from tests.sql.test_pruning import explain

pytestmark = pytest.mark.real

CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"[A-Za-z]{2,}")
ALL = sorted(QUERIES.glob("*.sql"))
# They are about the present: of these views each row is a room, a slot or a platform as it is now.
NOW = {"room_now", "room_coverage", "expected_now", "event_pace"}


async def test_every_question_is_answered_unedited_and_with_headings_in_both_languages(reader: Sql):
    for path in ALL:
        statement = await reader.prepare(path.read_text())
        assert not statement.get_parameters(), f"{path.name}: a value is edited, not bound: livemon sql binds none"
        await statement.fetch()
        for attribute in statement.get_attributes():
            both = CHINESE.search(attribute.name) and ENGLISH.search(attribute.name)
            assert both, f"{path.name}: the column {attribute.name} is not headed in both languages"


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_every_question_says_what_it_asks_is_tested_and_limits_its_time(path: Path):
    text = path.read_text()
    first = text.splitlines()[0]
    assert re.match(r"-- [A-Z][^\u4e00-\u9fff]+[.] .*[\u4e00-\u9fff].*。$", first), (
        "its first line asks it in both languages"
    )
    tests = "".join(test.read_text() for test in Path(__file__).parent.glob("test_*.py"))
    assert f"def test_{path.stem}(" in tests
    assert f'"{path.stem}"' in tests
    relations = set(re.findall(r"\b(?:FROM|JOIN) ([a-z_]+)\b", text))
    in_time = "now() - interval" in text or {found["name"] for found in EDIT.finditer(text)} & {
        "day",
        "from_day",
        "session_id",
    }
    assert in_time or relations <= NOW


def test_there_are_at_least_twenty():
    assert len(ALL) >= 20


def test_a_value_that_no_line_has_is_an_error():
    with pytest.raises(AssertionError, match="no line to edit"):
        edited("WITH asked AS (\n    SELECT 1 AS day -- edit: a day\n) SELECT 1", dax="2")


DAY_QUESTIONS = sorted(path.stem for path in QUERIES.glob("*.sql") if "-- edit: DATE" in path.read_text())


@pytest.mark.parametrize("name", DAY_QUESTIONS)
async def test_no_other_day_is_read(evening_reader: Sql, name: str):
    """Of the partitioned observations; a question that reaches back says so in its days."""
    days = {"from_day": DAY_BEFORE, "to_day": THAT_DAY} if "AS from_day" in question(name) else {"day": THAT_DAY}
    plan = await explain(evening_reader, question(name, **days), analyze=True)
    read = {node.get("Relation Name", "") for node in plan if node.get("Actual Loops", 1)}
    parts = {part for part in read if part.startswith(("tick_raw_", "session_minute_"))}
    assert parts <= {f"{part}_{EVENING - n * DAY:%Y%m%d}" for part in ("tick_raw", "session_minute") for n in (0, 1)}


async def test_the_curve_reads_the_day_of_its_session(market: Market, database: FreshDatabase):
    reader = await database.connect("reader")
    query = question("session_curve", session_id=f"'{market.sessions['sph-1']}'::uuid")
    plan = await explain(reader, query, analyze=True)
    read = {node.get("Relation Name", "") for node in plan if node.get("Actual Loops", 1)}
    assert {part for part in read if part.startswith(("tick_raw_", "session_minute_"))} == {
        f"tick_raw_{EVENING:%Y%m%d}",
        f"session_minute_{EVENING:%Y%m%d}",
    }
    await reader.close()
