"""TikTok Shop: order states by push, which name no amount; that of a payment comes with the order's detail."""

from datetime import datetime

import msgspec

from ..collector import BadFrame
from ..details import ORDER, OrderDetail, understood
from ..hook import NO_DETAILS, Accepted, App, Delivery, Details, HookRow, Meaning, Need, Refused, Reply
from ..instants import instant
from ..json_body import json_body
from ..order_details.tiktok_shop import NO_AMOUNT, order_in, paid_sale
from ..order_ids import exact_id
from ..order_sale import order_sale
from ..signing import same, tiktok_shop
from ..tick import SaleKind

ORDER_STATUS_CHANGE = 1
KINDS: dict[str, SaleKind] = {
    "UNPAID": "created",
    "ON_HOLD": "paid",  # paid, and held back for an hour in which the buyer may cancel
    "AWAITING_SHIPMENT": "paid",
    "CANCEL": "cancelled",
    "CANCELLED": "cancelled",
}


class State(msgspec.Struct, frozen=True):
    order_id: str | int
    order_status: str
    update_time: int | None = None


class Push(msgspec.Struct, frozen=True):
    type: int
    shop_id: str | int = ""
    tts_notification_id: str | int = ""
    timestamp: int | None = None
    data: object = None


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
        order_id, shop, kind = exact_id(state.order_id), exact_id(push.shop_id), KINDS.get(state.order_status)
        if kind is None:
            return Meaning()
        if kind != "paid":  # no push says what a new or a cancelled order is worth
            happened_at = instant(push.timestamp if state.update_time is None else state.update_time)
            told = order_sale(self, kind, shop, order_id, happened_at, at, OrderDetail(), currency=NO_AMOUNT)
            return Meaning([told])
        order = understood(details, ORDER, order_id, lambda answer: order_in(answer, order_id))
        if order is None or order.paid_time is None:
            return Meaning(needs=[Need(ORDER, order_id, shop)])
        return Meaning([paid_sale(self, shop, order, order.paid_time, at)])
