"""Asks an open API for rooms, so many in a call, each call's rooms at an offset of their own."""

from collections.abc import Awaitable, Callable, Sequence

from .api_feed import Platform
from .room_polls import poll_rooms

AskBatch = Callable[[Sequence[str]], Awaitable[None]]
"""Asks for these rooms and hands over what came."""


def batches(rooms: Sequence[str], batch_max: int) -> dict[str, Sequence[str]]:
    """Each by its first room."""
    shares = [rooms[at : at + batch_max] for at in range(0, len(rooms), batch_max)]
    return {share[0]: share for share in shares}


async def poll_batches(
    rooms: Sequence[str], batch_max: int, interval_s: float, ask: AskBatch, platform: Platform, stretched_s: float = 0.0
) -> None:
    """Until it is cancelled, or until `ask` fails by what concerns the whole feed.

    `stretched_s`: what a quota allows, where that is more than `interval_s`, within which each is asked at first.
    Each answer is a frame of its own: it comes when it comes, and tells of its own rooms whatever the others wait for.
    """
    by_first = batches(rooms, batch_max)
    pace = platform.pace(by_first, interval_s, stretched_s)
    await poll_rooms(pace, lambda first: ask(by_first[first]), platform.patience)
