"""Puts a salvaged spool in the place of a damaged one, which is kept; at no instant can a start take a wrong one."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from monitor.store.disk import SpoolLocked, SpoolUnreadable, named_errors, sync_folder
from monitor.store.salvage import Salvage, salvage

LOCK_FROM, LOCK_LENGTH = 0x40000002, 510  # the bytes that SQLite locks for writers and readers (os_unix.c, SHARED)
MARKER = b"livemon spool repair was interrupted at its last step; run it again\n"


def repair(folder: Path, at: datetime) -> tuple[Salvage, Path]:
    """Make a new spool of what can be read; returns what became of it and where the old file is kept.

    Raises SpoolLocked while a monitor has it, SpoolUnreadable where nothing can be made of it, the errors of `disk`.
    """
    path, log, new = folder / "spool.db", folder / "spool.db-wal", folder / "spool.db.repaired"
    with named_errors(path), _locked(path) as file:
        if os.pread(file, len(MARKER), 0) == MARKER:
            raise SpoolUnreadable(
                f"a repair of {path} was interrupted at its last step: "
                f"remove {log} if it is there, then move {new} to {path}"
            )
        new.unlink(missing_ok=True)
        owner = os.fstat(file)
        made = os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        try:
            os.fchown(made, owner.st_uid, owner.st_gid)
            told = _salvage(path, file, log, new, at)
            os.fsync(made)
        except BaseException:
            new.unlink()
            raise
        finally:
            os.close(made)
        return told, _put_in_place(path, log, new, at)


def _salvage(path: Path, file: int, log: Path, new: Path, at: datetime) -> Salvage:
    log_file = os.open(log, os.O_RDONLY | os.O_NOFOLLOW) if log.exists() else None
    try:
        return salvage(file, log_file, new, at.timestamp())
    except SpoolUnreadable as error:
        raise SpoolUnreadable(
            f"{path}: {error}; it is left as it is. Put a copy back, or move the folder {path.parent} away: the next "
            "start makes a new spool and reads the open sessions from PostgreSQL; what had not been sent is lost"
        ) from error
    finally:
        if log_file is not None:
            os.close(log_file)


def _put_in_place(path: Path, log: Path, new: Path, at: datetime) -> Path:
    """A log that is left beside another file would be played into it: so between the two there is no spool to open."""
    kept = path.with_name(f"{path.name}.damaged-{at:%Y%m%dT%H%M%SZ}")
    os.link(path, kept)
    if log.exists():
        os.link(log, f"{kept}-wal")
    marker = path.with_name("spool.db.marker")
    with marker.open("wb") as file:
        file.write(MARKER)
        os.fsync(file.fileno())
    sync_folder(path.parent)
    os.replace(marker, path)
    sync_folder(path.parent)
    log.unlink(missing_ok=True)
    path.with_name("spool.db-shm").unlink(missing_ok=True)
    sync_folder(path.parent)
    os.replace(new, path)
    sync_folder(path.parent)
    return kept


def in_use(folder: Path) -> bool:
    """Whether a monitor has this spool open now."""
    try:
        with _locked(folder / "spool.db"):
            return False
    except SpoolLocked:
        return True
    except FileNotFoundError:
        return False


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The spool's own lock, without SQLite: it would begin to write. The file must not be opened twice meanwhile."""
    file = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, LOCK_LENGTH, LOCK_FROM)
        except (BlockingIOError, PermissionError) as error:
            raise SpoolLocked(f"{path} is in use by a livemon; stop it before the repair") from error
        yield file
    finally:
        os.close(file)
