"""What TikTok Shop says of an order, alone (Get Order Detail) or in a list (Get Order List): the same fields in both.

Amounts are texts in the major unit of `payment.currency`. The fields are those of the Partner pages for 202309, as
public client libraries that were generated from them have them.
"""

from datetime import datetime
from typing import Literal

import msgspec

from ..collector import BadFrame, FeedRow
from ..details import OrderDetail, meant
from ..instants import instant
from ..json_body import json_body
from ..money import currency_code, major
from ..order_ids import exact_id
from ..order_sale import order_sale
from ..sale_items import summed
from ..tick import Sale, SaleItem

NO_AMOUNT = "USD"  # an amount needs a currency, and the push, which names none, must tell of 0 what the list tells


class Payment(msgspec.Struct, frozen=True):
    total_amount: str
    currency: str


class Line(msgspec.Struct, frozen=True):
    """One piece: an order of three of a product has three lines."""

    id: str
    product_id: str | None = None
    product_name: str | None = None
    sale_price: str | None = None


class Order(msgspec.Struct, frozen=True):
    id: str
    create_time: int
    payment: Payment
    status: str = ""
    update_time: int = 0
    paid_time: int | None = None
    cancel_time: int | None = None
    user_id: str | None = None
    line_items: list[Line] = []


class Orders(msgspec.Struct, frozen=True):
    orders: list[Order]


class Answer(msgspec.Struct, frozen=True):
    code: int
    data: Orders


def order_in(answer: bytes, order_id: str) -> Order:
    """The order that was asked for. Raises BadFrame: an answer that is an error, or of other orders, has it not."""
    told = json_body(answer, Answer)
    meant(told.code == 0, "an error")
    for order in told.data.orders:
        if order.id == order_id:
            return order
    raise BadFrame("bad_detail: of another order")


def paid_sale(
    row: FeedRow, shop: str, order: Order, paid_time: int, received_at: datetime,
    via: Literal["push", "poll"] = "push",
) -> Sale:  # fmt: skip
    currency = currency_code(order.payment.currency)
    more = OrderDetail(
        amount_minor=major(order.payment.total_amount, currency),
        units=len(order.line_items) or None,
        buyer=order.user_id.encode() if order.user_id else None,
        items=summed(_item(line, currency) for line in order.line_items),
    )
    at, order_id = instant(paid_time), exact_id(order.id)
    return order_sale(row, "paid", shop, order_id, at, received_at, more, via=via, currency=currency)


def _item(line: Line, currency: str) -> SaleItem:
    amount_minor = None if line.sale_price is None else major(line.sale_price, currency)
    return SaleItem(line.product_id or line.id, line.product_name, 1, amount_minor)
