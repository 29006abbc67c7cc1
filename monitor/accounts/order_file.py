"""An order about accounts, as a file between a command and the running monitor: encrypted, whole or not there at all.

`data_dir/accounts/<id>.order` is a piece of `store.cipher` under the account key, with its id authenticated; the answer
is `<id>.done`, JSON without a secret. An id begins with the instant, so that orders are carried out as they were given.
"""

import errno
import os
import secrets
import stat
from datetime import datetime
from pathlib import Path

import msgspec

from monitor.accounts.account import Account
from monitor.store.cipher import CannotDecrypt, Cipher
from monitor.store.disk import named_errors, sync_folder, write_once

FOLDER = "accounts"  # under data_dir
ORDER, DONE, DRAFT = ".order", ".done", ".new"
CONTEXT = b"livemon account order 1 "
ORDER_BYTES_MAX = 256 * 1024 * 1024  # 20,000 accounts with everything as long as it may be
DONE_BYTES_MAX = 4 * 1024 * 1024
ACCOUNTS_MAX = 20_000


class Revoke(msgspec.Struct, frozen=True, tag="revoke"):
    """Forget the tokens of a shop, or of an anchor, on a platform; `app` empty: with whatever app."""

    platform: str
    shop: str
    app: str = ""


class Import(msgspec.Struct, frozen=True, tag="import"):
    """Accounts as a file has them; what is empty there stays as it is known."""

    accounts: list[Account]


class Order(msgspec.Struct, frozen=True):
    """What a person wants done. `at`: aware UTC, when it was given."""

    what: Revoke | Import
    by: str
    at: datetime


class Done(msgspec.Struct, frozen=True):
    """What became of an order. `taken` accounts were kept; each of `left` is said in words, without a secret."""

    taken: int = 0
    left: list[str] = []


class BadOrder(Exception):
    """This file is no order that can be carried out, and never will be: why."""


def give(folder: Path, cipher: Cipher, order: Order) -> str:
    """Write an order, on disk on return; its id. Raises the errors of `disk`."""
    name = f"{order.at:%Y%m%dT%H%M%S}-{order.at.microsecond:06}-{secrets.token_hex(4)}"
    piece = cipher.encrypt(msgspec.msgpack.encode(order), _context(name))
    with named_errors(folder):
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True)
            sync_folder(folder.parent)
        write_once(folder / f"{name}{ORDER}", piece)
    return name


def read_order(path: Path, cipher: Cipher) -> Order:
    """Raises BadOrder, and the errors of `disk`."""
    try:
        return msgspec.msgpack.decode(
            cipher.decrypt(_content(path, ORDER_BYTES_MAX), _context(path.name.removesuffix(ORDER))), type=Order
        )
    except CannotDecrypt as error:
        raise BadOrder("it is damaged, not of this name, or encrypted under another account key") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadOrder("it is of another release") from error


def write_done(folder: Path, name: str, done: Done) -> None:
    """The answer; one that is there from an earlier try stays."""
    path = folder / f"{name}{DONE}"
    with named_errors(path):
        if not path.exists():
            write_once(path, msgspec.json.encode(done))


def read_done(folder: Path, name: str) -> Done | None:
    """The answer, which goes as it is read; None: there is none yet. Raises BadOrder."""
    path = folder / f"{name}{DONE}"
    try:
        done = msgspec.json.decode(_content(path, DONE_BYTES_MAX), type=Done)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise BadOrder("its answer cannot be read") from error
    path.unlink()
    return done


def _content(path: Path, bytes_max: int) -> bytes:
    """The bytes of a file of ours: never through a link, never more than it may have."""
    with named_errors(path):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EACCES, errno.ENXIO):
                raise BadOrder(f"it cannot be read: {error.strerror}") from error
            raise
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise BadOrder("it is not a file")
            if status.st_size > bytes_max:
                raise BadOrder(f"it is larger than {bytes_max:_} bytes")
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(bytes_max)
        finally:
            os.close(descriptor)


def _context(name: str) -> bytes:
    return CONTEXT + name.encode()
