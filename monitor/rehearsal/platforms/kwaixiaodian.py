"""A played Kwaixiaodian: its interface with an app's three secrets, and pushes of single events, encrypted.

UNVERIFIED, and chosen here: the deadline of an answer and the pauses between tries (the open platform next to it tries
three times, five seconds apart), the content type, and that a refund's `updateTime` is when the money went back.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import ClassVar

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ..deliveries import Deliveries, Made
from ..event.order import Happened
from ..manners import EVERY_S, feed_name
from ..scene import Scene, Settings, Trouble
from ..truth import OFF_AIR, Fact
from .kwaixiaodian_api import FakeKwaixiaodian, ms, number
from .order_index import EPOCH
from .token_office import PlayedOrder
from .told_order import money_moved, order_index, shops_of, told_order

RETRIES_S = (5.0, 5.0, 5.0, 60.0)
TIMEOUT_S = 5.0
APP_KEY = "ks705555555555555555"
NAME = "kwaixiaodian"
APP_SECRET, SIGN_SECRET = f"{NAME}-app", f"{NAME}-sign"
STANZAS = """\
[[app]]
name = "{name}"
platform = "kwaixiaodian"
key = "{key}"
secret_file = "secrets/{name}"
app_secret_file = "secrets/{name}-app"
sign_secret_file = "secrets/{name}-sign"
api_url = "{api}"
calls_per_s = 500

[[feed]]
kind = "kwaixiaodian"
name = "{name}"
app = "{name}"

[[feed]]
kind = "kwaixiaodian_uv"
name = "{counting}"
app = "{name}"
rooms = {rooms}
interval_s = {interval_s}
"""


class Kwaixiaodian:
    """All shops of one app. Nothing of it names a room, and no push an amount.

    Who watches is asked for the first room of each shop: the answer is the shop's, and would be the same for all.
    """

    SELLS_ON: ClassVar[str] = "kwaixiaodian"
    SHOWS: ClassVar[str] = ""
    name = NAME

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.trouble = Trouble()
        self.key = hashlib.sha256(scene.secret(NAME)).digest()[:16]  # of AES-128
        self.app_secret, self.sign_secret = scene.secret(APP_SECRET), scene.secret(SIGN_SECRET)
        self.fake = FakeKwaixiaodian(APP_KEY, self.app_secret, scene.now, sign_secret=self.sign_secret)
        self.fake.orders = order_index(scene)
        self.fake.server.trouble = self.trouble
        self.deliveries = Deliveries(scene.http, self.trouble, RETRIES_S, TIMEOUT_S, taken)
        self.counted = {
            part.shop: part for part in reversed(scene.play.parts) if part.platform == part.sells_on == NAME
        }  # fmt: skip
        self.fake.watching = self.watching
        self.accounts: list[Mapping[str, str]] = []
        self.url = ""
        self._events = 0

    async def open(self) -> None:
        self.url = await self.fake.serve()
        self.accounts = [self._account(shop) for shop in shops_of(self.scene, self.SELLS_ON)]

    async def close(self) -> None:
        await self.fake.close()

    def settings(self) -> Settings:
        secrets = {NAME: base64.b64encode(self.key), APP_SECRET: self.app_secret, SIGN_SECRET: self.sign_secret}
        rooms = json.dumps(sorted(part.room for part in self.counted.values()))
        counting = feed_name("count", NAME)
        text = STANZAS.format(
            name=NAME, key=APP_KEY, api=self.url, counting=counting, rooms=rooms, interval_s=EVERY_S[counting]
        )
        return Settings(text, secrets, self.accounts)

    async def run(self) -> None:
        await self.deliveries.run()

    def waiting(self) -> int:
        return self.deliveries.waiting()

    def watching(self, shop: str) -> int | None:
        """The answer about the room of a shop, now; None while it is off the air."""
        if (part := self.counted.get(shop)) is None:
            return None
        at = self.scene.now()
        now = self.scene.play.room(part.number, (at - self.scene.tempo.began_at).total_seconds())
        viewers = now.viewers if now.on_air else OFF_AIR
        self.scene.truth.served(feed_name("count", NAME, part.room), at, [viewers])
        return None if viewers == OFF_AIR else viewers

    def happened(self, event: Happened) -> None:
        order = told_order(self.fake.orders, event, self.scene, event.order.part.shop)
        self._sold(event, order)
        self._tell(event, order)

    def _account(self, shop: str) -> Mapping[str, str]:
        pair = self.fake.office.issue(shop, self.scene.now())
        return {
            "platform": "kwaixiaodian", "shop": shop, "app": NAME, "name": f"店铺{shop}", "access_token": pair.access,
            "refresh_token": pair.refresh, "access_until": str(ms(pair.access_until)),
            "refresh_until": str(ms(pair.refresh_until)),
        }  # fmt: skip

    def _sold(self, event: Happened, order: PlayedOrder) -> None:
        """In whole milliseconds. What a refund says of its time is when it was touched: there is no other word of it
        in the push and in the list alike."""
        if (moved := money_moved(event, order)) is not None:
            at = moved.at if moved.kind == "paid" else order.refunds[0].updated_at
            self.scene.truth.sold(
                Fact(
                    "kwaixiaodian", order.shop, order.order_id, moved.kind, moved.minor, "CNY",
                    EPOCH + timedelta(milliseconds=ms(at)), ref=moved.ref,
                ),
                self.scene.now(),
            )  # fmt: skip

    # --- pushes ------------------------------------------------------------------------------------------------------

    def _tell(self, event: Happened, order: PlayedOrder) -> None:
        told: dict[str, object] = {
            "oid": number(order.order_id), "sellerId": number(order.shop), "openId": f"f1{order.shop}",
            "buyerOpenId": order.buyer,
        }  # fmt: skip
        touched = {"updateTime": ms(order.updated_at)}
        match event.what:
            case "created":
                self._push("kwaishop_order_addOrder", order, told | {"createTime": ms(order.created_at)})
            case "paid":
                self._push("kwaishop_order_paySuccess", order, told | {"status": 30} | touched)
            case "cancelled":
                self._push("kwaishop_order_orderFail", order, told | {"status": 80} | touched)
            case "refunded":
                self._refunded(order)

    def _refunded(self, order: PlayedOrder) -> None:
        """First that it was asked for, then that the money is back: no platform promises in which order they come."""
        [refund] = order.refunds
        told: dict[str, object] = {
            "orderId": number(order.order_id), "refundId": number(refund.refund_id), "sellerId": number(order.shop),
            "handlingWay": 10, "createTime": ms(order.paid_at), "updateTime": ms(refund.updated_at),
        }  # fmt: skip
        self._push("kwaishop_aftersales_addRefund", order, told | {"status": 10, "eventType": 1})
        self._push("kwaishop_aftersales_updateRefund", order, told | {"status": 60, "eventType": 2})

    def _push(self, event: str, order: PlayedOrder, info: Mapping[str, object]) -> None:
        self._events += 1
        began_s, now_ms = int(self.scene.tempo.began_at.timestamp()), ms(self.scene.now())
        text = {
            "eventId": f"{began_s}{self._events:09d}", "msgId": f"{began_s}-{self._events:09d}",
            "bizId": order.order_id,
            "userId": number(order.shop), "openId": f"f1{order.shop}", "appKey": APP_KEY, "event": event,
            "info": json.dumps(info, ensure_ascii=False), "status": 0, "createTime": now_ms, "updateTime": now_ms,
            "test": False,
        }  # fmt: skip
        body = self._closed(json.dumps(text, ensure_ascii=False, separators=(",", ":")).encode())
        self.deliveries.push(f"{self.scene.hooks_url}/hooks/{NAME}", partial(made, body))

    def _closed(self, text: bytes) -> bytes:
        """AES-128-CBC with an IV of zeros and padding to 16, in base64."""
        pad = 16 - len(text) % 16
        closer = Cipher(algorithms.AES(self.key), modes.CBC(bytes(16))).encryptor()
        return base64.b64encode(closer.update(text + bytes([pad]) * pad) + closer.finalize())


def made(body: bytes) -> Made:
    return {"Content-Type": "application/json;charset=UTF-8"}, body


def taken(status: int, body: bytes) -> bool:
    try:
        told = json.loads(body)
    except ValueError:
        return False
    return status == 200 and isinstance(told, dict) and told.get("result") == 1
