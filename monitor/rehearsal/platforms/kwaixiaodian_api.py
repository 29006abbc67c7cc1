"""A played openapi.kwaixiaodian.com: tokens, orders, refunds, viewers of Kuaishou shops, by the platform's own rules.

Its signature is computed here anew, not with the collectors' code. How the platform numbers a wrong signature, a wrong
clock and an unlisted address is not known: these faults carry numbers that nobody knows, as the true ones do for us.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, MutableMapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import parse_qsl

from .api_server import ApiServer, Asked, Told
from .order_index import ms_of, orders_between, refund_in, refunds_between
from .token_office import CallBook, Denied, Pair, PlayedOrder, PlayedRefund, TokenOffice, TokenRules

RULES = TokenRules(access_s=172_800, refresh_s=180 * 86_400, inherits=True)
ORDERS_MAX, REFUNDS_MAX = 50, 100  # of a page
ORDERS_WINDOW, REFUNDS_WINDOW = timedelta(days=7), timedelta(days=1)
WHY = {
    "unknown": "invalid refresh_token",
    "expired": "invalid refresh_token",
    "void": "refreshToken.discarded",
    "revoked": "refreshToken.revokedAuthorization",
}
NO_MORE = "nomore"


class FakeKwaixiaodian:
    """One app, with its three secrets; that of the pushes is of no use here."""

    def __init__(
        self, app_key: str, secret: bytes, now: Callable[[], datetime], book: CallBook | None = None,
        sign_secret: bytes = b"sign-secret",
    ) -> None:  # fmt: skip
        self.app_key, self.secret, self.sign_secret, self.now = app_key, secret, sign_secret, now
        self.book = book or CallBook()
        self.office = TokenOffice(RULES)
        self.orders: MutableMapping[str, PlayedOrder] = {}
        self.watching: Callable[[str], int | None] = lambda shop: None  # UV of its live room; None: no number is told
        self.garbled: set[str] = set()  # shops whose UV is no number
        self.server = ApiServer(self.answer)

    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> str:
        return await self.server.serve(host, port)

    async def close(self) -> None:
        await self.server.close()

    def answer(self, asked: Asked) -> Told:
        if not self.book.address_ok(asked.remote):
            return fault(0, "999001", "ip is not in the white list")
        path = asked.path.strip("/")
        match self.book.take(path.replace("/", ".") if path.startswith("open/") else path, self.now()):
            case "rate":
                return fault(0, "802006", "请求过于频繁")
            case "quota":
                return fault(0, "802006", "APP已达到当天调用额度限制")
        if path == "oauth2/access_token" and asked.method == "GET":
            return self._exchange(asked.query)
        if path == "oauth2/refresh_token" and asked.method == "POST":
            return self._refresh(dict(parse_qsl(asked.body.decode())))
        return self._called(path.replace("/", "."), asked.query)

    # --- tokens ---

    def _exchange(self, params: dict[str, str]) -> Told:
        if not self._is_us(params):
            return denied(100200101, "unauthorized_client", "app 非法")
        if params.get("grant_type") != "code":
            return denied(100200104, "unsupported_grant_type", "grantType 错误")
        try:
            pair = self.office.exchange(params.get("code", ""), self.now())
        except Denied:
            return denied(100200105, "invalid_grant", "code 错误")
        told = self._granted(pair)
        told.pop("refresh_token_expires_in")  # it is not told with the first pair
        return Told(told | {"open_id": f"f1{pair.shop}"})

    def _refresh(self, params: dict[str, str]) -> Told:
        if not self._is_us(params):
            return denied(100200101, "unauthorized_client", "app 非法")
        refresh = params.get("refresh_token", "")
        old = self.office.by_refresh.get(refresh)
        try:
            pair = self.office.refresh(refresh, self.now())
        except Denied as why:
            return denied(100200102, "access_denied", WHY[why.why])
        if old is not None:  # access tokens live on side by side: it is the refresh token alone that is void
            self.office.by_access[old.access] = replace(old, void_from=None)
        return Told(self._granted(pair))

    def _is_us(self, params: dict[str, str]) -> bool:
        return params.get("app_id") == self.app_key and hmac.compare_digest(
            params.get("app_secret", "").encode(), self.secret
        )

    def _granted(self, pair: Pair) -> dict[str, Any]:
        assert pair.refresh_until is not None  # noqa: S101 - by the rules above
        return {
            "result": 1, "access_token": pair.access, "refresh_token": pair.refresh,
            "expires_in": int((pair.access_until - self.now()).total_seconds()),
            "refresh_token_expires_in": int((pair.refresh_until - self.now()).total_seconds()),
            "scopes": ["merchant_order", "merchant_refund", "user_info"],
        }  # fmt: skip

    # --- calls ---

    def sign(self, query: dict[str, str]) -> str:
        """All parameters as they were before they were escaped, in the order of their names, and the signSecret."""
        names = sorted(set(query) - {"sign"})
        text = "&".join(f"{name}={query[name]}" for name in names).encode() + b"&signSecret=" + self.sign_secret
        if query.get("signMethod") == "HMAC_SHA256":
            return base64.b64encode(hmac.new(self.sign_secret, text, hashlib.sha256).digest()).decode()
        return hashlib.md5(text, usedforsecurity=False).hexdigest()

    def _called(self, method: str, query: dict[str, str]) -> Told:
        signed = hmac.compare_digest(query.get("sign", "").encode(), self.sign(query).encode())
        if query.get("appkey") != self.app_key or query.get("method") != method or not signed:
            return fault(0, "999002", "sign is invalid")
        stamp = query.get("timestamp", "")
        if not stamp.isdecimal() or not self.book.clock_ok(datetime.fromtimestamp(int(stamp) / 1000, UTC), self.now()):
            return fault(0, "999003", "timestamp is invalid")
        try:
            shop = self.office.shop_of(query.get("access_token", ""), self.now())
        except Denied as why:
            return denied(100200102, "access_denied", WHY[why.why] if why.why == "revoked" else "invalid access_token")
        params: dict[str, Any] = json.loads(query.get("param", "{}"))
        called = {
            "open.user.seller.get": self._seller, "open.order.detail": self._order,
            "open.order.cursor.list": self._orders, "open.live.shop.seller.real.uv": self._real_uv,
            "open.seller.order.refund.detail": self._refund, "open.seller.order.refund.pcursor.list": self._refunds,
        }  # fmt: skip
        return called[method](shop, params) if method in called else fault(0, "999004", "no such api")

    def _seller(self, shop: str, params: dict[str, Any]) -> Told:
        return success({"name": f"店铺{shop}", "sellerId": number(shop), "openId": f"f1{shop}", "sex": "M", "head": ""})

    def _real_uv(self, shop: str, params: dict[str, Any]) -> Told:
        """UNVERIFIED what a seller is told who is not on air: as the play says."""
        told = "很多" if shop in self.garbled else self.watching(shop)
        return success({} if told is None else {"realWatchUv": told})

    def _order(self, shop: str, params: dict[str, Any]) -> Told:
        order = self.orders.get(str(params.get("oid", "")))
        if order is None or order.shop != shop:
            return fault(2001, "2001", "订单不存在")
        return success(written(order))

    def _orders(self, shop: str, params: dict[str, Any]) -> Told:
        size, cursor = params["pageSize"], params.get("cursor", "")
        refusal = self._window(params, size, ORDERS_MAX, ORDERS_WINDOW)
        if refusal is not None or "orderViewStatus" not in params:
            return refusal or fault(2001, "2001", "orderViewStatus无效")
        by: Literal["updated_at", "created_at"] = "updated_at" if params.get("queryType") == 2 else "created_at"
        found = orders_between(self.orders, shop, params["beginTime"], params["endTime"], by)
        found.sort(key=lambda order: (getattr(order, by), order.order_id), reverse=params.get("sort", 1) == 1)
        keys = [f"{ms(getattr(order, by))}_{order.order_id}" for order in found]
        start = next((at for at, key in enumerate(keys) if beyond(key, cursor, params)), len(keys)) if cursor else 0
        part, following = found[start : start + size], keys[start : start + size][-1:]
        more = start + size < len(found)
        return success({
            "orderList": [written(order) for order in part], "cursor": following[0] if more else NO_MORE,
            "pageSize": size, "beginTime": params["beginTime"], "endTime": params["endTime"],
        })  # fmt: skip

    def _refund(self, shop: str, params: dict[str, Any]) -> Told:
        found = refund_in(self.orders, shop, str(params.get("refundId", "")))
        return fault(2001, "2001", "售后单不存在") if found is None else success(refund_of(*found))

    def _refunds(self, shop: str, params: dict[str, Any]) -> Told:
        size, page = params["pageSize"], params["currentPage"]
        refusal = self._window(params, size, REFUNDS_MAX, REFUNDS_WINDOW)
        if refusal is not None:
            return refusal
        found = refunds_between(self.orders, shop, params["beginTime"], params["endTime"])
        start = int(base64.b64decode(params["pcursor"])) if params["pcursor"] else 0
        if start != (page - 1) * size:
            return fault(2001, "2001", "currentPage与pcursor不一致")
        following = NO_MORE if start + size >= len(found) else base64.b64encode(str(start + size).encode()).decode()
        return success({
            "refundOrderInfoList": [refund_of(*one) for one in found[start : start + size]], "pcursor": following,
            "currentPage": page, "pageSize": size, "totalSize": len(found),
        })  # fmt: skip

    def _window(self, params: dict[str, Any], size: int, size_max: int, widest: timedelta) -> Told | None:
        if not 1 <= size <= size_max:
            return fault(2001, "2001", "pageSize无效")
        width = timedelta(milliseconds=params["endTime"] - params["beginTime"])
        return None if timedelta() < width <= widest else fault(2001, "2001", "endTime无效")


def success(data: object) -> Told:
    return Told({"result": 1, "code": "1", "msg": "success", "error_msg": "SUCCESS", "sub_code": "", "data": data})


def fault(result: int, code: str, text: str) -> Told:
    main = "807000" if result else code
    return Told({
        "result": result, "code": main, "msg": "失败", "error_msg": text, "sub_code": code, "sub_msg": text,
        "request_id": "r1",
    })  # fmt: skip


def denied(result: int, error: str, text: str) -> Told:
    return Told({"result": result, "error": error, "error_msg": text})


def ms(at: datetime | None) -> int:
    return 0 if at is None else ms_of(at)


def number(told: str) -> int | str:
    """Ids that the platform writes as numbers."""
    return int(told) if told.isdecimal() else told


def beyond(key: str, cursor: str, params: dict[str, Any]) -> bool:
    """Whether an entry stands behind the cursor, in the order that was asked for."""
    at, order_id = key.split("_")
    mark, mark_id = cursor.split("_")
    ours, theirs = (int(at), order_id), (int(mark), mark_id)
    return ours < theirs if params.get("sort", 1) == 1 else ours > theirs


def written(order: PlayedOrder) -> dict[str, Any]:
    status = 80 if order.cancelled_at else 30 if order.paid_at else 10
    base = {
        "oid": number(order.order_id), "createTime": ms(order.created_at), "updateTime": ms(order.updated_at),
        "payTime": ms(order.paid_at), "status": status, "totalFee": order.amount_minor, "discountFee": 0,
        "expressFee": 0, "sellerOpenId": f"f1{order.shop}", "buyerOpenId": order.buyer, "buyerNick": "李四",
        "remark": "送给王五",
    }  # fmt: skip
    item = {"itemId": number(order.product), "itemTitle": order.title, "num": order.units, "price": order.amount_minor}
    address = {"encryptedConsignee": "##enc", "desensitiseConsignee": "张*", "mobile": "", "provinceName": "辽宁省"}
    return {"orderBaseInfo": base, "orderItemInfo": item, "orderAddress": address, "orderRefundList": []}


def refund_of(order: PlayedOrder, refund: PlayedRefund) -> dict[str, Any]:
    return {
        "refundId": number(refund.refund_id), "oid": number(order.order_id), "sellerId": number(order.shop),
        "refundFee": refund.amount_minor, "status": 60 if refund.done else 10, "handlingWay": 10, "refundType": 1,
        "createTime": ms(order.created_at), "updateTime": ms(refund.updated_at),
        "endTime": ms(refund.done_at or refund.updated_at) if refund.done else 0, "itemId": 1,
        "refundReasonDesc": "张三不想要了",
    }  # fmt: skip
