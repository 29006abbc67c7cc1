"""What a roster file says: its rooms, and every error in it as `file:line: what, and what to do`."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from re import compile as pattern

import msgspec

from monitor.problem import Problem, quoted
from monitor.table_file import Cell, Row, Table, read_table, text_of

COLUMNS = (
    "platform", "room", "anchor", "broadcaster", "hall", "city", "category", "tier", "fans", "contact", "shop",
    "account", "notes",
)  # fmt: skip
HEADINGS = {column: column for column in COLUMNS} | {
    "平台": "platform", "平台名称": "platform",
    "直播间": "room", "房间": "room", "房间号": "room", "直播间id": "room", "直播间号": "room", "external_id": "room",
    "昵称": "anchor", "主播昵称": "anchor", "账号昵称": "anchor",
    "主播": "broadcaster", "主播姓名": "broadcaster", "姓名": "broadcaster", "达人": "broadcaster",
    "场馆": "hall", "展馆": "hall", "城市": "city", "类目": "category", "品类": "category", "等级": "tier",
    "级别": "tier", "粉丝": "fans", "粉丝数": "fans", "粉丝量": "fans", "联系人": "contact", "店铺": "shop",
    "店铺id": "shop", "授权": "account", "账号": "account", "备注": "notes", "说明": "notes",
}  # fmt: skip

NAMES = frozenset({"anchor", "broadcaster", "hall", "city", "category", "notes"})
ROWS_MAX = 100_000
ID_CHARACTERS_MAX = 128
NAME_CHARACTERS_MAX = 256
FANS_MAX = 10**12
EXACT_DIGITS = 15  # of a number; a spreadsheet writes noughts for the rest
ROUNDED_DIGITS_MIN = 4  # so many noughts in all the long ids of a file are no chance

PLATFORM = pattern(r"[a-z0-9][a-z0-9_.-]*")
# Excel always writes the sign (1.23457E+18); without sign and point it may be a hexadecimal id (12e5).
SCIENTIFIC = pattern(r"[+-]?(\d+(\.\d+)?[eE][+-]\d+|\d+\.\d+[eE]\d+)")
OF_A_SPREADSHEET = pattern(r"\d+\.0+|#+|#(N/A|REF!|VALUE!|NAME\?|NUM!|DIV/0!|NULL!)")
TIERS = ("", *"123456789")
WHOLE = pattern(r"\d+|\d{1,3}(,\d{3})+")
IN_UNITS = pattern(r"(\d+(?:\.\d+)?)([万w亿])")
UNITS = {"万": 10**4, "w": 10**4, "亿": 10**8}
AS_TEXT = "format the column as text in Excel and paste the values again"

Key = tuple[str, str]


class Meaningless(ValueError):
    """What is wrong with a value, and what to do."""

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(what)
        self.what, self.todo = what, todo


class Listed(msgspec.Struct, frozen=True):
    """One room as a file lists it; `fields` holds only the columns that the file has."""

    line: int
    platform: str
    external_id: str
    fields: dict[str, str | int | None]

    @property
    def key(self) -> Key:
        return self.platform, self.external_id


class Rejected(msgspec.Struct, frozen=True):
    """One row with errors: as it stood, and its reasons."""

    row: Row
    reasons: tuple[str, ...]


class RosterFile(msgspec.Struct, frozen=True):
    """What a roster file says. `broken`: it cannot be relied upon as a whole. `notes` name what was mended."""

    columns: tuple[str, ...] = ()
    rooms: tuple[Listed, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    broken: bool = False


def read_roster_file(data: bytes, file: str) -> RosterFile:
    """Read the bytes of a roster file: CSV in UTF-8, GB18030 or UTF-16, or a spreadsheet. `file` is for messages."""
    table = read_table(data, file, HEADINGS, ("platform", "room"), ROWS_MAX)
    if table.broken:
        return RosterFile(problems=table.problems, broken=True)
    problems: list[Problem] = [*table.problems]
    notes: list[Problem] = []
    listed = [_listed(file, row, problems, notes) for row in table.rows]
    problems += [*_duplicates(file, listed), *_rounded(file, table.rows)]
    return _sorted_out(table, listed, problems, notes)


def _sorted_out(table: Table, listed: list[Listed], problems: list[Problem], notes: list[Problem]) -> RosterFile:
    reasons: defaultdict[int, list[str]] = defaultdict(list)
    for problem in problems:
        reasons[problem.line].append(f"{problem.what}; {problem.todo}")
    bad = [Rejected(row, tuple(reasons[row.line])) for row in table.rows if row.line in reasons]

    good = tuple(room for room in listed if room.line not in reasons)
    return RosterFile(table.columns, good, tuple(bad), tuple(sorted(problems)), tuple(notes))


def _listed(file: str, row: Row, problems: list[Problem], notes: list[Problem]) -> Listed:
    """Read one row; what is wrong is said in `problems`, what was mended in `notes`."""
    fields: dict[str, str | int | None] = {}
    for column, cell in row.cells.items():
        try:
            fields[column] = meaning(column, cell)
        except Meaningless as error:
            fields[column] = None
            problems.append(Problem(file, row.line, f"{column} {error.what}", error.todo))
            continue
        if column in NAMES and fields[column] != text_of(cell):
            todo = f"it was loaded without control characters, as at most {NAME_CHARACTERS_MAX} characters"
            notes.append(Problem(file, row.line, f"{column} {quoted(text_of(cell))} is no plain text", todo))
    platform, room = fields.pop("platform"), fields.pop("room")
    return Listed(row.line, str(platform or ""), str(room or ""), fields)


def meaning(column: str, cell: Cell) -> str | int | None:
    """What a cell means in this column; Meaningless says what is wrong."""
    text = text_of(cell)
    if column == "tier":
        return _tier(text)
    if column == "fans":
        return _fans(text)
    if column in NAMES:
        if column != "notes":
            _refuse_spreadsheet_damage(cell, text)
        return _name(text)
    if column == "room" and not text:
        raise Meaningless("is empty", "give the room's id as the platform shows it")
    if column == "platform" and not PLATFORM.fullmatch(text):
        raise Meaningless(f"{quoted(text)} is no platform", "write it as feeds do: wechat, doudian, nginx_rtmp ...")
    _refuse_spreadsheet_damage(cell, text)
    return _id(text)


def _refuse_spreadsheet_damage(cell: Cell, text: str) -> None:
    if isinstance(cell, bool | date | time | timedelta):
        raise Meaningless(f"{quoted(text)} is what a spreadsheet made of the value, not the value", AS_TEXT)
    if SCIENTIFIC.fullmatch(text):
        raise Meaningless(f"{quoted(text)} is what Excel leaves of a long number, its digits are lost", AS_TEXT)
    if OF_A_SPREADSHEET.fullmatch(text):
        raise Meaningless(f"{quoted(text)} is what a spreadsheet made of the value, not the value", AS_TEXT)


def _id(text: str) -> str:
    """An id is compared to the letter: nothing in it is mended."""
    if len(text) > ID_CHARACTERS_MAX:
        what = f"{quoted(text[:20] + '...')} is longer than {ID_CHARACTERS_MAX} characters"
        raise Meaningless(what, "is it in the right column?")
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            what = f"{quoted(text)} holds the invisible character U+{ord(character):04X}"
            raise Meaningless(what, "type the id anew")
        if "\uff01" <= character <= "\uff5e":
            what = f"{quoted(text)} holds the full-width character {quoted(character)}"
            raise Meaningless(what, "type the id in half width")
    return text


def _name(text: str) -> str:
    """A name is for people: it is made harmless and kept."""
    spaced = " ".join(text.replace("\t", "\n").split("\n")).replace("\r", "")
    clean = "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in spaced)
    return clean[:NAME_CHARACTERS_MAX].strip()


def _tier(text: str) -> int | None:
    digits = unicodedata.normalize("NFKC", text)
    if digits not in TIERS:
        raise Meaningless(f"{quoted(text)} is no tier", "give one digit from 1 to 9, or nothing")
    return int(digits) if digits else None


def _fans(text: str) -> int | None:
    """Fans as people write them: 12000, 12,000, 1.2万, 1.2w, 0.3亿, also in full width."""
    digits = unicodedata.normalize("NFKC", text).casefold()
    if not digits:
        return None
    fans = Decimal(-1)
    if WHOLE.fullmatch(digits):
        fans = Decimal(digits.replace(",", ""))
    elif found := IN_UNITS.fullmatch(digits):
        fans = Decimal(found[1]) * UNITS[found[2]]
    if not 0 <= fans <= FANS_MAX or fans != fans.to_integral_value():
        raise Meaningless(f"{quoted(text)} is no whole number of fans", "write 12000, 12,000 or 1.2万, or nothing")
    return int(fans)


def _duplicates(file: str, listed: Iterable[Listed]) -> Iterator[Problem]:
    first: dict[Key, int] = {}
    for room in listed:
        if room.platform and room.external_id and first.setdefault(room.key, room.line) != room.line:
            what = f"room {quoted(room.external_id)} of {room.platform} is listed at line {first[room.key]} already"
            yield Problem(file, room.line, what, "remove one of the two")


def _rounded(file: str, rows: Sequence[Row]) -> Iterator[Problem]:
    """Ids whose digits past the fifteenth are all noughts, in a file where all long ids are: Excel rounded them."""
    noughts = Counter[int]()
    ids = {row.line: text_of(row.cells["room"]) for row in rows}
    for line, text in ids.items():
        if text.isascii() and text.isdigit() and len(text) > EXACT_DIGITS:
            if text[EXACT_DIGITS:].strip("0"):
                return
            noughts[line] = len(text) - EXACT_DIGITS
    if noughts.total() >= ROUNDED_DIGITS_MIN:
        for line in noughts:
            what = f"room {quoted(ids[line])} was rounded by Excel, its last digits are lost"
            yield Problem(file, line, what, AS_TEXT)
