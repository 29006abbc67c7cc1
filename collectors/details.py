"""What a platform answers about one order or refund, as far as it adds to the event that told of it."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from .collector import BadFrame
from .hook import Details
from .tick import SaleItem

ORDER = "order.detail"
REFUND = "refund.detail"


class OrderDetail(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing of it names a person but `buyer`, which is the platform's id and leaves the reader as a keyed hash."""

    amount_minor: int | None = None  # what the buyer paid; None where the push itself says it
    paid_at: datetime | None = None
    room: str | None = None
    units: int | None = None
    buyer: bytes | None = None
    items: tuple[SaleItem, ...] = ()


class RefundDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A refund: only one that is `done` has moved money, and one that is `closed` never will."""

    done: bool
    closed: bool = False
    amount_minor: int = 0
    refunded_at: datetime | None = None


def understood[T](details: Details, what: str, key: str, read: Callable[[bytes], T]) -> T | None:
    """What the answer says; None while there is none, or one of no use: what waits for it goes on waiting, visibly."""
    answer = details.get((what, key))
    try:
        return None if answer is None else read(answer)
    except BadFrame:
        return None


def meant(is_so: bool, what: str) -> None:
    """Refuse an answer that is not the one asked for."""
    if not is_so:
        raise BadFrame(f"bad_detail: {what}")
