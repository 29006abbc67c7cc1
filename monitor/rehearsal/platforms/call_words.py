"""What own servers write when they call: byte for byte in the form of the real ones' calls. Pure."""

import json
from datetime import datetime
from functools import partial
from typing import ClassVar
from urllib.parse import quote

from ..deliveries import Made
from .calls import Habit
from .nginx_rtmp_page import ENCODER
from .node_media_server import publisher_id
from .srs import VHOST_NAME, process_of, row_id
from .stream import Stream, word
from .zlmediakit import socket


def plain(content_type: str, told: bytes, secret: bytes, at: datetime) -> Made:
    """As it is: own servers sign nothing."""
    return {"Content-Type": content_type}, told


class NginxRtmpCalls:
    """on_publish and on_publish_done, at once."""

    KIND: ClassVar[str] = "nginx_rtmp_hooks"
    HABIT: ClassVar[Habit] = Habit(partial(plain, "application/x-www-form-urlencoded"))

    def told(self, stream: Stream, live: bool, since_at: datetime, at: datetime) -> bytes:
        call, more = ("publish", "&type=live") if live else ("publish_done", "")
        encoder = quote(ENCODER, safe="/():,")  # as nginx escapes it
        text = (
            f"app={stream.app}&flashver={encoder}&swfurl=&tcurl=rtmp://127.0.0.1:1935/{stream.app}&pageurl="
            f"&addr=127.0.0.1&clientid={stream.room.connection}&call={call}&name={stream.name}{more}"
        )
        return text.encode()


class SrsCalls:
    """on_publish and on_unpublish, at once."""

    KIND: ClassVar[str] = "srs_hooks"
    HABIT: ClassVar[Habit] = Habit(partial(plain, "application/json"))

    def told(self, stream: Stream, live: bool, since_at: datetime, at: datetime) -> bytes:
        server, service = process_of(stream.room.part.hall)
        told = {
            "server_id": server, "service_id": service, "action": "on_publish" if live else "on_unpublish",
            "client_id": word(stream.room.connection, 8), "ip": "127.0.0.1", "vhost": VHOST_NAME, "app": stream.app,
            "tcUrl": f"rtmp://127.0.0.1:1935/{stream.app}", "stream": stream.name, "param": "",
            "stream_url": f"/{stream.room.part.room}", "stream_id": row_id(stream),
        }  # fmt: skip
        return written(told)


class NodeMediaServerCalls:
    """postPublish at once, also of who is back within half a minute; donePublish when nobody is, with when he went."""

    KIND: ClassVar[str] = "node_media_server_hooks"
    HABIT: ClassVar[Habit] = Habit(partial(plain, "text/plain;charset=UTF-8"), gives_up_s=30.0, stamped="ends")

    def told(self, stream: Stream, live: bool, since_at: datetime, at: datetime) -> bytes:
        told = {
            "id": publisher_id(stream.room), "ip": f"10.{stream.room.part.number % 250}.0.1:50948", "app": stream.app,
            "name": stream.name, "query": {}, "protocol": "rtmp", "createtime": unix_ms(since_at),
            "endtime": 0 if live else unix_ms(at), "inbytes": stream.received, "outbytes": 0, "filePath": "",
            "action": "postPublish" if live else "donePublish",
        }  # fmt: skip
        return written(told)


class ZlmediakitCalls:
    """on_stream_changed of the stream as RTMP: that it is there, and 15 s after its publisher went that it is not. Of
    one who is back by then it says nothing."""

    KIND: ClassVar[str] = "zlmediakit_hooks"
    HABIT: ClassVar[Habit] = Habit(partial(plain, "application/json"), gives_up_s=15.0, tells_back=False)

    def told(self, stream: Stream, live: bool, since_at: datetime, at: datetime) -> bytes:
        told: dict[str, object] = {
            "app": stream.app, "mediaServerId": "your_server_id", "regist": live, "schema": "rtmp",
            "stream": stream.name, "vhost": "__defaultVhost__",
        }  # fmt: skip
        if live:
            told |= {
                "aliveSecond": 0, "bytesSpeed": 0, "createStamp": int(since_at.timestamp()),
                "originSock": socket(stream.room), "originType": 1, "originTypeStr": "rtmp_push",
                "originUrl": f"rtmp://__defaultVhost__/{stream.room.part.room}", "readerCount": 0,
                "totalReaderCount": 0,
            }  # fmt: skip
        return written(told)


def written(told: object) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def unix_ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
