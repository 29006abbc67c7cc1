"""What is pushed is delivered until it is taken, once: through failures, silence, troubles and a cancellation."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from monitor.rehearsal.deliveries import Deliveries, Made
from monitor.rehearsal.scene import Trouble
from tests.rehearsal.staged import until

Judge = Callable[[str, int], Awaitable[int]]


class Taker:
    """Somebody who is delivered to. `judge` says with what status the how-manieth try of a body is answered."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.asked: list[tuple[float, str, str]] = []  # when, body, stamp
        self.took: list[str] = []
        self.inside = self.inside_max = 0
        self.queries: list[str] = []
        self.url = ""

    async def hear(self, request: web.Request) -> web.Response:
        body = (await request.read()).decode()
        self.asked.append((time.monotonic(), body, request.headers["X-Stamp"]))
        self.queries.append(request.rel_url.raw_query_string)
        self.inside += 1
        self.inside_max = max(self.inside, self.inside_max)
        try:
            status = await self.judge(body, [each for _, each, _ in self.asked].count(body))
        finally:
            self.inside -= 1
        if status == 200:
            self.took.append(body)
        return web.Response(status=status, text="taken", headers={"Location": f"{self.url}/elsewhere"})

    def tries(self, body: str) -> list[float]:
        return [at for at, each, _ in self.asked if each == body]


async def always(body: str, number: int) -> int:
    return 200


@asynccontextmanager
async def taker(judge: Judge = always, port: int = 0) -> AsyncIterator[Taker]:
    one = Taker(judge)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", one.hear)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield one
    finally:
        await runner.cleanup()


class Sender:
    """Deliveries under way, with who was told that they were taken."""

    def __init__(self, http: aiohttp.ClientSession, **more: Any) -> None:
        self.trouble = Trouble()
        self.done = Counter[str]()
        self.made = 0
        usual: dict[str, Any] = {"retries_s": (0.02,), "timeout_s": 5.0, "taken": lambda status, body: status == 200}
        self.deliveries = Deliveries(http, self.trouble, **usual | more)

    def push(self, url: str, *bodies: str) -> None:
        for body in bodies:
            self.deliveries.push(url, partial(self.make, body), partial(self.done.update, [body]))

    def make(self, body: str) -> Made:
        self.made += 1
        return {"X-Stamp": str(self.made)}, body.encode()


@asynccontextmanager
async def sender(**more: Any) -> AsyncIterator[Sender]:
    async with aiohttp.ClientSession() as http:
        one = Sender(http, **more)
        task = asyncio.ensure_future(one.deliveries.run())
        try:
            yield one
        finally:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


def is_empty(one: Sender) -> Callable[[], bool]:
    return lambda: not one.deliveries.waiting()


async def test_what_fails_is_tried_again_after_each_pause_and_signed_anew() -> None:
    async def at_the_fifth(body: str, number: int) -> int:
        return 200 if number == 5 else 503

    async with taker(at_the_fifth) as to, sender(retries_s=(0.02, 0.06, 0.15)) as one:
        one.push(to.url, "a")
        assert one.deliveries.waiting() == 1
        await until(is_empty(one))
    tries = to.tries("a")
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert [pause >= least for pause, least in zip(pauses, (0.02, 0.06, 0.15, 0.15), strict=True)] == [True] * 4
    assert [stamp for _, _, stamp in to.asked] == ["1", "2", "3", "4", "5"]
    assert (one.done, one.deliveries.tries, one.deliveries.failures) == ({"a": 1}, 5, 4)


async def test_a_signature_in_the_query_is_made_anew_and_sent_as_it_is() -> None:
    async def at_the_second(body: str, number: int) -> int:
        return 200 if number == 2 else 503

    made = iter(("sign=a%2Bb%3D&t=1", "sign=c%2Fd%3D&t=2"))
    async with taker(at_the_second) as to, sender() as one:
        one.deliveries.push(f"{to.url}/hooks/x", lambda: ({"X-Stamp": "1"}, b"a", next(made)))
        await until(is_empty(one))
    assert to.queries == ["sign=a%2Bb%3D&t=1", "sign=c%2Fd%3D&t=2"]


async def test_one_that_fails_does_not_hold_up_the_others() -> None:
    async def not_a(body: str, number: int) -> int:
        return 503 if body == "a" else 200

    async with taker(not_a) as to, sender(retries_s=(60.0,)) as one:
        one.push(to.url, "a", "b", "c")
        await until(lambda: one.deliveries.waiting() == 1)
    assert sorted(to.took) == ["b", "c"]
    assert one.done == {"b": 1, "c": 1}


async def test_in_order_one_that_fails_holds_up_all_behind_it() -> None:
    async def seldom(body: str, number: int) -> int:
        return 200 if number >= {"a": 3, "c": 2}.get(body, 1) else 500

    async with taker(seldom) as to, sender(in_order=True) as one:
        one.push(to.url, "a", "b", "c", "d")
        await until(is_empty(one))
    assert [body for _, body, _ in to.asked] == ["a", "a", "a", "b", "c", "c", "d"]
    assert to.took == ["a", "b", "c", "d"]


async def test_the_answer_is_judged_whole() -> None:
    async with taker() as to, sender(taken=lambda status, body: (status, body) == (200, b"thanks")) as one:
        one.push(to.url, "a")
        await until(lambda: one.deliveries.failures == 2)
        assert one.deliveries.waiting() == 1
    assert not one.done


async def test_another_address_is_no_answer() -> None:
    async def moved(body: str, number: int) -> int:
        return 307 if number == 1 else 200

    async with taker(moved) as to, sender() as one:
        one.push(to.url, "a")
        await until(is_empty(one))
    assert one.deliveries.failures == 1


async def test_silence_is_a_failure() -> None:
    gate = asyncio.Event()

    async def silent_at_first(body: str, number: int) -> int:
        if number == 1:
            await gate.wait()
        return 200

    async with taker(silent_at_first) as to, sender(timeout_s=0.2) as one:
        one.push(to.url, "a")
        await until(is_empty(one))
        gate.set()
    assert (one.done, one.deliveries.failures) == ({"a": 1}, 1)


async def test_nobody_there_is_a_failure() -> None:
    async with taker() as gone:
        port = int(gone.url.rpartition(":")[2])
    async with sender() as one:
        one.push(gone.url, "a", "b")
        await until(lambda: one.deliveries.failures >= 4)
        assert one.deliveries.waiting() == 2
        async with taker(port=port) as to:
            await until(is_empty(one))
    assert Counter(to.took) == one.done == {"a": 1, "b": 1}


async def test_twice_is_twice_and_taken_once() -> None:
    async def at_the_second(body: str, number: int) -> int:
        return 503 if body == "a" and number == 1 else 200

    async with taker(at_the_second) as to, sender() as one:
        one.trouble.twice = True
        one.push(to.url, "a", "b")
        await until(lambda: len(to.took) == 4)
        await until(is_empty(one))
    assert Counter(to.took) == {"a": 2, "b": 2}
    assert one.done == {"a": 1, "b": 1}
    assert len(to.asked) == 5


async def test_who_does_not_push_keeps_all_and_delivers_it_later() -> None:
    async with taker() as to, sender() as one:
        one.trouble.pushing = False
        one.push(to.url, "a", "b")
        await asyncio.sleep(0.3)  # more than one look at the trouble
        assert (to.asked, one.deliveries.waiting()) == ([], 2)
        one.trouble.pushing = True
        await until(is_empty(one))
    assert sorted(to.took) == ["a", "b"]


async def test_what_is_under_way_when_cancelled_is_delivered_by_the_next_run() -> None:
    gate = asyncio.Event()

    async def held(body: str, number: int) -> int:
        await gate.wait()
        return 200

    async with taker(held) as to, aiohttp.ClientSession() as http:
        one = Sender(http, at_once=2)
        one.push(to.url, "a", "b", "c")
        first = asyncio.ensure_future(one.deliveries.run())
        await until(lambda: to.inside == 2)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (one.deliveries.waiting(), one.done) == (3, {})
        gate.set()
        second = asyncio.ensure_future(one.deliveries.run())
        await until(is_empty(one))
        second.cancel()
        await asyncio.wait([second])
    assert one.done == {"a": 1, "b": 1, "c": 1}
    assert set(to.took) == {"a", "b", "c"}


async def test_of_many_with_many_failures_none_is_lost_and_none_taken_twice() -> None:
    dice = random.Random(5)

    async def moody(body: str, number: int) -> int:
        await asyncio.sleep(dice.random() * 0.01)
        return dice.choice((200, 200, 429, 500))

    bodies = [f"delivery {number}" for number in range(300)]
    async with taker(moody) as to, sender(retries_s=(0.0, 0.01), at_once=8) as one:
        one.push(to.url, *bodies)
        assert one.deliveries.waiting() == 300
        await until(is_empty(one))
    assert Counter(to.took) == one.done == Counter(bodies)
    assert one.deliveries.failures == len(to.asked) - 300 > 0
    assert 1 < to.inside_max <= 8
