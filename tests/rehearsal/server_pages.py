"""Played servers asked without a socket: what they answer to the questions of livemon's collectors."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from monitor.rehearsal.platforms.hall import Look, Server
from monitor.rehearsal.platforms.page_server import Asked
from monitor.rehearsal.platforms.stream import Stream

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = b"secret-of-a-hall"
ASKED = {
    "nginx_rtmp": [Asked("GET", "/stat", "")],
    "srs": [Asked("GET", "/api/v1/streams/", "start=0&count=99999"), Asked("GET", "/api/v1/clients/", "count=99999")],
    "mediamtx": [Asked("GET", "/v3/paths/list", "page=0&itemsPerPage=99999")],
    "zlmediakit": [Asked("POST", "/index/api/getMediaList", "", (), b'{"secret":"secret-of-a-hall"}')],
    "icecast": [
        Asked("GET", "/admin/stats", "", (b"Authorization: Basic YWRtaW46c2VjcmV0LW9mLWEtaGFsbA==",)),
    ],
}  # fmt: skip
LOGIN = Asked("POST", "/api/v1/login", "", (), b'{"username":"admin","password":"secret-of-a-hall"}')


class Seen:
    """A server's view of a hall that stands so."""

    def __init__(self, streams: Sequence[Stream], clock_s: float = 100.0, at: datetime = AT) -> None:
        self.look = Look(at, clock_s, streams, [])

    def now(self) -> Look:
        return self.look

    last = now


def pages(server: Server, view: Seen) -> list[bytes]:
    """What it answers, each list on one page."""
    found = [said.body or b"" for ask in questions(server, view) if (said := server.answer(ask, view)) is not None]
    assert all(found)
    return found


def questions(server: Server, view: Seen) -> Sequence[Asked]:
    if server.KIND != "node_media_server":
        return ASKED[server.KIND]
    login = server.answer(LOGIN, view)
    assert login is not None
    token = msgspec.json.decode(login.body or b"")["data"]["token"]
    return [Asked("GET", "/api/v1/streams", "", (f"Authorization: Bearer {token}".encode(),))]


def frame(server: Server, view: Seen) -> bytes:
    """As the collector hands it over."""
    told = pages(server, view)
    return b'{"asked": null, "pages": [' + b", ".join(told) + b"]}" if server.KIND in ("srs", "mediamtx") else told[0]
