"""kill -9 at moments of a refresh: at most a pair in flight is lost, and then the account says so.

The platform voids the old pair the instant it answers. It lives on while the monitor dies.
"""

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from collectors.open_api import Call
from monitor.accounts.account import Account
from monitor.rehearsal.platforms.api_server import ApiServer, Asked, Told
from monitor.rehearsal.platforms.token_office import CallBook, Denied, TokenRules
from tests.accounts.dying import PER_S, rest, resting, wall
from tests.accounts.played import PlayedPlatform, account_of

VOIDING = TokenRules(access_s=2 * 86_400, refresh_s=180 * 86_400, inherits=True)
LIVES_S_MAX = 120.0  # only so that a test that hangs ends
LOST = "its pair was lost in flight by a crash at "


class Dying:
    """The program `tests.accounts.dying`, and all that it said."""

    def __init__(self, process: asyncio.subprocess.Process, said: Path) -> None:
        self._process, self.said = process, said

    async def lived(self, folder: Path, base: str, point: int) -> bool:
        self._process.stdin.write(f"{folder} {base} {point}\n".encode())
        told = await asyncio.wait_for(self._process.stdout.readline(), LIVES_S_MAX)
        assert told in (b"lived\n", b"died\n"), self.said.read_text()[-3_000:]
        return told == b"lived\n"


@asynccontextmanager
async def dying(folder: Path) -> AsyncIterator[Dying]:
    said = folder / "said"
    with said.open("wb") as errors:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.accounts.dying", stdin=pipe, stdout=pipe, stderr=errors
        )
        try:
            yield Dying(process, said)
        finally:
            process.stdin.close()
            await process.wait()


@asynccontextmanager
async def platform() -> AsyncIterator[tuple[PlayedPlatform, str]]:
    played = PlayedPlatform(VOIDING, wall, CallBook(per_s=PER_S))

    def answer(asked: Asked) -> Told:
        query = "&".join(f"{name}={value}" for name, value in asked.query.items())
        told = played.hear(Call(asked.path.strip("/"), f"http://x{asked.path}?{query}"))
        return Told(told.body, told.status, told.headers)

    server = ApiServer(answer)
    base = await server.serve()
    try:
        yield played, base
    finally:
        await server.close()


def due(played: PlayedPlatform, shop: str, soon: bool = True) -> Account:
    """Whose access token is near its end, or not."""
    pair = played.office.issue(shop, wall(), wall() + timedelta(minutes=10 if soon else 60 * 40))
    if soon:
        pair.granted_at = wall() - timedelta(days=2)
    return account_of(pair)


def judge(played: PlayedPlatform, folder: Path, in_flight: set[str]) -> set[str]:
    """Each account's pair is in force at the platform, or it is named as lost and was in flight. Which are lost?"""
    lost = set[str]()
    for account in resting(folder):
        if account.refused:
            assert account.refused.startswith(LOST), account.refused
            lost.add(account.shop)
        else:
            assert account.asked_at is None
            assert played.office.shop_of(account.tokens.access, wall()) == account.shop
            assert played.office.by_refresh[account.tokens.refresh].void_from is None
    assert lost <= in_flight, f"lost, though not in flight: {lost - in_flight}"
    return lost


def clear_nowhere(played: PlayedPlatform, folder: Path, said: Path) -> None:
    """No token is in any file, nor in what was logged."""
    tokens = [token.encode() for token in (*played.office.by_access, *played.office.by_refresh)]
    for file in (said, *(it for it in folder.rglob("*") if it.is_file())):
        content = file.read_bytes()
        assert not any(token in content for token in tokens), file


async def one_death(
    played: PlayedPlatform, base: str, program: Dying, folder: Path, accounts: list[Account], point: int
) -> tuple[bool, set[str]]:
    """Die at the point, live again; (did it live through the first time, whose pair is lost)."""
    await asyncio.to_thread(rest, folder, accounts)
    lived = await program.lived(folder, base, point)
    in_flight = {it.shop for it in await asyncio.to_thread(resting, folder) if it.asked_at is not None}
    assert await program.lived(folder, base, 0)
    lost = await asyncio.to_thread(judge, played, folder, in_flight)
    clear_nowhere(played, folder, program.said)
    return lived, lost


@pytest.mark.slow
async def test_killed_at_every_moment_of_one_refresh_at_most_that_pair_is_lost_and_named(tmp_path):
    lost_at, point = list[int](), 1
    async with platform() as (played, base), dying(tmp_path) as program:
        while True:
            shop = f"due{point}"
            accounts = [due(played, shop), due(played, f"one{point}", False), due(played, f"two{point}", False)]
            lived, lost = await one_death(played, base, program, tmp_path / f"spool{point}", accounts, point)
            assert lost <= {shop}
            if lost:
                lost_at.append(point)
            if lived:
                break
            point += 1
    assert point > 12  # so many moments there are, at the least
    assert lost_at, "no moment lay between the answer and the disk"
    assert set(played.asked.values()) <= {1, 2}


@pytest.mark.slow
async def test_killed_at_20_moments_of_many_refreshes_only_pairs_in_flight_are_lost_and_all_of_these_are_named(
    tmp_path,
):
    luck, deaths, losses = random.Random(20), 0, 0
    async with platform() as (played, base), dying(tmp_path) as program:
        for number in range(20):
            accounts = [due(played, f"shop{number}.{it}") for it in range(12)]
            point = luck.randrange(4, 120)
            lived, lost = await one_death(played, base, program, tmp_path / f"spool{number}", accounts, point)
            deaths += not lived
            losses += len(lost)
            for account in accounts:  # whose pair the platform voided for nobody
                if account.shop in lost:
                    with pytest.raises(Denied):
                        played.office.refresh(account.tokens.refresh, wall())
    assert deaths > 15
    assert losses > 0
    assert max(played.book.by_second.values()) <= PER_S
