"""One event of an order as a Sale: the event id is put together here. Most platforms know yuan alone."""

from datetime import datetime
from typing import Literal

from .collector import FeedRow
from .details import OrderDetail
from .tick import Sale, SaleKind


def order_sale(
    row: FeedRow, kind: SaleKind, shop: str, order_id: str, at: datetime, received_at: datetime, more: OrderDetail,
    refund_id: str = "", via: Literal["push", "poll"] = "push", currency: str = "CNY",
) -> Sale:  # fmt: skip
    """`more` has the amount, and what else is known; without an amount the event counts as one worth nothing.

    Pieces and items are those of the order, so a refund, which may be of a part, has none.
    """
    whole = kind in ("created", "paid")
    return Sale(
        feed=row.name,
        platform=row.platform or row.PLATFORM,
        event_id=":".join([shop, order_id, kind, *filter(None, [refund_id])]),
        at=at,
        received_at=received_at,
        kind=kind,
        amount_minor=more.amount_minor or 0,
        currency=currency,
        room=more.room,
        shop=shop,
        order_id=order_id,
        units=more.units if whole else None,
        buyer=more.buyer,
        via=via,
        items=more.items if whole else (),
    )
