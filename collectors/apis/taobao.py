"""Taobao and Tmall: the open platform (TOP), /router/rest, for shops that let our app in.

Sources: china.md 5; the official pages developer.alibaba.com apiId=128 and 21470 (the listing of trades) and a public
copy of the table of TOP's codes; token_result and who may refresh by a public copy of the reference
(taobao.top.auth.token.create and .refresh). From memory, not confirmed: the https host, that `re_expires_in` 0 means
that nothing can be refreshed, the code of a refresh token that is void, the ten minutes by which a clock may differ.
How many calls an app has, and what window refunds may span, stands on no page that we could read.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil, floor
from typing import ClassVar
from urllib.parse import urlencode

import msgspec

from ..back_to_front import page_number
from ..collector import BadFrame, FeedRow
from ..details import ORDER
from ..hook import NO_DETAILS, Details, Need
from ..json_body import json_body
from ..open_api import Answer, Call, Caller, Grant, Judged, Listing, Page, Quota, Tokens, Verdict
from ..order_details.taobao import SHANGHAI
from ..order_ids import exact_id
from ..signing import secret_wrapped
from ..tick import Sale
from ..verdicts import by_status, code_text, codes
from .taobao_pages import PAGE_SIZE, REFUND_FIELDS, REFUNDED, TRADE_FIELDS, refunds_page, trades_page

WINDOW_S_MAX = 86_400.0 - 1  # a day; a window is widened to whole seconds
DETAIL_FIELDS = "tid,status,payment,pay_time,buyer_open_uid,orders"

BY_CODE: dict[int, Verdict] = {
    4: "rate", 5: "rate", 6: "rate", 7: "rate", 8: "rate",
    11: "forbidden", 12: "forbidden", 13: "forbidden", 42: "forbidden",
    24: "app", 25: "app", 28: "app", 29: "app", 26: "token", 27: "token", 30: "clock", 31: "clock",
}  # fmt: skip
BY_SUB_CODE: dict[str, Verdict] = {
    "isv.permission-ip-whitelist-limit": "address",
    "isv.trade-not-exist": "missing",
}
REFRESH_VOID = re.compile(r"refresh[-_ ]?token", re.ASCII | re.IGNORECASE)
BAN = re.compile(r"last for (\d{1,6}) more seconds", re.ASCII)


class Fault(msgspec.Struct, frozen=True):
    code: int
    sub_code: str | None = None
    sub_msg: str | None = None


class Permitted(msgspec.Struct, frozen=True):
    is_success: bool = True


class Codes(msgspec.Struct, frozen=True):
    """A fault, or the answer to one of our methods."""

    error_response: Fault | None = None
    top_auth_token_create_response: object = None
    top_auth_token_refresh_response: object = None
    tmc_user_permit_response: Permitted | None = None
    trade_fullinfo_get_response: object = None
    trades_sold_increment_get_response: object = None
    refunds_receive_get_response: object = None


class TokenResult(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int
    taobao_user_id: str | int
    refresh_token: str = ""
    re_expires_in: int = 0
    taobao_user_nick: str = ""


class Told(msgspec.Struct, frozen=True):
    token_result: str


class TokenAnswer(msgspec.Struct, frozen=True):
    top_auth_token_create_response: Told | None = None
    top_auth_token_refresh_response: Told | None = None


class TaobaoApi:
    PLATFORM: ClassVar[str] = "taobao"
    BASE: ClassVar[str] = "https://eco.taobao.com"
    AUTH_BASE: ClassVar[str] = "https://oauth.taobao.com"
    CALLS_PER_S: ClassVar[float] = 10.0  # UNVERIFIED: a guess that the config overrides
    NAME_CALLS_PER_S: ClassVar[Mapping[str, float]] = {}
    REFRESH_WINDOW_S: ClassVar[float | None] = None
    CODE_IS: ClassVar[str] = "code"
    APP_HAS_TOKENS: ClassVar[bool] = False
    LISTINGS: ClassVar[Sequence[Listing]] = (Listing("orders", WINDOW_S_MAX), Listing("refunds", WINDOW_S_MAX))
    ROOM_BY_ORDER: ClassVar[bool] = False

    # --- authorisation ---

    def before_link(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def link(self, caller: Caller, state: str, redirect: str, before: bytes) -> str:
        """`redirect` must be the one that is set in the app's own page."""
        asked = {
            "response_type": "code", "client_id": caller.app.key, "redirect_uri": redirect, "state": state,
            "view": "web",
        }  # fmt: skip
        return f"{caller.auth_base}/authorize?" + urlencode(asked)

    def exchange(self, caller: Caller, code: str, redirect: str, now: datetime) -> Call:
        return _call(caller, "taobao.top.auth.token.create", {"code": code}, now, in_shop=False)

    def refresh(self, caller: Caller, now: datetime) -> Call | None:
        if caller.tokens is None or not caller.tokens.refresh:
            return None
        asked = {"refresh_token": caller.tokens.refresh}
        return _call(caller, "taobao.top.auth.token.refresh", asked, now, in_shop=False)

    def own(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def app_grant(self, caller: Caller, ticket: str, now: datetime) -> Call | None:
        return None

    def granted(self, body: bytes, before: Tokens | None, now: datetime) -> Grant:
        """Only apps of the service market get tokens that can be refreshed; of all others a person links again."""
        answer = json_body(body, TokenAnswer)
        brought = answer.top_auth_token_create_response or answer.top_auth_token_refresh_response
        if brought is None:
            raise BadFrame("bad_tokens: none")
        told = json_body(brought.token_result.encode(), TokenResult)
        if not told.access_token or not 0 < told.expires_in < 10**9 or not 0 <= told.re_expires_in < 10**9:
            raise BadFrame("bad_tokens: none, or at their end")
        lasts = bool(told.refresh_token) and told.re_expires_in > 0
        tokens = Tokens(
            access=told.access_token,
            granted_at=now,
            access_until=now + timedelta(seconds=told.expires_in),
            refresh=told.refresh_token if lasts else "",
            refresh_until=now + timedelta(seconds=told.re_expires_in) if lasts else None,
        )
        return Grant(tokens, exact_id(told.taobao_user_id), name=told.taobao_user_nick)

    def permit(self, caller: Caller, now: datetime) -> Call | None:
        """Without topics: the shop is heard on all that the app has subscribed to."""
        return _call(caller, "taobao.tmc.user.permit", {}, now)

    # --- calls ---

    def judge(self, answer: Answer) -> Judged:
        told = codes(answer, Codes)
        if told is None or answer.status != 200:
            return by_status(answer)
        fault = told.error_response
        if fault is None:
            if told.tmc_user_permit_response is not None and not told.tmc_user_permit_response.is_success:
                return Judged("forbidden", "is_success:false")
            answered = any(part is not None for part in msgspec.structs.astuple(told))
            return Judged("ok") if answered else by_status(answer)
        sub_code = fault.sub_code or ""
        verdict = BY_SUB_CODE.get(sub_code) or BY_CODE.get(fault.code, "broken")
        if verdict == "broken" and REFRESH_VOID.search(sub_code):
            verdict = "revoked"
        ban = BAN.search(fault.sub_msg or "") if verdict == "rate" else None
        return Judged(verdict, code_text(fault.code, sub_code), float(ban[1]) if ban else 0.0)

    def detail(self, caller: Caller, need: Need, now: datetime) -> Call | None:
        """Refunds need none: their push says their amount."""
        if need.what != ORDER:
            return None
        return _call(caller, "taobao.trade.fullinfo.get", {"fields": DETAIL_FIELDS, "tid": need.key}, now)

    def list_page(
        self, caller: Caller, listing: Listing, from_at: datetime, to_at: datetime, mark: str, now: datetime
    ) -> Call:
        """The newest come first; pages are read from the last one back, as the platform advises."""
        window = {
            "start_modified": _written(floor(from_at.timestamp())), "end_modified": _written(ceil(to_at.timestamp())),
            "page_no": str(page_number(mark)), "page_size": str(PAGE_SIZE), "use_has_next": "true" if mark else "false",
        }  # fmt: skip
        if listing.name == "refunds":
            asked = {"fields": REFUND_FIELDS, "status": REFUNDED}
            return _call(caller, "taobao.refunds.receive.get", asked | window, now)
        return _call(caller, "taobao.trades.sold.increment.get", {"fields": TRADE_FIELDS} | window, now)

    def read_page(
        self, row: FeedRow, listing: Listing, shop: str, body: bytes, received_at: datetime,
        details: Details = NO_DETAILS, mark: str = "",
    ) -> Page:  # fmt: skip
        read = refunds_page if listing.name == "refunds" else trades_page
        return read(row, shop, body, received_at, mark)

    def read_order(self, row: FeedRow, shop: str, order_id: str, body: bytes, received_at: datetime) -> Sequence[Sale]:
        return []

    def quota(self, caller: Caller, name: str, now: datetime) -> Call | None:
        return None

    def read_quota(self, body: bytes, now: datetime) -> Quota:
        raise BadFrame("no_quota: this platform has none to ask for")


def _call(caller: Caller, method: str, asked: Mapping[str, str], now: datetime, in_shop: bool = True) -> Call:
    """A signed form: all fields of it are signed, the session among them."""
    form = dict(asked) | {
        "method": method, "app_key": caller.app.key, "timestamp": _written(int(now.timestamp())), "v": "2.0",
        "format": "json", "sign_method": "md5",
    }  # fmt: skip
    if in_shop:
        form["session"] = caller.access
    form["sign"] = secret_wrapped(form, caller.secret)
    headers = {"content-type": "application/x-www-form-urlencoded;charset=utf-8"}
    return Call(method, f"{caller.base}/router/rest", urlencode(form).encode(), headers)


def _written(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
