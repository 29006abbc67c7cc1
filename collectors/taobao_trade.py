"""What `taobao.trade.fullinfo.get` answers, as far as a sale needs it."""

import msgspec

from .collector import BadFrame
from .json_body import json_body
from .money import count, yuan
from .order_socket import identity
from .tick import SaleItem

DETAIL = "trade.fullinfo"  # the `what` of a Need
NEVER_PAID = "TRADE_CLOSED_BY_TAOBAO"  # closed before it was paid; TRADE_CLOSED: all of it was refunded

Id = int | str


class Line(msgspec.Struct, frozen=True):
    num_iid: Id
    title: str | None = None
    num: object = None
    divide_order_fee: object = None  # yuan: what was paid for this line, discounts of the order spread over its lines


class Lines(msgspec.Struct, frozen=True):
    order: list[Line] = []


class Trade(msgspec.Struct, frozen=True):
    tid: Id
    payment: object = None  # yuan
    pay_time: str | None = None
    status: str = ""
    buyer_open_uid: str = ""
    orders: Lines = Lines()


class Response(msgspec.Struct, frozen=True):
    trade: Trade


class FullInfo(msgspec.Struct, frozen=True):
    trade_fullinfo_get_response: Response


def trade_of(answer: bytes | None, tid: str) -> Trade | None:
    """The trade that was asked for. An error, or an answer to another question, is none: it is asked for again."""
    if answer is None:
        return None
    try:
        trade = json_body(answer, FullInfo).trade_fullinfo_get_response.trade
    except BadFrame:
        return None
    return trade if str(trade.tid) == tid else None


def items_of(trade: Trade) -> tuple[SaleItem, ...]:
    return tuple(
        SaleItem(
            identity(line.num_iid, "num_iid"),
            line.title,
            None if line.num is None else count(line.num),
            None if line.divide_order_fee is None else yuan(line.divide_order_fee),
        )
        for line in trade.orders.order
    )
