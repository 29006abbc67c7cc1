"""The frame of an answer that does not say itself what was asked: one line of JSON that does, then the answer as it
came."""

from collections.abc import Callable

import msgspec

from .collector import BadFrame, PartlyRead
from .tick import Tick


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an answer answers. `about` names the question, where a kind has several; `key` the platform's session that
    was asked for, or that is known to be over, as the kind says."""

    rooms: list[str]
    about: str = ""
    key: str = ""


def framed(asked: msgspec.Struct, body: bytes) -> bytes:
    """`asked` is an Asked, or the kind's own way to say what was asked."""
    return msgspec.json.encode(asked) + b"\n" + body


def unframed(frame: bytes) -> tuple[Asked, bytes]:
    """Raises BadFrame."""
    return parted_as(Asked, frame)


def parted_as[T](type_: type[T], frame: bytes) -> tuple[T, bytes]:
    """What was asked, as `type_`, and the answer. Raises BadFrame."""
    head, _, body = frame.partition(b"\n")
    try:
        return msgspec.json.decode(head, type=type_), body
    except msgspec.DecodeError as error:
        raise BadFrame(f"bad_frame: its first line does not say what was asked: {error}") from error


def of_room(frame: bytes, read: Callable[[Asked, bytes], list[Tick]]) -> list[Tick]:
    """What an answer about one room means; one that cannot be read leaves us blind for that room, and for no other.

    Raises PartlyRead, and BadFrame where the frame does not even say what was asked.
    """
    asked, body = unframed(frame)
    try:
        return read(asked, body)
    except BadFrame as error:
        raise PartlyRead(str(error), (), dict.fromkeys(asked.rooms, "bad_frame"), body) from error
