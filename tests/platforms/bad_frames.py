"""What may come over a socket (W1 to W12 of the reliability page), byte for byte, and what becomes of it."""

from typing import NamedTuple

from monitor.rehearsal.platforms.bilibili_wire import Spoken, written

from .bad_answers import TRAP


def frame(first: int, payload: bytes) -> bytes:
    """As a server sends one, however long: RFC 6455, 5.2."""
    length = len(payload)
    if length < 126:
        return bytes([first, length]) + payload
    return bytes([first, 126]) + length.to_bytes(2) + payload


class Wire(NamedTuple):
    """`ends`: how the loss of the connection is called; empty: it goes on. `kept`: a person sees what came.

    `broken`: it is no WebSocket's frame. The library closes then; where we read frames ourselves it is called so.
    """

    said: bytes
    ends: str = "closed"
    kept: bool = False
    broken: bool = False

    def called(self, kind: str) -> str:
        return "bad_frame" if self.broken and kind in READ_BY_US else self.ends


READ_BY_US = ("bilibili_open",)


FRAGMENTS = frame(0x01, b"0" * 4_096) + frame(0x00, b"0" * 4_096) * 300
# A field of bytes whose length is a number of eleven bytes: what reads it believes in a length that nobody could send.
PROTOBUF = frame(0x82, b"\x0a" + b"\xff" * 11 + b"\x01")

FAULTS: dict[str, Wire] = {
    "W1 a frame of a gigabyte": Wire(b"\x81\x7f" + (1 << 30).to_bytes(8) + b"{", broken=True),
    "W1 a frame of half of all": Wire(b"\x82\x7f" + (1 << 62).to_bytes(8), broken=True),
    "W2 compressed without having agreed": Wire(b"\xc1\x02\x4b\x04", broken=True),
    "W3 fragments without end": Wire(FRAGMENTS, broken=True),
    "W3 more fragments than anybody needs, of nothing": Wire(frame(0x01, b"{") + frame(0x00, b"") * 5_000, broken=True),
    "W4 not UTF-8": Wire(b"\x81\x02\xff\xfe", broken=True),
    "W4 a reserved opcode": Wire(b"\x83\x00", broken=True),
    "W4 masked by the server": Wire(b"\x81\x81\x00\x00\x00\x000", broken=True),
    "W4 a fragment of nothing": Wire(b"\x80\x00", broken=True),
    "W5 pings, and pongs that nobody asked for": Wire(b"\x89\x00" * 10_000 + b"\x8a\x04abcd" * 10_000, ends=""),
    "W11 a close of one byte": Wire(b"\x88\x010"),
    "W11 a close without sense": Wire(b"\x88\x02\x03\xe7"),
    "W11 a close with a long reason": Wire(frame(0x88, b"\x03\xe8" + b"x" * 5_000), broken=True),
    "W11 a close without a word": Wire(b"\x88\x00"),
}
OF_ONE: dict[str, dict[str, Wire]] = {
    "ws_json": {"W9 not even JSON": Wire(PROTOBUF, ends="", kept=True)},
    "twitch_eventsub": {"W9 not even JSON": Wire(PROTOBUF, ends="", kept=True)},
    "bilibili_open": {
        "W9 no packet": Wire(PROTOBUF, ends="bad_frame"),
        "W7 a packet of no length": Wire(frame(0x82, bytes(16)), ends="bad_frame"),
        "W10 as many as four bytes hold": Wire(frame(0x82, written(Spoken(3, b"\xff\xff\xff\xff", 1, 1))), ends=""),
    },
}
"""What is of one kind's own language."""

DOORS: dict[str, tuple[bytes, str]] = {
    "W12 no switch": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "http_status"),
    "W12 to another host": (
        b"HTTP/1.1 302 Found\r\nLocation: ws://" + TRAP + b"/\r\nContent-Length: 0\r\n\r\n",
        "http_status",
    ),
    "W12 a false key": (
        b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
        "connect",
    ),
}
"""In the place of a handshake, and how that is called."""
