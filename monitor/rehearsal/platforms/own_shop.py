"""The event's own shops: orders in rooms of own servers, brought to livemon by push_json, some at a time."""

import asyncio
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from ..deliveries import Deliveries, Made
from ..event.cast import OWN
from ..event.order import Happened
from ..scene import Scene, Settings, Trouble
from ..truth import Fact
from .push_json import RETRIES_S, TIMEOUT_S, settings, signed, taken, written

GATHER_S = 0.5
SALES_MAX = 200  # of one delivery


class OwnShop:
    """All own shops have one till: it gathers what happens for half a second, or until there is enough of it."""

    SELLS_ON: ClassVar[str] = "push_json"
    SHOWS: ClassVar[str] = ""
    name = "own-shops"

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.trouble = Trouble()
        self.secret = scene.secret(self.name)
        self.deliveries = Deliveries(scene.http, self.trouble, RETRIES_S, TIMEOUT_S, taken)
        self._sales: list[dict[str, Any]] = []
        self._sold = asyncio.Event()
        self._delivered = 0

    async def open(self) -> None:
        """It calls, and is not called."""

    def settings(self) -> Settings:
        return settings(self.name, OWN, ("sales",), self.secret)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.deliveries.run())
            while True:
                await self._sold.wait()
                await asyncio.sleep(GATHER_S)
                self.deliver()

    def happened(self, event: Happened) -> None:
        at = self.scene.tempo.at(event.at_s)
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)  # as it is written
        order, order_id = event.order, self.scene.order_id(event.order)
        amount_minor = order.refund_minor if event.what == "refunded" else order.amount_minor
        if event.what in ("paid", "refunded"):
            fact = Fact(OWN, order.part.shop, order_id, event.what, amount_minor, order.currency, at, order.part.room)
            self.scene.truth.sold(fact, self.scene.now())
        self._sales.append(sale(event, order_id, amount_minor, at))
        self._sold.set()
        if len(self._sales) >= SALES_MAX:
            self.deliver()

    def deliver(self) -> None:
        """Send off what was gathered."""
        self._sold.clear()
        if not self._sales:
            return
        body = written({"sales": self._sales})
        self._sales = []
        self._delivered += 1
        name = f"till-{int(self.scene.tempo.began_at.timestamp())}-{self._delivered}"
        url = f"{self.scene.hooks_url}/hooks/{self.name}"
        self.deliveries.push(url, partial(self._signed, name, body))

    def _signed(self, name: str, body: bytes) -> Made:
        return signed(self.secret, name, body, self.scene.now())

    def waiting(self) -> int:
        return self.deliveries.waiting() + bool(self._sales)

    async def close(self) -> None:
        """Nothing of it is open."""


def sale(event: Happened, order_id: str, amount_minor: int, at: datetime) -> dict[str, Any]:
    """One item of a delivery. What went back names no goods."""
    order = event.order
    told = {
        "event_id": f"{order.part.shop}:{order_id}:{event.what}", "kind": event.what,
        "at": at.isoformat(timespec="milliseconds"), "amount_minor": amount_minor, "currency": order.currency,
        "room": order.part.room, "shop": order.part.shop, "order_id": order_id, "buyer": order.buyer,
    }  # fmt: skip
    if event.what == "refunded":
        return told
    line = {"item_id": order.product, "title": order.title, "units": order.units, "amount_minor": order.amount_minor}
    return told | {"units": order.units, "items": [line]}
