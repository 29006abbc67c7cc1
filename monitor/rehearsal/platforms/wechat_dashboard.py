"""WeChat's live dashboard as a played platform answers it: the lives of a video account, and how each of them stands.

Its rules: only a video account may ask, and for its own lives alone; a day's list has the lives that were created then;
the parts of the data are texts of JSON, or, with `objects`, objects; once a live is closed `on_air` is empty. Whether a
live that broke off goes on under its id is UNVERIFIED: here it does.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRST_DAY = 20240101
Fault = tuple[int, str]
NOT_OPEN: Fault = (48001, "api unauthorized")
BAD: Fault = (1, "请求的参数错误")
TOO_EARLY: Fault = (5, "查询的日期过早")
POINT = {"n": 10, "last_n_mins_value": 187, "last_2n_to_n_mins_value": 161, "value": 134, "percentile": 20}


@dataclass(frozen=True)
class PlayedLive:
    """One live of a video account at this instant. Money is fen."""

    export_id: str
    created_at: datetime
    living: bool
    viewers: int = 0
    views_total: int = 0
    gmv_fen: int = 0


@dataclass
class Dashboard:
    """`accounts`: of each video account a function of the instant that gives its lives. `more`: of these accounts a
    list says that there are others. `left_out`: their lists are empty, as people report. `garbled`: their data is cut
    short. `listed` and `shown` are told of each answer: the account, and the lives of today's list, or the live."""

    accounts: dict[str, Callable[[datetime], Sequence[PlayedLive]]] = field(default_factory=dict)
    objects: bool = False
    more: set[str] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)
    garbled: set[str] = field(default_factory=set)
    listed: Callable[[str, Sequence[PlayedLive], datetime], None] = lambda account, lives, at: None
    shown: Callable[[str, PlayedLive, datetime], None] = lambda account, live, at: None

    def list(self, account: str, told: dict[str, Any], now: datetime) -> dict[str, Any] | Fault:
        day = told.get("ds")
        if account not in self.accounts:
            return NOT_OPEN
        if not isinstance(day, int) or not 10_000_000 <= day < 100_000_000:
            return BAD
        if day < FIRST_DAY:
            return TOO_EARLY
        lives = () if account in self.left_out else self.accounts[account](now)
        items = [
            {"export_id": live.export_id, "create_time": int(live.created_at.timestamp())}
            for live in lives
            if int(f"{live.created_at.astimezone(SHANGHAI):%Y%m%d}") == day
        ]
        if day == int(f"{now.astimezone(SHANGHAI):%Y%m%d}"):
            self.listed(account, lives, now)
        return {"trace_id": "b16ce260", "live_items": items, "has_more": account in self.more}

    def data(self, account: str, told: dict[str, Any], now: datetime) -> dict[str, Any] | Fault:
        if account not in self.accounts:
            return NOT_OPEN
        live = next((it for it in self.accounts[account](now) if it.export_id == told.get("export_id")), None)
        if live is None:
            return BAD
        if account in self.garbled:
            return {
                "trace_id": "b16ce260",
                "live_comparison_index": '{"is_living": "也许"',
                "live_ec_data_summary": "[",
            }
        self.shown(account, live, now)
        index = {"average_watch_seconds": POINT, "comment_uv_over_new_watch_uv": POINT}
        shown = {"on_air": index if live.living else None, "ended": None if live.living else index}
        parts = {
            "live_dashboard_data": {
                "live_dashboard_data": {
                    "summary": {"new_watch_uv": live.views_total, "start_time": int(live.created_at.timestamp())},
                }
            },
            "live_comparison_index": {"is_living": live.living, **shown},
            "live_ec_data_summary": {
                "total_gmv": live.gmv_fen, "online_audience_count": live.viewers if live.living else 0,
                "cumulative_audience_count": live.views_total, "new_comment_count": 3, "refund_amount": 0,
            },
            "live_ec_profile": {}, "live_ec_conversion_metric": {},
        }  # fmt: skip
        return {"trace_id": "b16ce260"} | {name: self._written(part) for name, part in parts.items()}

    def _written(self, part: object) -> object:
        return part if self.objects else json.dumps(part, ensure_ascii=False)
