"""What Pinduoduo says of an order, alone (pdd.order.information.get) or listed (pdd.order.number.list.increment.get).

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
    """What was paid for it is not told: its price is the one before discounts."""

    goods_id: str | int
    goods_name: str | None = None
    goods_count: object = None


class Order(msgspec.Struct, frozen=True):
    order_sn: str
    pay_amount: object = None  # goods less discounts, with postage
    pay_time: str | None = None
    item_list: list[Line] = []
    confirm_status: int | None = None
    risk_control_status: int | None = None


class Response(msgspec.Struct, frozen=True):
    order_info: Order


class Answer(msgspec.Struct, frozen=True):
    order_info_get_response: Response


def order_detail(answer: bytes, order_sn: str) -> OrderDetail:
    """An order that was not paid when it was asked for has no `paid_at`: ask again."""
    order = json_body(answer, Answer).order_info_get_response.order_info
    meant(order.order_sn == order_sn, "of another order")
    return told_of(order)


def told_of(order: Order) -> OrderDetail:
    """Raises BadFrame."""
    counts = [None if line.goods_count is None else count(line.goods_count) for line in order.item_list]
    return OrderDetail(
        amount_minor=yuan(order.pay_amount),
        paid_at=instant(order.pay_time, SHANGHAI) if order.pay_time else None,
        units=sum(known for known in counts if known is not None) or None,
        items=summed(
            SaleItem(exact_id(line.goods_id), line.goods_name, units)
            for line, units in zip(order.item_list, counts, strict=True)
        ),
    )
