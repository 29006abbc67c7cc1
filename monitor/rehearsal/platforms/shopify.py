"""A played Shopify: pushes each shop's orders, payments, cancellations and refunds with their whole documents.

Its signature is computed here anew, not with the collectors' code. Headers and retries are those of shopify.dev: within
5 seconds, 8 times in 4 hours, the original document each time. The pauses between tries are ours: it names none.
"""

import base64
import hashlib
import hmac
import json
import uuid
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any, ClassVar

from ..deliveries import Deliveries, Made
from ..event.order import Happened, Happening, Order
from ..scene import Scene, Settings, Trouble
from ..truth import Fact

RETRIES_S = (10.0, 30.0, 90.0, 270.0, 800.0, 1600.0, 3200.0, 6400.0)
TIMEOUT_S = 5.0
TOPICS: dict[Happening, str] = {
    "created": "orders/create",
    "paid": "orders/paid",
    "cancelled": "orders/cancelled",
    "refunded": "refunds/create",
}
ZONE = timezone(timedelta(hours=8))
DECIMALS = {"JPY": 0, "KRW": 0, "VND": 0, "KWD": 3, "BHD": 3, "OMR": 3}  # all others have two
PERSON = {
    "name": "王小贝", "first_name": "小贝", "last_name": "王", "phone": "13312343069", "address1": "和平区南京街1号",
    "city": "沈阳", "country_code": "CN", "zip": "110000",
}  # fmt: skip
STANZAS = """\
[[app]]
name = "shopify-main"
platform = "shopify"
secret_file = "secrets/shopify-main"

[[feed]]
kind = "shopify"
name = "shopify"
app = "shopify-main"
"""


class Shopify:
    """All shops of one app. No document names a room."""

    SELLS_ON: ClassVar[str] = "shopify"
    SHOWS: ClassVar[str] = ""
    name = "shopify"

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.trouble = Trouble()
        self.secret = scene.secret("shopify-main")
        self.deliveries = Deliveries(scene.http, self.trouble, RETRIES_S, TIMEOUT_S, lambda status, _: status < 300)

    async def open(self) -> None:
        """It calls, and is not called."""

    def settings(self) -> Settings:
        return Settings(STANZAS, {"shopify-main": self.secret})

    async def run(self) -> None:
        await self.deliveries.run()

    def happened(self, event: Happened) -> None:
        at, order, order_id = self._at(event.at_s), event.order, self.scene.order_id(event.order)
        shop = order.part.shop
        if event.what == "paid":
            self._sold(Fact("shopify", shop, order_id, "paid", order.amount_minor, order.currency, at))
        if event.what == "refunded":
            refund_id = refund_of(order_id)
            self._sold(
                Fact("shopify", shop, order_id, "refunded", order.refund_minor, order.currency, at, ref=str(refund_id))
            )
            document = refund(order, order_id, refund_id, at)
        else:
            document = self._order(event, order_id, at)
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        headers = self._headers(event.what, shop, order_id, at)
        self.deliveries.push(f"{self.scene.hooks_url}/hooks/{self.name}", partial(self._signed, headers, body))

    def waiting(self) -> int:
        return self.deliveries.waiting()

    async def close(self) -> None:
        """Nothing of it is open."""

    def _sold(self, fact: Fact) -> None:
        self.scene.truth.sold(fact, self.scene.now())

    def _at(self, play_s: float) -> datetime:
        """In whole seconds, as its documents have it."""
        return self.scene.tempo.at(play_s).replace(microsecond=0)

    def _headers(self, what: Happening, shop: str, order_id: str, at: datetime) -> dict[str, str]:
        name = f"{shop} {order_id} {what}"
        return {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": TOPICS[what],
            "X-Shopify-Shop-Domain": shop,
            "X-Shopify-API-Version": "2026-01",
            "X-Shopify-Webhook-Id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"delivery {name}")),
            "X-Shopify-Event-Id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"event {name}")),
            "X-Shopify-Triggered-At": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.123456789Z",
        }

    def _signed(self, headers: dict[str, str], body: bytes) -> Made:
        digest = hmac.new(self.secret, body, hashlib.sha256).digest()
        return headers | {"X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode()}, body

    def _order(self, event: Happened, order_id: str, at: datetime) -> dict[str, Any]:
        """The order as it stood at `at`: before discounts its lines are worth a little more than what is paid."""
        order = event.order
        unit_minor = -(-order.amount_minor // order.units)
        total, discount = (
            in_major(minor, order.currency)
            for minor in (order.amount_minor, unit_minor * order.units - order.amount_minor)
        )
        line = {
            "id": int(order_id) + 1, "product_id": int(order.product), "title": order.title, "sku": order.product[-6:],
            "quantity": order.units, "price": in_major(unit_minor, order.currency),
        }  # fmt: skip
        buyer = int.from_bytes(hashlib.sha256(order.buyer.encode()).digest()[:6])
        return {
            "id": int(order_id), "name": f"#{order.number % 1_000_000}", "email": "xiaobei@example.com", "test": False,
            "created_at": written(self._at(order.created_s)), "updated_at": written(at),
            "cancelled_at": written(at) if event.what == "cancelled" else None, "currency": order.currency,
            "financial_status": {"paid": "paid", "cancelled": "voided"}.get(event.what, "pending"),
            "total_price": total, "total_discounts": discount, "line_items": [line], "shipping_address": PERSON,
            "customer": {"id": buyer, "email": "xiaobei@example.com"},
        }  # fmt: skip


def refund_of(order_id: str) -> int:
    """The id of the refund of this order."""
    return int(order_id) + 2


def refund(order: Order, order_id: str, refund_id: int, at: datetime) -> dict[str, Any]:
    payment = {
        "id": refund_id + 1, "order_id": int(order_id), "kind": "refund", "status": "success", "test": False,
        "amount": in_major(order.refund_minor, order.currency), "currency": order.currency, "gateway": "alipay",
    }  # fmt: skip
    return {
        "id": refund_id, "order_id": int(order_id), "created_at": written(at), "note": "张三不想要了", "restock": True,
        "refund_line_items": [], "transactions": [payment],
    }  # fmt: skip


def written(at: datetime) -> str:
    """In the shop's own zone, to the second."""
    return at.astimezone(ZONE).isoformat(timespec="seconds")


def in_major(amount_minor: int, currency: str) -> str:
    """As Shopify writes money: `"129.90"`, by the currency's decimals."""
    decimals = DECIMALS.get(currency, 2)
    whole, rest = divmod(amount_minor, 10**decimals)
    return f"{whole}.{rest:0{decimals}d}" if decimals else str(whole)
