"""Asks rooms one by one, each at its beat, many at once, for as long as the feed lives."""

import asyncio
from collections.abc import Awaitable, Callable

from .api_feed import BatchUnseen, RoomUnseen
from .collector import BadFrame
from .room_pace import RoomPace

AT_ONCE_MAX = 200  # calls under way: 400 rooms a second are this many at half a second each

Ask = Callable[[str], Awaitable[float | None]]
"""Asks for one room and hands over what came. Returns its interval from now on, in seconds; None: the usual one."""


async def poll_rooms(
    pace: RoomPace, ask: Ask, patience: Callable[[float], None], at_once_max: int = AT_ONCE_MAX
) -> None:
    """Until it is cancelled, or until `ask` fails by what concerns the whole feed.

    RoomUnseen concerns one room, and so does BadFrame: of an answer that was emitted before it was read. `patience` is
    told in how many seconds something is heard again at the latest, where that is more than usual: of somebody who
    answered when he was asked last. A `pace` that a feed kept from before knows who has been asked.
    """
    clock = asyncio.get_running_loop().time
    places, back = asyncio.Semaphore(at_once_max), asyncio.Event()

    async def one(room: str) -> None:
        interval_s, rest_s, answered = None, 0.0, False
        try:
            interval_s = await ask(room)
            answered = True
        except BatchUnseen as unseen:
            pace.failed(room, clock(), unseen.wait_s)
            back.set()
            return
        except RoomUnseen as unseen:
            rest_s = unseen.wait_s
        except BadFrame:
            pass  # `parse` has said what is to be said of it
        except Exception:  # whatever it is: it ends them all
            pace.failed(room, clock())
            raise
        finally:
            places.release()
        if pace.asked(room, clock(), interval_s, rest_s, answered):
            patience(pace.shortest_s)
        back.set()

    if pace.shortest_s > pace.interval_s:
        patience(pace.shortest_s)
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
