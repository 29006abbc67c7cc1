"""Asks Twitch's list of streams how channels stand: for the kind that polls it, and for the one that hears events."""

from collections.abc import Sequence

from .api_feed import Platform
from .apis.twitch_calls import is_user_id, streams
from .asked_at import asked_at
from .asked_frame import Asked, framed
from .collector import Emit, Now

STREAMS = "streams"
NO_SUCH_ROOM = "http_status"


async def ask_streams(rooms: Sequence[str], emit: Emit, now: Now, platform: Platform) -> None:
    """One call, one frame. Rooms that are no ids of users are blind alone: with one of them no call is answered."""
    user_ids = [room for room in rooms if is_user_id(room)]
    for room in set(rooms).difference(user_ids):
        platform.unseen(room, NO_SUCH_ROOM)
    if user_ids:
        body, at = await asked_at(platform, lambda caller, _: streams(caller, user_ids), now, batch=user_ids)
        await emit(framed(Asked(user_ids, STREAMS), body), at)
