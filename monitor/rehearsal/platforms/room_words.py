"""What services of no kind of their own say of a room: one entry of an answer in JSON, by the play."""

from datetime import datetime
from typing import Any

from ..event.play import RoomNow
from ..truth import OFF_AIR

LIVE, ENDED = "LIVE", "ENDED"


def entry(now: RoomNow) -> tuple[dict[str, Any], int] | None:
    """The room as it is listed, and its viewers in a frame of the truth; None: it is not listed.

    Listed are those that send a picture, and those whose last broadcast was signed off: so whoever missed the end hears
    of it later.
    """
    if now.publishing:
        told = {
            "state": LIVE, "session": f"{now.part.room}-{now.broadcast}", "online": now.viewers,
            "views": now.views_total, "likes": now.likes_total,
        }  # fmt: skip
        return {"room": now.part.room} | told, now.viewers
    if not now.on_air and now.signed_off:
        return {"room": now.part.room, "state": ENDED}, OFF_AIR
    return None


def unix_ms(at: datetime) -> int:
    """Whole milliseconds, as they are written."""
    return int(at.timestamp() * 1000)


FIELDS = """\
[feed.fields]
room = "room"
live = "state"
session_key = "session"
viewers = "online"
views_total = "views"
likes_total = "likes"
"""
