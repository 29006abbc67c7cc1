"""Bilibili (哔哩哔哩): the live platform that starts apps in rooms, and the open platform that answers for accounts.

Sources: china.md 2.3 and 2.4; for the page where an account lets an app in, and that `expires_in` is an instant, public
clients of the open platform. An identity code (身份码) of a broadcaster is kept as the access token of an account whose
anchor is the room: the broadcaster lets us in by it, and it ends like one. Orders are not listed: gifts are told by the
socket alone. What the open platform answers to a token that is over stands on no page that we could read.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import urlencode

import msgspec

from ..collector import BadFrame
from ..open_api import Answer, Call, Caller, Grant, Judged, Tokens
from ..rooms_alone import RoomsAlone
from .bilibili_calls import OPEN_LIVE, data_of, judged, of_member

ACCOUNT_PAGE = "https://account.bilibili.com"
SPAN_S_MAX = 10**9  # what is more is an instant
INSTANT_MAX = 2**33


class TokenAnswer(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int
    refresh_token: str = ""


class BilibiliApi(RoomsAlone):
    """Of apps of the open platform the key is the client_id; of those of the live platform the access key's id."""

    PLATFORM: ClassVar[str] = "bilibili"
    BASE: ClassVar[str] = OPEN_LIVE
    AUTH_BASE: ClassVar[str] = "https://api.bilibili.com"
    CALLS_PER_S: ClassVar[float] = 8.0  # UNVERIFIED: no number is published; a public service keeps to this

    # --- authorisation ---

    def link(self, caller: Caller, state: str, redirect: str, before: bytes) -> str:
        asked = {"client_id": caller.app.key, "gourl": redirect, "state": state}
        return f"{ACCOUNT_PAGE}/pc/account-pc/auth/oauth?{urlencode(asked)}"

    def exchange(self, caller: Caller, code: str, redirect: str, now: datetime) -> Call:
        return _token(caller, "token", {"grant_type": "authorization_code", "code": code})

    def refresh(self, caller: Caller, now: datetime) -> Call | None:
        """A refresh token is good once. An identity code has none."""
        if caller.tokens is None or not caller.tokens.refresh:
            return None
        return _token(caller, "refresh_token", {"grant_type": "refresh_token", "refresh_token": caller.tokens.refresh})

    def granted(self, body: bytes, before: Tokens | None, now: datetime) -> Grant:
        """When a refresh token ends is not told."""
        told = data_of(body, TokenAnswer)
        if not told.access_token or not 0 < told.expires_in < INSTANT_MAX:
            raise BadFrame("bad_tokens: none, or at their end")
        by_instant = told.expires_in >= SPAN_S_MAX
        until = datetime.fromtimestamp(told.expires_in, UTC) if by_instant else now + timedelta(seconds=told.expires_in)
        if until <= now:
            raise BadFrame("bad_tokens: none, or at their end")
        return Grant(Tokens(told.access_token, now, until, told.refresh_token, None, before.extra if before else {}))

    # --- calls ---

    def judge(self, answer: Answer) -> Judged:
        return judged(answer)


def _token(caller: Caller, name: str, asked: Mapping[str, str]) -> Call:
    """Pairs are granted by the app's id and secret in a form; nothing of it is signed."""
    secret = (caller.app.app_secrets or caller.app.secrets)[0].decode()
    form = urlencode({"client_id": caller.app.key, "client_secret": secret, **asked}).encode()
    path = f"/x/account-oauth2/v1/{name}"
    return Call(path, caller.auth_base + path, form, {"content-type": "application/x-www-form-urlencoded"})


# --- one room ---------------------------------------------------------------------------------------------------------


class RoomInfo(msgspec.Struct, frozen=True):
    room_id: int | str
    is_streaming: bool


def room_info(caller: Caller, now: datetime) -> Call:
    """Whether the room of this account is on air."""
    return of_member(caller, "/arcopen/fn/live/room/info", now)


def read_room(body: bytes) -> RoomInfo:
    """Raises BadFrame."""
    return data_of(body, RoomInfo)
