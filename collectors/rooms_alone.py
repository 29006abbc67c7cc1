"""What an open API has to say of shops and orders where it tells of rooms alone: that there are none. Rules, no I/O."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from .collector import BadFrame, FeedRow
from .hook import NO_DETAILS, Details, Need
from .open_api import Call, Caller, Listing, Page, Quota
from .tick import Sale


class RoomsAlone:
    """The half of an OpenApi that its platform has no use for. One that has some says so in its own class."""

    NAME_CALLS_PER_S: ClassVar[Mapping[str, float]] = {}
    REFRESH_WINDOW_S: ClassVar[float | None] = None
    CODE_IS: ClassVar[str] = "code"
    APP_HAS_TOKENS: ClassVar[bool] = False
    LISTINGS: ClassVar[Sequence[Listing]] = ()
    ROOM_BY_ORDER: ClassVar[bool] = False

    def before_link(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def own(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def app_grant(self, caller: Caller, ticket: str, now: datetime) -> Call | None:
        return None

    def permit(self, caller: Caller, now: datetime) -> Call | None:
        return None

    def detail(self, caller: Caller, need: Need, now: datetime) -> Call | None:
        return None

    def list_page(
        self, caller: Caller, listing: Listing, from_at: datetime, to_at: datetime, mark: str, now: datetime
    ) -> Call:
        raise LookupError("this platform lists no orders")

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
        raise BadFrame("no_quota: there is none to ask for")
