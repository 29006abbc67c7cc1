"""pinduoduo_pmc: the message channel of Pinduoduo, one socket for all malls that let our app hear theirs."""

from datetime import datetime
from typing import Annotated
from urllib.parse import quote
from zoneinfo import ZoneInfo

import aiohttp
import msgspec
import websockets

from ..collector import BadFrame, Emit, FeedRefused, Now
from ..details import ORDER, understood
from ..hook import NO_DETAILS, App, Details, Meaning, Need, OrderSocketRow
from ..instants import instant
from ..json_body import json_body
from ..money import fen
from ..order_details.pinduoduo import order_detail
from ..order_ids import exact_id
from ..order_socket import connection, converse, with_each_secret
from ..pmc_commands import beat, heard, milliseconds
from ..signing import pinduoduo_digest
from ..tick import Sale, SaleKind

SHANGHAI = ZoneInfo("Asia/Shanghai")
PAID, REFUNDED = "pdd_trade_TradeConfirmed", "pdd_refund_RefundAgreeAgreement"
TYPES = frozenset((PAID, REFUNDED))  # all others are confirmed and not kept

Id = str | int


class Content(msgspec.Struct, frozen=True):
    tid: Id = ""
    mall_id: Id = ""
    refund_id: Id = ""
    refund_fee: object = None  # fen
    modified: object = None


class PmcMessage(msgspec.Struct, frozen=True):
    type: str
    mallID: Id
    content: str


class Command(msgspec.Struct, frozen=True):
    message: PmcMessage
    sendTime: object = None


class PinduoduoPmc(OrderSocketRow, tag="pinduoduo_pmc", frozen=True, kw_only=True):
    url: str = "wss://message-api.pinduoduo.com"
    interval_s: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 10.0  # of our heartbeats

    PLATFORM = "pinduoduo"
    KEY_OF_APP = "the client_id of its page"

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now, app: App) -> None:
        await with_each_secret(app, lambda secret: self._talk(emit, now, app.key, secret))

    async def _talk(self, emit: Emit, now: Now, key: str, secret: bytes) -> None:
        at_ms = str(milliseconds(now()))
        parts = ("message", key, at_ms, pinduoduo_digest(key, at_ms, secret))
        url = self.url.rstrip("/") + "".join("/" + quote(part, safe="") for part in parts)
        try:
            async with connection(url) as socket:
                await converse(
                    socket, emit, now, lambda message: heard(message, now, TYPES), lambda: beat(now), self.interval_s
                )
        except websockets.InvalidStatus as error:
            if error.response.status_code in (401, 403):
                raise FeedRefused("PMC turned us away: are the key and its secret right, and the clock?") from error
            raise

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        command = json_body(frame, Command)
        message = command.message
        if message.type not in TYPES:
            return Meaning()
        content = json_body(message.content.encode(), Content)
        mall, tid = exact_id(message.mallID), exact_id(content.tid)
        if content.mall_id and str(content.mall_id) != mall:
            raise BadFrame("bad_id: the content is of another mall than the message")
        if message.type == PAID:
            return self._paid(mall, tid, at, details)
        told_at = content.modified or command.sendTime
        refunded_at = at if told_at is None else instant(told_at, SHANGHAI)
        refund = exact_id(content.refund_id)
        sale = self._sale("refunded", mall, tid, refunded_at, at, fen(content.refund_fee))
        return Meaning([msgspec.structs.replace(sale, event_id=f"{sale.event_id}:{refund}")])

    def _paid(self, mall: str, tid: str, received_at: datetime, details: Details) -> Meaning:
        """The push tells neither amount nor pay time."""
        told = understood(details, ORDER, tid, lambda answer: order_detail(answer, tid))
        if told is None or told.paid_at is None or told.amount_minor is None:
            return Meaning(needs=[Need(ORDER, tid, mall)])
        sale = self._sale("paid", mall, tid, told.paid_at, received_at, told.amount_minor)
        return Meaning([msgspec.structs.replace(sale, units=told.units, items=told.items)])

    def _sale(
        self, kind: SaleKind, mall: str, tid: str, at: datetime, received_at: datetime, amount_minor: int
    ) -> Sale:
        return Sale(
            feed=self.name, platform=self.platform or self.PLATFORM, event_id=f"{mall}:{tid}:{kind}", at=at,
            received_at=received_at, kind=kind, amount_minor=amount_minor, currency="CNY", shop=mall, order_id=tid,
        )  # fmt: skip
