"""Pinduoduo: the open platform (POP), /api/router, for malls that let our app in.

Sources: china.md 9 (the signature's vector is official); fields, windows and pages of the listings, the tokens and the
permit by public copies of the official SDK's types (lywzx/pdd-node-sdk, Cherrs/pdd-rs), the codes by public copies of
the reference's table. From memory, not confirmed: what a refresh does to the pair before, and how the faults of a
refresh token, of an order that is none and of a wrong clock are worded (the table has no codes of their own for them).
"""

import json
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
from ..order_ids import exact_id
from ..signing import secret_wrapped
from ..tick import Sale
from ..verdicts import by_status, code_text, codes
from .pinduoduo_pages import MONEY_IS_BACK, PAGE_SIZE, orders_page, refunds_page

LISTED_S = 180.0  # what changed in the last three minutes is perhaps not listed yet
WINDOW_S_MAX = 1800.0 - 1  # half an hour; a window is widened to whole seconds
ALL_STATES = "5"  # of order_status and refund_status
ALL_KINDS = "1"  # of after_sales_type
SPAN_S_MAX = 10**9

BY_CODE: dict[int, Verdict] = {
    10010: "app", 10011: "app", 10016: "app", 20004: "app",
    10014: "revoked",
    10019: "token", 10035: "token", 20032: "token",
    20005: "address",
    20031: "forbidden", 30000: "forbidden", 70034: "forbidden", 70035: "forbidden",
    # Two copies of the table differ on 70032, too many calls or forbidden ones: a rest does no harm in either case.
    52101: "rate", 70031: "rate", 70032: "rate", 70036: "rate",
}  # fmt: skip
PARAMETER, BUSINESS = 10001, 50001


class Fault(msgspec.Struct, frozen=True):
    error_code: int
    error_msg: str | None = None
    sub_code: str | int | None = None
    sub_msg: str | None = None


class Permitted(msgspec.Struct, frozen=True):
    is_success: bool = True


class Codes(msgspec.Struct, frozen=True):
    """A fault, or the answer to one of our methods."""

    error_response: Fault | None = None
    pmc_user_permit_response: Permitted | None = None
    pop_auth_token_create_response: object = None
    pop_auth_token_refresh_response: object = None
    order_info_get_response: object = None
    order_sn_increment_get_response: object = None
    refund_increment_get_response: object = None


class Told(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int
    owner_id: str | int
    refresh_token: str = ""
    refresh_token_expires_in: int = 0
    owner_name: str = ""


class TokenAnswer(msgspec.Struct, frozen=True):
    pop_auth_token_create_response: Told | None = None
    pop_auth_token_refresh_response: Told | None = None


class PinduoduoApi:
    PLATFORM: ClassVar[str] = "pinduoduo"
    BASE: ClassVar[str] = "https://gw-api.pinduoduo.com"
    AUTH_BASE: ClassVar[str] = "https://mms.pinduoduo.com"
    CALLS_PER_S: ClassVar[float] = 20.0  # UNVERIFIED: a guess that the config overrides
    NAME_CALLS_PER_S: ClassVar[Mapping[str, float]] = {"pdd.refund.list.increment.get": 10.0}  # 600 in 60 s
    REFRESH_WINDOW_S: ClassVar[float | None] = None
    CODE_IS: ClassVar[str] = "code"
    APP_HAS_TOKENS: ClassVar[bool] = False
    LISTINGS: ClassVar[Sequence[Listing]] = (
        Listing("orders", WINDOW_S_MAX, LISTED_S), Listing("refunds", WINDOW_S_MAX, LISTED_S),
    )  # fmt: skip
    ROOM_BY_ORDER: ClassVar[bool] = False

    # --- authorisation ---

    def before_link(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def link(self, caller: Caller, state: str, redirect: str, before: bytes) -> str:
        """The page for owners of malls, or that of the service market, where the config's auth_url says so."""
        asked = {"response_type": "code", "client_id": caller.app.key, "redirect_uri": redirect, "state": state}
        page = "/auth" if caller.auth_base.endswith("/service-market") else "/open.html"
        return f"{caller.auth_base}{page}?" + urlencode(asked)

    def exchange(self, caller: Caller, code: str, redirect: str, now: datetime) -> Call:
        return _call(caller, "pdd.pop.auth.token.create", {"code": code}, now, in_shop=False)

    def refresh(self, caller: Caller, now: datetime) -> Call | None:
        if caller.tokens is None or not caller.tokens.refresh:
            return None
        asked = {"refresh_token": caller.tokens.refresh}
        return _call(caller, "pdd.pop.auth.token.refresh", asked, now, in_shop=False)

    def own(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def app_grant(self, caller: Caller, ticket: str, now: datetime) -> Call | None:
        return None

    def granted(self, body: bytes, before: Tokens | None, now: datetime) -> Grant:
        """Both ends are told as spans and as instants: the spans do not depend on whose clock is right."""
        answer = json_body(body, TokenAnswer)
        told = answer.pop_auth_token_create_response or answer.pop_auth_token_refresh_response
        if told is None or not told.access_token or not 0 < told.expires_in < SPAN_S_MAX:
            raise BadFrame("bad_tokens: none, or at their end")
        if not 0 <= told.refresh_token_expires_in < SPAN_S_MAX:
            raise BadFrame("bad_tokens: no end that a refresh token could have")
        lasts = bool(told.refresh_token) and told.refresh_token_expires_in > 0
        tokens = Tokens(
            access=told.access_token,
            granted_at=now,
            access_until=now + timedelta(seconds=told.expires_in),
            refresh=told.refresh_token if lasts else "",
            refresh_until=now + timedelta(seconds=told.refresh_token_expires_in) if lasts else None,
        )
        return Grant(tokens, exact_id(told.owner_id), name=told.owner_name)

    def permit(self, caller: Caller, now: datetime) -> Call | None:
        """Without topics, as the platform advises: the mall is heard on all that the app has subscribed to."""
        return _call(caller, "pdd.pmc.user.permit", {}, now)

    # --- calls ---

    def judge(self, answer: Answer) -> Judged:
        told = codes(answer, Codes)
        if told is None or answer.status != 200:
            return by_status(answer)
        fault = told.error_response
        if fault is not None:
            return Judged(_verdict(fault), code_text(fault.error_code, fault.sub_code))
        if told.pmc_user_permit_response is not None and not told.pmc_user_permit_response.is_success:
            return Judged("forbidden", "is_success:false")
        answered = any(part is not None for part in msgspec.structs.astuple(told))
        return Judged("ok") if answered else by_status(answer)

    def detail(self, caller: Caller, need: Need, now: datetime) -> Call | None:
        """Refunds need none: their push says their amount."""
        return _call(caller, "pdd.order.information.get", {"order_sn": need.key}, now) if need.what == ORDER else None

    def list_page(
        self, caller: Caller, listing: Listing, from_at: datetime, to_at: datetime, mark: str, now: datetime
    ) -> Call:
        """Pages are read from the last one back, as the platform demands lest orders are passed over."""
        window = {
            "start_updated_at": str(floor(from_at.timestamp())), "end_updated_at": str(ceil(to_at.timestamp())),
            "page": str(page_number(mark)), "page_size": str(PAGE_SIZE),
        }  # fmt: skip
        if listing.name == "refunds":
            asked = {"after_sales_status": str(MONEY_IS_BACK), "after_sales_type": ALL_KINDS}
            return _call(caller, "pdd.refund.list.increment.get", asked | window, now)
        asked = {
            "is_lucky_flag": "0", "order_status": ALL_STATES, "refund_status": ALL_STATES,
            "use_has_next": "true" if mark else "false",
        }  # fmt: skip
        return _call(caller, "pdd.order.number.list.increment.get", asked | window, now)

    def read_page(
        self, row: FeedRow, listing: Listing, shop: str, body: bytes, received_at: datetime,
        details: Details = NO_DETAILS, mark: str = "",
    ) -> Page:  # fmt: skip
        read = refunds_page if listing.name == "refunds" else orders_page
        return read(row, shop, body, received_at, mark)

    def read_order(self, row: FeedRow, shop: str, order_id: str, body: bytes, received_at: datetime) -> Sequence[Sale]:
        return []

    def quota(self, caller: Caller, name: str, now: datetime) -> Call | None:
        return None

    def read_quota(self, body: bytes, now: datetime) -> Quota:
        raise BadFrame("no_quota: this platform has none to ask for")


def _verdict(fault: Fault) -> Verdict:
    """Some faults have no code of their own: their words say which parameter it was, or that there is no such order."""
    words = f"{fault.error_msg or ''} {fault.sub_msg or ''}"
    if fault.error_code in BY_CODE:
        return BY_CODE[fault.error_code]
    if "refresh_token" in words:
        return "revoked"
    if fault.error_code == PARAMETER and "timestamp" in words:
        return "clock"
    return "missing" if fault.error_code == BUSINESS and "订单不存在" in words else "broken"


def _call(caller: Caller, method: str, asked: Mapping[str, str], now: datetime, in_shop: bool = True) -> Call:
    """All values travel as texts, exactly as they are signed."""
    told = dict(asked) | {
        "type": method, "client_id": caller.app.key, "timestamp": str(int(now.timestamp())), "data_type": "JSON",
        "version": "V1",
    }  # fmt: skip
    if in_shop:
        told["access_token"] = caller.access
    told["sign"] = secret_wrapped(told, caller.secret)
    return Call(method, f"{caller.base}/api/router", json.dumps(told).encode(), {"content-type": "application/json"})
