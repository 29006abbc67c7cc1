"""A reader at work without PostgreSQL: a stall that tells of its orders in plain JSON, and what came of them."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from collectors.collector import BadFrame, FeedRow
from collectors.hook import NO_DETAILS, App, Bad, Delivery, Details, HookRow, Meaning, Need
from collectors.tick import Sale, SaleItem, Tick
from monitor.facts import RosterRoom
from monitor.live.watch import Watch
from monitor.rates import Rate, Rates
from monitor.reading import Reader
from monitor.sale_rules import SaleRules
from monitor.store.batch import Fact, cut_rows, facts_of
from monitor.store.cipher import Cipher
from monitor.store.frames import FrameLane
from monitor.store.spool import Spool
from monitor.store.store import Store
from tests.store.way import Counted, no_more

KEY = Cipher([bytes(range(32))])
STALL = App("stall", "stall")
RATES = Rates(
    [
        Rate(coin="抖币", minor_units=10, from_at=datetime(2026, 1, 1, tzinfo=UTC)),
        Rate(coin="gold", minor_units=1, coins=10, from_at=datetime(2026, 1, 1, tzinfo=UTC)),
    ]
)
RULES = SaleRules(b"b" * 32, RATES)


class Stall(HookRow, tag="stall", frozen=True, kw_only=True):
    """Its body is {"sales": [...], "ticks": [...], "bad": [...], "needs": [...]}, or what makes the parser fall."""

    PLATFORM = "stall"

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        told = json.loads(msgspec.msgpack.decode(frame, type=Delivery).body)
        if "not ours" in told:
            raise BadFrame(f"not_ours: {told['not ours']}")
        if "falls over" in told:
            raise KeyError(told["falls over"])
        needs = [Need("order.detail", key, "店") for key in told.get("needs", ())]
        missing = [need for need in needs if not details.get((need.what, need.key), b"").isdigit()]
        if missing:
            return Meaning(needs=missing)
        amount = sum(int(details[need.what, need.key]) for need in needs)
        return Meaning(
            [self._sale(item, at, amount) for item in told.get("sales", ())],
            [Tick(self.name, room, at, "status", True, 7) for room in told.get("ticks", ())],
            bad=[
                *(
                    Bad(f"amount: none {item}", f"bad {place}", item.encode())
                    for place, item in enumerate(told.get("bad", ()))
                ),
                *(Bad("bad_item: no tick", room, room.encode(), "tick") for room in told.get("bad ticks", ())),
            ],
        )  # fmt: skip

    def _sale(self, item: dict[str, Any], at: datetime, amount: int) -> Sale:
        fields = {"kind": "paid", "amount_minor": amount, "currency": "CNY"} | item
        fields["buyer"] = item.get("buyer", "somebody").encode()
        fields["items"] = tuple(SaleItem(**line) for line in item.get("items", ()))
        fields["at"] = datetime.fromisoformat(item["at"]) if "at" in item else at
        return Sale(feed=self.name, platform="stall", received_at=at, **fields)


def delivery(**told: object) -> bytes:
    body = json.dumps(told, ensure_ascii=False).encode()
    return msgspec.msgpack.encode(Delivery("POST", "/hooks/stall", "", {}, body))


def sale(event_id: str, **fields: object) -> bytes:
    return delivery(sales=[{"event_id": event_id, "amount_minor": 100} | fields])


class Reading:
    """All that a reader works with; `ahead_s` moves its clock."""

    def __init__(
        self,
        folder: Path,
        rows: Sequence[FeedRow] = (Stall(name="stall"),),
        rules: SaleRules = RULES,
        ahead_s: float = 0,
    ) -> None:
        self.ahead_s = ahead_s
        self.store = Store(folder, never, self.now, Counted(), no_more)
        self.lane = FrameLane(self.store.spool, self.store.sealer, KEY)
        self.watch = Watch()
        self.apps = {"": STALL}
        self.configure(rows)
        self.reader = Reader(
            self.store, self.lane, self.watch, self.now, rules, lambda row: self.apps.get(getattr(row, "app", ""))
        )

    def now(self) -> datetime:
        return datetime.fromtimestamp(datetime.now(UTC).timestamp() + self.ahead_s, UTC)

    def configure(self, rows: Sequence[FeedRow]) -> None:
        rooms = [RosterRoom(1, "stall", "room 1")]
        self.watch.load(rooms, (), rows, self.now())

    async def keep(self, *frames: bytes, feed: str = "stall", at: datetime | None = None) -> list[int]:
        return list(await asyncio.gather(*(self.lane.keep(feed, frame, at or self.now()) for frame in frames)))

    async def settled(self) -> None:
        """Until everything kept has been read and sealed."""
        async with asyncio.timeout(20):
            while True:
                await asyncio.sleep(0.01)
                inbox, sealer = self.store.inbox, self.store.sealer
                if inbox.facts or inbox.ticks or sealer.busy:
                    continue
                await sealer.take_stock()
                if not any(count.waiting for count in sealer.standing.frames.values()):
                    return

    async def facts(self) -> list[Fact]:
        return await self.store.sealer.call(sealed_facts, self.store.spool)


def sealed_facts(spool: Spool) -> list[Fact]:
    batches = [spool.load(ref.seq) for ref in spool.pending()]
    return [fact for batch in batches if batch.header.kind == "facts" for fact in facts_of(batch)]


def sealed_ticks(spool: Spool) -> int:
    batches = [spool.load(ref.seq) for ref in spool.pending()]
    return sum(len(cut_rows(batch.payload)) for batch in batches if batch.header.kind == "ticks")


async def never(name: str) -> Any:
    raise OSError("there is no PostgreSQL here")


@asynccontextmanager
async def reading(folder: Path, **options: Any) -> AsyncIterator[Reading]:
    made = Reading(folder, **options)
    async with at_work(made):
        yield made


@asynccontextmanager
async def at_work(made: Reading) -> AsyncIterator[Reading]:
    sealing = asyncio.create_task(made.store.sealer.run())
    others = [asyncio.create_task(made.lane.run()), asyncio.create_task(made.reader.run())]
    try:
        yield made
    finally:
        for task in others:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        made.store.inbox.close()
        await sealing
        await made.store.sealer.finish()


def ids(facts: Sequence[Fact]) -> Counter[str]:
    return Counter(fact.event_id for fact in facts if isinstance(fact, Sale))
