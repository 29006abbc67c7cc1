"""Pages of TikTok Shop's order search: what they say, and where the next one begins."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from ..collector import BadFrame, FeedRow
from ..details import OrderDetail
from ..inner_json import inner_json
from ..instants import instant
from ..json_body import json_body
from ..open_api import Page
from ..order_details.tiktok_shop import NO_AMOUNT, Order, paid_sale
from ..order_ids import exact_id
from ..order_sale import order_sale
from ..pages import page_of
from ..tick import Sale, SaleKind


class Listed(msgspec.Struct, frozen=True):
    """A page without orders may leave the list out."""

    orders: list[object] | None = None
    next_page_token: str | None = None


class OrdersAnswer(msgspec.Struct, frozen=True):
    data: Listed


class UpdatedAt(msgspec.Struct, frozen=True):
    update_time: int


def orders_page(row: FeedRow, shop: str, body: bytes, received_at: datetime, mark: str) -> Page:
    """`mark` is that of this page: from which second on it was asked for, and the token that it came by."""
    told = json_body(body, OrdersAnswer).data
    orders = told.orders or []
    after = _next(orders, told.next_page_token, mark) if told.next_page_token else ""
    return page_of(orders, Order, "id", lambda order: _facts(row, shop, order, received_at), after)


def _facts(row: FeedRow, shop: str, order: Order, received_at: datetime) -> Iterable[Sale]:
    """As the push tells them: only a payment has an amount."""
    if order.create_time:
        yield _without_amount(row, "created", shop, order, order.create_time, received_at)
    if order.paid_time:
        yield paid_sale(row, shop, order, order.paid_time, received_at, "poll")
    if order.cancel_time and order.status in ("CANCEL", "CANCELLED"):
        yield _without_amount(row, "cancelled", shop, order, order.cancel_time, received_at)


def _without_amount(
    row: FeedRow, kind: SaleKind, shop: str, order: Order, at_s: int, received_at: datetime
) -> Sale:  # fmt: skip
    at, order_id = instant(at_s), exact_id(order.id)
    return order_sale(row, kind, shop, order_id, at, received_at, OrderDetail(), via="poll", currency=NO_AMOUNT)


def _next(orders: Sequence[object], token: str, mark: str) -> str:
    """From the last order on. A token is good for the very question that it came with: it is used, where all orders
    are of the second from which on this page was asked for."""
    updated = [inner_json(order, UpdatedAt).update_time for order in orders]
    if not updated or updated != sorted(updated):
        raise BadFrame("bad_page: it is empty, or not in the order of updates, and more should follow")
    first, last = str(updated[0]), str(updated[-1])
    return f"{last}|{token}" if first == last == mark.partition("|")[0] else last
