"""YouTube's Data API: broadcasts are asked about with the app's key alone.

Sources: global.md 2.4; for the words of refusals, error pages that people quote. Everything here is public, so nobody
lets us in: there are no accounts, no tokens, no shops. The secret of the app is the key of a project, whose quota is
counted in units a day: one a call, 10,000 where nobody asked for more, anew at midnight in California. What is left of
it is told nowhere.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from ..collector import BadFrame, FeedRow
from ..hook import NO_DETAILS, Details, Need
from ..open_api import NO_ACCOUNTS, Answer, Call, Caller, Grant, Judged, Listing, Page, Quota, Tokens
from ..tick import Sale
from .youtube_calls import judged


class YoutubeApi:
    PLATFORM: ClassVar[str] = "youtube"
    BASE: ClassVar[str] = "https://www.googleapis.com/youtube/v3"
    AUTH_BASE: ClassVar[str] = BASE
    CALLS_PER_S: ClassVar[float] = 5.0  # UNVERIFIED; the quota of a day allows far less
    NAME_CALLS_PER_S: ClassVar[Mapping[str, float]] = {}
    REFRESH_WINDOW_S: ClassVar[float | None] = None
    CODE_IS: ClassVar[str] = "code"
    APP_HAS_TOKENS: ClassVar[bool] = False
    LISTINGS: ClassVar[Sequence[Listing]] = ()
    ROOM_BY_ORDER: ClassVar[bool] = False

    # --- authorisation: none ---

    def before_link(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def link(self, caller: Caller, state: str, redirect: str, before: bytes) -> str:
        raise BadFrame(f"{NO_ACCOUNTS}: nobody need let us in")

    def exchange(self, caller: Caller, code: str, redirect: str, now: datetime) -> Call:
        raise LookupError("youtube has no accounts")

    def refresh(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def own(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def app_grant(self, caller: Caller, ticket: str, now: datetime) -> Call | None:
        return None

    def granted(self, body: bytes, before: Tokens | None, now: datetime) -> Grant:
        raise BadFrame(f"{NO_ACCOUNTS}: nobody need let us in")

    def permit(self, caller: Caller, now: datetime) -> Call | None:
        return None

    # --- calls ---

    def judge(self, answer: Answer) -> Judged:
        return judged(answer)

    def detail(self, caller: Caller, need: Need, now: datetime) -> Call | None:
        return None

    def list_page(
        self, caller: Caller, listing: Listing, from_at: datetime, to_at: datetime, mark: str, now: datetime
    ) -> Call:
        raise LookupError("youtube lists no orders")

    def read_page(
        self, row: FeedRow, listing: Listing, shop: str, body: bytes, received_at: datetime,
        details: Details = NO_DETAILS, mark: str = "",
    ) -> Page:  # fmt: skip
        raise BadFrame("no_listing: this platform lists no orders")

    def read_order(self, row: FeedRow, shop: str, order_id: str, body: bytes, received_at: datetime) -> Sequence[Sale]:
        return ()

    def quota(self, caller: Caller, name: str, now: datetime) -> Call | None:
        return None

    def read_quota(self, body: bytes, now: datetime) -> Quota:
        raise BadFrame("no_quota: what is left is told nowhere")
