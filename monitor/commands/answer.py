"""The rows of an answer, as a table for a terminal or as a file for a program that people use."""

import csv
import json
import sys
from collections.abc import Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Protocol, TextIO

from rich.cells import cell_len

from monitor.commands import CommandError

NULL = "∅"
ROWS_MAX = 10_000  # a table must be measured before it is printed; files have no such limit
CELL_MAX = 200
FORMULA_STARTS = "=+-@\t\r"


class Answer(Protocol):
    def columns(self, names: list[str]) -> None: ...
    def row(self, values: Sequence[object]) -> None: ...
    def finish(self) -> None: ...
    def discard(self) -> None: ...


def file_kinds() -> tuple[str, ...]:
    return (".csv", ".json")


class TableAnswer:
    """Aligned by what each character occupies on a screen: two cells for a Chinese one."""

    def __init__(self, zone: tzinfo, out: TextIO | None = None) -> None:
        self._zone = zone
        self._out = out or sys.stdout
        self._names: list[str] = []
        self._rows: list[list[str]] = []
        self._numeric: list[bool] = []
        self._more = 0

    def columns(self, names: list[str]) -> None:
        self._names = [shown(name) for name in names]
        self._numeric = [True] * len(names)

    def row(self, values: Sequence[object]) -> None:
        if len(self._rows) >= ROWS_MAX:
            self._more += 1
            return
        self._rows.append([NULL if value is None else shown(plain(value, self._zone)) for value in values])
        for place, value in enumerate(values):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float | Decimal)):
                self._numeric[place] = False

    def finish(self) -> None:
        widths = [max(map(cell_len, column)) for column in zip(self._names, *self._rows, strict=True)]
        print(self._line(self._names, widths, [False] * len(widths)), file=self._out)
        print("  ".join("─" * width for width in widths), file=self._out)
        for row in self._rows:
            print(self._line(row, widths, self._numeric), file=self._out)
        count = len(self._rows) + self._more
        print(f"({count} row{'' if count == 1 else 's'})", file=self._out)
        if self._more:
            print(f"the first {ROWS_MAX} of {count} rows; -o F.csv writes them all", file=sys.stderr)

    def discard(self) -> None:
        self._rows.clear()

    @staticmethod
    def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
        padded = []
        for cell, width, to_the_right in zip(cells, widths, right, strict=True):
            space = " " * (width - cell_len(cell))
            padded.append(space + cell if to_the_right else cell + space)
        return "  ".join(padded).rstrip()


class FileAnswer:
    """CSV (with BOM, so that Excel and WPS read Chinese; NULL is empty, an empty text is "") or JSON, row by row."""

    _file: TextIO

    def __init__(self, path: Path, zone: tzinfo) -> None:
        self._path = path
        self._zone = zone
        self._csv = path.suffix == ".csv"
        self._names: list[str] = []
        self._count = 0
        self._part = path.with_name(f".{path.name}.part")  # a file of the name itself is whole

    def columns(self, names: list[str]) -> None:
        if len(set(names)) < len(names) and not self._csv:
            raise CommandError("livemon: two columns have the same name: name them apart with AS")
        self._names = names
        encoding = "utf-8-sig" if self._csv else "utf-8"
        self._file = self._part.open("w", encoding=encoding, newline="", errors="backslashreplace")
        if self._csv:
            self._write_csv(names)
        else:
            self._file.write("[")

    def row(self, values: Sequence[object]) -> None:
        self._count += 1
        if self._csv:
            self._write_csv([_for_csv(value, self._zone) for value in values])
            return
        told = {name: _for_json(value, self._zone) for name, value in zip(self._names, values, strict=True)}
        self._file.write(f"{',' if self._count > 1 else ''}\n{json.dumps(told, ensure_ascii=False, allow_nan=False)}")

    def finish(self) -> None:
        if not self._csv:
            self._file.write("\n]\n")
        self._file.close()
        self._part.replace(self._path)
        print(f"{self._count} row{'' if self._count == 1 else 's'} in {self._path}", file=sys.stderr)

    def discard(self) -> None:
        """What is left of an answer that did not come to its end."""
        if hasattr(self, "_file"):
            self._file.close()
            self._part.unlink(missing_ok=True)

    def _write_csv(self, cells: Sequence[object]) -> None:
        csv.writer(self._file, quoting=csv.QUOTE_STRINGS, lineterminator="\r\n").writerow(cells)


def plain(value: object, zone: tzinfo) -> str:
    """A value as text: times in the event's zone with their offset, bytes as PostgreSQL writes them."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(zone).isoformat(" ")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, list | tuple):
        return "{" + ",".join(NULL if part is None else plain(part, zone) for part in value) + "}"
    return str(value)


def shown(text: str) -> str:
    """Texts come from strangers: what would move a cursor or change colours is spelled out, and long ones are cut."""
    safe = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return safe if len(safe) <= CELL_MAX else f"{safe[: CELL_MAX - 1]}…"


def guarded(text: str) -> str:
    """For a CSV: a text that a spreadsheet would run as a formula gets a ' before it."""
    return f"'{text}" if text and text[0] in FORMULA_STARTS else text


def _for_csv(value: object, zone: tzinfo) -> object:
    """Numbers bare and texts quoted."""
    if value is None or (isinstance(value, int | float | Decimal) and not isinstance(value, bool)):
        return value
    text = plain(value, zone)
    return guarded(text) if isinstance(value, str) else text


def _for_json(value: object, zone: tzinfo) -> object:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(zone).isoformat()
    if isinstance(value, list | tuple):
        return [_for_json(part, zone) for part in value]
    return plain(value, zone)
