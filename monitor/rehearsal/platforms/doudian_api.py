"""A played openapi-fxg.jinritemai.com: tokens, orders and after-sales of Doudian shops, by the platform's own rules.

Its signature is computed here anew, not with the collectors' code. Whatever of a person a true answer holds, this one
holds, too: masked and encrypted names, phones, addresses.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, Literal

from .api_server import ApiServer, Asked, Told
from .order_index import orders_between, refunds_between
from .token_office import CallBook, Denied, Pair, PlayedOrder, PlayedRefund, TokenOffice, TokenRules

RULES = TokenRules(access_s=7 * 86_400, refresh_s=14 * 86_400, window_s=3600, same_early=True, old_s=3600)
PAGE_MAX = 100
SECONDS_MAX = 1 << 40
ENTRIES_MAX = 50_000  # page x size, of after-sales
DENIED = {
    "unknown": (40003, "isv.access-token-no-existed", "access_token不存在，请使用最新的access_token访问"),
    "void": (40003, "isv.access-token-no-existed", "access_token不存在，请使用最新的access_token访问"),
    "expired": (40003, "isv.access-token-expired", "access_token已过期"),
    "revoked": (30001, "dop.authorization-no-existed", "店铺授权已失效，请重新授权"),
}
NO_TOKEN = {
    "unknown": "dop.token-generate-failed:token-invalid",
    "void": "dop.token-generate-failed:token-invalid",
    "expired": "dop.token-generate-failed:token-expired",
    "revoked": "dop.token-generate-failed:no-authorization",
}


class FakeDoudian:
    """One app. `own_shops`: those that a self-use app may ask tokens of without a code."""

    def __init__(self, app_key: str, secret: bytes, now: Callable[[], datetime], book: CallBook | None = None) -> None:
        self.app_key, self.secret, self.now = app_key, secret, now
        self.book = book or CallBook()
        self.office = TokenOffice(RULES)
        self.orders: MutableMapping[str, PlayedOrder] = {}
        self.own_shops: set[str] = set()
        self.server = ApiServer(self.answer)

    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> str:
        return await self.server.serve(host, port)

    async def close(self) -> None:
        await self.server.close()

    def answer(self, asked: Asked) -> Told:
        method, query = asked.path.strip("/").replace("/", "."), asked.query
        refusal = self._refusal(asked, method)
        if refusal is not None:
            return refusal
        try:
            params: dict[str, Any] = json.loads(asked.body)
        except ValueError:
            return fault(40003, "isv.parameter-format-invalid", "业务参数json解析失败")
        if method == "token.create":
            return self._create(params)
        if method == "token.refresh":
            return self._refresh(params)
        try:
            shop = self.office.shop_of(query.get("access_token", ""), self.now())
        except Denied as denied:
            return fault(*DENIED[denied.why])
        called = {"order.orderDetail": self._order, "order.searchList": self._orders, "afterSale.List": self._refunds}
        return called[method](shop, params) if method in called else fault(70000, "isp.api-service-off", "API不存在")

    def _refusal(self, asked: Asked, method: str) -> Told | None:
        query = asked.query
        if not self.book.address_ok(asked.remote):
            return fault(30002, "isv.ip-forbidden", "请求来源IP不可信，请检查IP白名单")
        if query.get("app_key") != self.app_key:
            return fault(40003, "isv.app-id-invalid", "认证失败，app_key格式不正确")
        if not hmac.compare_digest(query.get("sign", ""), self.sign(query, asked.body)) or query["method"] != method:
            return fault(40003, "isv.signature-invalid", "签名校验失败")
        stamp = query.get("timestamp", "")
        if not stamp.isdecimal() or not self.book.clock_ok(datetime.fromtimestamp(int(stamp), UTC), self.now()):
            return fault(40003, "isv.timestamp-invalid", "时间戳不合法")
        if self.book.take(method, self.now()) != "ok":
            return fault(60000, "isv.app-call-limited", "触发限流，请稍后重试")
        return None

    def sign(self, query: dict[str, str], body: bytes) -> str:
        """secret + app_key..method..param_json..timestamp..v.. + secret."""
        text = "app_key{}method{}param_json{}timestamp{}v{}".format(
            query.get("app_key", ""), query.get("method", ""), body.decode("utf-8", "replace"),
            query.get("timestamp", ""), query.get("v", ""),
        )  # fmt: skip
        wrapped = self.secret + text.encode() + self.secret
        if query.get("sign_method") == "hmac-sha256":
            return hmac.new(self.secret, wrapped, hashlib.sha256).hexdigest()
        return hashlib.md5(wrapped, usedforsecurity=False).hexdigest()

    # --- tokens ---

    def _create(self, params: dict[str, Any]) -> Told:
        if params.get("grant_type") == "authorization_self":
            shop = str(params.get("shop_id", ""))
            if shop not in self.own_shops or shop in self.office.revoked:
                return fault(50001, "dop.token-generate-failed:no-authorization", "生成token失败，店铺授权已失效")
            return self._granted(self.office.issue(shop, self.now()))
        if params.get("grant_type") != "authorization_code":
            return fault(50001, "dop.token-generate-failed:grant-type-invalid", "grant_type参数取值不正确")
        try:
            return self._granted(self.office.exchange(str(params.get("code", "")), self.now()))
        except Denied:
            return fault(50001, "dop.token-generate-failed:code-invalid", "code参数不正确")

    def _refresh(self, params: dict[str, Any]) -> Told:
        if params.get("grant_type") != "refresh_token":
            return fault(50001, "dop.token-generate-failed:grant-type-invalid", "grant_type参数取值不正确")
        old, now = self.office.by_refresh.get(str(params.get("refresh_token", ""))), self.now()
        try:
            pair = self.office.refresh(str(params.get("refresh_token", "")), now)
        except Denied as denied:
            return fault(50001, NO_TOKEN[denied.why], "生成token失败")
        if old is not None and pair is not old and now >= old.access_until:
            old.void_from = now  # the old pair lives on for an hour only if it was not over
        return self._granted(pair)

    def _granted(self, pair: Pair) -> Told:
        left = int((pair.access_until - self.now()) / timedelta(seconds=1))
        return success({
            "access_token": pair.access, "expires_in": left, "refresh_token": pair.refresh, "scope": "SCOPE",
            "shop_id": number(pair.shop), "shop_name": f"店铺{pair.shop}", "authority_id": "", "auth_subject_type": "",
        })  # fmt: skip

    # --- orders ---

    def _order(self, shop: str, params: dict[str, Any]) -> Told:
        order = self.orders.get(str(params.get("shop_order_id", "")))
        if order is None or order.shop != shop:
            return fault(40004, "isv.parameter-invalid:11003", "数据不存在")
        return success({"shop_order_detail": written(order)})

    def _orders(self, shop: str, params: dict[str, Any]) -> Told:
        page, size = params.get("page"), params.get("size")
        if not isinstance(page, int) or not isinstance(size, int) or not 1 <= size <= PAGE_MAX:
            return fault(40004, "isv.parameter-invalid:1", "size限制100以内")
        name = params.get("order_by", "create_time")
        window = params.get(f"{name}_start", 0), params.get(f"{name}_end", SECONDS_MAX)
        by: Literal["updated_at", "created_at"] = "updated_at" if name == "update_time" else "created_at"
        found = orders_between(self.orders, shop, *whole_seconds(*window), by)
        found.sort(key=attrgetter(by), reverse=not params.get("order_asc", False))
        part = found[page * size : (page + 1) * size]
        return success({
            "page": page, "total": len(found), "size": size, "shop_order_list": [written(order) for order in part],
        })  # fmt: skip

    def _refunds(self, shop: str, params: dict[str, Any]) -> Told:
        page, size = params["page"], params["size"]
        if not 1 <= size <= PAGE_MAX or (page + 1) * size > ENTRIES_MAX:
            return fault(40004, "isv.parameter-invalid:11000", "参数错误")
        window = params.get("update_start_time", 0), params.get("update_end_time", SECONDS_MAX)
        found = refunds_between(self.orders, shop, *whole_seconds(*window))
        found.sort(key=lambda pair: pair[1].updated_at, reverse="update_time asc" not in params.get("order_by", []))
        part = found[page * size : (page + 1) * size]
        return success({
            "items": [after_sale(order, refund) for order, refund in part], "has_more": (page + 1) * size < len(found),
            "total": len(found), "page": page, "size": len(part),
        })  # fmt: skip


def success(data: object) -> Told:
    return Told({"code": 10000, "msg": "success", "sub_code": "", "sub_msg": "", "data": data, "log_id": "2026112420"})


def fault(code: int, sub_code: str, sub_msg: str) -> Told:
    return Told({"code": code, "msg": "失败", "sub_code": sub_code, "sub_msg": sub_msg, "log_id": "2026112420"})


def seconds(at: datetime | None) -> int:
    return 0 if at is None else int(at.timestamp())


def number(told: str) -> int | str:
    """Ids that the platform writes as numbers."""
    return int(told) if told.isdecimal() else told


def whole_seconds(from_s: int, to_s: int) -> tuple[int, int]:
    """The milliseconds of a window of seconds that are both included."""
    return from_s * 1000, to_s * 1000 + 999


def written(order: PlayedOrder) -> dict[str, Any]:
    status = 4 if order.cancelled_at else 2 if order.paid_at else 1
    person = {
        "post_tel": "", "encrypt_post_tel": "$138****0000$#enc#", "mask_post_tel": "1380000****",
        "post_receiver": "", "encrypt_post_receiver": "##enc", "mask_post_receiver": "张*",
        "post_addr": {"province": {"name": "辽宁省", "id": "21"}, "encrypt_detail": "##enc##"},
    }  # fmt: skip
    line = {
        "order_id": order.order_id + "1", "parent_order_id": order.order_id, "order_status": status,
        "product_id": number(order.product), "product_id_str": order.product, "product_name": order.title,
        "item_num": order.units, "pay_amount": order.amount_minor, "author_id": number(order.author or "0"),
        "author_name": "李主播", "room_id": number(order.room or "0"), "room_id_str": order.room, "theme_type": "1",
        "create_time": seconds(order.created_at), "pay_time": seconds(order.paid_at),
        "update_time": seconds(order.updated_at), **person,
    }  # fmt: skip
    return {
        "shop_id": number(order.shop), "shop_name": f"店铺{order.shop}", "order_id": order.order_id, "order_level": 2,
        "order_status": status, "create_time": seconds(order.created_at), "pay_time": seconds(order.paid_at),
        "update_time": seconds(order.updated_at), "finish_time": 0, "pay_type": 1,
        "order_amount": order.amount_minor, "pay_amount": order.amount_minor if order.paid_at else 0,
        "post_amount": 0, "doudian_open_id": order.buyer, "buyer_words": "送给王五", "sku_order_list": [line], **person,
    }  # fmt: skip


def after_sale(order: PlayedOrder, refund: PlayedRefund) -> dict[str, Any]:
    info = {
        "aftersale_id": refund.refund_id, "aftersale_order_type": 1, "aftersale_type": 1,
        "aftersale_status": 12 if refund.done else 6, "refund_status": 3 if refund.done else 1,
        "related_id": order.order_id + "1", "apply_time": seconds(order.created_at),
        "create_time": seconds(order.created_at), "update_time": seconds(refund.updated_at),
        "refund_amount": refund.amount_minor, "refund_post_amount": 0, "aftersale_num": 1,
        "aftersale_status_to_final_time": seconds(refund.done_at or refund.updated_at) if refund.done else 0,
    }  # fmt: skip
    return {"aftersale_info": info, "order_info": {"shop_order_id": order.order_id, "order_flag": 0}}
