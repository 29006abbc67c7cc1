"""`livemon export` run, its files read back, and what PostgreSQL says to the same question."""

import csv
import io
import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import openpyxl
from pyarrow import parquet

from monitor import cli
from tests.postgres import FreshDatabase, elsewhere

ZONE = ZoneInfo("Asia/Shanghai")
KINDS = ("csv", "parquet", "xlsx")
type Rows = list[dict[str, Any]]


def export(config: str, *arguments: str | Path) -> int:
    return cli.main(["export", "--config", config, *map(str, arguments)])


def ask(database: FreshDatabase, query: str, *arguments: object) -> list[asyncpg.Record]:
    async def fetch() -> list[asyncpg.Record]:
        connection = await database.connect("reader")
        try:
            return await connection.fetch(query, *arguments)
        finally:
            await connection.close()

    return elsewhere(fetch())


def write(database: FreshDatabase, query: str, *arguments: object) -> None:
    async def execute() -> None:
        connection = await database.connect("writer")
        try:
            await connection.execute(query, *arguments)
        finally:
            await connection.close()

    elsewhere(execute())


def read(file: Path) -> Rows:
    """The rows of a file, each value as its format has it."""
    if file.suffix == ".parquet":
        return [dict(row) for row in parquet.read_table(file).to_pylist()]
    if file.suffix == ".xlsx":
        rows = openpyxl.load_workbook(file).active.iter_rows(values_only=True)
        names = next(rows)
        return [dict(zip(names, map(unescaped, row), strict=True)) for row in rows]
    text = file.read_bytes().decode("utf-8")
    assert text.startswith("\ufeff")
    found = csv.reader(io.StringIO(text[1:], newline=""), quoting=csv.QUOTE_STRINGS)
    names = next(found)
    return [dict(zip(names, row, strict=True)) for row in found]


def unescaped(value: object) -> object:
    """ECMA-376 part 1, 22.4.2.4: what no XML can hold is written _xHHHH_. Spreadsheets decode it, openpyxl does not."""
    return re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), value) if isinstance(value, str) else value
