"""A played Doudian: its interface for shops that let a service in, and pushes of their orders in signed arrays.

UNVERIFIED, and chosen here: the pauses between tries, how long events are gathered and how many make an array; the
platform names only the five seconds in which an array must be answered.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar

from ..deliveries import Deliveries, Made
from ..event.order import Happened
from ..scene import Scene, Settings, Trouble
from ..truth import Fact
from .doudian_api import FakeDoudian, seconds
from .token_office import PlayedOrder
from .told_order import money_moved, order_index, shops_of, told_order

RETRIES_S = (5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
TIMEOUT_S = 5.0
GATHERED_S, MESSAGES_MAX = 0.2, 20
APP_KEY = "7055555555555555555"
NAME = "doudian"
STANZAS = """\
[[app]]
name = "{name}"
platform = "doudian"
key = "{key}"
secret_file = "secrets/{name}"
service_id = "4242"
api_url = "{api}"
calls_per_s = 500

[[feed]]
kind = "doudian"
name = "{name}"
app = "{name}"
"""
Message = dict[str, object]


class Doudian:
    """All shops of one service. Rooms are known by their author, of whom each order's detail tells."""

    SELLS_ON: ClassVar[str] = "doudian"
    SHOWS: ClassVar[str] = ""
    name = NAME

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.trouble = Trouble()
        self.secret = scene.secret(NAME)
        self.fake = FakeDoudian(APP_KEY, self.secret, scene.now)
        self.fake.orders = order_index(scene)
        self.fake.server.trouble = self.trouble
        self.deliveries = Deliveries(scene.http, self.trouble, RETRIES_S, TIMEOUT_S, taken)
        self.accounts: list[Mapping[str, str]] = []
        self.url = ""
        self._gathered: list[Message] = []
        self._told = asyncio.Event()
        self._messages = 0

    async def open(self) -> None:
        self.url = await self.fake.serve()
        self.accounts = [self._account(shop) for shop in shops_of(self.scene, self.SELLS_ON)]

    async def close(self) -> None:
        await self.fake.close()

    def settings(self) -> Settings:
        stanzas = STANZAS.format(name=NAME, key=APP_KEY, api=self.url)
        return Settings(stanzas, {NAME: self.secret}, self.accounts)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.deliveries.run())
            group.create_task(self._send())

    def waiting(self) -> int:
        return self.deliveries.waiting() + len(self._gathered)

    def happened(self, event: Happened) -> None:
        part = event.order.part
        order = told_order(self.fake.orders, event, self.scene, part.shop, room_of(event), author=part.room)
        self._sold(event, order)
        self._gathered += self._told_of(event, order)
        self._told.set()

    def _account(self, shop: str) -> Mapping[str, str]:
        pair = self.fake.office.issue(shop, self.scene.now())
        assert pair.refresh_until is not None  # noqa: S101 - by the platform's rules
        return {
            "platform": "doudian", "shop": shop, "app": NAME, "name": f"店铺{shop}", "access_token": pair.access,
            "refresh_token": pair.refresh, "access_until": str(seconds(pair.access_until)),
            "refresh_until": str(seconds(pair.refresh_until)),
        }  # fmt: skip

    def _sold(self, event: Happened, order: PlayedOrder) -> None:
        """In whole seconds, as all its stamps are. No word of a refund names an author."""
        if (moved := money_moved(event, order)) is not None:
            room = order.author if moved.kind == "paid" else None
            at = datetime.fromtimestamp(seconds(moved.at), UTC)
            self.scene.truth.sold(
                Fact("doudian", order.shop, order.order_id, moved.kind, moved.minor, "CNY", at, room, moved.ref),
                self.scene.now(),
            )

    # --- pushes ------------------------------------------------------------------------------------------------------

    def _told_of(self, event: Happened, order: PlayedOrder) -> list[Message]:
        """Its ids are numbers, and larger than a float can hold. That a refund was asked for is told with its end."""
        told: Message = {
            "p_id": int(order.order_id), "s_ids": [order.order_id + "1"], "shop_id": shop_id(order), "order_type": 0,
            "biz": 2,
        }  # fmt: skip
        match event.what:
            case "created":
                return [self._message("100", told | {"order_status": 1, "create_time": seconds(order.created_at)})]
            case "paid":
                paid = {"order_status": 2, "pay_type": 1, "pay_time": seconds(order.paid_at)}
                return [self._message("101", told | paid | {"pay_amount": order.amount_minor})]
            case "cancelled":
                gone = {"order_status": 4, "cancel_time": seconds(order.cancelled_at), "cancel_reason": "其他原因"}
                return [self._message("106", told | gone)]
            case "refunded":
                return self._refunded(order)

    def _refunded(self, order: PlayedOrder) -> list[Message]:
        [refund] = order.refunds
        done_s = seconds(refund.done_at)
        told: Message = {
            "p_id": int(order.order_id), "s_id": order.order_id + "1", "shop_id": shop_id(order),
            "aftersale_id": int(refund.refund_id), "aftersale_type": 1, "refund_amount": refund.amount_minor,
            "refund_post_amount": 0, "reason_code": 0,
        }  # fmt: skip
        return [
            self._message("200", told | {"aftersale_status": 6, "apply_time": done_s}),
            self._message("206", told | {"aftersale_status": 12, "success_time": done_s}),
        ]

    def _message(self, tag: str, data: Message) -> Message:
        self._messages += 1
        began_s = int(self.scene.tempo.began_at.timestamp())
        return {"tag": tag, "msg_id": f"{began_s}{self._messages:09d}:0:{tag}", "data": data}

    async def _send(self) -> None:
        """What happens within a moment goes out in one array."""
        while True:
            await self._told.wait()
            await asyncio.sleep(GATHERED_S)
            self._told.clear()
            while self._gathered:
                body = as_json(self._gathered[:MESSAGES_MAX])
                del self._gathered[:MESSAGES_MAX]
                self.deliveries.push(f"{self.scene.hooks_url}/hooks/{NAME}", partial(self._signed, body))

    def _signed(self, body: bytes) -> Made:
        """MD5 of app key, raw body and secret."""
        sign = hashlib.md5(APP_KEY.encode() + body + self.secret, usedforsecurity=False).hexdigest()
        return {"Content-Type": "application/json;charset=UTF-8", "app-id": APP_KEY, "event-sign": sign}, body


def taken(status: int, body: bytes) -> bool:
    return status == 200 and body == b'{"code":0,"msg":"success"}'


def room_of(event: Happened) -> str:
    """The id of the broadcast, as the platform calls a room: another one each day."""
    return str(
        7_300_000_000_000_000_000 + event.order.part.number * 1_000 + int(event.order.created_s // 86_400) % 1_000
    )


def shop_id(order: PlayedOrder) -> int | str:
    return int(order.shop) if order.shop.isdecimal() else order.shop


def as_json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
