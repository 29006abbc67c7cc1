"""JD in a play: it pushes nothing, tells nothing of refunds, and waits until a page has shown what changed."""

from pathlib import Path

from monitor.rehearsal.platforms.jd import Jd

from .asked import listened, told
from .staged import part, sold

ROOM = part(1, sells_on="jd")


async def test_orders_are_listed_as_they_are_made_paid_and_given_up(tmp_path: Path) -> None:
    async with listened(tmp_path, Jd, [ROOM]) as heard:
        for event in [*sold(ROOM, 1, ("created", "paid")), *sold(ROOM, 2, ("created", "cancelled"))]:
            heard.platform.happened(event)
        sales = await heard.settled()
        assert sorted((sale.kind, sale.amount_minor) for sale in sales) == [
            ("cancelled", 0), ("created", 0), ("created", 0), ("paid", 12_992),
        ]  # fmt: skip
        assert {sale.platform for sale in sales} == {"jd"}
        assert told(sales) == heard.facts()
        assert heard.kept == []


async def test_a_refund_is_nothing_that_anybody_could_know(tmp_path: Path) -> None:
    async with listened(tmp_path, Jd, [ROOM]) as heard:
        for event in sold(ROOM, 1, ("created", "paid", "refunded")):
            heard.platform.happened(event)
        assert told(await heard.settled()) == heard.facts()
        assert [fact.kind for fact in heard.facts()] == ["paid"]


async def test_it_waits_until_the_last_change_was_listed(tmp_path: Path) -> None:
    created, paid = sold(ROOM, 1, ("created", "paid"))
    async with listened(tmp_path, Jd, [ROOM]) as heard:
        heard.platform.happened(created)
        assert heard.platform.waiting() == 1
        await heard.polled()
        assert heard.platform.waiting() == 0
        heard.platform.happened(paid)
        assert heard.platform.waiting() == 1
        await heard.polled()
        assert heard.platform.waiting() == 0


async def test_many_orders_of_one_second_are_read_to_the_last_page(tmp_path: Path) -> None:
    async with listened(tmp_path, Jd, [ROOM]) as heard:
        for number in range(250):
            for event in sold(ROOM, number, ("created", "paid")):
                heard.platform.happened(event)
        assert len(told(await heard.settled())) == 250
