"""The witness of a push: against a slow one that remembers everything, and in the stories it is there for."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.tick import Sale
from monitor.accounts.witness import MICROSECOND, Sifted, Witness

START = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
LATE = timedelta(seconds=120)
SHOPS = ("1", "2", "3")


def sale(event: str, at: datetime, shop: str = "1", **more: Any) -> Sale:
    return Sale(
        feed="doudian", platform="doudian", event_id=event, at=at, received_at=at, kind="paid", amount_minor=100,
        currency="CNY", shop=shop, order_id=event, **more,
    )  # fmt: skip


class Market:
    """Orders of three shops, pushes of some of them, polls that find all of them; and PostgreSQL as a set."""

    def __init__(self, make: Callable[..., Any] = Witness) -> None:
        self.now = START
        self.witness = make(LATE, START)
        self.witness.shops_are(SHOPS)
        self.orders: list[Sale] = []
        self.polled_until = dict.fromkeys(SHOPS, START)
        self.held: set[str] = set()
        self.missed = 0
        self.spans: list[list[datetime | None]] = []
        self.told: list[object] = []

    def order(self, shop: str = "1", **more: Any) -> Sale:
        made = sale(str(len(self.orders)), self.now, shop, **more)
        self.orders.append(made)
        return made

    def push(self, *orders: Sale) -> None:
        self._ends(self.witness.pushed(list(orders), self.now))
        self.held |= {order.event_id for order in orders}

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def poll(self, shop: str = "1", excused: frozenset[str] = frozenset(), ahead: bool = False) -> Sifted:
        """As the real ones: what changed since the last time and is older than a push may be late."""
        until = self.now - LATE
        facts = [
            msgspec.structs.replace(order, via="poll", received_at=self.now)
            for order in self.orders
            if order.shop == shop and self.polled_until[shop] <= order.at < until
        ]
        self.polled_until[shop] = max(until, self.polled_until[shop])
        sifted: Sifted = self.witness.sift(facts)
        fresh = [fact for fact in sifted.put if fact.event_id not in self.held]
        self.held |= {fact.event_id for fact in fresh}
        if not ahead:
            self.judge(fresh, excused)
        self._ends(self.witness.polled(shop, sifted, self.now))
        return sifted

    def judge(self, fresh: list[Sale], excused: frozenset[str] = frozenset()) -> None:
        judged = self.witness.judge(fresh, excused)
        self.missed += judged.missed
        if judged.late_from is not None:
            assert not self.spans or self.spans[-1][1] is not None
            self.spans.append([judged.late_from, None])
        self._ends(judged.late_until)

    def _ends(self, at: datetime | None) -> None:
        if at is not None:
            assert self.spans[-1][1] is None
            self.spans[-1][1] = at


class Slow:
    """The same said slowly: nothing is forgotten, nothing is counted along, all is looked up in lists."""

    def __init__(self, late_max: timedelta, since: datetime) -> None:
        self.late_max, self.since = late_max, since
        self.pushes: list[tuple[datetime, Sale]] = []
        self.found: list[Sale] = []
        self.waited: list[str] = []
        self.spans: list[tuple[datetime, datetime | None]] = []
        self.shops: list[str] = []
        self.asked: list[tuple[str, int, int]] = []

    @property
    def late(self) -> bool:
        return bool(self.spans) and self.spans[-1][1] is None

    def first_push(self, event: str) -> datetime | None:
        return next((at for at, sale in self.pushes if sale.event_id == event), None)

    def pushed(self, sales: list[Sale], at: datetime) -> datetime | None:
        self.pushes += [(at, sale) for sale in sales]
        return self.end(at) if self.late and all(self.first_push(event) for event in self.waited) else None

    def sift(self, sales: list[Sale]) -> Sifted:
        sifted = Sifted()
        for sale in sales:
            told = [it for _, it in self.pushes if it.event_id == sale.event_id]
            seen = told + [it for it in self.found if it.event_id == sale.event_id]
            sifted.pushed += bool(told)
            sifted.strange += not seen and sale.at >= self.since
            if not seen or (sale.room and not any(it.room for it in seen)):
                sifted.put.append(sale)
            self.found.append(sale)
        return sifted

    def judge(self, fresh: list[Sale], excused: frozenset[str]) -> Any:
        missed = []
        for sale in fresh:
            came_at = self.first_push(sale.event_id)
            in_time = came_at is not None and came_at <= sale.received_at
            if sale.at >= self.since and sale.event_id not in excused and not in_time:
                missed.append(sale)
        opened = None
        if missed:
            self.asked = []
            self.waited += [sale.event_id for sale in missed]
            if not self.late:
                self.waited = [sale.event_id for sale in missed]
                opened = self.begin(missed)
        return Found(len(missed), opened)

    def begin(self, missed: list[Sale]) -> datetime:
        in_time = [at for at, sale in self.pushes if at - sale.at <= self.late_max]
        starts = [min(sale.at for sale in missed), *(at + MICROSECOND for at in in_time[-1:])]
        from_at = max([min(starts), *(to_at for _, to_at in self.spans if to_at)])
        if any(earlier == from_at for earlier, _ in self.spans):
            from_at += MICROSECOND
        self.spans.append((from_at, None))
        return from_at

    def shops_are(self, shops: tuple[str, ...]) -> None:
        self.shops = list(shops)

    def polled(self, shop: str, sifted: Sifted, at: datetime) -> datetime | None:
        self.asked.append((shop, sifted.pushed, sifted.strange))
        if {shop for shop, _, _ in self.asked} != set(self.shops):
            return None
        good = any(pushed for _, pushed, _ in self.asked) and not any(strange for *_, strange in self.asked)
        self.asked = []
        return self.end(at) if good and self.late else None

    def end(self, at: datetime) -> datetime:
        from_at = self.spans[-1][0]
        self.spans[-1] = (from_at, max(at, from_at))
        self.waited = []
        return max(at, from_at)


class Found(msgspec.Struct):
    missed: int
    late_from: datetime | None
    late_until: datetime | None = None


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.sampled_from(SHOPS), st.booleans()),
        st.tuples(st.just("push"), st.integers(0, 40), st.booleans()),
        st.tuples(st.just("poll"), st.sampled_from(SHOPS), st.booleans()),
        st.tuples(st.just("wait"), st.sampled_from([0, 1, 20, 60, 119, 120, 121, 600]), st.booleans()),
    ),
    max_size=60,
)


def play(market: Market, steps: list[tuple[str, Any, bool]]) -> None:
    for what, which, flag in steps:
        match what:
            case "order":
                made = market.order(which, room="r" if flag else None)
                if flag:
                    market.push(made)
            case "push" if market.orders:
                market.push(market.orders[which % len(market.orders)])
            case "poll":
                open_orders = frozenset(order.event_id for order in market.orders[::7]) if flag else frozenset[str]()
                sifted = market.poll(which, open_orders)
                market.told.append(([it.event_id for it in sifted.put], sifted.pushed, sifted.strange))
            case "wait":
                market.wait(which)
        market.told.append((market.missed, [tuple(span) for span in market.spans]))


@settings(max_examples=400, deadline=None)
@given(STEPS)
def test_it_says_what_a_slow_one_says(steps):
    quick, slow = Market(), Market(Slow)
    play(quick, steps)
    play(slow, steps)
    assert quick.told == slow.told


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_spans_never_overlap_and_nobody_is_accused_for_what_came_in_time(steps):
    market = Market()
    play(market, steps)
    spans = market.spans
    assert all(to_at is not None and from_at <= to_at for from_at, to_at in spans[:-1])
    assert all(later[0] >= earlier[1] and later[0] > earlier[0] for earlier, later in itertools.pairwise(spans))
    if all(what != "order" or flag for what, _, flag in steps):  # every order was pushed at once
        assert market.missed == 0
        assert spans == []


def test_a_night_without_orders_says_nothing():
    market = Market()
    market.push(market.order())
    for _ in range(8 * 60):
        market.wait(60)
        for shop in SHOPS:
            market.poll(shop)
    assert (market.missed, market.spans) == (0, [])


def test_pushes_that_stop_make_it_late_from_the_last_one_and_a_clean_round_ends_it():
    market = Market()
    market.wait(10)
    last_at = market.now
    market.push(market.order("1"))
    lost = []
    for _ in range(30):
        market.wait(60)
        lost.append(market.order("1"))
        for shop in SHOPS:
            market.poll(shop)
    assert market.spans == [[last_at + MICROSECOND, None]]
    assert market.missed == 27  # those of the last two minutes are not late yet
    for _ in range(4):
        market.wait(60)
        market.push(market.order("2"))
        for shop in SHOPS:
            market.poll(shop)
    assert market.missed == 30
    assert market.spans == [[last_at + MICROSECOND, market.now]]  # though none of those thirty ever came


def test_it_ends_when_the_last_missed_one_comes_by_push():
    market = Market()
    lost = [market.order("1"), market.order("1")]
    market.wait(130)
    market.poll("1")
    assert (market.missed, market.spans) == (2, [[START, None]])
    market.wait(5)
    market.push(lost[0])
    assert market.spans == [[START, None]]
    market.wait(5)
    market.push(lost[1])
    assert market.spans == [[START, START + timedelta(seconds=140)]]


def test_what_the_poll_repeats_and_what_waits_for_details_is_not_missed():
    market = Market()
    market.order("1")
    market.wait(130)
    market.poll("1", excused=frozenset({"0"}))
    assert (market.missed, market.spans) == (0, [])
    market.polled_until["1"] = START  # its order changed once more
    assert market.poll("1").put == []


def test_a_fact_known_by_push_is_put_again_only_for_its_room_or_where_it_differs_and_only_once():
    market = Market()
    order = market.order("1")
    market.push(order)
    for poll, wanted in (
        (order, 0),
        (msgspec.structs.replace(order, room="7"), 1),
        (msgspec.structs.replace(order, room="7"), 0),
        (msgspec.structs.replace(order, amount_minor=99), 1),
        (msgspec.structs.replace(order, amount_minor=99), 0),
    ):
        assert len(market.witness.sift([poll]).put) == wanted


def test_what_happened_before_it_looked_is_nobodys_fault():
    market = Market()
    old = sale("old", START - timedelta(seconds=1))
    assert market.witness.sift([old]).strange == 0
    market.judge([msgspec.structs.replace(old, received_at=START + LATE)])
    assert (market.missed, market.spans) == (0, [])


@pytest.mark.parametrize(("old_s", "missed"), [(119.0, 0), (120.0, 1)])
def test_a_fact_that_is_younger_than_a_push_may_be_late_is_not_missed(old_s, missed):
    market = Market()
    found = msgspec.structs.replace(market.order("1"), via="poll", received_at=START + timedelta(seconds=old_s))
    market.judge([found])
    assert market.missed == missed


def test_a_push_that_came_between_the_poll_and_the_commit_was_late_all_the_same():
    market = Market()
    order = market.order("1")
    market.wait(130)
    market.poll("1", ahead=True)
    market.wait(10)
    market.push(order)
    market.judge([msgspec.structs.replace(order, via="poll", received_at=START + timedelta(seconds=130))])
    assert market.missed == 1
    assert market.spans == [[START, market.now]]


def test_a_span_that_was_open_at_a_start_ends_by_a_round_alone():
    late_from = START - timedelta(hours=1)
    witness = Witness(LATE, START - timedelta(days=1), late_from)
    witness.shops_are(["1"])
    order = sale("1", START)
    assert witness.pushed([order], START) is None
    more = sale("more", START)
    assert witness.judge([msgspec.structs.replace(more, received_at=START + LATE)], frozenset()).missed == 1
    assert witness.pushed([more], START + LATE) is None  # others are waited for, though nobody knows which
    assert witness.polled("1", witness.sift([]), START) is None  # it found nothing: that says nothing
    assert witness.polled("1", witness.sift([order]), START + LATE) == START + LATE


@pytest.mark.parametrize("missed_max", [1, 100])
def test_memory_is_bounded_and_what_is_forgotten_accuses_nobody_it_knows(missed_max):
    witness = Witness(LATE, START, known_max=10, missed_max=missed_max)
    orders = [sale(str(number), START) for number in range(50)]
    witness.pushed(orders, START)
    assert len(witness._known) == 10
    late = [sale(f"late {number}", START) for number in range(5)]
    polled = [msgspec.structs.replace(it, received_at=START + LATE) for it in late]
    assert witness.judge(polled, frozenset()).missed == 5
    ended = [witness.pushed([it], START + 2 * LATE) for it in late]
    assert ended[:-1] == [None] * 4
    assert (ended[-1] is not None) == (missed_max == 100)  # of more than it can remember only a round speaks


def test_a_span_begins_where_the_one_before_ended_and_never_where_it_began():
    market = Market()
    first = market.order("1")
    market.wait(100)
    second, third = market.order("1"), market.order("2")
    market.wait(30)
    market.poll("1")
    market.wait(10)
    market.push(first)
    market.wait(90)
    market.poll("1")
    assert market.spans == [[START, START + timedelta(seconds=140)], [START + timedelta(seconds=140), None]]
    ended_at, market.now = market.now, START  # the clock stepped back
    market.push(second)
    market.now = ended_at
    market.poll("2")
    assert market.spans[1:] == [
        [START + timedelta(seconds=140)] * 2,
        [START + timedelta(seconds=140) + MICROSECOND, None],
    ]
    assert market.witness.pushed([third], market.now) is not None


def test_only_a_round_after_the_last_miss_counts_and_only_one_that_found_nothing_strange():
    market = Market()
    market.push(market.order("1"), market.order("2"))
    market.wait(1)
    lost = market.order("3")
    market.wait(LATE.total_seconds())
    market.poll("1")
    market.poll("2")
    market.poll("3")
    assert market.missed == 0  # it is late in a moment
    market.wait(1)
    market.push(market.order("1"), market.order("2"))
    market.wait(LATE.total_seconds() + 1)
    market.poll("1")
    market.poll("2")
    market.poll("3")
    assert market.missed == 1
    assert market.spans[0][1] is None  # the good shops of this round were asked before it was missed
    market.push(market.order("1"), strange := market.order("2"))
    market.witness._known.pop(strange.event_id)  # forgotten; PostgreSQL holds it
    market.wait(LATE.total_seconds() + 1)
    market.poll("1")
    market.poll("2")
    market.poll("3")
    assert market.spans[0][1] is None
    market.push(market.order("1"))
    market.wait(LATE.total_seconds() + 1)
    market.poll("1")
    market.poll("2")
    market.poll("3")
    assert market.spans[0][1] == market.now
    assert lost.event_id not in market.witness._missed


def test_shops_that_were_asked_before_the_commit_told_of_a_miss_are_asked_again():
    market = Market()
    lost = market.order("3")
    market.push(market.order("1"))
    market.wait(LATE.total_seconds() + 1)
    for shop in ("1", "2", "3", "1", "2"):
        market.poll(shop, ahead=True)
        market.wait(1)
        market.push(market.order("1"))
        market.wait(LATE.total_seconds() + 1)
    market.judge([msgspec.structs.replace(lost, received_at=START + timedelta(seconds=200))])
    market.poll("3")
    assert market.spans[0][1] is None
    market.poll("1")
    market.poll("2")
    assert market.spans[0][1] is not None
