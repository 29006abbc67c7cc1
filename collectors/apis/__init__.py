"""Every platform whose open API we know. A new one adds its import and its name to `KNOWN`, nothing else."""

from ..open_api import OpenApi
from .bilibili import BilibiliApi
from .doudian import DoudianApi
from .jd import JdApi
from .kwaixiaodian import KwaixiaodianApi
from .pinduoduo import PinduoduoApi
from .taobao import TaobaoApi
from .tiktok_shop import TiktokShopApi
from .twitch import TwitchApi
from .wechat import WechatApi
from .xiaohongshu import XiaohongshuApi
from .youtube import YoutubeApi

KNOWN: tuple[OpenApi, ...] = (
    BilibiliApi(),
    DoudianApi(),
    JdApi(),
    KwaixiaodianApi(),
    PinduoduoApi(),
    TaobaoApi(),
    TiktokShopApi(),
    TwitchApi(),
    WechatApi(),
    XiaohongshuApi(),
    YoutubeApi(),
)

APIS: dict[str, OpenApi] = {api.PLATFORM: api for api in KNOWN}
