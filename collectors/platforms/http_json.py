"""http_json: polls an answer in JSON that lists rooms, as the config file describes it: docs/feeds-by-toml.md."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, ClassVar

import aiohttp
import msgspec

from .. import described_sense as sense
from ..collector import BadFrame, Emit, Now, every
from ..described import DescribedRow
from ..described_call import OWN_TROUBLE, Call, Rooms, in_turn, shares, word_of
from ..finding import holds
from ..json_body import document, fraction
from ..paging import PAGED, Paging, all_pages
from ..placeholders import Message, read_secrets
from ..polled_frame import PolledFrame, asked_in, came, joined, parted, theirs_alone
from ..tick import Tick


class HttpJson(DescribedRow, tag="http_json", frozen=True, kw_only=True):
    interval_s: Annotated[float, msgspec.Meta(ge=0.1, le=3600)] = 5.0
    body: Message | None = None  # with one it is a POST
    rooms_per_call: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    ok_when: str = ""  # an answer that lists rooms; others mean nothing
    cursor: str = ""  # where a page names the next one
    more: str = ""  # whether there is a next one
    first_page: Annotated[int, msgspec.Meta(ge=0, le=1)] = 1
    pages_max: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100

    PLATFORM = "http_json"
    LISTED_IS_LIVE = True
    PATHS = (*DescribedRow.PATHS, "ok_when", "cursor", "more")
    TEXTS: ClassVar = {"url": PAGED | sense.ROOMS, "body": PAGED | sense.ROOMS}

    @property
    def ROOM_BY_ROOM(self) -> bool:  # type: ignore[override]  # by its settings
        return self.complete or self.call.names_rooms

    @property
    def call(self) -> Call:
        timeout_s = min(max(self.interval_s, 2.0), 30.0)
        return Call(self.url, self.headers, self.body, self.refused_when, self.body_bytes_max, timeout_s)

    @property
    def paging(self) -> Paging | None:
        paging = Paging(self.cursor, self.more, self.pages_max, self.body_bytes_max)
        return None if PAGED.isdisjoint(self.call.names) else paging

    def complaints(self) -> Iterator[sense.Complaint]:
        yield from DescribedRow.complaints(self)
        yield from sense.of_poll(self.fields)
        yield from sense.of_paging(self.call.names, self.cursor, self.more)
        yield from sense.of_shares(self.url, self.body, self.rooms_per_call, bool(self.fields.room) or self.keyed)

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None:
        async def ask(rooms: Rooms) -> None:
            asked_at = now()
            try:
                frame = await self.frame(http, read_secrets(self.secrets), rooms)
            except OWN_TROUBLE as error:
                if rooms:
                    await emit(joined(rooms, [], failed=word_of(error)), asked_at)
                raise
            await emit(frame, asked_at)

        asked = shares(self.rooms or (), self.rooms_per_call) if self.call.names_rooms else [()]
        if len(asked) == 1:
            async for _ in every(self.interval_s, self.name):
                await ask(asked[0])
        await in_turn(self.name, asked, ask, self.interval_s)

    async def frame(self, http: aiohttp.ClientSession, secrets: Mapping[str, str], rooms: Rooms) -> bytes:
        """The answer to one question: all its pages are one observation, and one that fails fails them all."""

        async def page(cursor: str, number: int) -> bytes:
            return await self.call.answer(http, secrets, rooms, cursor, str(self.first_page + number))

        if self.paging is not None:
            pages, broken = await all_pages(self.paging, page, lambda told: len(self.items(told, rooms, self.rooms_at)))
            return joined(rooms if self.call.names_rooms else None, pages, broken)
        answer = await page("", 0)
        return joined(rooms, [answer]) if self.call.names_rooms else answer

    def parse(self, frame: bytes, at: datetime) -> list[Tick]:
        is_joined = self.paging is not None or self.call.names_rooms
        asked = asked_in(frame) if is_joined else None
        with theirs_alone(asked, frame):
            told = came(parted(frame)) if is_joined else PolledFrame(None, [document(frame, fraction)])
            if self.ok_when and not all(holds(self.ok_when, page) for page in told.pages):
                raise BadFrame("not_ok: the answer is not what ok_when describes")
            return self.ticks(told.pages, asked, at, self.complete, self.rooms_at)
