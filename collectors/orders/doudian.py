"""Doudian (抖店): orders, payments, cancellations and refunds of Douyin shops, pushed in arrays, amounts in fen."""

from datetime import datetime
from typing import Literal

import msgspec

from ..collector import BadFrame
from ..details import ORDER, OrderDetail, understood
from ..hook import NO_DETAILS, Accepted, App, Bad, Delivery, Details, HookRow, Meaning, Refused, Reply
from ..inner_json import inner_json
from ..instants import instant
from ..json_array import each_raw
from ..json_body import json_body
from ..money import fen
from ..order_details.doudian import order_detail
from ..order_ids import exact_id, fit_name
from ..order_sale import order_sale
from ..signing import doudian_push, doudian_push_hmac, one_of
from ..tick import Sale, SaleKind

SUCCESS = Reply(b'{"code":0,"msg":"success"}')
PROBE = "0"
KINDS: dict[str, SaleKind] = {"100": "created", "101": "paid", "106": "cancelled", "206": "refunded"}
AFTER_SALE = range(200, 300)  # asked for, agreed, refused: but for 206 no money has moved


class Message(msgspec.Struct, frozen=True):
    tag: str | int
    data: object = None
    msg_id: str | int = ""
    msgId: str | int = ""


class Facts(msgspec.Struct, frozen=True):
    """What the events of orders say, of which each has its part."""

    p_id: str | int
    shop_id: str | int
    create_time: object = None
    pay_time: object = None
    pay_amount: object = None
    cancel_time: object = None
    aftersale_id: object = None
    refund_amount: object = None
    success_time: object = None


class Doudian(HookRow, tag="doudian", frozen=True, kw_only=True):
    room_is: Literal["author", "room"] = "author"  # what the roster's `room` is: a room_id is of one broadcast alone

    PLATFORM = "doudian"
    KEY_OF_APP = "the app key (app_key) of its page"
    HEADERS = ("app-id", "event-sign", "sign-method")
    CONTENT_TYPES = ("application/json", "text/plain", "application/octet-stream")

    def verify(self, delivery: Delivery, app: App, now: datetime) -> Accepted | Refused:
        recipe = doudian_push if delivery.headers.get("sign-method", "").upper() in ("", "MD5") else doudian_push_hmac
        told = delivery.headers.get("event-sign", "")
        if not one_of(told, (recipe(app.key, delivery.body, secret) for secret in app.secrets)):
            return Refused("bad_signature")
        if delivery.headers.get("app-id", app.key) != app.key:
            return Refused("wrong_app")
        return Accepted(SUCCESS, probe=_only_probes(delivery.body))

    def answer_check(self, delivery: Delivery, app: App) -> Reply | None:
        return None

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        sales: list[Sale] = []
        bad: list[Bad] = []
        for number, raw in enumerate(each_raw(msgspec.msgpack.decode(frame, type=Delivery).body), 1):
            sample = f"item {number}"
            try:
                message = json_body(raw, Message)
                sample = fit_name(message.msg_id or message.msgId) or sample
                kind, facts = _understood(message)
                if kind is not None and facts is not None:
                    sales.append(self._sale(kind, facts, at, details))
            except BadFrame as error:
                bad.append(Bad(str(error), sample, raw))
        return Meaning(sales, bad=bad)

    def _sale(self, kind: SaleKind, facts: Facts, received_at: datetime, details: Details) -> Sale:
        shop, order_id = exact_id(facts.shop_id), exact_id(facts.p_id)
        happened_at, amount_minor, refund_id = _told(kind, facts)
        more = understood(details, ORDER, order_id, lambda answer: order_detail(answer, order_id, self.room_is))
        more = msgspec.structs.replace(more or OrderDetail(), amount_minor=amount_minor)
        return order_sale(self, kind, shop, order_id, instant(happened_at), received_at, more, refund_id)


def _understood(message: Message) -> tuple[SaleKind | None, Facts | None]:
    """Which of our events it is, if any; one that names time and amount of a payment is one, whatever its tag."""
    tag, data = str(message.tag), message.data
    if not (tag.isascii() and tag.isdecimal()):
        raise BadFrame("bad_item: the tag is none")
    if isinstance(data, str):
        data = inner_json(data, dict[str, object])
    kind = KINDS.get(tag)
    paid = isinstance(data, dict) and bool(data.get("pay_time")) and data.get("pay_amount") is not None
    if kind is None and paid and int(tag) not in AFTER_SALE:
        kind = "paid"
    return kind, None if kind is None else inner_json(data, Facts)


def _told(kind: SaleKind, facts: Facts) -> tuple[object, int, str]:
    """Its time, its amount and the refund's id. No push says what a new or a cancelled order is worth."""
    if kind == "paid":
        return facts.pay_time, fen(facts.pay_amount), ""
    if kind == "refunded":
        return facts.success_time, fen(facts.refund_amount), exact_id(facts.aftersale_id)
    return facts.create_time if kind == "created" else facts.cancel_time, 0, ""


def _only_probes(body: bytes) -> bool:
    """The platform tries the URL with a message of tag 0: answered, and not kept."""
    try:
        tags = [str(json_body(raw, Message).tag) for raw in each_raw(body)]
    except BadFrame:
        return False
    return bool(tags) and set(tags) == {PROBE}
