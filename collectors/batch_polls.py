"""Asks an open API for rooms, so many in a call, each call's rooms at an offset of their own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from .api_feed import Platform
from .room_pace import RoomPace
from .room_polls import poll_rooms

AskBatch = Callable[[Sequence[str]], Awaitable[float | None]]
"""Asks for these rooms and hands over what came. Returns their interval from now on, in seconds; None: as usual."""


def batches(rooms: Sequence[str], batch_max: int) -> dict[str, Sequence[str]]:
    """Each by its first room."""
    shares = [rooms[at : at + batch_max] for at in range(0, len(rooms), batch_max)]
    return {share[0]: share for share in shares}


async def poll_batches(
    feed: str, rooms: Sequence[str], batch_max: int, interval_s: float, ask: AskBatch, platform: Platform
) -> None:
    """Until it is cancelled, or until `ask` fails by what concerns the whole feed.

    Each answer is a frame of its own: it comes when it comes, and tells of its own rooms whatever the others wait for.
    """
    by_first = batches(rooms, batch_max)
    pace = RoomPace(feed, by_first, interval_s, asyncio.get_running_loop().time())
    await poll_rooms(pace, lambda first: ask(by_first[first]), platform.patience)
