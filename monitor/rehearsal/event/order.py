"""What is sold in a play: an order from its making to its refund, and each thing that happens to it."""

from typing import Literal

import msgspec

from .cast import Part

Happening = Literal["created", "paid", "cancelled", "refunded"]


class Order(msgspec.Struct, frozen=True):
    """One order of the play. Instants are seconds of the play, money is minor units of `currency`.

    `number` is unique in the play: room number x 1,000,000 and the how-manieth of this room. An order is paid, or it is
    cancelled, or (rarely) neither before the play ends. `refund_minor` is the whole or a part of the amount.
    """

    number: int
    part: Part
    product: str  # an id of 19 digits, the same for the same goods of the same shop
    title: str
    units: int
    amount_minor: int
    currency: str
    buyer: str
    created_s: float
    paid_s: float | None = None
    cancelled_s: float | None = None
    refunded_s: float | None = None
    refund_minor: int = 0


class Happened(msgspec.Struct, frozen=True):
    """Something happened to an order at `at_s`; the platform tells of it at `told_s`, which may be hours later."""

    what: Happening
    order: Order
    at_s: float
    told_s: float
