"""Calls of one feed each at their own beat: some may fail for as long as they will, all of them are the feed's end."""

import asyncio
from collections.abc import Sequence

import aiohttp
import pytest

from collectors.described_call import in_turn

OFTEN_S, SELDOM_S = 0.01, 0.3


async def asked(shares: int, fails: Sequence[int], for_s: float) -> list[int]:
    """How often each was answered. Raises what the feed raises; who fails is asked again at the usual pace."""
    answered = [0] * shares

    async def ask(rooms: Sequence[str]) -> float | None:
        number = int(rooms[0])
        if number in fails:
            raise aiohttp.ClientConnectionError
        answered[number] += 1
        return SELDOM_S

    try:
        async with asyncio.timeout(for_s):
            await in_turn("f", [[str(number)] for number in range(shares)], ask, OFTEN_S)
    except TimeoutError:
        return answered
    raise AssertionError("it ended by itself")


@pytest.mark.parametrize("fails", [[1], range(1, 13)])
async def test_who_fails_and_is_asked_often_does_not_end_those_who_are_asked_seldom(fails: Sequence[int]):
    answered = await asked(len(fails) + 1, fails, 1.2)
    assert answered[0] >= 2


@pytest.mark.parametrize("shares", [1, 2, 12, 60])
async def test_that_all_fail_is_the_trouble_of_the_feed(shares: int):
    with pytest.raises(ExceptionGroup) as ended:
        await asked(shares, range(shares), 20.0)
    assert ended.value.split(aiohttp.ClientConnectionError)[1] is None
