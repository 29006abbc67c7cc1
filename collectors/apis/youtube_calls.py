"""How fifty of YouTube's videos stand, what its answers mean, and how far apart a day's quota lets calls be. Pure.

A broadcast is a video. It is on air from its `actualStartTime` until it has an `actualEndTime`; that viewers are shown
tells nothing, since their number is left out while nobody watches, and where its owner hides it.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec

from ..asked_frame import Asked
from ..collector import BadFrame
from ..instants import instant
from ..json_body import json_body
from ..listed_rooms import listed_ticks
from ..open_api import Answer, Call, Caller, Judged, Verdict
from ..tick import Tick
from ..verdicts import by_status, code_text, codes

BATCH_MAX = 50
CALL_UNITS = 1  # of the quota
DAY_S = 86_400.0
SPARE = 1.1  # units of a day that are left for starts, for other questions, and for the day in autumn that has 25 hours
ID_CHARS_MAX = 64
PACIFIC = ZoneInfo("America/Los_Angeles")
OVER_FOR_TODAY = ("quotaExceeded", "dailyLimitExceeded")
BY_REASON: dict[str, Verdict] = {
    **dict.fromkeys((*OVER_FOR_TODAY, "rateLimitExceeded", "userRateLimitExceeded"), "rate"),
    **dict.fromkeys(("keyInvalid", "keyExpired", "accessNotConfigured", "forbidden", "API_KEY_INVALID"), "app"),
    "ipRefererBlocked": "address",
}
NO_KEY = "api key not valid"  # newer answers say it in a sentence, under the reason of any bad question


class Reason(msgspec.Struct, frozen=True):
    reason: str = ""


class Fault(msgspec.Struct, frozen=True):
    code: int = 0
    message: str = ""
    errors: Sequence[Reason] = ()
    details: Sequence[Reason] = ()


class Said(msgspec.Struct, frozen=True):
    error: Fault | None = None


def judged(answer: Answer) -> Judged:
    told = codes(answer, Said)
    if told is None or (told.error is None and answer.status != 200):
        return by_status(answer)
    if told.error is None:
        return Judged("ok")
    reasons = [found.reason for found in (*told.error.errors, *told.error.details)]
    reason = next((reason for reason in reasons if reason in BY_REASON), reasons[0] if reasons else "")
    detail = code_text(answer.status, reason)
    if told.error.message.lower().startswith(NO_KEY):
        return Judged("app", detail)
    if reason not in BY_REASON:
        return Judged("missing", detail) if answer.status in (400, 404) else by_status(answer)
    return Judged(BY_REASON[reason], detail, _until_midnight_s(answer) if reason in OVER_FOR_TODAY else 0.0)


def _until_midnight_s(answer: Answer) -> float:
    """Seconds until the quota begins anew, by the platform's own clock; 0 where it does not tell the time."""
    with suppress(ValueError):
        here = parsedate_to_datetime(answer.headers.get("date", "")).astimezone(PACIFIC)
        midnight = (here + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight.timestamp() - here.timestamp()
    return 0.0


def interval_of(rooms: int, units_per_day: int) -> float:
    """So many seconds between two questions about a room spread a day's units over the day."""
    calls = -(-rooms // BATCH_MAX)
    return SPARE * DAY_S * CALL_UNITS * calls / units_per_day


# --- videos -----------------------------------------------------------------------------------------------------------


class Streaming(msgspec.Struct, frozen=True, rename="camel"):
    actual_start_time: str | None = None
    actual_end_time: str | None = None
    concurrent_viewers: str | None = None


class Video(msgspec.Struct, frozen=True, rename="camel"):
    """What has no details was never a broadcast."""

    id: str
    live_streaming_details: Streaming = Streaming()


class Videos(msgspec.Struct, frozen=True):
    items: list[object]


class Of(msgspec.Struct, frozen=True):
    id: str


def is_video_id(room: str) -> bool:
    return room.isascii() and room.replace("-", "").replace("_", "").isalnum() and len(room) <= ID_CHARS_MAX


def videos(caller: Caller, ids: Sequence[str]) -> Call:
    """The key stands in the address: it is shown nowhere."""
    asked = {"part": "liveStreamingDetails", "id": ",".join(ids), "key": caller.secret.decode()}
    return Call("videos", f"{caller.base}/videos?{urlencode(asked, safe=',')}")


def video_ticks(feed: str, asked: Asked, body: bytes, at: datetime) -> list[Tick]:
    """What is not listed is gone, or hidden. Raises PartlyRead; see `listed_ticks`."""
    return listed_ticks(
        feed, asked, body, at,
        lambda page: json_body(page, Videos).items,
        lambda entry: _tick(feed, msgspec.convert(entry, Video), at), lambda entry: msgspec.convert(entry, Of).id,
    )  # fmt: skip


def _tick(feed: str, video: Video, at: datetime) -> Tick:
    details = video.live_streaming_details
    for written in (details.actual_start_time, details.actual_end_time):
        if written is not None:
            instant(written)  # that it is one is all that is asked of it
    if details.actual_end_time is not None:
        return Tick(feed, video.id, at, "status", False, session_key=video.id, end="ended")
    live = details.actual_start_time is not None
    return Tick(feed, video.id, at, "status", live, _viewers(details) if live else None, session_key=video.id)


def _viewers(details: Streaming) -> int | None:
    told = details.concurrent_viewers
    if told is not None and not (told.isascii() and told.isdigit() and len(told) <= 12):
        raise BadFrame("bad_number: viewers that are no number")
    return None if told is None else int(told)
