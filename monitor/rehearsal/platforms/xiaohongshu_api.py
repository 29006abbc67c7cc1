"""A played ark gateway of Xiaohongshu: tokens, orders and after-sales of its shops, by the platform's own rules.

Its signature is computed here anew, not with the collectors' code. The numbers and the words of its faults are ours:
the true ones are not known. After-sales come in an envelope within the gateway's, as their page has it.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, MutableMapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from .api_server import ApiServer, Asked, Told
from .order_index import orders_between, refund_in, refunds_between
from .token_office import CallBook, Denied, Pair, PlayedOrder, PlayedRefund, TokenOffice, TokenRules

RULES = TokenRules(access_s=7 * 86_400, refresh_s=14 * 86_400, window_s=1800, same_early=True, old_s=300)
GATEWAY = "/ark/open_api/v3/common_controller"
PAGE_MAX, PAGES_MAX, ENTRIES_MAX = 100, 100, 50_000
CREATED_WINDOW, UPDATED_WINDOW = timedelta(hours=24), timedelta(minutes=30)
WHY = {"revoked": "accessToken无效，商家已取消授权", "expired": "accessToken已过期"}


class FakeXiaohongshu:
    """One app. Amounts of orders are told in fen, those of after-sales in yuan."""

    def __init__(self, app_key: str, secret: bytes, now: Callable[[], datetime], book: CallBook | None = None) -> None:
        self.app_key, self.secret, self.now = app_key, secret, now
        self.book = book or CallBook()
        self.office = TokenOffice(RULES)
        self.orders: MutableMapping[str, PlayedOrder] = {}
        self.unread: set[str] = set()
        self.server = ApiServer(self.answer)

    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> str:
        return await self.server.serve(host, port)

    async def close(self) -> None:
        await self.server.close()

    def answer(self, asked: Asked) -> Told:
        try:
            params: dict[str, Any] = json.loads(asked.body)
        except ValueError:
            return fault(-1001, "参数错误")
        if asked.path != GATEWAY or asked.method != "POST":
            return Told({"status": 404}, 404)
        method = str(params.get("method", ""))
        refusal = self._refusal(asked, method, params)
        if refusal is not None:
            return refusal
        if method == "oauth.getAccessToken":
            return self._created(params)
        if method == "oauth.refreshToken":
            return self._refreshed(params)
        try:
            shop = self.office.shop_of(str(params.get("accessToken", "")), self.now())
        except Denied as denied:
            return fault(-1006, WHY.get(denied.why, "accessToken无效"))
        called = {
            "order.getOrderList": self._orders, "order.getOrderDetail": self._order,
            "afterSale.listAfterSaleInfos": self._after_sales, "afterSale.getAfterSaleInfo": self._after_sale,
        }  # fmt: skip
        return called[method](shop, params) if method in called else fault(-1002, "method不存在")

    def _refusal(self, asked: Asked, method: str, params: dict[str, Any]) -> Told | None:
        if not self.book.address_ok(asked.remote):
            return fault(-1003, "ip不在白名单")
        stamp = str(params.get("timestamp", ""))
        told = str(params.get("sign", "")).encode()
        if params.get("appId") != self.app_key or not hmac.compare_digest(told, self.sign(method, stamp).encode()):
            return fault(-1004, "签名校验失败")
        if not stamp.isdecimal() or not self.book.clock_ok(datetime.fromtimestamp(int(stamp), UTC), self.now()):
            return fault(-1005, "timestamp不合法")
        return None if self.book.take(method, self.now()) == "ok" else fault(-1007, "调用过于频繁，触发限流")

    def sign(self, method: str, stamp: str) -> str:
        """Lower-case MD5 hex; what is asked for is not signed."""
        text = f"{method}?appId={self.app_key}&timestamp={stamp}&version=2.0".encode() + self.secret
        return hashlib.md5(text, usedforsecurity=False).hexdigest()

    # --- tokens ---

    def _created(self, params: dict[str, Any]) -> Told:
        try:
            return self._granted(self.office.exchange(str(params.get("code", "")), self.now()))
        except Denied:
            return fault(-1008, "code无效或已过期")

    def _refreshed(self, params: dict[str, Any]) -> Told:
        try:
            return self._granted(self.office.refresh(str(params.get("refreshToken", "")), self.now()))
        except Denied:
            return fault(-1009, "refreshToken无效或已过期")

    def _granted(self, pair: Pair) -> Told:
        return success({
            "accessToken": pair.access, "accessTokenExpiresAt": ms(pair.access_until), "refreshToken": pair.refresh,
            "refreshTokenExpiresAt": ms(pair.refresh_until), "sellerId": pair.shop,
            "sellerName": f"店铺{pair.shop[:4]}",
        })  # fmt: skip

    # --- orders ---

    def _orders(self, shop: str, params: dict[str, Any]) -> Told:
        size, number = params.get("pageSize", 50), params.get("pageNo", 1)
        if size > PAGE_MAX or number > PAGES_MAX:
            return fault(-9001, "pageSize或pageNo超过上限")
        if not window_fits(params, 1):
            return fault(-9002, "时间范围过大")
        found = self._within(shop, params, 1000)
        return success({
            "total": len(found), "pageNo": number, "pageSize": size, "maxPageNo": -(-len(found) // size),
            "orderList": [listed(order) for order in page(found, number, size)],
        })  # fmt: skip

    def _within(self, shop: str, params: dict[str, Any], in_ms: int) -> Sequence[PlayedOrder]:
        from_ms, to_ms = params["startTime"] * in_ms, params["endTime"] * in_ms
        by: Literal["created_at", "updated_at"] = "updated_at" if params["timeType"] == 2 else "created_at"
        found = orders_between(self.orders, shop, from_ms, to_ms, by)
        return sorted(found, key=lambda order: getattr(order, by))

    def _order(self, shop: str, params: dict[str, Any]) -> Told:
        order = self.orders.get(str(params.get("orderId", "")))
        if order is None or order.shop != shop:
            return fault(-9003, "订单不存在")
        self.unread.discard(order.order_id)
        return success(written(order))

    # --- after-sales ---

    def _after_sales(self, shop: str, params: dict[str, Any]) -> Told:
        size, number = params["pageSize"], params["pageNo"]
        if not 0 < size <= PAGE_MAX or number * size > ENTRIES_MAX or not window_fits(params, 1000):
            return fault(-9004, "参数错误")
        found = refunds_between(self.orders, shop, params["startTime"], params["endTime"])
        found.sort(key=lambda pair: pair[1].updated_at)
        return within({
            "totalCount": len(found), "pageNo": number, "pageSize": size,
            "afterSaleBasicInfos": [basic(*one) for one in page(found, number, size)],
        })  # fmt: skip

    def _after_sale(self, shop: str, params: dict[str, Any]) -> Told:
        found = refund_in(self.orders, shop, str(params.get("returnsId", "")))
        if found is None:
            return fault(-9005, "售后单不存在")
        self.unread.discard(found[1].refund_id)
        return within({"afterSaleInfo": basic(*found) | outcome(found[1]), "logisticsInfo": {}})


def success(data: object) -> Told:
    return Told({"error_code": 0, "error_msg": "", "success": True, "data": data})


def within(data: object) -> Told:
    return success({"code": 0, "msg": "成功", "success": True, "data": data})


def fault(code: int, text: str) -> Told:
    return Told({"error_code": code, "error_msg": text, "success": False, "data": None})


def ms(at: datetime | None) -> int:
    return 0 if at is None else int(at.timestamp() * 1000)


def window_fits(params: dict[str, Any], units_a_second: int) -> bool:
    width = timedelta(seconds=(params["endTime"] - params["startTime"]) / units_a_second)
    return timedelta() < width <= (UPDATED_WINDOW if params["timeType"] == 2 else CREATED_WINDOW)


def page[T](found: Sequence[T], number: int, size: int) -> Sequence[T]:
    return found[(number - 1) * size : number * size]


def listed(order: PlayedOrder) -> dict[str, Any]:
    status = 9 if order.cancelled_at else 4 if order.paid_at else 1
    return {
        "orderId": order.order_id, "orderType": 1, "orderStatus": status, "orderAfterSalesStatus": 1,
        "createdTime": ms(order.created_at), "paidTime": ms(order.paid_at), "updateTime": ms(order.updated_at),
        "cancelTime": ms(order.cancelled_at), "finishTime": 0, "customerRemark": "送给王五",
    }  # fmt: skip


def written(order: PlayedOrder) -> dict[str, Any]:
    sku = {"skuId": order.product, "skuName": order.title, "skuQuantity": order.units, "totalPaidAmount": 1}
    return listed(order) | {
        "totalPayAmount": order.amount_minor, "totalShippingFree": 0, "sellerId": order.shop, "userId": order.buyer,
        "receiverName": "赵六", "receiverPhone": "13800000000", "receiverProvinceName": "辽宁省", "skuList": [sku],
    }  # fmt: skip


def basic(order: PlayedOrder, refund: PlayedRefund) -> dict[str, Any]:
    return {
        "returnsId": refund.refund_id, "orderId": order.order_id, "returnType": 4, "status": 4 if refund.done else 1,
        "userId": order.buyer, "applyTime": ms(order.created_at), "updatedAt": ms(refund.updated_at),
        "reasonNameZh": "张三不想要了", "expectedRefundAmountYuan": order.amount_minor / 100,
    }  # fmt: skip


def outcome(refund: PlayedRefund) -> dict[str, Any]:
    done_at = refund.done_at or refund.updated_at - timedelta(seconds=7)
    return {
        "refundAmountYuan": refund.amount_minor / 100 if refund.done else None,
        "refundStatus": 2 if refund.done else 1, "refundTime": ms(done_at) if refund.done else 0,
        "returnAddress": {"name": "张三", "phone": "13800000000"},
    }  # fmt: skip
