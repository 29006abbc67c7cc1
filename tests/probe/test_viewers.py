"""Who else watches while a player of ours does, or may; and by which sign each kind of server tells him from others."""

from datetime import UTC, datetime, timedelta

import pytest

from collectors import Feed
from collectors.probed_row import PROBE_MARK, ProbedRow
from monitor.config_shape import kinds_of
from monitor.probe.viewers import Look, is_over, others
from tests.own_servers import AT, MTX, NMS, ROWS, SRS, STATUS, XML, ZLM, changed, parse
from tests.test_nginx_rtmp import LIVE, feed

BEGAN = datetime(2026, 11, 24, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("asked", "answered", "told"),
    [
        (-2.0, -0.1, 7),  # before him
        (-0.1, 0.1, None),  # he comes in
        (1.0, 1.1, None),
        (1.6, 1.7, 6),  # he is there
        (4.9, 5.0, 6),
        (4.9, 5.1, None),  # he goes
        (5.5, 5.6, None),
        (6.0, 6.1, None),  # to the last instant for which the server may keep him
        (6.1, 6.2, 7),
        (900.0, 900.1, 7),
    ],
)
def test_he_is_taken_off_while_he_is_there_and_nothing_is_told_while_nobody_knows(
    asked: float, answered: float, told: int | None
):
    assert others(7, at(asked), at(answered), [Look(BEGAN, at(5), timedelta(seconds=1))]) == told


def test_he_who_has_not_gone_is_there_and_never_takes_more_off_than_there_is():
    look = Look(BEGAN, None, timedelta(seconds=1))
    assert others(7, at(15), at(16), [look]) == 6
    assert others(0, at(15), at(16), [look]) == 0
    assert not is_over(look, at(900))


@pytest.mark.parametrize(
    ("asked", "told"),
    [(30.0, None), (62.0, None), (71.9, None), (72.5, 6), (73.5, None), (132.0, None), (134.0, 7)],
)
def test_who_is_looked_at_again_while_the_last_player_is_kept_has_each_of_them_taken_off(
    asked: float, told: int | None
):
    kept = timedelta(seconds=60)
    looks = [Look(BEGAN, at(12), kept), Look(at(61), at(73), kept)]
    assert others(7, at(asked), at(asked + 0.1), looks) == told


def test_nginx_names_him_by_what_he_calls_himself():
    other = b"<flashver>LNX 9,0,124,2"
    ours = changed(LIVE, other, f"<flashver>{PROBE_MARK}".encode())
    assert LIVE.count(other) == 2
    assert feed().parse(LIVE, AT)[0].viewers == 2
    assert feed().parse(LIVE.replace(other, f"<flashver>{PROBE_MARK}".encode(), 1), AT)[0].viewers == 1
    assert feed().parse(ours, AT)[0].viewers == 0
    row = feed(probe_url="rtmp://h/{room}")
    assert row.tells_probes(LIVE)
    assert not row.tells_probes(LIVE.replace(b"<client>", b"<other>"))  # rtmp_stat global live
    assert not feed(probe_url="http://h/{room}.flv").tells_probes(LIVE)


def test_srs_names_him_by_his_page_also_of_its_lingering_sessions_of_hls():
    pages = changed(SRS, b'"pageUrl":""', f'"pageUrl":"{PROBE_MARK}"'.encode())
    assert parse("srs", SRS)[0].viewers == 3
    assert parse("srs", pages)[0].viewers == 0
    hls_alone = SRS.replace(b'"pageUrl":""', f'"pageUrl":"{PROBE_MARK}"'.encode(), 1)
    assert parse("srs", hls_alone)[0].viewers == 2
    assert parse("srs", changed(SRS, b'"pageUrl":""', b'"pageUrl":null'))[0].viewers == 3
    assert ROWS["srs"].tells_probes(SRS)
    assert not ROWS["srs"].tells_probes(
        SRS.replace(b'"clients":[', b'"nobody":[')
    )  # streams alone: counts without names


@pytest.mark.parametrize(
    ("kind", "frame"), [("node_media_server", NMS), ("zlmediakit", ZLM), ("mediamtx", MTX), ("icecast", STATUS)]
)
def test_others_do_not_name_him(kind: str, frame: bytes):
    assert not ROWS[kind].tells_probes(frame)
    assert not ROWS[kind].tells_probes(XML)


@pytest.mark.parametrize(
    ("kind", "suffix", "kept_s"),
    [
        ("srs", "", 1.0), ("srs", ".flv", 1.0), ("srs", ".m3u8", 120.0),
        ("node_media_server", "", 1.0), ("node_media_server", ".flv", 1.0), ("node_media_server", ".m3u8", None),
        ("zlmediakit", "", 1.0), ("zlmediakit", ".m3u8", 60.0),
        ("mediamtx", "", 1.0), ("mediamtx", ".m3u8", 60.0),
        ("icecast", ".mp3", 1.0),
        ("nginx_rtmp", "", 1.0), ("nginx_rtmp", ".m3u8?key=1", None), ("nginx_rtmp", ".flv", 1.0),
        ("hls", ".m3u8", None),
    ],
)  # fmt: skip
def test_how_long_a_server_may_count_him_after_he_has_gone(kind: str, suffix: str, kept_s: float | None):
    scheme = "http" if suffix else "rtmp"
    row = kinds_of(Feed)[kind](name="s", url="http://h", probe_url=f"{scheme}://h/{{room}}{suffix}")
    assert isinstance(row, ProbedRow)
    assert row.probe_kept_s == kept_s
