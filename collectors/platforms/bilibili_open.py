"""bilibili_open: Bilibili's open-live platform (直播开放平台), which tells of a room to an app that runs in it."""

import asyncio
from datetime import datetime
from typing import Annotated

import aiohttp
import msgspec

from ..apis.bilibili_calls import Game
from ..bilibili_games import BEAT_S, Games
from ..bilibili_messages import LIKE, MEANT, OVER, PriceIs, command_of, frame_of, meaning_of
from ..bilibili_socket import NotLetIn, hear, introduce
from ..collector import BadFrame, Emit, Now
from ..hook import NO_DETAILS, App, Details, Meaning
from ..live_rooms import LiveRooms, LiveRoomsRow
from ..order_socket import connection
from ..room_sockets import Ear, RoomSockets, Turnstile

LIKES_EVERY_S = 30.0  # all that a like says is that the room is on air


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
            await turnstile.pass_()
            await Conversation(self, games, game, rooms, emit, now, ear).hold()

        async with asyncio.TaskGroup() as group:
            group.create_task(games.keep_alive(self.interval_s), name="keep games alive")
            await RoomSockets(self.name, watched, talk, rooms, emit, now, self.interval_s).run()

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        return meaning_of(frame, at, self.name, self.platform or self.PLATFORM, self.gift_price)


class Conversation:
    """With one room, by one connection."""

    def __init__(
        self, row: BilibiliOpen, games: Games, game: Game, rooms: LiveRooms, emit: Emit, now: Now, ear: Ear
    ) -> None:
        self.row, self.games, self.game, self.rooms, self.emit, self.now = row, games, game, rooms, emit, now
        self.ear = ear
        self._liked_s = -LIKES_EVERY_S

    async def hold(self) -> None:
        """Raises NotLetIn where the game's words are not good: then it is given up, and the next try begins another."""
        links = self.game.links or ("",)
        link = links[self.ear.failures % len(links)]
        async with connection(link, address=await self.rooms.reach(link)) as socket:
            try:
                await introduce(socket, self.game.auth)
            except NotLetIn:
                await self.games.give_up(self.game)
                raise
            self.ear.heard()
            await hear(socket, self._take, self.ear.heard, self._wanted, self.row.interval_s)

    def _wanted(self) -> bool:
        return self.games.is_running(self.game)

    async def _take(self, message: bytes) -> None:
        """What means something to us is kept; what cannot be read is, too, for a person."""
        self.ear.heard()
        try:
            command = command_of(message)
        except BadFrame:
            command = ""
        if command == OVER:
            self.games.over(self.game)
            raise EOFError("the platform ended our run in this room")
        if command == LIKE:
            now_s = asyncio.get_running_loop().time()
            if now_s - self._liked_s < LIKES_EVERY_S:
                return
            self._liked_s = now_s
        if not command or command in MEANT:
            await self.emit(frame_of(self.game.room, message), self.now())
