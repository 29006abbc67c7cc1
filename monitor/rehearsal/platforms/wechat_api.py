"""A played api.weixin.qq.com: a third-party platform with its shops, and shops with their own keys, by WeChat's rules.

Whatever of a person a true answer holds, this one holds, too. That a shop that took its word back is 61003 in every
call is from memory.
"""

import json
from collections.abc import Callable, MutableMapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from .api_server import ApiServer, Asked, Told
from .order_index import orders_between, refund_in, refunds_between
from .token_office import CallBook, Denied, Pair, PlayedOrder, PlayedRefund, TokenOffice, TokenRules
from .wechat_dashboard import Dashboard

SHOP_RULES = TokenRules(access_s=7200, refresh_s=None, keeps_refresh=True, old_s=300)
APP_RULES = TokenRules(access_s=7200, refresh_s=None)
STABLE_S = 300  # so long before its end a stable token is followed by the next one
PRE_AUTH_S = 600
ORDERS_S_MAX, REFUNDS_S_MAX = 7 * 86_400, 86_400
PAGE_MAX, REFUNDS_OF_A_PAGE = 100, 50
PERSON = {"user_name": "王小贝", "tel_number": "13312343069", "detail_info": "解放路100号"}
DENIED = {
    "unknown": (40001, "invalid credential, access_token is invalid or not latest"),
    "void": (40001, "invalid credential, access_token is invalid or not latest"),
    "expired": (42001, "access_token expired"),
    "revoked": (61003, "component is not authorized by this account"),
}


class FakeWechat:
    """Shops are known by the id that pushes name (`gh_...`). `own_shops`: appid to (AppSecret, that id)."""

    def __init__(self, app_key: str, secret: bytes, now: Callable[[], datetime], book: CallBook | None = None) -> None:
        self.app_key, self.secret, self.now = app_key, secret, now
        self.book = book or CallBook()
        self.ticket = "ticket@@@1"
        self.office, self.own_office, self.app_office = (
            TokenOffice(SHOP_RULES), TokenOffice(APP_RULES), TokenOffice(APP_RULES),
        )  # fmt: skip
        self.own_shops: dict[str, tuple[str, str]] = {}
        self.stable: dict[str, Pair] = {}
        self.pre_auth: dict[str, datetime] = {}
        self.orders: MutableMapping[str, PlayedOrder] = {}
        self.dashboard = Dashboard()
        self.server = ApiServer(self.answer)

    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> str:
        return await self.server.serve(host, port)

    async def close(self) -> None:
        await self.server.close()

    def let_in(self, page: str, shop: str) -> str:
        """The owner of a shop scans what stands on this page of authorisation: where the browser is sent then."""
        asked = dict(parse_qsl(urlsplit(page).query))
        if self.pre_auth.pop(asked.get("pre_auth_code", ""), self.now()) <= self.now():
            raise ValueError("the pre_auth_code is none, or over")
        if asked["component_appid"] != self.app_key or not asked["auth_type"]:
            raise ValueError("not a page of this app")
        joint = "&" if "?" in asked["redirect_uri"] else "?"
        return asked["redirect_uri"] + joint + urlencode({"auth_code": self.office.code(shop), "expires_in": 3600})

    def answer(self, asked: Asked) -> Told:
        path = asked.path
        try:
            told: dict[str, Any] = json.loads(asked.body)
        except ValueError:
            return fault(47001, "data format error")
        if not self.book.address_ok(asked.remote):
            ours = path.startswith("/cgi-bin/component/")
            return fault(61004, "access clientip is not registered") if ours else fault(40164, "invalid ip")
        if (taken := self.book.take(path, self.now())) != "ok":
            return fault(45009, "reach max api daily quota limit") if taken == "quota" else fault(45011, "api minute")
        if path == "/cgi-bin/stable_token":
            return self._stable(told)
        if path == "/cgi-bin/component/api_component_token":
            return self._component(told)
        try:
            if path.startswith("/cgi-bin/component/"):
                self.app_office.shop_of(asked.query.get("component_access_token", ""), self.now())
                return self._in_its_name(path.rpartition("/")[2], told)
            shop = self._shop_of(asked.query.get("access_token", ""))
        except Denied as denied:
            return fault(*DENIED[denied.why])
        called = {
            "/channels/ec/order/get": self._order, "/channels/ec/order/list/get": self._orders,
            "/channels/ec/aftersale/getaftersaleorder": self._refund,
            "/channels/ec/aftersale/getaftersalelist": self._refunds, "/cgi-bin/openapi/quota/get": self._quota,
            "/channels/livedashboard/getlivelist": self._shown, "/channels/livedashboard/getlivedata": self._shown_data,
        }  # fmt: skip
        return called[path](shop, told) if path in called else fault(40066, "invalid url")

    def _shop_of(self, access: str) -> str:
        office = self.own_office if access in self.own_office.by_access else self.office
        return office.shop_of(access, self.now())

    # --- tokens ---

    def _stable(self, told: dict[str, Any]) -> Told:
        appid, now = str(told.get("appid", "")), self.now()
        if appid not in self.own_shops:
            return fault(40013, "invalid appid")
        secret, shop = self.own_shops[appid]
        if told.get("secret") != secret:
            return fault(40125, "invalid appsecret")
        pair = self.stable.get(appid)
        if pair is not None and told.get("force_refresh"):
            pair.void_from, pair = now, None
        if pair is None or pair.access_until - now <= timedelta(seconds=STABLE_S):
            pair = self.stable[appid] = self.own_office.issue(shop, now)
        return Told({"access_token": pair.access, "expires_in": self._left(pair)})

    def _component(self, told: dict[str, Any]) -> Told:
        if told.get("component_appid") != self.app_key:
            return fault(40013, "invalid appid")
        if str(told.get("component_appsecret", "")).encode() != self.secret:
            return fault(40125, "invalid appsecret")
        if told.get("component_verify_ticket") != self.ticket:
            return fault(61006, "component ticket is invalid")
        pair = self.app_office.issue("", self.now())
        return Told({"component_access_token": pair.access, "expires_in": self._left(pair)})

    def _in_its_name(self, name: str, told: dict[str, Any]) -> Told:
        now = self.now()
        if told.get("component_appid") != self.app_key:
            return fault(41018, "missing component_appid")
        if name == "api_create_preauthcode":
            code = f"preauthcode@@@{len(self.pre_auth)}{int(now.timestamp())}"
            self.pre_auth[code] = now + timedelta(seconds=PRE_AUTH_S)
            return Told({"pre_auth_code": code, "expires_in": PRE_AUTH_S})
        if name == "api_query_auth":
            try:
                pair = self.office.exchange(str(told.get("authorization_code", "")), now)
            except Denied:
                return fault(61010, "code is expired")
            info = {"authorizer_appid": appid_of(pair.shop), "func_info": [{"funcscope_category": {"id": 131}}]}
            return Told({"authorization_info": info | self._pair(pair)})
        if name == "api_authorizer_token":
            return self._refresh(told)
        shops = {pair.shop for pair in self.office.by_refresh.values()}
        shop = next((it for it in shops if appid_of(it) == told.get("authorizer_appid")), None)
        if name != "api_get_authorizer_info" or shop is None:
            return fault(61003, "component is not authorized by this account")
        info = {"user_name": shop, "nick_name": f"店铺{shop}", "principal_name": "王五商贸", "alias": ""}
        return Told({"authorizer_info": info, "authorization_info": {"authorizer_appid": appid_of(shop)}})

    def _refresh(self, told: dict[str, Any]) -> Told:
        old = self.office.by_refresh.get(str(told.get("authorizer_refresh_token", "")))
        if old is None or appid_of(old.shop) != told.get("authorizer_appid"):
            return fault(61023, "refresh_token is invalid")
        try:
            return Told(self._pair(self.office.refresh(old.refresh, self.now())))
        except Denied as denied:
            return fault(*DENIED[denied.why])

    def _pair(self, pair: Pair) -> dict[str, Any]:
        return {
            "authorizer_access_token": pair.access, "expires_in": self._left(pair),
            "authorizer_refresh_token": pair.refresh,
        }  # fmt: skip

    def _left(self, pair: Pair) -> int:
        return int((pair.access_until - self.now()) / timedelta(seconds=1))

    def _quota(self, shop: str, told: dict[str, Any]) -> Told:
        path = str(told.get("cgi_path", ""))
        if not path.startswith("/"):
            return fault(76003, "cgi_path format error")
        limit, used = self.book.quota.get(path, 50_000), self.book.by_name.get(path, 0)
        return fine({"quota": {"daily_limit": limit, "used": used, "remain": limit - used}})

    # --- lives ---

    def _shown(self, account: str, told: dict[str, Any]) -> Told:
        found = self.dashboard.list(account, told, self.now())
        return fault(*found) if isinstance(found, tuple) else fine(found)

    def _shown_data(self, account: str, told: dict[str, Any]) -> Told:
        found = self.dashboard.data(account, told, self.now())
        return fault(*found) if isinstance(found, tuple) else fine(found)

    # --- orders ---

    def _order(self, shop: str, told: dict[str, Any]) -> Told:
        order = self.orders.get(str(told.get("order_id", "")))
        if order is None or order.shop != shop:
            return fault(100002, "Not exist")
        return fine({"order": written(order)})

    def _refund(self, shop: str, told: dict[str, Any]) -> Told:
        found = refund_in(self.orders, shop, str(told.get("after_sale_order_id", "")))
        return fault(100002, "Not exist") if found is None else fine({"after_sale_order": after_sale(*found)})

    def _orders(self, shop: str, told: dict[str, Any]) -> Told:
        window, size = told.get("update_time_range", {}), told.get("page_size", 10)
        asked = (window.get("start_time"), window.get("end_time"), ORDERS_S_MAX, size)
        return self._list("order_id_list", asked, str(told.get("next_key", "")), lambda from_ms, to_ms: [
            (order.updated_at, order.order_id) for order in orders_between(self.orders, shop, from_ms, to_ms)
        ])  # fmt: skip

    def _refunds(self, shop: str, told: dict[str, Any]) -> Told:
        asked = (told.get("begin_update_time"), told.get("end_update_time"), REFUNDS_S_MAX, REFUNDS_OF_A_PAGE)
        return self._list("after_sale_order_id_list", asked, str(told.get("next_key", "")), lambda from_ms, to_ms: [
            (refund.updated_at, refund.refund_id)
            for _, refund in refunds_between(self.orders, shop, from_ms, to_ms)
        ])  # fmt: skip

    def _list(
        self, name: str, asked: tuple[Any, Any, int, Any], next_key: str,
        find: Callable[[int, int], list[tuple[datetime, str]]],
    ) -> Told:  # fmt: skip
        """A key of a page is good for the very question that it came with. `find` is given milliseconds."""
        from_s, to_s, widest_s, size = asked
        if not isinstance(from_s, int) or not isinstance(to_s, int) or not from_s < to_s or not 1 <= size <= PAGE_MAX:
            return fault(40097, "invalid request body")
        if to_s - from_s > widest_s:
            return fault(31042, "narrow the window")
        question = f"{from_s}-{to_s}-{size}"
        if next_key and not next_key.startswith(question + "/"):
            return fault(606006, "parameters changed between pages")
        after = next_key.partition("/")[2]
        within = sorted(f"{at.timestamp():.6f}/{key}" for at, key in find(from_s * 1000, to_s * 1000 + 999))
        left = [it for it in within if it > after]
        ids = [it.rpartition("/")[2] for it in left[:size]]
        more = len(left) > size
        key = f"{question}/{left[size - 1]}" if more else ""
        return fine({name: ids, "next_key": key, "has_more": more})


def fine(told: dict[str, Any]) -> Told:
    return Told({"errcode": 0, "errmsg": "ok", **told})


def fault(errcode: int, errmsg: str) -> Told:
    return Told({"errcode": errcode, "errmsg": f"{errmsg} rid: 61e821e8-5a7523a1-47af1575"})


def appid_of(shop: str) -> str:
    return "wx" + shop.removeprefix("gh_")


def seconds(at: datetime | None) -> int:
    return 0 if at is None else int(at.timestamp())


def written(order: PlayedOrder) -> dict[str, Any]:
    back = sum(refund.amount_minor for refund in order.refunds if refund.done)
    status = 20 if order.paid_at else 250 if order.cancelled_at else 10
    if order.paid_at and back >= order.amount_minor:
        status = 200
    return {
        "order_id": order.order_id, "status": status, "openid": order.buyer, "unionid": "",
        "create_time": seconds(order.created_at), "update_time": seconds(order.updated_at),
        "order_detail": {
            "price_info": {"order_price": order.amount_minor, "product_price": order.amount_minor, "freight": 0},
            "pay_info": {"pay_time": seconds(order.paid_at), "payment_method": 1, "transaction_id": "1"},
            "product_infos": [{
                "product_id": order.product, "sku_id": "1", "title": order.title, "sku_cnt": order.units,
                "real_price": order.amount_minor,
            }],
            "commission_infos": [{"finder_id": order.room, "nickname": "李主播", "type": 0}] if order.room else [],
            "ext_info": {"customer_notes": "送给王五", "merchant_notes": ""},
            "delivery_info": {"address_info": PERSON},
        },
        "aftersale_detail": {"on_aftersale_order_cnt": 0, "aftersale_order_list": []},
    }  # fmt: skip


def after_sale(order: PlayedOrder, refund: PlayedRefund) -> dict[str, Any]:
    """That `complete_time` says when the money went back is UNVERIFIED; who says no such instant has no such field."""
    done = {"complete_time": seconds(refund.done_at)} if refund.done and refund.done_at else {}
    return done | {
        "after_sale_order_id": refund.refund_id, "order_id": order.order_id, "openid": order.buyer, "type": "REFUND",
        "status": "MERCHANT_REFUND_SUCCESS" if refund.done else "MERCHANT_PROCESSING",
        "refund_info": {"amount": refund.amount_minor, "refund_reason": 1},
        "product_info": {"product_id": order.product, "sku_id": "1", "count": order.units},
        "details": {"desc": "王小贝不想要了", "tel_number": "13312343069", "receive_product": False},
        "create_time": seconds(order.created_at), "update_time": seconds(refund.updated_at),
    }  # fmt: skip
