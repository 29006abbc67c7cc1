"""Who goes next: the most urgent, the first come among equals; a name that rests holds up nobody else."""

import asyncio

import pytest

from monitor.accounts.budget import Urgency
from monitor.accounts.turns import NAMES_MAX, QueueFull, Turns
from tests.accounts.simulated import simulate


def made(per_s: float = 1.0, names: dict[str, float] | None = None, waiters_max: int = 100) -> Turns:
    return Turns(per_s, names or {}, asyncio.get_running_loop().time, waiters_max)


async def go(turns: Turns, log: list[object], mark: object, urgency: Urgency = Urgency.DETAIL, name: str = "a") -> None:
    async with turns.turn(name, urgency):
        log.append(mark)
        await asyncio.sleep(0.1)


def test_the_most_urgent_goes_first_and_among_equals_the_first_come():
    async def work() -> list[object]:
        turns, log = made(), list[object]()
        async with asyncio.TaskGroup() as group:
            for number, urgency in enumerate([Urgency.DETAIL, *reversed(Urgency), *reversed(Urgency)]):
                group.create_task(go(turns, log, (urgency, number), urgency))
                await asyncio.sleep(0)
        return log

    log = simulate(work())
    assert log[1:] == sorted(log[1:])  # the very first found nobody before it
    assert len(log) == 1 + 2 * len(Urgency)


def test_who_comes_when_a_place_is_free_goes_behind_those_that_wait_for_it():
    async def work() -> list[object]:
        turns, log, loop = made(), list[object](), asyncio.get_running_loop()
        await go(turns, log, "first")
        waiting = asyncio.create_task(go(turns, log, "waits"))
        await asyncio.sleep(0)
        loop._jumping.now_s += 100.0  # the loop was held up: nobody has let go who waits
        await go(turns, log, "comes")
        await waiting
        return log

    assert simulate(work()) == ["first", "waits", "comes"]


def test_a_name_that_rests_holds_up_no_other():
    async def work() -> list[object]:
        turns, log = made(per_s=10.0), list[object]()
        turns.of("slow").refused(0.0, 60.0)
        async with asyncio.TaskGroup() as group:
            group.create_task(go(turns, log, "slow", Urgency.LINK, "slow"))
            await asyncio.sleep(0)
            group.create_task(go(turns, log, "quick", Urgency.RECONCILE, "quick"))
        assert asyncio.get_running_loop().time() >= 60.0
        return log

    assert simulate(work()) == ["quick", "slow"]


def test_a_name_has_its_own_rate_within_that_of_the_app():
    async def work() -> float:
        turns, log = made(10.0, {"rare": 0.1}), list[object]()
        async with asyncio.TaskGroup() as group:
            for mark in range(4):
                group.create_task(go(turns, log, mark, name="rare"))
        return asyncio.get_running_loop().time()

    assert simulate(work()) >= 30.0


def test_when_too_many_wait_the_last_in_order_is_sent_away():
    async def work() -> None:
        turns, log = made(waiters_max=3), list[object]()
        first = asyncio.create_task(go(turns, log, "out"))
        await asyncio.sleep(0)
        polls = [asyncio.create_task(go(turns, log, number, Urgency.RECONCILE)) for number in range(3)]
        await asyncio.sleep(0)
        link = asyncio.create_task(go(turns, log, "link", Urgency.LINK))
        await asyncio.sleep(0)
        with pytest.raises(QueueFull):
            await polls[2]
        with pytest.raises(QueueFull):
            await go(turns, log, "one more", Urgency.RECONCILE)
        await asyncio.gather(first, link, *polls[:2])
        assert log == ["out", "link", 0, 1]

    simulate(work())


@pytest.mark.parametrize("granted", [False, True])
def test_who_no_longer_waits_takes_no_place(granted: bool):
    """Also if it was its turn at the very instant at which it went."""

    async def work() -> None:
        turns, log = made(), list[object]()
        await go(turns, log, "first")
        going = asyncio.create_task(go(turns, log, "gone"))
        await asyncio.sleep(0)
        if granted:
            turns._timer.cancel()
            await asyncio.sleep(2.0)
            turns._pump()
            assert turns.all._out == 1
        going.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going
        await go(turns, log, "next")
        assert log == ["first", "next"]
        assert turns.all._out == 0

    simulate(work())


def test_names_are_few():
    async def work() -> None:
        turns = made()
        for number in range(NAMES_MAX):
            turns.of(f"order {number}")
        with pytest.raises(ValueError, match="fixed text"):
            turns.of("one more")

    simulate(work())
