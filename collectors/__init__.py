"""Every kind of feed there is. A new one adds its import and its name to `Feed`, nothing else."""

from typing import get_args

from .collector import FeedRow
from .orders.doudian import Doudian
from .orders.kwaixiaodian import Kwaixiaodian
from .orders.wechat_shop import WechatShop
from .orders.xiaohongshu_push import XiaohongshuPush
from .servers.nginx_rtmp import NginxRtmp

Feed = NginxRtmp | Doudian | Kwaixiaodian | WechatShop | XiaohongshuPush

KINDS: tuple[type[FeedRow], ...] = get_args(Feed)
