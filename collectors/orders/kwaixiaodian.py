"""Kwaixiaodian (快手小店): orders and refunds of Kuaishou shops, pushed encrypted; amounts come with the detail."""

from datetime import datetime

import msgspec

from ..cipher import BadCipher, kwaixiaodian_key_fault, kwaixiaodian_open
from ..details import ORDER, REFUND, OrderDetail, understood
from ..hook import NO_DETAILS, Accepted, App, Delivery, Details, HookRow, Meaning, Need, Refused, Reply
from ..inner_json import inner_json
from ..instants import instant
from ..json_body import json_body
from ..order_details.kwaixiaodian import REFUNDED, order_detail, refund_detail
from ..order_ids import exact_id
from ..order_sale import order_sale
from ..tick import SaleKind

RECEIVED = Reply(b'{"result":1}')
EXCHANGE = 3


class Envelope(msgspec.Struct, frozen=True):
    event: str
    info: object = None
    test: bool = False
    appKey: str = ""
    userId: str | int | None = None


class Order(msgspec.Struct, frozen=True):
    oid: str | int
    sellerId: str | int
    createTime: object = None
    updateTime: object = None
    buyerOpenId: str = ""


class Refund(msgspec.Struct, frozen=True):
    orderId: str | int
    refundId: str | int
    updateTime: object
    handlingWay: int | None = None
    status: int | None = None
    sellerId: str | int | None = None


class Kwaixiaodian(HookRow, tag="kwaixiaodian", frozen=True, kw_only=True):
    PLATFORM = "kwaixiaodian"
    KEY_OF_APP = "the appkey of its page"
    secret_fault = staticmethod(kwaixiaodian_key_fault)
    CONTENT_TYPES = ("application/json", "text/plain", "application/octet-stream")

    def verify(self, delivery: Delivery, app: App, now: datetime) -> Accepted | Refused:
        """There is no signature: what opens under the key into a JSON object was closed by who has the key."""
        try:
            envelope = msgspec.json.decode(_opened(delivery, app))
        except BadCipher:
            return Refused("bad_signature")
        if envelope.get("appKey", app.key) != app.key:
            return Refused("wrong_app")
        return Accepted(RECEIVED, probe=envelope.get("test") is True)

    def answer_check(self, delivery: Delivery, app: App) -> Reply | None:
        return None

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        envelope = json_body(_opened(msgspec.msgpack.decode(frame, type=Delivery), app), Envelope)
        if envelope.test:
            return Meaning()
        match envelope.event:
            case "kwaishop_order_addOrder":
                return self._counted("created", inner_json(envelope.info, Order), at)
            case "kwaishop_order_orderFail":
                return self._counted("cancelled", inner_json(envelope.info, Order), at)
            case "kwaishop_order_paySuccess":
                return self._paid(inner_json(envelope.info, Order), at, details)
            case "kwaishop_aftersales_updateRefund":
                return self._refunded(inner_json(envelope.info, Refund), envelope.userId, at, details)
        return Meaning()

    def _counted(self, kind: SaleKind, order: Order, received_at: datetime) -> Meaning:
        """A new or a cancelled order counts as one; its push does not say what it is worth."""
        shop, order_id = exact_id(order.sellerId), exact_id(order.oid)
        happened_at = instant(order.createTime if kind == "created" else order.updateTime)
        more = OrderDetail(buyer=order.buyerOpenId.encode() or None)
        return Meaning([order_sale(self, kind, shop, order_id, happened_at, received_at, more)])

    def _paid(self, order: Order, received_at: datetime, details: Details) -> Meaning:
        shop, order_id = exact_id(order.sellerId), exact_id(order.oid)
        more = understood(details, ORDER, order_id, lambda answer: order_detail(answer, order_id))
        if more is None or more.paid_at is None:
            return Meaning(needs=[Need(ORDER, order_id, shop)])
        return Meaning([order_sale(self, "paid", shop, order_id, more.paid_at, received_at, more)])

    def _refunded(self, refund: Refund, seller: object, received_at: datetime, details: Details) -> Meaning:
        if refund.status not in (None, REFUNDED) or refund.handlingWay == EXCHANGE:
            return Meaning()
        shop, order_id, refund_id = (
            exact_id(refund.sellerId or seller),
            exact_id(refund.orderId),
            exact_id(refund.refundId),
        )
        done = understood(details, REFUND, refund_id, lambda answer: refund_detail(answer, refund_id))
        if done is None or not done.done:
            return Meaning(needs=[Need(REFUND, refund_id, shop)])
        more, happened_at = OrderDetail(amount_minor=done.amount_minor), instant(refund.updateTime)
        return Meaning([order_sale(self, "refunded", shop, order_id, happened_at, received_at, more, refund_id)])


def _opened(delivery: Delivery, app: App) -> bytes:
    """The JSON object in the body. Raises BadCipher."""
    for secret in app.secrets:
        try:
            text = kwaixiaodian_open(delivery.body.strip(), secret)
            if isinstance(msgspec.json.decode(text), dict):
                return text
        except (BadCipher, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue  # the other live secret may open it
    raise BadCipher("cipher: does not open")
