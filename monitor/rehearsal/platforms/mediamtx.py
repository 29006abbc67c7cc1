"""MediaMTX in a hall: the list of paths of its control API, in pages."""

import uuid
from collections.abc import Mapping
from math import ceil
from typing import ClassVar
from urllib.parse import parse_qs

import msgspec

from ..scene import Settings
from .hall import Look, View
from .page_server import Answer, Asked
from .stream import Counting, Stream

LIST = "/v3/paths/list"
ROWS = 100  # of a page that is asked for without a number
READERS = ("hlsSession", "rtmpConn", "webRTCSession")
VIEWERS_MAX = 10_000  # of one room
SPREAD = 0x9E3779B97F4A7C15F39CC0605CEDC835  # odd: no two numbers become one id
TRACKS = [{"codec": "H264", "codecProps": {"width": 720, "height": 1280}}]


class Mediamtx:
    """As its API's description and its source say (nobody ran one): a path is there while it is published, and its
    readers go with it; each publisher counts from 0. One reader of each path is the server's own recorder."""

    KIND: ClassVar[str] = "mediamtx"
    PATH: ClassVar[str] = ""
    SERVES: ClassVar[str] = "mediamtx"
    CONTENT_TYPE: ClassVar[str] = "application/json; charset=utf-8"
    COUNTING: ClassVar[Counting] = Counting()

    def __init__(self, hall: str, secret: bytes) -> None:
        pass

    def settings(self, name: str) -> Settings:
        return Settings("")

    def answer(self, asked: Asked, view: View) -> Answer | None:
        if (asked.method, asked.path) != ("GET", LIST):
            return None
        told = {name: int(value) for name, [value, *_] in parse_qs(asked.query).items()}
        page, rows = told.get("page", 0), told.get("itemsPerPage", ROWS)
        look = view.last() if page else view.now()
        there = sorted(
            (stream for stream in look.streams if stream.room.publishing), key=lambda stream: stream.room.part.room
        )
        items = [item(stream, look) for stream in there[page * rows : (page + 1) * rows]]
        body = {"itemCount": len(there), "pageCount": max(1, ceil(len(there) / rows)), "items": items}
        return Answer(msgspec.json.encode(body), look.viewers if len(items) < rows else None)


def item(stream: Stream, look: Look) -> Mapping[str, object]:
    room, received = stream.room, stream.received
    since = f"{look.since_at(stream):%Y-%m-%dT%H:%M:%SZ}"
    readers = [
        {"type": READERS[number % 3], "id": name(2 * (room.part.number * VIEWERS_MAX + number))}
        for number in range(room.viewers)
    ]
    return {
        "name": room.part.room, "confName": "all_others", "available": True, "availableTime": since, "online": True,
        "onlineTime": since, "source": {"type": "rtmpConn", "id": name(2 * room.connection + 1)}, "tracks2": TRACKS,
        "inboundBytes": received, "inboundFramesInError": 0, "outboundBytes": received * room.viewers,
        "readers": [*readers, {"type": "hidden", "id": ""}],
    }  # fmt: skip


def name(number: int) -> str:
    """As the server names what is connected."""
    return str(uuid.UUID(int=number * SPREAD % 2**128))
