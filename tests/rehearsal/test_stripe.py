"""Accounts on the played Stripe: what livemon understands of its events is what the truth says was sold."""

import json
from pathlib import Path

import msgspec

from collectors.orders.stripe import Stripe as StripeRow
from monitor.rehearsal.platforms.stripe import Stripe
from monitor.rehearsal.truth import facts_of
from tests.orders.signed import STRIPE_BODY
from tests.rehearsal.staged import as_fact, delivered, listening, loaded, part, running, sold, staged, until

ROOM = part(sells_on="stripe", shop="acct_4460001")
ROW = StripeRow(name="stripe", app="stripe-main")
PLAYED = [
    *sold(ROOM, 1, ("created", "paid", "refunded"), currency="USD"), *sold(ROOM, 2, ("created", "cancelled")),
    *sold(ROOM, 4, ("created", "paid", "refunded"), currency="JPY"),
]  # fmt: skip


async def test_livemon_understands_what_the_truth_says_was_sold(tmp_path: Path) -> None:
    async with listening(ROW) as heard, staged(tmp_path, [ROOM], hooks_url=heard.url) as scene:
        before = scene.now()
        await delivered(Stripe(scene), PLAYED)
        scene.truth.flush()
        told = list(facts_of(scene.truth.path))
        facts = [fact for fact, _ in told]
        # The refund that had gone through when it was made is told twice: one event id, one row.
        sales = {sale.event_id: as_fact(meaning) for meaning in heard.meanings() for sale in meaning.sales}
        understood = [fact for each in sales.values() for fact in each]
        assert facts == sorted(understood, key=lambda fact: (fact.platform, fact.order_id, fact.kind))
        order_id = scene.order_id(PLAYED[0].order)
        assert [(fact.kind, fact.amount_minor, fact.currency, fact.room) for fact in facts] == [
            ("paid", 12_992, "USD", "live/dl00007"), ("refunded", 5_003, "USD", None),
            ("paid", 12_995, "JPY", "live/dl00007"), ("refunded", 5_003, "JPY", None),
        ]  # fmt: skip
        assert (facts[0].shop, facts[0].order_id, facts[1].ref) == ("acct_4460001", f"pi_{order_id}", f"re_{order_id}")
        assert facts[0].at == scene.tempo.at(PLAYED[1].at_s).replace(microsecond=0)
        assert all(before <= told_at <= scene.now() for _, told_at in told)


async def test_a_refund_counts_when_it_has_gone_through(tmp_path: Path) -> None:
    async with listening(ROW) as heard, staged(tmp_path, [ROOM], hooks_url=heard.url) as scene:
        await delivered(Stripe(scene), PLAYED)
        rows = [(sale.kind, sale.order_id) for meaning in heard.meanings() for sale in meaning.sales]
        ids = [f"pi_{scene.order_id(event.order)}" for event in PLAYED]
        assert sorted(rows) == sorted([
            ("created", ids[0]), ("paid", ids[0]), ("refunded", ids[0]), ("created", ids[3]), ("cancelled", ids[3]),
            ("created", ids[5]), ("paid", ids[5]), ("refunded", ids[5]), ("refunded", ids[5]),
        ])  # fmt: skip
        shown = repr(heard.meanings())
        assert "小贝" not in shown


async def test_a_try_again_is_the_same_event_signed_anew(tmp_path: Path) -> None:
    async with listening(ROW) as heard, staged(tmp_path, [ROOM], hooks_url=heard.url) as scene:
        card = Stripe(scene)
        card.deliveries.retries_s = (0.02,)
        card.trouble.twice, heard.disk.broken = True, True
        async with running(card):
            for event in PLAYED[:5]:
                card.happened(event)
            await until(lambda: card.deliveries.failures >= 8)
            heard.disk.broken = False
            await until(lambda: not card.waiting())
        assert len(heard.disk.kept) == 6
        assert len({json.loads(delivery.body)["id"] for _, delivery, _ in heard.disk.kept}) == 6


async def test_its_events_have_what_the_published_one_has(tmp_path: Path) -> None:
    async with staged(tmp_path, [ROOM]) as scene:
        card = Stripe(scene)
        card.happened(PLAYED[1])
        headers, body, *_ = card.deliveries._queue[0][2].make()
    vector, event = json.loads(STRIPE_BODY), json.loads(body)
    assert set(vector) <= set(event)
    assert set(vector["data"]["object"]) <= set(event["data"]["object"])
    assert event["type"] == vector["type"]
    assert headers["Stripe-Signature"].startswith("t=")


async def test_its_settings_are_a_feed_of_livemon(tmp_path: Path) -> None:
    async with staged(tmp_path, [ROOM]) as scene:
        config = loaded(tmp_path, Stripe(scene).settings())
    [feed] = config.feeds
    assert feed == msgspec.structs.replace(ROW, rooms=feed.rooms)
