"""Reads what a server says over a WebSocket, frame by frame, without extensions: RFC 6455, 5.2 to 5.5.

A library's reader keeps some kilobytes for each connection that waits, and there are thousands that wait.
"""

from collections.abc import Iterator
from typing import NamedTuple

from .collector import BadFrame

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA  # opcodes
CONTROL = 0x8  # this bit of an opcode: of such frames none is long, and none is one of several
CONTROL_BYTES_MAX = 125
PARTS_MAX = 1_024  # of one message


class Told(NamedTuple):
    """A message as a whole, BINARY or TEXT as it began; or what stands in a CLOSE, a PING, a PONG."""

    opcode: int
    data: bytes


class ServerFrames:
    """Of one connection, from behind the greeting on. `bytes_max` is of a message, in all its frames together."""

    __slots__ = ("_bytes_max", "_kept", "_opcode", "_parts")

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._kept: bytearray | None = None  # of a frame that has not come as a whole
        self._opcode = CONTINUATION  # of the message of which these parts came
        self._parts: list[bytes] | None = None

    def take(self, data: bytes) -> Iterator[Told]:
        """What is whole now. Raises BadFrame, behind all that was good; nothing may be taken after that."""
        there: bytes | bytearray = data
        if self._kept is not None:
            self._kept += data
            there = self._kept
        at = 0
        while (found := _head(there, at)) is not None:
            first, begins, length = found
            self._check(first, length)
            if len(there) - begins < length:
                break
            at = begins + length
            if (told := self._told(first, bytes(there[begins:at]))) is not None:
                yield told
        self._kept = bytearray(there[at:]) if at < len(there) else None

    def _check(self, first: int, length: int) -> None:
        """Before a byte of it is waited for."""
        opcode, final = first & 0x0F, first & 0x80
        if first & 0x70:
            raise BadFrame("websocket: a frame of an extension that nobody asked for")
        if opcode & CONTROL:
            if opcode not in (CLOSE, PING, PONG):
                raise BadFrame("websocket: a frame of no known kind")
            if not final or length > CONTROL_BYTES_MAX:
                raise BadFrame("websocket: a control frame that is long, or one of several")
            return
        if opcode not in (CONTINUATION, TEXT, BINARY):
            raise BadFrame("websocket: a frame of no known kind")
        if (opcode == CONTINUATION) != (self._parts is not None):
            raise BadFrame("websocket: a message within another one, or the middle of none")
        known = self._parts or ()
        if sum(map(len, known)) + length > self._bytes_max or len(known) >= PARTS_MAX:
            raise BadFrame(f"websocket: a message over {self._bytes_max} bytes, or of over {PARTS_MAX} frames")

    def _told(self, first: int, data: bytes) -> Told | None:
        opcode, final = first & 0x0F, first & 0x80
        if opcode & CONTROL:
            return Told(opcode, data)
        if self._parts is None:
            if final:
                return Told(opcode, data)
            self._opcode, self._parts = opcode, []
        self._parts.append(data)
        if not final:
            return None
        whole, self._parts = b"".join(self._parts), None
        return Told(self._opcode, whole)


def _head(there: bytes | bytearray, at: int) -> tuple[int, int, int] | None:
    """The first byte of the frame that begins here, where its data begins, and how long that is; None: not here yet."""
    begins = at + 2
    if len(there) < begins:
        return None
    length = there[at + 1]
    if length & 0x80:
        raise BadFrame("websocket: a server that masks what it says")
    if length > 125:
        begins += 2 if length == 126 else 8
        if len(there) < begins:
            return None
        length = int.from_bytes(there[at + 2 : begins])
    return there[at], begins, length
