"""Asks a ready question of sql/queries as livemon_reader, with its marked lines edited as a person would."""

import re
from pathlib import Path
from typing import Any

from tests.sql.stage import Sql

QUERIES = Path(__file__).resolve().parents[3] / "sql" / "queries"
EDIT = re.compile(r"^(?P<before> +(?:SELECT )?)(?P<value>.+?) AS (?P<name>\w+)(?P<after>,? -- edit: .*)$", re.MULTILINE)

type Rows = list[dict[str, Any]]


def edited(query: str, **values: str) -> str:
    """The text with the value of each line marked `-- edit` replaced by this SQL."""
    left = dict(values)

    def line(found: re.Match[str]) -> str:
        value = left.pop(found["name"], found["value"])
        return f"{found['before']}{value} AS {found['name']}{found['after']}"

    text = EDIT.sub(line, query)
    assert not left, f"there is no line to edit for {sorted(left)}"
    return text


def question(name: str, **values: str) -> str:
    return edited((QUERIES / f"{name}.sql").read_text(), **values)


async def ask(reader: Sql, name: str, **values: str) -> Rows:
    return [dict(row) for row in await reader.fetch(question(name, **values))]


def columns(rows: Rows, *english: str) -> list[tuple[Any, ...]]:
    """Of each row the columns with these headings, by the English half of each."""
    found = [tuple(_at(row, heading) for heading in english) for row in rows]
    return [tuple(str(cell) if hasattr(cell, "as_tuple") else cell for cell in row) for row in found]


def _at(row: dict[str, Any], english: str) -> Any:
    (heading,) = [heading for heading in row if heading.split(" ", 1)[-1] == english]
    return row[heading]
