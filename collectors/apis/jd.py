"""JD (京东): api.jd.com/routerjson, for POP shops that let in our app. Nothing is pushed: orders are asked for.

Sources: china.md 8 (gateway, signature with its vector, search, that a pair is refreshed within its last 24 h alone);
the addresses and fields of open-oauth.jd.com as four public clients have them; the gateway's table of codes as two
public copies have it. What codes open-oauth.jd.com has stands on no page that we could read: what its refusals mean is
told by words of their text, and by no more than these. Of quotas only that a test app has 500 calls a day.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil, floor
from typing import ClassVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec

from ..collector import BadFrame, FeedRow
from ..hook import NO_DETAILS, Details, Need
from ..json_body import json_body
from ..open_api import Answer, Call, Caller, Grant, Judged, Listing, Page, Quota, Tokens, Verdict
from ..signing import secret_wrapped
from ..tick import Sale
from ..verdicts import by_status, code_text, codes
from .jd_pages import PAGE_SIZE, Envelope, asked_from, orders_page

SHANGHAI = ZoneInfo("Asia/Shanghai")
STAMP = "%Y-%m-%d %H:%M:%S"
ORDER_SEARCH = "jingdong.pop.order.search"
TO_LOGIN, ACCESS_TOKEN, REFRESH_TOKEN = "/oauth2/to_login", "/oauth2/access_token", "/oauth2/refresh_token"
MONTH_S = 28 * 86_400.0  # "at most a month", whichever month it is
# What is asked of an order, and no more: neither who buys (pin), nor where it goes (consigneeInfo).
FIELDS = (
    "orderId,venderId,orderState,orderPayment,orderStartTime,paymentConfirmTime,orderEndTime,modified,open_id_buyer,"
    "itemInfoList"
)

BY_CODE: dict[str, Verdict] = {
    "2": "rate",  # calls of the day, or in a time, are used up
    "8": "clock",
    "11": "app", "12": "app",  # signature
    "18": "token", "19": "token",
    "20": "app", "21": "app", "25": "app",  # app key, and an app that is not online
    "22": "revoked",  # who let us in is no shop: another login must
    "24": "forbidden", "64": "forbidden", "72": "forbidden",
}  # fmt: skip

# NOT CONFIRMED: by the words of a refusal of open-oauth.jd.com. One that speaks of none of them says nothing.
BY_WORD: tuple[tuple[str, Verdict], ...] = (
    ("app_key", "app"), ("appkey", "app"), ("secret", "app"),
    ("频繁", "rate"), ("限流", "rate"), ("too many", "rate"),
    ("token", "token"), ("code", "token"), ("授权", "token"),
)  # fmt: skip


class Fault(msgspec.Struct, frozen=True):
    code: str | int | None = None


class Codes(msgspec.Struct, frozen=True):
    """Of the gateway (`error_response`, or the envelope of the method), and of the host that gives tokens (`code`)."""

    error_response: Fault | None = None
    jingdong_pop_order_search_responce: Envelope | None = None
    code: str | int | None = None
    msg: str | None = None
    access_token: str | None = None


class Granted(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int
    refresh_token: str | None = None


class JdApi:
    PLATFORM: ClassVar[str] = "jd"
    BASE: ClassVar[str] = "https://api.jd.com"
    AUTH_BASE: ClassVar[str] = "https://open-oauth.jd.com"
    CALLS_PER_S: ClassVar[float] = 5.0  # UNVERIFIED: a guess that the config overrides
    NAME_CALLS_PER_S: ClassVar[Mapping[str, float]] = {}
    REFRESH_WINDOW_S: ClassVar[float | None] = 86_400.0
    CODE_IS: ClassVar[str] = "code"
    APP_HAS_TOKENS: ClassVar[bool] = False
    LISTINGS: ClassVar[Sequence[Listing]] = (Listing("orders", MONTH_S),)
    ROOM_BY_ORDER: ClassVar[bool] = False

    # --- authorisation ---

    def before_link(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def link(self, caller: Caller, state: str, redirect: str, before: bytes) -> str:
        query = {
            "app_key": caller.app.key, "response_type": "code", "redirect_uri": redirect, "state": state,
            "scope": "snsapi_base",
        }  # fmt: skip
        return f"{caller.auth_base}{TO_LOGIN}?{urlencode(query)}"

    def exchange(self, caller: Caller, code: str, redirect: str, now: datetime) -> Call:
        return _token_call(caller, ACCESS_TOKEN, {"grant_type": "authorization_code", "code": code})

    def refresh(self, caller: Caller, now: datetime) -> Call | None:
        if caller.tokens is None or not caller.tokens.refresh:
            return None
        params = {"grant_type": "refresh_token", "refresh_token": caller.tokens.refresh}
        return _token_call(caller, REFRESH_TOKEN, params)

    def own(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def app_grant(self, caller: Caller, ticket: str, now: datetime) -> Call | None:
        return None

    def granted(self, body: bytes, before: Tokens | None, now: datetime) -> Grant:
        """The answer names no shop, and no end of the refresh token: it works as long as the access token does."""
        told = json_body(body, Granted)
        if not told.access_token or not 0 < told.expires_in <= 10 * 366 * 86_400:
            raise BadFrame("bad_tokens: none, or at their end")
        refresh = told.refresh_token or (before.refresh if before else "")
        return Grant(Tokens(told.access_token, now, now + timedelta(seconds=told.expires_in), refresh))

    def permit(self, caller: Caller, now: datetime) -> Call | None:
        return None

    # --- calls ---

    def judge(self, answer: Answer) -> Judged:
        told = codes(answer, Codes)
        if told is None:
            return by_status(answer)
        if told.error_response is not None:
            return _by_code(told.error_response.code)
        found = told.jingdong_pop_order_search_responce
        if found is not None:
            if str(found.code) != "0":
                return _by_code(found.code)
            outcome = None if found.searchorderinfo_result is None else found.searchorderinfo_result.apiResult
            if outcome is not None and outcome.success in (True, "true"):
                return Judged("ok")
            return Judged("broken", code_text(None if outcome is None else outcome.numberCode))
        if told.access_token and str(told.code or 0) == "0":
            return Judged("ok")
        if answer.status == 429:
            return Judged("rate", code_text(told.code))
        # A pair that is not taken within its last day never will be: told as `token`, so that its shop is linked anew.
        text = (told.msg or "").lower() if answer.status < 500 and str(told.code or 0) != "0" else ""
        return Judged(next((verdict for word, verdict in BY_WORD if word in text), "broken"), code_text(told.code))

    def detail(self, caller: Caller, need: Need, now: datetime) -> Call | None:
        return None  # a page has all that an order is asked for

    def list_page(
        self, caller: Caller, listing: Listing, from_at: datetime, to_at: datetime, mark: str, now: datetime
    ) -> Call:
        since_s, page = asked_from(mark) if mark else (floor(from_at.timestamp()), 1)
        params = {
            "start_date": _stamp(since_s), "end_date": _stamp(ceil(to_at.timestamp())), "order_state": "ALL",
            "optional_fields": FIELDS, "source_id": "JOS", "page": str(page), "page_size": str(PAGE_SIZE),
            "sortType": 0, "dateType": 0,
        }  # fmt: skip
        return _call(caller, ORDER_SEARCH, params, now)

    def read_page(
        self, row: FeedRow, listing: Listing, shop: str, body: bytes, received_at: datetime,
        details: Details = NO_DETAILS, mark: str = "",
    ) -> Page:  # fmt: skip
        return orders_page(row, shop, body, received_at, mark)

    def read_order(self, row: FeedRow, shop: str, order_id: str, body: bytes, received_at: datetime) -> Sequence[Sale]:
        return ()  # no order names a room

    def quota(self, caller: Caller, name: str, now: datetime) -> Call | None:
        return None

    def read_quota(self, body: bytes, now: datetime) -> Quota:
        raise BadFrame("no_quota: this platform has none to ask for")


def _by_code(code: str | int | None) -> Judged:
    return Judged(BY_CODE.get(str(code), "broken"), code_text(code))


def _stamp(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, SHANGHAI).strftime(STAMP)


def _token_call(caller: Caller, path: str, params: Mapping[str, str]) -> Call:
    """A GET with the secret in its query, as the platform wants it."""
    query = {"app_key": caller.app.key, "app_secret": caller.secret.decode(), **params}
    return Call(path, f"{caller.auth_base}{path}?{urlencode(query)}")


def _call(caller: Caller, method: str, params: Mapping[str, object], now: datetime) -> Call:
    form = {
        "method": method, "app_key": caller.app.key, "access_token": caller.access, "v": "2.0",
        "timestamp": _stamp(int(now.timestamp())), "360buy_param_json": msgspec.json.encode(params).decode(),
    }  # fmt: skip
    form["sign"] = secret_wrapped(form, caller.secret)
    headers = {"content-type": "application/x-www-form-urlencoded;charset=utf-8"}
    return Call(method, f"{caller.base}/routerjson", urlencode(form).encode(), headers)
