"""A played api.jd.com and open-oauth.jd.com: tokens and orders of POP shops of JD.

Its signature is computed here anew, not with the collectors' code. It gives the fields of an order that it was asked
for, and no other; whatever of a person a true answer could hold, this one can. How long a pair lives, that a refresh
voids the pair before it, and how open-oauth.jd.com words a refusal are on no page: they are made up here.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, MutableMapping
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from .api_server import ApiServer, Asked, Told
from .order_index import ms_of, orders_between
from .token_office import CallBook, Denied, Pair, PlayedOrder, TokenOffice, TokenRules

RULES = TokenRules(access_s=30 * 86_400, refresh_s=30 * 86_400, window_s=86_400)
SHANGHAI = ZoneInfo("Asia/Shanghai")
SKEW_S = 600
PAGE_MAX = 100
MONTH = timedelta(days=31)
NEVER = "0001-01-01 00:00:00"
NO_TOKEN = {
    "unknown": "invalid refresh_token", "void": "invalid refresh_token", "expired": "refresh_token expired",
    "early": "refresh_token: too early", "revoked": "refresh_token: authorization cancelled",
}  # fmt: skip


class FakeJd:
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
        if asked.path.startswith("/oauth2/"):
            return self._token(asked)
        form = dict(parse_qsl(asked.body.decode(), keep_blank_values=True)) | asked.query
        refusal = self._refusal(form)
        if refusal is not None:
            return refusal
        try:
            shop = self.office.shop_of(form.get("access_token", ""), self.now())
        except Denied:
            return fault("19", "无效access_token")
        if form["method"] != "jingdong.pop.order.search":
            return fault("15", "不存在的方法名")
        return self._search(shop, json.loads(form["360buy_param_json"]))

    def _refusal(self, form: dict[str, str]) -> Told | None:
        if form.get("app_key") != self.app_key:
            return fault("21", "无效app_key")
        try:
            ahead = at_of(form.get("timestamp", "")) - self.now()
        except ValueError:
            return fault("8", "非法的时间戳参数")
        if abs(ahead.total_seconds()) > SKEW_S:
            return fault("8", "非法的时间戳参数")
        if not hmac.compare_digest(form.get("sign", ""), self.sign(form)):
            return fault("12", "无效签名")
        if self.book.take(form.get("method", ""), self.now()) != "ok":
            return fault("2", "限制时间内调用失败次数")
        return None

    def sign(self, form: dict[str, str]) -> str:
        """Upper-case MD5 of secret + name and value of each parameter + secret."""
        digest = hashlib.md5(self.secret, usedforsecurity=False)
        for name in sorted(form):
            if name != "sign":
                digest.update(f"{name}{form[name]}".encode())
        digest.update(self.secret)
        return digest.hexdigest().upper()

    def _token(self, asked: Asked) -> Told:
        query, now = asked.query, self.now()
        if (query.get("app_key"), query.get("app_secret")) != (self.app_key, self.secret.decode()):
            return Told({"code": 401, "msg": "invalid app_key or app_secret", "requestId": "r"})
        try:
            if asked.path == "/oauth2/access_token" and query.get("grant_type") == "authorization_code":
                return self._granted(self.office.exchange(query.get("code", ""), now))
            if asked.path == "/oauth2/refresh_token" and query.get("grant_type") == "refresh_token":
                return self._granted(self.office.refresh(query.get("refresh_token", ""), now))
        except Denied as denied:
            said = "invalid code" if asked.path == "/oauth2/access_token" else NO_TOKEN[denied.why]
            return Told({"code": 402, "msg": said, "requestId": "r"})
        return Told({"code": 400, "msg": "grant_type", "requestId": "r"})

    def _granted(self, pair: Pair) -> Told:
        now = self.now()
        return Told({
            "access_token": pair.access, "expires_in": int((pair.access_until - now).total_seconds()),
            "refresh_token": pair.refresh, "scope": "snsapi_base", "open_id": "oFe0wsEAAAAA",
            "time": int(now.timestamp() * 1000), "code": 0,
        })  # fmt: skip

    def _search(self, shop: str, params: dict[str, Any]) -> Told:
        page, size = int(params["page"]), int(params["page_size"])
        since, until = at_of(params["start_date"]), at_of(params["end_date"])
        if not 1 <= size <= PAGE_MAX or page < 1 or not timedelta(0) <= until - since <= MONTH:
            return fault("61", "参数值不合法")
        from_ms, to_ms = ms_of(since), ms_of(until) + 999  # the platform's instants are whole seconds
        by: Literal["created_at", "updated_at"] = "created_at" if params.get("dateType") == 1 else "updated_at"
        found = orders_between(self.orders, shop, from_ms, to_ms, by)
        found.sort(key=lambda order: (order.updated_at, order.order_id), reverse=params.get("sortType") == 1)
        fields = params["optional_fields"].split(",")
        part = found[(page - 1) * size : page * size]
        for order in part:
            self.unread.discard(order.order_id)
        outcome = {"success": True, "englishErrCode": "", "chineseErrCode": "操作成功", "numberCode": 0}
        told = [{name: value for name, value in written(order).items() if name in fields} for order in part]
        result = {"apiResult": outcome, "orderTotal": len(found), "orderInfoList": told}
        return Told({"jingdong_pop_order_search_responce": {"code": "0", "searchorderinfo_result": result}})


def fault(code: str, zh_desc: str) -> Told:
    return Told({"error_response": {"code": code, "zh_desc": zh_desc, "en_desc": "refused"}})


def at_of(written_at: str) -> datetime:
    return datetime.strptime(written_at, "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)


def time_of(at: datetime | None) -> str:
    return NEVER if at is None else at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def written(order: PlayedOrder) -> dict[str, Any]:
    state = "TRADE_CANCELED" if order.cancelled_at else "WAIT_SELLER_STOCK_OUT" if order.paid_at else "NOT_PAY"
    return {
        "orderId": order.order_id, "venderId": order.shop, "orderState": state, "orderStateRemark": "等待出库",
        "orderTotalPrice": yuan(order.amount_minor + 100), "orderSellerPrice": yuan(order.amount_minor),
        "orderPayment": yuan(order.amount_minor), "freightPrice": "0.00", "sellerDiscount": "1.00",
        "balanceUsed": "0.00", "payType": "4-在线支付", "pin": "zhangsan_pin", "open_id_buyer": order.buyer,
        "parentOrderId": "0", "orderStartTime": time_of(order.created_at),
        "paymentConfirmTime": time_of(order.paid_at), "orderEndTime": time_of(order.cancelled_at),
        "modified": time_of(order.updated_at), "orderRemark": "送给王五",
        "consigneeInfo": {"fullname": "张三", "mobile": "13800000000", "fullAddress": "辽宁省沈阳市"},
        "itemInfoList": [
            {
                "skuId": order.product, "skuName": order.title, "itemTotal": str(order.units),
                "jdPrice": yuan(order.amount_minor + 100), "wareId": "10020665903516",
            }
        ],
    }  # fmt: skip
