"""How own servers but nginx-rtmp are asked, over real sockets: pages, logins, secrets, playlists."""

import asyncio
import base64
import json
import time
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from collectors.collector import Collector, FeedRefused, PartlyRead
from collectors.polled_frame import joined
from collectors.servers.hls import Hls
from collectors.servers.icecast import Icecast
from collectors.servers.mediamtx import Mediamtx
from collectors.servers.node_media_server import NodeMediaServer
from collectors.servers.srs import Srs
from collectors.servers.zlmediakit import Zlmediakit

from .own_servers import AT, NMS, PAGED, STATUS, XML, ZLM, Handler, heard, secret, served


async def test_srs_is_asked_for_all_pages_each_from_the_last_row_of_the_one_before():
    every = {
        what: [row for page in json.loads(PAGED)["pages"] for row in page.get(what, ())]
        for what in ("streams", "clients")
    }
    every = {what: list({row["id"]: row for row in rows}.values()) for what, rows in every.items()}
    asked: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.raw_path)
        what, start = request.path.split("/")[3], int(request.query["start"])
        rows = every[what][start : start + max(10, int(request.query.get("count", 10)))]
        return web.json_response({"code": 0, "service": "a", "pid": "1", what: rows})

    async with served(answer) as url:
        row = Srs(name="s", url=url + "/", interval_s=0.1, rooms=["live/room129"], probes=["10.0.0.9"])
        (frame,) = await heard(row, 1)
    assert asked == [
        "/api/v1/streams/?start=0&count=100", "/api/v1/streams/?start=99&count=100",
        "/api/v1/clients/?start=0&count=100", "/api/v1/clients/?start=100&count=100",
    ]  # fmt: skip
    ticks = {tick.room: tick for tick in row.parse(frame, AT)}
    assert len(ticks) == 130
    assert [ticks[f"live/room{n}"].viewers for n in (0, 1, 3, 129)] == [0, 1, 0, 1]


async def cut(request: web.BaseRequest) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def hang(request: web.BaseRequest) -> web.StreamResponse:
    await asyncio.sleep(4.0)
    return web.Response()


def saying(status: int = 200, text: str = "") -> Handler:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, text=text)

    return answer


ON_AIR = {"id": "v", "name": "room1", "app": "live", "clients": 40, "recv_bytes": 7, "publish": {"active": True}}
CLIENTS = [{"id": f"c{n}", "stream": "v", "publish": False, "tcUrl": "y" * 300} for n in range(40)]


@pytest.mark.parametrize(
    ("clients", "word"),
    [
        (saying(text=json.dumps({"code": 0, "service": "a", "clients": CLIENTS})), "bad_frame"),  # too large
        (saying(text='{"code": 0, "clients": ['), "bad_frame"),
        (saying(500), "http_status"),
        (saying(401), "auth"),  # the same login was good for the streams, a moment ago
        (cut, "closed"),
        (hang, "timeout"),
    ],
)
async def test_clients_that_srs_does_not_list_hide_no_stream_and_delay_none(clients: Handler, word: str):
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if "clients" in request.path:
            return await clients(request)
        await asyncio.sleep(0.8)
        return web.json_response({"code": 0, "service": "a", "streams": [ON_AIR]})

    async with served(answer) as url:
        row = Srs(name="s", url=url, interval_s=2.0, body_bytes_max=8192, rooms=["live/room1", "live/room2"])
        began_s = time.monotonic()
        (frame,) = await heard(row, 1)
        assert time.monotonic() - began_s < row.interval_s + 0.5
    with pytest.raises(PartlyRead, match=f"^{word}: the clients were not listed") as partly:
        row.parse(frame, AT)
    assert [(tick.room, tick.live, tick.viewers) for tick in partly.value.ticks] == [
        ("live/room1", True, 39), ("live/room2", False, None),
    ]  # fmt: skip
    assert (partly.value.unseen, partly.value.part) == ({}, b"")


async def test_srs_whose_list_of_streams_fails_has_not_answered():
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=500 if "streams" in request.path else 200)

    async with served(answer) as url:
        with pytest.raises(aiohttp.ClientResponseError):
            await heard(Srs(name="s", url=url, interval_s=0.1), 1)


def test_srs_without_a_stream_or_a_room_has_answered_all_the_same():
    empty = joined(None, [b'{"code":0,"service":"a","streams":[]}'], failed="timeout")
    assert Srs(name="s", url="http://127.0.0.1", rooms=[]).parse(empty, AT) == []


async def test_mediamtx_is_asked_for_all_pages():
    asked: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.raw_path)
        first, many = int(request.query["page"]) * 100, int(request.query["itemsPerPage"])
        items = [{"name": f"p{n}", "online": n % 2 == 0} for n in range(250)][first : first + many]
        return web.json_response({"itemCount": 250, "pageCount": 3, "items": items})

    async with served(answer) as url:
        row = Mediamtx(name="s", url=url, interval_s=0.1)
        (frame,) = await heard(row, 1)
    assert [path.partition("?")[2] for path in asked] == [f"page={n}&itemsPerPage=100" for n in range(3)]
    assert sum(bool(tick.live) for tick in row.parse(frame, AT)) == 125


async def test_node_media_server_is_logged_in_once_and_again_when_its_token_is_over(tmp_path: Path):
    asked: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(f"{request.method} {request.path}")
        if request.method == "POST":
            assert await request.json() == {"username": "admin", "password": "s3cret-word"}
            return web.json_response({"success": True, "data": {"token": f"t{len(asked)}"}})
        old = request.headers["Authorization"] == "Bearer t1" and len(asked) > 3
        return web.Response(status=401) if old else web.Response(body=NMS)

    async with served(answer) as url:
        found = await heard(NodeMediaServer(name="s", url=url, interval_s=0.1, password_file=secret(tmp_path)), 4)
    login, look = "POST /api/v1/login", "GET /api/v1/streams"
    assert asked == [login, look, look, look, login, look, look]
    assert found == [NMS] * 4


async def test_a_wrong_password_is_refused_and_shown_to_nobody(tmp_path: Path):
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=401)

    async with served(answer) as url:
        file = secret(tmp_path)
        rows: list[Collector] = [
            NodeMediaServer(name="s", url=url, password_file=file),
            Srs(name="s", url=url, user="a", password_file=file),
            Mediamtx(name="s", url=url, user="a", password_file=file),
            Icecast(name="s", url=url, password_file=file),
        ]
        for row in rows:
            with pytest.raises(FeedRefused) as refused:
                await heard(row, 1)
            assert "s3cret" not in str(refused.value)
        with pytest.raises(FeedRefused, match="cannot be read"):
            await heard(Icecast(name="s", url=url, password_file=tmp_path / "none"), 1)


@pytest.mark.parametrize("by_admin", [False, True])
async def test_icecast_is_asked_for_what_its_settings_say(by_admin: bool, tmp_path: Path):
    asked: list[tuple[str, str]] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append((request.path, request.headers.get("Authorization", "")))
        return web.Response(body=XML if by_admin else STATUS)

    async with served(answer) as url:
        row = Icecast(name="s", url=url, interval_s=0.1, password_file=secret(tmp_path, "密码") if by_admin else None)
        await heard(row, 1)
    told = "Basic " + base64.b64encode("admin:密码".encode()).decode()
    assert asked == [("/admin/stats", told)] if by_admin else [("/status-json.xsl", "")]


async def test_zlmediakit_gets_its_secret_in_the_body_and_refuses_by_its_code(tmp_path: Path):
    asked: list[tuple[str, bytes]] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append((request.raw_path, await request.read()))
        return web.Response(body=ZLM if len(asked) == 1 else b'{"code":-100,"msg":"Incorrect secret: s3cret-word"}')

    async with served(answer) as url:
        row = Zlmediakit(name="s", url=url, interval_s=0.1, secret_file=secret(tmp_path))
        with pytest.raises(FeedRefused) as refused:
            await heard(row, 2)
    assert asked == [("/index/api/getMediaList", b'{"secret":"s3cret-word"}')] * 2
    assert "s3cret" not in str(refused.value)


class Passing:
    """A clock by which so much time passes from one look to the next."""

    def __init__(self, step_s: float) -> None:
        self.step_s, self.passed_s = step_s, -step_s

    def __call__(self) -> datetime:
        self.passed_s += self.step_s
        return AT + timedelta(seconds=self.passed_s)


LIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na-0.ts\n"


async def test_a_variant_is_followed_on_its_own_server_kept_and_asked_for_anew_when_it_is_gone():
    asked: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.raw_path)
        if "hls_ctx" not in request.query:
            return web.Response(text=f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n/live/room1.m3u8?hls_ctx={len(asked)}\n")
        grown = LIST + b"#EXTINF:2,\na.ts\n" * len(asked)  # who stands still is asked for anew, too
        return web.Response(status=404) if len(asked) == 4 else web.Response(body=grown)

    async with served(answer) as url:
        row = Hls(name="h", url=url + "/{room}.m3u8", interval_s=0.1, rooms=["live/room1"])
        found = await heard(row, 3, Passing(6.0))
    master, first, again = "/live/room1.m3u8", "/live/room1.m3u8?hls_ctx=1", "/live/room1.m3u8?hls_ctx=5"
    assert asked == [master, first, first, first, master, again]
    assert all(LIST in frame for frame in found)


async def test_a_variant_elsewhere_is_not_followed_and_the_room_is_blind():
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://169.254.169.254/a.m3u8\n")

    async with served(answer) as url:
        row = Hls(name="h", url=url + "/{room}.m3u8", interval_s=0.1, rooms=["live/room1"])
        (frame,) = await heard(row, 1)
    with pytest.raises(PartlyRead, match=r"^not_media: ") as blind:
        row.parse(frame, AT)
    assert blind.value.unseen == {"live/room1": "bad_frame"}


@pytest.mark.parametrize(
    ("status", "live"), [(404, False), (410, False), (401, None), (403, None), (500, None), (302, None)]
)
async def test_only_a_list_that_is_not_there_is_off_air(status: int, live: bool | None):
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": "/login"})

    async with served(answer) as url:
        row = Hls(name="h", url=url + "/{room}.m3u8", interval_s=0.1, rooms=["直播/一"])
        (frame,) = await heard(row, 1)
    if live is False:
        assert [tick.live for tick in row.parse(frame, AT)] == [False]
    else:
        with pytest.raises(PartlyRead) as blind:
            row.parse(frame, AT)
        assert blind.value.unseen == {"直播/一": "auth" if status in (401, 403) else "http_status"}


async def test_a_list_that_wants_a_login_is_its_rooms_own_trouble_and_the_others_are_seen():
    """A CDN that signs its addresses answers 401 for one list; there is no login of ours that it could refuse."""
    quick = LIST.replace(b"TARGETDURATION:2", b"TARGETDURATION:0")

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=401) if "room2" in request.path else web.Response(body=quick)

    async with served(answer) as url:
        row = Hls(name="h", url=url + "/{room}.m3u8", interval_s=0.1, rooms=["room1", "room2", "room3"])
        found = await heard(row, 12)
    unseen = [number for number, frame in enumerate(found) if not frame.endswith(quick)]
    assert len(unseen) > 1
    assert sum(number > unseen[0] for number in range(12) if number not in unseen) > 4
    for number in unseen:
        with pytest.raises(PartlyRead) as blind:
            row.parse(found[number], AT)
        assert blind.value.unseen == {"room2": "auth"}
