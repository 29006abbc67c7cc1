"""Whatever rows there are: the sieve finds exactly the bad ones, encodings come back, damage is named as damage."""

import asyncio
import math
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from collectors.tick import Sale, SaleItem, Tick
from monitor.facts import BlindSpan, Change, Quarantined
from monitor.store.apply import sieve
from monitor.store.batch import (
    ROWS_MAX,
    Batch,
    BatchDamaged,
    BatchTooNew,
    cut_rows,
    decode_header,
    encode_header,
    facts_batches,
    facts_of,
    pack_ticks,
    ticks_batches,
)
from monitor.store.keeping import CannotRevive, keep_fact, keep_tick, revive, tick_of

NOW = datetime(2026, 11, 19, 12, tzinfo=UTC)
steady = settings(deadline=None, derandomize=True)


class Savepoints:
    """What a connection is to the sieve: rows that stay, unless the savepoint around them is rolled back."""

    def __init__(self, poison: set[int]) -> None:
        self.poison, self.rows, self.probes = poison, [], 0

    @asynccontextmanager
    async def transaction(self):
        self.probes += 1
        mark = len(self.rows)
        try:
            yield
        except BaseException:
            del self.rows[mark:]
            raise

    async def put(self, part):
        for row in part:
            self.rows.append(row)
            if row in self.poison:
                raise asyncpg.NumericValueOutOfRangeError(f"row {row}")


@st.composite
def poisoned(draw):
    count = draw(st.integers(1, 300))
    return count, draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=12))


@steady
@given(poisoned())
@example((5_000, {0}))
@example((5_000, {4_999}))
@example((5_000, {4_242}))
@example((1, {0}))
def test_the_sieve_keeps_exactly_the_good_rows_in_few_probes(case):
    count, poison = case
    conn = Savepoints(poison)
    bad = asyncio.run(sieve(conn, list(range(count)), conn.put))
    assert conn.rows == [row for row in range(count) if row not in poison]
    assert [(place, reason) for place, reason in bad] == [(place, f"22003 row {place}") for place in sorted(poison)]
    assert conn.probes <= len(poison) * (math.ceil(math.log2(count)) + 2)
    if len(poison) == 1:
        assert conn.probes <= math.ceil(math.log2(count)) + 2


def test_the_sieve_raises_what_is_not_about_a_row():
    conn = Savepoints(set())

    async def locked(part):
        raise asyncpg.LockNotAvailableError("somebody else's")

    with pytest.raises(asyncpg.LockNotAvailableError):
        asyncio.run(sieve(conn, [1, 2, 3], locked))


text = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
instants = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
near = st.timedeltas(timedelta(days=-7), timedelta(minutes=10)).map(lambda span: NOW + span)
small, large = st.none() | st.integers(0, 2**31 - 1), st.none() | st.integers(0, 2**63 - 1)
ticks = st.builds(
    Tick, text, text, near, st.just("status"), st.none() | st.booleans(), small, large, large, small
)  # fmt: skip
money, units = st.integers(-(2**63), 2**63 - 1), st.none() | st.integers(0, 2**31 - 1)
facts = st.one_of(
    st.builds(Change, text, text, instants, st.integers(1, 2**31 - 1), st.sampled_from(["opened", "closed"]), instants,
              text, st.binary(max_size=20)),
    st.builds(BlindSpan, text, text, instants, text, st.none() | text, st.none() | instants),
    st.builds(Sale, feed=text, platform=text, event_id=text, at=instants, received_at=instants,
              kind=st.sampled_from(["paid", "gift"]), amount_minor=money, currency=text, room=st.none() | text,
              units=units, buyer=st.none() | st.binary(max_size=9),
              items=st.lists(st.builds(SaleItem, text, st.none() | text, units, st.none() | money), max_size=3)
              .map(tuple)),
    st.builds(Quarantined, text, st.sampled_from(["frame", "tick"]), text, instants, text, st.binary(max_size=20)),
)  # fmt: skip


@steady
@given(st.lists(st.tuples(st.integers(1, 2**31 - 1), ticks), max_size=40))
def test_ticks_come_back_as_they_were(rows):
    packed = pack_ticks(rows, NOW)
    assert (packed.rows, packed.refused) == (len(rows), [])
    batches = list(ticks_batches([packed], NOW))
    cut = [row for batch in batches for row in cut_rows(batch.payload)]
    assert b"".join(cut) == packed.payload
    bare = [
        (room, Tick("", "", t.at, "status", t.live, t.viewers, t.views_total, t.likes_total, t.kbps))
        for room, t in rows
    ]
    assert [tick_of(row) for row in cut] == bare
    for batch in batches:
        assert batch.header.counts == {"tick": len(rows)}
        assert (batch.header.from_at, batch.header.to_at) == (min(t.at for _, t in rows), max(t.at for _, t in rows))
        assert decode_header(encode_header(batch.header)) == batch.header
    for room, tick in rows:
        assert revive(keep_tick(room, tick, "", NOW).payload).ticks == [(room, tick)]


numbers = st.one_of(st.none(), st.integers(), st.floats(), st.booleans(), st.text(max_size=3))
stamps = near | instants | st.datetimes() | st.none()
strange = st.builds(
    Tick, text, text, stamps, st.just("status"), st.none() | st.booleans(), numbers, numbers, numbers, numbers
)  # fmt: skip


@steady
@given(st.lists(st.tuples(st.integers() | st.none(), strange), max_size=10))
def test_of_hostile_ticks_each_is_a_row_or_refused_with_a_reason_and_spoils_no_other(rows):
    good = (1, Tick("", "", NOW, "status", True, 7))
    packed = pack_ticks([*rows, good], NOW)
    assert packed.rows + len(packed.refused) == len(rows) + 1
    assert len(cut_rows(packed.payload)) == packed.rows
    assert tick_of(cut_rows(packed.payload)[-1]) == good
    assert all(reason for _, _, reason in packed.refused)


@steady
@given(st.lists(facts, max_size=8))
def test_facts_come_back_as_they_were(rows):
    batches = list(facts_batches(rows, NOW))
    assert [fact for batch in batches for fact in facts_of(batch)] == rows
    for fact in rows:
        if isinstance(fact, Quarantined):
            with pytest.raises(CannotRevive):
                revive(keep_fact(fact, "", NOW).payload)
        else:
            heard = revive(keep_fact(fact, "", NOW).payload)
            assert len(heard.changes) + len(heard.spans) + len(heard.sales) == 1


def test_no_batch_is_longer_than_it_may_be():
    fact = BlindSpan("hall", "nginx_rtmp", NOW, "timeout")
    sizes = [batch.header.counts["change"] for batch in facts_batches([fact] * (2 * ROWS_MAX + 1), NOW)]
    assert sizes == [ROWS_MAX, ROWS_MAX, 1]
    tick = (1, Tick("", "", NOW, "status", True, 7))
    packed = [pack_ticks([tick] * 800, NOW) for _ in range(13)]
    sizes = [batch.header.counts["tick"] for batch in ticks_batches(packed, NOW)]
    assert max(sizes) <= ROWS_MAX
    assert sum(sizes) == 13 * 800


header = encode_header(next(ticks_batches([pack_ticks([(1, Tick("", "", NOW, "status"))], NOW)], NOW)).header)
payload = next(facts_batches([BlindSpan("hall", "nginx_rtmp", NOW, "timeout")], NOW)).payload
hostile = st.one_of(
    st.binary(max_size=200),
    *(
        st.tuples(st.just(raw), st.integers(0, len(raw) - 1), st.binary(min_size=1, max_size=3)).map(
            lambda cut: cut[0][: cut[1]] + cut[2] + cut[0][cut[1] + 1 :]
        )
        for raw in (header, payload)
    ),
)


@settings(steady, max_examples=1_000)
@given(hostile)
@example(b"\x91" * 100_000)
@example(b"\x81\xa6format" + b"\xcf" + b"\xff" * 8)
def test_any_bytes_are_a_batch_or_named_as_damaged(raw):
    known = decode_header(header)
    for read in (decode_header, lambda raw: facts_of(Batch(known, raw)), revive):
        try:
            read(raw)
        except (BatchDamaged, BatchTooNew, CannotRevive):
            pass
