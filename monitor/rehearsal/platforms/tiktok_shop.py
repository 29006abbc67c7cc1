"""TikTok Shop in a play: states of orders by push, their amounts for whoever asks. Refunds are told, and mean nothing.

How often and for how long it tries again is on no page that we could read: the pauses here are made up, as are the
fields of a push of type 12 (a return), which livemon answers and does not read.
"""

import hashlib
import hmac
import itertools
import json
from typing import ClassVar

from ..deliveries import Deliveries, Made
from ..event.order import Happened, Happening
from ..scene import Scene, Settings, Trouble
from .played_shops import PlayedShops, stanzas
from .tiktok_shop_api import FakeTiktokShop
from .token_office import PlayedOrder
from .told_order import order_index, told_order

APP_KEY = "68xu9ks5p4i8"
RETRIES_S, TIMEOUT_S = (3.0, 10.0, 30.0, 60.0), 5.0
STATES: dict[Happening, str] = {"created": "UNPAID", "paid": "AWAITING_SHIPMENT", "cancelled": "CANCEL"}
ORDER_STATUS_CHANGE, RETURN_STATUS_CHANGE = 1, 12


class TiktokShop:
    SELLS_ON: ClassVar[str] = "tiktok_shop"
    SHOWS: ClassVar[str] = ""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.name, self.trouble = scene, self.SELLS_ON, Trouble()
        self.fake = FakeTiktokShop(APP_KEY, scene.secret(self.name), scene.now)
        self.fake.orders, self.fake.server.trouble = order_index(scene), self.trouble
        self.shops = PlayedShops(scene, self.name, self.fake.office)
        self.pushes = Deliveries(scene.http, self.trouble, RETRIES_S, TIMEOUT_S, lambda status, body: status == 200)
        self.url = ""
        self._numbers = itertools.count()

    async def open(self) -> None:
        self.url = await self.fake.serve()
        self.shops.let_in()

    def settings(self) -> Settings:
        text = stanzas(self.name, "tiktok_shop", APP_KEY, self.url, "", 'service_id = "7201"\n')
        return Settings(text, {self.name: self.fake.secret}, self.shops.accounts)

    async def run(self) -> None:
        await self.pushes.run()

    def happened(self, event: Happened) -> None:
        played = told_order(self.fake.orders, event, self.scene, event.order.part.shop)
        played.currency = event.order.currency
        if event.what == "paid" and played.paid_at is not None:
            self.fake.unread.add(played.order_id)
            self.shops.paid(event, played, played.paid_at.replace(microsecond=0))
        signed = self._signed(self._push(event, played))
        self.pushes.push(f"{self.scene.hooks_url}/hooks/{self.name}", lambda: signed)

    def _push(self, event: Happened, played: PlayedOrder) -> dict[str, object]:
        at_s, now_s = int(self.scene.tempo.at(event.at_s).timestamp()), int(self.scene.now().timestamp())
        if event.what == "refunded":
            [refund] = played.refunds
            kind, data = RETURN_STATUS_CHANGE, {
                "order_id": played.order_id, "return_id": refund.refund_id, "return_type": "REFUND",
                "return_status": "RETURN_OR_REFUND_REQUEST_SUCCESS", "update_time": at_s,
            }  # fmt: skip
        else:
            kind, data = ORDER_STATUS_CHANGE, {
                "order_id": played.order_id, "order_status": STATES[event.what], "is_on_hold_order": False,
                "update_time": at_s,
            }  # fmt: skip
        name = f"{int(self.scene.tempo.began_at.timestamp()) // 60:08d}{next(self._numbers):011d}"
        return {"type": kind, "tts_notification_id": name, "shop_id": played.shop, "timestamp": now_s, "data": data}

    def _signed(self, push: dict[str, object]) -> Made:
        """Lower-case hex of HMAC-SHA256 over app key and body; the stamp is not signed, and a retry is the same."""
        body = json.dumps(push, separators=(",", ":")).encode()
        told = hmac.new(self.fake.secret, APP_KEY.encode() + body, hashlib.sha256).hexdigest()
        return {"Authorization": told, "Content-Type": "application/json"}, body

    def waiting(self) -> int:
        """Pushes, and payments whose order livemon has not asked for yet."""
        return self.pushes.waiting() + len(self.fake.unread)

    async def close(self) -> None:
        await self.fake.close()
