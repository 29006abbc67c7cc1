"""Facts into their tables: changes, blind spans, sales, accounts, alerts, quarantine; one statement for all of a kind.

Every statement does nothing the second time, and none minds the order in which batches come.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg
import msgspec

from collectors.tick import Sale
from monitor.facts import AccountFact, AlertAction, AlertEpisode, BlindSpan, Change, PlatformTotal, Quarantined
from monitor.store.batch import Fact, alert_id, session_id
from monitor.store.keeping import keep_fact
from monitor.store.statements import statement

type Connection = asyncpg.Connection[asyncpg.Record]
UNKNOWN_ROOM = "the room is not in the roster"


class Tally(msgspec.Struct):
    """Rows written, duplicates and quarantined, per book; and the sales that are new."""

    outcome: dict[str, tuple[int, int, int]] = {}
    sales: list[Sale] = []

    def move(self, kind: str, written: int = 0, duplicates: int = 0, quarantined: int = 0) -> None:
        had = self.outcome.get(kind, (0, 0, 0))
        self.outcome[kind] = (had[0] + written, had[1] + duplicates, had[2] + quarantined)

    def add(self, other: "Tally") -> None:
        for kind, moves in other.outcome.items():
            self.move(kind, *moves)
        self.sales += other.sales


async def put_facts(conn: Connection, batch_id: UUID, facts: Sequence[tuple[int, Fact]], tally: Tally) -> None:
    """Put (place in the batch, fact) rows of all kinds; what cannot be resolved is quarantined with its place."""
    changes = [(place, fact) for place, fact in facts if isinstance(fact, Change)]
    spans = [(place, fact) for place, fact in facts if isinstance(fact, BlindSpan)]
    sales = [(place, fact) for place, fact in facts if isinstance(fact, Sale)]
    bad = [(place, fact) for place, fact in facts if isinstance(fact, Quarantined)]
    if changes:
        bad += await _put_changes(conn, changes, tally)
    if spans:
        bad += await _put_spans(conn, spans, tally)
    if sales:
        bad += await _put_sales(conn, sales, tally)
    await _put_accounts(conn, [fact for _, fact in facts if isinstance(fact, AccountFact)])
    await _put_alerts(conn, [fact for _, fact in facts if isinstance(fact, AlertEpisode)])
    await _put_actions(conn, [fact for _, fact in facts if isinstance(fact, AlertAction)])
    await _put_totals(conn, [fact for _, fact in facts if isinstance(fact, PlatformTotal)])
    await put_quarantine(conn, batch_id, bad)


async def _put_changes(
    conn: Connection, changes: Sequence[tuple[int, Change]], tally: Tally
) -> list[tuple[int, Quarantined]]:
    ids = [session_id(change.platform, change.room, change.opened_at) for _, change in changes]
    platforms, rooms = [c.platform for _, c in changes], [c.room for _, c in changes]
    await conn.execute(statement("writer/put_sessions"), ids, platforms, rooms, [c.opened_at for _, c in changes])
    rows = await conn.fetch(
        statement("writer/put_changes"), [place for place, _ in changes], ids, platforms, rooms,
        [c.number for _, c in changes], [c.at for _, c in changes], [c.change for _, c in changes],
        [c.cause for _, c in changes],
    )  # fmt: skip
    closed = [(i, c) for i, (_, c) in zip(ids, changes, strict=True) if c.change == "closed"]
    if closed:
        await conn.execute(
            statement("writer/close_sessions"), [i for i, _ in closed], [c.at for _, c in closed],
            [c.cause for _, c in closed],
        )  # fmt: skip
    fate: dict[int, bool | None] = {row["place"]: row["is_new"] for row in rows}
    new = [(i, change.number) for i, (place, change) in zip(ids, changes, strict=True) if fate[place]]
    if new:
        await conn.execute(statement("writer/mark_changes"), [i for i, _ in new], [number for _, number in new])
    bad = []
    for place, change in changes:
        if (is_new := fate[place]) is None:
            bad.append((place, keep_fact(change, UNKNOWN_ROOM, change.at)))
        tally.move("change", written=is_new is True, duplicates=is_new is False, quarantined=is_new is None)
    return bad


async def _put_spans(
    conn: Connection, spans: Sequence[tuple[int, BlindSpan]], tally: Tally
) -> list[tuple[int, Quarantined]]:
    rows = await conn.fetch(
        statement("writer/put_spans"), [place for place, _ in spans], [s.feed for _, s in spans],
        [s.platform for _, s in spans], [s.room for _, s in spans], [s.from_at for _, s in spans],
        [s.to_at for _, s in spans], [s.cause for _, s in spans],
    )  # fmt: skip
    await conn.execute(statement("writer/end_room_spans"), list({s.feed for _, s in spans}))
    unknown = {row["place"] for row in rows}
    tally.move("change", written=len(spans) - len(unknown), quarantined=len(unknown))
    return [(at, keep_fact(s, UNKNOWN_ROOM, s.from_at)) for at, s in spans if at in unknown]


async def _put_sales(
    conn: Connection, sales: Sequence[tuple[int, Sale]], tally: Tally
) -> list[tuple[int, Quarantined]]:
    first: dict[tuple[str, str], tuple[int, Sale]] = {}
    for place, sale in sales:
        first.setdefault((sale.platform, sale.event_id), (place, sale))
    facts = [sale for _, sale in first.values()]
    rows = await conn.fetch(
        statement("writer/put_sales"), [s.platform for s in facts], [s.event_id for s in facts],
        [s.at for s in facts], [s.received_at for s in facts], [s.feed for s in facts], [s.room for s in facts],
        [s.shop or "" for s in facts], [s.order_id or "" for s in facts], [s.kind for s in facts],
        [s.amount_minor for s in facts], [s.currency for s in facts], [s.units for s in facts],
        [s.buyer for s in facts], [s.via for s in facts],
    )  # fmt: skip
    new = {(row["platform"], row["event_id"]) for row in rows}
    new_places = {first[key][0] for key in new}
    fresh = [sale for place, sale in sales if place in new_places]
    await _put_items(conn, fresh)
    if new:
        await conn.execute(statement("writer/sales_again"), [platform for platform, _ in new], [i for _, i in new])
    tally.sales += fresh
    known = await _known_sales(conn, [sale for place, sale in sales if place not in new_places])
    bad, again = [], []
    for place, sale in sales:
        same = known.get((sale.platform, sale.event_id)) == (sale.kind, sale.amount_minor, sale.currency)
        is_new = place in new_places
        if not is_new and same and sale.room is not None:
            again.append(sale)
        if not is_new and not same:
            bad.append((place, keep_fact(sale, "another sale is kept under this event id", sale.received_at)))
        tally.move("sale", written=is_new, duplicates=not is_new and same, quarantined=not is_new and not same)
    if again:
        columns = [s.platform for s in again], [s.event_id for s in again], [s.room for s in again]
        await conn.execute(statement("writer/tell_rooms"), *columns)
    return bad


async def _known_sales(conn: Connection, sales: Sequence[Sale]) -> Mapping[tuple[str, str], tuple[str, int, str]]:
    if not sales:
        return {}
    rows = await conn.fetch(statement("writer/sales_known"), [s.platform for s in sales], [s.event_id for s in sales])
    return {(r["platform"], r["event_id"]): (r["kind"], r["amount_minor"], r["currency"]) for r in rows}


async def _put_items(conn: Connection, sales: Sequence[Sale]) -> None:
    items = [(sale, item) for sale in sales for item in sale.items]
    if items:
        await conn.execute(
            statement("writer/put_sale_items"), [s.platform for s, _ in items], [s.event_id for s, _ in items],
            [i.item_id for _, i in items], [i.title or "" for _, i in items], [i.units for _, i in items],
            [i.amount_minor for _, i in items],
        )  # fmt: skip


async def _put_accounts(conn: Connection, facts: Sequence[AccountFact]) -> None:
    """How accounts stand: of each the newest that was ever told, in whatever order it comes."""
    newest: dict[tuple[str, str, str], AccountFact] = {}
    for fact in facts:
        had = newest.get((fact.app, fact.shop, fact.anchor))
        if had is None or had.at <= fact.at:
            newest[fact.app, fact.shop, fact.anchor] = fact
    told = list(newest.values())
    if told:
        await conn.execute(
            statement("writer/put_accounts"), [f.app for f in told], [f.shop for f in told], [f.anchor for f in told],
            [f.platform for f in told], [_plain(f.name) for f in told], [_plain(f.contact) for f in told],
            [f.at for f in told], [f.granted for f in told], [_plain(f.refused) for f in told],
            [f.access_until for f in told], [f.lapses_at for f in told], [f.refreshed_at for f in told],
            [f.gone for f in told],
        )  # fmt: skip


async def _put_alerts(conn: Connection, told: Sequence[AlertEpisode]) -> None:
    """Episodes of alerts: told when they begin and when they end, in any order; an end once known stays."""
    last: dict[UUID, AlertEpisode] = {}
    for fact in told:
        key = alert_id(fact.fingerprint, fact.starts_at)
        if key not in last or fact.ends_at is not None:
            last[key] = fact
    facts = list(last.values())
    if facts:
        await conn.execute(
            statement("writer/put_alerts"), list(last), [_plain(f.fingerprint) for f in facts],
            [f.starts_at for f in facts], [f.number for f in facts], [_plain(f.name) for f in facts],
            [_plain(f.severity) for f in facts], [_labels(f) for f in facts], [_plain(f.summary) for f in facts],
            [f.ends_at for f in facts], [f.outcome for f in facts],
        )  # fmt: skip


async def _put_actions(conn: Connection, told: Sequence[AlertAction]) -> None:
    if told:
        await conn.execute(
            statement("writer/put_alert_actions"), [f.at for f in told],
            [None if f.starts_at is None else alert_id(f.fingerprint, f.starts_at) for f in told],
            [f.action for f in told], [_plain(f.by_whom) for f in told], [_plain(f.reason) for f in told],
            [f.until for f in told],
        )  # fmt: skip


async def _put_totals(conn: Connection, told: Sequence[PlatformTotal]) -> None:
    if told:
        await conn.execute(
            statement("writer/put_totals"), [f.platform for f in told], [f.room for f in told], [f.at for f in told],
            [session_id(f.platform, f.room, f.opened_at) for f in told], [f.gmv_minor for f in told],
            [f.currency for f in told],
        )  # fmt: skip


def _labels(fact: AlertEpisode) -> str:
    """As text of JSON: jsonb holds no NUL either, however it is written."""
    return msgspec.json.encode({_plain(name): _plain(value) for name, value in fact.labels.items()}).decode()


def _plain(text: str) -> str:
    """A name as PostgreSQL can hold it: what a shop calls itself must not hide how its account stands."""
    return text.replace("\0", "\ufffd")


async def put_quarantine(conn: Connection, batch_id: UUID, bad: Sequence[tuple[int, Quarantined]]) -> None:
    """Keep bad rows whole; (batch, place) is their key, so that the same row is kept once."""
    if bad:
        await conn.execute(
            statement("writer/put_quarantine"), batch_id, [place for place, _ in bad],
            [q.received_at for _, q in bad], [q.feed for _, q in bad], [q.kind for _, q in bad],
            [q.reason for _, q in bad], [q.sample for _, q in bad],
            [q.payload for _, q in bad],
        )  # fmt: skip
