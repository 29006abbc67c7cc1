"""What holds people's names rests encrypted: AES-256-GCM, each piece under a nonce of its own.

A piece is a mark, the nonce, and what AESGCM makes of it. The first key encrypts; the others still decrypt, so that a
key can be changed while pieces under the old one lie about.
"""

import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MARK = b"LMF\1"
NONCE_BYTES = 12
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
        if not is_encrypted(piece):
            raise CannotDecrypt("not encrypted by livemon")
        nonce, rest = piece[len(MARK) : len(MARK) + NONCE_BYTES], piece[len(MARK) + NONCE_BYTES :]
        for key in self._keys:
            try:
                return key.decrypt(nonce, rest, what)
            except InvalidTag:
                continue
        raise CannotDecrypt("damaged, or encrypted under another spool key")


def is_encrypted(piece: bytes) -> bool:
    return piece.startswith(MARK) and len(piece) >= len(MARK) + NONCE_BYTES + 16
