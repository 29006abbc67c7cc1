"""The market of a play: sales follow viewers and pushes, money adds up, and who asks how often changes nothing."""

import os
import statistics
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf, pi, sin
from types import SimpleNamespace
from typing import Any
from typing import cast as typed

import pytest
from msgspec.structs import replace

from monitor.rehearsal.event.cast import PLATFORMS, Part, cast
from monitor.rehearsal.event.demand import ORDERS_PER_VIEWER_HOUR, SPIKE_S
from monitor.rehearsal.event.goods import NASTY_TITLES, PRICES, goods
from monitor.rehearsal.event.market import BROADCASTS_MAX, ORDERS_OF_A_BROADCAST_MAX, Market
from monitor.rehearsal.event.order import Happened, Order
from monitor.rehearsal.event.play import Play
from monitor.rehearsal.event.script import Broadcast, Fault
from monitor.rehearsal.event.tempo import Tempo

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
RATE = 0.17  # orders per viewer-hour where the draw is 20
BEGAN = datetime(2026, 11, 24, 11, 30, tzinfo=UTC)
SOMEBODY = cast(1, 1)[0]


@dataclass
class Stub:
    """A broadcast of which only what the market may look at exists."""

    starts_s: float
    ends_s: float
    crowd: Callable[[float], float] = lambda at_s: 1000.0
    number: int = 0
    waves: Sequence[Any] = ()
    faults: Sequence[Fault] = ()

    def audience(self, at_s: float) -> int:
        assert self.starts_s <= at_s <= self.ends_s
        return round(self.crowd(at_s))


@dataclass
class Stage:
    """A play whose broadcasts are written down here; the last one of each room is far away and without anybody."""

    parts: list[Part]
    written: list[list[Stub]]
    tempo: Tempo = field(default_factory=lambda: Tempo(BEGAN))

    def broadcast(self, index: int, at_s: float) -> Stub:
        ahead = Stub(1e9, 1e9 + HOUR, lambda _: 0.0, number=len(self.written[index]))
        return next((one for one in self.written[index] if one.ends_s > at_s), ahead)


def part(number: int = 0, **fields: Any) -> Part:
    usual: dict[str, Any] = {"number": number, "draw": 20.0, "platform": "doudian", "sells_on": "doudian"}
    return replace(SOMEBODY, **(usual | fields))


def market(*broadcasts: Stub, tempo: Tempo | None = None, seed: int = 1, **fields: Any) -> Market:
    """The market of one room that has these broadcasts."""
    return at(Stage([part(**fields)], [list(broadcasts)], tempo or Tempo(BEGAN)), seed)


def at(stage: Stage, seed: int = 1) -> Market:
    return Market(typed(Play, stage), seed)


def orders(one: Stub, seed: int = 1, **fields: Any) -> list[Any]:
    return market(seed=seed).orders(part(**fields), typed(Broadcast, one))


def evening(rooms: int = 30) -> Stage:
    """Rooms of all platforms, with breaks, drops, pushes and people who come late."""
    parts = [replace(one, draw=20.0) for one in cast(rooms, 3)]
    written = [
        [
            Stub(-900.0 + 60 * n, 3000.0 + 40 * n, lambda at_s: 400 + 300 * sin(at_s / 500), 0, (push(300.0 + n),)),
            Stub(4000.0 + 60 * n, 9000.0, lambda at_s: 250.0, 1, (), (Fault(5000.0, 5200.0, "drop"),)),
        ]
        for n in range(rooms)
    ]
    return Stage(parts, written)


def push(at_s: float, why: str = "push") -> SimpleNamespace:
    return SimpleNamespace(at_s=at_s, size=10.0, rise_s=60.0, stay_s=600.0, why=why)


def between(instants: Sequence[float], from_s: float, to_s: float) -> int:
    return sum(from_s <= at_s < to_s for at_s in instants)


def test_a_broadcast_sells_what_its_viewer_hours_promise() -> None:
    """1,000 viewers for two hours are 2,000 viewer-hours; 0.17 orders each make 340."""
    assert ORDERS_PER_VIEWER_HOUR == RATE
    sold = [len(orders(Stub(0.0, 2 * HOUR), seed)) for seed in range(20)]
    assert statistics.mean(sold) == pytest.approx(2000 * RATE, rel=0.05)
    assert min(sold) < max(sold)  # chance, not clockwork
    made = orders(Stub(0.0, 20 * HOUR, lambda at_s: 2000.0 * (at_s < 10 * HOUR)))
    assert 0.7 * 20_000 * RATE < len(made) < 1.3 * 20_000 * RATE
    assert max(one.created_s for one in made) <= 10 * HOUR + 2 * MINUTE  # an empty room sells nothing


def test_what_happens_to_orders_adds_up() -> None:
    the_market = market(Stub(0.0, 8 * HOUR))
    made = orders(Stub(0.0, 8 * HOUR))
    told = the_market.due(30 * DAY)
    counts = Counter(event.what for event in told)
    assert counts["created"] == len(made) == counts["paid"] + counts["cancelled"]
    assert counts["paid"] / len(made) == pytest.approx(0.88, abs=0.03)
    assert counts["refunded"] / counts["paid"] == pytest.approx(0.06, abs=0.03)
    assert {event.order.number for event in told} == {one.number for one in made}
    assert len({(event.order.number, event.what) for event in told}) == len(told)
    assert sum(e.order.amount_minor for e in told if e.what == "paid") == sum(
        one.amount_minor for one in made if one.paid_s is not None
    )
    assert the_market.waiting() == 0
    assert the_market.due(31 * DAY) == []


def test_each_event_has_its_own_instant_and_the_usual_one_is_told_at_once() -> None:
    for event in market(Stub(0.0, 2 * HOUR), tempo=Tempo(BEGAN, opens_s=12 * HOUR)).due(10 * HOUR):
        order = event.order
        at_s = {
            "created": order.created_s,
            "paid": order.paid_s,
            "cancelled": order.cancelled_s,
            "refunded": order.refunded_s,
        }
        assert event.at_s == event.told_s == at_s[event.what]


def test_orders_are_paid_soon_or_cancelled_in_half_an_hour() -> None:
    made = orders(Stub(0.0, 20 * HOUR))
    waits = [one.paid_s - one.created_s for one in made if one.paid_s is not None]
    assert statistics.median(waits) == pytest.approx(25, rel=0.15)
    assert 0 < min(waits) < 5
    assert 5 * MINUTE < max(waits) <= 30 * MINUTE
    unpaid = [one for one in made if one.paid_s is None]
    waits = [one.cancelled_s - one.created_s for one in unpaid]
    assert all(0 < wait <= 30 * MINUTE + 1e-6 for wait in waits)
    by_itself = sum(wait == pytest.approx(30 * MINUTE) for wait in waits)
    assert 0.6 < by_itself / len(waits) < 0.9
    assert not any(one.cancelled_s is not None and one.paid_s is not None for one in made)


def test_a_refund_follows_a_payment_and_never_exceeds_it() -> None:
    made = orders(Stub(0.0, 20 * HOUR, lambda at_s: 2000.0))
    refunded = [one for one in made if one.refunded_s is not None]
    assert all(one.refund_minor == 0 for one in made if one.refunded_s is None)
    assert all(one.paid_s is not None and one.paid_s < one.refunded_s for one in refunded)
    assert all(0 < one.refund_minor <= one.amount_minor for one in refunded)
    whole = sum(one.refund_minor == one.amount_minor for one in refunded)
    assert 0.55 < whole / len(refunded) < 0.85
    delays = [one.refunded_s - one.paid_s for one in refunded]
    assert sum(delay < 20 * MINUTE for delay in delays) > 0.2 * len(delays)
    assert DAY < max(delays) <= 5 * DAY


def test_enough_refunds_are_told_within_twenty_minutes_to_be_seen() -> None:
    stage = evening(60)
    early = at(stage).due(20 * MINUTE)
    assert sum(event.what == "refunded" for event in early) >= 5


def test_it_does_not_matter_how_often_the_market_is_asked() -> None:
    once = at(evening()).due(4 * HOUR)
    assert len(once) > 2000
    often: list[Happened] = []
    the_market = at(evening())
    for second in range(int(4 * HOUR * 2) + 1):
        often += the_market.due(second / 2)
    assert often == once
    prepared = at(evening())
    done: list[tuple[int, int]] = []
    prepared.prepare(lambda *so_far: done.append(so_far))
    assert done[-1] == (30, 30)
    assert prepared.waiting() > 0
    assert [event for step in (0.0, 100.0, 100.0, 99.0, 4 * HOUR) for event in prepared.due(step)] == once
    assert at(evening(), seed=2).due(HOUR) != once[: len(at(evening()).due(HOUR))]


def test_what_is_told_is_told_in_order_and_no_sooner_than_asked() -> None:
    told = at(evening()).due(4 * HOUR)
    keys = [(event.told_s, event.order.number) for event in told]
    assert keys == sorted(keys)
    the_market = at(evening())
    for second in range(0, 3600, 7):
        assert all(second - 7 < event.told_s <= second for event in the_market.due(float(second)))


def test_nothing_is_ordered_before_the_play_begins_or_outside_a_broadcast() -> None:
    told = market(Stub(-HOUR, HOUR), Stub(2 * HOUR, 2 * HOUR, number=1), Stub(3 * HOUR, 4 * HOUR, number=2)).due(DAY)
    created = [event.at_s for event in told if event.what == "created"]
    assert len(created) == between(created, 0.0, HOUR) + between(created, 3 * HOUR, 4 * HOUR)
    assert between(created, 0.0, 10 * MINUTE) > 0
    assert between(created, 3 * HOUR, 4 * HOUR) > 0
    assert orders(Stub(-HOUR, -MINUTE)) == []


def test_what_is_told_at_the_same_instant_goes_by_the_number_of_the_order() -> None:
    class Clockwork(Market):
        def orders(self, part: Part, broadcast: Broadcast) -> list[Order]:
            usual = super().orders(part, broadcast)
            return [replace(one, created_s=300.0, paid_s=330.0, cancelled_s=None, refunded_s=None) for one in usual]

    told = Clockwork(typed(Play, evening()), 1).due(600.0)
    assert [event.what for event in told] == ["created"] * (len(told) // 2) + ["paid"] * (len(told) // 2)
    numbers = [event.order.number for event in told]
    assert numbers == sorted(numbers[: len(told) // 2]) * 2
    assert len(set(numbers)) == len(told) // 2 > 100


def test_no_broadcast_repeats_another_one() -> None:
    one, other = (orders(Stub(0.0, HOUR, number=number)) for number in (0, 1))
    assert {order.created_s for order in one}.isdisjoint(order.created_s for order in other)
    assert {order.buyer for order in one}.isdisjoint(order.buyer for order in other)


def test_no_two_orders_have_the_same_number_and_each_names_its_room() -> None:
    stage = evening()
    told = [event for event in at(stage).due(4 * HOUR) if event.what == "created"]
    numbers = [event.order.number for event in told]
    assert len(set(numbers)) == len(numbers)
    assert all(number // 1_000_000 == event.order.part.number for number, event in zip(numbers, told, strict=True))


def test_a_room_never_makes_more_orders_than_it_has_numbers() -> None:
    crowded = orders(Stub(0.0, 6 * HOUR, lambda at_s: 1_000_000.0, number=3), number=7)
    assert len(crowded) == ORDERS_OF_A_BROADCAST_MAX
    assert max(one.created_s for one in crowded) > 5.9 * HOUR  # thinned, not cut off
    assert {one.number // 1_000_000 for one in crowded} == {7}
    following = orders(Stub(0.0, 6 * HOUR, number=4), number=7)
    assert following[0].number == crowded[-1].number + 1
    assert orders(Stub(0.0, HOUR, number=BROADCASTS_MAX)) == []
    assert orders(Stub(0.0, HOUR, number=BROADCASTS_MAX - 1))[-1].number < 1_000_000


def test_sales_follow_viewers() -> None:
    def crowd(at_s: float) -> float:
        return 1500 + 1400 * sin(2 * pi * at_s / (3 * HOUR))

    created = [one.created_s for one in orders(Stub(0.0, 12 * HOUR, crowd))]
    quarters = [15 * MINUTE * n for n in range(48)]
    sold = [between(created, from_s, from_s + 15 * MINUTE) for from_s in quarters]
    watched = [crowd(from_s + 7.5 * MINUTE) for from_s in quarters]
    assert statistics.correlation(sold, watched) > 0.9


def test_small_rooms_sell_more_to_each_viewer() -> None:
    village = len(orders(Stub(0.0, 10 * HOUR, lambda at_s: 500.0), draw=10.0))
    star = len(orders(Stub(0.0, 10 * HOUR, lambda at_s: 500.0), draw=20_000.0))
    assert village > 5 * star > 0


def test_a_product_push_sells_for_some_minutes_and_other_waves_do_not() -> None:
    pushes = [20 * MINUTE * n + 50.0 for n in range(1, 29)]  # not when the audience is looked at anyhow
    created = [one.created_s for one in orders(Stub(0.0, 10 * HOUR, waves=[push(at_s) for at_s in pushes]))]
    after = sum(between(created, at_s, at_s + MINUTE) for at_s in pushes) / len(pushes)
    usual = sum(between(created, at_s + 4 * MINUTE, at_s + 19 * MINUTE) for at_s in pushes) / len(pushes) / 15
    assert usual * 60 == pytest.approx(1000 * RATE, rel=0.2)
    assert 4 < after / usual < 8
    third = sum(between(created, at_s + SPIKE_S[1], at_s + 4 * MINUTE) for at_s in pushes) / len(pushes)
    assert third < 2 * usual
    before = sum(between(created, at_s - 40.0, at_s) for at_s in pushes) / len(pushes) / 40 * 60
    assert before < 2 * usual
    recommended = [push(at_s, "recommended") for at_s in pushes]
    assert orders(Stub(0.0, 10 * HOUR, waves=recommended)) == orders(Stub(0.0, 10 * HOUR))


def test_nobody_orders_while_the_stream_is_gone() -> None:
    faults = (
        Fault(HOUR, HOUR + 20.0, "drop"),
        Fault(2 * HOUR, 2 * HOUR + 30 * MINUTE, "drop"),
        Fault(3 * HOUR, 3 * HOUR + 30 * MINUTE, "freeze"),
        Fault(5 * HOUR, inf, "drop"),  # it broke off
    )
    created = [one.created_s for seed in range(8) for one in orders(Stub(0.0, 6 * HOUR, faults=faults), seed)]
    assert between(created, HOUR, HOUR + 20.0) == 0
    assert between(created, 2 * HOUR, 2 * HOUR + 30 * MINUTE) == 0
    assert between(created, 3 * HOUR, 3 * HOUR + 30 * MINUTE) > 0
    assert between(created, 5 * HOUR, inf) == 0
    assert between(created, HOUR - 5 * MINUTE, HOUR) > 0
    assert between(created, HOUR + 20.0, HOUR + 5 * MINUTE) > 0


def midnight(opens_s: float = 23 * HOUR) -> tuple[Market, list[Happened], str]:
    """An hour before midnight, two rooms each of several platforms; the market, all of its night, and who is late."""
    kinds = [kind for kind in PLATFORMS if kind != "nginx_rtmp"] + ["nginx_rtmp"]
    parts = [
        part(n, platform=kind, sells_on="jd" if kind == "nginx_rtmp" else kind) for n, kind in enumerate(kinds * 2)
    ]
    stage = Stage(parts, [[Stub(0.0, 2.5 * HOUR, lambda at_s: 12_000.0)] for _ in parts], Tempo(BEGAN, 1.0, opens_s))
    the_market = at(stage)
    late = the_market.late.platform(0)
    assert late is not None
    return the_market, the_market.due(10 * HOUR), late


def test_at_midnight_one_platform_tells_the_last_half_hour_of_the_day_before_when_it_is_over() -> None:
    _, told, late = midnight()
    held = [event for event in told if event.told_s != event.at_s]
    midnight_s = HOUR
    assert Counter(event.order.part.sells_on for event in held).keys() == {late}
    assert {event.what for event in held} == {"paid", "refunded"}
    for event in held:
        if event.at_s < midnight_s:
            assert midnight_s - 30 * MINUTE <= event.at_s
            assert midnight_s + 5 * MINUTE <= event.told_s <= midnight_s + 15 * MINUTE
    of_late = [e for e in told if e.order.part.sells_on == late and midnight_s - 30 * MINUTE <= e.at_s < midnight_s]
    assert all(event.told_s > midnight_s for event in of_late if event.what == "refunded")
    paid = [event.told_s > midnight_s for event in of_late if event.what == "paid"]
    assert sum(paid) / len(paid) == pytest.approx(0.3, abs=0.08)
    assert sum(event.what == "refunded" for event in of_late) > 3
    assert all(event.told_s == event.at_s for event in of_late if event.what in ("created", "cancelled"))


def test_no_step_of_an_order_is_told_before_the_one_before_it() -> None:
    _, told, _ = midnight()
    last: dict[int, float] = defaultdict(float)
    seen: dict[int, list[str]] = defaultdict(list)
    for event in told:
        assert event.told_s >= max(event.at_s, last[event.order.number])
        last[event.order.number] = event.told_s
        seen[event.order.number].append(event.what)
    ways = {tuple(way) for way in seen.values()}
    assert ways <= {("created",), ("created", "paid"), ("created", "cancelled"), ("created", "paid", "refunded")}
    soon_after = [
        event for event in told if event.what == "refunded" and event.at_s > HOUR and event.told_s != event.at_s
    ]
    assert soon_after  # given back after midnight, before the payment was told of: the refund waits for it


def test_another_night_another_platform_is_late_and_without_hosted_rooms_none_is() -> None:
    the_market, _, _ = midnight()
    nights = [the_market.late.platform(night) for night in range(60)]
    assert nights == [the_market.late.platform(night) for night in range(60)]
    assert len(set(nights)) > 3
    assert "jd" not in nights
    own = market(Stub(0.0, HOUR), platform="nginx_rtmp", sells_on="push_json", tempo=Tempo(BEGAN, opens_s=23.5 * HOUR))
    told = own.due(DAY)
    assert own.late.platform(0) is None
    assert all(event.told_s == event.at_s for event in told)


def test_each_night_of_a_play_has_its_own_late_platform() -> None:
    """The play opens six minutes before a midnight; a day later that is the end of its second night."""
    parts = [part(n, platform=kind, sells_on=kind) for n, kind in enumerate(PLATFORMS) if kind != "nginx_rtmp"]
    parts = [replace(one, number=n) for n, one in enumerate(parts)]
    tempo = Tempo(BEGAN, opens_s=23.9 * HOUR)
    stage = Stage(parts, [[Stub(DAY - HOUR, DAY + HOUR, lambda at_s: 4000.0)] for _ in parts], tempo)
    seed = next(seed for seed in range(99) if at(stage, seed).late.platform(0) != at(stage, seed).late.platform(1))
    the_market = at(stage, seed)
    held = [event for event in the_market.due(1.5 * DAY) if event.told_s != event.at_s and event.what == "paid"]
    midnight_s = DAY + 0.1 * HOUR
    assert {event.order.part.sells_on for event in held} == {the_market.late.platform(1)}
    assert all(midnight_s - 30 * MINUTE <= event.at_s < midnight_s for event in held)
    assert all(midnight_s + 5 * MINUTE <= event.told_s <= midnight_s + 15 * MINUTE for event in held)


def test_the_speed_of_the_play_changes_no_order() -> None:
    slow, fast = evening(), evening()
    slow.tempo, fast.tempo = (Tempo(BEGAN, speed, opens_s=22.5 * HOUR) for speed in (1.0, 10.0))
    told = at(slow).due(3 * HOUR)
    assert told == at(fast).due(3 * HOUR)
    assert any(event.told_s != event.at_s for event in told)  # midnight was within


def test_goods_of_a_shop_are_the_same_in_all_its_rooms() -> None:
    parts = cast(2000, 1)
    shelves: dict[tuple[str, str], set[tuple[str, int, str]]] = defaultdict(set)
    for one in parts:
        for thing in goods(one):
            assert len(thing.product) == 19
            assert int(thing.product) < 2**63
            assert thing.price_minor > 0
            assert 0 < len(thing.title) <= 60
            shelves[one.sells_on + one.shop, thing.product].add((thing.title, thing.price_minor, thing.currency))
    assert all(len(offers) == 1 for offers in shelves.values())
    titles = {title for offers in shelves.values() for title, _, _ in offers}
    products = {one.product for one in parts}
    for nasty in NASTY_TITLES:
        assert any(nasty.format(product=name, city=one.city) in titles for one in parts[:200] for name in products)
    assert products <= PRICES.keys()


def test_a_furrier_earns_more_than_a_grocer() -> None:
    furs = orders(Stub(0.0, 10 * HOUR), product="皮草")
    millet = orders(Stub(0.0, 10 * HOUR), product="小米")
    assert statistics.median([one.amount_minor / one.units for one in furs]) > 100_000
    assert 1_000 < statistics.median([one.amount_minor / one.units for one in millet]) < 10_000
    assert {one.units for one in furs} == {1, 2, 3}
    [(best, _)] = Counter(one.product for one in millet).most_common(1)
    paid = {n: [one.amount_minor for one in millet if (one.product, one.units) == (best, n)] for n in (1, 2)}
    assert statistics.median(paid[2]) == pytest.approx(2 * statistics.median(paid[1]), rel=0.2)


def test_only_shops_at_stripe_sell_in_dollars_and_only_some_of_them() -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for number in range(40):
        for kind in ("stripe", "shopify", "push_json", "doudian"):
            made = orders(Stub(0.0, 10 * MINUTE), number=number, sells_on=kind, shop=str(number))
            found[kind] |= {one.currency for one in made}
            assert len({one.currency for one in made}) == 1
    assert found == {"stripe": {"CNY", "USD"}, "shopify": {"CNY"}, "push_json": {"CNY"}, "doudian": {"CNY"}}


def test_some_buyers_buy_again() -> None:
    made = orders(Stub(0.0, 8 * HOUR))
    buyers = Counter(one.buyer for one in made)
    assert all(buyer.startswith("1@#") and int(buyer[3:], 16) >= 0 for buyer in buyers)
    assert 0.05 < 1 - len(buyers) / len(made) < 0.2


def test_a_real_play_sells_the_same_in_any_process_however_it_is_asked() -> None:
    program = (
        "import hashlib, sys; from datetime import UTC, datetime;"
        "from monitor.rehearsal.event.cast import cast; from monitor.rehearsal.event.market import Market;"
        "from monitor.rehearsal.event.play import Play; from monitor.rehearsal.event.tempo import Tempo;"
        "tempo = Tempo(datetime(2026, 11, 24, tzinfo=UTC), opens_s=22.5 * 3600);"
        "market = Market(Play(cast(160, 5), 5, tempo), 5); step = float(sys.argv[1]);"
        "told = [one for n in range(round(7200 / step) + 1) for one in market.due(n * step)];"
        "late = [market.late.platform(night) for night in range(9)];"
        "print(len(told), late, hashlib.sha256(repr(told).encode()).hexdigest())"
    )
    printed = set()
    for hashed, step in (("1", "7200"), ("2", "3")):
        environment = os.environ | {"PYTHONHASHSEED": hashed}
        ran = subprocess.run(
            [sys.executable, "-c", program, step], capture_output=True, text=True, check=True, env=environment
        )
        printed.add(ran.stdout)
    [line] = printed
    assert int(line.split()[0]) > 200


def test_a_share_of_the_orders_is_made_and_each_of_them_is_one_that_would_have_been():
    stage = evening()
    whole, few = Market(typed(Play, stage), 1), Market(typed(Play, stage), 1, share=0.1)
    told = [[order for one in stage.written[n] for order in made.orders(stage.parts[n], typed(Broadcast, one))]
            for made in (whole, few) for n in range(len(stage.parts))]  # fmt: skip
    many = [order.created_s for orders_of in told[: len(stage.parts)] for order in orders_of]
    kept = [order.created_s for orders_of in told[len(stage.parts) :] for order in orders_of]
    assert set(kept) <= set(many)
    assert 0.07 < len(kept) / len(many) < 0.13
