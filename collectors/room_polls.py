"""Asks rooms one by one, each at its beat, many at once, for as long as the feed lives."""

import asyncio
from collections.abc import Awaitable, Callable

from .api_feed import RoomUnseen
from .room_pace import RoomPace

AT_ONCE_MAX = 200  # calls under way: 400 rooms a second are this many at half a second each

Ask = Callable[[str], Awaitable[float | None]]
"""Asks for one room and hands over what came. Returns its interval from now on, in seconds; None: the usual one."""


async def poll_rooms(pace: RoomPace, ask: Ask, at_once_max: int = AT_ONCE_MAX) -> None:
    """Until it is cancelled, or until `ask` fails otherwise than by RoomUnseen: that is a failure of the whole feed."""
    clock = asyncio.get_running_loop().time
    places, back = asyncio.Semaphore(at_once_max), asyncio.Event()

    async def one(room: str) -> None:
        interval_s, rest_s = None, 0.0
        try:
            interval_s = await ask(room)
        except RoomUnseen as unseen:
            rest_s = unseen.wait_s
        finally:
            places.release()
        pace.asked(room, clock(), interval_s, rest_s)
        back.set()

    async with asyncio.TaskGroup() as group:
        while True:
            await places.acquire()
            while (room := pace.take(clock())) is None:
                back.clear()
                wait_s = pace.wait_s(clock())
                try:
                    async with asyncio.timeout(wait_s if wait_s < 86_400 else None):
                        await back.wait()
                except TimeoutError:
                    pass  # somebody is due
            group.create_task(one(room))
