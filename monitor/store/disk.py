"""What the disk under the spool can do to us: errors by name, the ballast, file systems that cannot be trusted."""

import errno
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BALLAST_BYTES = 16 * 1024 * 1024
UNTRUSTED = {"tmpfs", "ramfs", "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afpfs", "webdav"}


class SpoolLocked(Exception):
    """Another instance has this spool open: exit code 3."""


class SpoolFull(Exception):
    """There is no room on the disk: ticks are shed, the ballast is given up."""


class SpoolDiskFailed(Exception):
    """The disk refused a write or an fsync: nothing on it may be trusted from now on, exit code 4."""


class SpoolBornDifferent(Exception):
    """The spool is an event's and a rehearsal asks for it, or the other way: exit code 2, it is left untouched."""


class SpoolUnreadable(Exception):
    """The file is damaged, of a later release, or an older copy of itself: exit code 5."""


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors (sqlite.org/rescode.html, primary result codes) and the system's own into ours."""
    try:
        yield
    except OSError as error:
        match error.errno:
            case errno.ENOSPC | errno.EDQUOT:
                raise SpoolFull(f"no room left on the disk of {path}") from error
            case errno.EIO | errno.EROFS:
                raise SpoolDiskFailed(f"{path}: {error.strerror}; check the disk, then start again") from error
        raise
    except sqlite3.DatabaseError as error:
        code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        match code:
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                raise SpoolLocked(
                    f"{path} is in use by another livemon; stop it, or give this one its own data_dir"
                ) from error
            case sqlite3.SQLITE_FULL:
                raise SpoolFull(f"no room left on the disk of {path}") from error
            case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN:
                raise SpoolDiskFailed(f"{path}: {error}; check the disk, then start again") from error
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                raise SpoolUnreadable(
                    f"{path}: {error}; `livemon spool repair` keeps every readable batch and sets the rest aside"
                ) from error
        raise


class Ballast:
    """A file of nothing beside the spool: on a full disk SQLite cannot even delete, until this is given up."""

    def __init__(self, path: Path, size: int = BALLAST_BYTES) -> None:
        self.path, self.size = path, size

    def lay(self) -> bool:
        """Reserve the space, if there is plenty (five times the ballast). True if it lies there."""
        if self.path.exists() and self.path.stat().st_size >= self.size:
            return True
        room = os.statvfs(self.path.parent)
        if room.f_bavail * room.f_frsize < 5 * self.size:
            return False
        try:
            descriptor = os.open(self.path, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        except OSError:
            return False
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(descriptor, 0, self.size)
            else:  # macOS: written, not promised
                os.write(descriptor, bytes(self.size))
            os.fsync(descriptor)
        except OSError:
            self.path.unlink(missing_ok=True)
            return False
        finally:
            os.close(descriptor)
        return True

    def give_up(self) -> bool:
        """Free the space. True if there was any."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        return True


def file_system(path: Path, mounts: str | None = None) -> str:
    """The type of the file system that holds `path` (by /proc/mounts; "" where there is none to read)."""
    if mounts is None:
        try:
            mounts = Path("/proc/mounts").read_text(errors="replace")
        except OSError:
            return ""
    best, kind = "", ""
    resolved = str(path.resolve())
    for line in mounts.splitlines():
        fields = line.split()
        where = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[1])
        inside = resolved == where or resolved.startswith(where.rstrip("/") + "/")
        if inside and len(where) >= len(best):
            best, kind = where, fields[2]
    return kind


def untrusted(path: Path) -> str | None:
    """Why this folder must not hold an event's spool, or None: memory and network file systems lose what they took."""
    kind = file_system(path)
    if kind in UNTRUSTED:
        return (
            f"{path} is on {kind}, which does not keep what it acknowledged; set data_dir to a folder on a local disk"
        )
    return None


def write_once(path: Path, content: bytes) -> None:
    """A new file that its owner alone can read: whole or not at all, also after a power cut, and never over another.

    Raises FileExistsError.
    """
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    finally:
        draft.unlink()
    sync_folder(path.parent)


def destroy(path: Path) -> None:
    """Overwrite a small file where it lies, then remove it, if there is such a file."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    except (FileNotFoundError, IsADirectoryError):
        return
    with open(descriptor, "wb") as file:
        file.write(bytes(os.fstat(file.fileno()).st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """A file's name is safe only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
