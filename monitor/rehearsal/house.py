"""All platforms of a play: which of them it needs, and who is told of which order."""

from collections.abc import Callable, Collection, Iterable

from .event.cast import OWN
from .event.order import Happened
from .manners import server_of
from .platforms.bilibili import Bilibili
from .platforms.call_words import NginxRtmpCalls, NodeMediaServerCalls, SrsCalls, ZlmediakitCalls
from .platforms.calls import Words
from .platforms.cloud import Cloud
from .platforms.cloud_words import AliyunCalls, TencentCalls, VolcengineCalls
from .platforms.console import Console
from .platforms.data_service import DataService
from .platforms.doudian import Doudian
from .platforms.hall import Hall, Server
from .platforms.hls import Packager
from .platforms.icecast import Icecast
from .platforms.jd import Jd
from .platforms.kwaixiaodian import Kwaixiaodian
from .platforms.mediamtx import Mediamtx
from .platforms.nginx_rtmp import NginxRtmp
from .platforms.node_media_server import NodeMediaServer
from .platforms.own_shop import OwnShop
from .platforms.pinduoduo import Pinduoduo
from .platforms.relay import Relay
from .platforms.shopify import Shopify
from .platforms.srs import Srs
from .platforms.stripe import Stripe
from .platforms.taobao import Taobao
from .platforms.tiktok_shop import TiktokShop
from .platforms.twitch import Twitch
from .platforms.wechat import Wechat
from .platforms.xiaohongshu import Xiaohongshu
from .platforms.youtube import Youtube
from .platforms.zlmediakit import Zlmediakit
from .scene import Platform, Scene

# A new platform that takes orders is added here; one that SHOWS its rooms replaces their relay.
SELLERS = (
    OwnShop, Shopify, Stripe, Doudian, Kwaixiaodian, Wechat, Taobao, Pinduoduo, Xiaohongshu, TiktokShop, Jd,
)  # fmt: skip
# Whose rooms something else than a relay tells of, where no seller SHOWS them.
SHOWN_BY: dict[str, Callable[[Scene], Platform]] = {
    "bilibili": Bilibili, "twitch": Twitch, "youtube": Youtube,
    "taobao": lambda scene: Console(scene, "taobao"), "xiaohongshu": lambda scene: DataService(scene, "xiaohongshu"),
}  # fmt: skip
# What halls are served by; each is given the hall's letter and a secret of its own.
SERVERS: dict[str, type[Server]] = {
    kind.KIND: kind for kind in (NginxRtmp, Srs, NodeMediaServer, Zlmediakit, Mediamtx, Icecast)
}
CALLS: dict[str, Words] = {
    "nginx_rtmp": NginxRtmpCalls(), "srs": SrsCalls(), "node_media_server": NodeMediaServerCalls(),
    "zlmediakit": ZlmediakitCalls(),
}  # fmt: skip
CLOUD_CALLS: dict[str, Words] = {words.KIND: words for words in (TencentCalls(), AliyunCalls(), VolcengineCalls())}
# Halls whose servers call, too. What they call is told from an answer by the number of rooms: one with one never calls.
CALLING = "DEFG"


class House:
    """The platforms that this cast plays on."""

    def __init__(self, scene: Scene) -> None:
        kinds = {part.sells_on for part in scene.play.parts}
        self.sellers: dict[str, Platform] = {kind.SELLS_ON: kind(scene) for kind in SELLERS if kind.SELLS_ON in kinds}
        assert kinds == set(self.sellers), kinds  # noqa: S101 - orders without a platform would be lost
        showing = {platform.SHOWS for platform in self.sellers.values()}
        self.platforms = [*shown(scene, showing), *self.sellers.values()]

    def happened(self, events: Iterable[Happened]) -> None:
        """Each event to the platform that it happened on."""
        for event in events:
            self.sellers[event.order.part.sells_on].happened(event)

    def waiting(self) -> int:
        """Deliveries that livemon has not taken yet."""
        return sum(platform.waiting() for platform in self.platforms)


def shown(scene: Scene, showing: Collection[str]) -> Iterable[Platform]:
    """Who tells which rooms are on air: each hall's server or cloud, and for each hosted platform, but those that show
    their rooms themselves (`showing`), what shows them, or else a relay."""
    for hall in sorted({part.hall for part in scene.play.parts if part.platform == OWN}):
        yield own_server(scene, hall)
    for platform in sorted({part.platform for part in scene.play.parts} - {OWN, *showing}):
        yield SHOWN_BY[platform](scene) if platform in SHOWN_BY else Relay(scene, platform)


def own_server(scene: Scene, hall: str) -> Platform:
    """What serves the rooms of a hall, or the cloud that they push to."""
    kind, parts = server_of(hall), [part for part in scene.play.parts if (part.platform, part.hall) == (OWN, hall)]
    if kind == "hls":
        return Packager(scene, hall)
    if kind in CLOUD_CALLS:
        return Cloud(scene, hall, CLOUD_CALLS[kind])
    words = CALLS[kind] if hall in CALLING and len(parts) > 1 else None
    return Hall(scene, hall, SERVERS[kind](hall, scene.secret(f"hall {hall}")), words)
