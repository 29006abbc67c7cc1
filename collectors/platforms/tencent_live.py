"""tencent_live: streams of Tencent Cloud live (CSS), told by its callbacks when a push begins and when it is cut.

Fields, signature and tries: cloud.tencent.com/document/product/267/47025 and 267/32744; `errcode`: 267/31083.
"""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from ..collector import BadFrame
from ..hook import NO_DETAILS, App, Delivery, Details, Meaning
from ..instants import instant
from ..json_body import json_body
from ..key_and_expiry import KeyAndExpiryRow
from ..tick import Tick
from ..whole_seconds import ordered

LIVE = {1: True, 0: False}
ENDED = range(1, 5)  # the publisher stopped by himself
FAILED = {8, *range(12, 18), 20}  # cut as no data came (8, 20); the way from the publisher broke


class Callback(msgspec.Struct, frozen=True):
    event_type: int
    stream_id: str = ""
    appname: str = ""
    event_time: int | str = ""
    sequence: str | int = ""
    push_duration: str | int | None = None  # ms
    errcode: int | None = None


class TencentLive(KeyAndExpiryRow, tag="tencent_live", frozen=True, kw_only=True):
    PLATFORM = "tencent_live"
    TELLS_END = True
    TELLS_OF_REFUSED = False

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        told = json_body(msgspec.msgpack.decode(frame, type=Delivery).body, Callback)
        live = LIVE.get(told.event_type)
        if live is None:
            return Meaning()  # recordings, pictures, what is odd about a push that goes on
        if not told.appname or not told.stream_id or not told.sequence:
            raise BadFrame("incomplete: no appname, stream_id or sequence")
        lasted = None if live else lasted_of(told.push_duration)
        stamp = ordered(instant(told.event_time), live, lasted)
        tick = Tick(
            self.name, f"{told.appname}/{told.stream_id}", stamp, "event", live,
            session_key=str(told.sequence), end=None if live else end_of(told.errcode),
        )  # fmt: skip
        return Meaning(ticks=[tick])


def lasted_of(told: str | int | None) -> timedelta | None:
    text = str(told)
    return timedelta(milliseconds=int(text)) if text.isascii() and text.isdigit() and len(text) < 12 else None


def end_of(errcode: int | None) -> Literal["ended", "failed"] | None:
    """End evidence; None: the code says neither (0 is unknown, 21 that somebody cut it, 5 and 9 are Tencent's own)."""
    if errcode in ENDED:
        return "ended"
    return "failed" if errcode in FAILED else None
