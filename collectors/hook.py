"""What a hook is: a source that calls us. It is verified on the raw bytes, answered at once, understood later.

Between the answer and the meaning lies the disk: a delivery is kept whole, as it came, before it is answered.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Literal, Protocol

import msgspec

from .collector import FeedRow
from .tick import Sale, Tick


class Delivery(msgspec.Struct, frozen=True):
    """One request as it came. Header names are lower case; only those that the kind names in HEADERS are kept.

    As msgpack this is the frame that the spool keeps and `parse` reads.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


class App(msgspec.Struct, frozen=True):
    """Our application on a platform, as the config names it. Two secrets live at once while one is rotated out."""

    name: str
    platform: str
    key: str = ""
    secrets: tuple[bytes, ...] = ()
    token: bytes = b""  # of platforms that verify with a token beside the key (WeChat)
    app_secrets: tuple[bytes, ...] = ()  # for authorising, where `secrets` open pushes alone (Kwaixiaodian, WeChat)
    sign_secrets: tuple[bytes, ...] = ()  # for signing calls, where that is yet another one (Kwaixiaodian)
    service_id: str = ""  # of platforms where shops let in a service of the app (Doudian)

    def __repr__(self) -> str:
        return f"App({self.name!r})"


class Reply(msgspec.Struct, frozen=True):
    """Exactly what the platform wants to read."""

    body: bytes = b""
    content_type: str = "application/json"
    status: int = 200


class Accepted(msgspec.Struct, frozen=True):
    """A true delivery. `delivery_id` feeds the replay cache alone; a `probe` is answered and not kept.

    `once`: the id is made of the content, and what comes under it again, also after a restart, is not kept again.
    """

    reply: Reply
    delivery_id: str = ""
    probe: bool = False
    once: bool = False


Refusal = Literal["bad_signature", "stale", "malformed", "wrong_app", "disabled"]


class Refused(msgspec.Struct, frozen=True):
    """Not a true delivery: 401, whatever was wrong; the reason is counted, never told to the caller."""

    reason: Refusal


class Need(msgspec.Struct, frozen=True):
    """The push alone does not say it: what must be asked of the platform, by whose account (`shop`)."""

    what: str  # such as order.detail
    key: str  # such as the order's id
    shop: str = ""


class Notice(msgspec.Struct, frozen=True):
    """What a platform tells of our app or of an account, beside orders. Only who keeps the accounts reads it.

    `ticket`: what the app itself authorises with (`value`, a secret). `revoked`: `shop` will not have us any more.
    """

    what: Literal["ticket", "revoked"]
    shop: str = ""
    value: str = ""

    def __repr__(self) -> str:
        return f"Notice({self.what!r}, {self.shop!r})"


class Bad(msgspec.Struct, frozen=True):
    """One item of a delivery that means nothing, beside others that do: kept apart, the others count."""

    reason: str
    sample: str  # its id alone: never a name, an address, an amount
    raw: bytes
    kind: Literal["sale", "tick"] = "sale"  # what it would have been


class Meaning(msgspec.Struct):
    """What one frame means. While `needs` is not empty nothing of it is written: it stays a pending frame.

    `filed`: its ticks came as a file, and may be older than what is pushed. A sale says so itself, by its `via`.
    """

    sales: Sequence[Sale] = ()
    ticks: Sequence[Tick] = ()
    needs: Sequence[Need] = ()
    bad: Sequence[Bad] = ()
    filed: bool = False
    notices: Sequence[Notice] = ()


Details = Mapping[tuple[str, str], bytes]
"""Answers of the platform by (what, key) of a Need, as raw bytes."""

NO_DETAILS: Details = {}


class Hook(Protocol):
    """A kind that is called: three pure methods."""

    def verify(self, delivery: Delivery, app: App, now: datetime) -> Accepted | Refused:
        """Is this from the platform? On raw bytes, compared in constant time."""

    def answer_check(self, delivery: Delivery, app: App) -> Reply | None:
        """The answer to a GET by which the platform checks its URL; None: this kind has none, 405."""

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        """What the kept delivery means. `at` is when it was received. Raises BadFrame."""


CALLED = "remove it: this kind is called at /hooks/NAME, and asks nobody"
IN_APP = 'write it into a file, name that as secret_file of an [[app]] of this platform, and give app = "..." here'


class CalledRow(FeedRow, kw_only=True, frozen=True):
    """A `[[feed]]` table of a kind that calls us at `/hooks/{name}`. Silent by nature, it never blinds a room."""

    app: str = ""  # the [[app]] whose secrets verify it

    TELLS_STATE: ClassVar[bool] = False
    METHOD: ClassVar[Literal["POST", "GET"]] = "POST"  # of its deliveries; GET: the query says all
    HEADERS: ClassVar[tuple[str, ...]] = ()  # lower case; those that verify and parse read
    BODY_BYTES_MAX: ClassVar[int] = 262_144
    CONTENT_TYPES: ClassVar[tuple[str, ...]] = ("application/json",)
    NEEDS_APP: ClassVar[bool] = True
    KEY_OF_APP: ClassVar[str] = ""  # what the platform calls the key of the [[app]], where it verifies with one
    TOKEN_OF_APP: ClassVar[str] = ""  # and the token
    ELSEWHERE: ClassVar[Mapping[str, str]] = {
        "url": CALLED,
        "interval_s": CALLED,
        **dict.fromkeys(("secret", "secret_file", "token", "token_file", "password", "password_file", "key"), IN_APP),
    }


class HookRow(CalledRow, kw_only=True, frozen=True):
    """One that brings orders, perhaps rooms, too. It is kept on disk before it is answered."""

    reconcile_s: Annotated[float, msgspec.Meta(ge=5, le=86_400)] = 60.0  # its witness polls each busy shop so often
    push_late_s_max: Annotated[float, msgspec.Meta(ge=10, le=86_400)] = 120.0  # what the poll finds later was missed

    SIGNALS: ClassVar[tuple[str, ...]] = ("sales",)


class LiveHookRow(CalledRow, kw_only=True, frozen=True):
    """One of a cloud that tells how rooms stand. Our answer ends its tries, and nothing else tells of these rooms: so
    it is kept on disk before it is answered, like orders."""

    SIGNALS: ClassVar[tuple[str, ...]] = ("live",)
    BODY_BYTES_MAX: ClassVar[int] = 65_536


class OrderSocketRow(FeedRow, kw_only=True, frozen=True):
    """A `[[feed]]` table of a socket that brings order events and wants each confirmed.

    `collect(http, emit, now, app)`: `emit` returns when the frame is on disk, so what follows it may confirm it.
    `parse(frame, at, app, details)` is that of a Hook. Whatever comes without meaning is not emitted.
    """

    app: str
    reconcile_s: Annotated[float, msgspec.Meta(ge=5, le=86_400)] = 60.0
    push_late_s_max: Annotated[float, msgspec.Meta(ge=10, le=86_400)] = 120.0

    URL_SCHEMES: ClassVar[tuple[str, ...]] = ("ws", "wss")
    TELLS_STATE: ClassVar[bool] = False
    SIGNALS: ClassVar[tuple[str, ...]] = ("sales",)
    KEY_OF_APP: ClassVar[str] = ""


class OrderPollRow(FeedRow, kw_only=True, frozen=True):
    """A `[[feed]]` table of a platform whose orders are only ever asked for: no push tells of them.

    It has no `collect` and no `parse` of its own: accounts ask, and the platform's `read_page` says what a page means.
    Every shop that is linked to `app` is asked each `interval_s`.
    """

    app: str
    interval_s: Annotated[float, msgspec.Meta(ge=5, le=86_400)] = 60.0

    TELLS_STATE: ClassVar[bool] = False
    SIGNALS: ClassVar[tuple[str, ...]] = ("sales",)
