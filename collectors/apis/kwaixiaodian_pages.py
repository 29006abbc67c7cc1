"""Pages of Kwaixiaodian's lists of orders and of refunds: what they say, and the cursor of the next one."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from ..collector import BadFrame, FeedRow
from ..details import OrderDetail
from ..instants import instant
from ..json_body import json_body
from ..money import fen
from ..open_api import Page
from ..order_details.kwaixiaodian import REFUNDED, Order, told_of
from ..order_ids import exact_id
from ..order_sale import order_sale
from ..pages import page_of
from ..tick import Sale

EXCHANGE = 3
AT_THE_END = ("", "nomore")


class Orders(msgspec.Struct, frozen=True):
    cursor: str
    orderList: list[object] | None = None


class OrdersAnswer(msgspec.Struct, frozen=True):
    data: Orders


class Refund(msgspec.Struct, frozen=True):
    refundId: str | int
    oid: str | int
    updateTime: object
    refundFee: object = None
    status: int | None = None
    handlingWay: int | None = None
    sellerId: str | int | None = None


class Refunds(msgspec.Struct, frozen=True):
    pcursor: str
    refundOrderInfoList: list[object] | None = None


class RefundsAnswer(msgspec.Struct, frozen=True):
    data: Refunds


def page_of_mark(mark: str) -> tuple[int, str]:
    """Which page, and the platform's cursor to it: refunds want both."""
    number, _, cursor = mark.partition(" ")
    return int(number or 1), cursor


def orders_page(row: FeedRow, shop: str, body: bytes, received_at: datetime, mark: str) -> Page:
    told = json_body(body, OrdersAnswer).data
    entries, following = told.orderList or [], _next(mark, told.cursor)
    return page_of(entries, Order, "oid", lambda order: _facts(row, shop, order, received_at), following)


def refunds_page(row: FeedRow, shop: str, body: bytes, received_at: datetime, mark: str) -> Page:
    told = json_body(body, RefundsAnswer).data
    entries, following = told.refundOrderInfoList or [], _next(mark, told.pcursor)
    return page_of(entries, Refund, "refundId", lambda refund: _refunded(row, shop, refund, received_at), following)


def _facts(row: FeedRow, shop: str, order: Order, received_at: datetime) -> Iterable[Sale]:
    """A failed order says nowhere when it failed: that fact is the push's alone."""
    head, more = order.orderBaseInfo, told_of(order)
    order_id = exact_id(head.oid)
    if head.createTime:
        new = OrderDetail(buyer=more.buyer)
        yield order_sale(row, "created", shop, order_id, instant(head.createTime), received_at, new, via="poll")
    if more.paid_at is not None:
        yield order_sale(row, "paid", shop, order_id, more.paid_at, received_at, more, via="poll")


def _refunded(row: FeedRow, shop: str, refund: Refund, received_at: datetime) -> Iterable[Sale]:
    if refund.sellerId is not None and exact_id(refund.sellerId) != shop:
        raise BadFrame("bad_item: a refund of another shop")
    if refund.status == REFUNDED and refund.handlingWay != EXCHANGE:
        yield order_sale(
            row, "refunded", shop, exact_id(refund.oid), instant(refund.updateTime), received_at,
            OrderDetail(amount_minor=fen(refund.refundFee)), exact_id(refund.refundId), "poll",
        )  # fmt: skip


def _next(mark: str, cursor: str) -> str:
    number, before = page_of_mark(mark)
    if cursor in AT_THE_END:
        return ""
    if cursor == before:
        raise BadFrame("bad_page: its cursor leads to itself")
    return f"{number + 1} {cursor}"
