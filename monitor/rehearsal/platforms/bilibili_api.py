"""A played Bilibili: apps that run in rooms, the sockets that tell of them, and the open platform's accounts.

Its signatures are computed here anew, not with the collectors' code, and its packets are written by `bilibili_wire`.
The rules are the catalogue's (china.md 2.3, 2.4): at most 200 games in a heartbeat, each once; a game is over after 60
s without one, and its room then has to cool down; five connections a room; a nonce once, a clock within ten minutes.
"""

import hashlib
import hmac
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from ..scene import Trouble
from .api_server import ApiServer, Asked, Told
from .bilibili_sockets import LiveSockets
from .token_office import CallBook, Denied, Pair, PlayedOrder, TokenOffice, TokenRules

RULES = TokenRules(access_s=30 * 86_400, refresh_s=None)
BATCH_MAX, GAMES_OF_A_ROOM_MAX = 200, 5
SILENCE, COOL_DOWN, CLOCK = timedelta(seconds=60), timedelta(seconds=10), timedelta(minutes=10)
SIGNED = (
    "x-bili-accesskeyid", "x-bili-content-md5", "x-bili-signature-method", "x-bili-signature-nonce",
    "x-bili-signature-version", "x-bili-timestamp",
)  # fmt: skip
OK, BAD_PARAM, BAD_SIGNATURE, BAD_CLOCK, USED_NONCE, BAD_ADDRESS, TOO_FAST, BAD_MD5 = (
    0, 4000, 4002, 4003, 4004, 4007, 4009, 4012,
)  # fmt: skip
NOT_PUBLISHED, NO_SUCH_CODE, NO_GAME, COOLING, OVER, TOO_MANY_IDS, ID_TWICE, CODE_OVER, TOO_MANY, NO_PROJECT = (
    5004, 6000, 7000, 7001, 7003, 7004, 7005, 7007, 7010, 8002,
)  # fmt: skip


@dataclass
class PlayedGame:
    """One run of the app in a room."""

    game_id: str
    room: str
    beat_at: datetime


@dataclass
class FakeBilibili:
    """One developer with one app. `codes` are identity codes and their rooms; `expired` those that are over; rooms in
    `on_air` are. An app that is not `published` runs in the developer's `own_room` alone, without a game id."""

    app_key: str
    secret: bytes
    now: Callable[[], datetime]
    book: CallBook = field(default_factory=CallBook)
    trouble: Trouble = field(default_factory=Trouble)
    app_id: int = 1_234_567_890_123
    published: bool = True
    own_room: str = ""

    def __post_init__(self) -> None:
        self.office = TokenOffice(RULES)
        self.orders: dict[str, PlayedOrder] = {}
        self.codes: dict[str, str] = {}
        self.expired: set[str] = set()
        self.on_air: set[str] = set()
        self.left_out: set[str] = set()  # rooms that no question is answered for
        self.garbled: set[str] = set()  # rooms of which an answer says nothing
        self.games: dict[str, PlayedGame] = {}
        self.cooling: dict[str, datetime] = {}
        self.started: list[str] = []  # rooms, in order
        self.beats: list[list[str]] = []
        self.ended: list[str] = []
        self._nonces: set[str] = set()
        self._numbers = itertools.count(1)
        self.server = ApiServer(self.answer, self.trouble)
        self.sockets = LiveSockets(self.now, self.trouble)

    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> str:
        await self.sockets.serve(host)
        return await self.server.serve(host, port)

    async def close(self) -> None:
        await self.sockets.close()
        await self.server.close()

    def forget(self) -> None:
        """What was asked in a week need not be remembered: only a test asks for it."""
        for kept in (self.started, self.beats, self.ended, self.sockets.opened_at, self._nonces):
            kept.clear()

    def answer(self, asked: Asked) -> Told:
        """The status is 200 whatever is wrong."""
        if asked.path.startswith("/x/account-oauth2/v1/"):
            return self._tokens(asked)
        if (refusal := self._refusal(asked)) is not None:
            return refusal
        self._let_go()
        if asked.path == "/arcopen/fn/live/room/info":
            return self._room_info(asked)
        try:
            params: dict[str, Any] = json.loads(asked.body)
        except ValueError:
            return fault(BAD_PARAM)
        called = {
            "/v2/app/start": self._start, "/v2/app/heartbeat": self._beat, "/v2/app/batchHeartbeat": self._beat_all,
            "/v2/app/end": self._end,
        }  # fmt: skip
        return called[asked.path](params) if asked.path in called else Told({"message": "not found"}, 404)

    def _refusal(self, asked: Asked) -> Told | None:
        """What every signed call is refused for, in this order."""
        headers = asked.headers
        if not self.book.address_ok(asked.remote):
            return fault(BAD_ADDRESS)
        if any(name not in headers for name in SIGNED) or headers["x-bili-accesskeyid"] != self.app_key:
            return fault(BAD_PARAM)
        if headers["x-bili-content-md5"] != hashlib.md5(asked.body, usedforsecurity=False).hexdigest():
            return fault(BAD_MD5)
        text = "\n".join(f"{name}:{headers[name]}" for name in SIGNED)
        sign = hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(headers.get("authorization", "").encode(), sign.encode()):
            return fault(BAD_SIGNATURE)
        at = datetime.fromtimestamp(int(headers["x-bili-timestamp"]), UTC)
        if abs(at - self.now()) > CLOCK:
            return fault(BAD_CLOCK)
        if headers["x-bili-signature-nonce"] in self._nonces:
            return fault(USED_NONCE)
        self._nonces.add(headers["x-bili-signature-nonce"])
        return None if self.book.take(asked.path, self.now()) == "ok" else fault(TOO_FAST)

    # --- games ---

    def _let_go(self) -> None:
        """Games that nobody has kept alive are over, and their rooms must cool down."""
        now = self.now()
        for game in [game for game in self.games.values() if now - game.beat_at > SILENCE]:
            del self.games[game.game_id]
            self.cooling[game.room] = now + COOL_DOWN
            self.sockets.forget(game.game_id)
        self.cooling = {room: until for room, until in self.cooling.items() if until > now}

    def _start(self, params: dict[str, Any]) -> Told:
        code = str(params.get("code", ""))
        room = self.codes.get(code)
        if params.get("app_id") != self.app_id:
            return fault(NO_PROJECT)
        if code in self.expired:
            return fault(CODE_OVER)
        if room is None:
            return fault(NO_SUCH_CODE)
        if not self.published and room != self.own_room:
            return fault(NOT_PUBLISHED)
        if room in self.cooling:
            return fault(COOLING)
        if sum(game.room == room for game in self.games.values()) >= GAMES_OF_A_ROOM_MAX:
            return fault(TOO_MANY)
        game_id = f"game-{next(self._numbers)}" if self.published else ""
        if game_id:
            self.games[game_id] = PlayedGame(game_id, room, self.now())
        self.started.append(room)
        auth = self.sockets.admit(game_id, room)
        return success({
            "anchor_info": {"room_id": int(room), "uid": 0, "open_id": f"open-{room}", "union_id": "", "uname": "小葵"},
            "game_info": {"game_id": game_id},
            "websocket_info": {"auth_body": auth, "wss_link": [self.sockets.url]},
        })  # fmt: skip

    def _beat(self, params: dict[str, Any]) -> Told:
        game = self.games.get(str(params.get("game_id", "")))
        if game is None:
            return fault(OVER)
        game.beat_at = self.now()
        return success({})

    def _beat_all(self, params: dict[str, Any]) -> Told:
        game_ids = list(params.get("game_ids", []))
        if len(game_ids) > BATCH_MAX:
            return fault(TOO_MANY_IDS)
        if len(set(game_ids)) < len(game_ids):
            return fault(ID_TWICE)
        self.beats.append(game_ids)
        failed = [game_id for game_id in game_ids if self._beat({"game_id": game_id}).document != success({}).document]
        return success({"failed_game_ids": failed})

    def _end(self, params: dict[str, Any]) -> Told:
        """Whoever says it need not wait for the room."""
        game = self.games.pop(str(params.get("game_id", "")), None)
        if game is None or params.get("app_id") != self.app_id:
            return fault(NO_GAME)
        self.ended.append(game.room)
        self.sockets.forget(game.game_id)
        return success({})

    # --- accounts ---

    def _tokens(self, asked: Asked) -> Told:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if form.get("client_id") != self.app_key or form.get("client_secret", "").encode() != self.secret:
            return fault(BAD_SIGNATURE)
        try:
            if asked.path.endswith("/refresh_token"):
                return self._granted(self.office.refresh(form.get("refresh_token", ""), self.now()))
            return self._granted(self.office.exchange(form.get("code", ""), self.now()))
        except Denied:
            return fault(-101)

    def _granted(self, pair: Pair) -> Told:
        """`expires_in` is an instant here, whatever its name says."""
        until_s = int(pair.access_until.timestamp())
        return success({
            "access_token": pair.access, "refresh_token": pair.refresh, "expires_in": until_s,
            "scopes": ["LIVE_ROOM_DATA"],
        })  # fmt: skip

    def _room_info(self, asked: Asked) -> Told:
        """One room a token; the words of a refusal are ours, as no page tells them."""
        if asked.headers["x-bili-signature-version"] != "2.0":
            return fault(BAD_SIGNATURE)
        try:
            room = self.office.shop_of(asked.headers.get("access-token", ""), self.now())
        except Denied:
            return fault(-101)
        if room in self.left_out:
            return fault(NO_SUCH_CODE)
        if room in self.garbled:
            return success({"open_id": f"open-{room}", "room_id": int(room), "title": "草莓专场"})
        return success({
            "open_id": f"open-{room}", "room_id": int(room), "title": "草莓专场", "is_streaming": room in self.on_air,
            "is_banned": False,
        })  # fmt: skip


def success(data: object) -> Told:
    return Told({"code": OK, "message": "0", "request_id": "1", "data": data})


def fault(code: int) -> Told:
    return Told({"code": code, "message": "错误", "request_id": "1", "data": {}})
