"""WeChat Shop (微信小店): orders and refunds, pushed encrypted in security mode; amounts come with the detail."""

import re
from datetime import datetime

import msgspec

from ..cipher import BadCipher, wechat_key_fault, wechat_open
from ..collector import BadFrame
from ..details import ORDER, REFUND, OrderDetail, understood
from ..hook import NO_DETAILS, Accepted, App, Delivery, Details, HookRow, Meaning, Need, Notice, Refused, Reply
from ..instants import instant
from ..json_body import json_body
from ..markup import xml_root
from ..order_details.wechat_shop import REFUNDED, order_detail, refund_detail
from ..order_ids import exact_id
from ..order_sale import order_sale
from ..query import query_params
from ..signing import same, wechat
from ..tick import SaleKind

SUCCESS = Reply(b"success", "text/plain")
STAMP = re.compile(r"[0-9]{1,11}")
ECHO = re.compile(rb"[\w-]{1,64}")
AHEAD_S_MAX = 300
TICKET_CHARS_MAX = 512
# No push says what a new or a cancelled order is worth: they count as one each.
COUNTED: dict[str, SaleKind] = {"channels_ec_order_new": "created", "channels_ec_order_cancel": "cancelled"}


class Sealed(msgspec.Struct, frozen=True):
    Encrypt: str


class Order(msgspec.Struct, frozen=True):
    order_id: str | int
    pay_time: object = None


class AfterSale(msgspec.Struct, frozen=True):
    status: str
    after_sale_order_id: str | int
    order_id: str | int


class Event(msgspec.Struct, frozen=True):
    ToUserName: str
    CreateTime: object = None
    Event: str = ""
    order_info: Order | None = None
    finder_shop_aftersale_status_update: AfterSale | None = None


class WechatShop(HookRow, tag="wechat_shop", frozen=True, kw_only=True):
    age_s_max: float = 14_400.0  # the last retry comes 3.6 h after the first, perhaps with the first one's stamp

    PLATFORM = "wechat"
    KEY_OF_APP = "the AppID (wx...) of its page"
    TOKEN_OF_APP = "the Token of the message push"  # noqa: S105  what it is called, not what it is
    secret_fault = staticmethod(wechat_key_fault)
    CONTENT_TYPES = ("application/json", "text/plain", "text/xml", "application/xml", "application/octet-stream")

    def verify(self, delivery: Delivery, app: App, now: datetime) -> Accepted | Refused:
        stamp, nonce, told = _signed(delivery, "msg_signature")
        sealed = _sealed(delivery.body)
        if sealed is None or not STAMP.fullmatch(stamp):
            return Refused("malformed")
        if not app.token or not same(told, wechat(app.token, stamp.encode(), nonce.encode(), sealed)):
            return Refused("bad_signature")
        if not -AHEAD_S_MAX <= now.timestamp() - int(stamp) <= self.age_s_max:
            return Refused("stale")
        try:
            _opened(sealed, app)
        except BadCipher:
            return Refused("wrong_app")
        return Accepted(SUCCESS, f"{stamp}:{nonce}:{told}")

    def answer_check(self, delivery: Delivery, app: App) -> Reply | None:
        """The platform checks the URL once, when it is registered: what it sends comes back."""
        if not delivery.query:
            return None  # a bare look, as by a browser or the doctor: no forgery that should alarm
        stamp, nonce, told = _signed(delivery, "signature")
        echo = (query_params(delivery.query) or {}).get("echostr", "").encode()
        true = bool(app.token) and same(told, wechat(app.token, stamp.encode(), nonce.encode()))
        return Reply(echo, "text/plain") if true and ECHO.fullmatch(echo) else Reply(b"", "text/plain", 401)

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        told = _opened(_sealed(msgspec.msgpack.decode(frame, type=Delivery).body) or b"", app)
        if told.lstrip()[:1] == b"<":
            return Meaning(notices=notices(told))
        event = json_body(told, Event)
        shop, order, refund = event.ToUserName, event.order_info, event.finder_shop_aftersale_status_update
        if event.Event == "channels_ec_aftersale_update" and refund is not None:
            return self._refunded(exact_id(shop), refund, event.CreateTime, at, details)
        if order is None:
            return Meaning()
        if event.Event == "channels_ec_order_pay":
            return self._paid(exact_id(shop), order, at, details)
        kind = COUNTED.get(event.Event)
        if kind is None:
            return Meaning()
        happened_at, order_id = instant(event.CreateTime), exact_id(order.order_id)
        return Meaning([order_sale(self, kind, exact_id(shop), order_id, happened_at, at, OrderDetail())])

    def _paid(self, shop: str, order: Order, received_at: datetime, details: Details) -> Meaning:
        order_id, paid_at = exact_id(order.order_id), instant(order.pay_time)
        more = understood(details, ORDER, order_id, lambda answer: order_detail(answer, order_id))
        if more is None:
            return Meaning(needs=[Need(ORDER, order_id, shop)])
        return Meaning([order_sale(self, "paid", shop, order_id, paid_at, received_at, more)])

    def _refunded(
        self, shop: str, refund: AfterSale, told_at: object, received_at: datetime, details: Details
    ) -> Meaning:
        if refund.status not in REFUNDED:
            return Meaning()
        refund_id, order_id = exact_id(refund.after_sale_order_id), exact_id(refund.order_id)
        done = understood(details, REFUND, refund_id, lambda answer: refund_detail(answer, refund_id))
        if done is None or not done.done:
            return Meaning(needs=[Need(REFUND, refund_id, shop)])
        more, happened_at = OrderDetail(amount_minor=done.amount_minor), done.refunded_at or instant(told_at)
        return Meaning([order_sale(self, "refunded", shop, order_id, happened_at, received_at, more, refund_id)])


def _signed(delivery: Delivery, signature: str) -> tuple[str, str, str]:
    params = query_params(delivery.query) or {}
    return params.get("timestamp", ""), params.get("nonce", ""), params.get(signature, "")


def notices(told: bytes) -> list[Notice]:
    """What the platform tells the app of a third-party platform, as XML: the ticket each ten minutes, a shop that
    takes its authorisation back (developers.weixin.qq.com, Third-party Platforms, component_verify_ticket and
    authorize_event). Other news are none to us."""
    root = xml_root(told)
    match root.findtext("InfoType"):
        case "component_verify_ticket":
            ticket = root.findtext("ComponentVerifyTicket") or ""
            if not ticket.isascii() or not ticket.isprintable() or not 0 < len(ticket) <= TICKET_CHARS_MAX:
                raise BadFrame("bad_ticket: none, or no text that a ticket could be")
            return [Notice("ticket", value=ticket)]
        case "unauthorized":
            return [Notice("revoked", exact_id(root.findtext("AuthorizerAppid")))]
    return []


def _sealed(body: bytes) -> bytes | None:
    """The `Encrypt` of JSON or, in what is for the app itself, of XML; None where there is none."""
    if body.lstrip()[:1] == b"<":
        try:
            return (xml_root(body).findtext("Encrypt") or "").encode() or None
        except BadFrame:
            return None
    try:
        return msgspec.json.decode(body, type=Sealed).Encrypt.encode()
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _opened(sealed: bytes, app: App) -> bytes:
    """The message, which must be for our app. Raises BadCipher."""
    for secret in app.secrets:
        try:
            return wechat_open(sealed, secret, app.key)
        except BadCipher:
            continue  # the other live secret may open it
    raise BadCipher("cipher: does not open")
