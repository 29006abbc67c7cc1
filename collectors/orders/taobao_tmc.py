"""taobao_tmc: the message channel of Taobao and Tmall, one socket for all shops that let our app hear theirs."""

import asyncio
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import aiohttp
import msgspec
from websockets.asyncio.client import ClientConnection

from ..collector import BadFrame, Emit, Now
from ..details import ORDER, understood
from ..hook import NO_DETAILS, App, Details, Meaning, Need, OrderSocketRow
from ..instants import instant
from ..json_body import json_body
from ..money import yuan
from ..order_details.taobao import order_detail
from ..order_ids import exact_id
from ..order_socket import REPLY_S_MAX, Message, Said, connection, converse, turned_away, with_each_secret
from ..signing import secret_wrapped
from ..tick import Sale, SaleKind, Tick
from ..tmc_frames import CONNECT, CONNECTACK, SEND, TmcFrame, Value, confirmation, decode, encode, pull_request

SHANGHAI = ZoneInfo("Asia/Shanghai")
PAID, CLOSED = "taobao_trade_TradeBuyerPay", "taobao_trade_TradeClose"
LIVE = "taobao_live_FeedRelated"
KINDS: dict[Value, SaleKind] = {
    "taobao_trade_TradeCreate": "created",
    PAID: "paid",
    CLOSED: "cancelled",
    "taobao_refund_RefundSuccess": "refunded",
}
TOPICS = frozenset((*KINDS, LIVE))  # all others are confirmed and not kept
NEVER_PAID = "TRADE_CLOSED_BY_TAOBAO"  # the status of what was closed before it was paid
ON_AIR = {"PUBLISH_LIVE": True, "STOP_LIVE": False}

Id = str | int


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
    url: str = "ws://mc.api.taobao.com/"
    group: str = "default"
    interval_s: Annotated[float, msgspec.Meta(ge=0.1, le=50)] = 5.0  # of our requests for more; it must be under 60

    PLATFORM = "taobao"
    KEY_OF_APP = "the AppKey of its page"
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
        shop, tid = exact_id(fields.get("userid")), exact_id(content.tid)
        if topic == PAID:
            return self._paid(shop, tid, content.payment, at, details)
        if topic == CLOSED and content.status != NEVER_PAID:
            return Meaning()  # what was paid before came back as refunds, which are told one by one
        kind = KINDS[topic]
        happened_at, amount, refund = published_at, content.payment, ""
        if kind == "refunded":
            amount, refund = content.refund_fee, ":" + exact_id(content.refund_id)
            happened_at = instant(content.modified, SHANGHAI) if content.modified else published_at
        return Meaning([self._sale(kind, shop, tid, happened_at, at, yuan(amount), content.buyer_open_uid, refund)])

    def _paid(self, shop: str, tid: str, payment: object, received_at: datetime, details: Details) -> Meaning:
        """The push tells neither the pay time nor what was bought, and GMV goes by pay time. It tells what was paid:
        the detail no longer does once a part was refunded, and it may be asked for after that."""
        told = understood(details, ORDER, tid, lambda answer: order_detail(answer, tid))
        amount_minor = yuan(payment) if payment not in (None, "") else told.amount_minor if told else None
        if told is None or told.paid_at is None or amount_minor is None:
            return Meaning(needs=[Need(ORDER, tid, shop)])
        sale = self._sale("paid", shop, tid, told.paid_at, received_at, amount_minor)
        return Meaning([msgspec.structs.replace(sale, buyer=told.buyer, units=told.units, items=told.items)])

    def _sale(
        self, kind: SaleKind, shop: str, tid: str, at: datetime, received_at: datetime, amount_minor: int,
        buyer: str = "", refund: str = "",
    ) -> Sale:  # fmt: skip
        return Sale(
            feed=self.name, platform=self.platform or self.PLATFORM, event_id=f"{shop}:{tid}:{kind}{refund}", at=at,
            received_at=received_at, kind=kind, amount_minor=amount_minor, currency="CNY", shop=shop, order_id=tid,
            buyer=buyer.encode() or None,
        )  # fmt: skip

    def _live(self, content: Content, at: datetime) -> Meaning:
        live = ON_AIR.get(content.event)
        if live is None:
            return Meaning()
        room, key = exact_id(content.anchor_open_id), str(content.live_id) or None
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
    topic, message_id = frame.fields.get("topic"), frame.fields.get("id")
    if frame.type != SEND or topic is None:
        return Said()
    confirmed = confirmation(token, message_id) if isinstance(message_id, int) else None
    return Said(raw if topic in TOPICS else b"", confirmed)


def as_bytes(message: Message) -> bytes:
    return message if isinstance(message, bytes) else message.encode()
