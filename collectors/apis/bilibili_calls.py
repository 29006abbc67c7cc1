"""Calls of Bilibili's two open interfaces and what their codes mean: six signed headers, JSON, `code` in the answer."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from ..json_body import json_body
from ..open_api import Answer, Call, Caller, Judged, Verdict
from ..signing import bilibili_request, md5_hex
from ..verdicts import by_status, code_text, codes

OPEN_LIVE = "https://live-open.biliapi.com"
MEMBER = "https://member.bilibili.com"
COOL_DOWN_S = 10.0

COOLING_DOWN, RUNNING, TOO_MANY = "7001", "7002", "7010"
"""What `start` may be told of one room, and is nobody's fault: it passes, or ends with the run that is there."""

BY_CODE: dict[int, Verdict] = {
    0: "ok",
    4002: "app", 4012: "app", 8002: "app",
    4003: "clock",
    4007: "address",
    4009: "rate",
    5004: "forbidden", 5011: "forbidden",  # until the app is published, all rooms but the developer's own
    7000: "missing", 7003: "missing",  # no such run, or it is over: another `start`
    7001: "missing", 7002: "missing", 7010: "missing",
    7007: "revoked",  # the identity code is over, and only the broadcaster can give another one
    -101: "token",  # UNVERIFIED for these calls: what Bilibili says elsewhere of a token that is not good
}  # fmt: skip
OF_CODE_OR_ROOM = range(6000, 7000)  # "no such room, or no such identity code": one source tells the range alone


class Codes(msgspec.Struct, frozen=True):
    code: int


def judged(answer: Answer) -> Judged:
    """The status is always 200, one source says; what else comes is not of the platform."""
    told = codes(answer, Codes)
    if told is None or answer.status != 200:
        return by_status(answer)
    verdict = BY_CODE.get(told.code, "missing" if told.code in OF_CODE_OR_ROOM else "broken")
    code = code_text(told.code)
    return Judged(verdict, code, COOL_DOWN_S if code in (COOLING_DOWN, RUNNING, TOO_MANY) else 0.0)


def data_of[T](body: bytes, form: type[T]) -> T:
    """What an answer that is fine brings. Raises BadFrame."""
    return json_body(body, _Data[form]).data  # type: ignore[valid-type]  # each form is a struct


class _Data[T](msgspec.Struct, frozen=True):
    data: T


def open_live(caller: Caller, path: str, asked: Mapping[str, object], now: datetime) -> Call:
    """A call of the live platform, in the name of the app: recipe 1.0."""
    body = msgspec.json.encode(asked)
    return Call(path, caller.base + path, body, _signed(caller, body, now, "1.0"))


def of_member(caller: Caller, path: str, now: datetime) -> Call:
    """A question in the name of an account: recipe 2.0, its token beside it. It has a host of its own, which an
    `api_url` of the config stands in for like for the other."""
    base = MEMBER if caller.base == OPEN_LIVE else caller.base
    return Call(path, base + path, None, _signed(caller, b"", now, "2.0") | {"access-token": caller.access})


def _signed(caller: Caller, body: bytes, now: datetime, version: str) -> dict[str, str]:
    """A nonce is good once, so each call has its own."""
    headers = {
        "x-bili-accesskeyid": caller.app.key,
        "x-bili-content-md5": md5_hex(body),
        "x-bili-signature-method": "HMAC-SHA256",
        "x-bili-signature-nonce": uuid.uuid4().hex,
        "x-bili-signature-version": version,
        "x-bili-timestamp": str(int(now.timestamp())),
    }
    return headers | {
        "authorization": bilibili_request(headers, caller.secret),
        "accept": "application/json",
        "content-type": "application/json",
    }


# --- games ------------------------------------------------------------------------------------------------------------

BATCH_MAX = 200


class Game(msgspec.Struct, frozen=True):
    """What `start` brings: the run of our app in one room, and where and with which words its messages are heard.

    `game_id` is empty where the app is not published: such a run has no heartbeat and no end. `auth` goes to the
    socket as it is.
    """

    game_id: str
    room: str
    auth: str
    links: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Game({self.room!r})"


class GameInfo(msgspec.Struct, frozen=True):
    game_id: str = ""


class SocketInfo(msgspec.Struct, frozen=True):
    auth_body: str
    wss_link: list[str]


class AnchorInfo(msgspec.Struct, frozen=True):
    room_id: int | str


class Started(msgspec.Struct, frozen=True):
    game_info: GameInfo
    websocket_info: SocketInfo
    anchor_info: AnchorInfo


class Failed(msgspec.Struct, frozen=True):
    failed_game_ids: list[str] | None = None


def start(caller: Caller, app_id: int, now: datetime) -> Call:
    """Begin our app in the room of whoever gave this identity code."""
    return open_live(caller, "/v2/app/start", {"code": caller.access, "app_id": app_id}, now)


def read_started(body: bytes) -> Game:
    """Raises BadFrame."""
    told = data_of(body, Started)
    link = told.websocket_info
    return Game(told.game_info.game_id, str(told.anchor_info.room_id), link.auth_body, tuple(link.wss_link))


def beat(caller: Caller, game_ids: Sequence[str], now: datetime) -> Call:
    """That we are still there, of at most BATCH_MAX games."""
    return open_live(caller, "/v2/app/batchHeartbeat", {"game_ids": list(game_ids)}, now)


def read_beaten(body: bytes) -> frozenset[str]:
    """The games that are over. Raises BadFrame."""
    return frozenset(data_of(body, Failed).failed_game_ids or ())


def end(caller: Caller, app_id: int, game_id: str, now: datetime) -> Call:
    """Whoever does not say it waits for the room to cool down."""
    return open_live(caller, "/v2/app/end", {"app_id": app_id, "game_id": game_id}, now)
