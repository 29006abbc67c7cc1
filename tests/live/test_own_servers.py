"""Recorded evenings of own servers through the real watch: what became of the sessions."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import msgspec
import pytest

from collectors import Feed, frames
from collectors.asked_frame import framed
from collectors.collector import BadFrame, Collector, PartlyRead
from collectors.playlist import Known, Look
from monitor.facts import Heard, RosterRoom
from monitor.live.sight import platform_of
from monitor.live.watch import Watch

FEEDS = Path(__file__).parent.parent / "feeds"
Frames = list[tuple[bytes, datetime]]


def evening(case: str) -> Frames:
    return list(frames.decode_lines((FEEDS / case / "frames.jsonl").read_bytes().splitlines()))


def changes(case: str, told: Frames, room: str) -> list[tuple[str, str]]:
    """What the watch says of a room, hearing these frames as the supervisor would hand them over."""
    row = msgspec.toml.decode((FEEDS / case / "feed.toml").read_bytes(), type=Feed)
    watch, found = Watch(grace_s=120.0, settle_s=0.0), list[Heard]()
    roster = [RosterRoom(number, platform_of(row), one) for number, one in enumerate(row.rooms or (), 1)]
    watch.load(roster, (), [row], told[0][1])
    for frame, at in told:
        try:
            found.append(watch.hear(row.name, at, cast(Collector, row).parse(frame, at), at))
        except PartlyRead as error:
            found += [watch.fail_room(row.name, one, "bad_frame", at) for one in error.unseen]
        except BadFrame:
            found.append(watch.fail(row.name, "bad_frame", at))
    return [(change.change, change.cause) for heard in found for change in heard.changes if change.room == room]


def seconds(first: Frames, *more: tuple[float, bytes]) -> Frames:
    return [*first, *((frame, first[-1][1] + timedelta(seconds=later)) for later, frame in more)]


STORIES = {
    "icecast/one_evening": ("room1", [
        ("opened", "status"), ("dropped", "status"), ("resumed", "status"), ("dropped", "status"),
    ]),
    "node_media_server/one_evening": ("live/room1", [
        ("opened", "status"), ("dropped", "status"), ("resumed", "status"),
    ]),
    "srs/one_evening": ("live/room1", [
        ("opened", "status"), ("dropped", "status"), ("resumed", "status"), ("dropped", "status"),
    ]),
    "zlmediakit/one_evening": ("live/room1", [("opened", "status"), ("dropped", "status")]),
    "mediamtx/one_evening": ("live/room1", [("opened", "status"), ("dropped", "status")]),
    "hls/one_evening": ("live/room1", [
        ("opened", "status"), ("dropped", "stall"), ("resumed", "status"), ("dropped", "stall"),
    ]),
    "hls/ends": ("live/room1", [
        ("opened", "status"), ("dropped", "stall"), ("resumed", "status"), ("closed", "ended"),
    ]),
}  # fmt: skip


@pytest.mark.parametrize("case", STORIES)
def test_what_became_of_a_recorded_evening(case: str):
    room, wanted = STORIES[case]
    assert changes(case, evening(case), room) == wanted


def test_the_late_segment_of_a_frozen_source_resumes_nothing():
    """At 36 s nginx-rtmp wrote what it had left; until its list was gone at 54 s nothing is told of the room."""
    case = "hls/one_evening"
    until_gone = [(frame, at) for frame, at in evening(case) if b"room1-17.ts" in frame or at < evening(case)[36][1]]
    assert changes(case, until_gone, "live/room1") == [("opened", "status"), ("dropped", "stall")]


def playlists(*looks: tuple[float, int, int, Sequence[int]]) -> Frames:
    """Frames of looks (seconds, first number, edge, breaks) at the list of one room, with two seconds a segment."""
    began, known, told = datetime(2026, 11, 24, 12, tzinfo=UTC), Known(), list[tuple[bytes, datetime]]()
    for after_s, first, edge, breaks_at in looks:
        lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:2", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
        for number in range(first, edge):
            lines += ["#EXT-X-DISCONTINUITY"] * (number in breaks_at) + ["#EXTINF:2,", f"room1-{number}.ts"]
        body, look, at = "\n".join(lines).encode(), Look("live/room1", known), began + timedelta(seconds=after_s)
        told.append((framed(look, body), at))
        known = look.understood(body, at)
    return told


def test_a_list_that_never_slides_and_began_anew_is_back_a_few_seconds_later():
    """An encoder was killed after ten minutes and is back 6 s later; its list begins at 0 again, and goes on."""
    first = [(float(at_s), 0, 10 + at_s // 2, ()) for at_s in range(0, 600, 2)]
    stands = [(float(at_s), 0, 309, ()) for at_s in range(600, 606, 2)]
    second = [(606.0 + at_s, 0, 1 + at_s // 2, ()) for at_s in range(0, 60, 2)]
    told = playlists(*first, *stands, *second)
    assert changes("hls/one_evening", told, "live/room1") == [
        ("opened", "status"), ("dropped", "stall"), ("resumed", "status"),
    ]  # fmt: skip


def test_two_caches_of_one_list_drop_nothing_when_a_break_slides_out_of_the_newer_copy():
    looks = [
        (edge * 2.0 + older, edge - 5 - older, edge - older, [103]) for edge in range(100, 125) for older in (0, 1)
    ]
    assert changes("hls/one_evening", playlists(*looks), "live/room1") == [("opened", "status")]


def test_icecast_that_is_no_json_leaves_the_last_good_word_as_it_was():
    case = "icecast/one_evening"
    live = evening(case)[:3]
    spoilt = live[-1][0].replace(b'"genre":"test"', b'"genre":"test","title":-')
    assert spoilt != live[-1][0]
    told = seconds(live, (5, spoilt), (10, spoilt), (15, spoilt), (20, live[-1][0]))
    assert changes(case, told, "room1") == [("opened", "status")]


@pytest.mark.parametrize("case", ["zlmediakit/one_evening", "mediamtx/one_evening"])
def test_where_the_list_alone_is_no_proof_a_room_must_be_missed_twice(case: str):
    none, live = evening(case)[0][0], evening(case)[:2]
    once = seconds(live, (2, none), (4, live[1][0]), (6, none), (8, live[1][0]))
    assert changes(case, once, "live/room1") == [("opened", "status")]
    assert changes(case, seconds(live, (2, none), (4, none)), "live/room1")[1:] == [("dropped", "absent")]


@pytest.mark.parametrize(
    ("case", "moves", "row", "stall_s"),
    [
        ("srs/one_evening", b'"recv_bytes":204368', b'"recv_bytes":%d', 10),
        ("node_media_server/one_evening", b'"inBytes":154740', b'"inBytes":%d', 10),
        ("mediamtx/one_evening", b'"inboundBytes":17280033', b'"inboundBytes":%d', 15),
    ],
)
def test_totals_that_fall_are_a_new_epoch_and_no_stall_and_those_that_stand_are_one(
    case: str, moves: bytes, row: bytes, stall_s: int
):
    """Polled each 5 s."""
    down, live = evening(case)[:2]
    assert moves in live[0]
    lower = [live[0].replace(moves, row % bytes_in) for bytes_in in (900, 500, 900, 100, 200)]
    told = seconds([down, live], *((5.0 * number, frame) for number, frame in enumerate(lower, 1)))
    assert changes(case, told, "live/room1") == [("opened", "status")]
    still = [(float(after_s), live[0]) for after_s in range(5, stall_s + 1, 5)]
    assert changes(case, seconds([down, live], *still[:-1]), "live/room1") == [("opened", "status")]
    assert changes(case, seconds([down, live], *still), "live/room1")[1:] == [("dropped", "stall")]


def test_srs_that_started_anew_between_two_polls_was_away_and_its_encoders_are_back():
    case = "srs/one_evening"
    down, live = evening(case)[:2]
    anew = live[0].replace(b"g191u926", b"x7k2p0aa").replace(b"15w61lf2", b"90w6zz01").replace(b"204368", b"1200")
    told = seconds([down, live], (5, anew), (10, anew.replace(b"1200", b"9000")))
    assert changes(case, told, "live/room1") == [("opened", "status"), ("dropped", "reconnect"), ("resumed", "status")]


def test_a_second_publisher_whom_srs_has_not_yet_cut_off_is_neither_a_viewer_nor_a_session():
    case = "srs/one_evening"
    down, live = evening(case)[:2]
    client = b'{"id":"15w61lf2"'
    second = live[0].replace(
        client, b'{"id":"3386749x","stream":"vid-31y4425","publish":true,"ip":"127.0.0.1"},' + client
    )
    assert second.count(b'"publish":true') == live[0].count(b'"publish":true') + 1
    assert changes(case, seconds([down, live], (5, second), (8, live[0])), "live/room1") == [("opened", "status")]
    row = msgspec.toml.decode((FEEDS / case / "feed.toml").read_bytes(), type=Feed)
    assert [tick.viewers for tick in cast(Collector, row).parse(second, live[1])] == [3, None]
