"""A damaged spool: each broken page costs what stood on it, nothing else, and the books balance afterwards."""

import random
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor import cli
from monitor.facts import Change, FeedState, RosterRoom, Slot
from monitor.store.batch import FORMAT, Batch, Header, facts_batches, pack_ticks, ticks_batches
from monitor.store.books import Seal
from monitor.store.disk import SpoolLocked, SpoolUnreadable
from monitor.store.repair import MARKER, repair
from monitor.store.spool import Spool
from tests.store.way import add_rooms, connecting, heard_ticks, running, settled

PAGE = 4096
NOW = datetime(2026, 11, 24, 12, 0, 0, 250_000, tzinfo=UTC)
TABLES = ("about", "batch", "payload", "room_state", "feed_state", "room", "slot", "books", "sqlite_sequence")
BATCHES = 200
APPLIED = 100


def random_batch(source: random.Random) -> Batch:
    """Bytes that occur nowhere else, so that a page tells whose they are."""
    header = Header(FORMAT, uuid.UUID(int=source.getrandbits(128)), "ticks", NOW, {"tick": source.randrange(1, 600)})
    return Batch(header, source.randbytes(source.randrange(500, 30_000)))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spool of 200 batches, the first 100 of them applied, with rooms, slots, states and a feed; closed."""
    folder = tmp_path_factory.mktemp("sound") / "spool"
    spool, source = Spool(folder), random.Random(7)
    for number in range(BATCHES):
        batch = random_batch(source)
        change = Change("nginx_rtmp", f"live/房间{number}", NOW, 1, "opened", NOW, "status", source.randbytes(200))
        states = {("nginx_rtmp", change.room): change.state}
        feeds = {"hall-a": FeedState("hall-a", NOW)}
        parts = [batch] if number % 10 else [*facts_batches([change], NOW), batch]
        refs = spool.commit(Seal(parts, states, feeds))
        if number < APPLIED:
            done = [
                (ref.seq, {kind: (rows, 0, 0) for kind, rows in part.header.counts.items()})
                for ref, part in zip(refs, parts, strict=True)
            ]
            spool.commit(Seal(released=done))
    rooms = [RosterRoom(number, "nginx_rtmp", f"live/房间{number}", "主播") for number in range(1, 301)]
    spool.mirror(3, rooms, [Slot(number, NOW, NOW) for number in range(1, 301)])
    spool.learn_sessions({})
    spool.close()
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    """A copy of the spool, to be damaged."""
    return shutil.copytree(sound, tmp_path / "spool")


def rows_of(folder: Path, table: str) -> set[tuple[object, ...]]:
    connection = sqlite3.connect(folder / "spool.db")
    try:
        return set(connection.execute(f"SELECT * FROM {table}"))
    finally:
        connection.close()


def pages_of(folder: Path, name: str) -> list[int]:
    """The root page of a table."""
    connection = sqlite3.connect(folder / "spool.db")
    try:
        return [row[0] for row in connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (name,))]
    finally:
        connection.close()


def leaves_of(folder: Path, table: str) -> list[int]:
    """The pages below the root of a table whose tree is two pages high; the root itself if that is all there is."""
    [root] = pages_of(folder, table)
    raw = (folder / "spool.db").read_bytes()[(root - 1) * PAGE : root * PAGE]
    if raw[0] not in (2, 5):
        return [root]
    places = [int.from_bytes(raw[12 + 2 * n : 14 + 2 * n]) for n in range(int.from_bytes(raw[3:5]))]
    return [int.from_bytes(raw[at : at + 4]) for at in (*places, 8)]


def overwrite(folder: Path, numbers: list[int], what: Callable[[int], bytes] | None = None) -> None:
    what = what or random.Random(1).randbytes
    with (folder / "spool.db").open("r+b") as file:
        for number in numbers:
            file.seek((number - 1) * PAGE)
            file.write(what(PAGE))


def check_sound(folder: Path) -> None:
    """SQLite finds nothing wrong, the books balance, every batch on its way can be loaded."""
    assert rows_of(folder, "pragma_integrity_check") == {("ok",)}
    spool = Spool(folder)
    try:
        assert {kind: book.difference for kind, book in spool.standing().books.items()} == dict.fromkeys(
            ("frame", "tick", "sale", "change"), 0
        )
        for ref in spool.pending():
            assert spool.load(ref.seq).header.kind == ref.kind
    finally:
        spool.close()


def test_a_sound_spool_comes_out_as_it_was(folder: Path) -> None:
    before = {table: rows_of(folder, table) for table in TABLES}
    told, kept = repair(folder, NOW)
    assert (told.pending, told.applied, told.lost, told.rebuilt) == (110, 110, [], [])
    assert (told.damaged_pages, told.nameless, told.sessions_doubtful, told.id_lost) == (0, {}, False, False)
    after = {table: rows_of(folder, table) for table in TABLES}
    assert before["about"] - after["about"] == {("roster_version", 3)}
    before.pop("about")
    assert {table: after[table] for table in before} == before
    assert kept.name == "spool.db.damaged-20261124T120000Z"
    assert (folder / "spool.db").stat().st_mode & 0o777 == 0o600
    check_sound(folder)


@pytest.mark.parametrize("torn", ["nowhere", "between two frames", "inside a frame", "a byte that turned"])
def test_the_log_is_read_as_far_as_sqlite_itself_would_read_it(sound: Path, tmp_path: Path, torn: str) -> None:
    at_work = shutil.copytree(sound, tmp_path / "work")
    spool, source = Spool(at_work), random.Random(8)
    batches = [random_batch(source) for _ in range(20)]
    spool.commit(Seal(batches[:10]))
    log = at_work / "spool.db-wal"
    first = log.stat().st_size
    spool.commit(Seal(batches[10:]))
    crashed = shutil.copytree(at_work, tmp_path / "spool")  # as a power cut leaves it: nothing is played into the file
    spool.close()
    raw = bytearray((crashed / "spool.db-wal").read_bytes())
    if torn == "a byte that turned":
        raw[first + 5 * (PAGE + 24) + 1000] ^= 1
    cut = {"between two frames": first + 5 * (PAGE + 24), "inside a frame": first + 5 * (PAGE + 24) + 99}
    (crashed / "spool.db-wal").write_bytes(raw[: cut.get(torn)])
    by_sqlite = {row[1] for row in rows_of(shutil.copytree(crashed, tmp_path / "asked"), "batch")}
    kept = batches if torn == "nowhere" else batches[:10]
    assert {batch.header.id.bytes for batch in batches} & by_sqlite == {batch.header.id.bytes for batch in kept}
    told, old = repair(crashed, NOW)
    assert (told.pending, told.lost, told.nameless) == (110 + len(kept), [], {})
    assert {row[1] for row in rows_of(crashed, "batch")} == by_sqlite
    assert not (crashed / "spool.db-wal").exists()
    assert Path(f"{old}-wal").read_bytes() == raw[: cut.get(torn)]
    check_sound(crashed)


@pytest.mark.parametrize("seed", range(12))
def test_a_broken_page_costs_the_batches_that_stand_on_it_and_no_other(folder: Path, seed: int) -> None:
    source = random.Random(seed)
    raw = (folder / "spool.db").read_bytes()
    count = len(raw) // PAGE
    broken = [source.randrange(count // 4, count * 3 // 4) for _ in range(1 + seed % 3)]
    starts = [(page - 1) * PAGE for page in broken]
    starts = [start for start in starts if raw[start] not in (2, 10)]  # states, which facts tell, too, stand there
    slices = [raw[at : at + 48] for start in starts for at in range(start, start + PAGE - 48, 24)]
    before = {row[0]: row for row in rows_of(folder, "payload")}
    owners = [[seq for seq, row in before.items() if piece in row[2]] for piece in slices if any(piece)]
    hit = {seq for seqs in owners for seq in seqs if len(seqs) == 1}  # what stands in several tells of none
    waiting = {row[0] for row in rows_of(folder, "batch") if row[5] == "pending"}
    overwrite(folder, broken, source.randbytes if seed % 2 else bytes)
    told, _ = repair(folder, NOW)
    after = {row[0]: row for row in rows_of(folder, "payload")}
    assert set(before) - set(after) == hit
    assert all(before[seq] == row for seq, row in after.items())
    assert {batch.seq for batch in told.lost} == hit & waiting
    again = set(told.rebuilt) - waiting  # of which the record was lost: PostgreSQL tells that it has them
    assert (told.pending, told.nameless) == (110 - len(hit & waiting) + len(again), {})
    assert 0 <= told.damaged_pages <= len(broken)  # zeros in a page that ends a long row tell by its checksum alone
    check_sound(folder)


@pytest.mark.parametrize("table", ["payload", "batch"])
def test_a_broken_root_costs_nothing(folder: Path, table: str) -> None:
    assert len(leaves_of(folder, table)) > 1
    before = rows_of(folder, table)
    overwrite(folder, pages_of(folder, table))
    told, _ = repair(folder, NOW)
    assert rows_of(folder, table) == before
    assert (told.lost, told.damaged_pages) == ([], 1)
    check_sound(folder)


def test_a_destroyed_first_page_costs_nothing(folder: Path) -> None:
    before = {table: rows_of(folder, table) for table in TABLES[1:]}
    overwrite(folder, [1], bytes)
    with pytest.raises(SpoolUnreadable, match="livemon spool repair"):
        Spool(folder)
    told, _ = repair(folder, NOW)
    assert {table: rows_of(folder, table) for table in TABLES[1:]} == before
    assert not told.id_lost
    check_sound(folder)


def test_batches_whose_record_is_gone_are_made_anew_and_still_wait_or_are_asked_for(folder: Path) -> None:
    """The books say how many rows wait: by that the newest ones do. The others are offered again, and move nothing."""
    waiting = sum(row[8] for row in rows_of(folder, "batch") if row[5] == "pending")
    overwrite(folder, leaves_of(folder, "batch"))
    told, _ = repair(folder, NOW)
    assert len(told.rebuilt) == 220
    assert (told.pending, told.applied, told.lost, told.nameless) == (220, 0, [], {})
    spool = Spool(folder)
    books = spool.standing().books
    spool.close()
    assert books["tick"].spooled == waiting
    assert books["tick"].quarantined == 0
    check_sound(folder)


def test_rows_of_batches_that_nobody_can_name_are_quarantined_to_the_unit(folder: Path) -> None:
    last = max(row[0] for row in rows_of(folder, "batch"))
    rows = next(row[8] for row in rows_of(folder, "batch") if row[0] == last)
    connection = sqlite3.connect(folder / "spool.db")
    connection.executescript(f"DELETE FROM batch WHERE seq = {last}; DELETE FROM payload WHERE seq = {last}")
    connection.close()
    told, _ = repair(folder, NOW)
    assert told.nameless == {"tick": rows}
    check_sound(folder)


def test_lost_books_begin_anew_with_what_waits(folder: Path) -> None:
    overwrite(folder, pages_of(folder, "books"))
    told, _ = repair(folder, NOW)
    assert told.books_lost == ["frame", "tick", "sale", "change"]
    check_sound(folder)


def test_a_lost_state_is_read_from_the_newest_change_of_its_room(folder: Path) -> None:
    before = {row[1]: row[2] for row in rows_of(folder, "room_state")}
    overwrite(folder, leaves_of(folder, "room_state"))
    told, _ = repair(folder, NOW)
    after = {row[1]: row[2] for row in rows_of(folder, "room_state")}
    assert told.sessions_doubtful
    assert {f"live/房间{number}" for number in range(0, BATCHES, 10)} <= set(after)
    assert all(before[room] == state for room, state in after.items())
    spool = Spool(folder)
    assert not spool.knows_sessions  # PostgreSQL is asked for the others
    spool.close()


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + bytes(8176), bytes(range(256)) * 64])
def test_what_is_no_spool_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "spool.db").write_bytes(content)
    with pytest.raises(SpoolUnreadable, match=r"nothing of a spool is found.*left as it is.*move the folder"):
        repair(tmp_path, NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["spool.db"]
    assert (tmp_path / "spool.db").read_bytes() == content


def test_a_spool_of_a_later_release_is_left_as_it_is(folder: Path) -> None:
    connection = sqlite3.connect(folder / "spool.db")
    connection.executescript("UPDATE about SET value = 4 WHERE name = 'format'")
    connection.close()
    before = (folder / "spool.db").read_bytes()
    with pytest.raises(SpoolUnreadable, match="later release"):
        repair(folder, NOW)
    assert (folder / "spool.db").read_bytes() == before


def test_a_repair_that_was_cut_off_is_never_mistaken_for_a_spool(folder: Path) -> None:
    (folder / "spool.db").write_bytes(MARKER)
    with pytest.raises(SpoolUnreadable):
        Spool(folder)
    with pytest.raises(SpoolUnreadable, match="interrupted at its last step"):
        repair(folder, NOW)


def test_a_spool_in_use_is_not_touched(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = folder.parent / "livemon.toml"
    config.write_text('data_dir = "."\n')
    code = "import sys\nfrom pathlib import Path\nfrom monitor.store.spool import Spool\n"
    code += "spool = Spool(Path(sys.argv[1]))\nprint('open', flush=True)\nsys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdin=-1, stdout=-1, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(SpoolLocked, match="stop it before the repair"):
            repair(folder, NOW)
        for action in ("repair", "show"):
            assert cli.main(["spool", action, "--config", str(config)]) == 3
            assert "is in use by" in capsys.readouterr().err
    finally:
        holder.communicate("")
    assert cli.main(["spool", "repair", "--config", str(config)]) == 0


def test_the_commands_tell_what_waits_and_what_was_lost(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = folder.parent / "livemon.toml"
    config.write_text('data_dir = "."\n')
    assert cli.main(["spool", "show", "--config", str(config)]) == 0
    told = capsys.readouterr().out
    assert "110 batches wait for PostgreSQL: " in told
    assert "the oldest was sealed at 2026-11-24 20:00:00+08:00" in told
    overwrite(folder, leaves_of(folder, "payload")[-1:])
    assert cli.main(["spool", "repair", "--config", str(config)]) == 0
    told = capsys.readouterr().out
    assert "lost, and quarantined in the books: " in told
    assert "  batch 220: " in told
    assert "spool.db.damaged-" in told
    shutil.rmtree(folder)
    assert cli.main(["spool", "show", "--config", str(config)]) == 1
    assert "there is no spool in" in capsys.readouterr().err


@pytest.mark.real
async def test_a_repaired_spool_writes_no_row_twice_and_none_that_waited_is_missing(database, tmp_path: Path) -> None:
    rooms = await add_rooms(database, 50)
    folder = tmp_path / "spool"
    async with running(folder, connecting(database)) as store:
        for _ in range(4):
            store.inbox.put(heard_ticks(rooms))
            await settled(store)
    now = datetime.now(UTC)
    spool = Spool(folder)
    for viewers in range(3):
        heard = heard_ticks(rooms, now, viewers)
        spool.commit(Seal([*ticks_batches([pack_ticks(heard.ticks, now)], now)]))
    spool.close()
    overwrite(folder, leaves_of(folder, "batch"))
    told, _ = repair(folder, now)
    assert len(told.rebuilt) == 7
    async with running(folder, connecting(database)) as store:
        await settled(store)
        book = store.sealer.standing.books["tick"]
    assert (book.received, book.written, book.quarantined, book.difference) == (350, 350, 0, 0)
    conn = await database.connect("owner")
    assert await conn.fetchval("SELECT count(*) FROM tick_raw") == 350
    assert await conn.fetchval("SELECT count(*) FROM applied_batch") == 7
    await conn.close()
