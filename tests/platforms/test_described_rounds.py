"""How rooms stand, asked beside a socket: a call that fails leaves its rooms unseen, and the socket is heard on."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from collectors.described_call import Rooms
from collectors.described_rounds import in_rounds
from collectors.platforms.ws_json import WsJson
from tests.live.test_failure import refusal
from tests.platforms.described_house import Broadcast, Hearing, Service, until
from tests.platforms.test_described import loaded

BOTH = ["10086", "直播间3"]
BEAT_S = 0.05


@asynccontextmanager
async def hearing(folder: Path, by_room: bool = True, **changed: str) -> AsyncIterator[tuple[Service, Hearing]]:
    async with Service({room: Broadcast() for room in BOTH}).serving() as service:
        state_url = f"http://{service.url}/live/rooms{'?ids={rooms}' if by_room else ''}"
        per_call = {"rooms_per_call": "1"} if by_room else {}
        row: Any = loaded(folder, "socket", service.url, state_url=f'"{state_url}"', **per_call, **changed)
        assert isinstance(row, WsJson)
        one = Hearing(msgspec.structs.replace(row, state_interval_s=BEAT_S), BOTH)
        yield service, one


@pytest.mark.parametrize("complete", ["true", "false"])
async def test_one_call_that_fails_blinds_its_rooms_alone_and_the_socket_stays(complete: str, tmp_path: Path) -> None:
    async with hearing(tmp_path, complete=complete) as (service, one):
        service.refuse_ids = {"10086"}
        async with one.hearing():
            await until(lambda: one.blind("10086"))
            await asyncio.sleep(1.0)
            asked = len(service.requests)
            await until(lambda: len(service.requests) > asked + 4)
            assert (service.connects, one.blind("10086"), one.blind("直播间3"), one.blind()) == (
                1, ["http_status"], [], [],
            )  # fmt: skip
            assert set(one.failed) == {"http_status"}
            assert (one.changes("直播间3"), one.quarantined) == (["opened"], [])
            service.refuse_ids = set()
            await until(lambda: one.changes("10086"))
            span = one.span("10086")
            assert span is not None
            assert span.to_at


@pytest.mark.parametrize("by_room", [True, False])
async def test_where_all_calls_fail_the_rooms_are_blind_and_no_socket_is_opened_each_moment(
    by_room: bool, tmp_path: Path
) -> None:
    """A socket that lets us in says so, which is a good frame: it forgets how often we have failed."""
    async with hearing(tmp_path, by_room) as (service, one):
        service.replies = [broken] * 1000
        async with one.hearing():
            await until(lambda: service.connects >= 3)
            assert 1000 - len(service.replies) >= (2 * len(BOTH) if by_room else 2) * (service.connects - 1)
            await until(lambda: all(one.blind(room) or one.blind() for room in BOTH))
    assert set(one.failed) == {"http_status"}


async def broken(_: web.Request) -> web.StreamResponse:
    return web.Response(status=500)


async def test_an_answer_that_cannot_be_read_is_of_its_rooms_alone(tmp_path: Path) -> None:
    async with hearing(tmp_path) as (service, one):
        service.garbled = {"10086"}
        async with one.hearing():
            await until(lambda: one.blind("10086"))
            await until(lambda: one.changes("直播间3"))
            assert (one.blind(), one.blind("直播间3"), service.connects) == ([], [], 1)


SHARES = [["a"], ["b"], ["c"]]


class Called:
    """Who was asked when, and of whom nothing came. Fails as its plan says, round by round, then never again."""

    def __init__(self, *plan: Mapping[str, Exception]) -> None:
        self.plan = list(plan)
        self.asked: list[str] = []
        self.missed: list[tuple[str, str]] = []
        self.rounds_s: list[float] = []

    async def ask(self, rooms: Rooms) -> None:
        if rooms[0] == "a":
            self.rounds_s.append(asyncio.get_running_loop().time())
        self.asked.append(rooms[0])
        number = len(self.rounds_s) - 1
        if number < len(self.plan) and rooms[0] in self.plan[number]:
            raise self.plan[number][rooms[0]]

    async def miss(self, rooms: Rooms, word: str, at: datetime) -> None:
        self.missed.append((rooms[0], word))

    async def play(self, for_s: float = 1.0) -> None:
        """Raises what ends the feed."""
        try:
            async with asyncio.timeout(for_s):
                await in_rounds("f", SHARES, self.ask, self.miss, BEAT_S, lambda: datetime.now(UTC))
        except TimeoutError:
            return


OFTEN = refusal(429)
ALL = {share[0]: refusal(500) for share in SHARES}


async def test_a_first_round_in_which_all_fail_ends_nothing_and_a_second_does() -> None:
    await Called(ALL).play(0.3)
    await Called(ALL, {"a": refusal(500)}, ALL).play(0.3)
    with pytest.raises(aiohttp.ClientResponseError):
        await Called(ALL, ALL).play()


async def test_who_asks_too_often_asks_nobody_further_and_ends_by_the_second_time() -> None:
    called = Called({"a": OFTEN}, {"a": OFTEN})
    with pytest.raises(aiohttp.ClientResponseError, match="429"):
        await called.play()
    assert called.asked == ["a", "a"]
    assert called.missed == [(share[0], "rate_limited") for share in SHARES]


async def test_a_wait_that_we_are_told_is_kept_to() -> None:
    called = Called({"b": refusal(429, {"Retry-After": "1"})})
    await called.play(1.3)
    first_s, second_s, *_ = called.rounds_s
    assert second_s - first_s >= 1.0


async def test_one_that_is_away_for_a_while_holds_up_nobody() -> None:
    """Its own server's wish to be left alone is not of the others."""
    called = Called(*[{"b": refusal(503, {"Retry-After": "60"})}] * 3)
    await called.play(0.5)
    assert len(called.rounds_s) >= 5
    assert called.missed == [("b", "http_status")] * 3
