"""Kwaixiaodian (快手小店): openapi.kwaixiaodian.com, for shops that let our app in.

Sources: china.md 4.1, the official pages on authorisation and on calls (public copies of documents 401716 and 401853
of open.kwaixiaodian.com), and public clients for the fields of lists. What calls answer to a wrong signature, a wrong
clock or an unlisted address stands on no page that we could read.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil, floor
from typing import ClassVar
from urllib.parse import urlencode

import msgspec

from ..collector import BadFrame, FeedRow
from ..details import ORDER, REFUND
from ..hook import NO_DETAILS, Details, Need
from ..json_body import json_body
from ..open_api import Answer, Call, Caller, Grant, Judged, Listing, Page, Quota, Tokens, Verdict
from ..order_ids import exact_id
from ..tick import Sale
from ..verdicts import by_status, code_text, codes
from .kwaixiaodian_calls import signed_call
from .kwaixiaodian_pages import orders_page, page_of_mark, refunds_page

SUCCESS = 1
SCOPES = "merchant_order,merchant_refund,user_info"
SPAN_S_MAX = 10**9
REFRESH_S = 180 * 86_400.0  # the answer to a code does not say when its refresh token ends
DAY_S = 86_400.0
LESS_S = 1.0  # of the widest window: the whole milliseconds around it must still fit
SELLER = "seller"

BY_RESULT: dict[str, Verdict] = {
    "100200101": "app",  # unauthorized_client
    "100200102": "token",  # access_denied: whatever is wrong with a token
    "100200105": "revoked",  # invalid_grant: the code
    "100200106": "forbidden",  # invalid_scope
    "802006": "rate",  # the day's quota of the app is gone: one public client
}
LINK_AGAIN = ("discarded", "revokedauthorization")  # of error_msg with access_denied: used before, or taken back


class Codes(msgspec.Struct, frozen=True):
    result: int
    code: str | int | None = None
    sub_code: str | int | None = None
    subCode: str | int | None = None
    error_msg: str | None = None


class TokenAnswer(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int
    refresh_token: str = ""
    refresh_token_expires_in: int | None = None


class Seller(msgspec.Struct, frozen=True):
    sellerId: str | int
    name: str | None = None


class SellerAnswer(msgspec.Struct, frozen=True):
    data: Seller


class KwaixiaodianApi:
    """A pair that was granted does not say whose it is: that is asked for before it is used (`complete`)."""

    PLATFORM: ClassVar[str] = "kwaixiaodian"
    BASE: ClassVar[str] = "https://openapi.kwaixiaodian.com"
    AUTH_BASE: ClassVar[str] = "https://open.kwaixiaodian.com"
    CALLS_PER_S: ClassVar[float] = 10.0  # UNVERIFIED: a guess that the config overrides
    NAME_CALLS_PER_S: ClassVar[Mapping[str, float]] = {}
    REFRESH_WINDOW_S: ClassVar[float | None] = None
    CODE_IS: ClassVar[str] = "code"
    APP_HAS_TOKENS: ClassVar[bool] = False
    LISTINGS: ClassVar[Sequence[Listing]] = (
        Listing("orders", 7 * DAY_S - LESS_S), Listing("refunds", DAY_S - LESS_S),
    )  # fmt: skip
    ROOM_BY_ORDER: ClassVar[bool] = False

    # --- authorisation ---

    def before_link(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def link(self, caller: Caller, state: str, redirect: str, before: bytes) -> str:
        """`redirect` must be the one that the app's page names."""
        asked = {
            "app_id": caller.app.key, "redirect_uri": redirect, "scope": SCOPES, "response_type": "code",
            "state": state,
        }  # fmt: skip
        return f"{caller.auth_base}/oauth/authorize?{urlencode(asked)}"

    def exchange(self, caller: Caller, code: str, redirect: str, now: datetime) -> Call:
        """A code is good for two minutes."""
        asked = {"app_id": caller.app.key, "grant_type": "code", "code": code, "app_secret": _app_secret(caller)}
        return Call("oauth2/access_token", f"{caller.base}/oauth2/access_token?{urlencode(asked)}")

    def refresh(self, caller: Caller, now: datetime) -> Call | None:
        if caller.tokens is None or not caller.tokens.refresh:
            return None
        asked = {
            "grant_type": "refresh_token", "refresh_token": caller.tokens.refresh, "app_id": caller.app.key,
            "app_secret": _app_secret(caller),
        }  # fmt: skip
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return Call("oauth2/refresh_token", f"{caller.base}/oauth2/refresh_token", urlencode(asked).encode(), headers)

    def own(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def app_grant(self, caller: Caller, ticket: str, now: datetime) -> Call | None:
        return None

    def granted(self, body: bytes, before: Tokens | None, now: datetime) -> Grant:
        """A new refresh token ends when the one before it would have."""
        told = json_body(body, TokenAnswer)
        if not told.access_token or not 0 < told.expires_in < SPAN_S_MAX:
            raise BadFrame("bad_tokens: none, or at their end")
        if told.refresh_token_expires_in is not None:
            if not 0 <= told.refresh_token_expires_in < SPAN_S_MAX:
                raise BadFrame("bad_tokens: no end that a refresh token could have")
            refresh_until = now + timedelta(seconds=told.refresh_token_expires_in)
        else:
            refresh_until = (before and before.refresh_until) or now + timedelta(seconds=REFRESH_S)
        until = now + timedelta(seconds=told.expires_in)
        return Grant(
            Tokens(
                told.access_token, now, until, told.refresh_token, refresh_until, before.extra if before else {}
            )
        )  # fmt: skip

    def complete(self, caller: Caller, now: datetime) -> Call | None:
        known = caller.tokens is None or SELLER in caller.tokens.extra
        return None if known else signed_call(caller, "open.user.seller.get", None, now)

    def completed(self, caller: Caller, body: bytes) -> Grant:
        seller = json_body(body, SellerAnswer).data
        if caller.tokens is None:
            raise BadFrame("bad_tokens: none that could be completed")
        shop = exact_id(seller.sellerId)
        tokens = msgspec.structs.replace(caller.tokens, extra=caller.tokens.extra | {SELLER: shop})
        return Grant(tokens, shop, name=seller.name or "")

    def permit(self, caller: Caller, now: datetime) -> Call | None:
        return None

    # --- calls ---

    def judge(self, answer: Answer) -> Judged:
        """Unknown faults are `broken`, never a reason to refresh or to call a shop refused."""
        told = codes(answer, Codes)
        if told is None:
            return by_status(answer)
        if told.result == SUCCESS:
            return Judged("ok")
        said = (told.result, told.sub_code or told.subCode, told.code)
        faults = dict.fromkeys(str(one) for one in said if one is not None)
        verdict: Verdict = next((BY_RESULT[fault] for fault in faults if fault in BY_RESULT), "broken")
        if verdict == "token" and any(word in (told.error_msg or "").lower() for word in LINK_AGAIN):
            verdict = "revoked"
        return Judged(verdict, code_text(*faults))

    def detail(self, caller: Caller, need: Need, now: datetime) -> Call | None:
        if need.what == ORDER:
            return signed_call(caller, "open.order.detail", {"oid": _number(need.key)}, now)
        if need.what == REFUND:
            return signed_call(caller, "open.seller.order.refund.detail", {"refundId": _number(need.key)}, now)
        return None

    def list_page(
        self, caller: Caller, listing: Listing, from_at: datetime, to_at: datetime, mark: str, now: datetime
    ) -> Call:
        """`queryType` 2: by time of update, in milliseconds."""
        window = {
            "beginTime": floor(from_at.timestamp() * 1000), "endTime": ceil(to_at.timestamp() * 1000), "queryType": 2,
            "sort": 1,
        }  # fmt: skip
        number, cursor = page_of_mark(mark)
        if listing.name == "refunds":
            asked = window | {"type": 9, "pageSize": 100, "currentPage": number, "pcursor": cursor}
            return signed_call(caller, "open.seller.order.refund.pcursor.list", asked, now)
        return signed_call(
            caller, "open.order.cursor.list", window | {"orderViewStatus": 1, "pageSize": 50, "cursor": cursor}, now
        )

    def read_page(
        self, row: FeedRow, listing: Listing, shop: str, body: bytes, received_at: datetime,
        details: Details = NO_DETAILS, mark: str = "",
    ) -> Page:  # fmt: skip
        read = refunds_page if listing.name == "refunds" else orders_page
        return read(row, shop, body, received_at, mark)

    def read_order(self, row: FeedRow, shop: str, order_id: str, body: bytes, received_at: datetime) -> Sequence[Sale]:
        return ()

    def quota(self, caller: Caller, name: str, now: datetime) -> Call | None:
        return None

    def read_quota(self, body: bytes, now: datetime) -> Quota:
        raise BadFrame("no_quota: this platform has none to ask for")


def _app_secret(caller: Caller) -> str:
    """Of authorising alone; without one the platform says so."""
    return next((secret.decode() for secret in caller.app.app_secrets), "")


def _number(told: str) -> int | str:
    """Ids here are numbers."""
    return int(told) if told.isascii() and told.isdecimal() else told
