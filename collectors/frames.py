"""The file format of recorded frames: one JSON object per line, an instant and the bytes that came."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec


class Recorded(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One line. Text frames stand as they are, for eyes and diffs; other bytes stand as base64 in `frame_b64`."""

    at: datetime
    frame: str | None = None
    frame_b64: bytes | None = None


def encode_line(frame: bytes, at: datetime) -> bytes:
    """One line of a recording, with its newline."""
    try:
        recorded = Recorded(at, frame.decode())
    except UnicodeDecodeError:
        recorded = Recorded(at, None, frame)
    return msgspec.json.encode(recorded) + b"\n"


def decode_lines(lines: Iterable[bytes]) -> Iterator[tuple[bytes, datetime]]:
    """The frames of a recording with their instants; `ValueError` names the line that is none."""
    decode = msgspec.json.Decoder(Recorded).decode
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield whole(decode(line))
        except (msgspec.DecodeError, ValueError) as error:
            raise ValueError(f"line {number}: {error}") from error


def whole(recorded: Recorded) -> tuple[bytes, datetime]:
    if recorded.at.tzinfo is None:
        raise ValueError("`at` has no time zone")
    if (recorded.frame is None) == (recorded.frame_b64 is None):
        raise ValueError("needs `frame` or `frame_b64`, and not both")
    text = recorded.frame
    return (text.encode() if text is not None else recorded.frame_b64 or b"", recorded.at)
