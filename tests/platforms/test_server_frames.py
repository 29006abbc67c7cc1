"""What servers say over a WebSocket, written by the library and read by us, in whatever pieces it comes."""

import random

import pytest
from websockets.frames import Close, Frame, Opcode

from collectors.collector import BadFrame
from collectors.server_frames import BINARY, CLOSE, PARTS_MAX, PING, PONG, TEXT, ServerFrames, Told

BYTES_MAX = 200_000
HEARD = [
    Told(BINARY, b"\0\1"), Told(TEXT, "直播间".encode()), Told(PING, b"p"), Told(BINARY, b""), Told(BINARY, b"x" * 125),
    Told(BINARY, b"y" * 126), Told(BINARY, b"z" * 65_535), Told(PONG, b""), Told(BINARY, b"w" * 65_536),
    Told(BINARY, b"b" * BYTES_MAX), Told(CLOSE, Close(1000, "维护").serialize()),
]  # fmt: skip


def said(opcode: int, data: bytes, fin: bool = True) -> bytes:
    return Frame(Opcode(opcode), data, fin).serialize(mask=False)


def read(data: bytes, cuts: list[int]) -> list[Told]:
    frames, found = ServerFrames(BYTES_MAX), list[Told]()
    for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        found += frames.take(data[begin:end])
    return found


def test_all_that_a_server_says_is_read() -> None:
    data = b"".join(said(told.opcode, told.data) for told in HEARD)
    assert read(data, []) == HEARD


@pytest.mark.parametrize("seed", range(20))
def test_in_whatever_pieces_it_comes(seed: int) -> None:
    chance = random.Random(seed)
    data = b"".join(said(told.opcode, told.data) for told in HEARD)
    assert read(data, sorted(chance.sample(range(len(data)), 200))) == HEARD


def test_byte_by_byte() -> None:
    short = HEARD[:6]
    data = b"".join(said(told.opcode, told.data) for told in short)
    assert read(data, list(range(1, len(data)))) == short


def test_a_message_in_parts_is_one_and_control_frames_may_stand_between_them() -> None:
    data = said(TEXT, b"a", False) + said(0, b"b", False) + said(PING, b"?") + said(0, b"c") + said(BINARY, b"d")
    assert read(data, [3]) == [Told(PING, b"?"), Told(TEXT, b"abc"), Told(BINARY, b"d")]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\xc2\0", "extension"),
        (b"\x82\x80abcd", "masks"),
        (b"\x83\0", "no known kind"),
        (b"\x8b\0", "no known kind"),
        (b"\x89\x7e\0\x7e", "control frame"),
        (b"\x09\0", "control frame"),
        (said(0, b"x"), "the middle of none"),
        (said(TEXT, b"x", False) + said(TEXT, b"y"), "within another"),
        (b"\x82\x7f" + (BYTES_MAX + 1).to_bytes(8), "over 200000 bytes"),
        (b"\x82\x7f" + b"\xff" * 8, "over 200000 bytes"),
        (said(TEXT, b"x" * 150_000, False) + b"\x80\x7f" + (50_001).to_bytes(8), "over 200000 bytes"),
        (said(TEXT, b"", False) + said(0, b"", False) * PARTS_MAX, "frames"),
    ],
)
def test_what_breaks_the_rules_ends_it_before_its_body_is_waited_for(data: bytes, what: str) -> None:
    """And what was good before that is heard."""
    there = ServerFrames(BYTES_MAX).take(said(BINARY, b"good") + data)
    assert next(there) == Told(BINARY, b"good")
    with pytest.raises(BadFrame, match=what):
        list(there)
