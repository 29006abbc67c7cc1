"""WeChat shops (微信小店): api.weixin.qq.com, in two ways that an account tells apart.

- As a third-party platform (component): the app itself is granted tokens for the ticket that is pushed to it every ten
  minutes; shops let it in on a page, and what they grant is refreshed in its name, for ever.
- By a shop's own key: an account with its own appid and AppSecret (`Account.key`), by /cgi-bin/stable_token.

Sources: china.md 6; developers.weixin.qq.com: Third-party Platforms (pre_auth_code, the pages of authorisation),
getApiQuota, the shop's commErrCode, Global_Return_Code; fields of lists and after-sales by public client libraries
(DotNetCore.SKIT, WxJava). From memory, not confirmed: that `redirect_uri` may have a query of its own, `auth_type` 6,
some codes (61003 to 61023, 895xx). Which code an order has that is none is known of an older kind of shop (100002).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil, floor
from typing import ClassVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec

from ..collector import BadFrame, FeedRow
from ..details import ORDER, REFUND
from ..hook import NO_DETAILS, Details, Need
from ..json_body import json_body
from ..open_api import Answer, Call, Caller, Grant, Judged, Listing, Page, Quota, Tokens
from ..order_ids import exact_id
from ..tick import Sale
from .wechat_calls import call, in_shop, judged, of_component
from .wechat_pages import orders_page, refunds_page

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY_S = 86_400.0
PAGE_SIZE = 100
ORDER_GET, ORDER_LIST = "/channels/ec/order/get", "/channels/ec/order/list/get"
REFUND_GET, REFUND_LIST = "/channels/ec/aftersale/getaftersaleorder", "/channels/ec/aftersale/getaftersalelist"
SHOP_CALLS = frozenset({ORDER_GET, ORDER_LIST, REFUND_GET, REFUND_LIST})
QUOTA_GET = "/cgi-bin/openapi/quota/get"
APPID, USER_NAME = "appid", "user_name"  # of a shop, in `Tokens.extra`: what calls name, and what pushes name
ALL_KINDS = "6"


class Authorization(msgspec.Struct, frozen=True):
    authorizer_appid: str
    authorizer_access_token: str
    expires_in: int
    authorizer_refresh_token: str


class TokenAnswer(msgspec.Struct, frozen=True):
    """Exactly one of four: of api_component_token, api_query_auth, api_authorizer_token, stable_token."""

    component_access_token: str = ""
    authorization_info: Authorization | None = None
    authorizer_access_token: str = ""
    authorizer_refresh_token: str = ""
    access_token: str = ""
    expires_in: int = 0


class PreAuth(msgspec.Struct, frozen=True):
    pre_auth_code: str


class Authorizer(msgspec.Struct, frozen=True):
    user_name: str
    nick_name: str = ""


class AuthorizerAnswer(msgspec.Struct, frozen=True):
    authorizer_info: Authorizer


class Left(msgspec.Struct, frozen=True):
    remain: int


class QuotaAnswer(msgspec.Struct, frozen=True):
    quota: Left


class WechatApi:
    PLATFORM: ClassVar[str] = "wechat"
    BASE: ClassVar[str] = "https://api.weixin.qq.com"
    AUTH_BASE: ClassVar[str] = "https://mp.weixin.qq.com"
    CALLS_PER_S: ClassVar[float] = 20.0  # UNVERIFIED: a guess that the config overrides
    NAME_CALLS_PER_S: ClassVar[Mapping[str, float]] = {}
    REFRESH_WINDOW_S: ClassVar[float | None] = None
    CODE_IS: ClassVar[str] = "auth_code"
    APP_HAS_TOKENS: ClassVar[bool] = True
    LISTINGS: ClassVar[Sequence[Listing]] = (Listing("orders", 7 * DAY_S - 1), Listing("refunds", DAY_S - 1))
    ROOM_BY_ORDER: ClassVar[bool] = False

    # --- authorisation ---

    def before_link(self, caller: Caller, now: datetime) -> Call | None:
        return of_component(caller, "api_create_preauthcode", {})

    def link(self, caller: Caller, state: str, redirect: str, before: bytes) -> str:
        """The page for a computer, which must be reached by a click on a page under the app's own domain, or that for
        a phone, where the config's auth_url says so. Neither has a `state`: it is part of where we are called back."""
        asked = {
            "component_appid": caller.app.key, "pre_auth_code": json_body(before, PreAuth).pre_auth_code,
            "redirect_uri": f"{redirect}?{urlencode({'state': state})}", "auth_type": ALL_KINDS,
        }  # fmt: skip
        if caller.auth_base.endswith("/wxaopen"):
            head = {"action": "bindcomponent", "no_scan": "1"}
            return f"{caller.auth_base}/safe/bindcomponent?{urlencode(head | asked)}#wechat_redirect"
        return f"{caller.auth_base}/cgi-bin/componentloginpage?" + urlencode(asked)

    def exchange(self, caller: Caller, code: str, redirect: str, now: datetime) -> Call:
        return of_component(caller, "api_query_auth", {"authorization_code": code})

    def refresh(self, caller: Caller, now: datetime) -> Call | None:
        tokens = caller.tokens
        if tokens is None or not tokens.refresh or APPID not in tokens.extra:
            return None
        asked = {"authorizer_appid": tokens.extra[APPID], "authorizer_refresh_token": tokens.refresh}
        return of_component(caller, "api_authorizer_token", asked)

    def own(self, caller: Caller, now: datetime) -> Call | None:
        """The token in force, or, in its last five minutes, the next one: asking often voids nothing."""
        asked = {
            "grant_type": "client_credential", "appid": caller.app.key, "secret": _text(caller.secret),
            "force_refresh": False,
        }  # fmt: skip
        return call(caller, "/cgi-bin/stable_token", asked, {})

    def app_grant(self, caller: Caller, ticket: str, now: datetime) -> Call | None:
        """The app's `secrets` open its pushes; it is authorised by its AppSecret, which is among `app_secrets`."""
        if not caller.app.app_secrets or not ticket:
            return None
        asked = {
            "component_appid": caller.app.key, "component_appsecret": _text(caller.app.app_secrets[0]),
            "component_verify_ticket": ticket,
        }  # fmt: skip
        return call(caller, "/cgi-bin/component/api_component_token", asked, {})

    def granted(self, body: bytes, before: Tokens | None, now: datetime) -> Grant:
        """The refresh token has no end. Who may be meant by a refreshed pair is what was known of the one before."""
        told = json_body(body, TokenAnswer)
        info = told.authorization_info
        if info is not None:
            extra = {APPID: exact_id(info.authorizer_appid)}
            return Grant(
                _tokens(info.authorizer_access_token, info.expires_in, info.authorizer_refresh_token, extra, now)
            )
        if told.authorizer_access_token:
            refresh, extra = (before.refresh, before.extra) if before is not None else ("", {})
            refresh = told.authorizer_refresh_token or refresh
            return Grant(_tokens(told.authorizer_access_token, told.expires_in, refresh, extra, now))
        return Grant(_tokens(told.component_access_token or told.access_token, told.expires_in, "", {}, now))

    def complete(self, caller: Caller, now: datetime) -> Call | None:
        """A grant names the shop's appid, pushes name another id of it (`gh_...`): asked for, once.

        A shop with its own key has no pair that names an appid, and nothing to ask.
        """
        extra = caller.tokens.extra if caller.tokens is not None else {}
        if APPID not in extra or USER_NAME in extra:
            return None
        return of_component(caller, "api_get_authorizer_info", {"authorizer_appid": extra[APPID]})

    def completed(self, caller: Caller, body: bytes) -> Grant:
        if caller.tokens is None:
            raise BadFrame("bad_tokens: none to complete")
        info = json_body(body, AuthorizerAnswer).authorizer_info
        shop = exact_id(info.user_name)
        extra = caller.tokens.extra | {USER_NAME: shop}
        return Grant(msgspec.structs.replace(caller.tokens, extra=extra), shop, name=info.nick_name)

    def permit(self, caller: Caller, now: datetime) -> Call | None:
        return None

    # --- calls ---

    def judge(self, answer: Answer) -> Judged:
        return judged(answer)

    def detail(self, caller: Caller, need: Need, now: datetime) -> Call | None:
        if need.what == ORDER:
            return in_shop(caller, ORDER_GET, {"order_id": need.key})
        if need.what == REFUND:
            return in_shop(caller, REFUND_GET, {"after_sale_order_id": need.key})
        return None

    def list_page(
        self, caller: Caller, listing: Listing, from_at: datetime, to_at: datetime, mark: str, now: datetime
    ) -> Call:
        """All but the mark must stay as it was on the first page."""
        start, end = floor(from_at.timestamp()), ceil(to_at.timestamp())
        more: dict[str, object] = {"next_key": mark} if mark else {}
        if listing.name == "refunds":
            return in_shop(caller, REFUND_LIST, {"begin_update_time": start, "end_update_time": end} | more)
        window = {"update_time_range": {"start_time": start, "end_time": end}, "page_size": PAGE_SIZE}
        return in_shop(caller, ORDER_LIST, window | more)

    def read_page(
        self, row: FeedRow, listing: Listing, shop: str, body: bytes, received_at: datetime,
        details: Details = NO_DETAILS, mark: str = "",
    ) -> Page:  # fmt: skip
        read = refunds_page if listing.name == "refunds" else orders_page
        return read(row, shop, body, received_at, details)

    def read_order(self, row: FeedRow, shop: str, order_id: str, body: bytes, received_at: datetime) -> Sequence[Sale]:
        return []

    def quota(self, caller: Caller, name: str, now: datetime) -> Call | None:
        """Each shop has its own, so it says how fast to go only where a shop has a key and a pace of its own."""
        if caller.tokens is None or APPID in caller.tokens.extra or name not in SHOP_CALLS:
            return None
        return in_shop(caller, QUOTA_GET, {"cgi_path": name})

    def read_quota(self, body: bytes, now: datetime) -> Quota:
        """It is renewed at midnight in China."""
        here = now.astimezone(SHANGHAI)
        midnight = here.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return Quota(max(json_body(body, QuotaAnswer).quota.remain, 0), midnight.astimezone(now.tzinfo))


def _tokens(access: str, expires_in: int, refresh: str, extra: dict[str, str], now: datetime) -> Tokens:
    if not access or not 0 < expires_in < 10**9:
        raise BadFrame("bad_tokens: none, or at their end")
    return Tokens(access, now, now + timedelta(seconds=expires_in), refresh, None, extra)


def _text(secret: bytes) -> str:
    """What is no text is no secret of WeChat's: it will say so."""
    return secret.decode(errors="replace")
