"""Doudian (抖店): openapi-fxg.jinritemai.com, for shops that let in our service and for self-use apps.

Sources: china.md 3.2, and public copies of the official SDK (Go, zsmhub/doudian-sdk) and of its tables of codes, read
for names and rules alone. Quotas and the span of a search by update time stand on no page that we could read.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil, floor
from typing import ClassVar
from urllib.parse import urlencode

import msgspec

from ..collector import BadFrame, FeedRow
from ..details import ORDER
from ..hook import NO_DETAILS, Details, Need
from ..instants import instant
from ..json_body import json_body
from ..open_api import Answer, Call, Caller, Grant, Judged, Listing, Page, Quota, Tokens, Verdict
from ..order_details.doudian import order_in
from ..order_ids import exact_id
from ..signing import doudian_param_json, doudian_request
from ..tick import Sale
from ..verdicts import by_status, code_text, codes
from .doudian_pages import PAGE_SIZE, order_facts, orders_page, refunds_page

SUCCESS = 10_000
REFRESH_S = 14 * 86_400.0  # the answer says when the access token ends, never when the refresh token does
DAY_S = 86_400.0

BY_CODE: dict[int, Verdict] = {
    SUCCESS: "ok", 30_001: "forbidden", 30_002: "address", 60_000: "rate",
}  # fmt: skip
BY_SUB_CODE: dict[str, Verdict] = {
    "isv.access-token-expired": "token",
    "isv.access-token-no-existed": "token",
    "isv.access-token-invalid": "token",
    "isv.access-token-missing": "token",
    "dop.authorization-no-existed": "revoked",
    "dop.authorization-closed": "revoked",
    "dop.app-forbidden": "app",
    "isv.signature-missing": "app",
    "isv.signature-invalid": "app",
    "isv.app-id-missing": "app",
    "isv.app-id-invalid": "app",
    "isv.app-id-expired": "app",
    "isv.timestamp-invalid": "clock",
    "isv.timestamp-format-error": "clock",
    "isv.parameter-invalid:11003": "missing",
}
NO_TOKEN = "dop.token-generate-failed"  # noqa: S105 - the name of a fault; all but these of it mean: link again
BY_NO_TOKEN: dict[str, Verdict] = {"app-secret-invalid": "app", "app-forbidden": "app", "grant-type-invalid": "app"}
REFRESH_UNKNOWN = "isv.business-failed:31009"  # of token.refresh; other methods may count their faults alike


class Codes(msgspec.Struct, frozen=True):
    code: int
    sub_code: str | None = None
    sub_msg: str | None = None


class TokenData(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int
    refresh_token: str = ""
    shop_id: str | int | None = None
    shop_name: str | None = None


class TokenAnswer(msgspec.Struct, frozen=True):
    data: TokenData


class DoudianApi:
    PLATFORM: ClassVar[str] = "doudian"
    BASE: ClassVar[str] = "https://openapi-fxg.jinritemai.com"
    AUTH_BASE: ClassVar[str] = "https://fuwu.jinritemai.com"
    CALLS_PER_S: ClassVar[float] = 20.0  # UNVERIFIED: a guess that the config overrides
    NAME_CALLS_PER_S: ClassVar[Mapping[str, float]] = {}
    REFRESH_WINDOW_S: ClassVar[float | None] = 3600.0  # earlier it answers with the pair as it is
    CODE_IS: ClassVar[str] = "code"
    APP_HAS_TOKENS: ClassVar[bool] = False
    LISTINGS: ClassVar[Sequence[Listing]] = (Listing("orders", DAY_S), Listing("refunds", DAY_S))
    ROOM_BY_ORDER: ClassVar[bool] = True

    # --- authorisation ---

    def before_link(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def link(self, caller: Caller, state: str, redirect: str, before: bytes) -> str:
        """The page of the service market; where it calls back is set in the app's own page, not here."""
        if not caller.app.service_id:
            raise BadFrame("no_service_id: the app has none, and its link names it")
        return f"{caller.auth_base}/authorize?" + urlencode({"service_id": caller.app.service_id, "state": state})

    def exchange(self, caller: Caller, code: str, redirect: str, now: datetime) -> Call:
        return _call(caller, "token.create", {"code": code, "grant_type": "authorization_code"}, now, in_shop=False)

    def refresh(self, caller: Caller, now: datetime) -> Call | None:
        if caller.tokens is None or not caller.tokens.refresh:
            return None
        params = {"grant_type": "refresh_token", "refresh_token": caller.tokens.refresh}
        return _call(caller, "token.refresh", params, now, in_shop=False)

    def own(self, caller: Caller, now: datetime) -> Call | None:
        params = {"code": "", "grant_type": "authorization_self", "shop_id": caller.shop}
        return _call(caller, "token.create", params, now, in_shop=False)

    def app_grant(self, caller: Caller, ticket: str, now: datetime) -> Call | None:
        return None

    def granted(self, body: bytes, before: Tokens | None, now: datetime) -> Grant:
        """`expires_in` is how many seconds are left; one source has the instant in it, which cannot be mistaken."""
        told = json_body(body, TokenAnswer).data
        until = instant(told.expires_in) if told.expires_in > 10**9 else now + timedelta(seconds=told.expires_in)
        if not told.access_token or until <= now:
            raise BadFrame("bad_tokens: none, or at their end")
        same = before is not None and told.access_token == before.access
        tokens = Tokens(
            access=told.access_token,
            granted_at=before.granted_at if same and before else now,
            access_until=until,
            refresh=told.refresh_token,
            refresh_until=before.refresh_until if same and before else now + timedelta(seconds=REFRESH_S),
        )
        return Grant(tokens, "" if told.shop_id is None else exact_id(told.shop_id), name=told.shop_name or "")

    def permit(self, caller: Caller, now: datetime) -> Call | None:
        return None

    # --- calls ---

    def judge(self, answer: Answer) -> Judged:
        told = codes(answer, Codes)
        if told is None:
            return by_status(answer)
        sub_code = (told.sub_code or "").replace(" ", "")
        detail = code_text(told.code, sub_code)
        head, _, why = sub_code.partition(":")
        if head == NO_TOKEN:
            return Judged(BY_NO_TOKEN.get(why, "revoked"), detail)
        if sub_code == REFRESH_UNKNOWN and "token" in (told.sub_msg or ""):
            return Judged("revoked", detail)
        return Judged(BY_SUB_CODE.get(sub_code) or BY_CODE.get(told.code, "broken"), detail)

    def detail(self, caller: Caller, need: Need, now: datetime) -> Call | None:
        return _call(caller, "order.orderDetail", {"shop_order_id": need.key}, now) if need.what == ORDER else None

    def list_page(
        self, caller: Caller, listing: Listing, from_at: datetime, to_at: datetime, mark: str, now: datetime
    ) -> Call:
        """The marks are our own: from which second on, and which page of it (`1764000000.0`).

        Entries leave a window while it is read, when they are updated again; counting pages from its start would pass
        over what moves up then. So each page starts at the last entry of the one before.
        """
        since, _, number = (mark or f"{floor(from_at.timestamp())}.0").partition(".")
        page, until = {"page": int(number), "size": PAGE_SIZE}, ceil(to_at.timestamp())
        if listing.name == "refunds":
            window = {"update_start_time": int(since), "update_end_time": until, "order_by": ["update_time asc"]}
            return _call(caller, "afterSale.List", page | window, now)
        within = {"update_time_start": int(since), "update_time_end": until}
        return _call(caller, "order.searchList", page | within | {"order_by": "update_time", "order_asc": True}, now)

    def read_page(
        self, row: FeedRow, listing: Listing, shop: str, body: bytes, received_at: datetime,
        details: Details = NO_DETAILS, mark: str = "",
    ) -> Page:  # fmt: skip
        read = refunds_page if listing.name == "refunds" else orders_page
        return read(row, shop, body, received_at)

    def read_order(self, row: FeedRow, shop: str, order_id: str, body: bytes, received_at: datetime) -> Sequence[Sale]:
        """It is asked for because a push told of it: the fact came by push."""
        facts = order_facts(row, shop, order_in(body, order_id), received_at, "push")
        return [sale for sale in facts if sale.kind == "paid"]

    def quota(self, caller: Caller, name: str, now: datetime) -> Call | None:
        return None

    def read_quota(self, body: bytes, now: datetime) -> Quota:
        raise BadFrame("no_quota: this platform has none to ask for")


def _call(caller: Caller, method: str, params: Mapping[str, object], now: datetime, in_shop: bool = True) -> Call:
    """Signed over app_key, method, param_json, timestamp and v; the parameters travel as the body."""
    param_json = doudian_param_json(params)
    query = {
        "app_key": caller.app.key, "method": method, "timestamp": str(int(now.timestamp())), "v": "2",
        "sign_method": "hmac-sha256",
    }  # fmt: skip
    query["sign"] = doudian_request(query | {"param_json": param_json}, caller.secret, "hmac-sha256")
    if in_shop:
        query["access_token"] = caller.access
    url = f"{caller.base}/{method.replace('.', '/')}?{urlencode(query)}"
    # Without the second header its faults come with the numbers of an older table.
    headers = {"content-type": "application/json;charset=utf-8", "x-open-no-old-err-code": "1"}
    return Call(method, url, param_json.encode(), headers)
