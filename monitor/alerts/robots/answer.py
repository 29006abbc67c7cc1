"""What goes to a robot's webhook, and what its answer means."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from monitor.secret import Secret

JSON_HEADERS: Mapping[str, str] = {"Content-Type": "application/json; charset=utf-8"}
WHY_CHARS_MAX = 200
SENT_STATUS = 200
TOO_MANY_STATUS = 429


class Post(NamedTuple):
    """The URL opens the chat: it does not show itself."""

    url: Secret
    headers: Mapping[str, str]
    body: bytes


class Verdict(NamedTuple):
    """`again`: not before so many seconds. `refused`: as it is, the robot is never going to take it."""

    outcome: Literal["sent", "again", "refused"]
    why: str = ""
    after_s: float = 0.0


SENT = Verdict("sent")


class Codes(NamedTuple):
    """One kind of robot: where its answers hold code and words, and what the codes mean; 0 is its yes."""

    code: tuple[str, ...]
    words: tuple[str, ...]
    too_fast: frozenset[int]
    refusals: frozenset[int]
    rest_s: float  # how long to stay away when too fast


def verdict(status: int, body: bytes, codes: Codes) -> Verdict:
    """Only a yes is a yes; what is not known may pass."""
    if status != SENT_STATUS:
        return _of_status(status, codes.rest_s)
    table = _table_of(body)
    code = next((table[key] for key in codes.code if key in table), None)
    if code == 0 and not isinstance(code, bool):
        return SENT
    why = _why_of(code, next((table[key] for key in codes.words if key in table), ""))
    if code in codes.too_fast:
        return Verdict("again", why, codes.rest_s)
    return Verdict("refused" if code in codes.refusals else "again", why)


def _of_status(status: int, rest_s: float) -> Verdict:
    why = f"answered with status {status}"
    if status == TOO_MANY_STATUS:
        return Verdict("again", why, rest_s)
    return Verdict("refused" if 300 <= status < 500 and status != 408 else "again", why)


def _table_of(body: bytes) -> dict[str, Any]:
    """The JSON object in an answer; empty where it is none."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:  # a proxy's page, half an answer: whatever it is, it is not a yes
        return {}


def _why_of(code: object, message: object) -> str:
    """The robot's own words, as a log may show them."""
    shown = "".join(char if char.isprintable() else " " for char in str(message))
    return f"answered {str(code)[:20]}: {shown[:WHY_CHARS_MAX]}"
