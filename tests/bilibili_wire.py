"""Bilibili's packets by the catalogue's words alone: a second reader and writer, which use no code of the product's.

Slow and plain on purpose: numbers are put together byte by byte, so that no mistake of the product's is made twice.
"""

import random
import zlib
from typing import NamedTuple

import brotli


class Spoken(NamedTuple):
    """One packet, as both readers tell it."""

    operation: int
    body: bytes
    version: int
    sequence: int


def number(value: int, width: int) -> bytes:
    """Big-endian: the highest byte first."""
    return bytes((value >> 8 * place) & 0xFF for place in reversed(range(width)))


def read(data: bytes) -> int:
    value = 0
    for byte in data:
        value = value * 256 + byte
    return value


def written(packet: Spoken) -> bytes:
    head = number(16 + len(packet.body), 4) + number(16, 2) + number(packet.version, 2)
    return head + number(packet.operation, 4) + number(packet.sequence, 4) + packet.body


def bundled(packets: list[Spoken], version: int) -> bytes:
    """A message of version 2 or 3: packets with their own headers, compressed as one body."""
    inner = b"".join(written(packet) for packet in packets)
    body = zlib.compress(inner) if version == 2 else brotli.compress(inner, quality=3)
    return written(Spoken(5, body, version, 0))


def spoken(message: bytes) -> list[Spoken]:
    """What a message says: its packets in order, those out of compressed ones in their places."""
    found: list[Spoken] = []
    while message:
        length, version, operation = read(message[0:4]), read(message[6:8]), read(message[8:12])
        assert read(message[4:6]) == 16
        packet = Spoken(operation, message[16:length], version, read(message[12:16]))
        message = message[length:]
        if version == 2:
            found += spoken(zlib.decompress(packet.body))
        elif version == 3:
            found += spoken(brotli.decompress(packet.body))
        else:
            found.append(packet)
            if operation == 3:  # popularity; then what the client had sent, which no length counts
                break
    return found


def any_packet(chance: random.Random) -> Spoken:
    """One packet of a client or of the server, as the catalogue's tables have them."""
    kind = chance.randrange(6)
    sequence = chance.choice([0, 1, 2**32 - 1, chance.randrange(2**32)])
    if kind == 0:
        return Spoken(2, b"", 1, sequence)
    if kind == 1:
        return Spoken(7, b'{"roomid":%d,"protover":%d}' % (chance.randrange(2**33), chance.randrange(4)), 1, sequence)
    if kind == 2:
        return Spoken(8, b'{"code":0}', chance.choice([0, 1]), sequence)
    text = "".join(chance.choice('弹幕礼物"{}:,0123456789abc 舰长') for _ in range(chance.randrange(200)))
    return Spoken(5, text.encode(), 0, sequence)


def any_message(chance: random.Random) -> tuple[bytes, list[Spoken]]:
    """A message as the server may send it, and what it says."""
    kind, packets = chance.randrange(5), [any_packet(chance) for _ in range(chance.randrange(1, 8))]
    if kind == 0:
        reply = Spoken(3, number(chance.choice([0, 1, 2**31, 2**32 - 1]), 4), 1, 1)
        return written(reply) + chance.choice([b"", b"[object Object]"]), [reply]
    if kind in (2, 3):
        return bundled(packets, kind), packets
    if kind == 4:  # side by side with a compressed one
        more = [any_packet(chance) for _ in range(2)]
        return written(packets[0]) + bundled(more, chance.choice([2, 3])), [packets[0], *more]
    return b"".join(written(packet) for packet in packets), packets
