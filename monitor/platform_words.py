"""What people call the platforms, in messages, on boards and in the report."""

from typing import Literal

type Language = Literal["zh", "en"]

# Servers of a hall: that they are our own matters to all, which program it is to whoever repairs it.
OWN_SERVERS = {
    "nginx_rtmp": "nginx-rtmp",
    "srs": "SRS",
    "node_media_server": "Node-Media-Server",
    "zlmediakit": "ZLMediaKit",
    "icecast": "Icecast",
    "mediamtx": "MediaMTX",
    "hls": "HLS",
}
PLATFORMS: dict[str, dict[Language, str]] = {
    "wechat": {"zh": "视频号", "en": "WeChat"},
    "doudian": {"zh": "抖音", "en": "Douyin"},
    "douyin": {"zh": "抖音", "en": "Douyin"},
    "kwaixiaodian": {"zh": "快手", "en": "Kuaishou"},
    "kuaishou": {"zh": "快手", "en": "Kuaishou"},
    "taobao": {"zh": "淘宝", "en": "Taobao"},
    "pinduoduo": {"zh": "拼多多", "en": "Pinduoduo"},
    "jd": {"zh": "京东", "en": "JD"},
    "xiaohongshu": {"zh": "小红书", "en": "Xiaohongshu"},
    "bilibili": {"zh": "哔哩哔哩", "en": "Bilibili"},
    "tiktok_shop": {"zh": "TikTok", "en": "TikTok"},
    "twitch": {"zh": "Twitch", "en": "Twitch"},
    "youtube": {"zh": "YouTube", "en": "YouTube"},
    "tencent_live": {"zh": "腾讯云直播", "en": "Tencent Cloud Live"},
    "aliyun_live": {"zh": "阿里云直播", "en": "Alibaba Cloud Live"},
    "volcengine_live": {"zh": "火山引擎直播", "en": "Volcengine Live"},
    "shopify": {"zh": "Shopify 店铺", "en": "Shopify"},
    "stripe": {"zh": "Stripe 收款", "en": "Stripe"},
    "push_json": {"zh": "自有推送", "en": "own push"},
    "http_json": {"zh": "JSON 接口", "en": "JSON poll"},
    "ws_json": {"zh": "JSON 推送", "en": "JSON socket"},
    **{name: {"zh": f"自建 {program}", "en": f"own {program}"} for name, program in OWN_SERVERS.items()},
}


def platform_name(platform: str, language: Language) -> str:
    """A platform without a name is called as it is configured."""
    return PLATFORMS.get(platform, {}).get(language, platform)
