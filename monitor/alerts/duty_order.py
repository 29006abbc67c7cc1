"""What a command asks of the running monitor, and the answer: JSON over `POST /duty`, with a key of data_dir."""

from datetime import datetime
from pathlib import Path

import msgspec

from monitor.alerts.notice import Language

PATH = "/duty"
KEY = Path("alerts") / "duty.key"  # under data_dir; who may read it may act
BYTES_MAX = 65_536


class Acknowledge(msgspec.Struct, frozen=True, tag="acknowledge"):
    """Take the alert #number."""

    number: int
    by: str
    reason: str = ""


class EndRoom(msgspec.Struct, frozen=True, tag="ended"):
    """The broadcast of this room is over."""

    platform: str
    room: str
    by: str
    reason: str = ""


class HandOver(msgspec.Struct, frozen=True, tag="handover"):
    """What stands now; `send`: also to the group."""

    send: bool
    language: Language = "zh"


Order = Acknowledge | EndRoom | HandOver


class Answer(msgspec.Struct, frozen=True):
    """`word` is that of the outcome; `lines` are those of a handover."""

    done: bool
    word: str
    by: str = ""
    until: datetime | None = None
    detail: str = ""
    lines: list[str] = []


def bearer(key: bytes) -> str:
    return f"Bearer {key.hex()}"
