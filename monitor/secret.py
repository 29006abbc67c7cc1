"""Secrets live in files that only their owner can read, and in memory under a name that does not show them."""

import os
import stat
from pathlib import Path

BYTES_MAX = 65_536


class SecretError(Exception):
    """Why a secret file will not do, and what to do about it. Never holds any of its content."""

    def __init__(self, what: str, todo: str) -> None:
        self.what, self.todo = what, todo
        super().__init__(f"{what}; {todo}")


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
        raise SecretError(f"{path} is not UTF-8 text", "write the secret into it as plain text") from error
    text = text.removesuffix("\n").removesuffix("\r")
    if not text.strip():
        raise SecretError(f"{path} is empty", "write the secret into it")
    if "\0" in text:
        raise SecretError(f"{path} holds a NUL byte", "write the secret into it as plain text")
    return Secret(text)


def _read_private(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise SecretError(f"{path} does not exist", "write the secret into it, then chmod 600") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SecretError(f"{path} cannot be read: {reason}", "make it a file that livemon may read") from error
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SecretError(f"{path} is not a file", "name a file that holds the secret")
        if status.st_mode & 0o077:
            mode = stat.S_IMODE(status.st_mode)
            raise SecretError(f"{path} can be read by others (mode {mode:04o})", f"chmod 600 {path}")
        raw = file.read(BYTES_MAX + 1)
    if len(raw) > BYTES_MAX:
        raise SecretError(f"{path} is larger than {BYTES_MAX} bytes", "name the file that holds the secret alone")
    return raw
