"""WeChat's live dashboard (直播大屏): which lives a video account has, how each stands, how often it may be asked.

All of it pure. Sources: china.md 6.1; developers.weixin.qq.com: livedashboard/getlivelist and getlivedata,
openapi/quota/get. Documented: both are asked in the name of a video account (视频号助手), one account and one live
a call; only lives that sell are listed; `ds` is a day as a number; `is_living` comes with `on_air` or, once it is
closed, with `ended`; the parts of the data are objects on the newer page and texts of JSON on the older one, so both
are read. UNVERIFIED: under which day a live is listed that goes on after midnight, how a further page is asked for
(`has_more` has no mark), how late the numbers are, how much the quota is.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from ..asked_frame import Asked
from ..collector import BadFrame
from ..inner_json import inner_json
from ..json_body import json_body
from ..open_api import Call, Caller
from ..tick import Tick
from .wechat_calls import in_shop

SHANGHAI = ZoneInfo("Asia/Shanghai")
LIST, DATA = "/channels/livedashboard/getlivelist", "/channels/livedashboard/getlivedata"
QUOTA_GET = "/cgi-bin/openapi/quota/get"
INTERVAL_S_MAX = 600.0  # a quota that allows less than this is none: the room is asked, refused, and blind
SPARE = 1.1  # calls of the day's rest that are left for a restart, and for others that ask with the same key
KEY_CHARS_MAX = 200
OVER_MAX = 50
RETURN_S = 900.0  # so long a live that is over is asked for again: that it never goes on is UNVERIFIED


class LiveItem(msgspec.Struct, frozen=True):
    export_id: str
    create_time: int = 0


class LiveList(msgspec.Struct, frozen=True):
    """A day's lives. `has_more`: there are others that nobody knows how to ask for, so nothing is missing for sure."""

    live_items: Sequence[LiveItem] = ()
    has_more: bool = False

    @property
    def newest(self) -> str:
        """The live that was created last; empty: none is listed."""
        return max(self.live_items, key=lambda item: item.create_time).export_id if self.live_items else ""


class LiveData(msgspec.Struct, frozen=True):
    """One live as its dashboard shows it. `gmv_fen` is the platform's own running total of money, in fen."""

    living: bool | None
    viewers: int | None
    views_total: int | None
    gmv_fen: int | None


class Comparison(msgspec.Struct, frozen=True):
    is_living: bool | None = None


class Summary(msgspec.Struct, frozen=True):
    online_audience_count: int | None = None
    cumulative_audience_count: int | None = None
    total_gmv: int | None = None


class DataAnswer(msgspec.Struct, frozen=True):
    live_comparison_index: object = None
    live_ec_data_summary: object = None


class Left(msgspec.Struct, frozen=True):
    daily_limit: int
    remain: int


class QuotaAnswer(msgspec.Struct, frozen=True):
    quota: Left


class Look(msgspec.Struct):
    """What is known of one account while it is asked: the live that is on, those that are over, what each call costs.

    `over_s`: when the last of them was first found over. `day`: in China, the one whose list was seen last. `paces`: by
    call, when its quota was read, and the interval that it allows. Instants are seconds of the loop.
    """

    living: str = ""
    over: list[str] = []
    over_s: float = 0.0
    day: int = 0
    paces: dict[str, tuple[float, float]] = {}

    def ended(self, at_s: float) -> None:
        if self.living not in self.over[-1:]:
            self.over, self.over_s = [*self.over[-OVER_MAX:], self.living], at_s
        self.living = ""

    def may_be_on(self, export_id: str, at_s: float) -> bool:
        return export_id not in self.over or export_id == self.may_return(at_s)

    def may_return(self, at_s: float) -> str:
        """The live that was found over last, while it may go on; empty: none."""
        return self.over[-1] if self.over and at_s - self.over_s < RETURN_S else ""

    def asks_yesterday(self, at: datetime, interval_s: float) -> bool:
        """Where the list of this instant's day is empty: may a live of the day before be on of which we do not know?

        On the first look of a day, and of a start, it may have begun since the last one; and so long after midnight,
        it may have come onto that list late.
        """
        here = at.astimezone(SHANGHAI)
        midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
        every_s = max(interval_s, self.paces.get(LIST, (0.0, 0.0))[1])
        return self.day != day_of(at) or (here - midnight).total_seconds() < max(RETURN_S, 2 * every_s)


def day_of(at: datetime) -> int:
    """The day in China as the platform writes it."""
    here = at.astimezone(SHANGHAI)
    return here.year * 10_000 + here.month * 100 + here.day


def list_call(caller: Caller, day: datetime) -> Call:
    """The lives of the day in China that this instant is of."""
    return in_shop(caller, LIST, {"ds": day_of(day)})


def data_call(caller: Caller, export_id: str) -> Call:
    return in_shop(caller, DATA, {"export_id": export_id})


def quota_call(caller: Caller, path: str) -> Call:
    return in_shop(caller, QUOTA_GET, {"cgi_path": path})


def read_list(body: bytes) -> LiveList:
    """Raises BadFrame."""
    told = json_body(body, LiveList)
    if any(not 0 < len(item.export_id) <= KEY_CHARS_MAX for item in told.live_items):
        raise BadFrame("bad_id: a live without an export_id, or with one that is none")
    return told


def read_data(body: bytes) -> LiveData:
    """Raises BadFrame. An empty part says nothing, and so does a count below zero."""
    told = json_body(body, DataAnswer)
    comparison = inner_json(told.live_comparison_index or {}, Comparison)
    summary = inner_json(told.live_ec_data_summary or {}, Summary)
    return LiveData(
        comparison.is_living, _count(summary.online_audience_count), _count(summary.cumulative_audience_count),
        _count(summary.total_gmv),
    )  # fmt: skip


def interval_of(body: bytes, now: datetime) -> float:
    """So many seconds between calls spread what is left of the day's quota until it is renewed, at midnight in China.

    Raises BadFrame.
    """
    left = json_body(body, QuotaAnswer).quota.remain
    here = now.astimezone(SHANGHAI)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return min(SPARE * (midnight - here).total_seconds() / max(left, 1), INTERVAL_S_MAX)


def ticks_of(feed: str, asked: Asked, body: bytes, at: datetime) -> list[Tick]:
    """What an answer means for the room that was asked. Of a list `asked.key` is its newest live, known to be over.

    That a live is over says nothing of why: WeChat closes one that broke off, too, after a while. Raises BadFrame.
    """
    [room] = asked.rooms
    if asked.about == "data":
        data = read_data(body)
        if data.living is False:
            return [
                Tick(feed, room, at, "status", False, session_key=asked.key, gmv_minor=data.gmv_fen, currency="CNY")
            ]
        return [
            Tick(
                feed, room, at, "status", data.living, data.viewers, data.views_total, session_key=asked.key,
                gmv_minor=data.gmv_fen, currency="CNY",
            )
        ]  # fmt: skip
    listed = read_list(body)
    if listed.has_more or listed.newest not in ("", asked.key):
        raise BadFrame("partial_list: there are lives of which it does not say how they stand")
    return [Tick(feed, room, at, "status" if listed.newest else "absent", False)]


def _count(told: int | None) -> int | None:
    return told if told is not None and told >= 0 else None
