"""ZLMediaKit in a hall: getMediaList, in which each stream is listed once for each protocol."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

import msgspec

from ..event.play import RoomNow
from ..scene import Settings
from .hall import Look, View
from .page_server import Answer, Asked
from .stream import Counting, Stream

LIST = "/index/api/getMediaList"
SCHEMAS = {"rtmp": 1.0, "rtsp": 0.97, "hls": 1.02}  # with the bytes that each makes of one that came
AVERAGED_S = 1.0
WRONG_SECRET = {"code": -100, "msg": "Incorrect secret"}
MORE = 'secret_file = "secrets/{name}"\n'


class Zlmediakit:
    """As its documents and its source say (nobody ran one): a stream whose publisher has gone stays listed for
    `continue_push_ms`, 15 s, without an origin, and then is not, whoever may be waiting."""

    KIND: ClassVar[str] = "zlmediakit"
    PATH: ClassVar[str] = ""
    SERVES: ClassVar[str] = "ZLMediaKit"
    CONTENT_TYPE: ClassVar[str] = "application/json; charset=utf-8"
    COUNTING: ClassVar[Counting] = Counting(keeps_s=15.0)

    def __init__(self, hall: str, secret: bytes) -> None:
        self.secret = secret

    def settings(self, name: str) -> Settings:
        return Settings(MORE.format(name=name), {name: self.secret})

    def answer(self, asked: Asked, view: View) -> Answer | None:
        if (asked.method, asked.path) != ("POST", LIST):
            return None
        if msgspec.json.decode(asked.body) != {"secret": self.secret.decode()}:
            return Answer(msgspec.json.encode(WRONG_SECRET))
        look = view.now()
        rows = [row for stream in look.streams for row in rows_of(stream, look)]
        return Answer(msgspec.json.encode({"code": 0, "data": rows} if rows else {"code": 0}), look.viewers)


def rows_of(stream: Stream, look: Look) -> Iterator[Mapping[str, object]]:
    room = stream.room
    if room.away_s >= Zlmediakit.COUNTING.keeps_s:
        return
    for place, (schema, share) in enumerate(SCHEMAS.items()):
        yield {
            "app": stream.app, "stream": stream.name, "vhost": "__defaultVhost__", "schema": schema,
            "readerCount": (room.viewers + 2 - place) // 3, "totalReaderCount": room.viewers,
            "originType": int(room.publishing), "originTypeStr": "rtmp_push" if room.publishing else "unknown",
            "originUrl": f"rtmp://127.0.0.1:1935/{room.part.room}",
            "originSock": socket(room) if room.publishing else None,
            "createStamp": int(look.since_at(stream).timestamp()), "aliveSecond": int(look.clock_s - stream.since_s),
            "bytesSpeed": round(stream.rate(AVERAGED_S) * share) if room.publishing else 0,
            "totalBytes": round(stream.received * share),
            "tracks": [{"codec_id": 0, "codec_id_name": "CodecH264", "codec_type": 0, "ready": True}],
        }  # fmt: skip


def socket(room: RoomNow) -> Mapping[str, object]:
    """The publisher's connection."""
    return {
        "identifier": str(140_000_000_000_000 + room.connection), "local_ip": "127.0.0.1", "local_port": 1935,
        "peer_ip": f"10.{room.part.number % 250}.0.1", "peer_port": 50_097,
    }  # fmt: skip
