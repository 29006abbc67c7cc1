"""What holds people's names rests encrypted: AES-256-GCM, each piece under a nonce of its own.

A piece is a mark, the nonce, and what AESGCM makes of it. The first key encrypts; the others still decrypt, so that a
key can be changed while pieces under the old one lie about. Pieces under the key of an hour are `hour_cipher`'s.
"""

import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MARK, HOUR_MARK = b"LMF\1", b"LMF\2"
NONCE_BYTES, TAG_BYTES = 12, 16
PREFIX_BYTES = 8  # of a piece under an hour's key: its mark, and the hour
FRAME = b"livemon frame 1"
ITEM = b"livemon item 1"


class CannotDecrypt(Exception):
    """These bytes are not what was encrypted, or it was under another key."""


class Cipher:
    def __init__(self, keys: Sequence[bytes]) -> None:
        """The newest key first; each of 32 bytes."""
        self._keys = [AESGCM(key) for key in keys]

    def __repr__(self) -> str:
        return "Cipher(***)"

    def encrypt(self, plain: bytes, what: bytes = FRAME) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return MARK + nonce + self._keys[0].encrypt(nonce, plain, what)

    def decrypt(self, piece: bytes, what: bytes = FRAME) -> bytes:
        """Raises CannotDecrypt, also for a piece of another sort."""
        if not (is_encrypted(piece) and piece.startswith(MARK)):
            raise CannotDecrypt("not encrypted by livemon under a spool key")
        nonce, rest = piece[len(MARK) : len(MARK) + NONCE_BYTES], piece[len(MARK) + NONCE_BYTES :]
        for key in self._keys:
            try:
                return key.decrypt(nonce, rest, what)
            except InvalidTag:
                continue
        raise CannotDecrypt("damaged, or encrypted under another spool key")


def is_encrypted(piece: bytes) -> bool:
    head = {MARK: len(MARK), HOUR_MARK: PREFIX_BYTES}.get(piece[: len(MARK)])
    return head is not None and len(piece) >= head + NONCE_BYTES + TAG_BYTES
