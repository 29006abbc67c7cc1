"""What Taobao says of a trade, alone (taobao.trade.fullinfo.get) or in a list (taobao.trades.sold.increment.get).

Its amounts are yuan, its times are those of Shanghai.
"""

from zoneinfo import ZoneInfo

import msgspec

from ..details import OrderDetail, meant
from ..instants import instant
from ..json_body import json_body
from ..money import count, yuan
from ..order_ids import exact_id
from ..sale_items import summed
from ..tick import SaleItem

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Line(msgspec.Struct, frozen=True):
    num_iid: str | int
    title: str | None = None
    num: object = None
    divide_order_fee: object = None  # what was paid for this line, discounts of the order spread over its lines
    refund_status: str = ""


class Lines(msgspec.Struct, frozen=True):
    order: list[Line] = []


class Trade(msgspec.Struct, frozen=True):
    tid: str | int
    payment: object = None
    pay_time: str | None = None
    buyer_open_uid: str = ""
    orders: Lines = Lines()
    status: str = ""
    created: str | None = None
    modified: str | None = None
    end_time: str | None = None


class Response(msgspec.Struct, frozen=True):
    trade: Trade


class Answer(msgspec.Struct, frozen=True):
    trade_fullinfo_get_response: Response


def order_detail(answer: bytes, tid: str) -> OrderDetail:
    """A trade that was not paid when it was asked for has no `paid_at`: ask again."""
    trade = json_body(answer, Answer).trade_fullinfo_get_response.trade
    meant(str(trade.tid) == tid, "of another trade")
    return told_of(trade)


def told_of(trade: Trade) -> OrderDetail:
    """Raises BadFrame."""
    counts = [None if line.num is None else count(line.num) for line in trade.orders.order]
    paid = [None if line.divide_order_fee is None else yuan(line.divide_order_fee) for line in trade.orders.order]
    return OrderDetail(
        amount_minor=yuan(trade.payment),
        paid_at=instant(trade.pay_time, SHANGHAI) if trade.pay_time else None,
        units=sum(known for known in counts if known is not None) or None,
        buyer=trade.buyer_open_uid.encode() or None,
        items=summed(
            SaleItem(exact_id(line.num_iid), line.title, units, amount_minor)
            for line, units, amount_minor in zip(trade.orders.order, counts, paid, strict=True)
        ),
    )
