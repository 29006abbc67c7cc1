"""Calls of Twitch's interface (Helix), what its answers mean, and how many more of them it takes. All of it pure."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Annotated
from urllib.parse import urlencode

import msgspec

from ..asked_frame import Asked
from ..json_body import json_body
from ..listed_rooms import listed_ticks
from ..open_api import Answer, Call, Caller, Judged
from ..tick import Tick
from ..verdicts import by_status, codes

BATCH_MAX = 100
NUMBER_CHARS_MAX = 15
LIMIT = "subscription_limit"
APP_REFUSED = ("invalid client", "invalid client secret")


class Said(msgspec.Struct, frozen=True):
    """What a refusal says of itself. `message` is a sentence, and is shown to nobody."""

    message: str = ""


def judged(answer: Answer) -> Judged:
    """An answer that is fine says how many calls are left until when; one that is not is told by its status.

    Not all that is 429 is too fast: so does Twitch refuse a subscription beyond the limits of a user, too.
    """
    told, left, wait_s = codes(answer, Said), _number(answer, "ratelimit-remaining"), _until_reset_s(answer)
    if answer.status == 429:
        return Judged("missing", LIMIT) if left else Judged("rate", "HTTP 429", wait_s)
    if told is None or answer.status >= 500:
        return by_status(answer)
    message, detail = told.message.lower(), f"HTTP {answer.status}"
    match answer.status:
        case 200 | 202:
            return Judged("ok", wait_s=wait_s, left=left)
        case 409:
            return Judged("ok", detail)  # it is subscribed to already
        case 401:
            return Judged("token", detail)
        case 400 | 403 if message in APP_REFUSED:
            return Judged("app", detail)
        case 400 if message == "invalid refresh token":
            return Judged("revoked", detail)
        case 403:
            return Judged("forbidden", detail)
        case 400 | 404:
            return Judged("missing", detail)
    return by_status(answer)


def _until_reset_s(answer: Answer) -> float:
    """Seconds until the platform counts anew, by its own clock; 0 where it does not say."""
    with suppress(ValueError):
        reset, now = _number(answer, "ratelimit-reset"), parsedate_to_datetime(answer.headers.get("date", ""))
        return 0.0 if reset is None else max(reset - now.timestamp(), 0.0)
    return 0.0


def _number(answer: Answer, header: str) -> int | None:
    text = answer.headers.get(header, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= NUMBER_CHARS_MAX else None


# --- streams ----------------------------------------------------------------------------------------------------------


class Stream(msgspec.Struct, frozen=True):
    """A broadcast that is on air. `id` names it, and stays the same when its encoder comes back."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    user_id: str
    viewer_count: int | None = None


class Streams(msgspec.Struct, frozen=True):
    data: list[object]


class Of(msgspec.Struct, frozen=True):
    user_id: str


def is_user_id(room: str) -> bool:
    """One id that is none spoils the call for all that are asked with it."""
    return room.isascii() and room.isdigit() and len(room) <= NUMBER_CHARS_MAX


def streams(caller: Caller, user_ids: Sequence[str]) -> Call:
    """Which of these channels are on air, BATCH_MAX at most: then the first page has all there are."""
    query = urlencode([*(("user_id", user_id) for user_id in user_ids), ("first", BATCH_MAX)])
    return Call("streams", f"{caller.base}/streams?{query}", None, _headers(caller, app=True))


def stream_ticks(feed: str, asked: Asked, body: bytes, at: datetime) -> list[Tick]:
    """What is listed is on air. Raises PartlyRead; see `listed_ticks`."""

    def read(entry: object) -> Tick:
        stream = msgspec.convert(entry, Stream)
        return Tick(feed, stream.user_id, at, "status", True, _count(stream.viewer_count), session_key=stream.id)

    return listed_ticks(
        feed, asked, body, at,
        lambda page: json_body(page, Streams).data, read, lambda entry: msgspec.convert(entry, Of).user_id,
    )  # fmt: skip


def _count(told: int | None) -> int | None:
    return told if told is not None and told >= 0 else None


# --- subscriptions ----------------------------------------------------------------------------------------------------


class Cost(msgspec.Struct, frozen=True):
    cost: int = 0


class Subscribed(msgspec.Struct, frozen=True):
    """What this subscription costs, what all of this user cost by now, and may cost at most."""

    data: Sequence[Cost] = ()
    total_cost: int = 0
    max_total_cost: int = 0


def subscribe(caller: Caller, kind: str, user_id: str, session_id: str) -> Call:
    """Be told of a channel by the socket of this session, in the name of a user."""
    asked = {
        "type": kind,
        "version": "1",
        "condition": {"broadcaster_user_id": user_id},
        "transport": {"method": "websocket", "session_id": session_id},
    }
    return Call(
        "subscriptions", f"{caller.base}/eventsub/subscriptions", msgspec.json.encode(asked),
        _headers(caller, app=False) | {"content-type": "application/json"},
    )  # fmt: skip


def read_subscribed(body: bytes) -> Subscribed:
    """Raises BadFrame."""
    return json_body(body, Subscribed)


def _headers(caller: Caller, app: bool) -> dict[str, str]:
    tokens = caller.app_tokens if app else caller.tokens
    return {"client-id": caller.app.key, "authorization": f"Bearer {tokens.access if tokens else ''}"}
