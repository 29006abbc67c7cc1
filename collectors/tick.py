"""What every feed is translated into: ticks and sales. Imports nothing of ours."""

from datetime import UTC, datetime
from typing import Literal

import msgspec

Evidence = Literal["event", "status", "absent"]
"""`event`: the source told of a moment; `status`: it says how things stand; `absent`: a complete answer missed it."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Tick(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One observation of one room at one instant.

    `at` is aware UTC: of a poll the instant before the request left, of a push the platform's stamp, else the read.
    `live` None: this frame does not say. `progress` is bytes in or media time: only whether it moves matters.
    `session_key` is the platform's session or the publisher's connection id; one that begins with a colon is only the
    end of it, where the source does not know the whole. `end` is end evidence: the platform or
    the publisher said that the broadcast is over (`ended`), or that it broke (`failed`). `gmv_minor` is the platform's
    own running total of the session's money, in the minor unit of `currency`: kept beside ours and compared, never
    added. Absent is None, never zero.
    """

    feed: str
    room: str
    at: datetime
    evidence: Evidence
    live: bool | None = None
    viewers: int | None = None
    views_total: int | None = None
    likes_total: int | None = None
    kbps: int | None = None
    progress: int | None = None
    session_key: str | None = None
    end: Literal["ended", "failed"] | None = None
    gmv_minor: int | None = None
    currency: str | None = None


SaleKind = Literal["created", "paid", "refunded", "cancelled", "gift"]


class SaleItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of an order, where the platform tells."""

    item_id: str
    title: str | None = None
    units: int | None = None
    amount_minor: int | None = None


class Sale(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One order event or gift. `event_id` names the business fact, never the delivery.

    Money is an integer in the minor unit of `currency`. `room` is the platform's id of it, None where it does not tell.
    Out of a parser `buyer` is the platform's id of the buyer and `coin` may name what `amount_minor` counts instead of
    money; `monitor/reading.py` makes a keyed hash of the one and money of the other before anybody else sees them.
    """

    feed: str
    platform: str
    event_id: str
    at: datetime
    received_at: datetime
    kind: SaleKind
    amount_minor: int
    currency: str
    room: str | None = None
    shop: str | None = None
    order_id: str | None = None
    units: int | None = None
    buyer: bytes | None = None
    coin: str | None = None
    via: Literal["push", "poll", "file"] = "push"
    items: tuple[SaleItem, ...] = ()
