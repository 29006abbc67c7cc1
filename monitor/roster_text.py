"""Tells people about the roster: a change as lines, the roster and rejected rows as CSV that a spreadsheet opens."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from monitor.facts import RosterRoom
from monitor.roster_file import COLUMNS, RosterFile
from monitor.roster_plan import Move, Plan, totals
from monitor.table_file import NOTE_COLUMNS, guarded, text_of

BOM = "\ufeff"  # without it Excel takes UTF-8 for the machine's own encoding
EXCEL_DIGITS_MAX = 11  # longer numbers it shows, and saves, as 1.23457E+18


def change_lines(plan: Plan, shown_max: int | None) -> Iterator[str]:
    """Room by room, the first so many of each sort."""
    for sign, moves in (("+", plan.added), ("~", plan.changed), ("-", plan.retired)):
        for move in moves[:shown_max]:
            room = move.after
            told = _differences(move) if sign == "~" else room.anchor
            yield f"{sign} {room.platform} {room.external_id}  {told}".rstrip()
        if shown_max is not None and len(moves) > shown_max:
            yield f"{sign} ... and {len(moves) - shown_max:,} more (--all shows them)"


def count_line(plan: Plan) -> str:
    return (
        f"{len(plan.added):,} added, {len(plan.changed):,} changed, {len(plan.retired):,} retired, "
        f"{plan.unchanged:,} unchanged"
    )


def totals_line(rooms: Sequence[RosterRoom]) -> str:
    """The roster in one line; people and their fans are counted once, in however many rooms they are."""
    counts = totals(rooms)
    platforms = ", ".join(f"{platform} {number:,}" for platform, number in counts.rooms.items()) or "none"
    return (
        f"roster: {sum(counts.rooms.values()):,} active rooms ({platforms}), "
        f"{counts.broadcasters:,} broadcasters, {counts.fans:,} fans"
    )


def export_csv(rooms: Iterable[RosterRoom], for_excel: bool = False) -> bytes:
    """The active rooms; imported again, nothing changes. `for_excel`: a tab keeps it from taking ids for numbers."""
    rows = []
    for room in sorted((room for room in rooms if room.active), key=lambda room: (room.platform, room.external_id)):
        fields = msgspec.structs.asdict(room) | {"room": room.external_id}
        texts = ["" if fields[column] is None else guarded(str(fields[column])) for column in COLUMNS]
        rows.append([_kept(text) for text in texts] if for_excel else texts)
    return _csv(COLUMNS, rows)


def rejected_csv(file: RosterFile) -> bytes:
    """The rows with errors as they stood, with their lines and reasons; repaired, it can be imported as it is."""
    rows = [
        [str(bad.row.line), " | ".join(bad.reasons)]
        + [guarded(text_of(bad.row.cells.get(column, ""))) for column in file.columns]
        for bad in file.rejected
    ]
    return _csv([*NOTE_COLUMNS, *file.columns], rows)


def _differences(move: Move) -> str:
    before, after = (msgspec.structs.asdict(room) for room in (move.before, move.after) if room is not None)
    return ", ".join(
        f"{name} {_shown(before[name])} -> {_shown(after[name])}" for name in after if before[name] != after[name]
    )


def _shown(value: object) -> str:
    return "(nothing)" if value in ("", None) else str(value)


def _kept(text: str) -> str:
    number = text.isascii() and text.isdigit()
    return f"\t{text}" if number and (len(text) > EXCEL_DIGITS_MAX or text.startswith("0")) else text


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return (BOM + text.getvalue()).encode()
