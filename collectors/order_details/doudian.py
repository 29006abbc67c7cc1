"""What Doudian answers to order/orderDetail: where and by whom it was bought. Its amounts are fen."""

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
    sku_order_list: list[Line] = []


class Data(msgspec.Struct, frozen=True):
    shop_order_detail: Order


class Answer(msgspec.Struct, frozen=True):
    data: Data
    code: int = 10000
    err_no: int = 0


def order_detail(answer: bytes, order_id: str, room_is: Literal["author", "room"]) -> OrderDetail:
    told = json_body(answer, Answer)
    order = told.data.shop_order_detail
    meant((told.code, told.err_no) == (10000, 0) and str(order.order_id) == order_id, "of another order")
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
