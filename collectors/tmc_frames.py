"""Writes and reads the binary frames of Taobao's message channel (TMC): little-endian, every length checked.

A frame is a version, a type, and headers until a zero one. What the platform says stands in custom headers by name.
"""

import struct
from collections.abc import Mapping

import msgspec

from .collector import BadFrame

VERSION = 2
CONNECT, CONNECTACK, SEND, SENDACK = range(4)
TYPES = range(4)
END, CUSTOM, STATUS, PHRASE, FLAG, TOKEN = range(6)  # headers
VOID, STRING, BYTE, INT16, INT32, INT64, DATE, BYTES = range(8)  # values
PULL_REQUEST, CONFIRM, FAILED = 1, 2, 20  # what `__kind` says of a SEND or SENDACK
FRAME_BYTES_MAX = 1_048_576
FIELDS_MAX = 256

# How wide each kind of integer is; a date is one, too: milliseconds since 1970.
WIDTHS = {BYTE: "<b", INT16: "<h", INT32: "<i", INT64: "<q", DATE: "<q"}

Value = int | str | bytes | None


class TmcFrame(msgspec.Struct, frozen=True):
    """One frame. The headers that have no name of their own are `fields`; dates among them are integers."""

    type: int
    fields: dict[str, Value]
    token: str = ""
    status: int = 0
    phrase: str = ""
    flag: int = 0


def encode(frame: TmcFrame) -> bytes:
    """The frame as the platform's own clients write it: what is zero or empty is left out, integers are narrow."""
    parts = [struct.pack("<BB", VERSION, frame.type)]
    if frame.status:
        parts.append(struct.pack("<hi", STATUS, frame.status))
    if frame.phrase:
        parts += [struct.pack("<h", PHRASE), counted(frame.phrase.encode())]
    if frame.flag:
        parts.append(struct.pack("<hi", FLAG, frame.flag))
    if frame.token:
        parts += [struct.pack("<h", TOKEN), counted(frame.token.encode())]
    for name, value in frame.fields.items():
        parts += [struct.pack("<h", CUSTOM), counted(name.encode()), value_bytes(value)]
    parts.append(struct.pack("<h", END))
    return b"".join(parts)


def send(token: str, fields: Mapping[str, Value]) -> bytes:
    """A SEND of ours, as it goes after CONNECTACK has given the token."""
    return encode(TmcFrame(SEND, dict(fields), token))


def pull_request(token: str) -> bytes:
    return send(token, {"__kind": PULL_REQUEST})


def confirmation(token: str, message_id: int) -> bytes:
    return send(token, {"__kind": CONFIRM, "id": message_id})


def counted(data: bytes) -> bytes:
    return struct.pack("<i", len(data)) + data


def value_bytes(value: Value) -> bytes:
    match value:
        case None:
            return bytes([VOID])
        case str():
            return bytes([STRING]) + counted(value.encode())
        case bytes():
            return bytes([BYTES]) + counted(value)
        case int():
            kind = narrowest(value)
            return bytes([kind]) + struct.pack(WIDTHS[kind], value)


def narrowest(value: int) -> int:
    bits = (value if value >= 0 else ~value).bit_length()
    return BYTE if bits < 8 else INT16 if bits < 16 else INT32 if bits < 32 else INT64


def decode(data: bytes) -> TmcFrame:
    """The frame that these bytes are, all of them. Raises BadFrame, and nothing else, whatever they are."""
    if len(data) > FRAME_BYTES_MAX:
        raise BadFrame(f"tmc: a frame over {FRAME_BYTES_MAX} bytes")
    reader = Reader(data)
    if reader.integer("<b") != VERSION:
        raise BadFrame("tmc: not a frame of protocol version 2")
    if (kind := reader.integer("<b")) not in TYPES:
        raise BadFrame("tmc: a frame of no known type")
    fields: dict[str, Value] = {}
    told: dict[str, int | str] = {}
    while header := reader.integer("<h"):
        if header == CUSTOM:
            put_once(fields, reader.text(), reader.value())
        elif header in (STATUS, FLAG):
            put_once(told, "status" if header == STATUS else "flag", reader.integer("<i"))
        elif header in (PHRASE, TOKEN):
            put_once(told, "phrase" if header == PHRASE else "token", reader.text())
        else:
            raise BadFrame("tmc: a header of no known kind")
    if reader.at != len(data):
        raise BadFrame("tmc: bytes behind the end of the headers")
    return TmcFrame(kind, fields, **told)  # type: ignore[arg-type]  # each name was put with its own type


def put_once[V](found: dict[str, V], name: str, value: V) -> None:
    """A name that stands twice could mean one thing to us and another to the platform."""
    if name in found:
        raise BadFrame("tmc: a header stands twice")
    if len(found) >= FIELDS_MAX:
        raise BadFrame(f"tmc: more than {FIELDS_MAX} headers")
    found[name] = value


class Reader:
    """Takes what is there, in order; whatever is not there is a BadFrame."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, length: int) -> bytes:
        end = self.at + length
        if length < 0 or end > len(self.data):
            raise BadFrame("tmc: a length that leads out of the frame")
        taken, self.at = self.data[self.at : end], end
        return taken

    def integer(self, width: str) -> int:
        (found,) = struct.unpack(width, self.take(struct.calcsize(width)))
        return int(found)

    def text(self) -> str:
        try:
            return self.take(self.integer("<i")).decode()
        except UnicodeDecodeError as error:
            raise BadFrame("tmc: text that is not UTF-8") from error

    def value(self) -> Value:
        kind = self.integer("<b")
        if kind in WIDTHS:
            return self.integer(WIDTHS[kind])
        if kind == STRING:
            return self.text()
        if kind == BYTES:
            return self.take(self.integer("<i"))
        if kind == VOID:
            return None
        raise BadFrame("tmc: a value of no known type")
