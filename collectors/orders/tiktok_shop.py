"""TikTok Shop: order states by push, which name no amount; amount, buyer and items come with the order's detail."""

import re
from datetime import datetime

import msgspec

from ..collector import BadFrame
from ..hook import NO_DETAILS, Accepted, App, Delivery, Details, HookRow, Meaning, Need, Refused, Reply
from ..instants import instant
from ..json_body import json_body
from ..money import currency_code, major
from ..sale_items import summed
from ..signing import same, tiktok_shop
from ..tick import Sale, SaleItem, SaleKind

ORDER_STATUS_CHANGE = 1
KINDS: dict[str, SaleKind] = {
    "UNPAID": "created",
    "ON_HOLD": "paid",  # paid, and held back for an hour in which the buyer may cancel
    "AWAITING_SHIPMENT": "paid",
    "CANCEL": "cancelled",
    "CANCELLED": "cancelled",
}
DETAIL = "order.detail"
ID = re.compile(r"[\w-]{1,48}", re.ASCII)


class State(msgspec.Struct, frozen=True):
    order_id: str | int
    order_status: str


class Push(msgspec.Struct, frozen=True):
    type: int
    shop_id: str | int = ""
    tts_notification_id: str | int = ""
    data: object = None


class Payment(msgspec.Struct, frozen=True):
    total_amount: str
    currency: str


class Line(msgspec.Struct, frozen=True):
    """One piece: an order of three of a product has three lines."""

    id: str
    product_id: str | None = None
    product_name: str | None = None
    sale_price: str | None = None


class Order(msgspec.Struct, frozen=True):
    id: str
    create_time: int
    payment: Payment
    paid_time: int | None = None
    cancel_time: int | None = None
    user_id: str | None = None
    line_items: list[Line] = []


class Orders(msgspec.Struct, frozen=True):
    orders: list[Order]


class Answer(msgspec.Struct, frozen=True):
    code: int
    data: Orders


class TiktokShop(HookRow, tag="tiktok_shop", frozen=True, kw_only=True):
    PLATFORM = "tiktok_shop"
    KEY_OF_APP = "the app key of its page"
    HEADERS = ("authorization",)

    def verify(self, delivery: Delivery, app: App, now: datetime) -> Accepted | Refused:
        told = delivery.headers.get("authorization", "")
        if not any([same(told, tiktok_shop(app.key, delivery.body, secret)) for secret in app.secrets]):
            return Refused("bad_signature")
        try:
            name = str(msgspec.json.decode(delivery.body, type=Push).tts_notification_id)
        except msgspec.DecodeError:  # parse says what is wrong with it
            name = ""
        return Accepted(Reply(), name)

    def answer_check(self, delivery: Delivery, app: App) -> Reply | None:
        return None

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        push = json_body(msgspec.msgpack.decode(frame, type=Delivery).body, Push)
        if push.type != ORDER_STATUS_CHANGE:
            return Meaning()
        try:
            state = msgspec.convert(push.data, State)
        except msgspec.ValidationError as error:
            raise BadFrame(f"bad_json: {error}") from error
        order_id, shop, kind = str(state.order_id), str(push.shop_id), KINDS.get(state.order_status)
        if not ID.fullmatch(order_id) or not ID.fullmatch(shop):
            raise BadFrame("bad_id: the order's or the shop's id is none")
        if kind is None:
            return Meaning()
        order = _order(details.get((DETAIL, order_id)), order_id)
        happened_at = _happened_at(order, kind)
        if order is None or happened_at is None:
            return Meaning(needs=[Need(DETAIL, order_id, shop)])
        return Meaning([self._sale(order, shop, kind, instant(happened_at), at)])

    def _sale(self, order: Order, shop: str, kind: SaleKind, happened_at: datetime, received_at: datetime) -> Sale:
        currency = currency_code(order.payment.currency)
        return Sale(
            feed=self.name, platform=self.platform or self.PLATFORM, event_id=f"{shop}:{order.id}:{kind}",
            at=happened_at, received_at=received_at, kind=kind, shop=shop, order_id=order.id, currency=currency,
            amount_minor=major(order.payment.total_amount, currency), units=len(order.line_items) or None,
            buyer=order.user_id.encode() if order.user_id else None,
            items=summed(_item(line, currency) for line in order.line_items),
        )  # fmt: skip


def _order(answer: bytes | None, order_id: str) -> Order | None:
    """The order that was asked for; an answer that is an error, or of another order, is none: it is asked again."""
    if answer is None:
        return None
    try:
        told = json_body(answer, Answer)
    except BadFrame:
        return None
    return next((order for order in told.data.orders if order.id == order_id), None) if told.code == 0 else None


def _happened_at(order: Order | None, kind: SaleKind) -> int | None:
    """When it happened, by the detail; None where it does not know of it yet, or no more."""
    if order is None:
        return None
    return {"created": order.create_time, "paid": order.paid_time, "cancelled": order.cancel_time}[kind]


def _item(line: Line, currency: str) -> SaleItem:
    amount_minor = None if line.sale_price is None else major(line.sale_price, currency)
    return SaleItem(line.product_id or line.id, line.product_name, 1, amount_minor)
