"""How rooms of a play are told of, by the names of feeds: how often, and what that can show of a stream and its end."""

import msgspec

# What cannot be seen of a platform's rooms, whoever tells of them: whether somebody signed off or dropped.
TELL_NO_END = frozenset({"nginx_rtmp", "wechat", "twitch"})
# Whose rooms are one broadcast each: the next one of the same channel has another id.
OF_ONE_BROADCAST = frozenset({"youtube"})


class Manner(msgspec.Struct, frozen=True):
    """One way to tell of rooms. `called` is its name in the report; a feed of `one_room` is `prefix-PLATFORM:ROOM`.

    `asked`: its frames are answers, and their ticks are as of when the question left. `whole`: an answer tells of all
    its rooms, and each that failed is in the truth. `shows_drops`: a stream that breaks off is seen to be gone.
    `keeps_state`: how a room stands is told again, so that what nobody heard is found out later. `blinds`: who tells in
    this way can be blind; whoever calls us is silent by nature. `back_s`: so long all stay blind after one is back.
    `measures`: it shows whether the picture moves.
    """

    called: str
    asked: bool = False
    whole: bool = False
    one_room: bool = False
    shows_drops: bool = True
    keeps_state: bool = True
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
}

# Seconds of the world between two words about a room, where that is not the comparison's to be told.
EVERY_S = {
    "live-wechat": 30.0, "live-twitch": 5.0, "kept-youtube": 10.0, "heard-bilibili": 35.0, "list-taobao": 10.0,
    "socket-xiaohongshu": 10.0, "count-kwaixiaodian": 20.0, "hls-j": 4.0,
}  # fmt: skip

# What serves a hall; all others have nginx-rtmp.
SERVERS = {
    "E": "srs", "F": "node_media_server", "G": "zlmediakit", "H": "mediamtx", "I": "icecast", "J": "hls",
}  # fmt: skip


class Measure(msgspec.Struct, frozen=True):
    """How a server shows that an encoder froze: its bytes, which move every `steps_s` while it does not, have stood
    still for `stall_s`. Seconds of the world.

    `delay_s`: whatever happens is known so late, and no sooner is it known how a room stands that was not seen.
    """

    stall_s: float = 10.0
    steps_s: float = 0.0
    delay_s: float = 0.0


MEASURES = {
    "srs": Measure(steps_s=3.0), "zlmediakit": Measure(stall_s=15.0), "mediamtx": Measure(stall_s=15.0),
    "icecast": Measure(steps_s=5.0),
    # A list of segments of 4 s stands still when two have not come, and is live when two have, each seen 4 s late.
    "hls": Measure(stall_s=1.0, delay_s=12.0),
}  # fmt: skip


def server_of(hall: str) -> str:
    """The kind of its server."""
    return SERVERS.get(hall, "nginx_rtmp")


def hall_feed(hall: str, room: str = "") -> str:
    """What its feed is called, in the truth with its room where rooms are told of one by one."""
    return feed_name("hls" if server_of(hall) == "hls" else "hall", hall.lower(), room)


def measure(feed: str) -> Measure:
    """That of the hall of this feed; of others the usual one."""
    way, _, hall = feed.partition(":")[0].partition("-")
    return MEASURES.get(server_of(hall.upper()), Measure()) if way in ("hall", "hls") else Measure()


def manner(feed: str) -> Manner:
    return MANNERS[feed.partition("-")[0]]


def feed_name(way: str, platform: str, room: str = "") -> str:
    """What a feed is called in the truth; without its room, what livemon calls it."""
    return f"{way}-{platform}:{room}" if room and MANNERS[way].one_room else f"{way}-{platform}"
