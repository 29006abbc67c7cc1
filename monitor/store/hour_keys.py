"""Keys of hours: each in a file of its own, wrapped under the spool key, and destroyed when its hour is done with.

A file is named by its UTC hour (`2026-11-24T17`). It holds 32 random bytes as a piece of `cipher` whose context names
the hour, too, and the CRC-32 of that piece (4 bytes, big-endian): so that a damaged file is told from one that is
whole and was wrapped under another spool key.
"""

import os
import zlib
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from monitor.store.cipher import CannotDecrypt, Cipher, is_encrypted
from monitor.store.disk import destroy, named_errors, sync_folder, write_once

HOUR_S = 3_600
KEY_BYTES = 32
FILE_BYTES_MAX = 1_024
KNOWN_MAX = 256  # keys held in memory; a spool whose clock is right has about 26
NAME = "%Y-%m-%dT%H"
CONTEXT = b"livemon hour key 1 "
DRAFT, DAMAGED = ".new", ".damaged"


class HourLost(CannotDecrypt):
    """The key of this hour is not there, or its file is damaged."""


class OtherSpoolKey(CannotDecrypt):
    """The file of this hour's key is whole, and was wrapped under another spool key."""


def hour_of(at: float) -> int:
    """Of an instant in unix seconds: hours since 1970, UTC."""
    return int(at // HOUR_S)


def name_of(hour: int) -> str:
    return datetime.fromtimestamp(hour * HOUR_S, UTC).strftime(NAME)


class HourKeys:
    """Plain and blocking: for the spool's thread. All raise the errors of `disk`."""

    def __init__(self, folder: Path, cipher: Cipher) -> None:
        self.folder, self._cipher = folder, cipher
        self._known: dict[int, AESGCM] = {}

    def find(self, hour: int) -> AESGCM:
        """Raises HourLost and OtherSpoolKey."""
        key = self._known.get(hour)
        return key if key is not None else self._remember(hour, self._read(hour))

    def take(self, hour: int) -> AESGCM:
        """The key to encrypt under: made, and on disk on return, where there is none that can be used."""
        try:
            return self.find(hour)
        except CannotDecrypt:
            return self._make(hour)

    def hours(self) -> list[int]:
        """Those of which there are files, whole or not, the oldest first."""
        with named_errors(self.folder):
            found = [path for path in self.folder.iterdir() if path.is_file()] if self.folder.is_dir() else []
        names = {path.name.partition(".")[0] for path in found}
        return sorted(hour for hour in map(_hour_named, names) if hour is not None)

    def throw(self, hour: int) -> None:
        """For ever: what was encrypted under it is noise from now on, wherever it lies."""
        self._known.pop(hour, None)
        with named_errors(self.folder):
            for ending in (DRAFT, DAMAGED, ""):
                destroy(self._path(hour, ending))

    def _path(self, hour: int, ending: str = "") -> Path:
        return self.folder / f"{name_of(hour)}{ending}"

    def _read(self, hour: int) -> bytes:
        path = self._path(hour)
        try:
            with named_errors(path), open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
                content = file.read(FILE_BYTES_MAX)
        except (FileNotFoundError, IsADirectoryError) as error:
            raise HourLost(f"the key of the hour {name_of(hour)} is not there") from error
        piece, checksum = content[:-4], content[-4:]
        if zlib.crc32(piece).to_bytes(4) != checksum or not is_encrypted(piece):
            raise HourLost(f"the key of the hour {name_of(hour)} is damaged")
        try:
            return self._cipher.decrypt(piece, CONTEXT + name_of(hour).encode())
        except CannotDecrypt as error:
            raise OtherSpoolKey(f"the key of the hour {name_of(hour)} is wrapped under another spool key") from error

    def _make(self, hour: int) -> AESGCM:
        path, raw = self._path(hour), os.urandom(KEY_BYTES)
        piece = self._cipher.encrypt(raw, CONTEXT + path.name.encode())
        with named_errors(path):
            if not self.folder.is_dir():
                self.folder.mkdir(mode=0o700)
                sync_folder(self.folder.parent)
            if path.exists():  # of no use, but perhaps to a person: it goes with its hour
                os.replace(path, self._path(hour, DAMAGED))
            write_once(path, piece + zlib.crc32(piece).to_bytes(4))
        return self._remember(hour, raw)

    def _remember(self, hour: int, raw: bytes) -> AESGCM:
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known[hour] = AESGCM(raw)
        return self._known[hour]


def _hour_named(name: str) -> int | None:
    try:
        return hour_of(datetime.strptime(name, NAME).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None
