"""`livemon spool`: the spool of a stopped monitor, how it stands, and a way out when it cannot be read."""

import argparse
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands import CommandError, add_config_option, load_config
from monitor.commands.answer import plain
from monitor.commands.table import print_table
from monitor.store.books import Standing
from monitor.store.disk import SpoolFull
from monitor.store.repair import repair
from monitor.store.salvage import LostBatch, Salvage
from monitor.store.spool import Spool

if TYPE_CHECKING:
    from monitor.commands import Commands

SHOWN_MAX = 50

EXAMPLES = """\
examples:
  livemon spool show        what a stopped monitor has yet to send, and its books
  livemon spool repair      after exit code 5: a new spool of all that can be read

The spool (落盘队列) is the file spool/spool.db under data_dir, through which every row goes on its way to PostgreSQL.
`livemon status` tells of it while the monitor runs; both commands here are for a monitor that is stopped, and end with
exit code 3 while one runs. Deliveries in it are encrypted; the folder keys beside it opens them: move both together.

repair reads the damaged file page by page and writes nothing to it. A damaged page costs what stood on that page.
The new spool keeps the old one's id, and with it the knowledge of what PostgreSQL has already: no row is written twice.
Batches whose bytes are gone are named; their rows go to the books as quarantined, so that the books balance. The old
file stays beside the new one as spool.db.damaged-TIME: keep it until you know that nothing is missing.
"""


def add(commands: "Commands") -> None:
    parser = commands.add_parser(
        "spool",
        help="what a stopped monitor has yet to send; the repair after exit code 5",
        description="The spool of a stopped monitor.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_action(actions, "show", _show, "what is yet to be sent, and the books")
    _add_action(actions, "repair", _repair, "make a new spool of all that can be read of a damaged one")


def _add_action(
    actions: "Commands", name: str, act: Callable[[argparse.Namespace, Path, tzinfo], int], does: str
) -> None:
    parser = actions.add_parser(name, help=does, description=f"{does[0].upper()}{does[1:]}.")
    add_config_option(parser)
    parser.set_defaults(act=act)


def run(args: argparse.Namespace) -> int:
    configured = load_config(args)
    folder = configured.data_dir / "spool"
    if not (folder / "spool.db").exists():
        raise CommandError(f"livemon spool: there is no spool in {folder}: nothing was sealed there yet")
    act: Callable[[argparse.Namespace, Path, tzinfo], int] = args.act
    return act(args, folder, configured.zone)


def _show(args: argparse.Namespace, folder: Path, zone: tzinfo) -> int:
    spool = Spool(folder)
    try:
        standing = spool.standing()
    finally:
        spool.close()
    print(f"spool {spool.id} in {folder}")
    for line in standing_lines(standing, zone):
        print(line)
    names = ("received", "written", "duplicates", "quarantined", "shed", "spooled", "reoffered", "lost", "difference")
    print_table(
        ["rows", *names],
        [[kind, *(getattr(book, name) for name in names)] for kind, book in standing.books.items()],
    )
    if any(book.difference for book in standing.books.values()):
        print("the books do not balance: keep this file, and report it", file=sys.stderr)
        return 1
    return 0


def standing_lines(standing: Standing, zone: tzinfo) -> Iterator[str]:
    if standing.frames_spooled:
        oldest = _local(standing.oldest_frame_at or 0.0, zone)
        yield f"{standing.frames_spooled:,} deliveries are kept and not yet read, the oldest of {oldest}"
        for feed, count in sorted(standing.frames.items()):
            yield f"  {feed}: {count.waiting:,} wait for the monitor, {count.pending:,} for an answer of the platform"
    if not standing.pending:
        if not standing.frames:
            yield "nothing waits: PostgreSQL has all of it"
        return
    batches = "1 batch waits" if standing.pending == 1 else f"{standing.pending:,} batches wait"
    yield f"{batches} for PostgreSQL: {standing.pending_bytes:,} bytes; the next start of the monitor sends them"
    if standing.oldest_sealed_at is not None:
        yield f"the oldest was sealed at {_local(standing.oldest_sealed_at, zone)}"


def _repair(args: argparse.Namespace, folder: Path, zone: tzinfo) -> int:
    try:
        told, kept = repair(folder, datetime.now(UTC))
    except SpoolFull as error:
        size = (folder / "spool.db").stat().st_size
        raise CommandError(
            f"livemon spool: {error}: the repair needs up to {size:,} bytes beside the old file"
        ) from error
    for line in salvage_lines(told, zone):
        print(line)
    print(f"the old file is kept as {kept}; now start the monitor")
    return 0


def salvage_lines(told: Salvage, zone: tzinfo) -> Iterator[str]:
    """What was kept, then what was lost, by batch number."""
    yield f"{told.pages:,} pages read, {told.damaged_pages:,} of them damaged"
    yield f"kept: {told.pending:,} batches that wait for PostgreSQL, the record of {told.applied:,} that it has"
    yield f"kept: the sessions of {told.sessions:,} rooms, and {told.rooms:,} rooms of the roster, which is read again"
    if told.accounts:
        yield f"kept: the tokens of {told.accounts:,} accounts; any other must be linked again (livemon account list)"
    if told.rebuilt:
        yield f"made anew from their own bytes: {_numbers(told.rebuilt)}; PostgreSQL tells which of them it has"
    if told.lost:
        yield f"lost, and quarantined in the books: {len(told.lost):,} batches that waited"
        yield from (f"  {_lost_line(batch, zone)}" for batch in told.lost[:SHOWN_MAX])
        if len(told.lost) > SHOWN_MAX:
            yield f"  and {_numbers([batch.seq for batch in told.lost[SHOWN_MAX:]])}"
    if told.nameless:
        yield f"lost with the record of their batches, and quarantined in the books: {_rows(told.nameless)}"
    if told.frames.kept:
        yield f"kept: {told.frames.kept:,} deliveries that nobody has read yet; the next start of the monitor does"
    if told.frames.lost:
        yield f"lost, and quarantined in the books: {len(told.frames.lost):,} deliveries that had been acknowledged"
    if not (told.lost or told.nameless or told.frames.lost):
        yield "no row that waited was lost"
    if told.books_lost:
        yield f"the books of {', '.join(told.books_lost)} were lost: they begin anew with what waits"
    if told.sessions_doubtful:
        yield "sessions may be missing: the next start reads the open ones from PostgreSQL before it watches"
    if told.id_lost:
        yield "the spool's id was lost, and it has a new one"


def _lost_line(batch: LostBatch, zone: tzinfo) -> str:
    return f"batch {batch.seq}: {_rows(batch.counts) or batch.kind}, sealed at {_local(batch.sealed_at, zone)}"


def _rows(counts: dict[str, int]) -> str:
    return ", ".join(f"{rows:,} {kind}{'' if rows == 1 else 's'}" for kind, rows in counts.items())


def _numbers(seqs: list[int]) -> str:
    """`batches 3, 7-9`."""
    runs: list[list[int]] = []
    for seq in sorted(seqs):
        if runs and seq == runs[-1][1] + 1:
            runs[-1][1] = seq
        else:
            runs.append([seq, seq])
    shown = ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs[:SHOWN_MAX])
    return f"batch{'' if len(seqs) == 1 else 'es'} {shown}{' ...' if len(runs) > SHOWN_MAX else ''}"


def _local(seconds: float, zone: tzinfo) -> str:
    return plain(datetime.fromtimestamp(seconds, UTC).replace(microsecond=0), zone)
