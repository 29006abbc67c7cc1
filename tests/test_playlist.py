"""HLS playlists: what one says, and what each look adds to what was known of a room."""

from datetime import UTC, datetime, timedelta

import pytest

from collectors.asked_frame import framed, parted_as
from collectors.collector import BadFrame
from collectors.playlist import Known, Look, Playlist, looked, media_playlist, variant

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HUGE = 1795524233364000017
HEAD = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n"


def seen(edge: int, segments: int = 4, breaks_at: tuple[int, ...] = (), ended: bool = False) -> Playlist:
    first = max(edge - segments, 0)
    return Playlist(first, edge, 2.0, ended, tuple(number for number in breaks_at if number >= first))


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
            Playlist(4, 6, 2.0, False, ()),
        ),
        (HEAD + b"#EXT-X-MEDIA-SEQUENCE:1795524233364000017\n", Playlist(HUGE, HUGE, 2.0, False, ())),
        (HEAD + b"#EXT-X-MEDIA-SEQUENCE:18446744073709551615\n", Playlist(2**64 - 1, 2**64 - 1, 2.0, False, ())),
        (HEAD + b"#EXTINF:2,\na-0.ts\n", Playlist(0, 1, 2.0, False, ())),  # without a number it begins at 0
        (HEAD + b"#EXT-X-DISCONTINUITY\n#EXTINF:2,\na-0.ts\n#EXT-X-ENDLIST\n", Playlist(0, 1, 2.0, True, (0,))),
        (
            HEAD + b"#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:2,\na.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:2,\nb.ts\n",
            Playlist(7, 9, 2.0, False, (8,)),
        ),
        (HEAD.replace(b"\n", b"\r\n") + b"#EXTINF:2,\r\n\xe7\x9b\xb4.ts?a=1\r\n", Playlist(0, 1, 2.0, False, ())),
        (b"\xef\xbb\xbf" + HEAD, Playlist(0, 0, 2.0, False, ())),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:10.0\n", Playlist(0, 0, 10.0, False, ())),
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
        (HEAD + b"#EXT-X-MEDIA-SEQUENCE:" + b"9" * 21, "not_hls"),
        (HEAD + b"#EXT-X-MEDIA-SEQUENCE:-4\n", "not_hls"),
        (HEAD + b"#EXT-X-MEDIA-SEQUENCE:0x4\n", "not_hls"),
        (HEAD + b"#EXT-X-MEDIA-SEQUENCE:\n", "not_hls"),
        (HEAD + b"#EXT-X-MEDIA-SEQUENCE\n", "not_hls"),
        (HEAD + b"#EXT-X-TARGETDURATION:two\n", "not_hls"),
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


def test_numbers_that_tell_the_time_in_fractions_of_a_second_move_and_come_back_from_their_frames():
    known = Known()
    for after_s in range(0, 20, 2):
        body = HEAD + f"#EXT-X-MEDIA-SEQUENCE:{10**19 + after_s // 2}\n#EXTINF:2,\na.ts\n#EXTINF:2,\nb.ts\n".encode()
        look = parted_as(Look, framed(Look("room1", known), body))[0]
        known = look.understood(body, NOON + timedelta(seconds=after_s))
    assert (known.live, known.moved_at) == (True, NOON + timedelta(seconds=18))


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
    broken = (seen(10, breaks_at=(9,)), seen(11, breaks_at=(9,)))  # a break where there was none
    assert story(*live, (6, broken[0]), (8, broken[1]))[3:] == [(False, None), (True, 8)]


def whole(edge: int) -> Playlist:
    """A list that never slides: EVENT, or a recording that goes on."""
    return seen(edge, segments=edge)


def test_a_list_that_never_slides_began_anew_when_it_moves_and_the_old_one_does_not_come_back():
    before = ((0, whole(300)), (2, whole(301)), (4, whole(302)), (6, whole(302)), (9, whole(302)))
    anew = [(10.0 + 2 * number, whole(1 + number)) for number in range(5)]
    assert story(*before, *anew)[3:] == [
        (True, 6), (True, 6), (True, 6), (True, 6), (True, 6), (True, 16), (True, 18)
    ]  # fmt: skip
    left = ((0, whole(300)), (5, whole(300)))
    assert story(*left, *anew)[1:] == [(False, None)] * 4 + [(True, 16), (True, 18)]


def test_a_list_that_never_slides_and_began_anew_at_once_was_never_still():
    before = ((0, whole(300)), (2, whole(301)), (4, whole(302)))
    anew = [(float(at_s), whole(at_s // 2 - 2)) for at_s in range(6, 60, 2)]
    assert story(*before, *anew)[3:] == [(True, at_s) for at_s, _ in anew]


def test_a_lower_list_that_does_not_move_is_an_older_copy_however_long_it_is_seen():
    live = ((0, whole(10)), (2, whole(11)), (4, whole(12)))
    copy = [(4.0 + after_s, whole(11)) for after_s in (1, 3, 5, 30, 60)]
    assert story(*live, *copy)[3:] == [(True, 5), (True, 7), (True, 7), (True, 7), (True, 7)]
    late = ((70, whole(12)), (72, whole(13)), (74, whole(14)))  # nor is one that caught up with the other
    assert story(*live, *copy, *late)[-3:] == [(True, 7), (True, 7), (True, 74)]


def test_an_older_copy_that_moves_ends_no_stall_before_the_newer_one_is_given_up():
    frozen = ((0, 10), (2, 11), (4, 12), (6, 12), (9, 12))
    assert story(*frozen, (10, 10), (11, 11), (12, 12), (13, 11), (14, 11), (30, 11))[3:] == [(True, 6)] * 8


def test_two_caches_of_a_list_never_make_it_one_that_began_anew_wherever_its_breaks_are():
    def asked(lag: int, breaks_at: tuple[int, ...]) -> list[tuple[float, int | Playlist | None]]:
        return [
            (at_s + 0.5 * older, seen(100 + at_s // 2 - lag * older, segments=6, breaks_at=breaks_at))
            for at_s in range(0, 120, 2)
            for older in (0, 1)
        ]

    for lag in (1, 2, 3, 5):
        for breaks_at in ((), (103,), (103, 104, 120), tuple(range(90, 200))):
            assert {live for live, _ in story(*asked(lag, breaks_at))[4:]} == {True}, (lag, breaks_at)
            moved = [at for _, at in story(*asked(lag, breaks_at))[4:]]
            assert all(at is not None for at in moved)


def test_who_is_sent_from_one_cache_to_an_older_one_for_good_sees_no_stop():
    moved_over = [(float(at_s), (100 if at_s < 20 else 96) + at_s // 2) for at_s in range(0, 60, 2)]
    assert story(*moved_over)[2:] == [(True, at_s) for at_s, _ in moved_over[2:]]


def test_breaks_that_an_older_release_did_not_note_are_no_sign():
    noted = Known(True, Playlist(8, 12, 2.0, False), 4, NOON, moved_at=NOON)
    assert looked(noted, seen(11, breaks_at=(10,)), NOON).live is True


def test_a_target_of_ten_seconds_gives_twenty():
    def slow(edge: int) -> Playlist:
        return Playlist(edge - 3, edge, 10.0, False, ())

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
