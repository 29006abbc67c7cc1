"""The frame of a poll that took several calls: whom it asked about, and the pages as they came, as one JSON object.

It is not the line of asked_frame.py: that has one body, in any language, and words of its kind; here pages are
JSON, and what came between them is told. Recordings and kept frames of both lie on disks, so both are read for ever.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from .collector import BadFrame, PartlyRead
from .json_body import BYTE_ORDER_MARK, document, fraction

START = b'{"asked": '


class PolledFrame(msgspec.Struct, frozen=True):
    """`asked`: the rooms that were asked about, None where all are.

    `broken`: what is wrong with the last page. `failed`: how a call failed, in a word of monitor/live/failure.py.
    """

    asked: list[str] | None
    pages: list[object]
    broken: str = ""
    failed: str = ""


def joined(asked: Sequence[str] | None, pages: Sequence[bytes], broken: str = "", failed: str = "") -> bytes:
    """The pages are not read here: one that is no JSON makes the frame none, and is kept for a person as it came."""
    told = b", ".join(page.removeprefix(BYTE_ORDER_MARK) for page in pages)
    more = b"".join(
        b', "' + name + b'": ' + msgspec.json.encode(said)
        for name, said in ((b"broken", broken), (b"failed", failed))
        if said
    )
    return START + msgspec.json.encode(asked) + b', "pages": [' + told + b"]" + more + b"}"


def asked_in(frame: bytes) -> list[str] | None:
    """Whom a frame asked about, also where its pages cannot be read. Raises BadFrame."""
    end = frame.find(b', "pages": [')
    try:
        return msgspec.json.decode(frame[len(START) : end], type=list[str] | None)
    except msgspec.DecodeError as error:
        raise BadFrame("bad_json: it does not begin as ours do") from error


def parted(frame: bytes) -> PolledFrame:
    """Raises BadFrame, for a broken one, too."""
    try:
        found = msgspec.convert(document(frame, fraction), PolledFrame)
    except msgspec.ValidationError as error:
        raise BadFrame(f"bad_json: {error}") from error
    if found.broken:
        raise BadFrame(found.broken)
    return found


@contextmanager
def theirs_alone(asked: Sequence[str] | None, frame: bytes) -> Iterator[None]:
    """What is wrong with an answer about some rooms is of these alone: they are unseen, and nobody else."""
    try:
        yield
    except BadFrame as error:
        if asked is None or isinstance(error, PartlyRead):
            raise
        raise PartlyRead(str(error), [], dict.fromkeys(asked, "bad_frame"), frame) from error


def came(told: PolledFrame) -> PolledFrame:
    """Raises PartlyRead where the call failed: of the rooms that it asked about nothing came."""
    if told.failed:
        raise PartlyRead(f"{told.failed}: the call failed", [], dict.fromkeys(told.asked or (), told.failed))
    return told


def pages_in[T](frame: bytes, type_: type[T]) -> list[T]:
    """The pages of a frame, each as `type_`. Raises BadFrame."""
    return pages_of(parted(frame), type_)


def pages_of[T](told: PolledFrame, type_: type[T]) -> list[T]:
    """As `pages_in`, of one that is parted already."""
    try:
        return [msgspec.convert(page, type_) for page in told.pages]
    except msgspec.ValidationError as error:
        raise BadFrame(f"bad_json: {error}") from error
