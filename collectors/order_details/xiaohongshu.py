"""What Xiaohongshu answers to order.getOrderDetail and afterSale.getAfterSaleInfo.

The unit of the order's amount is a setting. Two public readings of the official page (27242) say fen, freight and
deposit included; nobody has seen a real answer yet.
"""

from collections.abc import Callable

import msgspec

from ..details import OrderDetail, RefundDetail, meant
from ..inner_json import inner_json
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


class Envelope(msgspec.Struct, frozen=True):
    success: bool
    data: object = None


class Refund(msgspec.Struct, frozen=True):
    returnsId: str | int
    refundAmountYuan: object = None
    refundStatus: int | None = None
    status: int | None = None
    refundTime: object = None


def told_in(answer: bytes) -> dict[str, object]:
    """What an answer holds. Newer methods put an envelope of their own into that of the gateway. Raises BadFrame."""
    told = json_body(answer, Envelope)
    data = inner_json(told.data, dict[str, object]) if told.success else {}
    if told.success and {"success", "data"} <= data.keys():
        told = inner_json(data, Envelope)
        data = inner_json(told.data, dict[str, object]) if told.success else {}
    meant(told.success, "it is a refusal")
    return data


def order_detail(answer: bytes, order_id: str, amount: Callable[[object], int]) -> OrderDetail:
    """An order that was not paid when it was asked for has no `paid_at`: ask again."""
    order = inner_json(told_in(answer), Order)
    meant(str(order.orderId) == order_id, "of another order")
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
    told = told_in(answer)
    refund = inner_json(told.get("afterSaleInfo", told), Refund)
    meant(str(refund.returnsId) == refund_id, "of another refund")
    if refund.refundStatus != REFUNDED:
        return RefundDetail(done=False, closed=refund.status in CLOSED)
    done_at = instant(refund.refundTime) if refund.refundTime else None
    return RefundDetail(done=True, amount_minor=yuan(refund.refundAmountYuan), refunded_at=done_at)
