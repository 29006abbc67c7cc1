"""What a platform's open API is to us: how it authorises, how it is called, what its answers say. Rules, no I/O.

One file a platform in `collectors/apis/`. What keeps the tokens, sends the calls, waits and counts is
`monitor/accounts/`, the same for all of them. Time comes as an argument, aware UTC; nothing here is ever logged.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Literal, Protocol, runtime_checkable

import msgspec

from .collector import FeedRow
from .hook import NO_DETAILS, App, Bad, Details, Need
from .tick import Sale

NO_ACCOUNTS = "no_accounts"  # why `link` has no address, where what is asked is open to whoever has the app's key


class Tokens(msgspec.Struct, frozen=True, omit_defaults=True):
    """One pair in force. Both ends are aware UTC; `access_until` None: it does not end.

    `refresh` empty: the platform gives none, and when `access_until` comes a person must link again. `extra` is what
    further calls must carry beside it (TikTok's shop_cipher).
    """

    access: str
    granted_at: datetime
    access_until: datetime | None = None
    refresh: str = ""
    refresh_until: datetime | None = None
    extra: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Tokens(***, access_until={self.access_until}, refresh_until={self.refresh_until})"


class Caller(msgspec.Struct, frozen=True):
    """In whose name a call goes out: our app, at which address it is reached, and what is in force.

    `app` has the key and the secrets, the newest secret first; of a self-use app they are those of this very shop.
    `base` is the root of the interface without a slash at its end, `auth_base` that of the authorisation. `tokens` are
    the shop's; `app_tokens` those of the app itself, on platforms where it has some (WeChat's component).
    """

    app: App
    base: str
    auth_base: str
    shop: str = ""
    tokens: Tokens | None = None
    app_tokens: Tokens | None = None

    @property
    def access(self) -> str:
        return self.tokens.access if self.tokens is not None else ""

    @property
    def secret(self) -> bytes:
        return self.app.secrets[0]


class Call(msgspec.Struct, frozen=True):
    """One request, ready to go. `name` stands for it in rate budgets, metrics and logs: a method or a path of the
    platform's documentation, never an id. `url` and `body` may hold tokens and are shown nowhere."""

    name: str
    url: str
    body: bytes | None = None  # None: GET
    headers: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Call({self.name!r})"


class Answer(msgspec.Struct, frozen=True):
    """What came back: header names in lower case, the body whole (it was read up to a limit)."""

    status: int
    headers: dict[str, str]
    body: bytes


Verdict = Literal["ok", "token", "revoked", "rate", "address", "app", "clock", "forbidden", "missing", "broken"]
"""What an answer says of the call.

`ok`: it holds what was asked for. `token`: this access token is not good (any more): refresh, then once more.
`revoked`: this account will not have us until a person links it again. `rate`: too fast, or the day's quota is gone.
`address`: our address is not on the app's list. `app`: key, secret or signature are wrong, or the app is stopped.
`clock`: our time is too far off. `forbidden`: the account lacks the permission for this call. `missing`: there is no
such order. `broken`: anything else, and whatever is their fault: it may be better in a while.
"""


class Judged(msgspec.Struct, frozen=True):
    """`detail` is the platform's own code, for people: digits and letters of a code alone, never free text.

    `wait_s`: how long the platform itself asks us to stay away, if it says so. `left`: so many calls of this name it
    still takes within `wait_s`, where it says so with each answer; then they are spread over it.
    """

    verdict: Verdict
    detail: str = ""
    wait_s: float = 0.0
    left: int | None = None


class Grant(msgspec.Struct, frozen=True):
    """What an authorisation brought: whose it is by the platform's own word, and the tokens."""

    tokens: Tokens
    shop: str = ""  # empty where the platform does not say
    anchor: str = ""
    name: str = ""  # of the shop, for people


class Listing(msgspec.Struct, frozen=True):
    """A question over a window of update times. `window_s_max`: the widest that the platform allows.

    `late_s`: so long the platform may take to list a change; nothing later is asked for.
    """

    name: str  # orders, refunds
    window_s_max: float
    late_s: float = 0.0


class Page(msgspec.Struct):
    """What one page of a listing says. `next` is the mark of the page after it, empty on the last one.

    An entry that needs an answer of its own is in `needs`, and is not in `sales` until `details` hold that answer: the
    page is read again with it.
    """

    sales: Sequence[Sale] = ()
    needs: Sequence[Need] = ()
    bad: Sequence[Bad] = ()
    next: str = ""


class Quota(msgspec.Struct, frozen=True):
    """What of the day's quota is left for one name of a call, as the platform counts."""

    left: int
    until: datetime


class OpenApi(Protocol):
    """One platform's rules. Every method is pure; what cannot be read raises BadFrame."""

    PLATFORM: ClassVar[str]
    BASE: ClassVar[str]
    AUTH_BASE: ClassVar[str]
    CALLS_PER_S: ClassVar[float]  # of one app, all names together, unless the config says otherwise
    NAME_CALLS_PER_S: ClassVar[Mapping[str, float]]  # of one name of a call, where the platform has such a rule
    REFRESH_WINDOW_S: ClassVar[float | None]  # refreshing works only so shortly before the access token ends
    CODE_IS: ClassVar[str]  # the query parameter that brings the code to our callback
    APP_HAS_TOKENS: ClassVar[bool]  # the app itself must be authorised first (WeChat's component)
    LISTINGS: ClassVar[Sequence[Listing]]  # empty: nothing can be polled, the push has no witness
    ROOM_BY_ORDER: ClassVar[bool]  # the push names no room, the order does: it is asked for

    # --- authorisation ---

    def before_link(self, caller: Caller, now: datetime) -> Call | None:
        """A call that must be answered before a link can be made; None: none."""

    def link(self, caller: Caller, state: str, redirect: str, before: bytes) -> str:
        """The address where the owner of a shop lets us in, and from where `redirect` is called back with `state`."""

    def exchange(self, caller: Caller, code: str, redirect: str, now: datetime) -> Call:
        """A code of the callback for tokens."""

    def refresh(self, caller: Caller, now: datetime) -> Call | None:
        """The pair in `caller.tokens` for a new one; None: this platform has no such thing."""

    def own(self, caller: Caller, now: datetime) -> Call | None:
        """Tokens of a self-use app, by its key alone; None: it has none (it must be linked, or needs no token)."""

    def app_grant(self, caller: Caller, ticket: str, now: datetime) -> Call | None:
        """Tokens of the app itself, where APP_HAS_TOKENS; `ticket` is what the platform pushed to us last.

        Where the app's key alone is enough, an empty ticket is no hindrance; elsewhere it is None.
        """

    def granted(self, body: bytes, before: Tokens | None, now: datetime) -> Grant:
        """What `exchange`, `refresh`, `own` or `app_grant` brought. `before`: the pair that was refreshed."""

    def permit(self, caller: Caller, now: datetime) -> Call | None:
        """A call without which this shop's pushes never come: once, after it was linked; None: none."""

    # --- calls ---

    def judge(self, answer: Answer) -> Judged:
        """What any answer of this platform says, those of the authorisation among them."""

    def detail(self, caller: Caller, need: Need, now: datetime) -> Call | None:
        """The question for a Need of this platform's feeds; None: nothing here can answer it."""

    def list_page(
        self, caller: Caller, listing: Listing, from_at: datetime, to_at: datetime, mark: str, now: datetime
    ) -> Call:
        """A page of what changed in [from_at, to_at]; `mark` is `Page.next` of the page before, empty for the first."""

    def read_page(
        self, row: FeedRow, listing: Listing, shop: str, body: bytes, received_at: datetime,
        details: Details = NO_DETAILS, mark: str = "",
    ) -> Page:  # fmt: skip
        """The facts of a page as `row`'s push would tell them, `via` = poll: same event ids, amounts, currency.

        `mark` is that of this page, as it was asked for: some platforms do not repeat in their answer which page it is.
        """

    def read_order(self, row: FeedRow, shop: str, order_id: str, body: bytes, received_at: datetime) -> Sequence[Sale]:
        """Where ROOM_BY_ORDER: the `paid` fact of an order out of the answer to `detail`, with its room."""

    def quota(self, caller: Caller, name: str, now: datetime) -> Call | None:
        """The question how much of the day's quota of `name` is left; None: there is none to ask."""

    def read_quota(self, body: bytes, now: datetime) -> Quota:
        """The answer to `quota`."""


@runtime_checkable
class Completing(Protocol):
    """What an OpenApi has besides, where a fresh pair is of no use before one more question is answered.

    Asked after `exchange`, and of pairs that came as a file; a refreshed pair keeps its `extra`.
    """

    def complete(self, caller: Caller, now: datetime) -> Call | None:
        """What is still to be asked with `caller.tokens`; None: they are complete."""

    def completed(self, caller: Caller, body: bytes) -> Grant:
        """The answer to it: `caller.tokens` with their `extra`, and whose they are. Raises BadFrame."""
