"""Prints a table in which Chinese text stands in line, on a terminal or into a file."""

import sys
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

FILE_COLUMNS_MAX = 10_000  # a file has no edge to wrap at


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Numbers to the right, everything else to the left; nothing in a cell is taken for markup."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    body = [list(row) for row in rows]
    for place, heading in enumerate(headings):
        number = bool(body) and all(isinstance(row[place], int) for row in body)
        table.add_column(Text(heading), justify="right" if number else "left", overflow="fold")
    for row in body:
        table.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else str(cell)) for cell in row))
    width = None if sys.stdout.isatty() else FILE_COLUMNS_MAX
    Console(file=sys.stdout, width=width, highlight=False, emoji=False, legacy_windows=False).print(table)
