"""The runs of our app in rooms of Bilibili: begun by a call, kept alive all together, found again after a restart."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import batched

import msgspec

from .api_feed import RoomUnseen
from .apis.bilibili_calls import BATCH_MAX, RUNNING, Game, beat, end, read_beaten, read_started, start
from .collector import BadFrame, Now, every
from .live_rooms import LiveRooms

BEAT_S = 20.0
STARTS_AT_ONCE = 32  # further ones wait here: the queue of the app's calls is for all of its feeds


class Games:
    """The notes of a room are its game: what is on disk is never older than what is used."""

    def __init__(self, house: LiveRooms, rooms: Sequence[str], app_id: int, now: Now) -> None:
        self._house, self._rooms, self._app_id, self._now = house, rooms, app_id, now
        self._running: dict[str, Game] = {}
        self._starting = asyncio.Semaphore(STARTS_AT_ONCE)

    async def find(self) -> None:
        """Those that a run of livemon before this one began, and that are not over: whoever starts anew instead waits
        until the room has cooled down, and for a turn among thousands of calls."""
        noted = {room: game for room in self._rooms if (game := _game(room, self._house.notes(room))) is not None}
        self._running = noted
        await self._beat_all()

    async def of(self, room: str) -> Game:
        """The game of a room; it is begun if there is none. Raises RoomUnseen, BadFrame."""
        if room in self._running:
            return self._running[room]
        async with self._starting:
            game = await self._begun(room)
        if game.room != room:
            raise RoomUnseen("another_room", 300.0)  # whoever gave this identity code has another room
        await self._house.note(room, _notes(game))
        self._running[room] = game
        return game

    def is_running(self, game: Game) -> bool:
        return self._running.get(game.room) == game

    def over(self, game: Game) -> None:
        """The platform says so."""
        if self.is_running(game):
            del self._running[game.room]

    async def give_up(self, game: Game) -> None:
        """It leads nowhere: end it, so that the room need not cool down before the next one."""
        self.over(game)
        await self._end(game)

    async def keep_alive(self, beat_s: float = BEAT_S) -> None:
        async for _ in every(beat_s):
            await self._beat_all()

    async def _begun(self, room: str) -> Game:
        try:
            return read_started(await self._start(room))
        except RoomUnseen as unseen:
            left = _game(room, self._house.notes(room))
            if str(unseen) != RUNNING or left is None:
                raise
            await self._end(left)  # one of ours, of which we did not know any more that it runs
            return read_started(await self._start(room))

    async def _start(self, room: str) -> bytes:
        return await self._house.ask(lambda caller: start(caller, self._app_id, self._now()), room)

    async def _end(self, game: Game) -> None:
        if not game.game_id:
            return
        try:
            await self._house.ask(lambda caller: end(caller, self._app_id, game.game_id, self._now()))
        except RoomUnseen:
            pass  # it is over by itself in a minute

    async def _beat_all(self) -> None:
        """A batch that could not be told of is told of again at the next beat; the platform waits for three."""
        alive = [game for game in self._running.values() if game.game_id]
        for batch in batched(alive, BATCH_MAX, strict=False):
            try:
                over = read_beaten(await self._beat([game.game_id for game in batch]))
            except (RoomUnseen, BadFrame):
                continue
            for game in batch:
                if game.game_id in over:
                    self.over(game)

    async def _beat(self, game_ids: Sequence[str]) -> bytes:
        return await self._house.ask(lambda caller: beat(caller, game_ids, self._now()))


def _notes(game: Game) -> Mapping[str, str]:
    return {"game": msgspec.json.encode(game).decode()}


def _game(room: str, notes: Mapping[str, str]) -> Game | None:
    """What another release noted otherwise is begun anew; without an id nobody could tell whether it still runs."""
    try:
        game = msgspec.json.decode(notes.get("game", ""), type=Game)
    except msgspec.DecodeError:
        return None
    return game if game.room == room and game.game_id else None
