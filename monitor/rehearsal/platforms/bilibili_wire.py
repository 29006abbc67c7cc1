"""Bilibili's packets as the played platform reads and writes them: by the catalogue's words, by no code of collectors'.

Slow and plain on purpose: numbers are put together byte by byte, so that no mistake of the product's is made twice.
"""

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
        if read(message[4:6]) != 16:
            raise ValueError("another header than of 16 bytes")
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
