"""Deliveries in the spool rest under keys of hours, so that they can be made unreadable for ever, wherever they lie.

A piece is a mark, the hour (hours since 1970 UTC, 4 bytes, big-endian), a nonce, and what AESGCM makes of it with mark
and hour authenticated. Pieces of an earlier release are under the spool key itself; they are read as they were.
"""

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag

from monitor.store.cipher import FRAME, HOUR_MARK, NONCE_BYTES, PREFIX_BYTES, CannotDecrypt, Cipher, is_encrypted
from monitor.store.hour_keys import HourKeys, hour_of

BATCH = b"livemon batch 1"
AHEAD_S = 300.0  # the key of the coming hour is made so long before it, if this hour's is used


class HourCipher:
    """All raise the errors of `disk`: a key may have to be made or read."""

    def __init__(self, folder: Path, cipher: Cipher) -> None:
        self.keys, self._cipher = HourKeys(folder, cipher), cipher
        self._used = 0

    def seal(self, plain: bytes, at: float, what: bytes = FRAME) -> bytes:
        """Under the key of the hour of `at` (unix seconds)."""
        hour, nonce = hour_of(at), os.urandom(NONCE_BYTES)
        key, head = self.keys.take(hour), prefix(hour)
        self._used = hour
        return head + nonce + key.encrypt(nonce, plain, what + head)

    def open(self, piece: bytes, what: bytes = FRAME) -> bytes:
        """Raises CannotDecrypt, also where the key of its hour is lost or thrown away."""
        if not piece.startswith(HOUR_MARK):
            return self._cipher.decrypt(piece, what)
        if not is_encrypted(piece):
            raise CannotDecrypt("cut off")
        head, nonce = piece[:PREFIX_BYTES], piece[PREFIX_BYTES : PREFIX_BYTES + NONCE_BYTES]
        key = self.keys.find(int.from_bytes(head[len(HOUR_MARK) :]))
        try:
            return key.decrypt(nonce, piece[PREFIX_BYTES + NONCE_BYTES :], what + head)
        except InvalidTag:
            raise CannotDecrypt("damaged, or encrypted under another key of the same hour") from None

    def begin(self, now: float) -> None:
        """Make the key of this hour, so that what is sealed first need not wait for that."""
        self._used = hour_of(now)
        self.keys.take(self._used)

    def prepare(self, now: float) -> None:
        """Make the key of the coming hour, so that its first delivery need not wait for that."""
        if self._used == hour_of(now):
            self.keys.take(hour_of(now + AHEAD_S))


def prefix(hour: int) -> bytes:
    """With what all pieces under this hour's key begin."""
    return HOUR_MARK + hour.to_bytes(4)
