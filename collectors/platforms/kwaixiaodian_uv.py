"""kwaixiaodian_uv: asks Kwaixiaodian for each shop how many watch its live room; nobody tells whether it is on."""

import asyncio
from datetime import datetime
from typing import Annotated, Literal

import aiohttp
import msgspec

from ..api_feed import ApiRow, Platform
from ..apis.kwaixiaodian_calls import read_uv, real_uv
from ..asked_at import asked_at
from ..asked_frame import Asked, framed, of_room
from ..collector import Emit, Now
from ..room_pace import RoomPace
from ..room_polls import poll_rooms
from ..tick import Tick


class KwaixiaodianUv(ApiRow, tag="kwaixiaodian_uv", frozen=True, kw_only=True):
    interval_s: Annotated[float, msgspec.Meta(ge=5, le=600)] = 20.0
    uv_is: Literal["viewers", "views_total"] = "viewers"  # who watch now, or all that came so far

    PLATFORM = "kwaixiaodian"
    BY_ACCOUNT = "shop"
    TELLS_STATE = False  # a room that only this feed sees is no room that is seen
    SIGNALS = ("viewers",)

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now, platform: Platform) -> None:
        async def ask(room: str) -> None:
            body, at = await asked_at(platform, real_uv, now, room)
            await emit(framed(Asked([room]), body), at)

        clock = asyncio.get_running_loop().time
        await poll_rooms(RoomPace(self.name, self.rooms or (), self.interval_s, clock()), ask, platform.patience)

    def parse(self, frame: bytes, at: datetime) -> list[Tick]:
        return of_room(frame, lambda asked, body: [self._tick(asked.rooms[0], read_uv(body), at)])

    def _tick(self, room: str, told: int | None, at: datetime) -> Tick:
        if self.uv_is == "views_total":
            return Tick(self.name, room, at, "status", views_total=told)
        return Tick(self.name, room, at, "status", viewers=told)
