"""The keys of this house: read from the files that the config names, or made once under `data_dir`.

A key file is text: one key of 32 bytes, as base64 or hex, on its first line. A second line may hold the key before it,
so that what was encrypted under that one can still be read.
"""

import base64
import binascii
import re
import secrets
from pathlib import Path

from monitor.secret import SecretError, read_secret
from monitor.store.disk import write_once

SPOOL_KEY, BUYER_KEY = "spool.key", "buyers.key"  # where they are made, under data_dir
KEY_BYTES = 32
KEYS_MAX = 2
HOW = "write one line from `openssl rand -base64 32` into it"


class Key:
    """Thirty-two secret bytes. They show themselves only to who asks by name."""

    __slots__ = ("_raw",)

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def reveal(self) -> bytes:
        return self._raw

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and secrets.compare_digest(self._raw, other._raw)

    def __hash__(self) -> int:
        return hash(self._raw)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a key is not written anywhere")


def keys_of(configured: Path | None, made: Path) -> list[Key]:
    """The keys in the file that the config names; else in `made`, which is written first if it is not there.

    The newest first. Raises SecretError, and OSError where `made` cannot be written.
    """
    if configured is not None:
        return read_keys(configured)
    if not made.exists():
        _make(made)
    return read_keys(made)


def read_keys(path: Path) -> list[Key]:
    """One key, or two while the older one is still needed. Raises SecretError."""
    lines = read_secret(path).reveal().split()
    if len(lines) > KEYS_MAX:
        raise SecretError(path, f"holds {len(lines)} keys", "keep the present one and the one before it")
    return [_key(path, number, line) for number, line in enumerate(lines, 1)]


def _key(path: Path, number: int, line: str) -> Key:
    try:
        raw = bytes.fromhex(line) if re.fullmatch(r"[0-9a-fA-F]{64}", line) else base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise SecretError(path, f"line {number} is not a key of {KEY_BYTES} bytes as base64 or hex", HOW)
    return Key(raw)


def _make(path: Path) -> None:
    """What was encrypted under it must never wait for a lost key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_once(path, base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
