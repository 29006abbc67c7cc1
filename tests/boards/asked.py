"""Whatever a board asks of a data source, as its JSON has it, and the board as it is when somebody opens it."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg

from tests.boards.macros import SECONDS, Chosen, Opened, default_choice, sql_sent

type Json = dict[str, Any]

POINTS = 1000  # about as many as a panel is pixels wide: what Grafana divides the span by
NICE_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
HALL = "livemon-postgres-hall"


class Asked(NamedTuple):
    """`what`: the panel and its refId, `$variable` or `@annotation`; `language`: sql or promql."""

    board: str
    what: str
    language: str
    text: str
    shape: str = "table"  # of SQL: table or time_series
    instant: bool = False  # of PromQL: one value at the end of the span
    source: str = ""

    @property
    def name(self) -> str:
        return f"{self.board} {self.what}"

    @property
    def role(self) -> str:
        return "hall" if self.source == HALL else "reader"


def asked_of(name: str, board: Json) -> Iterator[Asked]:
    """Variables in their order, then panels, then annotations."""
    for variable in board.get("templating", {}).get("list", []):
        if variable.get("type") == "query":
            query = variable.get("query", "")
            text = query if isinstance(query, str) else query.get("query", "")
            source = variable.get("datasource", {})
            language = "promql" if source.get("type") == "prometheus" else "sql"
            yield Asked(name, f"${variable['name']}", language, text, source=source.get("uid", ""))
    for panel in panels_of(board):
        title = panel.get("title", "").replace("${purpose_mark}", "")
        for target in panel.get("targets", []):
            yield from _of_target(name, f"{title} {target.get('refId', '')}", target, panel)
    for annotation in board.get("annotations", {}).get("list", []):
        target = {"rawSql": annotation["rawQuery"]} if "rawQuery" in annotation else annotation.get("target", {})
        yield from _of_target(name, f"@{annotation['name']}", target, annotation)


def _of_target(name: str, what: str, target: Json, around: Json) -> Iterator[Asked]:
    source = (target.get("datasource") or around.get("datasource") or {}).get("uid", "")
    if isinstance(text := target.get("rawSql"), str):
        yield Asked(name, what, "sql", text, target.get("format", "table"), source=source)
    elif isinstance(text := target.get("expr"), str):
        yield Asked(name, what, "promql", text, instant=bool(target.get("instant")), source=source)


def panels_of(part: Json) -> Iterator[Json]:
    """Those inside rows, too."""
    for panel in part.get("panels", []):
        yield panel
        yield from panels_of(panel)


def opened_at(board: Json, now: datetime, chosen: Mapping[str, Chosen] | None = None) -> Opened:
    """As a board opens at first: its own span of time, and in each variable what is chosen when nobody chose, or
    `chosen`. A variable whose query gives its first value is left out: `first_choices` asks."""
    span, zone = board.get("time", {}), ZoneInfo(board.get("timezone") or "UTC")
    from_at = instant_of(span.get("from", "now-6h"), now, zone)
    to_at = instant_of(span.get("to", "now"), now, zone, end=True)
    defaults = {
        variable["name"]: choice
        for variable in board.get("templating", {}).get("list", [])
        if (choice := default_choice(variable)) is not None
    }
    wanted_s = (to_at - from_at).total_seconds() / POINTS
    step_s = next((nice for nice in NICE_S if nice >= wanted_s), NICE_S[-1])
    return Opened(from_at, to_at, defaults | dict(chosen or {}), timedelta(seconds=step_s))


def instant_of(written: str, now: datetime, zone: ZoneInfo, *, end: bool = False) -> datetime:
    """`now-6h`, `now/d`, `now-1d/d`: a whole day is meant, so `end` of one is its last millisecond.

    Raises:
        ValueError: other words of Grafana's, which no board of ours has.
    """
    found = re.fullmatch(r"now(?:-(\d+)([smhdw]))?(/d)?", written)
    if found is None:
        raise ValueError(f"an instant that is written {written}")
    at = now - timedelta(seconds=int(found[1]) * SECONDS[found[2]]) if found[1] else now
    if not found[3]:
        return at
    day = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=1, milliseconds=-1) if end else day


async def first_choices(board: Json, opened: Opened, sql: asyncpg.Connection) -> AsyncIterator[tuple[str, Chosen]]:
    """Of each variable by SQL without a choice of its own, in their order, the first that its query gives: one may ask
    with another's. A variable without any row is left out."""
    known = dict(opened.chosen)
    for variable in board.get("templating", {}).get("list", []):
        by_sql = variable.get("type") == "query" and variable.get("datasource", {}).get("type") != "prometheus"
        if variable["name"] in known or not by_sql:
            continue
        row = await sql.fetchrow(sql_sent(variable["query"], opened._replace(chosen=known)))
        if row is not None:
            value = str(row["__value"] if "__value" in row else row[0])
            several = bool(variable.get("multi"))
            known[variable["name"]] = Chosen(
                (value,) if several else value, several or bool(variable.get("includeAll"))
            )
            yield variable["name"], known[variable["name"]]
