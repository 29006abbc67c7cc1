"""The platforms whose open API is played: for each its rules, our app and shop, its fake, and orders to play on it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import msgspec

from collectors.apis.doudian import DoudianApi
from collectors.apis.jd import JdApi
from collectors.apis.kwaixiaodian import KwaixiaodianApi
from collectors.apis.pinduoduo import PinduoduoApi
from collectors.apis.taobao import TaobaoApi
from collectors.apis.tiktok_shop import TiktokShopApi
from collectors.apis.wechat import WechatApi
from collectors.apis.xiaohongshu import XiaohongshuApi
from collectors.collector import FeedRow
from collectors.hook import App
from collectors.open_api import Call, Caller, Completing, OpenApi, Tokens
from collectors.orders.doudian import Doudian
from collectors.orders.jd_orders import JdOrders
from collectors.orders.kwaixiaodian import Kwaixiaodian
from collectors.orders.pinduoduo_pmc import PinduoduoPmc
from collectors.orders.taobao_tmc import TaobaoTmc
from collectors.orders.tiktok_shop import TiktokShop
from collectors.orders.wechat_shop import WechatShop
from collectors.orders.xiaohongshu_push import XiaohongshuPush
from collectors.tick import Sale
from monitor.rehearsal.platforms.doudian_api import FakeDoudian
from monitor.rehearsal.platforms.jd_api import FakeJd
from monitor.rehearsal.platforms.kwaixiaodian_api import FakeKwaixiaodian
from monitor.rehearsal.platforms.pinduoduo_api import FakePinduoduo
from monitor.rehearsal.platforms.taobao_api import FakeTaobao
from monitor.rehearsal.platforms.tiktok_shop_api import FakeTiktokShop
from monitor.rehearsal.platforms.token_office import CallBook, PlayedOrder, PlayedRefund
from monitor.rehearsal.platforms.wechat_api import FakeWechat
from monitor.rehearsal.platforms.xiaohongshu_api import FakeXiaohongshu
from tests.orders.chinese import KUAISHOU_KEY, OLD, WECHAT, WECHAT_KEY, WECHAT_TOKEN, XIAOHONGSHU

from .polls import START, Clock, Played, ok, polled, window

SIGN_SECRET = b"the signSecret"  # Kwaixiaodian's third one


@dataclass(frozen=True, eq=False)
class Platform[A: OpenApi, F: Played, R: FeedRow]:
    """`first`: what all its orders have in common. `names_shop`: a code's answer, or what completes it, says whose."""

    api: A
    app: App
    row: R
    shop: str
    stranger: str  # another shop, whose orders are not ours to see
    private: tuple[str, ...]  # what its fake says of people
    fakes: Callable[[str, bytes, Clock, CallBook | None], F]
    order_id: Callable[[int], str]
    first: dict[str, object]
    refund_id: Callable[[int], str] = str
    refund_minor: int = 0
    names_shop: bool = True
    step: timedelta = field(default=timedelta(seconds=1))  # the smallest that its windows know

    def __str__(self) -> str:
        return self.api.PLATFORM

    @property
    def key(self) -> str:
        return self.app.key

    @property
    def secret(self) -> bytes:
        """The one that calls are made with, where the app has several."""
        return (self.app.app_secrets or self.app.secrets)[0]

    def fake(self, clock: Clock, book: CallBook | None = None, key: str = "", secret: bytes | None = None) -> F:
        return self.fakes(key or self.key, self.secret if secret is None else secret, clock, book)

    def caller(
        self, tokens: Tokens | None = None, shop: str = "", app: App | None = None, app_tokens: Tokens | None = None,
        auth_base: str = "",
    ) -> Caller:  # fmt: skip
        api = self.api
        return Caller(app or self.app, api.BASE, auth_base or api.AUTH_BASE, shop or self.shop, tokens, app_tokens)

    def app_granted(self, fake: F) -> Tokens | None:
        """Tokens of the app itself, where it has any."""
        if not self.api.APP_HAS_TOKENS:
            return None
        assert isinstance(fake, FakeWechat)
        now = fake.now()
        call = self.api.app_grant(self.caller(), fake.ticket, now)
        return self.api.granted(ok(self.api, fake, call), None, now).tokens

    def linked(self, fake: F, shop: str = "") -> Caller:
        """Linked as it is: a code for a pair, and where that does not say it, whose the pair is."""
        api, now, shop, app_tokens = self.api, fake.now(), shop or self.shop, self.app_granted(fake)
        call = api.exchange(self.caller(app_tokens=app_tokens), fake.office.code(shop), "", now)
        grant = api.granted(ok(api, fake, call), None, now)
        if isinstance(api, Completing):
            half = self.caller(grant.tokens, shop, app_tokens=app_tokens)
            grant = api.completed(half, ok(api, fake, api.complete(half, now)))
        assert grant.shop == (shop if self.names_shop else "")
        return self.caller(grant.tokens, shop, app_tokens=app_tokens)

    def order(self, number: int, **more: object) -> PlayedOrder:
        base: dict[str, object] = {
            "order_id": self.order_id(number), "shop": self.shop, "created_at": START - timedelta(seconds=90),
            "updated_at": START - timedelta(seconds=60), "paid_at": START - timedelta(seconds=80),
        }  # fmt: skip
        return PlayedOrder(**(base | self.first | more))  # type: ignore[arg-type]

    def refunded(self, number: int, amount_minor: int = 0, done: bool = True) -> PlayedOrder:
        amount_minor = amount_minor or self.refund_minor
        refund = PlayedRefund(self.refund_id(number), amount_minor, START - timedelta(seconds=30), done)
        return self.order(number, refunds=[refund])

    def heard(self, fake: F, clock: Clock, between: Callable[[int], None] = lambda pages: None) -> list[Sale]:
        """All that our shop's polls tell of the last ten minutes."""
        return polled(self.api, fake, self.linked(fake), self.row, window(clock), clock.at, between)


async def over_socket(fake: Played, caller: Caller, asking: Callable[[Caller], Call | None]) -> bytes:
    """What the fake answers on a socket: the one place where it is asked as a client of HTTP asks."""
    base = await fake.serve()
    try:
        call = asking(msgspec.structs.replace(caller, base=base, auth_base=base))
        assert call is not None
        method = "GET" if call.body is None else "POST"
        async with (
            aiohttp.ClientSession() as http,
            http.request(method, call.url, data=call.body, headers=call.headers) as reply,
        ):
            assert reply.content_type == "application/json"
            return await reply.read()
    finally:
        await fake.close()


DOUDIAN = Platform(
    DoudianApi(),
    App("doudian-main", "doudian", "7055555555555555555", (OLD,), service_id="4242"),
    Doudian(name="dd", app="doudian-main"),
    shop="4463798",
    stranger="999",
    private=("张", "王五", "李主播", "1380000", "#enc", "辽宁"),
    fakes=FakeDoudian,
    order_id=lambda number: str(4781320682406083641 + number),
    first={
        "amount_minor": 19900, "author": "58841646784", "room": "7312345678901234567",
        "product": "3456789012345678901", "buyer": "1@#b",
    },
    refund_id=lambda number: f"14000000000000000{number}",
    refund_minor=4000,
)  # fmt: skip

KWAIXIAODIAN = Platform(
    KwaixiaodianApi(),
    App(
        "kuaishou-main", "kwaixiaodian", "ks7055555555", (KUAISHOU_KEY,), app_secrets=(b"the app secret",),
        sign_secrets=(SIGN_SECRET,),
    ),
    Kwaixiaodian(name="ks", app="kuaishou-main"),
    shop="2277777",
    stranger="999",
    private=("张", "李四", "王五", "辽宁", "##enc"),
    fakes=lambda key, secret, clock, book: FakeKwaixiaodian(key, secret, clock, book, SIGN_SECRET),
    order_id=lambda number: str(9007199254740993001 + number),
    first={"amount_minor": 1200, "product": "21000000000000001", "buyer": "f1buyer", "units": 2},
    refund_id=lambda number: str(2401150000001 + number),
    refund_minor=600,
    step=timedelta(milliseconds=1),
)  # fmt: skip

XIAOHONGSHU_SHOP = Platform(
    XiaohongshuApi(),
    App("xhs-main", "xiaohongshu", XIAOHONGSHU.key, (OLD,)),
    XiaohongshuPush(name="xhs", app="xhs-main", enabled=True, amounts_in="fen"),
    shop="5f1b2c3d4e5f6a7b8c9d0e1f",
    stranger="6" * 24,
    private=("张三", "王五", "赵六", "1380000", "辽宁"),
    fakes=FakeXiaohongshu,
    order_id=lambda number: f"P{712345678901234567 + number}",
    first={"amount_minor": 9900, "product": "s1", "units": 2},
    refund_id=lambda number: f"R{number}",
    refund_minor=4950,
)

WECHAT_SHOP = Platform(
    WechatApi(),
    App("wechat-main", "wechat", WECHAT.key, (WECHAT_KEY,), WECHAT_TOKEN, app_secrets=(b"the component's AppSecret",)),
    WechatShop(name="wx", app="wechat-main"),
    shop="gh_1234567890ab",
    stranger="gh_other",
    private=("王小贝", "1331234", "解放路", "王五", "李主播"),
    fakes=FakeWechat,
    order_id=lambda number: str(3705115058471208928 + number),
    first={"amount_minor": 25900, "room": "sphA", "product": "10000000001", "buyer": "oBuyer"},
    refund_id=lambda number: str(2000000012345678901 + number),
    refund_minor=5900,
)

TAOBAO = Platform(
    TaobaoApi(),
    App("taobao-main", "taobao", "12345678", (b"helloworld",)),
    TaobaoTmc(name="tb", app="taobao-main"),
    shop="2200000000001",
    stranger="999",
    private=("王小贝", "1331234", "解放路", "王五", "t**"),
    fakes=FakeTaobao,
    order_id=lambda number: str(3512345678901234567 + 10 * number),
    first={"amount_minor": 13550, "product": "678901234567", "buyer": "AAExyz"},
    refund_id=lambda number: str(98765432109876500 + number),
    refund_minor=4000,
)

PINDUODUO = Platform(
    PinduoduoApi(),
    App("pdd-main", "pinduoduo", "1", (b"testSecret",)),
    PinduoduoPmc(name="pdd", app="pdd-main"),
    shop="9007199254740993",
    stranger="999",
    private=("王小贝", "1331234", "解放路", "王五"),
    fakes=FakePinduoduo,
    order_id=lambda number: f"261124-{123456789012345 + number}",
    first={"amount_minor": 2479, "product": "9007199254740993"},
    refund_id=lambda number: str(5000000000 + number),
    refund_minor=1000,
)

TIKTOK_SHOP = Platform(
    TiktokShopApi(),
    App("tiktok-main", "tiktok_shop", "68xu9ks5p4i8", (OLD,), service_id="7201"),
    TiktokShop(name="tts", app="tiktok-main"),
    shop="7494049642642441621",
    stranger="7494049642642441622",
    private=("张", "王五", "138-000", "Baker", "example.com"),
    fakes=FakeTiktokShop,
    order_id=lambda number: str(576486316948490000 + number),
    first={
        "amount_minor": 2249, "product": "1729382256910270001", "title": "Rice 5kg", "units": 3,
        "buyer": "7494560109732334093",
    },
)  # fmt: skip

JD = Platform(
    JdApi(),
    App("jd-main", "jd", "A2B5AF66DEF5176F5F39239584E3DA27", (OLD,)),
    JdOrders(name="jd", app="jd-main"),
    shop="10622317",
    stranger="999",
    private=("张", "zhangsan", "王五", "1380000", "辽宁"),
    fakes=FakeJd,
    order_id=lambda number: str(249786309000 + number),
    first={
        "amount_minor": 19900, "product": "10054887745652", "title": "沐浴手套", "units": 2, "buyer": "oBuyer1",
    },
    names_shop=False,
)  # fmt: skip

EVERY = (DOUDIAN, KWAIXIAODIAN, XIAOHONGSHU_SHOP, WECHAT_SHOP, TAOBAO, PINDUODUO, TIKTOK_SHOP, JD)
