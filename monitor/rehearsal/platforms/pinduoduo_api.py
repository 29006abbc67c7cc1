"""A played gw-api.pinduoduo.com: tokens, orders and after-sales of Pinduoduo malls, by the open platform's own rules.

Its signature is computed here anew, not with the collectors' code. Whatever of a person a true answer holds, this one
holds, too. Not confirmed: how long tokens live, and that the old pair is void as soon as a new one is out, which is the
harder rule.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .api_server import ApiServer, Asked, Told
from .order_index import orders_between, refunds_between
from .token_office import CallBook, Denied, Pair, PlayedOrder, PlayedRefund, TokenOffice, TokenRules

SHANGHAI = ZoneInfo("Asia/Shanghai")
RULES = TokenRules(access_s=86_400, refresh_s=30 * 86_400)
WINDOW_S_MAX = 1800
PAGE_MAX = 100
Refunded = tuple[PlayedOrder, PlayedRefund]
TOKEN_CALLS = ("pdd.pop.auth.token.create", "pdd.pop.auth.token.refresh")
DENIED = {
    "unknown": (20032, "access_token或client_id错误"), "void": (20032, "access_token或client_id错误"),
    "expired": (10019, "access_token已过期"), "revoked": (10014, "授权已被取消"),
}  # fmt: skip


class FakePinduoduo:
    """One app. `permitted` are the malls whose messages the app may hear; `deaf` ones may not be permitted."""

    def __init__(
        self, client_id: str, secret: bytes, now: Callable[[], datetime], book: CallBook | None = None
    ) -> None:
        self.client_id, self.secret, self.now = client_id, secret, now
        self.book = book or CallBook()
        self.office = TokenOffice(RULES)
        self.orders: MutableMapping[str, PlayedOrder] = {}
        self.unread: set[str] = set()
        self.permitted: set[str] = set()
        self.deaf: set[str] = set()
        self.server = ApiServer(self.answer)

    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> str:
        return await self.server.serve(host, port)

    async def close(self) -> None:
        await self.server.close()

    def answer(self, asked: Asked) -> Told:
        if asked.path != "/api/router":
            return Told(b"<html>404</html>", 404)
        try:
            told: dict[str, Any] = json.loads(asked.body)
        except ValueError:
            return fault(10000, "参数错误")
        refusal = self._refusal(asked, told)
        if refusal is not None:
            return refusal
        method = str(told["type"])
        if method in TOKEN_CALLS:
            return self._tokens(method, told)
        try:
            mall = self.office.shop_of(str(told.get("access_token", "")), self.now())
        except Denied as denied:
            return fault(*DENIED[denied.why])
        called = {
            "pdd.order.information.get": self._order, "pdd.order.number.list.increment.get": self._orders,
            "pdd.refund.list.increment.get": self._refunds, "pdd.pmc.user.permit": self._permit,
        }  # fmt: skip
        return called[method](mall, told) if method in called else fault(10017, "type不正确")

    def _refusal(self, asked: Asked, told: dict[str, Any]) -> Told | None:
        if told.get("client_id") != self.client_id:
            return fault(10016, "client下线或者clientId不正确")
        if not hmac.compare_digest(str(told.get("sign", "")), self.sign(told)):
            return fault(20004, "签名sign校验失败")
        stamp = str(told.get("timestamp", ""))
        if not stamp.isdecimal() or not self.book.clock_ok(datetime.fromtimestamp(int(stamp), UTC), self.now()):
            return fault(10001, "公共参数错误:timestamp")
        if not self.book.address_ok(asked.remote):
            return fault(20005, "ip无权访问接口，请加入ip白名单")
        if (taken := self.book.take(str(told["type"]), self.now())) != "ok":
            return (
                fault(70036, "应用处于测试状态，调用次数被限制") if taken == "quota" else fault(70031, "调用过于频繁")
            )
        return None

    def sign(self, told: dict[str, Any]) -> str:
        """secret + all values but the sign itself, sorted, names and values run together + secret."""
        text = b"".join(f"{name}{told[name]}".encode() for name in sorted(told) if name != "sign")
        return hashlib.md5(self.secret + text + self.secret, usedforsecurity=False).hexdigest().upper()

    # --- tokens ---

    def _tokens(self, method: str, told: dict[str, Any]) -> Told:
        try:
            if method == TOKEN_CALLS[0]:
                return self._granted("create", self.office.exchange(str(told.get("code", "")), self.now()))
            return self._granted("refresh", self.office.refresh(str(told.get("refresh_token", "")), self.now()))
        except Denied as denied:
            if method == TOKEN_CALLS[0]:
                return fault(50001, "业务服务错误", "code已失效")
            return fault(*DENIED["revoked"]) if denied.why == "revoked" else fault(50001, "refresh_token已过期")

    def _granted(self, what: str, pair: Pair) -> Told:
        until = pair.refresh_until or pair.access_until
        levels = {f"{level}_expires_in": self._left(pair.access_until) for level in ("r1", "r2", "w1", "w2")}
        return Told({
            f"pop_auth_token_{what}_response": {
                "access_token": pair.access, "expires_in": self._left(pair.access_until),
                "expires_at": seconds(pair.access_until), "refresh_token": pair.refresh,
                "refresh_token_expires_in": self._left(until), "refresh_token_expires_at": seconds(until),
                "owner_id": pair.shop, "owner_name": f"店铺{pair.shop}", "scope": ["pdd.order.information.get"],
                **levels,
            },
        })  # fmt: skip

    def _left(self, until: datetime) -> int:
        return int((until - self.now()) / timedelta(seconds=1))

    def _permit(self, mall: str, told: dict[str, Any]) -> Told:
        if mall in self.deaf:
            return Told({"pmc_user_permit_response": {"is_success": False, "request_id": "1"}})
        self.permitted.add(mall)
        return Told({"pmc_user_permit_response": {"is_success": True, "request_id": "1"}})

    # --- orders ---

    def _order(self, mall: str, told: dict[str, Any]) -> Told:
        order = self.orders.get(str(told.get("order_sn", "")))
        if order is None or order.shop != mall:
            return fault(50001, "业务服务错误", "订单不存在")
        self.unread.discard(order.order_id)
        return Told({"order_info_get_response": {"order_info": written(order), "request_id": "1"}})

    def _orders(self, mall: str, told: dict[str, Any]) -> Told:
        """What was never paid is no order here."""

        def within(from_ms: int, to_ms: int) -> list[PlayedOrder]:
            found = sorted(orders_between(self.orders, mall, from_ms, to_ms), key=lambda order: order.updated_at)
            return [order for order in found if order.paid_at is not None]

        for name in ("is_lucky_flag", "order_status", "refund_status"):
            if not str(told.get(name, "")).isdecimal():
                return fault(21002, "请求参数不能为空")
        return self._page("order_sn_increment_get_response", "order_sn_list", within, written, told)

    def _refunds(self, mall: str, told: dict[str, Any]) -> Told:
        wanted = str(told.get("after_sales_status", ""))
        if not wanted or not told.get("after_sales_type"):
            return fault(21002, "请求参数不能为空")

        def within(from_ms: int, to_ms: int) -> list[Refunded]:
            found = sorted(refunds_between(self.orders, mall, from_ms, to_ms), key=lambda pair: pair[1].updated_at)
            return [pair for pair in found if str(after_sale(*pair)["after_sales_status"]) == wanted]

        return self._page("refund_increment_get_response", "refund_list", within, lambda it: after_sale(*it), told)

    def _page[T](
        self, name: str, entries: str, within: Callable[[int, int], list[T]],
        written: Callable[[T], dict[str, Any]], told: dict[str, Any],
    ) -> Told:  # fmt: skip
        """The newest first; with `use_has_next` without their number."""
        try:
            from_s, to_s = int(told["start_updated_at"]), int(told["end_updated_at"])
            number, size = int(told.get("page", 1)), int(told.get("page_size", 100))
        except (KeyError, ValueError):
            return fault(21001, "请求参数错误")
        if not from_s < to_s <= from_s + WINDOW_S_MAX or not 1 <= size <= PAGE_MAX or number < 1:
            return fault(21001, "请求参数错误")
        found = within(from_s * 1000, to_s * 1000 + 999)[::-1]
        page = [written(entry) for entry in found[(number - 1) * size : number * size]]
        answer: dict[str, Any] = {entries: page, "request_id": "1"}
        if told.get("use_has_next") == "true":
            answer["has_next"] = number * size < len(found)
        else:
            answer["total_count"] = len(found)
        return Told({name: answer})


def fault(error_code: int, error_msg: str, sub_msg: str = "") -> Told:
    told = {"error_code": error_code, "error_msg": error_msg, "sub_msg": sub_msg, "sub_code": None}
    return Told({"error_response": {**told, "request_id": "15440104776643887"}})


def seconds(at: datetime) -> int:
    return int(at.timestamp())


def clock_time(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def yuan(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def written(order: PlayedOrder) -> dict[str, Any]:
    back = any(refund.done for refund in order.refunds)
    return {
        "order_sn": order.order_id, "pay_amount": yuan(order.amount_minor), "goods_amount": yuan(order.amount_minor),
        "discount_amount": "0", "postage": "0", "pay_time": clock_time(order.paid_at), "pay_no": "wx1",
        "created_time": clock_time(order.created_at), "confirm_time": clock_time(order.paid_at),
        "updated_at": clock_time(order.updated_at), "confirm_status": 2 if order.cancelled_at else 1,
        "group_status": 1, "order_status": 1, "refund_status": 4 if back else 1, "risk_control_status": 0,
        "after_sales_status": 10 if back else 0, "trade_type": 0, "step_order_info": None, "is_lucky_flag": 1,
        "receiver_name": "王小贝", "receiver_phone": "13312343069", "address": "解放路100号", "buyer_memo": "送给王五",
        "item_list": [{
            "goods_id": int(order.product), "sku_id": 1, "goods_name": order.title, "goods_count": order.units,
            "goods_price": yuan(order.amount_minor), "goods_spec": "红色", "goods_img": "https://img.example/1.jpg",
        }],
    }  # fmt: skip


def after_sale(order: PlayedOrder, refund: PlayedRefund) -> dict[str, Any]:
    return {
        "id": int(refund.refund_id), "order_sn": order.order_id, "after_sales_status": 10 if refund.done else 4,
        "after_sales_type": 2, "after_sale_reason": "不想要了", "order_amount": yuan(order.amount_minor),
        "refund_amount": yuan(refund.amount_minor), "discount_amount": "0", "goods_id": int(order.product),
        "goods_name": order.title, "goods_number": str(order.units), "created_time": clock_time(order.created_at),
        "updated_time": clock_time(refund.updated_at), "confirm_time": clock_time(order.paid_at),
        "tracking_number": "", "speed_refund_flag": 0,
    }  # fmt: skip
