"""Every kind of feed there is. A new one adds its import and its name to `Feed`, nothing else."""

from typing import get_args

from .collector import FeedRow
from .orders.doudian import Doudian
from .orders.jd_orders import JdOrders
from .orders.kwaixiaodian import Kwaixiaodian
from .orders.pinduoduo_pmc import PinduoduoPmc
from .orders.push_json import PushJson
from .orders.shopify import Shopify
from .orders.stripe import Stripe
from .orders.taobao_tmc import TaobaoTmc
from .orders.tiktok_shop import TiktokShop
from .orders.wechat_shop import WechatShop
from .orders.xiaohongshu_orders import XiaohongshuOrders
from .orders.xiaohongshu_push import XiaohongshuPush
from .platforms.aliyun_live import AliyunLive
from .platforms.bilibili_oauth import BilibiliOauth
from .platforms.bilibili_open import BilibiliOpen
from .platforms.http_json import HttpJson
from .platforms.kwaixiaodian_uv import KwaixiaodianUv
from .platforms.tencent_live import TencentLive
from .platforms.twitch import Twitch
from .platforms.twitch_eventsub import TwitchEventsub
from .platforms.volcengine_live import VolcengineLive
from .platforms.wechat_live import WechatLive
from .platforms.ws_json import WsJson
from .platforms.youtube import Youtube
from .servers.hls import Hls
from .servers.icecast import Icecast
from .servers.mediamtx import Mediamtx
from .servers.nginx_rtmp import NginxRtmp
from .servers.nginx_rtmp_hooks import NginxRtmpHooks
from .servers.node_media_server import NodeMediaServer
from .servers.node_media_server_hooks import NodeMediaServerHooks
from .servers.srs import Srs
from .servers.srs_hooks import SrsHooks
from .servers.zlmediakit import Zlmediakit
from .servers.zlmediakit_hooks import ZlmediakitHooks

Feed = (
    NginxRtmp | PushJson | Doudian | Kwaixiaodian | WechatShop | XiaohongshuPush | Shopify | Stripe | TiktokShop
    | TaobaoTmc | PinduoduoPmc | JdOrders | XiaohongshuOrders | HttpJson | WsJson | WechatLive | KwaixiaodianUv
    | BilibiliOpen | BilibiliOauth | Twitch | TwitchEventsub | Youtube
    | Srs | NodeMediaServer | Zlmediakit | Icecast | Mediamtx | Hls
    | NginxRtmpHooks | SrsHooks | ZlmediakitHooks | NodeMediaServerHooks | TencentLive | AliyunLive | VolcengineLive
)  # fmt: skip

KINDS: tuple[type[FeedRow], ...] = get_args(Feed)
