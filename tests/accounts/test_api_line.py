"""What a failed call of an API feed says: of one room, or of all; and in whose name a room is asked."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from collectors.api_feed import ApiRow, BatchUnseen, Platform, RoomUnseen
from collectors.collector import Emit, FeedRefused, Now
from collectors.open_api import Call, Caller
from collectors.tick import Tick
from monitor.accounts.account import Account, AccountKey
from monitor.accounts.api_line import IN_A_ROW_MAX, ApiLine, Means
from monitor.accounts.book import Book
from monitor.accounts.budget import Urgency
from monitor.accounts.failed import AccountRefused, CallFailed
from monitor.facts import RosterRoom
from monitor.live.failure import FeedFailed, Reason, reason_of, retry_after_s

from .played import Memory

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROOMS = [f"房间{number}" for number in range(40)]


class Asked(ApiRow, tag="asked_in_tests", frozen=True, kw_only=True):
    PLATFORM = "wechat"
    BY_ACCOUNT = "anchor"

    async def collect(self, http: Any, emit: Emit, now: Now, platform: Platform) -> None:
        for room in self.rooms or ():
            await platform.ask(make, room)

    def parse(self, frame: bytes, at: datetime) -> list[Tick]:
        return []


class AskedInOurName(Asked, tag="asked_in_our_name", frozen=True, kw_only=True):
    BY_ACCOUNT = ""


def make(caller: Caller) -> Call:
    raise AssertionError("the client of these tests makes no call")


class Client:
    """`fails`: what a room's account meets; None: the app itself."""

    def __init__(self) -> None:
        self.fails: dict[str | None, Exception] = {}
        self.away_s = 0.0
        self.asked = Counter[str | None]()

    async def ask(self, app: str, shop: str, make: Any, anchor: str = "", urgency: Urgency = Urgency.DETAIL) -> bytes:
        assert (app, urgency) == ("main", Urgency.LOOK)
        return self._answer(anchor or shop)

    async def send(self, app: str, make: Any, urgency: Urgency = Urgency.LINK) -> bytes:
        assert (app, urgency) == ("main", Urgency.LOOK)
        return self._answer(None)

    def _answer(self, whose: str | None) -> bytes:
        self.asked[whose] += 1
        if whose in self.fails:
            raise self.fails[whose]
        return b"{}"

    def wait_s(self, app: str) -> float:
        return self.away_s


class Ground:
    def __init__(self, own_keys: bool = False, kind: type[Asked] = Asked) -> None:
        self.client, self.unseen = Client(), list[tuple[str, Reason]]()
        self.accounts = {
            room: Account("main", "wechat", "", room, key="wx" if own_keys else "", secret=b"s") for room in ROOMS
        }
        means = Means(
            self.client, lambda room: RosterRoom(1, "wechat", room),
            lambda app, row, to_shop: self.accounts.get(row.external_id),
            lambda feed, rooms, reason: self.unseen.extend((room, reason) for room in rooms),
        )  # fmt: skip
        self.line = ApiLine(kind(name="f", app="main", rooms=list(ROOMS)), means)

    async def meets(self, error: Exception, room: str = ROOMS[0]) -> Exception:
        self.client.fails[room] = self.client.fails[None] = error
        with pytest.raises((RoomUnseen, FeedFailed, FeedRefused)) as met:
            await self.line.ask(make, room)
        return met.value


@pytest.mark.parametrize(("error", "reason"), [
    (AccountRefused("revoked on the platform"), "auth"), (CallFailed("forbidden", "48001"), "auth"),
    (CallFailed("token", "renewed_lately", 60.0), "auth"), (CallFailed("missing"), "http_status"),
    (CallFailed("broken", "HTTP 502"), "http_status"), (CallFailed("rate", "45011", 7.0), "rate_limited"),
])  # fmt: skip
async def test_what_one_account_meets_is_of_its_room(error: Exception, reason: str) -> None:
    ground = Ground()
    met = await ground.meets(error)
    assert isinstance(met, RoomUnseen)
    assert met.wait_s == getattr(error, "wait_s", 0.0)
    assert ground.unseen == [(ROOMS[0], reason)]
    assert await ground.line.ask(make, ROOMS[1]) == b"{}"


@pytest.mark.parametrize("verdict", ["app", "address", "clock"])
async def test_what_is_wrong_with_our_app_is_of_all_and_for_good(verdict: Any) -> None:
    ground = Ground()
    assert isinstance(await ground.meets(CallFailed(verdict, "40013")), FeedRefused)
    assert ground.unseen == []


@pytest.mark.parametrize("verdict", ["app", "address", "clock"])
async def test_a_key_of_ones_own_that_is_refused_is_of_its_room(verdict: Any) -> None:
    ground = Ground(own_keys=True)
    assert isinstance(await ground.meets(CallFailed(verdict, "40125")), RoomUnseen)


@pytest.mark.parametrize("verdict", ["broken", "rate"])
async def test_what_all_meet_one_after_the_other_is_of_the_feed(verdict: Any) -> None:
    ground = Ground()
    for room in ROOMS[: IN_A_ROW_MAX - 1]:
        assert isinstance(await ground.meets(CallFailed(verdict, "x", 9.0), room), RoomUnseen)
    met = await ground.meets(CallFailed(verdict, "x", 9.0), ROOMS[20])
    assert isinstance(met, FeedFailed)
    assert reason_of(met) == {"broken": "http_status", "rate": "rate_limited"}[verdict]
    assert retry_after_s(met) == 9.0


async def test_one_good_answer_between_says_that_the_feed_is_there() -> None:
    ground = Ground()
    for room in ROOMS[: 3 * IN_A_ROW_MAX]:
        assert isinstance(await ground.meets(CallFailed("broken", "x"), room), RoomUnseen)
        ground.client.fails.clear()
        await ground.line.ask(make, ROOMS[39])


@pytest.mark.parametrize("own_keys", [False, True])
async def test_thousands_that_are_not_linked_say_nothing_of_the_others(own_keys: bool) -> None:
    ground = Ground(own_keys)
    for room in ROOMS[:39]:
        assert isinstance(await ground.meets(AccountRefused("it was never linked"), room), RoomUnseen)
        if own_keys:
            assert isinstance(await ground.meets(CallFailed("rate", "45009"), room), RoomUnseen)


async def test_a_host_that_is_away_is_of_the_feed_at_once() -> None:
    ground = Ground()
    ground.client.away_s = 12.0
    met = await ground.meets(CallFailed("broken", "breaker_open", 12.0))
    assert isinstance(met, FeedFailed)
    assert retry_after_s(met) == 12.0


async def test_who_waits_for_the_call_that_tries_again_does_not_end_the_feed_and_that_call_with_it() -> None:
    ground = Ground()
    for room in ROOMS[: 2 * IN_A_ROW_MAX]:
        met = await ground.meets(CallFailed("broken", "breaker_open", 0.5), room)
        assert isinstance(met, RoomUnseen)
        assert met.wait_s == 0.5


async def test_a_room_without_an_account_is_not_asked() -> None:
    ground = Ground()
    del ground.accounts[ROOMS[0]]
    with pytest.raises(RoomUnseen):
        await ground.line.ask(make, ROOMS[0])
    assert ground.client.asked == {}
    assert ground.unseen == [(ROOMS[0], "auth")]


async def test_without_any_account_there_is_no_feed() -> None:
    ground = Ground()
    ground.accounts.clear()
    with pytest.raises(FeedFailed, match="no account with app main"):
        await ground.line.collect(cast(Any, None), cast(Any, None), lambda: AT)


async def test_a_kind_that_asks_in_our_name_needs_no_accounts() -> None:
    ground = Ground(kind=AskedInOurName)
    ground.accounts.clear()
    await ground.line.collect(cast(Any, None), cast(Any, None), lambda: AT)
    assert ground.client.asked == {None: len(ROOMS)}
    assert isinstance(await ground.meets(CallFailed("missing")), RoomUnseen)
    with pytest.raises(FeedFailed):
        await ground.line.ask(make)


# --- calls that name many rooms ---------------------------------------------------------------------------------------

BATCHES = [ROOMS[at : at + 10] for at in range(0, 40, 10)]


class Calls(Ground):
    """One that asks in our name; `paced`: it has told the house which calls there are."""

    def __init__(self, paced: bool = True) -> None:
        super().__init__(kind=AskedInOurName)
        if paced:
            self.line.pace([batch[0] for batch in BATCHES], 5.0)

    async def fails(self, error: Exception, batch: int) -> Exception:
        self.client.fails[None] = error
        with pytest.raises((RoomUnseen, FeedFailed, FeedRefused)) as met:
            await self.line.ask(make, batch=BATCHES[batch])
        return met.value

    async def answers(self, batch: int) -> None:
        self.client.fails.clear()
        assert await self.line.ask(make, batch=BATCHES[batch]) == b"{}"


@pytest.mark.parametrize("verdict", ["missing", "broken"])
async def test_a_call_that_fails_leaves_its_own_rooms_unseen_for_ever(verdict: Any) -> None:
    calls = Calls()
    for times in range(1, 12):
        met = await calls.fails(CallFailed(verdict, "HTTP 400", 7.0), 1)
        assert isinstance(met, BatchUnseen)
        assert (str(met), met.wait_s) == ("http_status", 7.0)
        assert calls.unseen == [(room, "http_status") for room in BATCHES[1]] * times
        for other in (2, 3, 0):
            await calls.answers(other)


@pytest.mark.parametrize("verdict", ["missing", "broken"])
async def test_when_all_calls_fail_the_feed_does_and_so_it_stays_when_it_is_begun_anew(verdict: Any) -> None:
    calls = Calls()
    for batch in range(3):
        assert isinstance(await calls.fails(CallFailed(verdict), batch), BatchUnseen)
    for _ in range(2):
        met = await calls.fails(CallFailed(verdict), 3)
        assert isinstance(met, FeedFailed)
        assert reason_of(met) == "http_status"
        calls.line.pace([batch[0] for batch in BATCHES], 5.0)
    assert not [room for room, _ in calls.unseen if room in BATCHES[3]]


@pytest.mark.parametrize(("error", "kind"), [
    (CallFailed("rate", "429", 9.0), FeedFailed), (CallFailed("token"), FeedFailed),
    (CallFailed("forbidden"), FeedFailed), (AccountRefused("it was never linked"), FeedFailed),
    (CallFailed("app", "40013"), FeedRefused),
])  # fmt: skip
async def test_what_no_call_meets_alone_is_of_the_feed(error: Exception, kind: type[Exception]) -> None:
    calls = Calls()
    assert isinstance(await calls.fails(error, 0), kind)
    assert calls.unseen == []


async def test_a_host_that_is_away_is_of_the_feed_also_where_calls_name_many_rooms() -> None:
    calls = Calls()
    calls.client.away_s = 12.0
    met = await calls.fails(CallFailed("broken", "breaker_open", 12.0), 0)
    assert isinstance(met, FeedFailed)
    assert retry_after_s(met) == 12.0


async def test_rooms_of_a_call_that_waits_for_the_one_that_tries_are_as_they_were() -> None:
    calls = Calls()
    for batch in (0, 1, 2, 3) * 3:
        met = await calls.fails(CallFailed("broken", "breaker_open", 0.5), batch)
        assert isinstance(met, BatchUnseen)
    assert calls.unseen == []


@pytest.mark.parametrize("verdict", ["missing", "broken", "rate"])
async def test_what_hears_its_rooms_beside_what_it_asks_does_not_fail_by_a_question(verdict: Any) -> None:
    calls = Calls(paced=False)
    calls.client.away_s = 12.0
    for batch in (0, 1, 2, 3) * 3:
        assert isinstance(await calls.fails(CallFailed(verdict), batch), BatchUnseen)
    assert len(calls.unseen) == 120
    assert isinstance(await calls.fails(CallFailed("app", "40013"), 0), FeedRefused)


async def test_without_an_app_the_feed_is_refused() -> None:
    line = ApiLine(Asked(name="f", app="nobody", rooms=[]), None)
    with pytest.raises(FeedRefused, match="nobody"):
        await line.collect(cast(Any, None), cast(Any, None), lambda: AT)


def test_a_reason_that_is_none_of_the_words_is_unknown() -> None:
    ground = Ground()
    ground.line.unseen("a", "closed")
    ground.line.unseen("a", "whatever")
    assert ground.unseen == [("a", "closed"), ("a", "unknown")]


@pytest.mark.parametrize(("row", "to_shop", "expected"), [
    (RosterRoom(1, "wechat", "sph1", shop="gh_1"), True, ("main", "gh_1", "")),
    (RosterRoom(1, "wechat", "sph1", shop="gh_1"), False, ("main", "", "sph1")),
    (RosterRoom(1, "wechat", "sph1", shop="gh_1", account="sph2"), False, ("main", "", "sph2")),
    (RosterRoom(1, "wechat", "sph1", shop="gh_1", account="gh_2"), True, ("main", "gh_2", "李主播")),
    (RosterRoom(1, "wechat", "sph9", shop="gh_1"), False, None),
    (RosterRoom(1, "wechat", "sph9"), True, None),
    (RosterRoom(1, "wechat", "", shop=""), True, None),
])  # fmt: skip
async def test_the_roster_says_whose_account_a_room_is_asked_with(
    row: RosterRoom, to_shop: bool, expected: AccountKey | None
) -> None:
    book = Book(Memory(takes_s=0.0), lambda heard: None, lambda: AT)
    keys = [("main", "", ""), ("main", "gh_1", ""), ("main", "", "sph1"), ("main", "", "sph2")]
    await book.keep(*(Account(app, "wechat", shop, anchor) for app, shop, anchor in keys))
    assert book.belonging("other", row, to_shop) is None
    late = Account("main", "wechat", "gh_2", "李主播")
    await book.keep(late)
    account = book.belonging("main", row, to_shop)
    assert (None if account is None else account.id) == expected
    if account is not None:
        await book.forget(account)
        assert book.belonging("main", row, to_shop) is None
