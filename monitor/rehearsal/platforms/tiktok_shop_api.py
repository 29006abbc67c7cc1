"""A played open-api.tiktokglobalshop.com, with its auth host: tokens and orders of TikTok Shop sellers.

Its signature is computed here anew, not with the collectors' code. Whatever of a person a true answer holds, this one
holds, too. What a refresh does to the pair before it is on no page: here it is void at once, the hardest case.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from .api_server import ApiServer, Asked, Told
from .order_index import orders_between
from .token_office import CallBook, Denied, Pair, PlayedOrder, TokenOffice, TokenRules

RULES = TokenRules(access_s=7 * 86_400, refresh_s=365 * 86_400)
PAGE_MAX = 100
EARLY_S, LATE_S = 30, 300  # how far a stamp may be ahead of the clock, and behind it
INVALID = 36009004
DENIED = {
    "unknown": (401, INVALID, "Invalid credentials. The `x-tts-access-token` header is invalid."),
    "void": (401, INVALID, "Invalid credentials. The `x-tts-access-token` header is invalid."),
    "revoked": (401, INVALID, "Invalid credentials. The `x-tts-access-token` header is invalid."),
    "expired": (401, 105002, "Expired credentials. The `x-tts-access-token` header has expired."),
}
NO_TOKEN = {
    "unknown": (36004005, "can not find related auth record"),
    "void": (36004005, "can not find related auth record"),
    "revoked": (36004005, "can not find related auth record"),
    "expired": (36004001, "rt has expired"),
}


class FakeTiktokShop:
    """One app. `shops_of`: the shops of a seller, where it has others than the one that is linked."""

    def __init__(self, app_key: str, secret: bytes, now: Callable[[], datetime], book: CallBook | None = None) -> None:
        self.app_key, self.secret, self.now = app_key, secret, now
        self.book = book or CallBook()
        self.office = TokenOffice(RULES)
        self.orders: MutableMapping[str, PlayedOrder] = {}
        self.unread: set[str] = set()
        self.shops_of: dict[str, list[str]] = {}
        self.server = ApiServer(self.answer)

    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> str:
        return await self.server.serve(host, port)

    async def close(self) -> None:
        await self.server.close()

    def answer(self, asked: Asked) -> Told:
        if asked.path.startswith("/api/v2/token/"):
            return self._token(asked)
        refusal = self._refusal(asked)
        if refusal is not None:
            return refusal
        try:
            seller = self.office.shop_of(asked.headers.get("x-tts-access-token", ""), self.now())
        except Denied as denied:
            return fault(*DENIED[denied.why])
        shops = self.shops_of.get(seller, [seller])
        if asked.path == "/authorization/202309/shops":
            return success({"shops": [shop_written(shop) for shop in shops]})
        shop = next((shop for shop in shops if cipher(shop) == asked.query.get("shop_cipher")), None)
        if shop is None:
            missing = "shop_cipher" not in asked.query
            return fault(400, 106013, "Missing `shop_cipher`") if missing else fault(
                401, 101000, "Invalid query or header. The `shop_cipher` query parameter or header is invalid."
            )  # fmt: skip
        if (asked.method, asked.path) == ("GET", "/order/202309/orders"):
            return self._details(shop, asked.query.get("ids", ""))
        if (asked.method, asked.path) == ("POST", "/order/202309/orders/search"):
            return self._search(shop, asked)
        return fault(404, 36009009, "Invalid path")

    def _refusal(self, asked: Asked) -> Told | None:
        query, now = asked.query, self.now()
        if not self.book.address_ok(asked.remote):
            return fault(403, 36009033, "Access denied. Your IP address is not in the IP allow list of this app.")
        if query.get("app_key") != self.app_key:
            return fault(401, INVALID, "Invalid credentials. Invalid `app_key` query parameter.")
        stamp = query.get("timestamp", "")
        ahead_s = (datetime.fromtimestamp(int(stamp), UTC) - now).total_seconds() if stamp.isdecimal() else 1e9
        if not -LATE_S <= ahead_s <= EARLY_S:
            return fault(
                400, INVALID, "Invalid timestamp. The value of the `timestamp` query parameter is too far off."
            )
        if not hmac.compare_digest(query.get("sign", ""), self.sign(asked)):
            return fault(401, 106001, "Invalid credentials. The `sign` query parameter is invalid.")
        if self.book.take(asked.path, now) != "ok":
            return fault(429, 36009002, "Too many requests. You've made too many requests in a short period of time.")
        return None

    def sign(self, asked: Asked) -> str:
        """HMAC-SHA256 of secret + path + name and value of each parameter + body + secret."""
        text = self.secret + asked.path.encode()
        for name in sorted(asked.query):
            if name not in ("sign", "access_token"):
                text += f"{name}{asked.query[name]}".encode()
        return hmac.new(self.secret, text + asked.body + self.secret, hashlib.sha256).hexdigest()

    def _token(self, asked: Asked) -> Told:
        query, now = asked.query, self.now()
        if asked.method != "GET":
            return Told(b"404 page not found", 404)
        if (query.get("app_key"), query.get("app_secret")) != (self.app_key, self.secret.decode()):
            return fault(200, INVALID, "Invalid app_key or app_secret")
        try:
            if asked.path.endswith("/get") and query.get("grant_type") == "authorized_code":
                return self._granted(self.office.exchange(query.get("auth_code", ""), now))
            if asked.path.endswith("/refresh") and query.get("grant_type") == "refresh_token":
                return self._granted(self.office.refresh(query.get("refresh_token", ""), now))
        except Denied as denied:
            if asked.path.endswith("/get"):
                return fault(200, 36004004, "invalid auth code")
            return fault(200, *NO_TOKEN[denied.why])
        return fault(200, INVALID, "invalid param error")

    def _granted(self, pair: Pair) -> Told:
        return success({
            "access_token": pair.access, "access_token_expire_in": seconds(pair.access_until),
            "refresh_token": pair.refresh, "refresh_token_expire_in": seconds(pair.refresh_until),
            "open_id": f"open-{pair.shop}", "seller_name": f"Seller {pair.shop}", "seller_base_region": "GB",
            "user_type": 0, "granted_scopes": ["seller.order.info"],
        })  # fmt: skip

    def _details(self, shop: str, ids: str) -> Told:
        found = [self.orders[one] for one in ids.split(",") if one in self.orders and self.orders[one].shop == shop]
        for order in found:
            self.unread.discard(order.order_id)
        return success({"orders": [written(order) for order in found]})

    def _search(self, shop: str, asked: Asked) -> Told:
        """A token goes on with the question that it came with, and with no other."""
        told, size = json.loads(asked.body), asked.query.get("page_size", "")
        if not size.isdecimal() or not 1 <= int(size) <= PAGE_MAX:
            return fault(400, INVALID, "invalid param error: page_size")
        since, until = told.get("update_time_ge", 0), told.get("update_time_lt", 1 << 40)
        question = hashlib.sha256(asked.body + shop.encode()).hexdigest()[:12]
        before, _, at = base64.urlsafe_b64decode(asked.query.get("page_token", "")).decode().partition(" ")
        if before not in ("", question):
            return fault(400, INVALID, "invalid param error: page_token")
        found = orders_between(self.orders, shop, since * 1000, until * 1000 - 1)
        found.sort(key=lambda o: (o.updated_at, o.order_id), reverse=asked.query.get("sort_order") == "DESC")
        end = int(at or 0) + int(size)
        mark = base64.urlsafe_b64encode(f"{question} {end}".encode()).decode() if end < len(found) else ""
        data: dict[str, Any] = {"next_page_token": mark, "total_count": len(found)}
        part = found[int(at or 0) : end]
        return success(data | ({"orders": [written(order) for order in part]} if part else {}))


def success(data: object) -> Told:
    return Told({"code": 0, "message": "Success", "request_id": "20261124", "data": data})


def fault(status: int, code: int, message: str) -> Told:
    return Told({"code": code, "message": message, "request_id": "20261124"}, status)


def seconds(at: datetime | None) -> int:
    return 0 if at is None else int(at.timestamp())


def cipher(shop: str) -> str:
    return f"GBP_{quote(shop)}_cipher=="


def shop_written(shop: str) -> dict[str, str]:
    return {
        "id": shop, "name": f"Shop {shop}", "region": "GB", "seller_type": "LOCAL", "cipher": cipher(shop),
        "code": "GBLCTXQHN6",
    }  # fmt: skip


def pounds(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def written(order: PlayedOrder) -> dict[str, Any]:
    """Times that are not known yet are left out."""
    status = "CANCELLED" if order.cancelled_at else "AWAITING_SHIPMENT" if order.paid_at else "UNPAID"
    each, rest = divmod(order.amount_minor, order.units)
    lines = [
        {
            "id": f"{order.order_id}{number}", "product_id": order.product, "product_name": order.title,
            "sku_id": f"s{order.product}", "sale_price": pounds(each + (rest if number == 0 else 0)),
            "currency": order.currency or "GBP", "display_status": status,
        }
        for number in range(order.units)
    ]  # fmt: skip
    told = {"paid_time": seconds(order.paid_at), "cancel_time": seconds(order.cancelled_at)}
    return {
        "id": order.order_id, "status": status, "create_time": seconds(order.created_at),
        "update_time": seconds(order.updated_at), "user_id": order.buyer, "buyer_email": "zhang@example.com",
        "buyer_message": "送给王五", "is_cod": False,
        "payment": {
            "currency": order.currency or "GBP", "total_amount": pounds(order.amount_minor),
            "sub_total": pounds(order.amount_minor), "shipping_fee": "0.00", "tax": "0.00",
        },
        "recipient_address": {
            "name": "张三", "phone_number": "(+44)138-000-0000", "full_address": "221B Baker Street, London",
        },
        "line_items": lines, **{name: at for name, at in told.items() if at},
    }  # fmt: skip
