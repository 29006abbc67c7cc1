"""What can be exported by name, and how its rows travel: from one cursor, a batch at a time, into a file."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Protocol

import msgspec

from monitor.history.export_columns import Column, Columns, ExportError, Values
from monitor.history.export_window import Window
from monitor.store.db import Connection
from monitor.store.statements import SQL, statement

FOLDER = SQL / "export"
# What people call them -> the relation, which is also the name of its file in sql/export.
SHORT = {
    "sessions": "session_summary",
    "drops": "drop_log",
    "ticks": "viewer_tick",
    "sales": "sale_place",
    "items": "sale_item",
    "changes": "session_change",
    "blind": "feed_blind",
    "rooms": "room",
}
OF_TABLES = {"sale": "sale_place", "session": "session_summary"}  # who names the table means all that belongs to it
BATCH_ROWS = 5_000  # as many are in memory at a time


class Question(msgspec.Struct, frozen=True):
    """What is asked: the SQL, and the name of it that a sheet bears. `ours`: from sql/export, not somebody's own."""

    sql: str
    name: str
    ours: bool


class Table(Protocol):
    """A kind of file. What it makes beside its file is in the same folder."""

    def begin(self, columns: Sequence[Column]) -> None: ...
    def write(self, values: Sequence[Values]) -> None: ...
    def finish(self) -> list[str]:
        """The file is whole. What of it is not as PostgreSQL has it."""

    def discard(self) -> None: ...


def relations() -> dict[str, str]:
    """Each relation that can be exported, with what it is."""
    return {
        path.stem: path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("-- ")
        for path in sorted(FOLDER.glob("*.sql"))
    }


def question_of(name: str) -> Question | None:
    """The question for a relation or its short name; None where there is no such."""
    relation = (SHORT | OF_TABLES).get(name, name)
    return Question(statement(f"export/{relation}"), relation, True) if relation in relations() else None


async def event_window(connection: Connection) -> Window:
    """The event's own, as boards see it."""
    row = await connection.fetchrow(statement("history/event_window"))
    return Window() if row is None else Window(row["event_starts_at"], row["event_ends_at"])


async def counted(connection: Connection, asked: Question, window: Window, rows_max: int) -> int:
    """How many rows one of our own questions has; at most `rows_max` + 1 are counted."""
    inner = f"SELECT count(*) FROM (SELECT FROM (\n{asked.sql}\n) AS asked LIMIT {rows_max + 1}) AS row"  # noqa: S608
    prepared = await connection.prepare(inner)
    return int(await prepared.fetchval(*_arguments(prepared.get_parameters(), window)))


class Outcome(msgspec.Struct, frozen=True):
    rows: int
    bounded: bool  # by a window


async def stream(
    connection: Connection,
    asked: Question,
    window: Window,
    zone: tzinfo,
    table: Table,
    wrote: Callable[[int], object],
) -> Outcome:
    """All rows of the question into the table, inside a transaction that is there. The window is its $1 and $2, if any.

    Raises ExportError, and what PostgreSQL says.
    """
    prepared = await connection.prepare(asked.sql)
    parameters = [parameter.name for parameter in prepared.get_parameters()]
    if parameters not in ([], ["timestamptz", "timestamptz"]):
        raise ExportError("$1 and $2 of a question are the ends of the window, as timestamptz; it can have no others")
    if window.asked and not parameters and not asked.ours:
        raise ExportError("the question does not use the window: let it say at >= $1 AND at < $2")
    if not (attributes := prepared.get_attributes()):
        raise ExportError("this asks nothing: give one SELECT, TABLE, VALUES, SHOW or EXPLAIN")
    columns = Columns(attributes, zone, money_beside_minor=asked.ours)
    table.begin(columns.out)
    cursor = await prepared.cursor(*_arguments(parameters, window))
    rows = 0
    while batch := await cursor.fetch(BATCH_ROWS):
        table.write(columns.values(batch))
        rows += len(batch)
        wrote(rows)
    return Outcome(rows, bool(parameters))


def _arguments(parameters: Sequence[object], window: Window) -> tuple[datetime | None, ...]:
    return (window.from_at, window.to_at)[: len(parameters)]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write instead: in a folder beside it that goes in any case. At the end of the block the file is renamed.

    So a file of the name is whole, and a failure leaves what was there before. Raises ExportError where nothing can be
    written under this name.
    """
    if path.is_dir():
        raise ExportError(f"{path} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise ExportError(f"there is no folder {path.parent}")
    with tempfile.TemporaryDirectory(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent) as folder:
        inside = Path(folder) / path.name
        yield inside
        inside.replace(path)
