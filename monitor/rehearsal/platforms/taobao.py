"""Taobao in a play: orders and refunds over the message channel (TMC), trades for whoever asks.

Its rooms go on and off the air without a word here: a relay watches them.
"""

from typing import ClassVar

from websockets.asyncio.server import Server

from ..event.order import Happened
from ..scene import Scene, Settings, Trouble
from .played_shops import PlayedShops, stanzas
from .taobao_api import FakeTaobao, written, yuan
from .taobao_tmc import FakeTmc
from .token_office import PlayedOrder
from .told_order import order_index, told_order

APP_KEY = "12345678"
INTERVAL_S = 1.0  # of livemon's requests for messages, which bring a hundred at most


class Taobao:
    SELLS_ON: ClassVar[str] = "taobao"
    SHOWS: ClassVar[str] = ""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.name, self.trouble = scene, self.SELLS_ON, Trouble()
        secret = scene.secret(self.name)
        self.fake = FakeTaobao(APP_KEY, secret, scene.now)
        self.fake.orders, self.fake.server.trouble = order_index(scene), self.trouble
        self.tmc = FakeTmc(APP_KEY, secret.decode(), trouble=self.trouble)
        self.shops = PlayedShops(scene, self.name, self.fake.office)
        self.url, self.socket_url = "", ""
        self._server: Server | None = None

    async def open(self) -> None:
        self.url, self._server = await self.fake.serve(), await self.tmc.serve()
        self.socket_url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"
        self.shops.let_in()

    def settings(self) -> Settings:
        feed = f'interval_s = {INTERVAL_S}\nurl = "{self.socket_url}"\n'
        text = stanzas(self.name, "taobao_tmc", APP_KEY, self.url, feed)
        return Settings(text, {self.name: self.fake.secret}, self.shops.accounts)

    async def run(self) -> None:
        await self.tmc.mishaps.run()

    def happened(self, event: Happened) -> None:
        played = told_order(self.fake.orders, event, self.scene, event.order.part.shop)
        match event.what:
            case "created":
                self._publish(event, played, "taobao_trade_TradeCreate", status="WAIT_BUYER_PAY")
            case "cancelled":
                self._publish(event, played, "taobao_trade_TradeClose", status="TRADE_CLOSED_BY_TAOBAO")
            case "paid":
                if played.paid_at is not None:
                    self.fake.unread.add(played.order_id)
                    self.shops.paid(event, played, played.paid_at.replace(microsecond=0))
                self._publish(event, played, "taobao_trade_TradeBuyerPay", status="WAIT_SELLER_SEND_GOODS")
            case "refunded":
                self._refunded(event, played)

    def _refunded(self, event: Happened, played: PlayedOrder) -> None:
        """`modified` is when the platform booked it, in the message as in the list."""
        [refund] = played.refunds
        self.shops.refunded(event, played, refund.updated_at.replace(microsecond=0))
        self._publish(
            event, played, "taobao_refund_RefundSuccess", refund_id=int(refund.refund_id),
            refund_fee=yuan(refund.amount_minor), modified=written(refund.updated_at), refund_phase="onsale",
            bill_type="refund_bill",
        )  # fmt: skip
        if refund.amount_minor >= played.amount_minor:
            self._publish(event, played, "taobao_trade_TradeClose", status="TRADE_CLOSED")

    def _publish(self, event: Happened, played: PlayedOrder, topic: str, **more: object) -> None:
        tid = int(played.order_id)
        content: dict[str, object] = {
            "tid": tid, "oid": tid, "payment": yuan(played.amount_minor), "post_fee": "0.00",
            "type": "guarantee_trade", "seller_nick": f"店铺{played.shop}", "buyer_nick": "t**",
            "buyer_open_uid": played.buyer, **more,
        }  # fmt: skip
        at_ms = int(self.scene.tempo.at(event.at_s).timestamp() * 1000)
        self.tmc.publish(topic, content, int(played.shop), at_ms)

    def waiting(self) -> int:
        """Messages that are not confirmed, and payments whose trade livemon has not asked for yet."""
        return len(self.tmc.waiting) + len(self.fake.unread)

    async def close(self) -> None:
        await self.fake.close()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
