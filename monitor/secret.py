"""Secrets live in files that only their owner can read, and in memory under a name that does not show them."""

import os
import shlex
import stat
from pathlib import Path

BYTES_MAX = 65_536


class SecretError(Exception):
    """Why a secret file will not do, and what to do about it. Never holds any of its content."""

    def __init__(self, path: Path, what: str, todo: str) -> None:
        self.what, self.todo = what, todo
        super().__init__(f"{path} {what}; {todo}")


class Secret:
    """A secret text. It shows itself only to who asks by name."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is not written anywhere")


def read_secret(path: Path) -> Secret:
    """The secret in this file, read now: who reads it at each use follows a rotation without a restart.

    The file is judged after it was opened, so that what is judged is what is read. A link is followed: it is the
    file at its end that must be private, since the rights of a link itself mean nothing. One newline at the end goes.
    """
    raw = _read_private(path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SecretError(path, "is not UTF-8 text", "write the secret into it as plain text") from error
    text = text.removesuffix("\n").removesuffix("\r")
    if not text.strip():
        raise SecretError(path, "is empty", "write the secret into it")
    if "\0" in text:
        raise SecretError(path, "holds a NUL byte", "write the secret into it as plain text")
    return Secret(text)


def _read_private(path: Path) -> bytes:
    try:
        with open(path, "rb", opener=_at_once) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise SecretError(path, "is not a file", "name a file that holds the secret")
            if status.st_mode & 0o077:
                mode = stat.S_IMODE(status.st_mode)
                todo = f"chmod 600 {shlex.quote(str(path))}"
                raise SecretError(path, f"can be read by others (mode {mode:04o})", todo)
            raw = file.read(BYTES_MAX + 1)
    except FileNotFoundError as error:
        raise SecretError(path, "does not exist", "write the secret into it, then chmod 600") from error
    except OSError as error:
        raise SecretError(path, f"cannot be read: {error.strerror}", "make it a file that livemon may read") from error
    if len(raw) > BYTES_MAX:
        raise SecretError(path, f"is larger than {BYTES_MAX:_} bytes", "name the file that holds the secret alone")
    return raw


def _at_once(path: str, flags: int) -> int:
    """Open without waiting for the other end, should somebody have put a pipe there."""
    return os.open(path, flags | os.O_NONBLOCK)
