"""Writes and reads the packets of Bilibili's message sockets: a header of 16 bytes, big-endian, every length checked.

One message of the socket holds one packet or several. A compressed packet holds several again, and never another
compressed one: what claims to, or grows beyond all measure, is refused before it has grown.
"""

import struct
import zlib
from collections.abc import Iterator

import brotli
import msgspec

from .collector import BadFrame

HEADER = struct.Struct(">IHHII")  # length with the header, length of the header, version, operation, sequence
PLAIN, CONTROL, ZLIB, BROTLI = range(4)  # versions: what the body is
HEARTBEAT, HEARTBEAT_REPLY, MESSAGE, AUTH, AUTH_REPLY = 2, 3, 5, 7, 8  # operations
MESSAGE_BYTES_MAX = 1_048_576
INFLATED_BYTES_MAX = 1_048_576  # of all compressed packets of one message together
RATIO_MAX = 250  # JSON shrinks ten- or twentyfold; bombs shrink a thousandfold and more
INFLATED_FREE_BYTES = 65_536  # so much a packet may grow to whatever its ratio: tiny ones say little
PACKETS_MAX = 1_024  # of one message, inner ones among them
POPULARITY_BYTES = 4


class Packet(msgspec.Struct, frozen=True):
    """One packet, out of its compression. Operations that we do not know are there, too."""

    operation: int
    body: bytes = b""
    version: int = CONTROL
    sequence: int = 1


def encode(packet: Packet) -> bytes:
    """The packet as clients send it, uncompressed: none of them compresses."""
    length = HEADER.size + len(packet.body)
    return HEADER.pack(length, HEADER.size, packet.version, packet.operation, packet.sequence) + packet.body


def decode(data: bytes) -> list[Packet]:
    """All packets of one message of the socket, in order. Raises BadFrame, and nothing else, whatever it is."""
    if len(data) > MESSAGE_BYTES_MAX:
        raise BadFrame(f"bilibili: a message over {MESSAGE_BYTES_MAX} bytes")
    found: list[Packet] = []
    room = INFLATED_BYTES_MAX
    for packet in _packets(data):
        if packet.version not in (ZLIB, BROTLI):
            _add(found, packet)
            continue
        inflated = _inflated(packet, room)
        room -= len(inflated)
        for inner in _packets(inflated):
            if inner.version in (ZLIB, BROTLI):
                raise BadFrame("bilibili: a compressed packet within a compressed one")
            _add(found, inner)
    return found


def _add(found: list[Packet], packet: Packet) -> None:
    if len(found) >= PACKETS_MAX:
        raise BadFrame(f"bilibili: more than {PACKETS_MAX} packets in one message")
    found.append(packet)


def _packets(data: bytes) -> Iterator[Packet]:
    """The packets that lie side by side in these bytes, which are empty of anything else."""
    at = 0
    if not data:
        raise BadFrame("bilibili: a message without a packet")
    while at < len(data):
        if len(data) - at < HEADER.size:
            raise BadFrame("bilibili: a header that is cut short")
        length, header, version, operation, sequence = HEADER.unpack_from(data, at)
        if header != HEADER.size:
            raise BadFrame("bilibili: a header of another length than 16")
        if not HEADER.size <= length <= len(data) - at:
            raise BadFrame("bilibili: a length that leads out of the message")
        if version > BROTLI:
            raise BadFrame("bilibili: a packet of no known version")
        body = data[at + HEADER.size : at + length]
        at += length
        if operation == HEARTBEAT_REPLY and version <= CONTROL:
            if len(body) < POPULARITY_BYTES:
                raise BadFrame("bilibili: a heartbeat's reply that is cut short")
            at = len(data)  # what we had sent comes back behind it, and its length does not count that
        yield Packet(operation, body, version, sequence)


def _inflated(packet: Packet, room: int) -> bytes:
    """The packets within, at most as many bytes as there is `room` for: nothing grows further than that."""
    most = min(room, max(INFLATED_FREE_BYTES, RATIO_MAX * len(packet.body)))
    try:
        data, whole = (_unzipped if packet.version == ZLIB else _unbrotlied)(packet.body, most)
    except (zlib.error, brotli.error) as error:
        raise BadFrame("bilibili: a compressed packet that is damaged") from error
    if len(data) > most:
        raise BadFrame(f"bilibili: a compressed packet that grows beyond {most} bytes")
    if not whole:
        raise BadFrame("bilibili: a compressed packet that is cut short, or followed by something")
    return data


def _unzipped(body: bytes, most: int) -> tuple[bytes, bool]:
    reader = zlib.decompressobj()
    data = reader.decompress(body, most + 1)
    return data, reader.eof and not reader.unused_data


def _unbrotlied(body: bytes, most: int) -> tuple[bytes, bool]:
    """It stops at the first block of output that goes beyond the limit, of which no block is more than as big again."""
    reader = brotli.Decompressor()
    data: bytes = reader.process(body, output_buffer_limit=most + 1)
    return data, reader.is_finished()
