"""What Kwaixiaodian says of an order and of a refund, alone (open.order.detail, open.seller.order.refund.detail) or in
a list, which has the same fields. Its amounts are fen."""

import msgspec

from ..details import OrderDetail, RefundDetail, meant
from ..instants import instant
from ..json_body import json_body
from ..money import count, fen
from ..order_ids import exact_id
from ..tick import SaleItem

SUCCESS = 1
REFUNDED = 60


class OrderHead(msgspec.Struct, frozen=True):
    oid: str | int
    totalFee: object
    payTime: object = None
    buyerOpenId: str = ""
    createTime: object = None


class OrderItem(msgspec.Struct, frozen=True):
    itemId: str | int | None = None
    itemTitle: str | None = None
    num: object = None


class Order(msgspec.Struct, frozen=True):
    orderBaseInfo: OrderHead
    orderItemInfo: OrderItem = OrderItem()


class OrderAnswer(msgspec.Struct, frozen=True):
    result: int
    data: Order


class Refund(msgspec.Struct, frozen=True):
    refundId: str | int
    refundFee: object
    status: int | None = None


class RefundAnswer(msgspec.Struct, frozen=True):
    result: int
    data: Refund


def order_detail(answer: bytes, order_id: str) -> OrderDetail:
    """An order that was not paid when it was asked for has no `paid_at`: ask again."""
    told = json_body(answer, OrderAnswer)
    meant(told.result == SUCCESS and str(told.data.orderBaseInfo.oid) == order_id, "of another order")
    return told_of(told.data)


def told_of(order: Order) -> OrderDetail:
    """Raises BadFrame."""
    head, item = order.orderBaseInfo, order.orderItemInfo
    amount_minor, units = fen(head.totalFee), None if item.num is None else count(item.num)
    line = [] if item.itemId is None else [SaleItem(exact_id(item.itemId), item.itemTitle, units, amount_minor)]
    return OrderDetail(
        amount_minor=amount_minor,
        paid_at=instant(head.payTime) if head.payTime else None,
        units=units,
        buyer=head.buyerOpenId.encode() or None,
        items=tuple(line),
    )


def refund_detail(answer: bytes, refund_id: str) -> RefundDetail:
    told = json_body(answer, RefundAnswer)
    meant(told.result == SUCCESS and str(told.data.refundId) == refund_id, "of another refund")
    if told.data.status not in (None, REFUNDED):
        return RefundDetail(done=False)
    return RefundDetail(done=True, amount_minor=fen(told.data.refundFee))
