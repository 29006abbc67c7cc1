"""Asks one shop for all that changed since it was last asked: windows, pages, details; facts and cursor in one step."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from collectors.collector import BadFrame, FeedRow, Now
from collectors.hook import Bad, Meaning, Need
from collectors.open_api import Listing, OpenApi, Page
from monitor.accounts.asking import Asking, question
from monitor.accounts.budget import Urgency
from monitor.accounts.failed import CallFailed
from monitor.accounts.witness import Sifted, Witness
from monitor.facts import Heard, PollCursor, Quarantined
from monitor.sale_rules import SaleRules
from monitor.store.cipher import ITEM, Cipher
from monitor.understanding import Apart, judged, masked

WINDOWS_MAX = 20  # of a turn: others are overdue, too
WINDOW_S_MIN = 60.0  # a narrower window is never asked for
PAGES_MAX, PAGES_OF_THE_NARROWEST_MAX = 100, 2_000
NEEDS_MAX = 500  # of one page
ASKED_AT_ONCE = 8
HALVINGS_MAX = 16


class Unreadable(Exception):
    """A page means nothing to us."""

    def __init__(self, reason: str, body: bytes) -> None:
        self.reason, self.body = reason, body
        super().__init__(reason)


class TooMany(Exception):
    """More pages than a window may have: ask for a narrower one."""


class Unfinished(Exception):
    """Details did not come; what else the page said is on its way. `broken`: perhaps the platform alone is."""

    def __init__(self, broken: bool) -> None:
        self.broken = broken
        super().__init__("details did not come")


@dataclass(frozen=True, kw_only=True)
class Means:
    """What all polls work with. `understood` waits until every delivery that is on disk by now has been read."""

    client: Asking
    now: Now
    rules: Callable[[], SaleRules]
    cipher: Cipher
    room: Callable[[int, int], Awaitable[None]]
    put: Callable[[Heard], None]
    understood: Callable[[], Awaitable[None]]


class Polled(msgspec.Struct):
    """What a turn of a shop brought; `more`: it is not up to date yet."""

    sifted: Sifted
    sold_at: datetime | None = None
    more: bool = False


class ShopPoll:
    """The shops of one feed. `lag`: what changed later than so long ago is left to the push; `overlap`: so far before
    the cursor is asked again; `cursors` by shop and listing move as facts are put."""

    def __init__(
        self, row: FeedRow, app: str, api: OpenApi, means: Means, witness: Witness,
        cursors: dict[tuple[str, str], datetime], lag: timedelta, overlap: timedelta,
    ) -> None:  # fmt: skip
        self.row, self.app, self.api, self.means, self.witness = row, app, api, means, witness
        self.cursors, self.lag, self.overlap = cursors, lag, overlap
        self.halvings: dict[tuple[str, str], int] = {}

    async def poll(self, shop: str, anchor: str = "", resigned: bool = False) -> Polled:
        """`resigned`: it was tried often enough, and what cannot be read is set aside now.

        Raises CallFailed, AccountRefused, Unreadable, Unfinished: what was read before counts, the rest is asked again.
        """
        polled, windows = Polled(Sifted()), 0
        for listing in self.api.LISTINGS:
            key = shop, listing.name
            if key not in self.cursors:
                await self._begin(shop, listing)
            lag = max(self.lag, timedelta(seconds=listing.late_s))
            until = (self.means.now() - lag).replace(microsecond=0)
            while self.cursors[key] < until:
                windows += 1
                if windows > WINDOWS_MAX:
                    polled.more = True
                    return polled
                await self._window(key, anchor, listing, until, resigned, polled)
            self._widen(key)
        return polled

    async def _begin(self, shop: str, listing: Listing) -> None:
        """The first time: what changes from now on."""
        cursor = PollCursor(self.row.name, shop, listing.name, self.means.now())
        await self.means.room(0, 1)
        self.means.put(Heard(cursors=[cursor]))
        self.cursors[shop, listing.name] = cursor.until

    async def _window(
        self, key: tuple[str, str], anchor: str, listing: Listing, until: datetime, resigned: bool, polled: Polled
    ) -> None:
        width_s = max((listing.window_s_max - self.overlap.total_seconds()) / 2 ** self.halvings.get(key, 0), 1.0)
        narrow = width_s <= WINDOW_S_MIN
        to_at = min(self.cursors[key] + timedelta(seconds=max(width_s, min(WINDOW_S_MIN, listing.window_s_max))), until)
        try:
            await self._pages(key[0], anchor, listing, to_at, narrow, resigned, polled)
        except TooMany:
            if narrow:
                raise Unreadable("more pages than any window may have", b"") from None
            self._halve(key)
            return
        except Unreadable as error:
            if not (narrow and resigned):
                self._halve(key)
                raise
            await self._put(key[0], listing, Page(), error, to_at, polled)
        except CallFailed as failed:
            if failed.verdict == "broken":  # some platforms answer so where a window holds too much
                self._halve(key)
            raise
        self.cursors[key] = to_at

    def _widen(self, key: tuple[str, str]) -> None:
        """It is up to date, and what was narrow may have been of one busy hour."""
        if self.halvings.get(key, 0) > 1:
            self.halvings[key] -= 1
        else:
            self.halvings.pop(key, None)

    def _halve(self, key: tuple[str, str]) -> None:
        self.halvings[key] = min(self.halvings.get(key, 0) + 1, HALVINGS_MAX)

    async def _pages(
        self, shop: str, anchor: str, listing: Listing, to_at: datetime, narrow: bool, resigned: bool, polled: Polled
    ) -> None:
        from_at, mark, means = self.cursors[shop, listing.name] - self.overlap, "", self.means
        for _ in range(PAGES_OF_THE_NARROWEST_MAX if narrow else PAGES_MAX):
            at_mark = mark
            body = await means.client.ask(
                self.app, shop,
                lambda caller: self.api.list_page(caller, listing, from_at, to_at, at_mark, means.now()),  # noqa: B023  asked before the mark moves
                anchor, Urgency.RECONCILE,
            )  # fmt: skip
            page, broken = await self._read(shop, anchor, listing, body, resigned, mark)
            if page.next == mark != "":
                raise Unreadable("the mark of the next page is that of this one", body)
            late = bool(page.needs)
            await self._put(shop, listing, page, None, None if page.next or late else to_at, polled)
            if late:
                raise Unfinished(broken)
            if not page.next:
                return
            mark = page.next
        raise TooMany

    async def _read(
        self, shop: str, anchor: str, listing: Listing, body: bytes, resigned: bool, mark: str
    ) -> tuple[Page, bool]:
        """The page with all details it needs. `needs` is not empty where some did not come and there is hope; True if
        that is because the platform calls them broken."""
        at, broken = self.means.now(), False
        try:
            page = self.api.read_page(self.row, listing, shop, body, at, mark=mark)
            if page.needs:
                details, broken = await self._details(shop, anchor, page.needs)
                page = self.api.read_page(self.row, listing, shop, body, at, details, mark)
        except BadFrame as error:
            raise Unreadable(masked(str(error)), body) from None
        if resigned and page.needs:
            given_up = [Bad("its detail did not come", f"{need.what} {need.key}", b"") for need in page.needs]
            page = Page(page.sales, (), [*page.bad, *given_up], page.next)
        return page, broken

    async def _details(
        self, shop: str, anchor: str, needs: Sequence[Need]
    ) -> tuple[dict[tuple[str, str], bytes], bool]:
        details: dict[tuple[str, str], bytes] = {}
        broken = False

        async def answer(need: Need) -> None:
            nonlocal broken
            try:
                make = question(self.api, need, self.means.now)
                told = await self.means.client.ask(self.app, need.shop or shop, make, anchor, Urgency.RECONCILE)
                details[need.what, need.key] = told
            except CallFailed as failed:
                if failed.verdict not in ("missing", "forbidden", "broken"):
                    raise
                broken |= failed.verdict == "broken"

        wanted = list(needs[:NEEDS_MAX])
        for first in range(0, len(wanted), ASKED_AT_ONCE):
            done = await asyncio.gather(*map(answer, wanted[first : first + ASKED_AT_ONCE]), return_exceptions=True)
            for error in done:
                if error is not None:
                    raise error
        return details, broken

    async def _put(
        self, shop: str, listing: Listing, page: Page, error: Unreadable | None, until: datetime | None, polled: Polled
    ) -> None:
        """What a page says, on its way with the cursor that says so; `error`: it is set aside as a whole."""
        means, at = self.means, self.means.now()
        sales = [it if it.via == "poll" else msgspec.structs.replace(it, via="poll") for it in page.sales]
        understood = judged(Meaning(sales, bad=page.bad), at, means.rules())
        await means.understood()
        await means.room(0, len(understood.sales) + len(understood.apart) + 2)
        # From here to the put nothing is awaited: what is remembered as found is on its way to the disk.
        sifted = self.witness.sift(understood.sales)
        heard = Heard(sales=sifted.put, quarantine=[self._aside(bad, at) for bad in understood.apart])
        if error is not None:
            payload = means.cipher.encrypt(error.body)
            heard.quarantine.append(Quarantined(self.row.name, "frame", error.reason, at, listing.name, payload))
        if until is not None:
            heard.cursors.append(PollCursor(self.row.name, shop, listing.name, until))
        if heard.facts:
            means.put(heard)
        polled.sifted.pushed += sifted.pushed
        polled.sifted.strange += sifted.strange
        sold = [it.at for it in understood.sales]
        polled.sold_at = max([*sold, *([polled.sold_at] if polled.sold_at else [])], default=None)

    def _aside(self, bad: Apart, at: datetime) -> Quarantined:
        payload = self.means.cipher.encrypt(bad.raw, ITEM)
        return Quarantined(self.row.name, "sale", bad.reason, at, bad.sample, payload)
