"""A played eco.taobao.com: tokens, trades and refunds of Taobao shops, by the open platform's own rules.

Its signature is computed here anew, not with the collectors' code. Of a trade it tells the fields that are asked for,
whatever of a person they hold. That the old pair is void as soon as a new one is out is not confirmed: it is the harder
rule.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, MutableMapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from .api_server import ApiServer, Asked, Told
from .order_index import ms_of, orders_between, refunds_between
from .token_office import CallBook, Denied, Pair, PlayedOrder, PlayedRefund, TokenOffice, TokenRules

SHANGHAI = ZoneInfo("Asia/Shanghai")
RULES = TokenRules(access_s=30 * 86_400, refresh_s=60 * 86_400)
DAY = timedelta(days=1)
Refunded = tuple[PlayedOrder, PlayedRefund]
PAGE_MAX = 100
TOKEN_CALLS = ("taobao.top.auth.token.create", "taobao.top.auth.token.refresh")
DENIED = {"unknown": "invalid-sessionkey", "void": "invalid-sessionkey", "expired": "session-expired"}


class FakeTaobao:
    """One app. `fixed`: its kind of app gets tokens that nothing extends, as apps of the seller's own back office do.

    `permitted` are the sellers whose messages the app may hear.
    """

    def __init__(
        self, app_key: str, secret: bytes, now: Callable[[], datetime], book: CallBook | None = None,
        fixed: bool = False,
    ) -> None:  # fmt: skip
        self.app_key, self.secret, self.now, self.fixed = app_key, secret, now, fixed
        self.book = book or CallBook()
        self.office = TokenOffice(RULES)
        self.orders: MutableMapping[str, PlayedOrder] = {}
        self.unread: set[str] = set()
        self.permitted: set[str] = set()
        self.server = ApiServer(self.answer)

    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> str:
        return await self.server.serve(host, port)

    async def close(self) -> None:
        await self.server.close()

    def answer(self, asked: Asked) -> Told:
        if asked.path != "/router/rest":
            return Told(b"<html>404</html>", 404)
        form = dict(parse_qsl(asked.body.decode(), keep_blank_values=True))
        refusal = self._refusal(asked, form)
        if refusal is not None:
            return refusal
        method = form["method"]
        if method in TOKEN_CALLS:
            return self._tokens(method, form)
        try:
            shop = self.office.shop_of(form.get("session", ""), self.now())
        except Denied as denied:
            return fault(27, "Invalid session", DENIED.get(denied.why, "invalid-sessionkey"))
        called = {
            "taobao.trade.fullinfo.get": self._trade, "taobao.trades.sold.increment.get": self._trades,
            "taobao.refunds.receive.get": self._refunds, "taobao.tmc.user.permit": self._permit,
        }  # fmt: skip
        return called[method](shop, form) if method in called else fault(22, "Invalid method")

    def _refusal(self, asked: Asked, form: dict[str, str]) -> Told | None:
        if form.get("app_key") != self.app_key:
            return fault(29, "Invalid app Key", "isv.appkey-not-exists")
        if not hmac.compare_digest(form.get("sign", ""), self.sign(form)):
            return fault(25, "Invalid signature")
        try:
            stamp = read(form["timestamp"])
        except (KeyError, ValueError):
            return fault(30, "Missing timestamp")
        if not self.book.clock_ok(stamp, self.now()):
            return fault(31, "Invalid timestamp")
        if not self.book.address_ok(asked.remote):
            return fault(11, "Insufficient isv permissions", "isv.permission-ip-whitelist-limit")
        if (taken := self.book.take(form["method"], self.now())) != "ok":
            which, span = ("app", 3600) if taken == "quota" else ("api", 1)
            sub_msg = f"This ban will last for {span} more seconds"
            return fault(7, "App Call Limited", f"accesscontrol.limited-by-{which}-access-count", sub_msg)
        return None

    def sign(self, form: dict[str, str]) -> str:
        """secret + all fields but the sign itself, sorted, names and values run together + secret."""
        text = b"".join((name + form[name]).encode() for name in sorted(form) if name != "sign")
        return hashlib.md5(self.secret + text + self.secret, usedforsecurity=False).hexdigest().upper()

    # --- tokens ---

    def _tokens(self, method: str, form: dict[str, str]) -> Told:
        try:
            if method == TOKEN_CALLS[0]:
                return self._granted("create", self.office.exchange(form.get("code", ""), self.now()))
            if self.fixed:
                return fault(11, "Insufficient isv permissions", "isv.permission-api-package-limit")
            return self._granted("refresh", self.office.refresh(form.get("refresh_token", ""), self.now()))
        except Denied:
            which = "code" if method == TOKEN_CALLS[0] else "refresh_token"
            return fault(41, "Invalid arguments", f"isv.invalid-parameter:{which}")

    def _granted(self, what: str, pair: Pair) -> Told:
        left = 0 if self.fixed or pair.refresh_until is None else int((pair.refresh_until - self.now()).total_seconds())
        result = {
            "access_token": pair.access, "expires_in": int((pair.access_until - self.now()).total_seconds()),
            "refresh_token": pair.refresh, "re_expires_in": left, "token_type": "Bearer", "w1_expires_in": 1800,
            "taobao_user_id": pair.shop, "taobao_user_nick": f"店铺{pair.shop}", "expire_time": 1,
        }  # fmt: skip
        return Told({f"top_auth_token_{what}_response": {"token_result": json.dumps(result), "request_id": "r"}})

    def _permit(self, shop: str, form: dict[str, str]) -> Told:
        self.permitted.add(shop)
        return Told({"tmc_user_permit_response": {"is_success": True, "request_id": "r"}})

    # --- trades ---

    def _trade(self, shop: str, form: dict[str, str]) -> Told:
        order = self.orders.get(form.get("tid", ""))
        if order is None or order.shop != shop:
            return fault(15, "Remote service error", "isv.trade-not-exist", "交易订单不存在")
        self.unread.discard(order.order_id)
        return Told({"trade_fullinfo_get_response": {"trade": picked(trade(order), form), "request_id": "r"}})

    def _trades(self, shop: str, form: dict[str, str]) -> Told:
        def within(from_ms: int, to_ms: int) -> list[PlayedOrder]:
            found = orders_between(self.orders, shop, from_ms, to_ms)
            return sorted(found, key=lambda order: order.updated_at)

        return self._page("trades_sold_increment_get_response", "trades", "trade", within, trade, form)

    def _refunds(self, shop: str, form: dict[str, str]) -> Told:
        def within(from_ms: int, to_ms: int) -> list[Refunded]:
            found = sorted(refunds_between(self.orders, shop, from_ms, to_ms), key=lambda pair: pair[1].updated_at)
            return [pair for pair in found if form.get("status", "") in ("", refunded(*pair)["status"])]

        return self._page("refunds_receive_get_response", "refunds", "refund", within, lambda it: refunded(*it), form)

    def _page[T](
        self, name: str, many: str, one: str, within: Callable[[int, int], list[T]],
        written: Callable[[T], dict[str, Any]], form: dict[str, str],
    ) -> Told:  # fmt: skip
        """The newest first; without `use_has_next` with their number, and with it without."""
        try:
            from_at, to_at = read(form["start_modified"]), read(form["end_modified"])
            number, size = int(form.get("page_no", "1")), int(form.get("page_size", "40"))
        except (KeyError, ValueError):
            return fault(40, "Missing required arguments")
        if not from_at < to_at <= from_at + DAY or not 1 <= size <= PAGE_MAX or number < 1:
            return fault(41, "Invalid arguments", "isv.invalid-parameter")
        found = within(ms_of(from_at), ms_of(to_at) + 999)[::-1]  # the platform's instants are whole seconds
        page = [picked(written(entry), form) for entry in found[(number - 1) * size : number * size]]
        told: dict[str, Any] = {many: {one: page}, "request_id": "r"} if page else {"request_id": "r"}
        if form.get("use_has_next") == "true":
            told["has_next"] = number * size < len(found)
        else:
            told["total_results"] = len(found)
        return Told({name: told})


def fault(code: int, msg: str, sub_code: str = "", sub_msg: str = "") -> Told:
    more = {"sub_code": sub_code, "sub_msg": sub_msg or sub_code} if sub_code else {}
    return Told({"error_response": {"code": code, "msg": msg, **more, "request_id": "16nqyqgiyh3oa"}})


def read(written: str) -> datetime:
    return datetime.strptime(written, "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI).astimezone(UTC)


def written(at: datetime) -> str:
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def yuan(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def picked(entry: dict[str, Any], form: dict[str, str]) -> dict[str, Any]:
    wanted: Sequence[str] = form.get("fields", "").split(",")
    return {name: value for name, value in entry.items() if name in wanted}


def status_of(order: PlayedOrder, back: int) -> str:
    if order.cancelled_at is not None and order.paid_at is None:
        return "TRADE_CLOSED_BY_TAOBAO"
    if order.paid_at is None:
        return "WAIT_BUYER_PAY"
    return "TRADE_CLOSED" if back >= order.amount_minor else "WAIT_SELLER_SEND_GOODS"


def trade(order: PlayedOrder) -> dict[str, Any]:
    """What came back is no part of `payment` any more."""
    back = sum(refund.amount_minor for refund in order.refunds if refund.done)
    payment = yuan(max(order.amount_minor - back, 0))
    line = {
        "oid": int(order.order_id) + 1, "num_iid": int(order.product), "title": order.title, "num": order.units,
        "divide_order_fee": payment, "payment": payment, "refund_status": "SUCCESS" if back else "NO_REFUND",
        "status": status_of(order, back), "pic_path": "https://img.example/1.jpg",
    }  # fmt: skip
    told: dict[str, Any] = {
        "tid": int(order.order_id), "status": status_of(order, back), "type": "fixed", "payment": payment,
        "post_fee": "0.00", "created": written(order.created_at), "modified": written(order.updated_at),
        "buyer_open_uid": order.buyer, "buyer_nick": "t**", "seller_nick": f"店铺{order.shop}",
        "receiver_name": "王小贝", "receiver_mobile": "13312343069", "receiver_address": "解放路100号",
        "buyer_message": "送给王五", "orders": {"order": [line]},
    }  # fmt: skip
    if order.paid_at is not None:
        told["pay_time"] = written(order.paid_at)
    if order.cancelled_at is not None:
        told["end_time"] = written(order.cancelled_at)
    return told


def refunded(order: PlayedOrder, refund: PlayedRefund) -> dict[str, Any]:
    return {
        "refund_id": refund.refund_id, "tid": int(order.order_id), "oid": int(order.order_id) + 1,
        "status": "SUCCESS" if refund.done else "WAIT_SELLER_AGREE", "refund_fee": yuan(refund.amount_minor),
        "total_fee": yuan(order.amount_minor), "modified": written(refund.updated_at),
        "created": written(order.created_at), "buyer_nick": "t**", "reason": "不想要了", "title": order.title,
        "refund_phase": "onsale",
    }  # fmt: skip
