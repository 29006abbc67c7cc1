"""Reads a table as people have it (CSV in their encoding, or a spreadsheet) into numbered rows under known columns."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

import msgspec
import python_calamine

from monitor.problem import Problem, of_file, quoted

Cell = str | int | float | bool | datetime | date | time | timedelta
"""What stands in one cell: text of a CSV; of a spreadsheet also what it made of the text."""

FILE_BYTES_MAX = 16 * 1024 * 1024
INFLATED_BYTES_MAX = 256 * 1024 * 1024
EXACT_INTEGER_MAX = 2**53  # from here on a spreadsheet's number no longer holds every integer
HEADER_ROWS_MAX = 10  # a title or two may stand above the header
EDGES = " \t\r\n\v\f\u00a0\u3000\u200b\u200c\u200d\u2060\ufeff"  # what pasting leaves around a value
FORMULA_STARTS = ("=", "+", "-", "@")
NOTE_COLUMNS = ("rejected_line", "rejected_reason")  # of our own F.rejected.csv: repaired, it is read as it is


class Row(msgspec.Struct, frozen=True):
    """One row that is not empty; `line` is where it begins in the file, or its row in the sheet."""

    line: int
    cells: dict[str, Cell]


class Table(msgspec.Struct, frozen=True):
    """What was read. `broken`: the file as a whole cannot be relied upon, and `rows` is empty."""

    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    problems: tuple[Problem, ...] = ()
    broken: bool = False


class Unreadable(Exception):
    """The file as a whole cannot be read: at which line, what is wrong, what to do."""

    def __init__(self, line: int, what: str, todo: str) -> None:
        super().__init__(what)
        self.line, self.what, self.todo = line, what, todo


Line = tuple[int, Sequence[Cell]]


def read_table(
    data: bytes,
    file: str,
    names: Mapping[str, str],
    required: Iterable[str],
    rows_max: int,
    shown: Callable[[str], str] = quoted,
) -> Table:
    """Read a file's bytes; `names` maps each heading people write (in lower case) to its column.

    `shown` is a value as a message may show it: of a file of secrets, not at all.
    """
    try:
        lines = _lines(data)
        line, header = _header(lines, names, required)
        columns = _columns(line, header, names, required, shown)
        return _rows(lines, file, columns, rows_max, shown)
    except Unreadable as error:
        return Table(problems=(Problem(file, error.line, error.what, error.todo),), broken=True)


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, or one more than `read_table` takes; ConfigError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        todo = "name a CSV or .xlsx file that livemon may read"
        raise of_file(path, f"cannot be read: {error.strerror}", todo) from error


def text_of(cell: Cell) -> str:
    """A cell as text, trimmed: integers as their digits, what a spreadsheet cannot hold exactly as it shows it."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, int) or (isinstance(cell, float) and cell.is_integer()):
        return f"{int(cell)}" if abs(cell) < EXACT_INTEGER_MAX else f"{cell:.5E}"
    text = cell.strip(EDGES) if isinstance(cell, str) else str(cell)
    return text[1:] if text.startswith("'") and _runs(text) else text  # see `guarded`


def guarded(text: str) -> str:
    """Text for a CSV that a spreadsheet may open: what it would run as a formula gets an apostrophe."""
    return f"'{text}" if _runs(text) else text


def _runs(text: str) -> bool:
    return text.lstrip("'").startswith(FORMULA_STARTS)


def _lines(data: bytes) -> Iterator[Line]:
    if len(data) > FILE_BYTES_MAX:
        raise Unreadable(1, f"the file is larger than {FILE_BYTES_MAX // 2**20} MB", "split it, and import the parts")
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return _sheet_lines(data)
    return _csv_lines(_decode(data))


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]  # Excel's "Unicode text"
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
    raise Unreadable(line, "this is neither UTF-8 nor GB18030 text", "save the file as CSV UTF-8 or as .xlsx")


def _csv_lines(text: str) -> Iterator[Line]:
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(",\t;", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begun = 1
    try:
        for cells in reader:
            yield begun, cells
            begun = reader.line_num + 1
    except csv.Error as error:
        what = f"not readable as CSV from here on ({error})"
        raise Unreadable(begun, what, "look for a lone double quote") from error


def _sheet_lines(data: bytes) -> Iterator[Line]:
    try:
        if data.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(data)) as parts:
                if sum(part.file_size for part in parts.infolist()) > INFLATED_BYTES_MAX:
                    raise Unreadable(1, "the spreadsheet inflates to over 256 MB", "save the one sheet as CSV UTF-8")
        with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            shown = [s.name for s in book.sheets_metadata if s.visible is python_calamine.SheetVisibleEnum.Visible]
            rows = book.get_sheet_by_name(shown[0]).to_python(skip_empty_area=False) if shown else []
    except (python_calamine.CalamineError, zipfile.BadZipFile) as error:
        todo = "open it and save it as .xlsx or CSV UTF-8, without a password"
        raise Unreadable(1, f"not readable as a spreadsheet ({error})", todo) from error
    yield from enumerate(rows, start=1)


def _heading(cell: Cell) -> str:
    return text_of(cell).casefold()


def _filled(cells: Iterable[Cell]) -> bool:
    return any(cell != "" and (not isinstance(cell, str) or cell.strip(EDGES)) for cell in cells)


def _header(lines: Iterator[Line], names: Mapping[str, str], required: Iterable[str]) -> Line:
    """The first row with all required columns, among the first few; else the first row that is not empty."""
    first: Line | None = None
    for line, cells in lines:
        if not _filled(cells):
            continue
        first = first or (line, cells)
        if set(required) <= {names.get(_heading(cell)) for cell in cells}:
            return line, cells
        if line >= HEADER_ROWS_MAX:
            break
    if first is None:
        known = ",".join(dict.fromkeys(names.values()))
        raise Unreadable(1, "the file is empty", f"its first row must name columns of {known}")
    return first


def _columns(
    line: int, header: Sequence[Cell], names: Mapping[str, str], required: Iterable[str], told: Callable[[str], str]
) -> list[str]:
    known = list(dict.fromkeys(names.values()))
    columns: list[str] = []
    for cell in header:
        shown, heading = text_of(cell), _heading(cell)
        column = heading if heading in NOTE_COLUMNS else names.get(heading, "")
        if heading and not column:
            raise Unreadable(line, f"unknown column {told(shown)}", f"remove it or use one of {','.join(known)}")
        if column and column in columns:
            raise Unreadable(line, f"column {column} stands twice, also as {told(shown)}", "remove one of them")
        columns.append(column)
    missing = [column for column in required if column not in columns]
    if missing:
        raise Unreadable(line, f"required column {','.join(missing)} is missing", "add it to the row of headings")
    return columns


def _rows(lines: Iterator[Line], file: str, columns: list[str], rows_max: int, shown: Callable[[str], str]) -> Table:
    rows: list[Row] = []
    problems: list[Problem] = []
    wanted = dict.fromkeys(column for column in columns if column and column not in NOTE_COLUMNS)
    for line, cells in lines:
        if not _filled(cells):
            continue
        if len(rows) >= rows_max:
            raise Unreadable(line, f"more than {rows_max:,} rows", "split the file, and import the parts")
        stray = [text_of(cell) for column, cell in _pairs(columns, cells) if not column and _filled([cell])]
        if stray:
            todo = "put a value that holds a comma in double quotes"
            problems.append(Problem(file, line, f"{shown(stray[0])} stands in no column", todo))
        rows.append(Row(line, {column: cell for column, cell in _pairs(columns, cells) if column in wanted}))
    return Table(tuple(wanted), tuple(rows), tuple(problems))


def _pairs(columns: Sequence[str], cells: Sequence[Cell]) -> Iterator[tuple[str, Cell]]:
    """Each cell with its column, "" for those that are under none; short rows are filled up."""
    for place in range(max(len(columns), len(cells))):
        yield columns[place] if place < len(columns) else "", cells[place] if place < len(cells) else ""
