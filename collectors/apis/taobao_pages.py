"""Pages of taobao.trades.sold.increment.get and taobao.refunds.receive.get: what they say, and which one is next."""

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
from ..order_details.taobao import SHANGHAI, Trade, told_of
from ..order_ids import exact_id
from ..order_sale import order_sale
from ..pages import page_of
from ..tick import Sale

PAGE_SIZE = 100
# What we read, and nothing that names a person: fields that are not asked for do not come.
TRADE_FIELDS = "tid,status,payment,created,pay_time,modified,end_time,buyer_open_uid,orders"
REFUND_FIELDS = "refund_id,tid,status,refund_fee,modified"
REFUNDED = "SUCCESS"
NEVER_PAID = "TRADE_CLOSED_BY_TAOBAO"  # as in the push
# Statuses of a trade that is paid whole (a deposit is not, and waits as WAIT_BUYER_PAY). Of one that was closed after
# it was paid (TRADE_CLOSED) it is not known whether `payment` is still what was paid.
PAID = frozenset({
    "WAIT_SELLER_SEND_GOODS", "SELLER_CONSIGNED_PART", "WAIT_BUYER_CONFIRM_GOODS", "TRADE_BUYER_SIGNED",
    "TRADE_FINISHED", "PAID_FORBID_CONSIGN",
})  # fmt: skip


class Trades(msgspec.Struct, frozen=True):
    trade: list[object] = []


class TradesResponse(msgspec.Struct, frozen=True):
    trades: Trades = Trades()
    total_results: int | None = None


class TradesAnswer(msgspec.Struct, frozen=True):
    trades_sold_increment_get_response: TradesResponse


class Refund(msgspec.Struct, frozen=True):
    refund_id: str | int
    tid: str | int
    status: str
    modified: str
    refund_fee: object = None


class Refunds(msgspec.Struct, frozen=True):
    refund: list[object] = []


class RefundsResponse(msgspec.Struct, frozen=True):
    refunds: Refunds = Refunds()
    total_results: int | None = None


class RefundsAnswer(msgspec.Struct, frozen=True):
    refunds_receive_get_response: RefundsResponse


def trades_page(row: FeedRow, shop: str, body: bytes, received_at: datetime, mark: str) -> Page:
    told = json_body(body, TradesAnswer).trades_sold_increment_get_response
    next_mark = page_before(mark, told.total_results, PAGE_SIZE)
    return page_of(told.trades.trade, Trade, "tid", lambda trade: _facts(row, shop, trade, received_at), next_mark)


def refunds_page(row: FeedRow, shop: str, body: bytes, received_at: datetime, mark: str) -> Page:
    told = json_body(body, RefundsAnswer).refunds_receive_get_response
    next_mark = page_before(mark, told.total_results, PAGE_SIZE)
    return page_of(
        told.refunds.refund, Refund, "refund_id", lambda refund: _refunded(row, shop, refund, received_at), next_mark
    )


def _facts(row: FeedRow, shop: str, trade: Trade, received_at: datetime) -> Iterable[Sale]:
    """What the push told of this trade, as far as the amount that it told can still be seen.

    A new trade is one that nobody has touched since: later its price may have been changed. A refund that went through
    takes its amount out of `payment`, so such a trade no longer says what was paid.
    """
    tid, more = exact_id(trade.tid), told_of(trade)
    alone = OrderDetail(amount_minor=more.amount_minor, buyer=more.buyer)
    if trade.created and trade.created == trade.modified:
        yield order_sale(row, "created", shop, tid, _at(trade.created), received_at, alone, via="poll")
    if trade.status == NEVER_PAID and trade.end_time:
        yield order_sale(row, "cancelled", shop, tid, _at(trade.end_time), received_at, alone, via="poll")
    whole = all(line.refund_status != REFUNDED for line in trade.orders.order)
    if trade.status in PAID and more.paid_at is not None and whole:
        yield order_sale(row, "paid", shop, tid, more.paid_at, received_at, more, via="poll")


def _refunded(row: FeedRow, shop: str, refund: Refund, received_at: datetime) -> Iterable[Sale]:
    if refund.status == REFUNDED:
        yield order_sale(
            row, "refunded", shop, exact_id(refund.tid), _at(refund.modified), received_at,
            OrderDetail(amount_minor=yuan(refund.refund_fee)), exact_id(refund.refund_id), "poll",
        )  # fmt: skip


def _at(written: str) -> datetime:
    return instant(written, SHANGHAI)
