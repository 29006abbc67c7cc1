"""Xiaohongshu (小红书): states of orders and refunds by push. Off until switched on: see its limits in the README.

Its signature is known from one source, not confirmed, and covers no body: who has seen one delivery can forge others
for as long as its stamp is young.
"""

import re
from datetime import datetime
from typing import Literal

import msgspec

from ..collector import BadFrame
from ..details import ORDER, REFUND, OrderDetail, understood
from ..hook import NO_DETAILS, Accepted, App, Bad, Delivery, Details, HookRow, Meaning, Need, Refused, Reply
from ..inner_json import inner_json
from ..instants import instant
from ..json_array import each_raw
from ..json_body import json_body
from ..money import fen, yuan
from ..order_details.xiaohongshu import order_detail, refund_detail
from ..order_ids import exact_id, fit_name
from ..order_sale import order_sale
from ..query import query_params
from ..signing import one_of, xiaohongshu_push
from ..tick import Sale, SaleKind

SUCCESS = Reply(b'{"success":true,"error_code":0,"error_msg":""}')
STAMP = re.compile(r"[0-9]{1,13}")
WINDOW_S = 300
STATES: dict[int, SaleKind] = {1: "created", 2: "paid", 4: "paid", 8: "cancelled", 9: "cancelled"}
NO_MONEY = frozenset({"msg_after_sale_create", "msg_after_sale_closed"})


class Message(msgspec.Struct, frozen=True):
    msgTag: str
    sellerId: str | int
    data: object = None


class Order(msgspec.Struct, frozen=True):
    orderId: str | int | None = None
    orderStatus: int | None = None
    updateTime: object = None


class AfterSale(msgspec.Struct, frozen=True):
    returnsId: str | int
    orderId: str | int
    updateTime: object = None


class XiaohongshuPush(HookRow, tag="xiaohongshu_push", frozen=True, kw_only=True):
    enabled: bool = False
    amounts_in: Literal["", "fen", "yuan"] = ""  # of the order's detail: no page that we could read says it

    PLATFORM = "xiaohongshu"
    KEY_OF_APP = "the app key of its page"
    HEADERS = ("app-key", "timestamp", "sign")

    def __post_init__(self) -> None:
        if self.enabled and not self.amounts_in:
            raise ValueError(
                'enabled needs amounts_in = "fen" or "yuan": compare one order with the seller\'s own page'
            )

    def verify(self, delivery: Delivery, app: App, now: datetime) -> Accepted | Refused:
        app_key, stamp, told = (delivery.headers.get(name, "") for name in self.HEADERS)
        params = query_params(delivery.query)
        if not self.enabled:
            return Refused("disabled")
        if params is None or not STAMP.fullmatch(stamp) or not params.keys().isdisjoint(self.HEADERS):
            return Refused("malformed")
        signed = params | {"app-key": app_key, "timestamp": stamp}
        if not one_of(told, (xiaohongshu_push(delivery.path, signed, secret) for secret in app.secrets)):
            return Refused("bad_signature")
        if app_key != app.key:
            return Refused("wrong_app")
        stamp_s = int(stamp) / (1000 if len(stamp) == 13 else 1)
        return Accepted(SUCCESS) if abs(stamp_s - now.timestamp()) <= WINDOW_S else Refused("stale")

    def answer_check(self, delivery: Delivery, app: App) -> Reply | None:
        return None

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        sales: list[Sale] = []
        needs: list[Need] = []
        bad: list[Bad] = []
        for number, raw in enumerate(each_raw(msgspec.msgpack.decode(frame, type=Delivery).body), 1):
            sample = f"item {number}"
            try:
                message = json_body(raw, Message)
                told = self._after_sale if message.msgTag.startswith("msg_after_sale_") else self._order
                sample = f"{fit_name(message.sellerId)} {sample}".strip()
                meant = told(message, at, details)
            except BadFrame as error:
                bad.append(Bad(str(error), sample, raw))
            else:
                sales += [meant] if isinstance(meant, Sale) else []
                needs += [meant] if isinstance(meant, Need) else []
        return Meaning(needs=needs) if needs else Meaning(sales, bad=bad)

    def _order(self, message: Message, received_at: datetime, details: Details) -> Sale | Need | None:
        if message.msgTag != "msg_fulfillment_status_change":
            return None
        order = inner_json(message.data, Order)
        kind = STATES.get(order.orderStatus or 0)
        if kind is None:
            return None
        shop, order_id = exact_id(message.sellerId), exact_id(order.orderId)
        if kind != "paid":  # no push says what a new or a cancelled order is worth
            return order_sale(self, kind, shop, order_id, instant(order.updateTime), received_at, OrderDetail())
        read = yuan if self.amounts_in == "yuan" else fen
        more = understood(details, ORDER, order_id, lambda answer: order_detail(answer, order_id, read))
        if more is None or more.paid_at is None:
            return Need(ORDER, order_id, shop)
        return order_sale(self, kind, shop, order_id, more.paid_at, received_at, more)

    def _after_sale(self, message: Message, received_at: datetime, details: Details) -> Sale | Need | None:
        """No push says that the money is back, so each is asked about until it is, or never will be."""
        if message.msgTag in NO_MONEY:
            return None
        refund = inner_json(message.data, AfterSale)
        shop, order_id, refund_id = exact_id(message.sellerId), exact_id(refund.orderId), exact_id(refund.returnsId)
        told = understood(details, REFUND, refund_id, lambda answer: refund_detail(answer, refund_id))
        if told is None or not (told.done or told.closed):
            return Need(REFUND, refund_id, shop)
        if told.closed:
            return None
        more, happened_at = OrderDetail(amount_minor=told.amount_minor), told.refunded_at or instant(refund.updateTime)
        return order_sale(self, "refunded", shop, order_id, happened_at, received_at, more, refund_id)
