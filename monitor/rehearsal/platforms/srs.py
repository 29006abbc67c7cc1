"""SRS in a hall: the streams and the clients of its HTTP API, in pages."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import ClassVar
from urllib.parse import parse_qs

import msgspec

from ..manners import MEASURES
from ..scene import Settings
from .hall import Look, View
from .page_server import Answer, Asked
from .stream import Counting, Stream, word

ROWS_MIN = 10  # a page has no fewer, and so many where it is not asked for more
AVERAGED_S, FRAMES_FROM_S, FRAMES_S = 30.0, 20.0, 7.0  # rates are told each half minute; frames late, and seldom
PLAYERS = (  # their type, the address that they called, what they add to the name of the stream
    ("rtmp-play", "rtmp://127.0.0.1:1935/live", ""),
    ("flv-play", "http://127.0.0.1:1935/live", ".flv"),
    ("hls-play", "http://127.0.0.1/live", ".m3u8"),
)
VIDEO = {"codec": "H264", "profile": "High", "level": "3.1", "width": 720, "height": 1280}
AUDIO = {"codec": "AAC", "sample_rate": 44100, "channel": 2, "profile": "LC"}
VHOST, VHOST_NAME = "vid-1464389", "__defaultVhost__"
VIEWERS_MAX = 10_000  # of one room
PLAYERS_FROM = 10**11  # numbers of players begin behind those of all publishers


class Srs:
    """As SRS 7.0.18 answers: ids in the order of their letters, bytes every 3 s, a row of its own for each publisher
    unless players waited for him. (A page that is asked for without the slash at its end is left out.)"""

    KIND: ClassVar[str] = "srs"
    PATH: ClassVar[str] = ""
    SERVES: ClassVar[str] = "SRS/7.0.18(Kai)"
    CONTENT_TYPE: ClassVar[str] = "application/json"
    COUNTING: ClassVar[Counting] = Counting(steps_s=MEASURES["srs"].steps_s, waits=True)

    def __init__(self, hall: str, secret: bytes) -> None:
        server, service = process_of(hall)
        self.process = {"code": 0, "server": server, "service": service, "pid": "1850"}
        self._clients: tuple[Look | None, Sequence[Mapping[str, object]]] = None, ()

    def settings(self, name: str) -> Settings:
        return Settings("")

    def answer(self, asked: Asked, view: View) -> Answer | None:
        if (asked.method, asked.path) == ("GET", "/api/v1/streams/"):
            start, count = page_of(asked.query)
            return Answer(self.page("streams", streams(view.last() if start else view.now()), start, count))
        if (asked.method, asked.path) == ("GET", "/api/v1/clients/"):
            start, count = page_of(asked.query)
            look = view.last()
            if self._clients[0] is not look:
                self._clients = look, clients(look)
            rows = self._clients[1]
            last = start + count > len(rows)  # a page that is full may have another one behind it
            return Answer(self.page("clients", rows, start, count), look.viewers if last else None)
        return None

    def page(self, what: str, rows: Iterable[Mapping[str, object]], start: int, count: int) -> bytes:
        return msgspec.json.encode(self.process | {what: list(islice(rows, start, start + count))})


def page_of(query: str) -> tuple[int, int]:
    """Where a page begins, and how many rows it has at most."""
    told = {name: int(value) for name, [value, *_] in parse_qs(query).items()}
    return told.get("start", 0), max(ROWS_MIN, told.get("count", ROWS_MIN))


def listed(look: Look) -> Sequence[tuple[str, Stream]]:
    """The streams that somebody publishes or waits for, with their ids."""
    rows = [it for it in look.streams if it.room.on_air and (it.room.publishing or it.room.viewers)]
    return sorted(((row_id(stream), stream) for stream in rows), key=lambda row: row[0])


def row_id(stream: Stream) -> str:
    return f"vid-{word(stream.first, 7)}"


def process_of(hall: str) -> tuple[str, str]:
    """The server's id, and the random word of its process."""
    return f"vid-{word(ord(hall[0]), 7)}", word(ord(hall[0]) + 1, 8)


def streams(look: Look) -> Iterator[Mapping[str, object]]:
    for row_id, stream in listed(look):
        room, received = stream.room, stream.received
        kbps = room.kbps if room.connected_s >= AVERAGED_S else 0
        frames = (room.connected_s - FRAMES_FROM_S) // FRAMES_S * FRAMES_S if room.connected_s >= FRAMES_FROM_S else 0
        yield {
            "id": row_id, "name": stream.name, "vhost": VHOST, "app": stream.app,
            "tcUrl": f"rtmp://127.0.0.1:1935/{stream.app}", "url": f"/{room.part.room}",
            "live_ms": round(look.at.timestamp() * 1000), "clients": room.viewers + room.publishing,
            "frames": int(min(frames, stream.counted_s) * 30), "send_bytes": received * room.viewers,
            "recv_bytes": received, "kbps": {"recv_30s": kbps, "send_30s": kbps * room.viewers},
            "publish": {"active": True, "cid": word(room.connection, 8)} if room.publishing else {"active": False},
            "video": VIDEO if room.publishing else None, "audio": AUDIO if room.publishing else None,
        }  # fmt: skip


def clients(look: Look) -> Sequence[Mapping[str, object]]:
    found = (row for row_id, stream in listed(look) for row in of_stream(row_id, stream))
    return sorted(found, key=lambda row: str(row["id"]))


def of_stream(row_id: str, stream: Stream) -> Iterator[Mapping[str, object]]:
    """The clients of one stream: its publisher, and who plays."""
    room = stream.room
    for number in range(0 if room.publishing else 1, room.viewers + 1):
        kind, address, more = PLAYERS[number % 3] if number else ("fmle-publish", PLAYERS[0][1], "")
        sent, came = (stream.received, 3_473) if number else (4_384, stream.received)
        yield {
            "id": word(PLAYERS_FROM + room.part.number * VIEWERS_MAX + number if number else room.connection, 8),
            "vhost": VHOST, "stream": row_id, "ip": f"10.{room.part.number % 250}.{number // 250}.{number % 250 + 1}",
            "pageUrl": "", "swfUrl": "", "tcUrl": address, "url": f"/{room.part.room}", "name": stream.name + more,
            "type": kind, "publish": not number, "alive": round(max(0.0, room.connected_s - number / 10), 2),
            "send_bytes": sent, "recv_bytes": came, "kbps": {"recv_30s": 0, "send_30s": 0},
        }  # fmt: skip
