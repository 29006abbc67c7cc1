"""How all rooms stand, asked of all shares of them at once and again: one that fails is the trouble of its own rooms.

So it is asked beside a socket, which tells only of changes. What a socket says after each connect is a good frame: if a
call that fails ended the feed, it would be begun anew several times a second for ever, and nobody would be blind.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from .collector import Now, every
from .described_call import CALLS_AT_ONCE, OWN_TROUBLE, Ask, Rooms, word_of
from .request import asked_wait_s

ROUNDS_MAX = 2  # in a row, in which all failed or we asked too often: it is the feed's trouble

Missed = Callable[[Rooms, str, datetime], Awaitable[None]]
"""Hands over that nothing came of a share, why (a word of monitor/live/failure.py), and when its round began."""
Failures = list[tuple[Rooms, Exception]]


async def in_rounds(feed: str, shares: Sequence[Rooms], ask: Ask, missed: Missed, interval_s: float, now: Now) -> None:
    """Ask about all shares of the rooms now, and again at each beat, for ever.

    `missed` is told of those that failed, once their round is over. Where all of them fail, or we are told that we ask
    too often, the next round may be better: only a second one in a row ends the feed. Until then we stay away for as
    long as we are told to, and the socket is heard all the while.
    """
    clock = asyncio.get_running_loop().time
    in_a_row, again_at_s = 0, 0.0
    async for _ in every(interval_s, feed):
        if clock() < again_at_s:
            continue
        begun_at = now()
        failures = await _round(shares, ask)
        trouble = _of_all(failures, len(shares))
        in_a_row = in_a_row + 1 if trouble else 0
        if trouble and in_a_row >= ROUNDS_MAX:
            raise trouble
        again_at_s = clock() + (asked_wait_s(trouble) if trouble else 0.0)
        for share, error in failures:
            await missed(share, word_of(error), begun_at)


async def _round(shares: Sequence[Rooms], ask: Ask) -> Failures:
    """What failed of it. Once we are told that we ask too often, nobody further is asked."""
    free, failures = asyncio.Semaphore(CALLS_AT_ONCE), Failures()

    async def one(share: Rooms) -> None:
        async with free:
            if (told := _too_often(failures)) is not None:
                failures.append((share, told))
                return
            try:
                await ask(share)
            except OWN_TROUBLE as error:
                failures.append((share, error))

    async with asyncio.TaskGroup() as group:
        for share in shares:
            group.create_task(one(share), name="share")
    return failures


def _of_all(failures: Failures, shares: int) -> Exception | None:
    """What is no share's own trouble."""
    told = _too_often(failures)
    return failures[0][1] if told is None and failures and len(failures) == shares else told


def _too_often(failures: Failures) -> Exception | None:
    return next((error for _, error in failures if word_of(error) == "rate_limited"), None)
