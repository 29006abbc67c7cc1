# ruff: noqa: F811 - fixtures are imported and asked for by their names
"""Every SQL of every board, as Grafana would send it, by the role it is sent as: it is answered, in a shape that panels
can draw, whatever is chosen and whatever rooms are called."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from grafana.boards.board import OPTIONS_MAX
from tests.boards.asked import Asked, asked_of, first_choices, opened_at
from tests.boards.macros import Chosen, Opened, sql_sent
from tests.boards.stage import Json, made
from tests.history.conftest import story, story_database, story_writer, told  # noqa: F401
from tests.history.story import Story, when
from tests.postgres import FreshDatabase
from tests.sql.stage import Sql

pytestmark = pytest.mark.real

NUMBERS = {"int2", "int4", "int8", "float4", "float8", "numeric"}
TIMES = {"timestamptz", *NUMBERS}  # Grafana takes seconds since 1970, too; without a zone it would take UTC
TEXTS = {"text", "varchar", "bpchar", "name"}
FEED = "hall-a"  # of the story; a variable by PromQL is not asked for here
WEIRD = 'O\'Brien "3" (a|b) [c] `$x` ${y} \\ % _ 『馆』; --'


async def choices(board: Json, sql: Sql, kind: str) -> Opened:
    """`all`: as it opens. `one`: of each variable one value. `weird`: every value there is, and a search for WEIRD."""
    opened = opened_at(board, datetime.now(UTC))._replace(from_at=when("D1 00:00"))
    chosen = dict(opened.chosen)
    async for name, choice in first_choices(board, opened, sql):
        chosen[name] = choice
    for variable in board["templating"]["list"] if kind != "all" else ():
        if variable["type"] == "textbox":
            chosen[variable["name"]] = Chosen(WEIRD if kind == "weird" else "林")
        elif variable.get("datasource", {}).get("type") == "prometheus":
            chosen[variable["name"]] = Chosen((FEED,) if variable.get("multi") else FEED, quoted=True)
        elif variable["type"] == "query" and (variable.get("multi") or variable.get("includeAll")):
            rows = await sql.fetch(sql_sent(variable["query"], opened._replace(chosen=chosen)))
            values = tuple(str(row["__value"] if "__value" in row else row[0]) for row in rows)
            values = values if kind == "weird" and variable.get("multi") else values[:1]
            if values:
                chosen[variable["name"]] = Chosen(values if variable.get("multi") else values[0], quoted=True)
    return opened._replace(chosen=chosen)


def wrong_shape(asked: Asked, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> str | None:
    """Of an answer; `columns`: name -> PostgreSQL's type."""
    if asked.what.startswith("$"):
        if not (set(columns) == {"__text", "__value"} or len(columns) == 1):
            return f"a variable of columns {list(columns)}"
        return f"{len(rows)} options" if len(rows) > OPTIONS_MAX else None
    if asked.what.startswith("@"):
        return None if columns.get("time") == "timestamptz" else "an annotation without its time"
    if len(set(columns)) < len(columns):
        return "two columns of one name"
    if asked.shape != "time_series":
        return None
    first, *others = columns
    if first != "time" or columns["time"] not in TIMES:
        return f"a time series begins with time, not {first} {columns[first]}"
    if not any(columns[name] in NUMBERS for name in others):
        return "a time series without a number"
    if odd := [name for name in others if columns[name] not in NUMBERS | TEXTS]:
        return f"columns that Grafana takes for neither numbers nor labels: {odd}"
    times = [row["time"] for row in rows]
    return None if times == sorted(times) else "not in the order of time"


async def problem(asked: Asked, opened: Opened, sql: Sql) -> str | None:
    try:
        prepared = await sql.prepare(sql_sent(asked.text, opened))
        plan = await prepared.explain()
        columns = {attribute.name: attribute.type.name for attribute in prepared.get_attributes()}
        if len(columns) < len(prepared.get_attributes()):
            return "two columns of one name"
        found = wrong_shape(asked, columns, await prepared.fetch())
        return found if found or plan else "no plan"
    except (ValueError, asyncpg.PostgresError) as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("kind", ["all", "one", "weird"])
async def test_every_sql_is_answered(story: Story, story_writer: Sql, story_database: FreshDatabase, kind: str):
    if kind == "weird":
        await story_writer.execute(
            "UPDATE room SET hall = $1, city = $1, anchor = $1, broadcaster = $1, category = $1,"
            " external_id = $1 || room_id",
            WEIRD,
        )
    roles = {role: await story_database.connect(role) for role in ("reader", "hall")}
    asked_count, problems = 0, []
    for name, board in made("zh").items():
        mine = list(asked_of(name, board))
        role = next((asked.role for asked in mine if asked.language == "sql"), "reader")
        opened = await choices(board, roles[role], kind)
        for asked in mine:
            if asked.language == "sql":
                asked_count += 1
                if (found := await problem(asked, opened, roles[asked.role])) is not None:
                    problems.append(f"{asked.name}: {found}")
    for sql in roles.values():
        await sql.close()
    assert not problems, "\n".join(problems)
    assert asked_count > 20


TIME, NUMBER, LABEL = ("time", "timestamptz"), ("n", "int8"), ("metric", "text")


@pytest.mark.parametrize(
    ("columns", "times", "wrong"),
    [
        ((TIME, NUMBER, LABEL), [1, 1, 2], None),
        ((TIME, NUMBER), [2, 1], "order"),
        ((("minute", "timestamptz"), NUMBER), [], "begins with time"),
        ((("time", "timestamp"), NUMBER), [], "begins with time"),
        ((TIME, LABEL), [], "without a number"),
        ((TIME, NUMBER, ("of", "interval")), [], "neither numbers nor labels"),
    ],
)
def test_a_wrong_shape_is_seen(columns: tuple[tuple[str, str], ...], times: list[int], wrong: str | None):
    found = wrong_shape(Asked("b", "p A", "sql", "", "time_series"), dict(columns), [{"time": at} for at in times])
    assert found is None if wrong is None else wrong in (found or "")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("SELECT now() AS time, 1 AS n", None),
        ("SELECT now() AS time, 1 AS n, 2 AS n", "two columns"),
        ("SELECT now() AS time, '1' || '' AS n", "without a number"),
        ("SELECT nothing FROM room", "UndefinedColumn"),
        ("SELECT 1 WHERE '$__nonsense' = ''", "NotUnderstood"),
        ("SELECT at AS time, viewers AS n FROM tick_raw", "InsufficientPrivilege"),
    ],
)
async def test_a_wrong_statement_is_seen(database: FreshDatabase, text: str, wrong: str | None):
    reader = await database.connect("reader")
    opened = Opened(datetime.now(UTC), datetime.now(UTC))
    found = await problem(Asked("b", "p A", "sql", text, "time_series"), opened, reader)
    await reader.close()
    assert found is None if wrong is None else wrong in (found or ""), found
