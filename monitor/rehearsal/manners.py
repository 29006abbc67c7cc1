"""How rooms of a play are told of, by the names of feeds: how often, and what that can show of a stream and its end."""

from math import inf

import msgspec

from .event.cast import OWN

# What cannot be seen of a hosted platform's rooms, whoever tells of them: whether somebody signed off or dropped.
TELL_NO_END = frozenset({"wechat", "twitch"})
# Whose rooms are one broadcast each: the next one of the same channel has another id.
OF_ONE_BROADCAST = frozenset({"youtube"})


class Manner(msgspec.Struct, frozen=True):
    """One way to tell of rooms. `called` is its name in the report; a feed of `one_room` is `prefix-PLATFORM:ROOM`.

    `asked`: its frames are answers, and their ticks are as of when the question left. `whole`: an answer tells of all
    its rooms, and each that failed is in the truth. `shows_drops`: a stream that breaks off is seen to be gone.
    `keeps_state`: how a room stands is told again, so that what nobody heard is found out later. `on_change`: each
    change is told once, with its instant, and again until that was taken or given up: silence says that nothing
    changed, and from what was not taken until the next word nobody knows how the room stands. `blinds`: who tells in
    this way can be blind; whoever calls us is silent by nature. `back_s`: so long all stay blind after one is
    back. `measures`: it shows whether the picture moves.
    """

    called: str
    asked: bool = False
    whole: bool = False
    one_room: bool = False
    shows_drops: bool = True
    keeps_state: bool = True
    on_change: bool = False
    blinds: bool = True
    back_s: float = 0.0
    measures: bool = False


MANNERS: dict[str, Manner] = {
    "hall": Manner("hall", asked=True, whole=True, measures=True),
    "hls": Manner("playlist", asked=True, one_room=True, measures=True),
    "list": Manner("list", asked=True, whole=True),
    "relay": Manner("relay", blinds=False),
    "socket": Manner("socket", asked=True),  # its messages have stamps of their own; how rooms stand is asked, too
    "live": Manner("asked room", asked=True, one_room=True),
    "kept": Manner("kept room", asked=True, one_room=True, shows_drops=False),
    "heard": Manner("heard room", one_room=True, shows_drops=False, keeps_state=False, back_s=45.0),
    # Beside another feed that says how a room stands: who watches, and what its server calls when a publisher comes.
    "count": Manner("counted room", asked=True, one_room=True, blinds=False),
    "call": Manner("called room", one_room=True, blinds=False),
    "cloud": Manner("cloud room", one_room=True, keeps_state=False, on_change=True, blinds=False),
}

# Seconds of the world between two words about a room, where that is not the comparison's to be told.
EVERY_S = {
    "live-wechat": 30.0, "live-twitch": 5.0, "kept-youtube": 10.0, "heard-bilibili": 35.0, "list-taobao": 10.0,
    "socket-xiaohongshu": 10.0, "count-kwaixiaodian": 20.0, "hls-j": 4.0,
    "cloud-k": 1.0, "cloud-l": 1.0, "cloud-m": 1.0,  # their stamps are whole seconds
}  # fmt: skip

# What serves a hall; all others have nginx-rtmp. The last three have no server: their encoders push to a cloud.
SERVERS = {
    "E": "srs", "F": "node_media_server", "G": "zlmediakit", "H": "mediamtx", "I": "icecast", "J": "hls",
    "K": "tencent_live", "L": "aliyun_live", "M": "volcengine_live",
}  # fmt: skip
CLOUDS = frozenset({"tencent_live", "aliyun_live", "volcengine_live"})
# How rooms of a hall are told of, where that is not by its server's pages.
WAYS = {"hls": "hls", **dict.fromkeys(CLOUDS, "cloud")}
OWN_WAYS = frozenset({"hall", *WAYS.values()})
# So long after its last data a push is cut, in seconds of the world: "after a long time" in Tencent's words (267/31083;
# how long is UNVERIFIED), 10 s in Alibaba's (199365). Volcengine's pages say nothing of it, nor do own servers cut any.
CUTS_S = {"tencent_live": 30.0, "aliyun_live": 10.0}


class Measure(msgspec.Struct, frozen=True):
    """How a server shows that an encoder froze: its bytes, which move every `steps_s` while it does not, have stood
    still for `stall_s`. Seconds of the world.

    `delay_s`: whatever happens is known so late, and no sooner is it known how a room stands that was not seen.
    `tells_failure`: of a stream that was cut it is told that this was no sign-off, whatever was planned.
    """

    stall_s: float = 10.0
    steps_s: float = 0.0
    delay_s: float = 0.0
    tells_failure: bool = False


MEASURES = {
    "srs": Measure(steps_s=3.0), "zlmediakit": Measure(stall_s=15.0), "mediamtx": Measure(stall_s=15.0),
    "icecast": Measure(steps_s=5.0),
    # A list of segments of 4 s stands still when two have not come, and is live when two have, each seen 4 s late.
    "hls": Measure(stall_s=1.0, delay_s=12.0),
    "tencent_live": Measure(tells_failure=True), "aliyun_live": Measure(delay_s=2.0),
}  # fmt: skip


def server_of(hall: str) -> str:
    """The kind of its server, or of the cloud that its rooms push to."""
    return SERVERS.get(hall, "nginx_rtmp")


def tells_end(platform: str, hall: str) -> bool:
    """Whether who tells of a room of this platform in this hall says that somebody signed off."""
    return measure(hall_feed(hall)).tells_failure if platform == OWN else platform not in TELL_NO_END


def cut_after_s(platform: str, hall: str) -> float:
    """How long an encoder may be frozen before its connection is cut; infinity: for ever."""
    return CUTS_S.get(server_of(hall), inf) if platform == OWN else inf


def hall_feed(hall: str, room: str = "") -> str:
    """What its feed is called, in the truth with its room where rooms are told of one by one."""
    return feed_name(WAYS.get(server_of(hall), "hall"), hall.lower(), room)


def measure(feed: str) -> Measure:
    """That of the hall of this feed; of others the usual one."""
    way, _, hall = feed.partition(":")[0].partition("-")
    return MEASURES.get(server_of(hall.upper()), Measure()) if way in OWN_WAYS else Measure()


def manner(feed: str) -> Manner:
    return MANNERS[feed.partition("-")[0]]


def feed_name(way: str, platform: str, room: str = "") -> str:
    """What a feed is called in the truth; without its room, what livemon calls it."""
    return f"{way}-{platform}:{room}" if room and MANNERS[way].one_room else f"{way}-{platform}"
