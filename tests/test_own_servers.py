"""Own servers but nginx-rtmp: broken answers and odd ones; recorded answers are in test_feeds."""

import msgspec
import pytest

from collectors.collector import BadFrame
from collectors.polled_frame import joined
from collectors.servers.hls import Hls
from collectors.servers.node_media_server import NodeMediaServer

from .own_servers import INDEX, MTX, NMS, PAGED, ROWS, SRS, STATUS, XML, ZLM, changed, parse


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


@pytest.mark.parametrize("kind", ROWS)
def test_an_address_that_is_a_page_is_told_before_anything_starts(kind: str):
    row, paths = ROWS[kind], ROWS[kind].PATHS
    assert list(row.complaints()) == []
    for path in (*paths, "/?a=b"):
        page = msgspec.structs.replace(row, url=row.url + path)
        assert [place for place, _, _ in page.complaints()] == [("url",)], path
    assert list(Hls(name="h", url="http://127.0.0.1/{room}.m3u8").complaints()) == []
    assert list(Hls(name="h", url="http://127.0.0.1/a.m3u8", rooms=["a"]).complaints()) == []
    assert [place for place, _, _ in Hls(name="h", url="http://127.0.0.1/a.m3u8").complaints()] == [("url",)]


@pytest.mark.parametrize(
    ("probe_url", "room", "address"),
    [
        ("rtmp://h/{room}", "live/room1", "rtmp://h/live/room1"),
        ("rtmp://h/{app}2/{name}?key=1", "live/room1", "rtmp://h/live2/room1?key=1"),
        ("rtmp://h/{room}", "live/直播间 {app}", "rtmp://h/live/直播间 {app}"),  # RTMP knows no percent signs
        ("http://h/{room}.flv", "live/直播间", "http://h/live/%E7%9B%B4%E6%92%AD%E9%97%B4.flv"),
        ("http://h/hls/{name}.m3u8", "live/a?b#c", "http://h/hls/a%3Fb%23c.m3u8"),
        ("http://h/{name}", "mount", "http://h/mount"),
    ],
)
def test_where_a_player_finds_a_room(probe_url: str, room: str, address: str):
    row = msgspec.structs.replace(ROWS["srs"], probe_url=probe_url)
    assert list(row.complaints()) == []
    assert row.probe_address(room) == address


@pytest.mark.parametrize("kind", ROWS)
def test_a_player_that_would_look_at_one_place_for_all_rooms_is_told_before_anything_starts(kind: str):
    row = msgspec.structs.replace(ROWS[kind], probe_url="rtmp://h/{app}/room1")
    assert [place for place, _, _ in row.complaints()] == [("probe_url",)]


def test_node_media_server_without_a_password_is_told_before_anything_starts():
    said = list(NodeMediaServer(name="s", url="http://127.0.0.1:8000").complaints())
    assert [place for place, _, _ in said] == [("password_file",)]
