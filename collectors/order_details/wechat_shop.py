"""What WeChat answers to channels/ec/order/get and channels/ec/aftersale/getaftersaleorder. Its amounts are fen."""

import msgspec

from ..details import OrderDetail, RefundDetail, meant
from ..instants import instant
from ..json_body import json_body
from ..money import count, fen
from ..order_ids import agreed, exact_id
from ..sale_items import summed
from ..tick import SaleItem

REFUNDED = frozenset({"MERCHANT_REFUND_SUCCESS", "MERCHANT_RETURN_SUCCESS"})


class Price(msgspec.Struct, frozen=True):
    order_price: object  # what the buyer paid


class Payment(msgspec.Struct, frozen=True):
    pay_time: object = None


class Product(msgspec.Struct, frozen=True):
    product_id: str | int
    title: str | None = None
    sku_cnt: object = None
    real_price: object = None


class Finder(msgspec.Struct, frozen=True):
    """Who is named as the seller: the broadcaster's video account."""

    finder_id: str | int | None = None


class Inside(msgspec.Struct, frozen=True):
    price_info: Price
    pay_info: Payment = Payment()
    product_infos: list[Product] = []
    commission_infos: list[Finder] = []
    ext_info: Finder = Finder()


class Order(msgspec.Struct, frozen=True):
    order_id: str | int
    order_detail: Inside
    openid: str = ""
    status: int | None = None
    create_time: object = None


class OrderAnswer(msgspec.Struct, frozen=True):
    order: Order
    errcode: int = 0


class Money(msgspec.Struct, frozen=True):
    amount: object


class Refund(msgspec.Struct, frozen=True):
    after_sale_order_id: str | int
    status: str
    refund_info: Money
    complete_time: object = None
    order_id: str | int | None = None
    update_time: object = None


class RefundAnswer(msgspec.Struct, frozen=True):
    after_sale_order: Refund
    errcode: int = 0


def order_detail(answer: bytes, order_id: str) -> OrderDetail:
    return told_of(order_in(answer, order_id))


def order_in(answer: bytes, order_id: str) -> Order:
    """The order that was asked for. Raises BadFrame."""
    told = json_body(answer, OrderAnswer)
    meant(told.errcode == 0 and str(told.order.order_id) == order_id, "of another order")
    return told.order


def told_of(order: Order) -> OrderDetail:
    """Raises BadFrame."""
    inside = order.order_detail
    sellers = [inside.ext_info] if inside.ext_info.finder_id else inside.commission_infos
    counts = [None if product.sku_cnt is None else count(product.sku_cnt) for product in inside.product_infos]
    return OrderDetail(
        amount_minor=fen(inside.price_info.order_price),
        paid_at=instant(inside.pay_info.pay_time) if inside.pay_info.pay_time else None,
        room=agreed(seller.finder_id for seller in sellers),
        units=sum(known for known in counts if known is not None) or None,
        buyer=order.openid.encode() or None,
        items=summed(
            SaleItem(
                exact_id(product.product_id),
                product.title,
                units,
                None if product.real_price is None else fen(product.real_price),
            )
            for product, units in zip(inside.product_infos, counts, strict=True)
        ),
    )


def refund_detail(answer: bytes, refund_id: str) -> RefundDetail:
    refund = refund_in(answer, refund_id)
    if refund.status not in REFUNDED:
        return RefundDetail(done=False)
    done_at = instant(refund.complete_time) if refund.complete_time else None
    return RefundDetail(done=True, amount_minor=fen(refund.refund_info.amount), refunded_at=done_at)


def refund_in(answer: bytes, refund_id: str) -> Refund:
    """The after-sale that was asked for. Raises BadFrame."""
    told = json_body(answer, RefundAnswer)
    refund = told.after_sale_order
    meant(told.errcode == 0 and str(refund.after_sale_order_id) == refund_id, "of another refund")
    return refund
