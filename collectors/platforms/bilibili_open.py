"""bilibili_open: Bilibili's open-live platform (直播开放平台), which tells of a room to an app that runs in it."""

import asyncio
from datetime import datetime
from typing import Annotated

import aiohttp
import msgspec

from ..bilibili_games import BEAT_S, Games
from ..bilibili_messages import PriceIs, meaning_of
from ..bilibili_socket import Conversation
from ..collector import Emit, Now
from ..hook import NO_DETAILS, App, Details, Meaning
from ..live_rooms import LiveRooms, LiveRoomsRow
from ..room_sockets import Ear, RoomSockets, Turnstile


class BilibiliOpen(LiveRoomsRow, tag="bilibili_open", frozen=True, kw_only=True):
    app_id: int  # of the project (项目ID), beside the access key of the [[app]]
    gift_price: PriceIs = "paid"
    connects_per_s: Annotated[float, msgspec.Meta(ge=0.1, le=400)] = 300.0
    interval_s: Annotated[float, msgspec.Meta(ge=0.1, le=20)] = BEAT_S  # of all heartbeats: the runs' and the sockets'

    PLATFORM = "bilibili"
    TELLS_END = True
    KEY_IS = "session"
    KEY_OF_APP = "the id of the access key"
    REFRESH_S = 15.0  # a like counts those of the last seconds, and may come after the end

    async def collect(self, http: aiohttp.ClientSession, emit: Emit, now: Now, rooms: LiveRooms) -> None:
        watched = self.rooms or []
        games, turnstile = Games(rooms, watched, self.app_id, now), Turnstile(self.connects_per_s)
        await games.find()

        async def talk(room: str, ear: Ear) -> None:
            game = await games.of(room)
            link = game.links[ear.failures % len(game.links)] if game.links else ""
            address = await rooms.reach(link)
            await turnstile.pass_()  # last, at the connect itself: whatever is late before it must not gather them
            await Conversation(games, game, ear, rooms, now, self.interval_s).hold(link, address)

        async with asyncio.TaskGroup() as group:
            group.create_task(games.keep_alive(self.interval_s), name="keep games alive")
            await RoomSockets(self.name, watched, talk, rooms, emit, now, self.interval_s).run()

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        return meaning_of(frame, at, self.name, self.platform or self.PLATFORM, self.gift_price)
