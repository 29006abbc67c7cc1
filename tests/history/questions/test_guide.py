"""docs/sql-guide.md: its examples run as livemon_reader, its names exist and are granted, no question is left out."""

import re
from pathlib import Path

import asyncpg
import pytest

from tests.history.questions.asking import QUERIES
from tests.sql.stage import Sql
from tests.test_words import test_no_other_word_is_used as no_other_word_is_used

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "sql-guide.md"
TEXT = GUIDE.read_text()


def section(name: str) -> str:
    return TEXT.split(f"## {name}\n")[1].split("\n## ")[0]


def test_every_question_is_in_the_guide_once_and_none_that_is_not():
    named = re.findall(r"`(\w+)`", section("Ready questions").split("| --- | --- |")[1].split("\n\n")[0])
    assert sorted(named) == sorted(path.stem for path in QUERIES.glob("*.sql"))


def test_its_words_are_those_of_the_house():
    no_other_word_is_used(GUIDE)


@pytest.mark.real
async def test_what_a_hall_may_ask(hall: Sql):
    told = section("Ready questions").split("It may ask:")[1]
    may = []
    for path in sorted(QUERIES.glob("*.sql")):
        try:
            await hall.fetch(path.read_text())
        except asyncpg.InsufficientPrivilegeError:
            continue
        may.append(path.stem)
    assert re.findall(r"`(\w+)`", told) == may


@pytest.mark.real
async def test_its_examples_run(reader: Sql):
    blocks = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)
    inline = re.findall(r'livemon sql "(SELECT .*?)"', TEXT)
    assert (len(blocks), len(inline)) == (2, 1)
    for query in [*blocks, *inline]:
        await reader.fetch(query)


@pytest.mark.real
async def test_its_relations_are_granted_and_its_columns_are_there(reader: Sql):
    table = section("Which view").split("| --- | --- | --- |")[1]
    rows = [line.split("|")[2:4] for line in table.splitlines() if line.startswith("| ")]
    for relations, limits in rows:
        names = [name for name in re.findall(r"`(\w+)[`(]", relations) if name not in ("ticks", "event_day")]
        assert all([await reader.fetchval("SELECT has_table_privilege($1, 'SELECT')", name) for name in names])
        found = await reader.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = ANY ($1::text[]::regclass[]) AND attnum > 0", names
        )
        assert set(re.findall(r"`(\w+)`", limits)) <= {row["attname"] for row in found}
    for function in ("ticks(timestamptz, timestamptz)", "event_day(date, timestamptz)", "day_starts_at(date)"):
        assert await reader.fetchval("SELECT has_function_privilege($1, 'EXECUTE')", function)
