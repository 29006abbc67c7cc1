"""taobao_tmc: the message channel of Taobao and Tmall, one socket for all shops that let our app hear theirs."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import aiohttp
import msgspec
from websockets.asyncio.client import ClientConnection

from ..collector import BadFrame, Emit, Now
from ..hook import NO_DETAILS, App, Details, Meaning, Need, OrderSocketRow
from ..instants import instant
from ..json_body import json_body
from ..money import yuan
from ..order_socket import REPLY_S_MAX, Message, Said, connection, converse, identity, turned_away, with_each_secret
from ..signing import secret_wrapped
from ..taobao_trade import DETAIL, NEVER_PAID, Id, items_of, trade_of
from ..tick import Sale, SaleKind, Tick
from ..tmc_frames import CONNECT, CONNECTACK, SEND, TmcFrame, Value, confirmation, decode, encode, pull_request

SHANGHAI = ZoneInfo("Asia/Shanghai")
CREATED, PAID, CLOSED = (f"taobao_trade_Trade{name}" for name in ("Create", "BuyerPay", "Close"))
REFUNDED, LIVE = "taobao_refund_RefundSuccess", "taobao_live_FeedRelated"
TOPICS = frozenset((CREATED, PAID, CLOSED, REFUNDED, LIVE))  # all others are confirmed and not kept
ON_AIR = {"PUBLISH_LIVE": True, "STOP_LIVE": False}


class Content(msgspec.Struct, frozen=True):
    """The fields of all topics that we understand; amounts are yuan."""

    tid: Id = ""
    payment: object = None
    status: str = ""
    buyer_open_uid: str = ""
    refund_id: Id = ""
    refund_fee: object = None
    modified: str = ""
    anchor_open_id: Id = ""
    event: str = ""
    live_id: Id = ""


class TaobaoTmc(OrderSocketRow, tag="taobao_tmc", frozen=True, kw_only=True):
    url: Annotated[str, msgspec.Meta(pattern="^wss?://")] = "ws://mc.api.taobao.com/"
    group: str = "default"
    interval_s: Annotated[float, msgspec.Meta(ge=0.1, le=50)] = 5.0  # of our requests for more; it must be under 60

    PLATFORM = "taobao"
    KEY_IS = "session"

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now, app: App) -> None:
        await with_each_secret(app, lambda secret: self._talk(emit, now, app.key, secret))

    async def _talk(self, emit: Emit, now: Now, key: str, secret: bytes) -> None:
        async with connection(self.url) as socket:
            async with asyncio.timeout(REPLY_S_MAX):
                token = await self._introduce(socket, key, secret, now())
            await converse(
                socket, emit, now, lambda message: heard(message, token), lambda: pull_request(token), self.interval_s
            )

    async def _introduce(self, socket: ClientConnection, key: str, secret: bytes, now: datetime) -> str:
        signed = {"app_key": key, "group_name": self.group, "timestamp": str(round(now.timestamp() * 1000))}
        fields: dict[str, Value] = {**signed, "sign": secret_wrapped(signed, secret), "sdk": "livemon"}
        await socket.send(encode(TmcFrame(CONNECT, fields)))
        answer = decode(as_bytes(await socket.recv()))
        if answer.type != CONNECTACK:
            raise BadFrame("tmc: another answer to CONNECT than CONNECTACK")
        if answer.status or not answer.token:
            raise turned_away("TMC", f"{answer.status} {answer.phrase}")
        return answer.token

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        fields = decode(frame).fields
        topic, text = fields.get("topic"), fields.get("content")
        if topic not in TOPICS:
            return Meaning()
        if not isinstance(text, str):
            raise BadFrame("tmc: a message without content")
        content = json_body(text.encode(), Content)
        published_at = instant(fields["time"], SHANGHAI) if fields.get("time") is not None else at
        if topic == LIVE:
            return self._live(content, published_at)
        shop, tid = identity(fields.get("userid"), "userid"), identity(content.tid, "tid")
        if topic == PAID:
            return self._paid(shop, tid, at, details)
        if topic == CLOSED:
            if content.status != NEVER_PAID:
                return Meaning()  # what was paid before came back as refunds, which are told one by one
            sale = self._sale("cancelled", shop, tid, published_at, at, content.payment, content.buyer_open_uid)
        elif topic == REFUNDED:
            refunded_at = instant(content.modified, SHANGHAI) if content.modified else published_at
            sale = self._sale("refunded", shop, tid, refunded_at, at, content.refund_fee, content.buyer_open_uid)
            refund = identity(content.refund_id, "refund_id")
            sale = msgspec.structs.replace(sale, event_id=f"{sale.event_id}:{refund}")
        else:
            sale = self._sale("created", shop, tid, published_at, at, content.payment, content.buyer_open_uid)
        return Meaning([sale])

    def _paid(self, shop: str, tid: str, received_at: datetime, details: Details) -> Meaning:
        """The push tells neither the pay time nor what was bought, and GMV goes by pay time."""
        trade = trade_of(details.get((DETAIL, tid)), tid)
        if trade is not None and trade.status == NEVER_PAID:
            return Meaning()
        if trade is None or not trade.pay_time:
            return Meaning(needs=[Need(DETAIL, tid, shop)])
        paid_at = instant(trade.pay_time, SHANGHAI)
        sale = self._sale("paid", shop, tid, paid_at, received_at, trade.payment, trade.buyer_open_uid)
        items = items_of(trade)
        units = sum(item.units or 0 for item in items) or None
        return Meaning([msgspec.structs.replace(sale, units=units, items=items)])

    def _sale(
        self, kind: SaleKind, shop: str, tid: str, at: datetime, received_at: datetime, amount: object, buyer: str
    ) -> Sale:
        return Sale(
            feed=self.name, platform=self.platform or self.PLATFORM, event_id=f"{shop}:{tid}:{kind}", at=at,
            received_at=received_at, kind=kind, amount_minor=yuan(amount), currency="CNY", shop=shop, order_id=tid,
            buyer=buyer.encode() or None,
        )  # fmt: skip

    def _live(self, content: Content, at: datetime) -> Meaning:
        live = ON_AIR.get(content.event)
        if live is None:
            return Meaning()
        room, key = identity(content.anchor_open_id, "anchor_open_id"), str(content.live_id) or None
        return Meaning(ticks=[Tick(self.name, room, at, "event", live, session_key=key, end=None if live else "ended")])


def heard(message: Message, token: str) -> Said:
    """What is ours to understand is kept and then confirmed; what is not is confirmed, or it would come for ever."""
    raw = as_bytes(message)
    try:
        frame = decode(raw)
    except BadFrame:
        return Said(raw)
    if frame.status:
        raise turned_away("TMC", f"{frame.status} {frame.phrase}")
    if frame.type != SEND or "topic" not in frame.fields:
        return Said()
    return Said(raw if is_ours(frame.fields) else b"", confirmed(frame.fields, token))


def is_ours(fields: Mapping[str, Value]) -> bool:
    return fields["topic"] in TOPICS


def confirmed(fields: Mapping[str, Value], token: str) -> bytes | None:
    message_id = fields.get("id")
    return confirmation(token, message_id) if isinstance(message_id, int) else None


def as_bytes(message: Message) -> bytes:
    return message if isinstance(message, bytes) else message.encode()
