"""What `pdd.order.information.get` answers, as far as a sale needs it."""

import msgspec

from .collector import BadFrame
from .json_body import json_body
from .money import count
from .order_socket import identity
from .tick import SaleItem

DETAIL = "order.information"  # the `what` of a Need

Id = int | str


class Line(msgspec.Struct, frozen=True):
    goods_id: Id
    goods_name: str | None = None
    goods_count: object = None


class OrderInfo(msgspec.Struct, frozen=True):
    order_sn: str
    pay_amount: object = None  # yuan: goods less discounts, with postage
    pay_time: str | None = None
    item_list: list[Line] = []


class Response(msgspec.Struct, frozen=True):
    order_info: OrderInfo


class OrderInformation(msgspec.Struct, frozen=True):
    order_info_get_response: Response


def order_of(answer: bytes | None, tid: str) -> OrderInfo | None:
    """The order that was asked for. An error, or an answer to another question, is none: it is asked for again."""
    if answer is None:
        return None
    try:
        order = json_body(answer, OrderInformation).order_info_get_response.order_info
    except BadFrame:
        return None
    return order if order.order_sn == tid else None


def items_of(order: OrderInfo) -> tuple[SaleItem, ...]:
    """What a line cost is not told: prices are those before discounts."""
    return tuple(
        SaleItem(
            identity(line.goods_id, "goods_id"),
            line.goods_name,
            None if line.goods_count is None else count(line.goods_count),
        )
        for line in order.item_list
    )
