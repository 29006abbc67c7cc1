"""Own servers but nginx-rtmp: broken answers, and how each is asked; recorded answers are in test_feeds."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from collectors import frames
from collectors.collector import BadFrame, Collector, FeedRefused, FeedRow, PartlyRead
from collectors.polled_frame import joined
from collectors.servers.hls import Hls
from collectors.servers.icecast import Icecast
from collectors.servers.mediamtx import Mediamtx
from collectors.servers.node_media_server import NodeMediaServer
from collectors.servers.srs import Srs
from collectors.servers.zlmediakit import Zlmediakit

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
FEEDS = Path(__file__).parent / "feeds"
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
ROWS: dict[str, FeedRow] = {
    "srs": Srs(name="s", url="http://127.0.0.1", rooms=["live/room1"]),
    "node_media_server": NodeMediaServer(
        name="s", url="http://127.0.0.1", password_file=Path("p"), rooms=["live/room1"]
    ),
    "zlmediakit": Zlmediakit(name="s", url="http://127.0.0.1", rooms=["live/room1"]),
    "mediamtx": Mediamtx(name="s", url="http://127.0.0.1", rooms=["live/room1"]),
    "icecast": Icecast(name="s", url="http://127.0.0.1", rooms=["room1"]),
}


def recorded(kind: str, case: str = "one_evening", number: int = 1) -> bytes:
    lines = (FEEDS / kind / case / "frames.jsonl").read_bytes().splitlines()
    return list(frames.decode_lines(lines))[number][0]


def changed(frame: bytes, old: bytes, new: bytes) -> bytes:
    assert old in frame
    return frame.replace(old, new)


def parse(kind: str, frame: bytes, **settings: object) -> list:
    row = ROWS[kind]
    for name, value in settings.items():
        row = type(row)(**{**{key: getattr(row, key) for key in row.__struct_fields__}, name: value})
    return list(row.parse(frame, AT))  # type: ignore[attr-defined]


SRS, NMS, ZLM, MTX = (recorded(kind) for kind in ("srs", "node_media_server", "zlmediakit", "mediamtx"))
STATUS, XML = recorded("icecast", number=2), recorded("icecast", "by_admin", 0)
INDEX = b'{"code":0,"server":"vid-3p6c0y1","service":"g191u926","pid":"1850","urls":{}}'  # SRS' /api/v1/summaries/
PAGED = recorded("srs", "paged", 0)


@pytest.mark.parametrize(
    ("kind", "frame", "reason"),
    [
        ("srs", b"", "bad_json"),
        ("srs", SRS[:-9], "bad_json"),
        ("srs", joined(None, []), "moved"),
        ("srs", joined(None, [INDEX]), "not_srs"),
        ("srs", joined(None, [b'{"code":2048}']), "not_srs"),
        ("srs", changed(SRS, b'"service":"g191u926","pid":"1850","clients"', b'"service":"x","clients"'), "moved"),
        ("srs", PAGED.replace(b'{"id":"vid-0000099"', b'{"id":"vid-x"', 1), "moved"),
        ("srs", changed(SRS, b'"recv_bytes":204368', b'"recv_bytes":"204368"'), "bad_json"),
        ("srs", changed(SRS, b'"active":true', b'"active":1'), "bad_json"),
        ("node_media_server", b"null", "bad_json"),
        ("node_media_server", b'{"success":false,"error":"x","code":"UNAUTHORIZED"}', "bad_json"),
        ("node_media_server", changed(NMS, b'"success":true', b'"success":false'), "partial"),
        ("node_media_server", changed(NMS, b'"total":1', b'"total":2'), "partial"),
        ("node_media_server", changed(NMS, b'"publishing"', b'"resting"'), "bad_json"),
        ("node_media_server", changed(NMS, b'"subscribers":2', b'"subscribers":"2"'), "bad_json"),
        ("zlmediakit", b"[]", "bad_json"),
        ("zlmediakit", b"{}", "bad_json"),
        ("zlmediakit", b'{"code":-300,"msg":"x"}', "not_ok"),
        ("zlmediakit", changed(ZLM, b'"totalReaderCount":3', b'"totalReaderCount":3.5'), "bad_json"),
        ("mediamtx", joined(None, [b'{"status":"error","error":"x"}']), "bad_json"),
        ("mediamtx", joined(None, []), "moved"),
        ("mediamtx", changed(MTX, b'"itemCount":2', b'"itemCount":3'), "moved"),
        ("mediamtx", changed(MTX, b'"online":true', b'"onlin":true'), "not_mediamtx"),
        ("mediamtx", joined(None, [b'{"itemCount":0,"items":[]}'], "page_loop: x"), "page_loop"),
        ("icecast", b"", "bad_json"),
        ("icecast", b"<html></html>", "not_icecast"),
        ("icecast", b"<!DOCTYPE html><html></html>", "dtd"),
        ("icecast", STATUS[:-2], "bad_json"),
        ("icecast", changed(STATUS, b'"genre":"test"', b'"genre":"test","title":-'), "bad_json"),  # its own fault
        ("icecast", b'{"icestats":{}}', "bad_json"),
        ("icecast", changed(XML, b"<total_bytes_read>18852", b"<total_bytes_read>x"), "bad_number"),
        ("icecast", XML[:-20], "not_xml"),
    ],
)  # fmt: skip
def test_a_frame_that_means_nothing_is_refused_by_name(kind: str, frame: bytes, reason: str):
    with pytest.raises(BadFrame, match=f"^{reason}"):
        parse(kind, frame)


@pytest.mark.parametrize(
    ("kind", "frame"),
    [
        ("srs", SRS),
        ("node_media_server", NMS),
        ("zlmediakit", ZLM),
        ("mediamtx", MTX),
        ("icecast", STATUS),
        ("icecast", XML),
    ],
)
def test_of_a_relay_no_viewers_are_told_and_all_else_is(kind: str, frame: bytes):
    ours, relay = parse(kind, frame)[0], parse(kind, frame, viewers=False)[0]
    assert ours.viewers in (2, 3)
    assert (relay.live, relay.viewers, relay.progress, relay.session_key) == (
        True,
        None,
        ours.progress,
        ours.session_key,
    )


def test_a_title_that_is_a_number_and_one_in_chinese_spoil_nothing():
    for title in (b"7", '"产品"'.encode(), b'"\\u0000"'):
        ticks = parse("icecast", changed(STATUS, b'"genre":"test"', b'"title":' + title))
        assert [tick.viewers for tick in ticks] == [2]


def test_where_clients_are_not_told_the_publisher_is_no_viewer_of_srs():
    alone = joined(
        None,
        [(b'{"code":0,"service":"g191u926","streams":' + SRS.split(b'"streams":', 1)[1].split(b"}, {", 1)[0] + b"}")],
    )
    assert parse("srs", alone)[0].viewers == 3


@asynccontextmanager
async def served(answer: Handler) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(answer))  # type: ignore[arg-type]
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


class Enough(Exception):
    """So many frames came."""


async def heard(row: Collector, count: int) -> list[bytes]:
    found: list[bytes] = []

    async def emit(frame: bytes, at: datetime) -> None:
        found.append(frame)
        if len(found) == count:
            raise Enough

    async with aiohttp.ClientSession() as http, asyncio.timeout(10):
        try:
            await row.collect(http, emit, lambda: datetime.now(UTC))
        except* Enough:
            pass
        except* FeedRefused as refused:
            raise refused.exceptions[0] from None
    return found


def secret(tmp_path: Path, text: str = "s3cret-word") -> Path:
    file = tmp_path / "secret"
    file.write_text(text + "\n")
    return file


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


@pytest.mark.parametrize("kind", ROWS)
def test_an_address_that_is_a_page_is_told_before_anything_starts(kind: str):
    row, paths = ROWS[kind], type(ROWS[kind]).PATHS  # type: ignore[attr-defined]
    assert list(row.complaints()) == []
    for path in (*paths, "/?a=b"):
        page = type(row)(**{**{key: getattr(row, key) for key in row.__struct_fields__}, "url": row.url + path})  # type: ignore[attr-defined]
        assert [place for place, _, _ in page.complaints()] == [("url",)], path
    assert list(Hls(name="h", url="http://127.0.0.1/{room}.m3u8").complaints()) == []
    assert list(Hls(name="h", url="http://127.0.0.1/a.m3u8", rooms=["a"]).complaints()) == []
    assert [place for place, _, _ in Hls(name="h", url="http://127.0.0.1/a.m3u8").complaints()] == [("url",)]


LIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na-0.ts\n"


async def test_a_variant_is_followed_on_its_own_server_kept_and_asked_for_anew_when_it_is_gone():
    asked: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.raw_path)
        if "hls_ctx" not in request.query:
            return web.Response(text=f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n/live/room1.m3u8?hls_ctx={len(asked)}\n")
        return web.Response(status=404) if len(asked) == 4 else web.Response(body=LIST)

    async with served(answer) as url:
        row = Hls(name="h", url=url + "/{room}.m3u8", interval_s=0.1, rooms=["live/room1"])
        found = await heard(row, 3)
    master, first, again = "/live/room1.m3u8", "/live/room1.m3u8?hls_ctx=1", "/live/room1.m3u8?hls_ctx=5"
    assert asked == [master, first, first, first, master, again]
    assert all(frame.endswith(LIST) for frame in found)


async def test_a_variant_elsewhere_is_not_followed_and_the_room_is_blind():
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://169.254.169.254/a.m3u8\n")

    async with served(answer) as url:
        row = Hls(name="h", url=url + "/{room}.m3u8", interval_s=0.1, rooms=["live/room1"])
        (frame,) = await heard(row, 1)
    with pytest.raises(PartlyRead, match=r"^not_media: ") as blind:
        row.parse(frame, AT)
    assert blind.value.unseen == {"live/room1": "bad_frame"}


@pytest.mark.parametrize(("status", "live"), [(404, False), (410, False), (403, None), (500, None), (302, None)])
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
        assert blind.value.unseen == {"直播/一": "auth" if status == 403 else "http_status"}


def test_node_media_server_without_a_password_is_told_before_anything_starts():
    said = list(NodeMediaServer(name="s", url="http://127.0.0.1:8000").complaints())
    assert [place for place, _, _ in said] == [("password_file",)]
