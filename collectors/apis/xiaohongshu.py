"""Xiaohongshu (小红书): the ark gateway, for shops whose owner lets our app in; self-built apps are linked, too.

Sources: china.md 7, public readings of the official pages on authorisation (341), signatures (39), orders (27241,
27242) and after-sales (30115, 30038), and the comments of one public client. The numbers of faults stand on no page
that we could read: what they mean is told by words of their text, and by no more than these.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import ceil, floor
from typing import ClassVar
from urllib.parse import urlencode

import msgspec

from ..back_to_front import page_number
from ..collector import BadFrame, FeedRow
from ..details import ORDER, REFUND
from ..hook import NO_DETAILS, Details, Need
from ..inner_json import inner_json
from ..instants import instant
from ..open_api import Answer, Call, Caller, Grant, Judged, Listing, Page, Quota, Tokens, Verdict
from ..order_details.xiaohongshu import told_in
from ..order_ids import exact_id
from ..signing import xiaohongshu_request
from ..tick import Sale
from ..verdicts import by_status, code_text, codes
from .xiaohongshu_pages import PAGE_SIZE, orders_page, refunds_page

GATEWAY = "/ark/open_api/v3/common_controller"
VERSION = "2.0"
BY_UPDATE = 2
WINDOW_S = 1_798.0  # the platform's 1,800, less what the whole seconds around a window may add

REFRESH_IS_BAD = ("refreshtoken", "refresh token", "refresh_token")
ACCESS_IS_BAD = ("accesstoken", "access token", "access_token")
TOO_FAST = ("限流", "频繁", "超限", "too many", "too frequent", "rate limit")


class Codes(msgspec.Struct, frozen=True):
    """Of either envelope: the gateway says `error_code`, newer methods say `code`."""

    success: bool | None = None
    error_code: int | str | None = None
    code: int | str | None = None
    error_msg: str | None = None
    msg: str | None = None
    data: object = None


class TokenData(msgspec.Struct, frozen=True):
    accessToken: str
    accessTokenExpiresAt: object
    refreshToken: str = ""
    refreshTokenExpiresAt: object = None
    sellerId: str | int | None = None
    sellerName: str | None = None


class XiaohongshuApi:
    PLATFORM: ClassVar[str] = "xiaohongshu"
    BASE: ClassVar[str] = "https://ark.xiaohongshu.com"
    AUTH_BASE: ClassVar[str] = "https://ark.xiaohongshu.com"
    CALLS_PER_S: ClassVar[float] = 3.0  # UNVERIFIED: one client says 200 a minute; the config overrides it
    NAME_CALLS_PER_S: ClassVar[Mapping[str, float]] = {}
    REFRESH_WINDOW_S: ClassVar[float | None] = 1800.0  # earlier it answers with the pair as it is
    CODE_IS: ClassVar[str] = "code"
    APP_HAS_TOKENS: ClassVar[bool] = False
    LISTINGS: ClassVar[Sequence[Listing]] = (Listing("orders", WINDOW_S), Listing("refunds", WINDOW_S))
    ROOM_BY_ORDER: ClassVar[bool] = False

    # --- authorisation ---

    def before_link(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def link(self, caller: Caller, state: str, redirect: str, before: bytes) -> str:
        """The owner's own login is needed: a sub-account cannot let anybody in."""
        asked = {"appId": caller.app.key, "redirectUri": redirect, "state": state}
        return f"{caller.auth_base}/ark/authorization?{urlencode(asked)}"

    def exchange(self, caller: Caller, code: str, redirect: str, now: datetime) -> Call:
        """A code is good for ten minutes."""
        return _call(caller, "oauth.getAccessToken", {"code": code}, now, in_shop=False)

    def refresh(self, caller: Caller, now: datetime) -> Call | None:
        if caller.tokens is None or not caller.tokens.refresh:
            return None
        return _call(caller, "oauth.refreshToken", {"refreshToken": caller.tokens.refresh}, now, in_shop=False)

    def own(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def app_grant(self, caller: Caller, ticket: str, now: datetime) -> Call | None:
        return None

    def granted(self, body: bytes, before: Tokens | None, now: datetime) -> Grant:
        """Both ends are told, as instants."""
        told = inner_json(told_in(body), TokenData)
        until = instant(told.accessTokenExpiresAt)
        if not told.accessToken or until <= now:
            raise BadFrame("bad_tokens: none, or at their end")
        tokens = Tokens(
            access=told.accessToken,
            granted_at=before.granted_at if before and told.accessToken == before.access else now,
            access_until=until,
            refresh=told.refreshToken,
            refresh_until=instant(told.refreshTokenExpiresAt) if told.refreshTokenExpiresAt else None,
        )
        return Grant(tokens, "" if told.sellerId is None else exact_id(told.sellerId), name=told.sellerName or "")

    def permit(self, caller: Caller, now: datetime) -> Call | None:
        return None

    # --- calls ---

    def judge(self, answer: Answer) -> Judged:
        told = codes(answer, Codes)
        if told is None:
            return by_status(answer)
        if told.success and isinstance(told.data, dict) and {"success", "data"} <= told.data.keys():
            try:
                told = inner_json(told.data, Codes)
            except BadFrame:
                return Judged("broken", "bad_envelope")
        number = told.error_code if told.error_code is not None else told.code
        if told.success and number in (0, None):
            return Judged("ok")
        return Judged(_meant(f"{told.error_msg or ''} {told.msg or ''}".lower()), code_text(number))

    def detail(self, caller: Caller, need: Need, now: datetime) -> Call | None:
        if need.what == ORDER:
            return _call(caller, "order.getOrderDetail", {"orderId": need.key}, now)
        if need.what == REFUND:
            return _call(caller, "afterSale.getAfterSaleInfo", {"returnsId": need.key}, now)
        return None

    def list_page(
        self, caller: Caller, listing: Listing, from_at: datetime, to_at: datetime, mark: str, now: datetime
    ) -> Call:
        """Orders are asked for in seconds, after-sales in milliseconds; both answer in milliseconds."""
        from_s, to_s = floor(from_at.timestamp()), ceil(to_at.timestamp())
        page = {"timeType": BY_UPDATE, "pageNo": page_number(mark), "pageSize": PAGE_SIZE}
        if listing.name == "refunds":
            window = {"startTime": from_s * 1000, "endTime": to_s * 1000}
            return _call(caller, "afterSale.listAfterSaleInfos", page | window, now)
        return _call(caller, "order.getOrderList", page | {"startTime": from_s, "endTime": to_s}, now)

    def read_page(
        self, row: FeedRow, listing: Listing, shop: str, body: bytes, received_at: datetime,
        details: Details = NO_DETAILS, mark: str = "",
    ) -> Page:  # fmt: skip
        read = refunds_page if listing.name == "refunds" else orders_page
        return read(row, shop, body, received_at, details, mark)

    def read_order(self, row: FeedRow, shop: str, order_id: str, body: bytes, received_at: datetime) -> Sequence[Sale]:
        return ()

    def quota(self, caller: Caller, name: str, now: datetime) -> Call | None:
        return None

    def read_quota(self, body: bytes, now: datetime) -> Quota:
        raise BadFrame("no_quota: this platform has none to ask for")


def _call(caller: Caller, method: str, params: Mapping[str, object], now: datetime, in_shop: bool = True) -> Call:
    """All goes to one address; the signature is over method, appId, timestamp and version alone."""
    at_s = str(int(now.timestamp()))
    system = {
        "appId": caller.app.key, "method": method, "timestamp": at_s, "version": VERSION,
        "sign": xiaohongshu_request(method, caller.app.key, at_s, caller.secret, VERSION),
    }  # fmt: skip
    if in_shop:
        system["accessToken"] = caller.access
    headers = {"content-type": "application/json;charset=utf-8"}
    return Call(method, caller.base + GATEWAY, msgspec.json.encode({**params, **system}), headers)


def _meant(text: str) -> Verdict:
    """NOT CONFIRMED: by the words of a fault's text. A refresh token that is spoken of is one that is not taken."""
    if any(word in text for word in REFRESH_IS_BAD):
        return "revoked"
    if any(word in text for word in ACCESS_IS_BAD):
        return "token"
    return "rate" if any(word in text for word in TOO_FAST) else "broken"
