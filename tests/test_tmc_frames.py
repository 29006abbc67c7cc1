"""TMC's frames: byte for byte as published, and nothing but BadFrame from whatever else may come."""

import struct
import time
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import signing, tmc_frames
from collectors.collector import BadFrame
from collectors.tmc_frames import CONNECT, FRAME_BYTES_MAX, SEND, TmcFrame, Value, decode, encode
from monitor.rehearsal.platforms import taobao_tmc as fake

CONNECT_BYTES = bytes.fromhex(
    "02000100070000006170705f6b65790105000000313233343501000a00000067726f75705f6e616d65010700000064656661756c74"
    "01000900000074696d657374616d70010d000000313730303030303030303030300100040000007369676e01200000004233444236"
    "34414143363532314238334535314246303232433831444230323901000300000073646b0101000000780000"
)
PULL_BYTES = bytes.fromhex("0202050002000000746b0100060000005f5f6b696e6402010000")
CONFIRM_BYTES = bytes.fromhex("0202050002000000746b0100060000005f5f6b696e64020201000200000069640501000000000020000000")
SIGNED = {"app_key": "12345", "group_name": "default", "timestamp": "1700000000000"}
CONNECT_FIELDS: dict[str, Value] = {**SIGNED, "sign": "B3DB64AAC6521B83E51BF022C81DB029", "sdk": "x"}


def test_connect_is_the_published_bytes() -> None:
    assert signing.secret_wrapped(SIGNED, b"secret") == CONNECT_FIELDS["sign"]
    assert encode(TmcFrame(CONNECT, CONNECT_FIELDS)) == CONNECT_BYTES
    assert decode(CONNECT_BYTES) == TmcFrame(CONNECT, CONNECT_FIELDS)


def test_pull_and_confirm_are_the_published_bytes() -> None:
    assert tmc_frames.pull_request("tk") == PULL_BYTES
    assert tmc_frames.confirmation("tk", 9_007_199_254_740_993) == CONFIRM_BYTES
    assert decode(CONFIRM_BYTES) == TmcFrame(SEND, {"__kind": 2, "id": 9_007_199_254_740_993}, "tk")


def test_the_fake_platform_reads_and_writes_the_published_bytes_by_its_own_code() -> None:
    assert fake.read(CONNECT_BYTES) == {"type": 0, "token": "", **CONNECT_FIELDS}
    assert fake.frame(2, [fake.token_header("tk"), fake.named("__kind", 1)]) == PULL_BYTES
    confirm = [fake.token_header("tk"), fake.named("__kind", 2), fake.named("id", 9_007_199_254_740_993)]
    assert fake.frame(2, confirm) == CONFIRM_BYTES


def test_a_refusal_and_a_date_are_read() -> None:
    assert decode(fake.frame(1, [fake.status(1004), fake.phrase("签名错误")])) == TmcFrame(
        1, {}, status=1004, phrase="签名错误"
    )
    at_ms = 1_795_521_600_123
    assert decode(fake.frame(2, [fake.named("time", fake.Instant(at_ms))])).fields == {"time": at_ms}


@pytest.mark.parametrize("value", [0, 127, -128, 128, -129, 32_767, -32_768, 32_768, 2**31 - 1, -(2**31), 2**31, 2**62])
def test_integers_are_as_narrow_as_the_platforms_own_clients_write_them(value: int) -> None:
    assert encode(TmcFrame(SEND, {"n": value})) == fake.frame(2, [fake.named("n", value)])


VALUES = st.one_of(st.none(), st.text(max_size=40), st.binary(max_size=40), st.integers(-(2**63), 2**63 - 1))
FRAMES = st.builds(
    TmcFrame,
    st.integers(0, 3),
    st.dictionaries(st.text(max_size=12), VALUES, max_size=6),
    st.text(max_size=12),
    st.integers(-(2**31), 2**31 - 1),
    st.text(max_size=12),
    st.integers(-(2**31), 2**31 - 1),
)


@settings(max_examples=150, deadline=None)
@given(FRAMES)
def test_what_is_written_is_read_again(frame: TmcFrame) -> None:
    assert decode(encode(frame)) == frame


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.binary(max_size=120).map(lambda rest: b"\x02\x02" + rest)))
def test_of_any_bytes_nothing_comes_but_a_frame_or_bad_frame(data: bytes) -> None:
    frame = None
    with suppress(BadFrame):
        frame = decode(data)
    assert frame is None or decode(encode(frame)) == frame


@settings(max_examples=300, deadline=None)
@given(FRAMES, st.data())
def test_a_frame_that_is_cut_or_turned_is_a_frame_or_bad_frame(frame: TmcFrame, data: st.DataObject) -> None:
    raw = bytearray(encode(frame))
    cut = bytes(raw[: data.draw(st.integers(0, len(raw) - 1))])
    with pytest.raises(BadFrame):
        decode(cut)
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(BadFrame):
        decode(bytes(raw))


@pytest.mark.parametrize("length", [-1, -(2**31), 2**31 - 1, 40, 5])
@pytest.mark.parametrize("head", [b"\x01\0", b"\x05\0", b"\x03\0", b"\x01\0\x01\0\0\0n\x07", b"\x01\0\x01\0\0\0n\x01"])
def test_a_length_that_leads_out_of_the_frame_ends_it(head: bytes, length: int) -> None:
    with pytest.raises(BadFrame):
        decode(b"\x02\x02" + head + struct.pack("<i", length) + b"\0\0")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "leads out of"),
        (b"\x01\x02\0\0", "protocol version"),
        (b"\x02\x04\0\0", "no known type"),
        (b"\x02\x02\x06\0\0\0", "header of no known kind"),
        (b"\x02\x02\xff\xff\0\0", "header of no known kind"),
        (b"\x02\x02\0\0\0", "bytes behind"),
        (b"\x02\x02\x01\0\x01\0\0\0n\x08\0\0", "value of no known type"),
        (b"\x02\x02" + 2 * fake.named("id", 1) + b"\0\0", "stands twice"),
        (b"\x02\x01" + 2 * fake.status(1) + b"\0\0", "stands twice"),
        (b"\x02\x02\x01\0\x02\0\0\0\xff\xfe\0\0\0", "not UTF-8"),
        (b"\x02\x02" + b"".join(fake.named(str(n), 1) for n in range(300)) + b"\0\0", "more than 256"),
        (b"\x02\x02" + bytes(FRAME_BYTES_MAX), "a frame over"),
    ],
)
def test_what_is_no_frame_is_said(data: bytes, reason: str) -> None:
    with pytest.raises(BadFrame, match=reason):
        decode(data)


def test_the_largest_frame_costs_little_time_and_memory() -> None:
    many = b"\x02\x02" + b"".join(fake.named(str(n), 1) for n in range(100_000))
    whole = b"\x02\x02" + fake.named("content", "x" * (FRAME_BYTES_MAX - 40)) + b"\0\0"
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(BadFrame):
        decode(many[:FRAME_BYTES_MAX])
    assert len(str(decode(whole).fields["content"])) == FRAME_BYTES_MAX - 40
    took_s, peak = time.process_time() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert took_s < 0.5
    assert peak < 8 * FRAME_BYTES_MAX
