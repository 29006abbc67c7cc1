"""Shopify: orders, payments, cancellations and refunds of shops, as one row each for the whole order."""

import re
from datetime import datetime
from typing import Annotated

import msgspec

from ..collector import BadFrame
from ..hook import NO_DETAILS, Accepted, App, Delivery, Details, HookRow, Meaning, Refused, Reply
from ..instants import instant
from ..json_body import json_body
from ..money import currency_code, major
from ..sale_items import summed
from ..signing import same, shopify
from ..tick import Sale, SaleItem, SaleKind

DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,80}\.myshopify\.com", re.ASCII)


class Party(msgspec.Struct, frozen=True):
    id: int


class Line(msgspec.Struct, frozen=True):
    id: int
    quantity: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    price: str
    product_id: int | None = None
    title: str | None = None


class Order(msgspec.Struct, frozen=True):
    id: int
    created_at: str
    currency: str
    total_price: str
    updated_at: str | None = None
    cancelled_at: str | None = None
    financial_status: str | None = None
    customer: Party | None = None
    line_items: list[Line] = []
    test: bool = False


class Payment(msgspec.Struct, frozen=True):
    kind: str
    status: str
    amount: str
    currency: str
    test: bool = False


class Refund(msgspec.Struct, frozen=True):
    id: int
    order_id: int
    created_at: str
    transactions: list[Payment] = []


KINDS: dict[str, SaleKind] = {"orders/create": "created", "orders/paid": "paid", "orders/cancelled": "cancelled"}


class Shopify(HookRow, tag="shopify", frozen=True, kw_only=True):
    test_orders: bool = False  # whether orders of a shop's test mode count

    PLATFORM = "shopify"
    HEADERS = (
        "x-shopify-hmac-sha256", "x-shopify-topic", "x-shopify-shop-domain", "x-shopify-webhook-id",
        "x-shopify-triggered-at",
    )  # fmt: skip
    BODY_BYTES_MAX = 1_048_576  # an order of many lines

    def verify(self, delivery: Delivery, app: App, now: datetime) -> Accepted | Refused:
        told = delivery.headers.get("x-shopify-hmac-sha256", "")
        if not any([same(told, shopify(delivery.body, secret)) for secret in app.secrets]):
            return Refused("bad_signature")
        if not DOMAIN.fullmatch(delivery.headers.get("x-shopify-shop-domain", "")):
            return Refused("malformed")
        return Accepted(Reply(), delivery.headers.get("x-shopify-webhook-id", ""))

    def answer_check(self, delivery: Delivery, app: App) -> Reply | None:
        return None

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        delivery = msgspec.msgpack.decode(frame, type=Delivery)
        topic, shop = delivery.headers.get("x-shopify-topic", ""), delivery.headers["x-shopify-shop-domain"]
        if topic == "refunds/create":
            return self._refund(json_body(delivery.body, Refund), shop, at)
        if topic not in KINDS:
            return Meaning()
        order = json_body(delivery.body, Order)
        if order.test and not self.test_orders:
            return Meaning()
        happened_at = _instant_of(KINDS[topic], order, delivery.headers.get("x-shopify-triggered-at"))
        return Meaning([self._sale(order, KINDS[topic], shop, happened_at, at)])

    def _sale(self, order: Order, kind: SaleKind, shop: str, happened_at: datetime, received_at: datetime) -> Sale:
        currency = currency_code(order.currency)
        return Sale(
            feed=self.name, platform=self.platform or self.PLATFORM, event_id=f"{shop}:{order.id}:{kind}",
            at=happened_at, received_at=received_at, kind=kind, amount_minor=major(order.total_price, currency),
            currency=currency, shop=shop, order_id=str(order.id), units=sum(line.quantity for line in order.line_items),
            buyer=str(order.customer.id).encode() if order.customer else None,
            items=summed(_item(line, currency) for line in order.line_items),
        )  # fmt: skip

    def _refund(self, refund: Refund, shop: str, received_at: datetime) -> Meaning:
        """What went back to the buyer. A refund without a payment (goods put back alone) is no sale event."""
        paid_back = [p for p in refund.transactions if p.kind == "refund" and (self.test_orders or not p.test)]
        if any(payment.status not in ("success", "failure", "error") for payment in paid_back):
            raise BadFrame("not_final: a refund that is still on its way")
        done = [payment for payment in paid_back if payment.status == "success"]
        currencies = {currency_code(payment.currency) for payment in done}
        if len(currencies) > 1:
            raise BadFrame("bad_money: one refund in several currencies")
        if not done:
            return Meaning()
        currency = currencies.pop()
        sale = Sale(
            feed=self.name, platform=self.platform or self.PLATFORM, shop=shop, order_id=str(refund.order_id),
            event_id=f"{shop}:{refund.order_id}:refunded:{refund.id}", at=instant(refund.created_at),
            received_at=received_at, kind="refunded", currency=currency,
            amount_minor=sum(major(payment.amount, currency) for payment in done),
        )  # fmt: skip
        return Meaning([sale])


def _instant_of(kind: SaleKind, order: Order, triggered_at: str | None) -> datetime:
    """When it happened. The topic is not signed, the order is: they must not contradict each other."""
    if kind == "paid":
        if order.financial_status not in (None, "paid"):
            raise BadFrame("bad_topic: the order is not paid")
        return instant(order.updated_at or triggered_at or order.created_at)
    if kind == "cancelled":
        if order.cancelled_at is None:
            raise BadFrame("bad_topic: the order is not cancelled")
        return instant(order.cancelled_at)
    return instant(order.created_at)


def _item(line: Line, currency: str) -> SaleItem:
    amount_minor = major(line.price, currency) * line.quantity
    return SaleItem(str(line.product_id or line.id), line.title, line.quantity, amount_minor)
