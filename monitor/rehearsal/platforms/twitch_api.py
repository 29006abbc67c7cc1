"""A played Twitch: the list of streams, the office of tokens, subscriptions, and the socket that tells of channels.

Its rules are the catalogue's (global.md 2.1, 2.2): a hundred ids in a call; a bucket of 800 points that fills within a
minute, told in each answer; a token of the app for the list, one of a user for subscriptions of a socket; two
subscriptions a channel, of which those of broadcasters who did not let the app in cost 1 of 10; 300 a connection. Its
answers are written as those of the captures. UNVERIFIED: in whose names one connection may be subscribed.
"""

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from ..scene import Trouble
from .api_server import ApiServer, Asked, Told
from .token_office import CallBook, Denied, Pair, PlayedOrder, TokenOffice, TokenRules
from .twitch_sockets import EventSubSockets, Subscription, written_at

RULES = TokenRules(access_s=4 * 3600, refresh_s=None, old_s=4 * 3600)
BATCH_MAX, PAGE_MAX, PAGE = 100, 100, 20
POINTS, FILLS_IN_S = 800, 60.0
COST_MAX, SUBSCRIPTIONS_MAX = 10, 300
KINDS = ("stream.online", "stream.offline")


@dataclass
class PlayedStream:
    """A channel that is on air now."""

    id: str
    user_id: str
    login: str
    viewers: int
    started_at: datetime
    title: str = "Sample stream!"
    game: tuple[str, str] = ("45562", "Just Developing")
    name: str = ""


@dataclass
class FakeTwitch:
    """One app. `streams` by the user's id; `authorised` are users who let the app in: to hear of them costs nothing.
    `left_out` are missing in the list, `garbled` are listed without a sense; by `failing` a question that names one of
    these is answered with this status. `look` is told who is asked about, before `streams` is; `told` hears of each
    answer: who was asked about, and who was listed."""

    app_key: str
    secret: bytes
    now: Callable[[], datetime]
    book: CallBook = field(default_factory=CallBook)
    trouble: Trouble = field(default_factory=Trouble)
    points_max: float = POINTS
    fills_in_s: float = FILLS_IN_S
    cost_max: int = COST_MAX
    look: Callable[[Sequence[str]], None] = lambda user_ids: None
    told: Callable[[Sequence[str], Sequence[PlayedStream]], None] = lambda user_ids, streams: None

    def __post_init__(self) -> None:
        self.office = TokenOffice(RULES)
        self.orders: dict[str, PlayedOrder] = {}
        self.streams: dict[str, PlayedStream] = {}
        self.authorised: set[str] = set()
        self.left_out: set[str] = set()
        self.garbled: set[str] = set()
        self.failing: dict[str, int] = {}
        self.gone: set[str] = set()  # channels that are no more: nobody can subscribe to them
        self.asked: list[list[str]] = []  # ids, of each question for streams
        self.subscribed: list[Subscription] = []  # in order, also those that are over
        self._numbers = itertools.count(1)
        self._points, self._points_at = self.points_max, self.now()
        self.server = ApiServer(self.answer, self.trouble)
        self.sockets = EventSubSockets(self.now, self.trouble)

    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> str:
        await self.sockets.serve(host)
        return await self.server.serve(host, port)

    async def close(self) -> None:
        await self.sockets.close()
        await self.server.close()

    def forget(self) -> None:
        """Which questions were asked: only a test wants to know."""
        self.asked.clear()

    # --- what happens ---

    def on_air(self, user_id: str, viewers: int) -> None:
        """It begins, unless it is on already; then its viewers are others. Whoever subscribed is told that it began."""
        if user_id in self.streams:
            self.streams[user_id].viewers = viewers
            return
        number = next(self._numbers)
        stream = PlayedStream(f"4{number:010d}", user_id, f"channel{user_id}", viewers, self.now())
        self.streams[user_id] = stream
        about = {"id": stream.id, "type": "live", "started_at": written_at(stream.started_at)}
        self.sockets.notify("stream.online", user_id, stream.login, about)

    def off_air(self, user_id: str) -> None:
        stream = self.streams.pop(user_id, None)
        if stream is not None:
            self.sockets.notify("stream.offline", user_id, stream.login, {})

    # --- what is asked ---

    def answer(self, asked: Asked) -> Told:
        if asked.path == "/token":
            return self._token(asked)
        kind, _, access = asked.headers.get("authorization", "").partition(" ")
        if asked.path == "/validate":
            return self._validate(access) if kind == "OAuth" else unauthorized("missing authorization token")
        if not access or "client-id" not in asked.headers:
            return unauthorized("Missing Client ID or OAuth token")
        if asked.headers["client-id"] != self.app_key:
            return unauthorized("Client ID and OAuth token do not match")
        try:
            user_id = self.office.shop_of(access, self.now())
        except Denied:
            return unauthorized("Invalid OAuth token")
        if self.book.take(asked.path, self.now()) != "ok" or not self._take_point():
            return Told(fault(429, "Too Many Requests", "Too Many Requests"), 429, self._rates())
        match asked.method, asked.path:
            case "GET", "/streams":
                return self._streams(parse_qsl(asked.query_string, keep_blank_values=True))
            case "POST", "/eventsub/subscriptions":
                return self._subscribe(user_id, asked.body)
        return Told(fault(404, "Not Found", ""), 404)

    def _take_point(self) -> bool:
        now = self.now()
        filled = (now - self._points_at).total_seconds() * self.points_max / self.fills_in_s
        self._points, self._points_at = min(self.points_max, self._points + filled), now
        if self._points < 1:
            return False
        self._points -= 1
        return True

    def _rates(self) -> dict[str, str]:
        """`Reset` is when the bucket is full again."""
        now = self.now()
        full_s = self.fills_in_s * (1 - self._points / self.points_max if self.points_max else 1)
        return {
            "Ratelimit-Limit": f"{self.points_max:g}",
            "Ratelimit-Remaining": str(int(self._points)),
            "Ratelimit-Reset": str(int(now.timestamp() + full_s)),
            "Date": format_datetime(now.astimezone(UTC), usegmt=True),
        }

    def _streams(self, query: Sequence[tuple[str, str]]) -> Told:
        user_ids = [value for name, value in query if name == "user_id"]
        if len(user_ids) > BATCH_MAX or not all(user_id.isascii() and user_id.isdigit() for user_id in user_ids):
            return Told(fault(400, "Bad Request", "The parameter user_id is malformed"), 400, self._rates())
        self.asked.append(user_ids)
        self.look(user_ids)
        for status in (self.failing[it] for it in user_ids if it in self.failing):
            return Told(fault(status, "Out of order", ""), status, self._rates())
        page = min(int(next((value for name, value in query if name == "first"), PAGE)), PAGE_MAX)
        on_air = [self.streams[it] for it in user_ids if it in self.streams and it not in self.left_out]
        shown = sorted(on_air, key=lambda it: -it.viewers)[:page]
        self.told(user_ids, shown)
        return Told(written({"data": [self._listed(stream) for stream in shown]}), 200, self._rates())

    def _listed(self, stream: PlayedStream) -> dict[str, Any]:
        login = stream.login
        return {
            "id": stream.id, "user_id": stream.user_id, "user_login": login, "user_name": stream.name or login,
            "type": "live", "viewer_count": "viele" if stream.user_id in self.garbled else stream.viewers,
            "started_at": f"{stream.started_at:%Y-%m-%dT%H:%M:%SZ}", "is_mature": False, "tag_ids": [],
            "tags": ["English", "CLI Tag"], "game_id": stream.game[0], "game_name": stream.game[1],
            "title": stream.title, "language": "en",
            "thumbnail_url": f"https://static-cdn.jtvnw.net/previews-ttv/live_user_{login}-{{width}}x{{height}}.jpg",
        }  # fmt: skip

    def _subscribe(self, user_id: str, body: bytes) -> Told:
        """In the name of a user. What a session that is over was subscribed to costs nothing any more."""
        told = json.loads(body)
        kind, session_id = str(told["type"]), str(told["transport"]["session_id"])
        of = str(told["condition"]["broadcaster_user_id"])
        if not user_id:
            return Told(fault(400, "Bad Request", "invalid transport and auth combination"), 400, self._rates())
        if kind not in KINDS or session_id not in self.sockets.sessions:
            message = "websocket transport session does not exist or has already disconnected"
            return Told(fault(400, "Bad Request", message), 400, self._rates())
        if of in self.gone:
            return Told(fault(400, "Bad Request", "invalid broadcaster user id"), 400, self._rates())
        there = self.sockets.enabled(user_id)
        of_session = [it for it in there if it.session_id == session_id]
        if any((it.type, it.of) == (kind, of) for it in of_session):
            return Told(fault(409, "Conflict", "subscription already exists"), 409, self._rates())
        cost, spent = int(of not in self.authorised), sum(it.cost for it in there)
        if spent + cost > self.cost_max or len(of_session) >= SUBSCRIPTIONS_MAX:
            return Told(fault(429, "Too Many Requests", "number of subscriptions exceeded"), 429, self._rates())
        made = Subscription(f"sub-{next(self._numbers)}", kind, of, user_id, session_id, cost, self.now())
        self.sockets.admit(made)
        self.subscribed.append(made)
        shown = made.shown() | {"transport": {"method": "websocket", "session_id": session_id}}
        answer = {
            "data": [shown], "total": len(there) + 1, "max_total_cost": self.cost_max, "total_cost": spent + cost,
        }  # fmt: skip
        return Told(written(answer), 202, self._rates())

    # --- tokens ---

    def _token(self, asked: Asked) -> Told:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if form.get("client_id") != self.app_key:
            return Told({"status": 400, "message": "invalid client"}, 400)
        if form.get("client_secret", "").encode() != self.secret:
            return Told({"status": 403, "message": "invalid client secret"}, 403)
        try:
            match form.get("grant_type"):
                case "client_credentials":
                    pair = self.office.issue("", self.now())
                    return Told({"access_token": pair.access, "expires_in": lasts_s(pair), "token_type": "bearer"})
                case "authorization_code":
                    return granted(self.office.exchange(form.get("code", ""), self.now()))
                case "refresh_token":
                    return granted(self.office.refresh(form.get("refresh_token", ""), self.now()))
        except Denied:
            refresh = form.get("grant_type") == "refresh_token"
            return Told(
                {"status": 400, "message": f"Invalid {'refresh token' if refresh else 'authorization code'}"}, 400
            )
        return Told({"status": 400, "message": "missing grant type"}, 400)

    def _validate(self, access: str) -> Told:
        try:
            user_id = self.office.shop_of(access, self.now())
        except Denied:
            return Told({"status": 401, "message": "invalid access token"}, 401)
        whose = {"login": f"channel{user_id}", "user_id": user_id} if user_id else {}
        return Told({"client_id": self.app_key, "scopes": [], "expires_in": 5_000} | whose)


def granted(pair: Pair) -> Told:
    return Told({
        "access_token": pair.access, "expires_in": lasts_s(pair), "refresh_token": pair.refresh, "scope": [],
        "token_type": "bearer",
    })  # fmt: skip


def lasts_s(pair: Pair) -> int:
    return int((pair.access_until - pair.granted_at).total_seconds())


def fault(status: int, error: str, message: str) -> dict[str, Any]:
    return {"status": status, "error": error, "message": message}


def unauthorized(message: str) -> Told:
    return Told(fault(401, "Unauthorized", message), 401)


def written(document: object) -> bytes:
    """As Go writes JSON."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e").encode()
