"""The signed words of `/a/{token}`: which alert a page shows, and until when. Who was sent one may act, nobody else.

A token is unpadded base64url of: the episode's number (8 bytes), the second at which it ends (8 bytes), and the first
16 bytes of an HMAC-SHA256 of both under a key that never leaves `data_dir`.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
import stat
import struct
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

LIFE = timedelta(hours=24)
KEY_BYTES, TAG_BYTES = 32, 16
CONTEXT = b"livemon alert page 1 "
PLAIN = struct.Struct(">QQ")
SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")  # 32 bytes; longer or shorter is not even decoded

Why = Literal["forged", "expired"]


class BadToken(Exception):
    """No alert is shown for this word: why."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


class Tokens:
    """Signs and reads them under one key."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"the key has {len(key)} bytes, not {KEY_BYTES}")
        self._key = key

    def sign(self, episode: int, now: datetime) -> str:
        plain = PLAIN.pack(episode, int((now + LIFE).timestamp()))
        return base64.urlsafe_b64encode(plain + self._tag(plain)).rstrip(b"=").decode()

    def read(self, token: str, now: datetime) -> int:
        """The episode's number. Raises BadToken; whether it was signed is asked before whether it has ended."""
        if not SHAPE.fullmatch(token):
            raise BadToken("forged")
        try:
            piece = base64.b64decode(token + "=", altchars=b"-_", validate=True)
        except binascii.Error as error:
            raise BadToken("forged") from error
        plain, tag = piece[: PLAIN.size], piece[PLAIN.size :]
        again = base64.urlsafe_b64encode(piece).rstrip(b"=").decode()  # the last character has bits that say nothing
        if not hmac.compare_digest(tag, self._tag(plain)) or again != token:
            raise BadToken("forged")
        episode, ends_s = PLAIN.unpack(plain)
        if now.timestamp() >= ends_s:
            raise BadToken("expired")
        return int(episode)

    def _tag(self, plain: bytes) -> bytes:
        return hmac.digest(self._key, CONTEXT + plain, hashlib.sha256)[:TAG_BYTES]


def secret_of(path: Path) -> bytes:
    """The secret that a file of ours holds, made at the first start; 0600. Raises OSError, also of one others may read.

    A file that is cut short was left by a crash before anything was signed with it: it is made anew.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return _made(path)
    with open(descriptor, "rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise PermissionError(f"{path} may be read by others; chmod 600 it, or delete it: it is made anew")
        kept = file.read(KEY_BYTES + 1)
    return kept if len(kept) == KEY_BYTES else _made(path)


def _made(path: Path) -> bytes:
    """On disk under its name as a whole, or not at all."""
    made, draft = secrets.token_bytes(KEY_BYTES), path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as file:
        file.write(made)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return made
