"""volcengine_live: streams of Volcengine live, told by its callbacks when a push begins and when it ends.

Fields, signature and tries: www.volcengine.com/docs/6469/1126932.
"""

from datetime import datetime

import msgspec

from ..collector import BadFrame
from ..hook import NO_DETAILS, App, Delivery, Details, Meaning
from ..instants import instant
from ..json_body import json_body
from ..key_and_expiry import KeyAndExpiryRow
from ..tick import Tick
from ..whole_seconds import ordered

BEGINS = "push_start"


class Callback(msgspec.Struct, frozen=True):
    event_type: str
    app: str = ""
    stream: str = ""
    session_id: str = ""
    time: int | str | None = None  # s
    time_ms: int | str | None = None
    transcoded: bool = False


class VolcengineLive(KeyAndExpiryRow, tag="volcengine_live", frozen=True, kw_only=True):
    end_events: list[str] = msgspec.field(default_factory=lambda: ["push_end"])  # UNVERIFIED: what an end is called

    PLATFORM = "volcengine_live"
    TELLS_OF_REFUSED = False

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        told = json_body(msgspec.msgpack.decode(frame, type=Delivery).body, Callback)
        live = told.event_type == BEGINS
        if not live and told.event_type not in self.end_events:
            # Not passed over: if this is how an end is called here, a person must see it.
            raise BadFrame("unknown_event: neither push_start nor one of end_events")
        if told.transcoded:
            return Meaning()  # made by the cloud of a stream that is told of, too
        if not told.app or not told.stream or not told.session_id:
            raise BadFrame("incomplete: no app, stream or session_id")
        stamp = instant(told.time_ms) if told.time_ms else ordered(instant(told.time), live)
        room = f"{told.app}/{told.stream}"
        return Meaning(ticks=[Tick(self.name, room, stamp, "event", live, session_key=told.session_id)])
