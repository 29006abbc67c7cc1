"""How ffprobe is asked, and what its answers mean; the answers are as ffprobe 7.1 gives them."""

from itertools import pairwise

import msgspec
import pytest

from collectors.probed_row import PROBE_MARK, Protocol
from monitor.probe.command import LOOK_S, OUTPUT_BYTES_MAX, Outcome, Ran, command, outcome_of

ADDRESS = "rtmp://10.0.0.7/live/room1?token=canary"


def packets(video_s: float, audio_s: float, video_step_s: float = 0.2, video_from_s: float = 0.0) -> bytes:
    """So much of each, up to these seconds; as `-of json=compact=1` writes them."""
    told = [
        {"codec_type": kind, "dts_time": f"{24.2 + number * step_s:.6f}"}
        for kind, until_s, step_s, from_s in (
            ("video", video_s, video_step_s, video_from_s),
            ("audio", audio_s, 0.0464, 0),
        )
        for number in range(int(from_s / step_s), int(until_s / step_s))
    ]
    return msgspec.json.encode({"packets": told})


def ran(
    output: bytes = b'{\n    "packets": [\n\n    ]\n}\n', errors: bytes = b"", code: int = 0, took_s: float = 8.4
) -> Ran:
    return Ran(code, output, errors, took_s)


@pytest.mark.parametrize(
    ("child", "outcome"),
    [
        (ran(packets(8, 8)), "moving"),
        (ran(packets(8, 0)), "moving"),
        (ran(packets(8, 8, video_step_s=1.0)), "moving"),  # a slide show
        (ran(packets(8, 8, video_from_s=4.0)), "moving"),  # it waited for a key frame
        (ran(packets(0, 8)), "sound_only"),
        (ran(packets(0.2, 8)), "picture_stands"),
        (ran(packets(3, 8)), "picture_stands"),
        (ran(packets(4, 4)), "nothing"),  # what the server had kept, then no more until -rw_timeout
        (ran(packets(8, 8), took_s=1.7), "unsure"),  # it had kept so much that nothing more was waited for
        (ran(), "nothing"),
        (ran(b"", ADDRESS.encode() + b": Input/output error\n", 1), "nothing"),
        (ran(b"{\n\n}\n", b"http://h/x.flv: Server returned 404 Not Found\n", 1), "nothing"),
        (ran(b"", b"[tcp @ 0x5] Connection to tcp://127.0.0.1:9 failed: Connection refused\n", 1), "unreachable"),
        (ran(b"", b"[tcp @ 0x5] Failed to resolve hostname hall: Name or service not known\n", 1), "unreachable"),
        (ran(b"", b"http://h/x.flv: Server returned 403 Forbidden (access denied)\n", 1), "failed"),
        (ran(b"", b"Unrecognized option 'm3u8_hold_counters'.\n", 1), "failed"),
        (ran(b"", b"", -11), "failed"),
        (ran(b"not json"), "failed"),
        (ran(b"[]"), "failed"),
        (ran(b'{"packets": [{"codec_type": "video", "dts_time": "soon"}]}'), "failed"),
        (ran(b'{"packets": [{"codec_type": "video", "dts_time": "N/A"}, {"codec_type": "data"}]}'), "nothing"),
        (Ran(-1, b"", b"", 20.0, "timeout"), "timeout"),
        (Ran(-1, b"", b"", 1.0, "too_large"), "failed"),
        (Ran(-1, b"", b"", 0.0, "no_program"), "no_program"),
    ],
)
def test_what_a_look_has_shown(child: Ran, outcome: Outcome):
    assert outcome_of(child, ADDRESS, "rtmp") == outcome


def test_of_a_playlist_more_is_seen_than_its_newest_segment():
    assert outcome_of(ran(packets(10, 10)), ADDRESS, "hls") == "nothing"
    assert outcome_of(ran(packets(LOOK_S["hls"], LOOK_S["hls"])), ADDRESS, "hls") == "moving"


def test_a_room_that_is_named_like_an_error_is_none():
    address = "rtmp://h/live/connection refused"
    assert outcome_of(ran(b"", address.encode() + b": Input/output error", 1), address, "rtmp") == "nothing"


@pytest.mark.parametrize("protocol", ["rtmp", "http", "hls"])
def test_it_never_waits_for_ever_and_says_who_it_is(protocol: Protocol):
    asked = command(ADDRESS, protocol)
    told = dict(pairwise(asked))
    assert asked[0] == "ffprobe"
    assert (told["-rw_timeout"], told["-of"], told["-i"]) == ("4000000", "json=compact=1", ADDRESS)
    assert asked.count(ADDRESS) == 1
    marks = {"rtmp": ("-rtmp_flashver", "-rtmp_pageurl")}.get(protocol, ("-user_agent", "-referer"))
    assert [told[mark] for mark in marks] == [PROBE_MARK, PROBE_MARK]
    assert "file" not in told["-protocol_whitelist"]


def test_an_answer_of_its_whole_length_is_read():
    assert len(packets(LOOK_S["hls"], LOOK_S["hls"], video_step_s=1 / 120)) * 2 < OUTPUT_BYTES_MAX
