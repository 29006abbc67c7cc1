"""TikTok Shop: open-api.tiktokglobalshop.com, for sellers that let in our service in the Partner Center.

Sources: global.md 2.6; the Partner pages for 202309 as public client libraries that were generated from them have them
(names, fields, that the two `..._expire_in` are instants); the pages "Common errors" and "Sign your API request" as
public notes quote them; the codes 3600400x as clients saw them. Quotas, the widest window, and whether a refresh voids
the pair before it stand on no page that we could read.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import floor
from typing import ClassVar
from urllib.parse import urlencode

import msgspec

from ..collector import BadFrame, FeedRow
from ..details import ORDER
from ..hook import NO_DETAILS, Details, Need
from ..instants import instant
from ..json_body import json_body
from ..open_api import Answer, Call, Caller, Grant, Judged, Listing, Page, Quota, Tokens, Verdict
from ..order_ids import exact_id
from ..signing import tiktok_shop_request
from ..tick import Sale
from ..verdicts import by_status, code_text, codes
from .tiktok_shop_pages import orders_page

SHOPS, ORDERS, ORDER_SEARCH = (
    "/authorization/202309/shops", "/order/202309/orders", "/order/202309/orders/search",
)  # fmt: skip
CIPHER = "shop_cipher"  # what stands for the shop in every call, beside the token
# Where a seller lets us in is another host than the one that gives tokens, and another one in the US.
ELSEWHERE, IN_THE_US = "https://services.tiktokshop.com", "https://services.us.tiktokshop.com"
PAGE_SIZE = 100
DAY_S = 86_400.0

BY_CODE: dict[int, Verdict] = {
    0: "ok",
    101000: "token",  # the token is none, or not of this shop
    105002: "token",  # it is at its end
    36004001: "revoked",  # so is the refresh token
    36004004: "revoked",  # the code, or what it gave, is not known (any more)
    36004005: "revoked",  # nor is the refresh token
    105005: "forbidden",
    106013: "forbidden",  # shop_cipher is missing: this account was never completed
    106001: "app",
    36009002: "rate",
    36009033: "address",
}
INVALID = 36009004  # by the platform's own word, this code alone says nothing: the message does
BY_WORD: tuple[tuple[str, Verdict], ...] = (
    ("timestamp", "clock"), ("app_key", "app"), ("signature", "app"), ("access_token", "token"),
    ("access-token", "token"),
)  # fmt: skip


class Codes(msgspec.Struct, frozen=True):
    code: int
    message: str | None = None


class TokenData(msgspec.Struct, frozen=True):
    access_token: str
    access_token_expire_in: int
    refresh_token: str
    refresh_token_expire_in: int
    seller_name: str | None = None


class TokenAnswer(msgspec.Struct, frozen=True):
    data: TokenData


class Shop(msgspec.Struct, frozen=True):
    id: str
    cipher: str
    name: str | None = None


class Shops(msgspec.Struct, frozen=True):
    shops: list[Shop]


class ShopsAnswer(msgspec.Struct, frozen=True):
    data: Shops


class TiktokShopApi:
    PLATFORM: ClassVar[str] = "tiktok_shop"
    BASE: ClassVar[str] = "https://open-api.tiktokglobalshop.com"
    AUTH_BASE: ClassVar[str] = "https://auth.tiktok-shops.com"
    CALLS_PER_S: ClassVar[float] = 10.0  # UNVERIFIED: a guess that the config overrides
    NAME_CALLS_PER_S: ClassVar[Mapping[str, float]] = {}
    REFRESH_WINDOW_S: ClassVar[float | None] = None
    CODE_IS: ClassVar[str] = "code"
    APP_HAS_TOKENS: ClassVar[bool] = False
    LISTINGS: ClassVar[Sequence[Listing]] = (Listing("orders", DAY_S),)
    ROOM_BY_ORDER: ClassVar[bool] = False

    # --- authorisation ---

    def before_link(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def link(self, caller: Caller, state: str, redirect: str, before: bytes) -> str:
        """The page of the service; where it calls back is set in the Partner Center, not here."""
        if not caller.app.service_id:
            raise BadFrame("no_service_id: the app has none, and its link names it")
        base = ELSEWHERE if caller.auth_base == self.AUTH_BASE else caller.auth_base
        return f"{base}/open/authorize?" + urlencode({"service_id": caller.app.service_id, "state": state})

    def exchange(self, caller: Caller, code: str, redirect: str, now: datetime) -> Call:
        return _token_call(caller, "/api/v2/token/get", {"auth_code": code, "grant_type": "authorized_code"})

    def refresh(self, caller: Caller, now: datetime) -> Call | None:
        if caller.tokens is None or not caller.tokens.refresh:
            return None
        params = {"refresh_token": caller.tokens.refresh, "grant_type": "refresh_token"}
        return _token_call(caller, "/api/v2/token/refresh", params)

    def own(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def app_grant(self, caller: Caller, ticket: str, now: datetime) -> Call | None:
        return None

    def granted(self, body: bytes, before: Tokens | None, now: datetime) -> Grant:
        """Both `..._expire_in` are instants in unix seconds, whatever their name; no shop is named: see `complete`."""
        told = json_body(body, TokenAnswer).data
        access_until, refresh_until = instant(told.access_token_expire_in), instant(told.refresh_token_expire_in)
        if not told.access_token or access_until <= now:
            raise BadFrame("bad_tokens: none, or at their end")
        tokens = Tokens(
            access=told.access_token,
            granted_at=now,
            access_until=access_until,
            refresh=told.refresh_token,
            refresh_until=refresh_until if told.refresh_token else None,
            extra={} if before is None else before.extra,
        )
        return Grant(tokens, name=told.seller_name or "")

    def permit(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def complete(self, caller: Caller, now: datetime) -> Call | None:
        if caller.tokens is None or CIPHER in caller.tokens.extra:
            return None
        return _call(caller, SHOPS, {}, now)

    def completed(self, caller: Caller, body: bytes) -> Grant:
        """A seller may have shops in several countries, under one token: the one that was linked, else the first."""
        if caller.tokens is None:
            raise BadFrame("bad_tokens: there are none to complete")
        shops = json_body(body, ShopsAnswer).data.shops
        if not shops:
            raise BadFrame("no_shop: this seller has none")
        shop = next((shop for shop in shops if shop.id == caller.shop), shops[0])
        tokens = msgspec.structs.replace(caller.tokens, extra=caller.tokens.extra | {CIPHER: shop.cipher})
        return Grant(tokens, exact_id(shop.id), name=shop.name or "")

    # --- calls ---

    def judge(self, answer: Answer) -> Judged:
        told = codes(answer, Codes)
        if told is None:
            return by_status(answer)
        message, detail = (told.message or "").lower(), code_text(told.code)
        if told.code == INVALID:
            return Judged(next((verdict for word, verdict in BY_WORD if word in message), "broken"), detail)
        return Judged(BY_CODE.get(told.code, "rate" if answer.status == 429 else "broken"), detail)

    def detail(self, caller: Caller, need: Need, now: datetime) -> Call | None:
        return _call(caller, ORDERS, {"ids": need.key}, now) if need.what == ORDER else None

    def list_page(
        self, caller: Caller, listing: Listing, from_at: datetime, to_at: datetime, mark: str, now: datetime
    ) -> Call:
        """The marks are our own: from which second on, and the platform's token for more of that very question.

        Orders leave a window while it is read, when they are updated again; what counts pages from its start would
        pass over what moves up then. So each page starts at the last order of the one before.
        """
        since, _, token = (mark or str(floor(from_at.timestamp()))).partition("|")
        params = {"page_size": str(PAGE_SIZE), "sort_field": "update_time", "sort_order": "ASC"}
        if token:
            params["page_token"] = token
        window = {"update_time_ge": int(since), "update_time_lt": floor(to_at.timestamp()) + 1}
        return _call(caller, ORDER_SEARCH, params, now, window)

    def read_page(
        self, row: FeedRow, listing: Listing, shop: str, body: bytes, received_at: datetime,
        details: Details = NO_DETAILS, mark: str = "",
    ) -> Page:  # fmt: skip
        return orders_page(row, shop, body, received_at, mark)

    def read_order(self, row: FeedRow, shop: str, order_id: str, body: bytes, received_at: datetime) -> Sequence[Sale]:
        return ()  # the order names no room

    def quota(self, caller: Caller, name: str, now: datetime) -> Call | None:
        return None

    def read_quota(self, body: bytes, now: datetime) -> Quota:
        raise BadFrame("no_quota: this platform has none to ask for")


def _token_call(caller: Caller, path: str, params: Mapping[str, str]) -> Call:
    """A GET with the secret in its query: the platform has no other way, and takes no POST."""
    base = TiktokShopApi.AUTH_BASE if caller.auth_base in (ELSEWHERE, IN_THE_US) else caller.auth_base
    query = {"app_key": caller.app.key, "app_secret": caller.secret.decode(), **params}
    return Call(path, f"{base}{path}?{urlencode(query)}")


def _call(
    caller: Caller, path: str, params: Mapping[str, str], now: datetime, body: Mapping[str, object] | None = None
) -> Call:
    query = {"app_key": caller.app.key, "timestamp": str(int(now.timestamp())), **params}
    if path != SHOPS and caller.tokens is not None and CIPHER in caller.tokens.extra:
        query[CIPHER] = caller.tokens.extra[CIPHER]
    raw = b"" if body is None else msgspec.json.encode(body)
    query["sign"] = tiktok_shop_request(path, query, raw, caller.secret)
    headers = {"content-type": "application/json", "x-tts-access-token": caller.access}
    return Call(path, f"{caller.base}{path}?{urlencode(query)}", None if body is None else raw, headers)
