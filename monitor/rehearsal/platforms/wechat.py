"""A played WeChat for shops: a third-party platform that gets their pushes in security mode, and shops asked by their
own keys.

Its tries are those of developers.weixin.qq.com: ten within 3.6 hours, each to be answered in five seconds; after the
tenth it goes on once an hour here. UNVERIFIED: that a try is signed at its own instant, and what an after-sale is
called before its end.
"""

import asyncio
import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ..deliveries import Deliveries, Made
from ..event.order import Happened
from ..manners import EVERY_S, feed_name
from ..scene import Scene, Settings, Trouble
from ..truth import Fact
from .token_office import CallBook, PlayedOrder
from .told_order import money_moved, order_index, shops_of, told_order
from .wechat_api import FakeWechat, appid_of, seconds
from .wechat_lives import WechatLives

RETRIES_S = (0.0, 0.0, 10.0, 60.0, 300.0, 1800.0, 3600.0, 3600.0, 3600.0)
TIMEOUT_S = 5.0
TICKET_EVERY_S = 600.0
APP_ID = "wxba5fad812f8e6fb9"
NAME = "wechat"
TOKEN, APP_SECRET = f"{NAME}-token", f"{NAME}-app"
QUOTA_A_DAY = 1_000_000_000  # of each path: the fake counts that of all shops together
PATHS = (
    "/channels/ec/order/get", "/channels/ec/order/list/get", "/channels/ec/aftersale/getaftersaleorder",
    "/channels/ec/aftersale/getaftersalelist", "/channels/livedashboard/getlivelist",
    "/channels/livedashboard/getlivedata",
)  # fmt: skip
STANZAS = """\
[[app]]
name = "{name}"
platform = "wechat"
key = "{key}"
secret_file = "secrets/{name}"
token_file = "secrets/{name}-token"
app_secret_file = "secrets/{name}-app"
self_use = true
api_url = "{api}"
calls_per_s = 500

[[feed]]
kind = "wechat_shop"
name = "{name}"
app = "{name}"

[[feed]]
kind = "wechat_live"
name = "{live}"
app = "{name}"
interval_s = {interval_s}
"""


class Wechat:
    """All shops of one third-party platform, and all video accounts. An order's detail names the one that sold it."""

    SELLS_ON: ClassVar[str] = "wechat"
    SHOWS: ClassVar[str] = "wechat"
    name = NAME

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.trouble = Trouble()
        self.aes_key = encoding_aes_key(scene.secret(NAME))
        self.token, self.app_secret = scene.secret(TOKEN)[:32], scene.secret(APP_SECRET)[:32]
        book = CallBook(quota=dict.fromkeys(PATHS, QUOTA_A_DAY))
        self.fake = FakeWechat(APP_ID, self.app_secret, scene.now, book)
        self.fake.ticket = "ticket@@@" + scene.secret(f"{NAME}-ticket").decode()
        self.fake.orders = order_index(scene)
        self.fake.server.trouble = self.trouble
        self.lives = WechatLives(scene, self.fake.dashboard)
        self.deliveries = Deliveries(scene.http, self.trouble, RETRIES_S, TIMEOUT_S, taken)
        self.accounts: list[Mapping[str, str]] = []
        self.url = ""

    async def open(self) -> None:
        self.url = await self.fake.serve()
        rooms, keys = self.lives.accounts(NAME)
        self.fake.own_shops |= keys
        self.accounts = [self._account(user_name(shop)) for shop in shops_of(self.scene, self.SELLS_ON)] + rooms

    async def close(self) -> None:
        await self.fake.close()

    def settings(self) -> Settings:
        files = {NAME: self.aes_key, TOKEN: self.token, APP_SECRET: self.app_secret}
        live = feed_name("live", NAME)
        text = STANZAS.format(name=NAME, key=APP_ID, api=self.url, live=live, interval_s=EVERY_S[live])
        return Settings(text, files, self.accounts)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.deliveries.run())
            group.create_task(self._tickets())

    def waiting(self) -> int:
        return self.deliveries.waiting()

    def happened(self, event: Happened) -> None:
        part = event.order.part
        order = told_order(self.fake.orders, event, self.scene, user_name(part.shop), part.room)
        self._sold(event, order)
        self._tell(event, order)

    def _account(self, shop: str) -> Mapping[str, str]:
        """Its own appid and AppSecret: from now on tokens are given for them."""
        appid, secret = appid_of(shop), self.scene.secret(f"{NAME} {shop}").decode()[:32]
        self.fake.own_shops[appid] = secret, shop
        return {
            "platform": "wechat", "shop": shop, "app": NAME, "name": f"店铺{shop}", "key": appid, "secret": secret,
        }  # fmt: skip

    def _sold(self, event: Happened, order: PlayedOrder) -> None:
        """In whole seconds, as all its stamps are. A refund names no room."""
        if (moved := money_moved(event, order)) is not None:
            room = order.room if moved.kind == "paid" else None
            if room is not None:
                self.lives.sold(room, moved.at, moved.minor)
            at = datetime.fromtimestamp(seconds(moved.at), UTC)
            self.scene.truth.sold(
                Fact("wechat", order.shop, order.order_id, moved.kind, moved.minor, "CNY", at, room, moved.ref),
                self.scene.now(),
            )

    # --- pushes ------------------------------------------------------------------------------------------------------

    def _tell(self, event: Happened, order: PlayedOrder) -> None:
        told: dict[str, object] = {"order_id": int(order.order_id)}
        match event.what:
            case "created":
                self._push("channels_ec_order_new", order, order.created_at, order_info=told)
            case "paid":
                paid = told | {"pay_time": seconds(order.paid_at)}
                self._push("channels_ec_order_pay", order, order.paid_at, order_info=paid)
            case "cancelled":
                self._push("channels_ec_order_cancel", order, order.cancelled_at, order_info=told | {"cancel_type": 2})
            case "refunded":
                [refund] = order.refunds
                for status in ("MERCHANT_PROCESSING", "MERCHANT_REFUND_SUCCESS"):
                    news = told | {"status": status, "after_sale_order_id": int(refund.refund_id)}
                    self._push(
                        "channels_ec_aftersale_update", order, refund.updated_at,
                        finder_shop_aftersale_status_update=news,
                    )  # fmt: skip

    def _push(self, event: str, order: PlayedOrder, at: datetime | None, **news: object) -> None:
        message = {
            "ToUserName": order.shop, "FromUserName": "OPENID", "CreateTime": seconds(at), "MsgType": "event",
            "Event": event, **news,
        }  # fmt: skip
        text = json.dumps(message, ensure_ascii=False).encode()
        self.deliveries.push(f"{self.scene.hooks_url}/hooks/{NAME}", partial(self._signed, text, order.shop))

    async def _tickets(self) -> None:
        """What the third-party platform itself is told each ten minutes, as XML: with this it gets its own token."""
        while True:
            inside = (
                f"<xml><AppId>{APP_ID}</AppId><CreateTime>{seconds(self.scene.now())}</CreateTime>"
                "<InfoType>component_verify_ticket</InfoType>"
                f"<ComponentVerifyTicket>{self.fake.ticket}</ComponentVerifyTicket></xml>"
            )
            self.deliveries.push(f"{self.scene.hooks_url}/hooks/{NAME}", partial(self._signed, inside.encode(), ""))
            await asyncio.sleep(TICKET_EVERY_S)

    def _signed(self, text: bytes, shop: str) -> Made:
        """Closed and signed anew for each try; for a shop in JSON, for the third-party platform itself in XML."""
        sealed, stamp, nonce = self._closed(text), str(seconds(self.scene.now())), str(secrets.randbelow(10**9))
        plain = sha1(self.token, stamp.encode(), nonce.encode())
        told = sha1(self.token, stamp.encode(), nonce.encode(), sealed)
        query = f"signature={plain}&timestamp={stamp}&nonce={nonce}&encrypt_type=aes&msg_signature={told}"
        if shop:
            body = json.dumps({"ToUserName": shop, "Encrypt": sealed.decode()}).encode()
            return {"Content-Type": "application/json"}, body, query
        body = b"<xml><AppId>%b</AppId><Encrypt>%b</Encrypt></xml>" % (APP_ID.encode(), sealed)
        return {"Content-Type": "text/xml"}, body, query

    def _closed(self, text: bytes) -> bytes:
        """AES-256-CBC over 16 random bytes, the length, the text and for whom it is, padded to 32, in base64."""
        key = base64.b64decode(self.aes_key + b"=")
        plain = secrets.token_bytes(16) + len(text).to_bytes(4) + text + APP_ID.encode()
        pad = 32 - len(plain) % 32
        closer = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
        return base64.b64encode(closer.update(plain + bytes([pad]) * pad) + closer.finalize())


def taken(status: int, body: bytes) -> bool:
    return status == 200 and body in (b"success", b"")


def user_name(shop: str) -> str:
    """The id of a shop that pushes name: what the roster says, where that is one already."""
    return shop if shop.startswith("gh_") else f"gh_{shop:0>12}"


def encoding_aes_key(secret: bytes) -> bytes:
    """43 letters and digits that stand for 32 bytes."""
    return base64.b64encode(hashlib.sha256(secret).digest(), b"AB")[:43]


def sha1(*parts: bytes) -> str:
    return hashlib.sha1(b"".join(sorted(parts)), usedforsecurity=False).hexdigest()
