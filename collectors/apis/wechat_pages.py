"""Pages of channels/ec/order/list/get and aftersale/getaftersalelist: ids alone, each to be asked for by itself."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import msgspec

from ..collector import BadFrame, FeedRow
from ..details import ORDER, REFUND, OrderDetail, understood
from ..hook import Bad, Details, Need
from ..instants import instant
from ..json_body import json_body
from ..money import fen
from ..open_api import Page
from ..order_details.wechat_shop import REFUNDED, order_in, refund_in, told_of
from ..order_ids import exact_id, fit_name
from ..order_sale import order_sale
from ..tick import Sale

UNPAID = frozenset({10, 250})  # to be paid, and closed before it was: such an order may carry pay_info (china.md 6.2)


class Orders(msgspec.Struct, frozen=True):
    order_id_list: list[object] = []
    next_key: str = ""
    has_more: bool = False


class Refunds(msgspec.Struct, frozen=True):
    after_sale_order_id_list: list[object] = []
    next_key: str = ""
    has_more: bool = False


def orders_page(row: FeedRow, shop: str, body: bytes, received_at: datetime, details: Details) -> Page:
    told = json_body(body, Orders)
    return _page(
        told.order_id_list, ORDER, shop, details,
        lambda answer, order_id: _order(row, shop, answer, order_id, received_at), _next(told),
    )  # fmt: skip


def refunds_page(row: FeedRow, shop: str, body: bytes, received_at: datetime, details: Details) -> Page:
    told = json_body(body, Refunds)
    return _page(
        told.after_sale_order_id_list, REFUND, shop, details,
        lambda answer, refund_id: _refund(row, shop, answer, refund_id, received_at), _next(told),
    )  # fmt: skip


def _page(
    ids: Sequence[object], what: str, shop: str, details: Details, read: Callable[[bytes, str], Iterable[Sale]],
    mark: str,
) -> Page:  # fmt: skip
    """An id whose answer is not there, or is of no use, is needed."""
    sales: list[Sale] = []
    needs: list[Need] = []
    bad: list[Bad] = []
    for number, told in enumerate(ids, 1):
        try:
            key = exact_id(told)
        except BadFrame as error:
            bad.append(Bad(str(error), fit_name(told) or f"entry {number}", b""))
            continue
        found = understood(details, what, key, lambda answer, key=key: list(read(answer, key)))  # type: ignore[misc]
        if found is None:
            needs.append(Need(what, key, shop))
        else:
            sales += found
    return Page(sales, needs, bad, mark)


def _next(told: Orders | Refunds) -> str:
    if told.has_more and not told.next_key:
        raise BadFrame("bad_page: more should follow, and it does not say where")
    return told.next_key if told.has_more else ""


def _order(row: FeedRow, shop: str, answer: bytes, order_id: str, received_at: datetime) -> Iterable[Sale]:
    """When an order was cancelled is not said: that fact is the push's alone."""
    order = order_in(answer, order_id)
    more = told_of(order)
    if order.create_time:
        created_at = instant(order.create_time)
        yield order_sale(row, "created", shop, order_id, created_at, received_at, OrderDetail(), via="poll")
    if more.paid_at is not None and order.status is not None and order.status not in UNPAID:
        yield order_sale(row, "paid", shop, order_id, more.paid_at, received_at, more, via="poll")


def _refund(row: FeedRow, shop: str, answer: bytes, refund_id: str, received_at: datetime) -> Iterable[Sale]:
    """What is not done yet is no fact, and comes again with its next update."""
    refund = refund_in(answer, refund_id)
    if refund.status in REFUNDED:
        yield order_sale(
            row, "refunded", shop, exact_id(refund.order_id), instant(refund.complete_time or refund.update_time),
            received_at, OrderDetail(amount_minor=fen(refund.refund_info.amount)), refund_id, "poll",
        )  # fmt: skip
