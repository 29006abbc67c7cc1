"""xlsx of an export: cells that a spreadsheet takes for what they are, written row by row."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from monitor.history.export_columns import Column, ExportError, Kind, Values

# https://support.microsoft.com, "Excel specifications and limits"
SHEET_ROWS_MAX = 1_048_576
COLUMNS_MAX = 16_384
CELL_UNITS_MAX = 32_767  # of UTF-16
DIGITS_MAX = 15
YEARS = range(1900, 9999)  # 9999-12-31 rounds into a year that it does not know

SHEETS_MAX = 4  # beyond that no spreadsheet opens the file
ROWS_MAX = SHEETS_MAX * (SHEET_ROWS_MAX - 1)
TOO_MANY = (
    f"an xlsx holds at most {ROWS_MAX:,} rows ({SHEETS_MAX} sheets): ask for less time, or write .parquet or .csv"
)

WIDTHS: dict[Kind, int] = {"text": 18, "date": 11, "utc": 20, "local": 20, "flag": 8}
WIDTH = 12


class XlsxTable:
    """Ids and texts are texts, never formulas; numbers of more than 15 digits are texts, too, for a spreadsheet would
    round them. A sheet that is full is followed by another, up to SHEETS_MAX."""

    def __init__(self, path: Path, name: str, *, sheet_rows_max: int = SHEET_ROWS_MAX) -> None:
        options = {"constant_memory": True, "tmpdir": str(path.parent)}
        self._book = xlsxwriter.Workbook(path, options)
        self._book.use_zip64()
        self._name = name[:24]
        self._rows_max = sheet_rows_max
        self._columns: Sequence[Column] = ()
        self._cells: list[Callable[[int, int, Any], object]] = []
        self._sheet: Any = None
        self._sheets = self._row = self._cut = 0
        self._formats: dict[str, Any] = {}
        self._plain = self._book.add_format()

    def begin(self, columns: Sequence[Column]) -> None:
        if len(columns) > COLUMNS_MAX:
            raise ExportError(f"an xlsx holds at most {COLUMNS_MAX:,} columns")
        cells: dict[Kind, Callable[[int, int, Any], object]] = {
            **dict.fromkeys(("integer", "decimal", "money", "float"), self._number),
            **dict.fromkeys(("date", "utc", "local"), self._day),
            "flag": lambda row, place, value: self._sheet.write_boolean(row, place, value),
            "text": self._text,
        }
        self._columns = columns
        self._cells = [cells[column.kind] for column in columns]
        self._next_sheet()

    def write(self, values: Sequence[Values]) -> None:
        for row in zip(*values, strict=True):
            if self._row == self._rows_max:
                self._next_sheet()
            for place, value in enumerate(row):
                if value is not None:
                    self._cells[place](self._row, place, value)
            self._row += 1

    def finish(self) -> list[str]:
        try:
            self._book.close()
        except FileCreateError as error:
            raise OSError(*error.args[0].args) from error
        texts = f"{self._cut:,} texts were" if self._cut > 1 else "one text was"
        limit = f"{CELL_UNITS_MAX:,} characters that a cell of xlsx holds"
        return [f"{texts} longer than the {limit}, and cut; CSV and Parquet hold them whole"] if self._cut else []

    def discard(self) -> None:
        """Nothing: what was written is in the folder of the file, which goes."""

    def _next_sheet(self) -> None:
        if self._sheets == SHEETS_MAX:
            raise ExportError(TOO_MANY)
        self._sheets += 1
        self._sheet = self._book.add_worksheet(self._name if self._sheets == 1 else f"{self._name} {self._sheets}")
        self._sheet.freeze_panes(1, 0)
        for place, column in enumerate(self._columns):
            width = max(WIDTHS.get(column.kind, WIDTH), min(len(column.name) + 2, 40))
            self._sheet.set_column(place, place, width)
            self._text(0, place, column.name)
        self._row = 1

    def _text(self, row: int, place: int, text: str) -> None:
        fits = _fitting(text)
        self._cut += fits is not text
        if fits.startswith("<r>") and fits.endswith("</r>"):
            # XlsxWriter takes such a text for XML of its own and would write it as it is: whoever chose it could add
            # cells and formulas. In two runs it is escaped like any other.
            self._sheet.write_rich_string(row, place, "<", self._plain, fits[1:])
        else:
            self._sheet.write_string(row, place, fits)

    def _number(self, row: int, place: int, value: Any) -> None:
        if isinstance(value, float):
            exact = value - value == 0  # neither NaN nor an infinity
            look = "General"
        else:
            digits, exponent = _digits(value)
            exact = digits <= DIGITS_MAX
            look = "0" + ("." + "0" * -exponent if exponent < 0 else "")
        if exact:
            self._sheet.write_number(row, place, float(value), self._format(look))
        else:
            self._text(row, place, str(value))

    def _day(self, row: int, place: int, value: date | datetime) -> None:
        if value.year not in YEARS:
            self._text(row, place, value.isoformat())
        elif isinstance(value, datetime):
            look = self._format("yyyy-mm-dd hh:mm:ss")
            self._sheet.write_datetime(row, place, value.replace(tzinfo=None), look)
        else:
            self._sheet.write_datetime(row, place, value, self._format("yyyy-mm-dd"))

    def _format(self, look: str) -> Any:
        if look not in self._formats:
            self._formats[look] = self._book.add_format({"num_format": look})
        return self._formats[look]


def _digits(value: int | Decimal) -> tuple[int, int]:
    """How many digits it is written with, and its exponent; of NaN and infinities more than any cell holds."""
    if isinstance(value, int):
        return (1 if abs(value) < 10**DIGITS_MAX else DIGITS_MAX + 1), 0
    told = value.as_tuple()
    if not isinstance(told.exponent, int):
        return DIGITS_MAX + 1, 0
    return max(len(told.digits), -told.exponent), told.exponent


def _fitting(text: str) -> str:
    """The text itself, or as much of it as a cell holds, with … at its end."""
    if (
        len(text) <= CELL_UNITS_MAX // 2
        or len(units := text.encode("utf-16-le", "surrogatepass")) <= CELL_UNITS_MAX * 2
    ):
        return text
    return f"{units[: (CELL_UNITS_MAX - 1) * 2].decode('utf-16-le', 'ignore')}…"
