"""`livemon quarantine` as a person runs it, and what the monitor's chores make of it in a real database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from collectors.frames import decode_lines
from collectors.tick import Sale, Tick
from monitor import config
from monitor.chores import Chores
from monitor.cli import main
from monitor.facts import Change, Heard, Quarantined, RosterRoom
from monitor.live.watch import Watch
from monitor.store.apply import Connection
from monitor.store.cipher import Cipher
from monitor.store.store import Store
from tests.postgres import FreshDatabase
from tests.store.way import Counted, add_rooms, connecting, heard_ticks, running, settled
from tests.test_roster_commands import settle

pytestmark = pytest.mark.real

EVENING = Path(__file__).parent / "feeds/nginx_rtmp/one_evening/frames.jsonl"
FEED = '\n[[feed]]\nkind = "nginx_rtmp"\nname = "hall"\nurl = "http://127.0.0.1:1/stat"\n'


@pytest.fixture
def place(database: FreshDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FreshDatabase:
    settle(database, tmp_path)
    with (tmp_path / "livemon.toml").open("a") as file:
        file.write(FEED)
    monkeypatch.chdir(tmp_path)
    return database


@asynccontextmanager
async def monitored(place: FreshDatabase, rooms: list[RosterRoom]) -> AsyncIterator[Store]:
    """The store with the monitor's own chores between its batches."""
    configured = config.load(Path("livemon.toml"))
    watch = Watch()
    watch.load(rooms, (), configured.feeds, datetime.now(UTC))

    async def tend(conn: Connection) -> None:
        await chores.tend(conn)

    async with running(Path("spool"), connecting(place), Counted(), tend=tend) as store:
        chores = Chores(configured, Path("livemon.toml"), watch, lambda *_: None, None, store.put_on_disk, 0)
        yield store


async def livemon(*arguments: str) -> int:
    """The command, beside the monitor that runs in this loop."""
    return await asyncio.to_thread(main, ["quarantine", *arguments])


async def ask(place: FreshDatabase, question: str) -> list[tuple[object, ...]]:
    conn = await place.connect("owner")
    try:
        return [tuple(row) for row in await conn.fetch(question)]
    finally:
        await conn.close()


async def until_done(place: FreshDatabase, store: Store) -> None:
    """Wait until the chores have carried out what was asked."""
    async with asyncio.timeout(15):
        while await ask(place, "SELECT 1 FROM quarantine WHERE state IN ('retry', 'drop')"):
            await asyncio.sleep(0.1)
    await settled(store)


async def test_a_poison_row_is_kept_then_tried_again_and_written_and_the_books_balance(place, capsys):
    rooms = await add_rooms(place, 5)
    await ask(place, "ALTER TABLE tick_raw ADD CONSTRAINT poison CHECK (viewers <> 666)")
    async with monitored(place, rooms) as store:
        good = heard_ticks(rooms)
        store.inbox.put(Heard(ticks=[*good.ticks, heard_ticks(rooms[:1], viewers=666).ticks[0]]))
        await settled(store)
        assert await ask(place, "SELECT count(*) FROM tick_raw") == [(5,)]
        [(number, reason)] = await ask(place, "SELECT quarantine_id, reason FROM quarantine WHERE state = 'kept'")
        assert "poison" in str(reason)
        assert await livemon("retry", str(number)) == 0  # too early: it comes back as another row, with its reason
        await until_done(place, store)
        [(again,)] = await ask(place, "SELECT quarantine_id FROM quarantine WHERE state = 'kept'")
        await ask(place, "ALTER TABLE tick_raw DROP CONSTRAINT poison")
        capsys.readouterr()
        assert await livemon("retry", "--all", "--reason", "poison", "--kind", "tick") == 0
        assert capsys.readouterr().out.startswith("1 row is to be tried again: the running monitor does it within")
        await until_done(place, store)
        book = store.sealer.standing.books["tick"]
    assert await ask(place, "SELECT count(*) FROM tick_raw WHERE viewers = 666") == [(1,)]
    assert (book.received, book.written, book.quarantined, book.difference) == (8, 6, 2, 0)
    states = await ask(place, "SELECT quarantine_id, state FROM quarantine ORDER BY 1")
    assert states == [(number, "retried"), (again, "retried")]
    capsys.readouterr()
    assert await livemon("retry", str(number)) == 1
    assert capsys.readouterr().out == f"row {number}: is retried\n"


async def test_a_frame_goes_back_to_its_parser_and_what_is_no_row_stays_with_the_reason(place, capsys):
    rooms = await add_rooms(place, 2)
    now = datetime.now(UTC)
    [frame] = [frame for frame, _ in list(decode_lines(EVENING.read_bytes().splitlines()))[2:3]]
    async with monitored(place, rooms) as store:
        store.inbox.put(
            Heard(
                quarantine=[
                    Quarantined("hall", "frame", "TypeError: a bug of ours", now, "<rtmp>", frame),
                    Quarantined("hall", "frame", "not_xml", now, "<html>登录", "<html>登录".encode()),
                    Quarantined("gone", "frame", "not_xml", now, "", b"<"),
                ]
            )
        )
        await settled(store)
        assert await livemon("retry", "--all") == 0
        await until_done(place, store)
    assert await ask(place, "SELECT room_id, viewers FROM tick_raw") == [(rooms[0].room_id, 2)]
    kept = await ask(place, "SELECT feed, state, reason FROM quarantine ORDER BY quarantine_id")
    assert [row[:2] for row in kept] == [("hall", "retried"), ("hall", "kept"), ("gone", "kept")]
    assert str(kept[1][2]).startswith("tried again, not a row: BadFrame: not_xml")
    assert kept[2][2] == "tried again, not a row: there is no feed gone now"


async def test_drop_deletes_nothing_and_asks_first(place, capsys):
    await add_rooms(place, 1)
    async with monitored(place, []) as store:
        store.inbox.put(Heard(quarantine=[Quarantined("hall", "frame", "not_xml", datetime.now(UTC), "", b"x")]))
        await settled(store)
        [(number,)] = await ask(place, "SELECT quarantine_id FROM quarantine")
        assert await livemon("drop", str(number)) == 1
        assert "say --yes" in capsys.readouterr().err
        assert await livemon("drop", str(number), "99", "--yes") == 1
        told = capsys.readouterr().out
        assert "row 99: there is none\n" in told
        assert "1 row is to be marked dropped" in told
        await until_done(place, store)
    assert await ask(place, "SELECT state, payload FROM quarantine") == [("dropped", b"x")]
    assert await livemon("list") == 0
    assert capsys.readouterr().out == "nothing here\n"
    assert await livemon("list", "--state", "all") == 0
    assert "dropped" in capsys.readouterr().out
    assert await livemon("retry", str(number)) == 0  # a person may think better of it


async def test_list_and_show_tell_all_and_nobody_who_bought(place, capsys, tmp_path):
    rooms = await add_rooms(place, 1)
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    sale = Sale(
        feed="doudian", platform="doudian", event_id="shop:7:paid", at=now, received_at=now, kind="paid",
        amount_minor=129_900, currency="CNY", buyer=b"hash-of-somebody",
    )  # fmt: skip
    bad = [Quarantined("hall", "frame", f"not_xml: 登录 {n}\x1b[31m", now, "\x1b]0;x", b"<html>") for n in (1, 2, 3)]
    ticks = [(rooms[0].room_id, Tick("hall", "live/room1", datetime.now(UTC), "status", True, -1))]
    unknown = [Change("nginx_rtmp", "nobody", now, 1, "opened", now, "status", b"state")]
    async with monitored(place, rooms) as store:
        store.inbox.put(Heard(quarantine=bad, ticks=ticks, changes=unknown, sales=[sale]))
        store.inbox.put(Heard(sales=[msgspec.structs.replace(sale, amount_minor=1)]))
        await settled(store)
    assert await livemon("list", "--limit", "3") == 0
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "6 rows in all; why:" in told
    assert "登录 3" in told
    assert await livemon("list", "--kind", "sale", "--feed", "doudian", "--reason", "another sale") == 0
    assert "shop:7:paid" in capsys.readouterr().out
    ids = dict(await ask(place, "SELECT kind, max(quarantine_id) FROM quarantine GROUP BY kind"))
    assert await livemon("show", str(ids["sale"])) == 0
    told = capsys.readouterr().out
    assert '"event_id":"shop:7:paid"' in told
    assert "buyer" not in told
    assert await livemon("show", str(ids["tick"])) == 0
    told = capsys.readouterr().out
    assert "negative count" in told
    assert f"row       [{rooms[0].room_id},{{" in told
    assert await livemon("show", str(ids["change"])) == 0
    assert '"room":"nobody"' in capsys.readouterr().out
    assert await livemon("show", str(ids["frame"]), "--raw", "raw.bin") == 0
    assert "\x1b" not in capsys.readouterr().out
    assert (tmp_path / "raw.bin").read_bytes() == b"<html>"
    assert (tmp_path / "raw.bin").stat().st_mode & 0o777 == 0o600
    assert await livemon("show", str(ids["frame"]), "--raw", "raw.bin") == 1
    assert await livemon("show", "9999") == 1


@pytest.mark.parametrize("words", [["retry"], ["retry", "1", "--all"], ["retry", "1", "--kind", "tick"]])
async def test_retry_takes_ids_or_all(place, capsys, words):
    assert await livemon(*words) == 1
    assert "give the ids, or --all" in capsys.readouterr().err


DELIVERY = Cipher([bytes(32)]).encrypt("收货人 王小明 13800138000".encode())


async def tended(place: FreshDatabase, at: datetime) -> None:
    """The chores, once, at this instant."""

    async def back(*row: object) -> Heard:
        return Heard()  # it is a frame again, and goes its way

    async def put(heard: Heard) -> None:
        assert not heard.facts

    configured = config.load(Path("livemon.toml"))
    chores = Chores(configured, Path("livemon.toml"), Watch(), lambda *_: None, None, put, 0, back, lambda: at)
    conn = await place.connect("writer")
    try:
        await chores.tend(conn)
    finally:
        await conn.close()


async def test_the_bytes_of_a_delivery_go_a_day_after_it_was_done_with_and_no_others(place, capsys):
    now, day = datetime.now(UTC), timedelta(days=1)
    kinds = [("frame", b"<html>"), ("frame", DELIVERY), ("sale", DELIVERY), ("frame", DELIVERY), ("frame", DELIVERY)]
    rows = [Quarantined("erp", kind, f"why {kind}", now, "a sample", payload) for kind, payload in kinds]
    async with running(Path("spool"), connecting(place), Counted()) as store:
        store.inbox.put(Heard(quarantine=rows))
        await settled(store)
    assert await livemon("drop", "1", "2", "--yes") == 0
    assert await livemon("retry", "3", "5") == 0
    await tended(place, now)
    whole = "SELECT quarantine_id FROM quarantine WHERE payload <> '' ORDER BY 1"
    states = "SELECT quarantine_id, state, reason, sample, erased_at FROM quarantine ORDER BY 1"
    before = await ask(place, states)
    assert [row[1] for row in before] == ["dropped", "dropped", "retried", "kept", "retried"]
    capsys.readouterr()
    assert await livemon("show", "2") == 0
    assert ", to be erased 20" in capsys.readouterr().out
    await tended(place, now + day - timedelta(seconds=1))
    assert [row[0] for row in await ask(place, whole)] == [1, 2, 3, 4, 5]
    assert await livemon("retry", "2") == 0  # a person thinks better of it, in time
    await tended(place, now + day)
    assert [row[0] for row in await ask(place, whole)] == [1, 2, 4]  # no delivery; asked for again; open
    await tended(place, now + 2 * day)
    assert [row[0] for row in await ask(place, whole)] == [1, 4]
    after = await ask(place, states)
    assert [row[2:4] for row in after] == [row[2:4] for row in before]
    assert [row[4] for row in after] == [None, now + 2 * day, now + day, None, now + day]
    await tended(place, now + 400 * day)
    assert [row[0] for row in await ask(place, whole)] == [1, 4]

    capsys.readouterr()
    assert await livemon("show", "3") == 0
    told = capsys.readouterr().out
    assert "bytes     erased 20" in told
    assert ", a day after it was retried" in told
    assert "a delivery that is gone: nothing is left to try again" in told
    assert await livemon("show", "3", "--raw", "raw.bin") == 1
    assert "the bytes of row 3 are gone: erased" in capsys.readouterr().err
    assert not Path("raw.bin").exists()
    await ask(place, "UPDATE quarantine SET state = 'dropped' WHERE quarantine_id = 3")
    assert await livemon("retry", "3", "4") == 1
    told = capsys.readouterr().out
    assert "row 3: is dropped, and its bytes were erased a day later: nothing is left to try again\n" in told
    assert "1 row is to be tried again" in told
    await ask(place, "UPDATE quarantine SET state = 'retry' WHERE quarantine_id = 5")  # past the command
    await tended(place, now + 3 * day)
    [(state, reason)] = await ask(place, "SELECT state, reason FROM quarantine WHERE quarantine_id = 5")
    assert (state, reason) == ("kept", "tried again, not a row: its bytes were erased")
