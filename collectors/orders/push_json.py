"""push_json: our own format, for whoever sees rooms or sales that no official feed tells of. See docs/push_json.md."""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from ..collector import BadFrame
from ..hook import NO_DETAILS, Accepted, App, Bad, Delivery, Details, HookRow, Meaning, Refused, Reply
from ..instants import instant
from ..json_body import json_body
from ..money import BadMoney, count, currency_code, fen, major
from ..sale_items import summed
from ..signing import same, sha256_hmac
from ..tick import Sale, SaleItem, SaleKind, Tick

ITEMS_MAX = 1_000  # of one delivery
WINDOW_S = 300
ACCEPTED = Reply(b'{"accepted": true}')
PROBE = b"{}"
STAMP = re.compile(r"[0-9]{1,11}")
NAME = re.compile(r"[\w:.-]{1,128}", re.ASCII)
QUOTED = re.compile(r" '.*?'(?= - at|$)", re.DOTALL)

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_:.-]{1,128}\Z")]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Total = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Signal = Literal["live", "viewers", "sales"]


class PushedTick(msgspec.Struct, frozen=True):
    room: Text
    at: object
    live: bool | None = None
    viewers: Count | None = None
    views_total: Total | None = None
    likes_total: Total | None = None
    kbps: Count | None = None
    session_key: Text | None = None
    end: Literal["ended", "failed"] | None = None


class PushedItem(msgspec.Struct, frozen=True):
    item_id: Text
    title: str | None = None
    units: Count | None = None
    amount: object = None
    amount_minor: object = None


class PushedSale(msgspec.Struct, frozen=True):
    event_id: Name
    kind: SaleKind
    at: object
    platform: str = ""
    amount: object = None
    amount_minor: object = None
    currency: str = ""
    coin: Text | None = None
    coins: Total | None = None
    room: Text | None = None
    shop: Text | None = None
    order_id: Text | None = None
    units: Count | None = None
    buyer: Text | None = None
    items: Annotated[list[PushedItem], msgspec.Meta(max_length=200)] = []


class Pushed(msgspec.Struct, frozen=True):
    ticks: list[object] = []
    sales: list[object] = []
    via: Literal["push", "file"] = "push"


class PushJson(HookRow, tag="push_json", frozen=True, kw_only=True):
    platforms: list[str] | None = None  # of sales; left out: this row's platform
    tells: list[Signal] = msgspec.field(default_factory=lambda: ["live", "viewers", "sales"])

    PLATFORM = "push_json"
    KEY_IS = "session"
    SIGNALS = ("live", "viewers", "sales")
    HEADERS = ("x-livemon-timestamp", "x-livemon-id", "x-livemon-signature")
    BODY_BYTES_MAX = 1_048_576

    def signals(self) -> list[str]:
        return list(self.tells)

    def verify(self, delivery: Delivery, app: App, now: datetime) -> Accepted | Refused:
        stamp, name, told = (delivery.headers.get(header, "") for header in self.HEADERS)
        if not STAMP.fullmatch(stamp) or not NAME.fullmatch(name):
            return Refused("malformed")
        if not any([same(told, signature(stamp, name, delivery.body, secret)) for secret in app.secrets]):
            return Refused("bad_signature")
        if abs(int(stamp) - now.timestamp()) > WINDOW_S:
            return Refused("stale")
        return Accepted(ACCEPTED, name, delivery.body == PROBE, once=name == content_name(delivery.body))

    def answer_check(self, delivery: Delivery, app: App) -> Reply | None:
        return None

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        pushed = json_body(msgspec.msgpack.decode(frame, type=Delivery).body, Pushed)
        if len(pushed.ticks) + len(pushed.sales) > ITEMS_MAX:
            raise BadFrame(f"too_large: more than {ITEMS_MAX} ticks and sales")
        bad: list[Bad] = []
        ticks = _each(pushed.ticks, "tick", "room", self.tick, bad)
        sales = _each(pushed.sales, "sale", "event_id", lambda item: self.sale(item, at, pushed.via), bad)
        return Meaning(sales, ticks, bad=bad, filed=pushed.via == "file")

    def tick(self, item: object) -> Tick:
        told = msgspec.convert(item, PushedTick)
        live = False if told.end is not None and told.live is None else told.live
        if live and told.end is not None:
            raise BadFrame("bad_item: live, and at its end")
        return Tick(
            self.name, told.room, instant(told.at), "status", live, told.viewers, told.views_total, told.likes_total,
            told.kbps, None, told.session_key, told.end,
        )  # fmt: skip

    def sale(self, item: object, received_at: datetime, via: Literal["push", "file"]) -> Sale:
        told = msgspec.convert(item, PushedSale)
        own = self.platform or self.PLATFORM
        platform = told.platform or own
        if platform not in (self.platforms or [own]):
            raise BadFrame("bad_item: a platform that this feed may not speak of")
        amount_minor, currency = _money(told)
        return Sale(
            feed=self.name, platform=platform, event_id=told.event_id, at=instant(told.at), received_at=received_at,
            kind=told.kind, amount_minor=amount_minor, currency=currency, room=told.room, shop=told.shop,
            order_id=told.order_id, units=told.units, buyer=told.buyer.encode() if told.buyer else None,
            coin=told.coin, via=via, items=summed(_line(line, told.currency) for line in told.items),
        )  # fmt: skip


def signature(stamp: str, name: str, body: bytes, secret: bytes) -> str:
    """Header `X-Livemon-Signature`: over the other two headers as they stand there, and the raw body."""
    return sha256_hmac(secret, f"{stamp}.{name}.".encode(), body).hex()


def content_name(body: bytes) -> str:
    """The id of a delivery that shall count once however often it is sent: of rows that came as a file."""
    return f"sha256-{hashlib.sha256(body).hexdigest()}"


def _money(told: PushedSale) -> tuple[int, str]:
    """The amount and its currency, of coins their count and none. What went back may be told below zero."""
    if told.coin is not None or told.coins is not None:
        if told.kind != "gift" or told.coin is None or (told.amount, told.amount_minor) != (None, None):
            raise BadMoney("coins: only of a gift, with the name of the coin, and without an amount")
        return count(told.coins), ""
    amount = _amount(told.amount, told.amount_minor, told.currency, below_zero=told.kind == "refunded")
    return abs(amount), currency_code(told.currency)


def _amount(amount: object, amount_minor: object, currency: str, *, below_zero: bool = False) -> int:
    if (amount is None) == (amount_minor is None):
        raise BadMoney("amount: needs one of amount and amount_minor, and not both")
    if amount_minor is not None:
        return fen(amount_minor, below_zero=below_zero)
    return major(amount, currency, below_zero=below_zero)


def _line(line: PushedItem, currency: str) -> SaleItem:
    amount_minor = None
    if line.amount is not None or line.amount_minor is not None:
        amount_minor = abs(_amount(line.amount, line.amount_minor, currency, below_zero=True))
    return SaleItem(line.item_id, line.title, line.units, amount_minor)


def _each[T](
    items: list[object], kind: Literal["sale", "tick"], name: str, read: Callable[[object], T], bad: list[Bad]
) -> list[T]:
    """What each item means; one that means nothing is set aside, the others count."""
    found: list[T] = []
    for number, item in enumerate(items, 1):
        try:
            found.append(read(item))
        except (BadFrame, msgspec.ValidationError) as error:
            told = item.get(name) if isinstance(item, dict) else None
            sample = told if isinstance(told, str) and NAME.fullmatch(told) else f"item {number}"
            reason = str(error) if isinstance(error, BadFrame) else f"bad_item: {QUOTED.sub('', str(error))}"
            bad.append(Bad(reason, sample, json.dumps(item, ensure_ascii=False, default=str).encode(), kind))
    return found
