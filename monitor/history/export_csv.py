"""CSV of an export: as `livemon sql -o` writes it, instants in ISO 8601 with their offset."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from monitor.commands.answer import guarded
from monitor.history.export_columns import Column, Kind, Values


class CsvTable:
    """UTF-8 with BOM; NULL is empty and an empty text is ""; texts are quoted, numbers bare."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="", errors="backslashreplace")
        self._write = csv.writer(self._file, quoting=csv.QUOTE_STRINGS, lineterminator="\r\n")
        self._cells: list[Callable[[Any], object] | None] = []

    def begin(self, columns: Sequence[Column]) -> None:
        self._cells = [CELLS.get(column.kind) for column in columns]
        self._write.writerow([guarded(column.name) for column in columns])

    def write(self, values: Sequence[Values]) -> None:
        shown = [
            column if cell is None else [None if value is None else cell(value) for value in column]
            for cell, column in zip(self._cells, values, strict=True)
        ]
        self._write.writerows(zip(*shown, strict=True))

    def finish(self) -> list[str]:
        self._file.close()
        return []

    def discard(self) -> None:
        self._file.close()


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _iso(value: Any) -> str:
    return str(value.isoformat())


CELLS: dict[Kind, Callable[[Any], object]] = {
    "text": guarded,
    "flag": _flag,
    "date": _iso,
    "utc": _iso,
    "local": _iso,
}
