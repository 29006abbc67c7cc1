"""Pages of Doudian's order.searchList and afterSale.List: what they say, and where the next one begins."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Literal

import msgspec

from ..collector import BadFrame, FeedRow
from ..details import OrderDetail
from ..inner_json import inner_json
from ..instants import instant
from ..json_body import json_body
from ..money import fen
from ..open_api import Page
from ..order_details.doudian import Order, told_of
from ..order_ids import exact_id
from ..order_sale import order_sale
from ..orders.doudian import Doudian
from ..pages import page_of
from ..tick import Sale

PAGE_SIZE = 100
MONEY_IS_BACK = 3  # refund_status: 1 to be paid back, 2 on its way, 4 failed, 5 recovered from the buyer


class Orders(msgspec.Struct, frozen=True):
    total: int
    page: int
    shop_order_list: list[object] | None = None


class OrdersAnswer(msgspec.Struct, frozen=True):
    data: Orders


class AfterSale(msgspec.Struct, frozen=True):
    aftersale_id: str | int
    update_time: object
    refund_status: int = 0
    refund_amount: object = None
    aftersale_status_to_final_time: object = None


class OfOrder(msgspec.Struct, frozen=True):
    shop_order_id: str | int


class Refund(msgspec.Struct, frozen=True):
    aftersale_info: AfterSale
    order_info: OfOrder


class Refunds(msgspec.Struct, frozen=True):
    total: int
    page: int
    items: list[object] | None = None


class RefundsAnswer(msgspec.Struct, frozen=True):
    data: Refunds


def orders_page(row: FeedRow, shop: str, body: bytes, received_at: datetime) -> Page:
    told = json_body(body, OrdersAnswer).data
    entries = told.shop_order_list or []
    mark = _next(_updated(entries), len(entries), told.total, told.page)
    return page_of(entries, Order, "order_id", lambda order: order_facts(row, shop, order, received_at, "poll"), mark)


def refunds_page(row: FeedRow, shop: str, body: bytes, received_at: datetime) -> Page:
    told = json_body(body, RefundsAnswer).data
    entries = told.items or []
    mark = _next(_updated(entries, "aftersale_info"), len(entries), told.total, told.page)
    return page_of(entries, Refund, "aftersale_id", lambda refund: _refunded(row, shop, refund, received_at), mark)


def order_facts(
    row: FeedRow, shop: str, order: Order, received_at: datetime, via: Literal["push", "poll"]
) -> Iterable[Sale]:
    """A cancelled order says nowhere when it was: that fact is the push's alone."""
    if order.shop_id is not None and exact_id(order.shop_id) != shop:
        raise BadFrame("bad_item: an order of another shop")
    order_id, more = exact_id(order.order_id), told_of(order, row.room_is if isinstance(row, Doudian) else "author")
    if order.create_time:
        new = msgspec.structs.replace(more, amount_minor=0)
        yield order_sale(row, "created", shop, order_id, instant(order.create_time), received_at, new, via=via)
    if order.pay_time:
        paid = msgspec.structs.replace(more, amount_minor=fen(order.pay_amount))
        yield order_sale(row, "paid", shop, order_id, instant(order.pay_time), received_at, paid, via=via)


def _refunded(row: FeedRow, shop: str, refund: Refund, received_at: datetime) -> Iterable[Sale]:
    """When the money went back is not said: at the latest when the after-sale was closed, or touched last."""
    info, order_id = refund.aftersale_info, exact_id(refund.order_info.shop_order_id)
    if info.refund_status == MONEY_IS_BACK:
        touched = [told for told in (info.update_time, info.aftersale_status_to_final_time) if told]
        yield order_sale(
            row, "refunded", shop, order_id, min(map(instant, touched)), received_at,
            OrderDetail(amount_minor=fen(info.refund_amount)), exact_id(info.aftersale_id), "poll",
        )  # fmt: skip


def _updated(entries: Sequence[object], within: str = "") -> list[int]:
    """The seconds of their last updates, as far as they can be read."""
    seconds: list[int] = []
    for entry in entries:
        with suppress(BadFrame):  # an entry without it is set aside by itself, with its reason
            told = inner_json(entry, dict[str, object])
            told = inner_json(told.get(within), dict[str, object]) if within else told
            seconds.append(int(instant(told.get("update_time")).timestamp()))
    return seconds


def _next(updated: Sequence[int], entries: int, total: int, page: int) -> str:
    """The mark of the page after this one; empty, where `total` says that there is none."""
    if page * PAGE_SIZE + entries >= total:
        return ""
    if not updated or list(updated) != sorted(updated):
        raise BadFrame("bad_page: it is empty, or not in the order of updates, and more should follow")
    return f"{updated[-1]}.0" if updated[0] < updated[-1] else f"{updated[-1]}.{page + 1}"
