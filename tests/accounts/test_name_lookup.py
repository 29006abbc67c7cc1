"""Addresses of a name: fresh ones, for five minutes the last ones if nobody answers, never one inside the house."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from monitor.accounts.name_lookup import LOOKUP_S_MAX, REMEMBERED_S_MAX, AddressRefused, GuardedResolver
from tests.accounts.simulated import simulate


class Names:
    """A LookUp that says what a test wants."""

    def __init__(self, told: list[str] | OSError, takes_s: float = 0.0) -> None:
        self.told, self.takes_s, self.asked = told, takes_s, 0

    async def __call__(self, host: str) -> list[str]:
        self.asked += 1
        await asyncio.sleep(self.takes_s)
        if isinstance(self.told, OSError):
            raise self.told
        return self.told


def resolved(work: Callable[[GuardedResolver, Names], Awaitable[None]], guarded: bool = True) -> None:
    async def at_work() -> None:
        names = Names(["1.1.1.1"])
        resolver = GuardedResolver(guarded, names)
        await work(resolver, names)
        await resolver.close()

    simulate(at_work())


async def hosts(resolver: GuardedResolver) -> list[str]:
    return [it["host"] for it in await resolver.resolve("api.example", 443)]


@pytest.mark.parametrize("failure", [socket.gaierror(socket.EAI_AGAIN, "SERVFAIL"), [], 60.0])
def test_who_has_no_answer_gets_the_last_good_one_for_five_minutes(failure):
    async def work(resolver: GuardedResolver, names: Names) -> None:
        assert await hosts(resolver) == ["1.1.1.1"]
        names.told, names.takes_s = (["1.1.1.1"], failure) if isinstance(failure, float) else (failure, 0.0)
        await asyncio.sleep(REMEMBERED_S_MAX - 2 * LOOKUP_S_MAX)
        assert await hosts(resolver) == ["1.1.1.1"]
        await asyncio.sleep(3 * LOOKUP_S_MAX)
        with pytest.raises(OSError):  # noqa: PT011 - gaierror or TimeoutError, both of them
            await hosts(resolver)

    resolved(work)


def test_lookups_that_hang_hold_one_thread_for_a_name_however_many_wait():
    async def work(resolver: GuardedResolver, names: Names) -> None:
        names.takes_s = 60.0
        for _ in range(10):
            found = await asyncio.gather(*(hosts(resolver) for _ in range(50)), return_exceptions=True)
            assert all(isinstance(it, TimeoutError) for it in found)
        assert names.asked == 1

    resolved(work)


@pytest.mark.parametrize("inside", ["127.0.0.1", "169.254.169.254", "10.1.2.3", "::ffff:a9fe:a9fe", "fd00::1"])
def test_an_answer_that_flips_into_the_house_is_refused_not_replaced_by_the_last_one(inside: str):
    async def work(resolver: GuardedResolver, names: Names) -> None:
        assert await hosts(resolver) == ["1.1.1.1"]
        names.told = [inside]
        with pytest.raises(AddressRefused):
            await hosts(resolver)
        names.told = [inside, "1.1.1.1"]
        assert await hosts(resolver) == ["1.1.1.1"]

    resolved(work)


def test_a_host_that_the_config_names_may_be_inside():
    async def work(resolver: GuardedResolver, names: Names) -> None:
        names.told = ["127.0.0.1", "fd00::1"]
        assert await hosts(resolver) == ["127.0.0.1", "fd00::1"]

    resolved(work, guarded=False)
