"""What Doudian says of an order, alone (order.orderDetail) or in a list (order.searchList): amounts are fen."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from ..details import OrderDetail, meant
from ..json_body import json_body
from ..money import count, fen
from ..order_ids import agreed, exact_id
from ..sale_items import summed
from ..tick import SaleItem


class Line(msgspec.Struct, frozen=True):
    """A sub-order: one product of one broadcast."""

    product_id: str | int
    product_name: str | None = None
    item_num: object = None
    pay_amount: object = None
    author_id: str | int | None = None
    room_id: str | int | None = None


class Order(msgspec.Struct, frozen=True):
    order_id: str | int
    doudian_open_id: str = ""
    sku_order_list: Sequence[Line] = ()
    shop_id: str | int | None = None
    create_time: object = None
    update_time: object = None
    pay_time: object = None
    pay_amount: object = None


class Data(msgspec.Struct, frozen=True):
    shop_order_detail: Order


class Answer(msgspec.Struct, frozen=True):
    data: Data
    code: int = 10000
    err_no: int = 0


def order_detail(answer: bytes, order_id: str, room_is: Literal["author", "room"]) -> OrderDetail:
    return told_of(order_in(answer, order_id), room_is)


def order_in(answer: bytes, order_id: str) -> Order:
    """The order that was asked for. Raises BadFrame."""
    told = json_body(answer, Answer)
    order = told.data.shop_order_detail
    meant((told.code, told.err_no) == (10000, 0) and str(order.order_id) == order_id, "of another order")
    return order


def told_of(order: Order, room_is: Literal["author", "room"]) -> OrderDetail:
    """What it adds to an event of it, whose time and amount the event has itself. Raises BadFrame."""
    lines = order.sku_order_list
    return OrderDetail(
        room=agreed(line.author_id if room_is == "author" else line.room_id for line in lines),
        units=sum(count(line.item_num) for line in lines) or None,
        buyer=order.doudian_open_id.encode() or None,
        items=summed(
            SaleItem(exact_id(line.product_id), line.product_name, count(line.item_num), fen(line.pay_amount))
            for line in lines
        ),
    )
