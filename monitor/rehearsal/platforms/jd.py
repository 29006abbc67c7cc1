"""JD (京东) in a play: orders of POP shops, for whoever asks. Nothing is pushed, and of refunds nothing is told."""

import asyncio
from typing import ClassVar

from ..event.order import Happened
from ..scene import Scene, Settings, Trouble
from .jd_api import FakeJd
from .played_shops import PlayedShops, stanzas
from .told_order import order_index, told_order

APP_KEY = "A2B5AF66DEF5176F5F39239584E3DA27"
INTERVAL_S = 20.0  # of livemon's questions about one shop: at the end of a play all are waited for


class Jd:
    SELLS_ON: ClassVar[str] = "jd"
    SHOWS: ClassVar[str] = ""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.name, self.trouble = scene, self.SELLS_ON, Trouble()
        self.fake = FakeJd(APP_KEY, scene.secret(self.name), scene.now)
        self.fake.orders, self.fake.server.trouble = order_index(scene), self.trouble
        self.shops = PlayedShops(scene, self.name, self.fake.office)
        self.url = ""

    async def open(self) -> None:
        self.url = await self.fake.serve()
        self.shops.let_in()

    def settings(self) -> Settings:
        text = stanzas(self.name, "jd_orders", APP_KEY, self.url, f"interval_s = {INTERVAL_S}\n")
        return Settings(text, {self.name: self.fake.secret}, self.shops.accounts)

    async def run(self) -> None:
        await asyncio.get_running_loop().create_future()

    def happened(self, event: Happened) -> None:
        played = told_order(self.fake.orders, event, self.scene, event.order.part.shop)
        self.fake.unread.add(played.order_id)
        if event.what == "paid" and played.paid_at is not None:
            self.shops.paid(event, played, played.paid_at.replace(microsecond=0))

    def waiting(self) -> int:
        """Orders whose last change no page has shown to livemon yet."""
        return len(self.fake.unread)

    async def close(self) -> None:
        await self.fake.close()
