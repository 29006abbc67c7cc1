"""What people call the platforms, in messages, on boards and in the report."""

from typing import Literal

type Language = Literal["zh", "en"]

# Servers of a hall: that they are our own matters to all, which program it is to whoever repairs it.
OWN_SERVERS = ("nginx_rtmp", "srs", "node_media_server", "zlmediakit", "icecast", "mediamtx", "hls")
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
    **{name: {"zh": f"自建 {name}", "en": f"own {name}"} for name in OWN_SERVERS},
}


def platform_name(platform: str, language: Language) -> str:
    """A platform without a name is called as it is configured."""
    return PLATFORMS.get(platform, {}).get(language, platform)
