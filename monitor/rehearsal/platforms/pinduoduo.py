"""Pinduoduo (拼多多) in a play: paid orders and refunds over the message channel (PMC), their amounts for whoever asks.

Of an order that nobody pays it tells nothing.
"""

from datetime import datetime
from typing import ClassVar

from websockets.asyncio.server import Server

from ..event.order import Happened
from ..scene import Scene, Settings, Trouble
from .pinduoduo_api import FakePinduoduo
from .pinduoduo_pmc import FakePmc
from .played_shops import PlayedShops, stanzas
from .told_order import order_index, told_order

CLIENT_ID = "e8c1f4a2b7d94c06"
REFUND_LISTS_PER_S = 100.0  # in a rehearsal; the platform's own rule is 10


class Pinduoduo:
    SELLS_ON: ClassVar[str] = "pinduoduo"
    SHOWS: ClassVar[str] = ""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.name, self.trouble = scene, self.SELLS_ON, Trouble()
        secret = scene.secret(self.name)
        self.fake = FakePinduoduo(CLIENT_ID, secret, scene.now)
        self.fake.orders, self.fake.server.trouble = order_index(scene), self.trouble
        self.pmc = FakePmc(CLIENT_ID, secret.decode(), lambda: ms(scene.now()), self.trouble)
        self.shops = PlayedShops(scene, self.name, self.fake.office)
        self.url, self.socket_url = "", ""
        self._server: Server | None = None

    async def open(self) -> None:
        self.url, self._server = await self.fake.serve(), await self.pmc.serve()
        self.socket_url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self.shops.let_in()

    def settings(self) -> Settings:
        rates = f'name_calls_per_s = {{ "pdd.refund.list.increment.get" = {REFUND_LISTS_PER_S} }}\n'
        text = stanzas(self.name, "pinduoduo_pmc", CLIENT_ID, self.url, f'url = "{self.socket_url}"\n', rates)
        return Settings(text, {self.name: self.fake.secret}, self.shops.accounts)

    async def run(self) -> None:
        await self.pmc.mishaps.run()

    def happened(self, event: Happened) -> None:
        played = told_order(self.fake.orders, event, self.scene, event.order.part.shop)
        mall = int(played.shop)
        told: dict[str, object] = {"mall_id": mall, "tid": played.order_id}
        if event.what == "paid" and played.paid_at is not None:
            self.fake.unread.add(played.order_id)
            self.shops.paid(event, played, played.paid_at.replace(microsecond=0))
            self.pmc.publish("pdd_trade_TradeConfirmed", mall, told, ms(self.scene.now()))
        elif event.what == "refunded":
            # When the platform booked it, in whole seconds: the list writes no more, and both tell one fact.
            [refund] = played.refunds
            at = refund.updated_at.replace(microsecond=0)
            self.shops.refunded(event, played, at)
            told |= {
                "refund_id": int(refund.refund_id), "refund_fee": refund.amount_minor, "bill_type": 1,
                "operation": 1012, "modified": ms(at),
            }  # fmt: skip
            self.pmc.publish("pdd_refund_RefundAgreeAgreement", mall, told, ms(self.scene.now()))

    def waiting(self) -> int:
        """Messages that are not acknowledged, and payments whose order livemon has not asked for yet."""
        return len(self.pmc.waiting) + len(self.fake.unread)

    async def close(self) -> None:
        await self.fake.close()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
