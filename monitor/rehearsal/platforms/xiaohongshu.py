"""Xiaohongshu (小红书) in a play: states of orders and refunds by push, in arrays; their amounts for whoever asks.

It is livemon's push kind, switched on: it hears all that the poll kind asks for, and has that poll as its witness. How
often the platform tries again is on no page that we could read: the pauses here are made up.
"""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from ..deliveries import Deliveries, Made
from ..event.order import Happened, Happening
from ..scene import Scene, Settings, Trouble
from .played_shops import PlayedShops, stanzas
from .token_office import PlayedOrder
from .told_order import order_index, told_order
from .xiaohongshu_api import FakeXiaohongshu, ms

APP_KEY = "a1b2c3d4e5f64a5b8c7d"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RETRIES_S, TIMEOUT_S = (3.0, 10.0, 30.0, 60.0), 5.0
# What is paid is to be sent in the same moment: both are told.
STATES: dict[Happening, tuple[int, ...]] = {"created": (1,), "paid": (2, 4), "cancelled": (9,)}
REFUND_TAGS = ("msg_after_sale_create", "msg_after_sale_audit_pass")


class Xiaohongshu:
    SELLS_ON: ClassVar[str] = "xiaohongshu"
    SHOWS: ClassVar[str] = ""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.name, self.trouble = scene, self.SELLS_ON, Trouble()
        self.fake = FakeXiaohongshu(APP_KEY, scene.secret(self.name), scene.now)
        self.fake.orders, self.fake.server.trouble = order_index(scene), self.trouble
        self.shops = PlayedShops(scene, self.name, self.fake.office)
        self.pushes = Deliveries(scene.http, self.trouble, RETRIES_S, TIMEOUT_S, taken)
        self.url = ""

    async def open(self) -> None:
        self.url = await self.fake.serve()
        self.shops.let_in()

    def settings(self) -> Settings:
        text = stanzas(self.name, "xiaohongshu_push", APP_KEY, self.url, 'enabled = true\namounts_in = "fen"\n')
        return Settings(text, {self.name: self.fake.secret}, self.shops.accounts)

    async def run(self) -> None:
        await self.pushes.run()

    def happened(self, event: Happened) -> None:
        played = told_order(self.fake.orders, event, self.scene, event.order.part.shop)
        if event.what == "paid" and played.paid_at is not None:
            self.fake.unread.add(played.order_id)
            self.shops.paid(event, played, on_the_wire(played.paid_at))
        elif event.what == "refunded":
            [refund] = played.refunds
            self.fake.unread.add(refund.refund_id)
            self.shops.refunded(event, played, on_the_wire(refund.done_at or refund.updated_at))
        body = json.dumps(self._messages(event, played), ensure_ascii=False, separators=(",", ":")).encode()
        path = f"/hooks/{self.name}"
        self.pushes.push(self.scene.hooks_url + path, lambda: self._signed(path, body))

    def _messages(self, event: Happened, played: PlayedOrder) -> list[dict[str, str]]:
        at_ms = ms(self.scene.tempo.at(event.at_s))
        told: list[tuple[str, dict[str, object]]]
        if event.what == "refunded":
            [refund] = played.refunds
            data = {
                "returnsId": refund.refund_id, "orderId": played.order_id, "returnType": 4,
                "refundFee": refund.amount_minor / 100, "updateTime": at_ms,
            }  # fmt: skip
            told = [(tag, data) for tag in REFUND_TAGS]
        else:
            told = [
                ("msg_fulfillment_status_change", {
                    "orderId": played.order_id, "packageId": played.order_id, "orderStatus": state,
                    "packageStatus": state, "updateTime": at_ms,
                })
                for state in STATES[event.what]
            ]  # fmt: skip
        return [{"msgTag": tag, "sellerId": played.shop, "data": json.dumps(data)} for tag, data in told]

    def _signed(self, path: str, body: bytes) -> Made:
        """Lower-case MD5 hex over path, app key and stamp; the body is not signed, and each try has its own stamp."""
        stamp = str(int(self.scene.now().timestamp()))
        text = f"{path}?app-key={APP_KEY}&timestamp={stamp}".encode() + self.fake.secret
        sign = hashlib.md5(text, usedforsecurity=False).hexdigest()
        return {"app-key": APP_KEY, "timestamp": stamp, "sign": sign, "Content-Type": "application/json"}, body

    def waiting(self) -> int:
        """Pushes, and payments and refunds of which livemon has not asked for the amount yet."""
        return self.pushes.waiting() + len(self.fake.unread)

    async def close(self) -> None:
        await self.fake.close()


def taken(status: int, body: bytes) -> bool:
    """The platform reads the answer."""
    try:
        return status == 200 and json.loads(body).get("success") is True
    except (ValueError, AttributeError):
        return False


def on_the_wire(at: datetime) -> datetime:
    """Whole milliseconds, as the interface writes them."""
    return EPOCH + timedelta(milliseconds=ms(at))
