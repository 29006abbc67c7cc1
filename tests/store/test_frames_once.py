"""A delivery that names itself by its content is kept once, however often it comes; others each time."""

from datetime import UTC, datetime
from pathlib import Path

from monitor.store.cipher import Cipher
from monitor.store.frames import arrival
from monitor.store.spool import Spool

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = Cipher([bytes(32)])
DAY_S = 86_400.0


def counts(spool: Spool) -> tuple[int, int]:
    """Frames that wait, frames that were received."""
    standing = spool.standing()
    return standing.frames_spooled, standing.books["frame"].received


def test_it_is_kept_once_in_one_group_in_another_and_after_a_restart(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    hours = spool.unlock(KEY)
    same = [arrival(hours, "mcn", b"rows", AT, AT, "file-1") for _ in range(3)]
    first, second, third = spool.frames.append(same)
    assert first == second == third
    assert spool.frames.append(same[:1]) == [first]
    spool.close()
    spool = Spool(tmp_path)
    assert spool.frames.append(same) == [first] * 3
    assert counts(spool) == (1, 1)
    assert not spool.standing().books["frame"].difference
    spool.close()


def test_other_names_other_feeds_and_what_has_no_name_are_kept_each_time(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    hours, told = spool.unlock(KEY), [("a", "1"), ("a", "2"), ("b", "1"), ("a", "")]
    named = [arrival(hours, feed, b"rows", AT, AT, name) for feed, name in told]
    seqs = spool.frames.append([*named, named[-1]])
    assert len(set(seqs)) == 5
    assert counts(spool) == (5, 5)
    spool.close()


def test_its_name_is_forgotten_after_thirty_days(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    once = arrival(spool.unlock(KEY), "mcn", b"rows", AT, AT, "file-1")
    (first,) = spool.frames.append([once])
    spool.frames.prune(AT.timestamp() + 30 * DAY_S - 1)
    assert spool.frames.append([once]) == [first]
    spool.frames.prune(AT.timestamp() + 30 * DAY_S + 1)
    assert spool.frames.append([once]) != [first]
    spool.close()
