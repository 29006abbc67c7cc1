"""Twitch: an app that asks for streams in its own name, and users whose word it takes to hear of channels by a socket.

Sources: global.md 2.1 and 2.2; for the page where a user lets an app in, the words of a refusal and `validate`, public
clients. The app's own token is granted by its key and secret alone. A user is kept as an account whose anchor is the
user's id; none has a shop, and nothing is sold. UNVERIFIED against a page of Twitch's own: the addresses of tokens.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar
from urllib.parse import urlencode

import msgspec

from ..collector import BadFrame
from ..json_body import json_body
from ..open_api import Answer, Call, Caller, Grant, Judged, Tokens
from ..rooms_alone import RoomsAlone
from .twitch_calls import judged

LASTS_S_MAX = 10**9


class TokenAnswer(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int
    refresh_token: str = ""


class Whose(msgspec.Struct, frozen=True):
    user_id: str
    login: str = ""


class TwitchApi(RoomsAlone):
    """`key` of the app is the client id."""

    PLATFORM: ClassVar[str] = "twitch"
    BASE: ClassVar[str] = "https://api.twitch.tv/helix"
    AUTH_BASE: ClassVar[str] = "https://id.twitch.tv/oauth2"
    CALLS_PER_S: ClassVar[float] = 13.0  # 800 a minute is what is reported; what is left is read in each answer
    APP_HAS_TOKENS: ClassVar[bool] = True

    # --- authorisation ---

    def link(self, caller: Caller, state: str, redirect: str, before: bytes) -> str:
        """No scope: that a channel goes on air is told to everybody."""
        asked = {
            "client_id": caller.app.key, "redirect_uri": redirect, "response_type": "code", "scope": "", "state": state,
        }  # fmt: skip
        return f"{self.AUTH_BASE}/authorize?{urlencode(asked)}"

    def exchange(self, caller: Caller, code: str, redirect: str, now: datetime) -> Call:
        return _token(caller, {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect})

    def refresh(self, caller: Caller, now: datetime) -> Call | None:
        if caller.tokens is None or not caller.tokens.refresh:
            return None
        return _token(caller, {"grant_type": "refresh_token", "refresh_token": caller.tokens.refresh})

    def app_grant(self, caller: Caller, ticket: str, now: datetime) -> Call | None:
        return _token(caller, {"grant_type": "client_credentials"})

    def granted(self, body: bytes, before: Tokens | None, now: datetime) -> Grant:
        """When a refresh token ends is not told; one that is not given anew stays."""
        told = json_body(body, TokenAnswer)
        if not told.access_token or not 0 < told.expires_in < LASTS_S_MAX:
            raise BadFrame("bad_tokens: none, or at their end")
        until = now + timedelta(seconds=told.expires_in)
        refresh = told.refresh_token or (before.refresh if before else "")
        return Grant(Tokens(told.access_token, now, until, refresh, None, before.extra if before else {}))

    def complete(self, caller: Caller, now: datetime) -> Call | None:
        """Whose token it is."""
        if caller.tokens is None or caller.tokens.extra.get("user_id"):
            return None
        return Call("validate", f"{caller.auth_base}/validate", None, {"authorization": f"OAuth {caller.access}"})

    def completed(self, caller: Caller, body: bytes) -> Grant:
        whose = json_body(body, Whose)
        if caller.tokens is None or not whose.user_id:
            raise BadFrame("bad_tokens: of nobody")
        tokens = msgspec.structs.replace(caller.tokens, extra={**caller.tokens.extra, "user_id": whose.user_id})
        return Grant(tokens, anchor=whose.user_id, name=whose.login)

    # --- calls ---

    def judge(self, answer: Answer) -> Judged:
        return judged(answer)


def _token(caller: Caller, asked: Mapping[str, str]) -> Call:
    """Tokens are granted by the app's id and secret in a form."""
    secret = (caller.app.app_secrets or caller.app.secrets)[0].decode()
    form = urlencode({"client_id": caller.app.key, "client_secret": secret, **asked}).encode()
    return Call("token", f"{caller.auth_base}/token", form, {"content-type": "application/x-www-form-urlencoded"})
