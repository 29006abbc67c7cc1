"""wechat_live: asks WeChat's live dashboard for one video account after the other. One tick an answer."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated

import aiohttp
import msgspec

from ..api_feed import ApiRow, Platform, RoomUnseen
from ..apis.wechat_live import (
    DATA,
    LIST,
    Look,
    data_call,
    day_of,
    interval_of,
    list_call,
    quota_call,
    read_data,
    read_list,
    ticks_of,
)
from ..asked_at import asked_at
from ..asked_frame import Asked, framed, of_room
from ..collector import BadFrame, Emit, Now
from ..room_pace import RoomPace
from ..room_polls import poll_rooms
from ..tick import Tick

QUOTA_EVERY_S = 3600.0


class WechatLive(ApiRow, tag="wechat_live", frozen=True, kw_only=True):
    interval_s: Annotated[float, msgspec.Meta(ge=5, le=600)] = 30.0

    PLATFORM = "wechat"
    KEY_IS = "session"
    BY_ACCOUNT = "anchor"
    TELLS_MONEY = True

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now, platform: Platform) -> None:
        clock = asyncio.get_running_loop().time
        looks = {room: Look() for room in self.rooms or ()}

        async def ask(room: str) -> float | None:
            return await self._look(room, looks[room], emit, now, platform)

        await poll_rooms(RoomPace(self.name, looks, self.interval_s, clock()), ask, platform.patience)

    async def _look(self, room: str, look: Look, emit: Emit, now: Now, platform: Platform) -> float | None:
        """One beat: how the live stands that is on, or whether there is one. What cannot be read is emitted first."""
        path = DATA if look.living else LIST
        try:
            if look.living or await self._finds_one(room, look, emit, now, platform):
                body, at = await asked_at(platform, lambda caller, _: data_call(caller, look.living), now, room)
                await emit(framed(Asked([room], "data", look.living), body), at)
                if b"false" in body and read_data(body).living is False:  # there is no other way to write it
                    look.ended(asyncio.get_running_loop().time())
            return await self._pace(room, look, path, now, platform)
        except RoomUnseen:
            look.paces.clear()  # it may be the quota: what is left is asked for again once it answers
            raise

    async def _finds_one(self, room: str, look: Look, emit: Emit, now: Now, platform: Platform) -> bool:
        """A live that may be on: it may have begun yesterday. Where there is none, that is told."""
        body, at = await asked_at(platform, list_call, now, room)
        read = body
        try:
            newest = read_list(body).newest
            if not newest and look.asks_yesterday(at, self.interval_s):
                read = await platform.ask(partial(list_call, day=at - timedelta(days=1)), room)
                newest = read_list(read).newest
        except BadFrame:
            await emit(framed(Asked([room], "list"), read), at)
            raise
        at_s, look.day = asyncio.get_running_loop().time(), day_of(at)
        newest = newest or look.may_return(at_s)
        if newest and look.may_be_on(newest, at_s):
            look.living = newest
            return True
        await emit(framed(Asked([room], "list", newest), body), at)
        return False

    async def _pace(self, room: str, look: Look, path: str, now: Now, platform: Platform) -> float | None:
        """The interval that the rest of the day's quota allows, asked for once an hour; as usual where nobody says."""
        at_s = asyncio.get_running_loop().time()
        asked_s, interval_s = look.paces.get(path, (-QUOTA_EVERY_S, 0.0))
        if at_s - asked_s >= QUOTA_EVERY_S:
            with suppress(RoomUnseen, BadFrame):
                interval_s = interval_of(await platform.ask(partial(quota_call, path=path), room), now())
            look.paces[path] = at_s, interval_s
        return look.paces[path][1]

    def parse(self, frame: bytes, at: datetime) -> list[Tick]:
        return of_room(frame, lambda asked, body: ticks_of(self.name, asked, body, at))
