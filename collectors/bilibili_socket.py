"""One room's message socket of Bilibili: who we are, then heartbeats, and whatever is said in the room.

One task a room does it all, and one object: there are thousands.
"""

import asyncio
from collections.abc import Iterator
from datetime import datetime

import msgspec

from .apis.bilibili_calls import Game
from .beat import STEP_S, beat_after
from .bilibili_frames import AUTH, AUTH_REPLY, HEARTBEAT, HEARTBEAT_REPLY, MESSAGE, Packet, decode, encode
from .bilibili_games import Games
from .bilibili_messages import HEEDED, LIKE, MEANT, OVER, command_of, frame_of, glanced_at, over_of
from .collector import BadFrame, Now
from .light_socket import Heard, LightSocket, opened
from .live_rooms import LiveRooms
from .order_socket import REPLY_S_MAX
from .room_sockets import Ear

LIKES_EVERY_S = 30.0  # all that a like says is that the room is on air
BEAT = encode(Packet(HEARTBEAT))
LET_IN = b""  # the first that is sifted: it stands for the answer to our introduction


class NotLetIn(ConnectionError):
    """The words that authenticate are not good (any more)."""


class AuthReply(msgspec.Struct, frozen=True):
    code: int


class Conversation:
    """With one room, by one connection."""

    __slots__ = (
        "_answered",
        "_beat_s",
        "_ear",
        "_game",
        "_games",
        "_house",
        "_let_in",
        "_liked_s",
        "_now",
        "_under_way",
    )

    def __init__(self, games: Games, game: Game, ear: Ear, house: LiveRooms, now: Now, beat_s: float) -> None:
        self._games, self._game, self._ear, self._house, self._now, self._beat_s = games, game, ear, house, now, beat_s
        self._let_in = False
        self._under_way = 0  # messages on their way to the disk
        self._answered = True  # the last heartbeat
        self._liked_s = -LIKES_EVERY_S

    async def hold(self, link: str, address: str) -> None:
        """Until the connection fails, a heartbeat has no answer, or the run is over.

        Raises NotLetIn where the game's words are not good: then it is given up, and the next try begins another.
        """
        socket = await opened(link, address, self.sift)
        try:
            await self._introduce(socket)
            await self._hear(socket)
        except NotLetIn:
            await self._games.give_up(self._game)
            raise
        finally:
            await socket.close()

    async def _introduce(self, socket: LightSocket) -> None:
        """Say the words that `start` gave, as they are."""
        socket.say(encode(Packet(AUTH, self._game.auth.encode())))
        if await socket.next(asyncio.get_running_loop().time() + REPLY_S_MAX) is None:
            raise TimeoutError("no answer to the introduction")
        self._ear.heard()

    async def _hear(self, socket: LightSocket) -> None:
        clock = asyncio.get_running_loop().time
        beat_at_s = clock()
        while True:
            if clock() >= beat_at_s:
                held, socket.held = socket.held, socket.paused
                if not self._answered and not held:  # what our disk holds up cannot be read yet
                    raise TimeoutError("no answer to the last heartbeat")
                if not self._games.is_running(self._game):
                    return
                socket.say(BEAT)
                beat_at_s, self._answered = beat_after(0.0, clock() + self._beat_s, STEP_S), False
            if (heard := await socket.next(beat_at_s)) is not None:
                message, at = heard
                await self._house.keep(self._game.room, frame_of(self._game.room, message), at)
                self._under_way -= 1

    # --- as it comes -------------------------------------------------------------------------------------------------

    def sift(self, message: bytes) -> Iterator[Heard]:
        """Raises NotLetIn, BadFrame, EOFError."""
        for packet in decode(message):
            if not self._let_in:
                _admitted(packet)
                self._let_in = True
                yield LET_IN, self._now()
            elif packet.operation == HEARTBEAT_REPLY:
                self._answered = True
                self._ear.heard()
            elif packet.operation == MESSAGE:
                self._ear.heard()
                at = self._now()
                if self._wanted(packet.body, at):
                    self._under_way += 1
                    yield packet.body, at

    def _wanted(self, message: bytes, at: datetime) -> bool:
        """What means something to us is kept; what cannot be read is, too, for a person."""
        glanced = glanced_at(message)
        if glanced and (glanced not in HEEDED or (glanced == LIKE and self._liked_lately())):
            return False
        try:
            command = command_of(message)
        except BadFrame:
            return True
        if command == OVER:
            return self._ended(message)
        return self._liked(message, at) if command == LIKE else command in MEANT

    def _ended(self, message: bytes) -> bool:
        """Another run in this room may have ended, one of before us or of a second livemon. Then ours goes on; if it
        does not, a heartbeat finds that. An end that names no run is ours; one that cannot be read is kept."""
        try:
            whose = over_of(message)
        except BadFrame:
            return True
        if whose not in ("", self._game.game_id):
            return False
        self._games.over(self._game)
        raise EOFError("the platform ended our run in this room")

    def _liked_lately(self) -> bool:
        return asyncio.get_running_loop().time() - self._liked_s < LIKES_EVERY_S

    def _liked(self, message: bytes, at: datetime) -> bool:
        """Whether a like must be kept: only if it cannot be told at once without overtaking what was said before."""
        if self._liked_lately():
            return False
        self._liked_s = asyncio.get_running_loop().time()
        return self._under_way > 0 or not self._house.tell(self._game.room, frame_of(self._game.room, message), at)


def _admitted(first: Packet) -> None:
    if first.operation != AUTH_REPLY:
        raise BadFrame("bilibili: another answer to the introduction than its own")
    try:
        code = msgspec.json.decode(first.body, type=AuthReply).code
    except msgspec.DecodeError as error:
        raise BadFrame("bilibili: an answer to the introduction that has no code") from error
    if code != 0:
        raise NotLetIn(f"bilibili: not let in: {code}")
