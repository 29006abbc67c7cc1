"""What Xiaohongshu answers to order.getOrderDetail and afterSale.getAfterSaleInfo.

The order's amount field and its unit stand in no page that we could read: the unit is a setting, never assumed.
"""

from collections.abc import Callable

import msgspec

from ..details import OrderDetail, RefundDetail, meant
from ..instants import instant
from ..json_body import json_body
from ..money import count, yuan
from ..order_ids import exact_id
from ..sale_items import summed
from ..tick import SaleItem

REFUNDED = 2
CLOSED = frozenset({5, 6, 9, 9001})  # refused, cancelled or closed


class Sku(msgspec.Struct, frozen=True):
    skuId: str | int
    skuName: str | None = None
    skuQuantity: object = None


class Order(msgspec.Struct, frozen=True):
    orderId: str | int
    totalPayAmount: object
    paidTime: object = None
    skuList: list[Sku] = []


class OrderAnswer(msgspec.Struct, frozen=True):
    success: bool
    data: Order


class Refund(msgspec.Struct, frozen=True):
    returnsId: str | int
    refundAmountYuan: object = None
    refundStatus: int | None = None
    status: int | None = None
    refundTime: object = None


class RefundAnswer(msgspec.Struct, frozen=True):
    success: bool
    data: Refund


def order_detail(answer: bytes, order_id: str, amount: Callable[[object], int]) -> OrderDetail:
    """An order that was not paid when it was asked for has no `paid_at`: ask again."""
    told = json_body(answer, OrderAnswer)
    order = told.data
    meant(told.success and str(order.orderId) == order_id, "of another order")
    counts = [None if sku.skuQuantity is None else count(sku.skuQuantity) for sku in order.skuList]
    return OrderDetail(
        amount_minor=amount(order.totalPayAmount),
        paid_at=instant(order.paidTime) if order.paidTime else None,
        units=sum(known for known in counts if known is not None) or None,
        items=summed(
            SaleItem(exact_id(sku.skuId), sku.skuName, units) for sku, units in zip(order.skuList, counts, strict=True)
        ),
    )


def refund_detail(answer: bytes, refund_id: str) -> RefundDetail:
    """What came back; what was asked for (`expectedRefundAmountYuan`) is not read."""
    told = json_body(answer, RefundAnswer)
    refund = told.data
    meant(told.success and str(refund.returnsId) == refund_id, "of another refund")
    if refund.refundStatus != REFUNDED:
        return RefundDetail(done=False, closed=refund.status in CLOSED)
    done_at = instant(refund.refundTime) if refund.refundTime else None
    return RefundDetail(done=True, amount_minor=yuan(refund.refundAmountYuan), refunded_at=done_at)
