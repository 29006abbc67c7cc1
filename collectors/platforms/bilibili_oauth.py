"""bilibili_oauth: asks Bilibili's open platform for one account after the other whether its room is on air."""

import asyncio
from datetime import datetime
from typing import Annotated

import aiohttp
import msgspec

from ..api_feed import ApiRow, Platform
from ..apis.bilibili import read_room, room_info
from ..asked_at import asked_at
from ..asked_frame import Asked, framed, of_room
from ..collector import BadFrame, Emit, Now
from ..room_pace import RoomPace
from ..room_polls import poll_rooms
from ..tick import Tick


class BilibiliOauth(ApiRow, tag="bilibili_oauth", frozen=True, kw_only=True):
    interval_s: Annotated[float, msgspec.Meta(ge=5, le=600)] = 30.0

    PLATFORM = "bilibili"
    KEY_IS = "session"
    BY_ACCOUNT = "anchor"
    SIGNALS = ("live",)
    REFRESH_S = 60.0  # UNVERIFIED: how far the answer lags behind what happened

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now, platform: Platform) -> None:
        async def ask(room: str) -> None:
            body, at = await asked_at(platform, room_info, now, room)
            await emit(framed(Asked([room]), body), at)

        clock = asyncio.get_running_loop().time
        await poll_rooms(RoomPace(self.name, self.rooms or (), self.interval_s, clock()), ask, platform.patience)

    def parse(self, frame: bytes, at: datetime) -> list[Tick]:
        return of_room(frame, lambda asked, body: self._ticks(asked.rooms, body, at))

    def _ticks(self, rooms: list[str], body: bytes, at: datetime) -> list[Tick]:
        told = read_room(body)
        if [str(told.room_id)] != rooms:
            raise BadFrame("bad_room: an answer of another room than the one that was asked for")
        return [Tick(self.name, rooms[0], at, "status", told.is_streaming)]
