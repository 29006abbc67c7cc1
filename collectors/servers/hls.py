"""hls: polls the HLS playlist of each room, wherever it is served. It tells whether a room is on air, nothing more."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import quote, urljoin, urlsplit

import aiohttp
import msgspec

from ..asked_frame import framed, parted_as
from ..collector import BadFrame, Emit, Now, PartlyRead
from ..described_call import OWN_TROUBLE, Rooms, in_turn, shares, word_of
from ..followed_list import FollowedList
from ..playlist import Look, variant
from ..probed_row import ProbedRow
from ..request import body_of
from ..tick import Tick

MISSING = (404, 410)
ASK_S_MAX = 4.0  # however long segments are: a feed that nobody asks for 10 s counts as silent


class Hls(ProbedRow, tag="hls", frozen=True, kw_only=True):
    url: str
    interval_s: Annotated[float, msgspec.Meta(ge=0.1, le=300)] = 1.0
    body_bytes_max: Annotated[int, msgspec.Meta(ge=4096, le=64 * 1024 * 1024)] = 1024 * 1024

    PLATFORM = "hls"
    ROOM_BY_ROOM = True
    SIGNALS = ("live",)
    STALL_S = 1.0  # beyond the two segments for which a list that stands still counts as moving
    RETRY_S_MAX = 10.0
    ELSEWHERE = dict.fromkeys(("user", "password_file"), "remove it: playlists are asked for without a login")
    PROBES_COUNTED = ()

    def complaints(self) -> Iterator[tuple[tuple[str, ...], str, str]]:
        yield from ProbedRow.complaints(self)
        if "{room}" not in self.url and (self.rooms is None or len(self.rooms) != 1):
            yield ("url",), "url does not name the room", "put {room} into it, as http://10.0.0.7:8080/{room}.m3u8"

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now) -> None:
        lists = {room: FollowedList() for room in self.rooms or ()}

        async def ask(rooms: Rooms) -> float:
            room, asked_at = rooms[0], now()
            of_room = lists[room]
            try:
                body = await self.media(http, room, of_room, asked_at)
            except OWN_TROUBLE as error:
                await emit(framed(Look(room, of_room.known, failed=word_of(error)), b""), asked_at)
                raise
            look = Look(room, of_room.known, missing=body is None)
            await emit(framed(look, body or b""), asked_at)
            after = look.understood(body or b"", asked_at)
            of_room.learn(after)
            target_s = after.playlist.target_s if after.playlist else 0.0  # RFC 8216, 6.3.4: after no change half of it
            return min(target_s if after.changed_at == asked_at else target_s / 2, ASK_S_MAX)

        await in_turn(self.name, shares(self.rooms or (), 1), ask, self.interval_s)

    async def media(self, http: aiohttp.ClientSession, room: str, of_room: FollowedList, at: datetime) -> bytes | None:
        """The media playlist, None where there is none.

        A variant is kept while it moves: to SRS whoever asks a master is a viewer. One that is gone, fails, ended or
        stands still may not be where the room is now, so its master is asked again, each few seconds; until that names
        another one, what the variant answers is what is seen.
        """
        moved, due, gone = of_room.moves, of_room.is_due(at), False
        of_room.moves = False  # until this look has shown that it does
        if of_room.address and (moved or not due):
            body = await self.get(http, of_room.address)
            if body is not None or not due:
                return body
            gone = True
        kept = of_room.address and not gone
        url = self.url.replace("{room}", quote(room, safe="/"))
        of_room.asked_at = at
        try:
            body = await self.get(http, url)
        except OWN_TROUBLE:
            if not kept:
                raise
            body = None
        if body is None:
            return await self.get(http, of_room.address) if kept else None
        address = urljoin(url, variant(body) or "")
        if address == url or urlsplit(address)[:2] != urlsplit(url)[:2]:  # we go where we are sent by the config alone
            of_room.address = ""
            return body
        of_room.sent_to(address, at)
        return await self.get(http, address)

    async def get(self, http: aiohttp.ClientSession, url: str) -> bytes | None:
        try:
            timeout_s = max(self.interval_s, 2.0)
            return await body_of(http, url, self.url, {}, None, self.body_bytes_max, timeout_s, login=False)
        except aiohttp.ClientResponseError as error:
            if error.status in MISSING:
                return None
            raise

    def parse(self, frame: bytes, at: datetime) -> list[Tick]:
        look, body = parted_as(Look, frame)
        if look.failed:
            raise PartlyRead(f"{look.failed}: the call failed", (), {look.room: look.failed})
        try:
            known = look.understood(body, at)
        except BadFrame as error:
            raise PartlyRead(str(error), (), {look.room: "bad_frame"}, body) from error
        progress = None if known.moved_at is None else int(known.moved_at.timestamp() * 1000)
        end: Literal["ended"] | None = "ended" if known.playlist and known.playlist.ended else None
        return [Tick(self.name, look.room, at, "status", known.live, progress=progress, end=end)]
