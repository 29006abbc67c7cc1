"""Pages of pdd.order.number.list.increment.get and pdd.refund.list.increment.get: what they say, which one is next."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from ..back_to_front import page_before
from ..collector import FeedRow
from ..details import OrderDetail
from ..instants import instant
from ..json_body import json_body
from ..money import yuan
from ..open_api import Page
from ..order_details.pinduoduo import SHANGHAI, Order, told_of
from ..order_ids import exact_id
from ..order_sale import order_sale
from ..pages import page_of
from ..tick import Sale

PAGE_SIZE = 100
CONFIRMED = 1  # confirm_status: 0 not yet, 2 cancelled
UNDER_REVIEW = 1  # risk_control_status
MONEY_IS_BACK = 10  # after_sales_status: 4 and 5 are agreed, and the money is on its way


class Orders(msgspec.Struct, frozen=True):
    order_sn_list: list[object] | None = None
    total_count: int | None = None


class OrdersAnswer(msgspec.Struct, frozen=True):
    order_sn_increment_get_response: Orders


class AfterSale(msgspec.Struct, frozen=True):
    id: str | int
    order_sn: str
    after_sales_status: int
    updated_time: object
    refund_amount: object = None


class Refunds(msgspec.Struct, frozen=True):
    refund_list: list[object] | None = None
    total_count: int | None = None


class RefundsAnswer(msgspec.Struct, frozen=True):
    refund_increment_get_response: Refunds


def orders_page(row: FeedRow, mall: str, body: bytes, received_at: datetime, mark: str) -> Page:
    told = json_body(body, OrdersAnswer).order_sn_increment_get_response
    next_mark = page_before(mark, told.total_count, PAGE_SIZE)
    return page_of(
        told.order_sn_list or [], Order, "order_sn", lambda order: _paid(row, mall, order, received_at), next_mark
    )


def refunds_page(row: FeedRow, mall: str, body: bytes, received_at: datetime, mark: str) -> Page:
    told = json_body(body, RefundsAnswer).refund_increment_get_response
    next_mark = page_before(mark, told.total_count, PAGE_SIZE)
    return page_of(
        told.refund_list or [], AfterSale, "id", lambda refund: _refunded(row, mall, refund, received_at), next_mark
    )


def _paid(row: FeedRow, mall: str, order: Order, received_at: datetime) -> Iterable[Sale]:
    """As the push, not before the order is confirmed: until its group is full it may still be given up."""
    order_sn, more = exact_id(order.order_sn), told_of(order)
    if order.confirm_status == CONFIRMED and order.risk_control_status != UNDER_REVIEW and more.paid_at is not None:
        yield order_sale(row, "paid", mall, order_sn, more.paid_at, received_at, more, via="poll")


def _refunded(row: FeedRow, mall: str, refund: AfterSale, received_at: datetime) -> Iterable[Sale]:
    if refund.after_sales_status == MONEY_IS_BACK:
        yield order_sale(
            row, "refunded", mall, exact_id(refund.order_sn), instant(refund.updated_time, SHANGHAI), received_at,
            OrderDetail(amount_minor=yuan(refund.refund_amount)), exact_id(refund.id), "poll",
        )  # fmt: skip
