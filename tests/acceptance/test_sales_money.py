"""Money adds up to the last fen: whatever units and orders it comes in, every sum in SQL is the oracle's."""

import asyncio
import json
import uuid
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.collector import FeedRow
from collectors.hook import NO_DETAILS, App, Delivery, Details, HookRow, Meaning
from collectors.money import thousandths
from collectors.orders.doudian import Doudian
from collectors.orders.push_json import PushJson
from collectors.tick import Sale
from monitor.rates import Rate, Rates
from monitor.sale_rules import SaleRules
from monitor.store.put import Tally, put_facts
from monitor.understanding import Apart, Understood, Unreadable, understand

pytestmark = [pytest.mark.real]

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
CHANGED = NOW - timedelta(days=2)
RATES = Rates(
    [
        Rate(coin="音浪", minor_units=10, from_at=LONG_AGO),
        Rate(coin="音浪", minor_units=7, from_at=CHANGED),
        Rate(coin="gold", coins=4, minor_units=1, currency="USD", from_at=LONG_AGO),
    ]
)
RULES = SaleRules(b"b" * 32, RATES)
DECIMALS = {"CNY": 2, "USD": 2, "JPY": 0, "KWD": 3}
KEY = App("any", "any", "key", (b"secret",))
SUMS = """
SELECT currency, platform, shop, kind, day, order_id,
    grouping(platform, shop, kind, day, order_id)::int AS over, sum(amount_minor)::bigint AS minor, count(*) AS count
FROM (SELECT *, (at AT TIME ZONE 'Asia/Shanghai')::date AS day FROM sale) AS told
GROUP BY currency, CUBE (platform, shop, kind, day, order_id)
"""


class Mille(HookRow, tag="mille", frozen=True, kw_only=True):
    """A platform that tells 1/1000 yuan."""

    PLATFORM = "mille"

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        told = json.loads(msgspec.msgpack.decode(frame, type=Delivery).body)
        fields = {"feed": self.name, "platform": "mille", "received_at": at, "currency": "CNY"}
        return Meaning(
            [
                Sale(**fields, **item | {"at": datetime.fromisoformat(item["at"]), "amount_minor": thousandths(amount)})
                for item, amount in told
            ]
        )


class Fact(msgspec.Struct, frozen=True):
    """What happened, as the oracle knows it; `item` is how its platform tells it."""

    platform: str
    shop: str
    order: str
    kind: str
    at: datetime
    currency: str
    minor: int
    item: str  # JSON

    @property
    def day(self) -> date:
        return self.at.astimezone(SHANGHAI).date()


ROWS: dict[str, FeedRow] = {
    "push_json": PushJson(name="erp", app="any"), "doudian": Doudian(name="dd", app="any"),
    "mille": Mille(name="mille", app="any"),
}  # fmt: skip


def in_major(minor: int, currency: str) -> str:
    """The text of an amount, made of its digits alone."""
    places = DECIMALS[currency]
    digits = str(minor).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


@st.composite
def orders(draw: st.DrawFn, number: int) -> list[Fact]:
    """An order with its sub-orders, what was paid of each, and parts of it that went back; or a gift."""
    platform = draw(st.sampled_from(list(ROWS)))
    shop, order = draw(st.sampled_from(["901", "902"])), str(7_000_000_000_000_000_000 + number)
    at = NOW - timedelta(seconds=draw(st.integers(0, 6 * 86_400)))
    if platform == "push_json" and draw(st.integers(0, 3)) == 0:
        return [_gift(draw, shop, order, at)]
    currency = draw(st.sampled_from(list(DECIMALS))) if platform == "push_json" else "CNY"
    subs = draw(st.integers(1, 3)) if platform != "doudian" else 1
    facts = []
    for sub in range(subs):
        paid = draw(st.integers(0, 10**15 if draw(st.integers(0, 9)) == 0 else 10**6)) // subs
        name = f"{shop}:{order}" + (f":{sub}" if subs > 1 else "")
        facts.append(_fact(draw, platform, shop, order, "paid", f"{name}:paid", at, currency, paid))
        left = paid
        for refund in range(draw(st.integers(0, 2))):
            part = draw(st.integers(0, left))
            left -= part
            event = f"{name}:refunded:{refund}{sub}"
            then = min(at + timedelta(hours=draw(st.integers(0, 30))), NOW)
            facts.append(_fact(draw, platform, shop, order, "refunded", event, then, currency, part))
    return facts


def _gift(draw: st.DrawFn, shop: str, order: str, at: datetime) -> Fact:
    coin, coins = draw(st.sampled_from(["音浪", "gold"])), draw(st.integers(0, 10**6))
    minor = coins * (7 if at >= CHANGED else 10) if coin == "音浪" else round(Fraction(coins, 4))
    item = {"event_id": f"{shop}:{order}:gift", "kind": "gift", "at": at.isoformat(), "shop": shop, "order_id": order}
    item |= {"coin": coin, "coins": coins}
    return Fact("push_json", shop, order, "gift", at, "CNY" if coin == "音浪" else "USD", minor, json.dumps(item))


def _fact(
    draw: st.DrawFn,
    platform: str,
    shop: str,
    order: str,
    kind: str,
    event: str,
    at: datetime,
    currency: str,
    minor: int,
) -> Fact:
    item: object = {"event_id": event, "kind": kind, "at": at.isoformat(), "shop": shop, "order_id": order}
    assert isinstance(item, dict)
    if platform == "push_json":
        back = -1 if kind == "refunded" and draw(st.booleans()) else 1  # what went back may be told below zero
        sign = "-" if back < 0 and minor else ""
        told = [("amount_minor", minor * back), ("amount_minor", f"{sign}{minor}"),
                ("amount", f"{sign}{in_major(minor, currency)}")]  # fmt: skip
        item |= [draw(st.sampled_from(told)), ("currency", currency)]
    elif platform == "mille":
        mille = minor * 10 + draw(st.integers(-5, 5))
        mille = min(max(0, mille), 10**16)
        minor = round(Fraction(mille, 10))
        item = [item, mille]
    else:
        second = int(at.timestamp())
        money = {"pay_time": second, "pay_amount": minor}
        if kind == "refunded":
            money = {"success_time": second, "refund_amount": str(minor), "aftersale_id": event.rpartition(":")[2]}
        data = {"p_id": int(order), "shop_id": int(shop)} | money
        item = {"tag": "101" if kind == "paid" else "206", "msg_id": event, "data": data}
        at = at.replace(microsecond=0)
    return Fact(platform, shop, order, kind, at, currency, minor, json.dumps(item))


@st.composite
def evenings(draw: st.DrawFn) -> tuple[list[Fact], list[tuple[str, list[Fact]]]]:
    """All that happened, and the deliveries that tell of it: in any order, and some twice."""
    facts = [fact for number in range(draw(st.integers(1, 6))) for fact in draw(orders(number))]
    told = draw(st.permutations(facts + draw(st.lists(st.sampled_from(facts), max_size=5))))
    deliveries: list[tuple[str, list[Fact]]] = []
    for fact in told:
        if deliveries and deliveries[-1][0] == fact.platform and draw(st.booleans()):
            deliveries[-1][1].append(fact)
        else:
            deliveries.append((fact.platform, [fact]))
    return facts, deliveries


def frame(platform: str, items: list[str]) -> bytes:
    joined = ",".join(items)
    body = f'{{"sales":[{joined}]}}' if platform == "push_json" else f"[{joined}]"
    return msgspec.msgpack.encode(Delivery("POST", "/hooks/x", "", {}, body.encode()))


def oracle(facts: list[Fact]) -> dict[tuple[object, ...], tuple[int, int]]:
    """Of each currency the sum and the count by every choice of columns."""
    sums: dict[tuple[object, ...], list[int]] = defaultdict(lambda: [0, 0])
    for fact in facts:
        columns = (fact.platform, fact.shop, fact.kind, fact.day, fact.order)
        for over in range(32):
            chosen = (None if over >> 4 - place & 1 else column for place, column in enumerate(columns))
            found = sums[fact.currency, over, *chosen]
            found[0] += fact.minor
            found[1] += 1
    return {key: (minor, count) for key, (minor, count) in sums.items()}


async def in_sql(conn: asyncpg.Connection, batches: list[list[Sale]]) -> tuple[dict[tuple[object, ...], object], Tally]:
    """The sums of these sales, which are taken back at once."""
    tally, taken_back = Tally(), conn.transaction()
    await taken_back.start()
    try:
        for batch in batches:
            await put_facts(conn, uuid.uuid4(), list(enumerate(batch)), tally)
        rows = await conn.fetch(SUMS)
        assert await conn.fetchval("SELECT count(*) FROM quarantine") == 0
    finally:
        await taken_back.rollback()
    return {(r["currency"], r["over"], *tuple(r)[1:6]): (r["minor"], r["count"]) for r in rows}, tally


def test_every_sum_is_the_oracles(database):
    seen: Counter[str] = Counter()
    with asyncio.Runner() as runner:
        conn = runner.run(database.connect("owner"))

        @settings(max_examples=400, deadline=None, derandomize=True)
        @given(evenings())
        def holds(evening: tuple[list[Fact], list[tuple[str, list[Fact]]]]) -> None:
            facts, deliveries = evening
            batches = []
            for platform, told in deliveries:
                read = understand(
                    ROWS[platform], KEY, frame(platform, [fact.item for fact in told]), NOW, NO_DETAILS, RULES
                )
                assert read.apart == []
                batches.append(read.sales)
            found, tally = runner.run(in_sql(conn, batches))
            assert found == oracle(facts)
            copies = sum(len(told) for _, told in deliveries) - len(facts)
            assert tally.outcome["sale"] == (len(facts), copies, 0)
            assert sum(sale.amount_minor for sale in tally.sales) == sum(fact.minor for fact in facts)
            seen.update({fact.platform for fact in facts} | {fact.currency for fact in facts})
            seen["a refund before its payment"] += _refund_first(deliveries)

        holds()
        runner.run(conn.close())
    assert min(seen[name] for name in (*ROWS, *DECIMALS, "a refund before its payment")) > 5, seen


def _refund_first(deliveries: list[tuple[str, list[Fact]]]) -> bool:
    paid: set[str] = set()
    for fact in (fact for _, told in deliveries for fact in told):
        if fact.kind == "refunded" and fact.order not in paid:
            return True
        paid.add(fact.order)
    return False


GOOD = {"event_id": "s:1:paid", "kind": "paid", "at": NOW.isoformat(), "amount_minor": 5, "currency": "CNY"}
NO_MONEY: list[object] = [
    *("NaN", "Infinity", "-Infinity", "nan", "-0.01", "1" * 41, "1e3", "", "１２", "12,30"),
    *(-1, 10**15 + 1, 10**30, True, [], {}, None),
]


@pytest.mark.parametrize("amount", NO_MONEY, ids=repr)
@pytest.mark.parametrize("way", ["amount", "amount_minor", "doudian", "coins"])
def test_what_is_no_money_is_set_aside_alone(amount, way):
    name = "push_json"
    bad: dict[str, object] = GOOD | {"event_id": "s:2:paid"}
    good: dict[str, object] = GOOD
    if way == "doudian":
        name, at = "doudian", int(NOW.timestamp())
        data = {"p_id": 1, "shop_id": 1, "pay_time": at, "pay_amount": 5}
        good = {"tag": "101", "msg_id": "m1", "data": data}
        bad = {"tag": "101", "msg_id": "m2", "data": data | {"p_id": 2, "pay_amount": amount}}
        if amount is None:
            return  # such a message tells of no payment: nothing is counted, nothing is wrong
    elif way == "coins":
        bad = bad | {"kind": "gift", "coin": "音浪", "coins": amount, "amount_minor": None, "currency": ""}
    else:
        bad = bad | {"amount_minor": None, way: amount}
        if way == "amount" and amount == 10**15 + 1:
            bad["currency"] = "JPY"
    read = understand(ROWS[name], KEY, frame(name, [json.dumps(bad), json.dumps(good)]), NOW, NO_DETAILS, RULES)
    assert [sale.amount_minor for sale in read.sales] == [5]
    [apart] = read.apart
    assert apart.sample in ("s:2:paid", "m2")
    assert apart.reason.split(":")[0] in ("amount", "count", "coins", "bad_item", "no rate for coin"), apart.reason


@pytest.mark.parametrize("currency", ["", "XXX", "RMB", "人民币", "¥", None, 5])
def test_an_unknown_currency_is_set_aside_and_never_taken_for_yuan(currency):
    items = [json.dumps(GOOD | {"event_id": "s:2:paid", "currency": currency}), json.dumps(GOOD)]
    read = understand(ROWS["push_json"], KEY, frame("push_json", items), NOW, NO_DETAILS, RULES)
    assert [(sale.amount_minor, sale.currency) for sale in read.sales] == [(5, "CNY")]
    assert [apart.sample for apart in read.apart] == ["s:2:paid"]


@pytest.mark.parametrize("name", ["push_json", "doudian"])
@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999999999"])
def test_a_number_that_json_does_not_have_makes_no_sale(name, literal):
    good = GOOD if name == "push_json" else {"tag": "101", "data": {"p_id": 1, "shop_id": 1, "pay_time": 1}}
    text = json.dumps(good).replace('"amount_minor": 5', f'"amount_minor": {literal}')
    text = text.replace('"pay_time": 1', f'"pay_time": {int(NOW.timestamp())}, "pay_amount": {literal}')
    assert literal in text
    try:
        read = understand(ROWS[name], KEY, frame(name, [text]), NOW, NO_DETAILS, RULES)
    except Unreadable as error:
        read = Understood(apart=[Apart(error.reason, "all of it")] if error.foreseen else [])
    assert read.sales == []
    assert len(read.apart) == 1
