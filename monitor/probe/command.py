"""How ffprobe is asked for a few seconds of a room, and what it means that it answers so. Pure.

Source of the flags: ffmpeg.org/ffprobe.html and ffmpeg-protocols.html; what each costs is measured in docs/measured.md.
"""

from typing import Literal, NamedTuple, get_args

import msgspec

from collectors.probed_row import PROBE_MARK, Protocol

PROGRAM = "ffprobe"
READ_US_MAX = 4_000_000  # without an end ffprobe waits for ever for a stream that is missing or frozen
LOOK_S: dict[Protocol, int] = {"rtmp": 8, "http": 8, "hls": 12}  # longer than most key frames or segments are apart
LOOK_BYTES_MAX = 16_000_000  # of that: 16 Mbit/s
SHORT_S = 0.5  # the last packet of a look lies before its end
WAITED_S_MIN = 2.5  # what came sooner as a whole may all be old: many servers keep what came since the last key frame
OUTPUT_BYTES_MAX = 512 * 1024
UNREACHABLE = (b"connection refused", b"failed to resolve", b"unreachable", b"no route", b"connection timed out")
NOTHING = (b"input/output error", b"404 not found", b"end of file")

Outcome = Literal[
    "moving", "sound_only", "picture_stands", "nothing", "unreachable", "unsure", "failed", "timeout", "no_program",
    "shed",
]  # fmt: skip
"""`moving`: pictures came, and went on coming. `sound_only`: no picture at all. `picture_stands`: pictures ended while
sound went on. `nothing`: no packet, or only such as the server had kept; of RTMP that is a source that is frozen, or
gone. `unsure`: all came at once, so that nothing shows whether more would. `failed`: the server will not have a player
of ours, or ffprobe did not answer what can be read. `timeout`: it was ended. `shed`: nobody looked."""

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


class Ran(NamedTuple):
    """What became of a child. `ended` is why it was, where it did not end by itself."""

    code: int
    output: bytes
    errors: bytes
    took_s: float
    ended: Literal["", "timeout", "too_large", "no_program"] = ""


class Packet(msgspec.Struct, frozen=True):
    codec_type: str = ""
    dts_time: str = ""


class Packets(msgspec.Struct, frozen=True):
    packets: list[Packet] = []


def command(address: str, protocol: Protocol) -> list[str]:
    """The arguments that look at this address, each of them one argument: no shell ever reads it.

    It looks for streams as long as it looks at them: what comes later than that it never shows, and nginx-rtmp begins
    with sound, until the next key frame.
    """
    marks = ["-user_agent", PROBE_MARK, "-referer", PROBE_MARK]
    if protocol == "rtmp":
        marks = ["-rtmp_flashver", PROBE_MARK, "-rtmp_pageurl", PROBE_MARK, "-rtmp_live", "live"]
    elif protocol == "hls":  # begin with the newest segment, and take a list that stands for what it is
        marks += ["-live_start_index", "-1", "-m3u8_hold_counters", "6"]
    return [
        PROGRAM, "-v", "error", "-rw_timeout", str(READ_US_MAX),
        "-analyzeduration", str(LOOK_S[protocol] * 1_000_000), "-probesize", str(LOOK_BYTES_MAX),
        "-protocol_whitelist", "rtmp,rtmps,rtmpt,http,https,tcp,tls,crypto", *marks,
        "-read_intervals", f"%+{LOOK_S[protocol]}", "-show_entries", "packet=codec_type,dts_time",
        "-of", "json=compact=1", "-i", address,
    ]  # fmt: skip


def outcome_of(ran: Ran, address: str, protocol: Protocol) -> Outcome:
    """What a look at this address has shown."""
    if ran.ended:
        return "failed" if ran.ended == "too_large" else ran.ended
    try:
        packets = msgspec.json.decode(ran.output or b"{}", type=Packets).packets
        times = {kind: _times(packets, kind) for kind in ("video", "audio")}
    except (msgspec.DecodeError, ValueError):
        return "failed"
    if not any(times.values()):
        return _without_packets(ran, address)
    every = [*times["video"], *times["audio"]]
    seen_s = max(every) - min(every)
    if seen_s < LOOK_S[protocol] - SHORT_S:
        return "nothing"
    if ran.took_s < WAITED_S_MIN:
        return "unsure"
    if not times["video"]:
        return "sound_only"
    return "picture_stands" if max(every) - max(times["video"]) > seen_s / 2 else "moving"


def _times(packets: list[Packet], kind: str) -> list[float]:
    return [
        float(packet.dts_time) for packet in packets if packet.codec_type == kind and packet.dts_time not in ("", "N/A")
    ]


def _without_packets(ran: Ran, address: str) -> Outcome:
    """Its words are looked at and go no further: they hold the address, which is anybody's text and may hold a key."""
    words = ran.errors.replace(address.encode("utf-8", "surrogateescape"), b"").lower()
    if any(word in words for word in UNREACHABLE):
        return "unreachable"
    return "nothing" if ran.code == 0 or any(word in words for word in NOTHING) else "failed"
