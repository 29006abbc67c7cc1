"""The calls of a feed that TOML describes: a URL filled in for some rooms; answers come without our secrets in them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import aiohttp
import msgspec

from .collector import BadFrame, FeedRefused
from .described_sense import ROOMS
from .finding import means
from .placeholders import Message, body_filled, headers_filled, masked, named, url_filled
from .request import body_of

CALLS_AT_ONCE = 8
IN_A_ROW_MAX = 10  # so many failures, and it is everybody's trouble
OWN_TROUBLE = (TimeoutError, OSError, aiohttp.ClientError, BadFrame)  # what may be wrong with one call alone
WORDS: dict[int, str] = {401: "auth", 403: "auth", 429: "rate_limited"}

Rooms = Sequence[str]


class Call(msgspec.Struct, frozen=True):
    """What is asked, with its placeholders. Messages and URLs are shown with these, never filled in."""

    url: str
    headers: Mapping[str, str]
    body: Message | None
    refused_when: str
    bytes_max: int
    timeout_s: float

    @property
    def names(self) -> set[str]:
        """What stands in braces in it."""
        return named(self.url) | named(self.body)

    @property
    def names_rooms(self) -> bool:
        return not ROOMS.isdisjoint(self.names)

    async def answer(
        self, http: aiohttp.ClientSession, secrets: Mapping[str, str], rooms: Rooms, cursor: str = "", page: str = ""
    ) -> bytes:
        """Raises what `body_of` raises, and FeedRefused where the answer means that."""
        values = {**secrets, "cursor": cursor, "page": page}
        url, headers = (
            url_filled(self.url, values, rooms),
            headers_filled(self.headers, secrets),
        )
        sent = None if self.body is None else body_filled(self.body, values, rooms)
        raw = await body_of(http, url, self.url, headers, sent, self.bytes_max, self.timeout_s)
        told = masked(raw, secrets.values())
        if self.refused_when and means(self.refused_when, told):
            raise FeedRefused(f"{self.url} answered with what refused_when describes")
        return told


def shares(rooms: Rooms, rooms_per_call: int) -> list[Rooms]:
    return [rooms[at : at + rooms_per_call] for at in range(0, len(rooms), rooms_per_call)]


async def in_turn(shares: Sequence[Rooms], ask: Callable[[Rooms], Awaitable[None]], seconds: float) -> None:
    """Ask about each share, evenly over so many seconds and a few at once.

    What `ask` raises for one share does not keep the others from being asked, if it may be that share's own trouble: it
    hands over how it failed, and raises. The round fails as a whole where every share does, or so many in a row.
    """
    free, loop = asyncio.Semaphore(CALLS_AT_ONCE), asyncio.get_running_loop()
    begun_s, asked, failed = loop.time(), 0, list[Exception]()

    async def one(share: Rooms) -> None:
        nonlocal asked
        try:
            await ask(share)
            asked += 1
            failed.clear()
        except OWN_TROUBLE as error:
            failed.append(error)
            if len(failed) >= IN_A_ROW_MAX or word_of(error) == "rate_limited":
                raise
        finally:
            free.release()

    async with asyncio.TaskGroup() as group:
        for number, share in enumerate(shares):
            await asyncio.sleep(begun_s + seconds * number / len(shares) - loop.time())
            await free.acquire()
            group.create_task(one(share), name="share")
    if failed and not asked:
        raise failed[0]


def word_of(error: Exception) -> str:
    """How a call failed, in one of the fixed words of monitor/live/failure.py."""
    if isinstance(error, aiohttp.ClientResponseError):
        return WORDS.get(error.status, "http_status")
    if isinstance(error, BadFrame):
        return "bad_frame"
    if isinstance(error, TimeoutError):
        return "timeout"
    return "closed" if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError) else "connect"
