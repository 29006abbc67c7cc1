"""Pages of Xiaohongshu's lists of orders and of after-sales, which are read from the last page to the first.

Neither has amounts that can be trusted: of an order there is none, of an after-sale that which was asked for. So what
was paid, and what was given back, is asked for one by one.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from ..back_to_front import page_before
from ..collector import BadFrame, FeedRow
from ..details import ORDER, REFUND, OrderDetail, understood
from ..hook import Details, Need
from ..inner_json import inner_json
from ..instants import instant
from ..money import fen, yuan
from ..open_api import Page
from ..order_details.xiaohongshu import order_detail, refund_detail, told_in
from ..order_ids import exact_id
from ..order_sale import order_sale
from ..pages import page_of
from ..tick import Sale

PAGE_SIZE = 100
ORDER_PAGES_MAX, REFUND_PAGES_MAX = 100, 500  # the platform numbers no more
CANCELLED = frozenset({8, 9})
COMPLETED = 4  # of an after-sale; no money goes back before
EXCHANGE = 2


class Order(msgspec.Struct, frozen=True):
    """`cancelTime` is from memory of the page, not confirmed; without it the fact is the push's alone."""

    orderId: str | int
    orderStatus: int | None = None
    createdTime: object = None
    paidTime: object = None
    cancelTime: object = None


class Orders(msgspec.Struct, frozen=True):
    total: int
    orderList: list[object] | None = None


class AfterSale(msgspec.Struct, frozen=True):
    returnsId: str | int
    orderId: str | int
    updatedAt: object = None
    status: int | None = None
    returnType: int | None = None


class AfterSales(msgspec.Struct, frozen=True):
    totalCount: int
    afterSaleBasicInfos: list[object] | None = None


def orders_page(row: FeedRow, shop: str, body: bytes, received_at: datetime, details: Details, mark: str) -> Page:
    told = inner_json(told_in(body), Orders)
    following, read = _before(mark, told.total, ORDER_PAGES_MAX), _unit(row)

    def meant(order: Order) -> Iterable[Sale | Need]:
        order_id = exact_id(order.orderId)
        if order.createdTime:
            at = instant(order.createdTime)
            yield order_sale(row, "created", shop, order_id, at, received_at, OrderDetail(), via="poll")
        if order.paidTime:
            more = understood(details, ORDER, order_id, lambda answer: order_detail(answer, order_id, read))
            if more is None or more.paid_at is None:
                yield Need(ORDER, order_id, shop)
            else:
                yield order_sale(row, "paid", shop, order_id, more.paid_at, received_at, more, via="poll")
        if order.orderStatus in CANCELLED and order.cancelTime:
            at = instant(order.cancelTime)
            yield order_sale(row, "cancelled", shop, order_id, at, received_at, OrderDetail(), via="poll")

    return page_of(told.orderList or [], Order, "orderId", meant, following)


def refunds_page(row: FeedRow, shop: str, body: bytes, received_at: datetime, details: Details, mark: str) -> Page:
    told = inner_json(told_in(body), AfterSales)
    following = _before(mark, told.totalCount, REFUND_PAGES_MAX)

    def meant(one: AfterSale) -> Iterable[Sale | Need]:
        refund_id, order_id = exact_id(one.returnsId), exact_id(one.orderId)
        if one.status != COMPLETED or one.returnType == EXCHANGE:
            return
        more = understood(details, REFUND, refund_id, lambda answer: refund_detail(answer, refund_id))
        if more is None:
            yield Need(REFUND, refund_id, shop)
        elif more.done:
            yield order_sale(
                row, "refunded", shop, order_id, more.refunded_at or instant(one.updatedAt), received_at,
                OrderDetail(amount_minor=more.amount_minor), refund_id, "poll",
            )  # fmt: skip

    return page_of(told.afterSaleBasicInfos or [], AfterSale, "returnsId", meant, following)


def _before(mark: str, total: int, pages_max: int) -> str:
    if not mark and total > pages_max * PAGE_SIZE:
        raise BadFrame("bad_page: the window holds more than the platform would list")
    return page_before(mark, total, PAGE_SIZE)


def _unit(row: FeedRow) -> Callable[[object], int]:
    """In what the row says that amounts are told; the official page says fen."""
    return yuan if getattr(row, "amounts_in", "") == "yuan" else fen
