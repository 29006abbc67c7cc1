"""What a file of sales or ticks holds, in lines for a person, and the rows of it that were refused, as CSV."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal

from collectors.money import DECIMALS
from collectors.tick import Sale
from monitor.import_file import Told
from monitor.roster_file import Rejected
from monitor.table_file import NOTE_COLUMNS, guarded, text_of

BOM = "\ufeff"


def summary_lines(told: Sequence[Told], zone: tzinfo) -> Iterator[str]:
    """How many rows, of which times, and what the sales of each kind add up to."""
    if not told:
        yield "no row to load"
        return
    rooms = {row.fact.room for row in told} - {None}
    first, last = (_local(at, zone) for at in (min(row.at for row in told), max(row.at for row in told)))
    yield f"{_counted(len(told), 'row')} of {_counted(len(rooms), 'room')}, from {first} to {last}"
    rows, sums = defaultdict[tuple[str, str], int](int), defaultdict[tuple[str, str], int](int)
    for row in told:
        if isinstance(row.fact, Sale):
            key = row.fact.kind, row.fact.currency or row.fact.coin or ""
            rows[key] += 1
            sums[key] += row.fact.amount_minor
    for (kind, unit), minor in sorted(sums.items()):
        major = Decimal(minor).scaleb(-DECIMALS.get(unit, 0))
        yield f"  {kind:9} {major:>18,} {unit} in {_counted(rows[kind, unit], 'row')}"


def rejected_csv(columns: Sequence[str], rejected: Sequence[Rejected]) -> bytes:
    """The refused rows as they stood, each with its line and its reasons; repaired, it is imported as it is."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*NOTE_COLUMNS, *columns])
    for bad in rejected:
        cells = (guarded(text_of(bad.row.cells.get(column, ""))) for column in columns)
        writer.writerow([bad.row.line, guarded(" | ".join(bad.reasons)), *cells])
    return (BOM + text.getvalue()).encode()


def _local(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
