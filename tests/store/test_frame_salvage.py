"""Kept frames of a damaged spool: those whose bytes are whole are read again, the others are counted as lost."""

import random
import shutil
import time
from pathlib import Path

import pytest

from collectors.hook import Need
from monitor import cli
from monitor.store.books import Seal
from monitor.store.frame_table import BODY_S, Arrival
from monitor.store.repair import repair
from monitor.store.spool import Spool
from tests.store.test_frames import KEY
from tests.store.test_salvage import NOW, check_sound, leaves_of, overwrite, pages_of, rows_of

FRAMES = 300
DONE = range(1, 101)
QUARANTINED = range(101, 111)
PENDING = range(111, 151)
UNFINISHED = set(range(111, FRAMES + 1))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound") / "spool"
    spool, source = Spool(folder), random.Random(7)
    for number in range(FRAMES // 10):
        spool.frames.append(
            [
                Arrival(
                    "小店",
                    1_000 + source.random(),
                    source.randbytes(32),
                    KEY.encrypt(source.randbytes(source.randrange(100, 9_000))),
                    f"{number}:{place}",
                )
                for place in range(10)
            ]
        )
    spool.commit(Seal(frames=list(DONE[:50])))
    while spool.frames.prune(time.time() + BODY_S + 60):
        pass
    pending = [(seq, (Need("order.detail", str(seq), "小店"),)) for seq in PENDING]
    spool.commit(Seal(frames=list(DONE[50:]), frames_quarantined=list(QUARANTINED), frames_pending=pending))
    spool.close()
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sound, tmp_path / "spool")


def readable(folder: Path) -> dict[int, bytes]:
    """What the next start would read, decrypted."""
    spool = Spool(folder)
    try:
        return {frame.seq: KEY.decrypt(frame.body) for frame in spool.frames.waiting(0, 10_000, 1 << 30)}
    finally:
        spool.close()


def bodies_of(folder: Path) -> dict[int, bytes]:
    spool = Spool(folder)
    try:
        return {frame.seq: KEY.decrypt(frame.body) for frame in spool.frames.load(UNFINISHED)}
    finally:
        spool.close()


def test_frames_of_a_sound_spool_come_out_as_they_were(folder: Path) -> None:
    before, once, bodies = rows_of(folder, "frame"), rows_of(folder, "frame_once"), bodies_of(folder)
    told, _ = repair(folder, NOW)
    assert (told.frames.kept, told.frames.rebuilt, told.frames.lost) == (190, 0, [])
    check_sound(folder)
    after = rows_of(folder, "frame")
    assert {row[:6] for row in after} == {row[:6] for row in before}
    assert {row for row in after if row[6] != "waiting"} == {row for row in before if row[6] in ("done", "quarantined")}
    assert readable(folder) == bodies
    assert rows_of(folder, "frame_once") == once


@pytest.mark.parametrize("seed", range(6))
def test_a_broken_page_costs_the_frames_that_stand_on_it_and_no_other(folder: Path, seed: int) -> None:
    bodies = bodies_of(folder)
    source = random.Random(seed)
    pages = (folder / "spool.db").stat().st_size // 4096
    overwrite(folder, [source.randrange(2, pages) for _ in range(4)], source.randbytes)
    told, _ = repair(folder, NOW)
    check_sound(folder)
    found = readable(folder)
    assert found.items() <= bodies.items()
    book = Spool(folder)
    standing = book.standing()
    book.close()
    missing = len(UNFINISHED) - len(found)
    assert missing <= 80
    assert standing.books["frame"].spooled == len(found)
    if "frame" not in told.books_lost:
        assert standing.books["frame"].quarantined == len(QUARANTINED) + missing


@pytest.mark.parametrize("table", ["frame", "frame_body"])
def test_a_broken_root_costs_nothing(folder: Path, table: str) -> None:
    bodies = bodies_of(folder)
    overwrite(folder, pages_of(folder, table))
    repair(folder, NOW)
    check_sound(folder)
    assert readable(folder) == bodies


def test_a_destroyed_first_page_reads_nothing_twice(folder: Path) -> None:
    bodies = bodies_of(folder)
    overwrite(folder, [1])
    repair(folder, NOW)
    check_sound(folder)
    assert readable(folder) == bodies


def test_frames_whose_record_is_gone_are_made_anew_and_only_as_many_as_the_books_owe(folder: Path) -> None:
    bodies = bodies_of(folder)
    leaves = leaves_of(folder, "frame")
    overwrite(folder, leaves)
    told, _ = repair(folder, NOW)
    check_sound(folder)
    assert told.frames.rebuilt == told.frames.kept == 190
    assert readable(folder) == bodies


def test_the_commands_tell_of_frames(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = folder.parent / "livemon.toml"
    config.write_text('data_dir = "."\n')
    assert cli.main(["spool", "show", "--config", str(config)]) == 0
    told = capsys.readouterr().out
    assert "190 deliveries are kept and not yet read, the oldest of 1970-01-01 08:16:40+08:00" in told
    assert "  小店: 150 wait for the monitor, 40 for an answer of the platform" in told
    assert "nothing waits" not in told
    overwrite(folder, leaves_of(folder, "frame_body")[-1:])
    assert cli.main(["spool", "repair", "--config", str(config)]) == 0
    told = capsys.readouterr().out
    assert " deliveries that nobody has read yet; the next start of the monitor does" in told
    assert " deliveries that had been acknowledged" in told
    assert "no row that waited was lost" not in told
