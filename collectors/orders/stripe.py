"""Stripe: payments and refunds, one row for each payment intent and each refund."""

import re
from datetime import datetime

import msgspec

from ..collector import BadFrame
from ..hook import NO_DETAILS, Accepted, App, Delivery, Details, HookRow, Meaning, Refused, Reply
from ..instants import instant
from ..json_body import json_body
from ..money import BadMoney, currency_code, fen
from ..signing import same, stripe
from ..tick import Sale, SaleKind

WINDOW_S = 300
SIGNATURES_MAX = 16
STAMP = re.compile(r"[0-9]{1,11}")
IN_HUNDREDTHS = frozenset({"ISK", "UGX"})  # no decimals by ISO 4217, yet Stripe goes on counting them in hundredths
WHOLE_ONLY = frozenset({"MGA"})  # the other way round
PAYMENTS: dict[str, SaleKind] = {
    "payment_intent.created": "created",
    "payment_intent.succeeded": "paid",
    "payment_intent.canceled": "cancelled",
}
REFUNDS = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})


class Thing(msgspec.Struct, frozen=True):
    """A payment intent or a refund: what both have, and what one has."""

    id: str
    amount: int
    currency: str
    created: int | None = None
    amount_received: int | None = None
    customer: str | None = None
    metadata: dict[str, str] | None = None
    payment_intent: str | None = None
    charge: str | None = None
    status: str | None = None


class Data(msgspec.Struct, frozen=True):
    object: object


class Envelope(msgspec.Struct, frozen=True):
    id: str
    type: str
    created: int
    data: Data
    account: str | None = None
    livemode: bool = True


class Named(msgspec.Struct, frozen=True):
    id: str = ""


class Stripe(HookRow, tag="stripe", frozen=True, kw_only=True):
    test_orders: bool = False  # whether payments of Stripe's test mode count
    room_key: str = "room"  # the key of a payment's metadata under which a checkout may put the room

    PLATFORM = "stripe"
    HEADERS = ("stripe-signature",)

    def verify(self, delivery: Delivery, app: App, now: datetime) -> Accepted | Refused:
        parts = [part.partition("=")[::2] for part in delivery.headers.get("stripe-signature", "").split(",")]
        stamps = [value for name, value in parts if name == "t"]
        told = [value for name, value in parts if name == "v1"][:SIGNATURES_MAX]
        if len(stamps) != 1 or not STAMP.fullmatch(stamps[0]) or not told:
            return Refused("malformed")
        ours = [stripe(stamps[0], delivery.body, secret) for secret in app.secrets]
        if not any([same(signature, own) for signature in told for own in ours]):
            return Refused("bad_signature")
        if abs(int(stamps[0]) - now.timestamp()) > WINDOW_S:
            return Refused("stale")
        return Accepted(Reply(), _event_id(delivery.body))

    def answer_check(self, delivery: Delivery, app: App) -> Reply | None:
        return None

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        event = json_body(msgspec.msgpack.decode(frame, type=Delivery).body, Envelope)
        if not event.livemode and not self.test_orders:
            return Meaning()
        if event.type in PAYMENTS:
            return Meaning([self._payment(event, _thing(event), PAYMENTS[event.type], at)])
        if event.type in REFUNDS:
            return self._refund(event, _thing(event), at)
        return Meaning()

    def _payment(self, event: Envelope, payment: Thing, kind: SaleKind, received_at: datetime) -> Sale:
        told = payment.amount_received if kind == "paid" and payment.amount_received is not None else payment.amount
        return self._sale(event, payment, kind, payment.id, told, instant(event.created), received_at)

    def _refund(self, event: Envelope, refund: Thing, received_at: datetime) -> Meaning:
        """A refund counts once it went through; of what fails afterwards a person must hear."""
        if refund.status == "failed":
            raise BadFrame("refund_failed: if it was counted as gone through, it was not")
        paid = refund.payment_intent or refund.charge
        if refund.status != "succeeded":
            return Meaning()
        if paid is None or refund.created is None:
            raise BadFrame("bad_json: a refund without its payment or its time")
        at = instant(refund.created)
        return Meaning([self._sale(event, refund, "refunded", paid, refund.amount, at, received_at)])

    def _sale(
        self, event: Envelope, thing: Thing, kind: SaleKind, order: str, told: int, at: datetime, received_at: datetime
    ) -> Sale:
        currency = currency_code(thing.currency)
        suffix = f":{thing.id}" if kind == "refunded" else ""
        return Sale(
            feed=self.name, platform=self.platform or self.PLATFORM, shop=event.account, order_id=order, kind=kind,
            event_id=f"{event.account or 'own'}:{order}:{kind}{suffix}", at=at, received_at=received_at,
            amount_minor=_minor(told, currency), currency=currency, room=(thing.metadata or {}).get(self.room_key),
            buyer=thing.customer.encode() if thing.customer else None,
        )  # fmt: skip


def _thing(event: Envelope) -> Thing:
    try:
        return msgspec.convert(event.data.object, Thing)
    except msgspec.ValidationError as error:
        raise BadFrame(f"bad_json: {error}") from error


def _minor(told: int, currency: str) -> int:
    """Stripe's smallest unit as that of ISO 4217."""
    if currency in IN_HUNDREDTHS:
        if told % 100:
            raise BadMoney("amount: a fraction of the minor unit")
        return fen(told // 100)
    return fen(told * 100 if currency in WHOLE_ONLY else told)


def _event_id(body: bytes) -> str:
    """The delivery's name for the replay cache; parse says what is wrong with a body that has none."""
    try:
        return msgspec.json.decode(body, type=Named).id
    except msgspec.DecodeError:
        return ""
