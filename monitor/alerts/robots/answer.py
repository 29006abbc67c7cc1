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


def of_status(status: int, rest_s: float) -> Verdict | None:
    """What the status alone means; None where the body decides. `rest_s`: how long to stay away when too fast."""
    if status == SENT_STATUS:
        return None
    why = f"answered with status {status}"
    if status == TOO_MANY_STATUS:
        return Verdict("again", why, rest_s)
    return Verdict("refused" if 300 <= status < 500 and status != 408 else "again", why)


def table_of(body: bytes) -> dict[str, Any]:
    """The JSON object in an answer; empty where it is none."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:  # a proxy's page, half an answer: whatever it is, it is not a yes
        return {}


def why_of(code: object, message: object) -> str:
    """The robot's own words, as a log may show them."""
    shown = "".join(char if char.isprintable() else " " for char in str(message))
    return f"answered {str(code)[:20]}: {shown[:WHY_CHARS_MAX]}"
