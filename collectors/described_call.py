"""The calls of a feed that TOML describes: a URL filled in for some rooms; answers come without our secrets in them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import aiohttp
import msgspec

from .api_feed import RoomUnseen
from .collector import BadFrame, FeedRefused
from .described_sense import ROOMS
from .finding import means
from .placeholders import Message, body_filled, headers_filled, masked, named, url_filled
from .request import body_of
from .room_pace import RoomPace
from .room_polls import poll_rooms

CALLS_AT_ONCE = 8
IN_A_ROW_MAX = 10  # so many failures, and it is everybody's trouble
SHARES_MAX = 30  # if they are of all shares, or of so many
OWN_TROUBLE = (TimeoutError, OSError, aiohttp.ClientError, BadFrame)  # what may be wrong with one call alone
WORDS: dict[int, str] = {401: "auth", 403: "auth", 429: "rate_limited"}

Rooms = Sequence[str]
Ask = Callable[[Rooms], Awaitable[float | None]]
"""Asks about a share of the rooms and hands over what came. Returns its interval from now on; None: the usual one."""


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


async def in_turn(feed: str, shares: Sequence[Rooms], ask: Ask, interval_s: float) -> None:
    """Ask about each share of the rooms, each at its own beat, for ever.

    `ask` hands over how it failed, and raises. Where that may be the share's own trouble the others go on; too many in
    a row, and not of the few alone that are asked most often, or to be told that we ask too often, is a failure of the
    feed.
    """
    share_of = {share[0]: share for share in shares}
    in_a_row_max, in_a_row = min(IN_A_ROW_MAX, 2 * len(shares)), 0
    failing: set[str] = set()  # in that row

    async def one(name: str) -> float | None:
        nonlocal in_a_row
        try:
            next_s = await ask(share_of[name])
        except OWN_TROUBLE as error:
            in_a_row, word = in_a_row + 1, word_of(error)
            failing.add(name)
            everybody = in_a_row >= in_a_row_max and len(failing) >= min(SHARES_MAX, len(shares))
            if everybody or word == "rate_limited":
                raise
            raise RoomUnseen(word) from error
        in_a_row = 0
        failing.clear()
        return next_s

    pace = RoomPace(feed, share_of, interval_s, asyncio.get_running_loop().time())
    await poll_rooms(pace, one, patience=lambda _: None, at_once_max=CALLS_AT_ONCE)


def word_of(error: Exception) -> str:
    """How a call failed, in one of the fixed words of monitor/live/failure.py."""
    if isinstance(error, aiohttp.ClientResponseError):
        return WORDS.get(error.status, "http_status")
    if isinstance(error, BadFrame):
        return "bad_frame"
    if isinstance(error, TimeoutError):
        return "timeout"
    return "closed" if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError) else "connect"
