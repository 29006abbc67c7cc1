"""Bilibili's packets: two readers agree on ten thousand of them, and nothing but BadFrame comes of whatever else."""

import random
import time
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import bilibili_frames
from collectors.bilibili_frames import (
    BROTLI,
    INFLATED_BYTES_MAX,
    MESSAGE_BYTES_MAX,
    PACKETS_MAX,
    ZLIB,
    Packet,
    decode,
    encode,
)
from collectors.collector import BadFrame
from monitor.rehearsal.platforms.bilibili_wire import Spoken, bundled, number, spoken, written

SHRINK: dict[int, Callable[[bytes], bytes]] = {
    ZLIB: lambda data: zlib.compress(data, 9),
    BROTLI: lambda data: brotli.compress(data, quality=5),
}


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


def told(packets: list[Packet]) -> list[Spoken]:
    return [Spoken(packet.operation, packet.body, packet.version, packet.sequence) for packet in packets]


def test_a_header_is_the_catalogues_bytes() -> None:
    assert encode(Packet(2)) == bytes.fromhex("00000010 0010 0001 00000002 00000001")
    assert encode(Packet(7, b'{"roomid":1}')) == bytes.fromhex("0000001c 0010 0001 00000007 00000001") + b'{"roomid":1}'


def test_two_readers_and_two_writers_agree_on_ten_thousand_packets() -> None:
    chance, heard, versions = random.Random(20261128), 0, set[int]()
    while heard < 10_000:
        message, said = any_message(chance)
        assert told(decode(message)) == said == spoken(message)
        for packet in said:
            ours = encode(Packet(packet.operation, packet.body, packet.version, packet.sequence))
            assert ours == written(packet)
            assert spoken(ours) == [packet]
        heard += len(said)
        versions.add(message[7])
    assert versions == {0, 1, 2, 3}


def test_what_the_client_had_sent_comes_back_behind_a_heartbeats_reply_and_is_not_read() -> None:
    reply = Spoken(3, b"\0\0\0\1", 1, 1)
    assert told(decode(written(reply) + b"[object Object]")) == [reply]


PLAIN = Spoken(5, b'{"cmd":"x"}', 0, 0)
GOOD = written(PLAIN)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "without a packet"),
        (GOOD[:15], "cut short"),
        (GOOD[:-1], "leads out"),
        (GOOD + b"\0", "cut short"),
        (number(0, 4) + GOOD[4:], "leads out"),
        (number(15, 4) + GOOD[4:], "leads out"),
        (number(2**32 - 1, 4) + GOOD[4:], "leads out"),
        (number(len(GOOD) - 3, 4) + GOOD[4:], "cut short"),
        (GOOD[:4] + number(15, 2) + GOOD[6:], "another length"),
        (GOOD[:4] + number(65_535, 2) + GOOD[6:], "another length"),
        (GOOD[:6] + number(4, 2) + GOOD[8:], "no known version"),
        (written(Spoken(3, b"\0\0\0", 1, 1)), "reply that is cut short"),
        (bytes(MESSAGE_BYTES_MAX + 1), "a message over"),
        (GOOD * (PACKETS_MAX + 1), "more than 1024"),
    ],
)
def test_what_is_no_message_is_told_so(message: bytes, reason: str) -> None:
    with pytest.raises(BadFrame, match=reason):
        decode(message)


@pytest.mark.parametrize("version", [ZLIB, BROTLI])
@pytest.mark.parametrize(
    ("body_of", "reason"),
    [
        (lambda shrink: shrink(GOOD)[:-3], "cut short|damaged"),
        (lambda shrink: shrink(GOOD) + b"more", "followed by something|damaged"),
        (lambda shrink: b"", "cut short"),
        (lambda shrink: b"\xff" * 40, "damaged"),
        (lambda shrink: shrink(b""), "without a packet"),
        (lambda shrink: shrink(GOOD[:-1]), "leads out"),
        (lambda shrink: shrink(number(0, 4) + GOOD[4:]), "leads out"),
        (lambda shrink: shrink(bundled([PLAIN], ZLIB)), "within a compressed one"),
        (lambda shrink: shrink(bundled([PLAIN], BROTLI)), "within a compressed one"),
        (lambda shrink: shrink(GOOD * (PACKETS_MAX + 1)), "more than 1024"),
    ],
)
def test_what_is_wrong_within_a_compressed_packet_is_told_so(version: int, body_of, reason: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BadFrame, match=reason):
        decode(written(Spoken(5, body_of(SHRINK[version]), version, 0)))


@pytest.mark.parametrize("version", [ZLIB, BROTLI])
def test_a_thousand_packets_in_one_are_heard(version: int) -> None:
    assert told(decode(bundled([PLAIN] * 1_000, version))) == [PLAIN] * 1_000


BOMBS = (
    "64 MiB of zeros, zlib",
    "64 MiB of zeros, brotli",
    "64 MiB behind a true packet",
    "many small ones side by side",
    "zlib within brotli",
    "over the limit at a modest ratio",
)


@cache
def bombs() -> dict[str, bytes]:
    zeros = bytes(64 << 20)
    once = {version: shrink(zeros) for version, shrink in SHRINK.items()}
    small = bundled([Spoken(5, b" " * 60_000, 0, 0)], ZLIB)
    noise = b"".join(number(random.Random(7).getrandbits(32), 4) + bytes(60) for _ in range(12_000))
    return {
        "64 MiB of zeros, zlib": written(Spoken(5, once[ZLIB], ZLIB, 0)),
        "64 MiB of zeros, brotli": written(Spoken(5, once[BROTLI], BROTLI, 0)),
        "64 MiB behind a true packet": GOOD + written(Spoken(5, once[BROTLI], BROTLI, 0)),
        "many small ones side by side": small * 300,
        "zlib within brotli": written(Spoken(5, SHRINK[BROTLI](written(Spoken(5, once[ZLIB], ZLIB, 0))), BROTLI, 0)),
        "over the limit at a modest ratio": written(Spoken(5, zlib.compress(noise * 2, 1), ZLIB, 0)),
    }


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_at_the_cap(name: str) -> None:
    bomb = bombs()[name]
    assert set(bombs()) == set(BOMBS)
    assert len(bomb) <= MESSAGE_BYTES_MAX, "the socket itself would have refused it"
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises(BadFrame):
        decode(bomb)
    took, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * INFLATED_BYTES_MAX
    assert took < 2.0


@pytest.mark.parametrize("version", [ZLIB, BROTLI])
def test_a_small_body_may_not_grow_a_thousandfold(version: int) -> None:
    grown = written(Spoken(5, b" " * 600_000, 0, 0))
    with pytest.raises(BadFrame, match="grows beyond"):
        decode(written(Spoken(5, SHRINK[version](grown), version, 0)))


def test_the_limits_leave_room_for_what_is_true() -> None:
    """A burst of gifts in JSON, as it may come at the height of an evening."""
    gift = b'{"cmd":"LIVE_OPEN_PLATFORM_SEND_GIFT","data":{"room_id":5,"gift_name":"\xe7\x81\xab","msg_id":"%d"}}'
    burst = [Spoken(5, gift % number, 0, 0) for number in range(1_000)]
    for version in (ZLIB, BROTLI):
        assert told(decode(bundled(burst, version))) == burst


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=80), st.binary(max_size=80).map(lambda rest: GOOD[:6] + rest)))
def test_of_any_bytes_nothing_comes_but_packets_or_bad_frame(data: bytes) -> None:
    with suppress(BadFrame):
        assert all(len(packet.body) <= len(data) for packet in decode(data))


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False), st.data())
def test_a_message_that_is_cut_or_turned_is_packets_or_bad_frame(chance: random.Random, data: st.DataObject) -> None:
    message = bytearray(bundled([any_packet(chance)], data.draw(st.sampled_from([ZLIB, BROTLI]))))
    with pytest.raises(BadFrame):
        decode(bytes(message[: data.draw(st.integers(0, len(message) - 1))]))
    message[data.draw(st.integers(0, len(message) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(BadFrame):
        decode(bytes(message))


def test_the_limits_are_those_of_the_page_of_bad_inputs() -> None:
    """W6: 1 MiB inflated. W8: depth 1, 1,024 packets."""
    assert (bilibili_frames.INFLATED_BYTES_MAX, bilibili_frames.PACKETS_MAX) == (1_048_576, 1_024)
