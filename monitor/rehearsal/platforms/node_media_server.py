"""Node-Media-Server in a hall: the login of its API, and its list of streams."""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import ClassVar

import msgspec

from ..event.play import RoomNow
from ..scene import Settings
from .hall import Look, View
from .page_server import Answer, Asked
from .stream import Counting, Stream, word

LOGIN, STREAMS = "/api/v1/login", "/api/v1/streams"
TOKEN_FOR = timedelta(days=1)
AVERAGED_S = 5.0
MORE = 'user = "{user}"\npassword_file = "secrets/{name}"\n'


class NodeMediaServer:
    """As Node-Media-Server 4.4.3 answers: a publisher who has gone is `reconnecting` for half a minute, also one who
    stopped in good order, and who comes back by then carries its bytes on; players who wait longer are `idle`."""

    KIND: ClassVar[str] = "node_media_server"
    PATH: ClassVar[str] = ""
    SERVES: ClassVar[str] = "Express"
    CONTENT_TYPE: ClassVar[str] = "application/json; charset=utf-8"
    COUNTING: ClassVar[Counting] = Counting(keeps_s=30.0)
    USER: ClassVar[str] = "admin"

    def __init__(self, hall: str, secret: bytes) -> None:
        self.secret = secret
        self._tokens: dict[bytes, datetime] = {}  # each with when it is over

    def settings(self, name: str) -> Settings:
        return Settings(MORE.format(user=self.USER, name=name), {name: self.secret})

    def answer(self, asked: Asked, view: View) -> Answer | None:
        match asked.method, asked.path:
            case "POST", path if path == LOGIN:
                return self._logged_in(asked.body, view)
            case "GET", path if path == STREAMS:
                return self._streams(asked, view)
        return None

    def _logged_in(self, body: bytes, view: View) -> Answer:
        if msgspec.json.decode(body) != {"username": self.USER, "password": self.secret.decode()}:
            return refused("Invalid username or password", "INVALID_CREDENTIALS")
        at = view.now().at
        head, told = (
            base64.urlsafe_b64encode(msgspec.json.encode(part)).rstrip(b"=")
            for part in (
                {"alg": "HS256", "typ": "JWT"}, {"username": self.USER, "iat": int(at.timestamp())},
            )
        )  # fmt: skip
        sign = hmac.digest(self.secret, head + b"." + told, hashlib.sha256)
        token = b".".join((head, told, base64.urlsafe_b64encode(sign).rstrip(b"=")))
        self._tokens[token] = at + TOKEN_FOR
        data = {"token": token.decode(), "user": {"username": self.USER}}
        return Answer(msgspec.json.encode({"success": True, "data": data, "message": "Login successful"}))

    def _streams(self, asked: Asked, view: View) -> Answer:
        look = view.now()
        tokens = [line.removeprefix(b"Authorization: Bearer ") for line in asked.shown]
        if not any(self._tokens.get(token, look.at) > look.at for token in tokens):
            return refused("Invalid or missing authentication token", "UNAUTHORIZED")
        rows = list(streams(look))
        told = {"success": True, "data": {"streams": rows, "total": len(rows)}}
        return Answer(msgspec.json.encode(told | {"message": "Streams retrieved successfully"}), look.viewers)


def refused(error: str, code: str) -> Answer:
    return Answer(msgspec.json.encode({"success": False, "error": error, "code": code}), status=401)


def streams(look: Look) -> Iterator[Mapping[str, object]]:
    for stream in look.streams:
        room, kept = stream.room, stream.room.away_s < NodeMediaServer.COUNTING.keeps_s
        if not kept and not room.viewers:
            continue
        received = stream.received if kept else 0
        rate = stream.rate(AVERAGED_S)
        yield {
            "key": f"/{room.part.room}", "app": stream.app, "name": stream.name,
            "status": "publishing" if room.publishing else "reconnecting" if kept else "idle",
            "publisher": publisher(stream, look) if kept else None, "subscribers": room.viewers,
            "outBytes": received * room.viewers, "inBps": rate, "outBps": rate * room.viewers, "recording": False,
        }  # fmt: skip


def publisher(stream: Stream, look: Look) -> Mapping[str, object]:
    room = stream.room
    return {
        "id": publisher_id(room), "ip": f"10.{room.part.number % 250}.0.1:50948", "protocol": "rtmp",
        "createTime": round(look.since_at(stream).timestamp() * 1000), "videoCodec": 7, "videoWidth": 720,
        "videoHeight": 1280, "videoFramerate": 30, "audioCodec": 10, "audioChannels": 2, "audioSamplerate": 44100,
        "inBytes": stream.received,
    }  # fmt: skip


def publisher_id(room: RoomNow) -> str:
    return "mwu" + word(room.connection, 13)
