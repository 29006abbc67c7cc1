"""HLS playlists: what one says, and what each look adds to what was known of a room."""

from datetime import UTC, datetime, timedelta

import pytest

from collectors.asked_frame import framed, parted_as
from collectors.collector import BadFrame
from collectors.playlist import Known, Look, Playlist, looked, media_playlist, variant

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HEAD = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n"


def seen(edge: int, segments: int = 4, breaks: int = 0, ended: bool = False) -> Playlist:
    return Playlist(max(edge - segments, 0), edge, 2.0, breaks, ended)


def story(*looks: tuple[float, int | Playlist | None]) -> list[tuple[bool | None, float | None]]:
    """After each look (seconds, edge of the list; None: missing): is the room live, and when did it last move?"""
    known, told = Known(), []
    for second, edge in looks:
        known = looked(known, seen(edge) if isinstance(edge, int) else edge, NOON + timedelta(seconds=second))
        told.append((known.live, known.moved_at and (known.moved_at - NOON).total_seconds()))
    return told


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (
            HEAD + b"#EXT-X-MEDIA-SEQUENCE:4\n#EXTINF:2.077,\na-4.ts\n#EXTINF:2,\na-5.ts\n",
            Playlist(4, 6, 2.0, 0, False),
        ),
        (HEAD + b"#EXTINF:2,\na-0.ts\n", Playlist(0, 1, 2.0, 0, False)),  # without a number it begins at 0
        (HEAD + b"#EXT-X-DISCONTINUITY\n#EXTINF:2,\na-0.ts\n#EXT-X-ENDLIST\n", Playlist(0, 1, 2.0, 1, True)),
        (HEAD.replace(b"\n", b"\r\n") + b"#EXTINF:2,\r\n\xe7\x9b\xb4.ts?a=1\r\n", Playlist(0, 1, 2.0, 0, False)),
        (b"\xef\xbb\xbf" + HEAD, Playlist(0, 0, 2.0, 0, False)),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:10.0\n", Playlist(0, 0, 10.0, 0, False)),
    ],
)
def test_what_a_media_playlist_says(body: bytes, wanted: Playlist):
    assert media_playlist(body) == wanted
    assert variant(body) is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_hls"),
        (b"<html>login</html>", "not_hls"),
        (b"#EXTM3U\n#EXTINF:2,\na.ts\n", "not_hls"),
        (HEAD.decode().encode("utf-16"), "not_hls"),
        (HEAD + "直播.ts".encode("gb18030"), "not_hls"),
        (HEAD.replace(b":2", b":-2"), "not_hls"),
        (HEAD.replace(b":2", "：２".encode()), "not_hls"),
        (HEAD.replace(b":2", b":" + b"9" * 400), "not_hls"),
        (b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n", "not_media"),
    ],
)
def test_what_is_no_media_playlist_is_refused_by_name(body: bytes, reason: str):
    with pytest.raises(BadFrame, match=f"^{reason}: "):
        media_playlist(body)


def test_the_first_variant_of_a_master_playlist_is_the_one():
    master = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n/live/a.m3u8?hls_ctx=v9\n#EXT-X-STREAM-INF:\nb.m3u8"
    assert variant(master) == "/live/a.m3u8?hls_ctx=v9"
    assert variant(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n") is None


def test_on_air_is_who_published_two_segments_while_we_looked():
    assert story((0, 10), (2, 11), (4, 12), (5, 12), (6, 13)) == [
        (None, None), (None, None), (True, 4), (True, 5), (True, 6)
    ]  # fmt: skip
    assert story((0, 10), (2, 12))[-1] == (True, 2)  # both came between two looks


def test_a_list_that_stands_still_from_the_first_is_off_air_and_no_stall():
    assert story((0, 10), (3, 10), (4, 10), (4.5, 10), (60, 10)) == [(None, None)] * 3 + [(False, None)] * 2


def test_a_list_that_stands_still_moves_no_more_and_one_late_segment_is_no_recovery():
    live = ((0, 10), (2, 11), (4, 12))
    frozen = ((6, 12), (8, 12), (8.5, 12), (20, 12))
    late = ((22, 13), (24, 13), (30, 13))
    assert story(*live, *frozen)[3:] == [(True, 6), (True, 8), (True, 8), (True, 8)]
    assert story(*live, *frozen, *late)[7:] == [(True, 8)] * 3
    assert story(*live, *frozen, (22, 13), (24, 14))[7:] == [(True, 8), (True, 24)]
    assert story(*live, *frozen, *late, (40, 14), (45, 14), (50, 15))[-1] == (True, 8)  # never two in a row
    assert story(*live, *frozen, (22, 22))[-1] == (True, 22)  # ten at once: its source caught up


def test_that_we_did_not_look_for_a_while_is_nobodys_stall():
    assert story((0, 10), (2, 11), (4, 12), (60, 40), (61, 40))[3:] == [(True, 60), (True, 61)]


def test_a_list_that_is_missing_or_ended_is_off_air_until_it_has_moved_again():
    assert story((0, 10), (2, 12), (4, None), (6, 1), (8, 2)) == [
        (None, None), (True, 2), (False, None), (False, None), (True, 8)
    ]  # fmt: skip
    ended = seen(12, ended=True)
    assert story((0, 10), (2, 12), (4, ended), (6, ended), (8, 1), (10, 2))[2:] == [
        (False, None), (False, None), (False, None), (True, 10)
    ]  # fmt: skip


def test_numbers_that_go_back_are_a_new_list_but_not_by_less_than_its_length():
    live = ((0, 10), (2, 11), (4, 12))
    assert story(*live, (6, 1), (8, 2))[3:] == [(False, None), (True, 8)]
    assert story(*live, (6, 11), (7, 12), (8, 11), (9, 12))[3:] == [(True, 6), (True, 7), (True, 8), (True, 8)]
    assert story(*live, (6, seen(9, breaks=1)), (8, seen(10, breaks=1)))[3:] == [(False, None), (True, 8)]


def test_a_target_of_ten_seconds_gives_twenty():
    def slow(edge: int) -> Playlist:
        return Playlist(edge - 3, edge, 10.0, 0, False)

    assert story((0, slow(10)), (10, slow(12)), (30, slow(12)), (31, slow(12)))[1:] == [
        (True, 10),
        (True, 30),
        (True, 30),
    ]


def test_a_look_comes_back_from_its_frame_with_all_that_was_known():
    known = looked(looked(Known(), seen(10), NOON), seen(12), NOON + timedelta(seconds=2))
    look = Look("直播/一", known, failed="timeout")
    assert parted_as(Look, framed(look, HEAD)) == (look, HEAD)
    with pytest.raises(BadFrame, match=r"^bad_frame: "):
        parted_as(Look, HEAD)
