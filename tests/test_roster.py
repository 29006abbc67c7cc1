"""The roster in a real PostgreSQL: imports, replacements, undo, the log, and what a running monitor reads of it."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from monitor.facts import RosterRoom
from monitor.problem import ConfigError
from monitor.roster import adopt, fill_empty, import_rooms, read_roster, undo
from monitor.roster_file import Listed, read_roster_file
from monitor.roster_plan import RosterFull, RosterRefused, plan_import, totals
from monitor.roster_text import change_lines, count_line, export_csv, totals_line

pytestmark = pytest.mark.real

THREE = "平台,直播间,主播,场馆,粉丝\nwechat,1,甲,A,100\nwechat,2,乙,A,200\ndoudian,9,甲,B,150\n"


def rooms_of(text: str) -> tuple[Listed, ...]:
    file = read_roster_file(text.encode(), "r.csv")
    assert file.problems == ()
    return file.rooms


def many(count: int, hall: str = "A") -> tuple[Listed, ...]:
    return rooms_of("platform,room,hall\n" + "".join(f"wechat,{number},{hall}\n" for number in range(count)))


async def load(conn, text, **choices):
    return await import_rooms(conn, rooms_of(text), by_whom="li", source="r.csv", **choices)


async def roster(conn):
    """The active rooms by key, without their ids."""
    _, rooms, _ = await read_roster(conn)
    return {(room.platform, room.external_id): room for room in rooms if room.active}


async def test_an_import_adds_and_changes_and_a_room_keeps_its_id(database):
    conn = await database.connect()
    first = await load(conn, THREE)
    before = await roster(conn)
    second = await load(conn, "platform,room,hall,tier\nwechat,2,C,3\nwechat,3,C,\n")
    after = await roster(conn)
    assert count_line(first.plan) == "3 added, 0 changed, 0 retired, 0 unchanged"
    assert count_line(second.plan) == "1 added, 1 changed, 0 retired, 2 unchanged"
    assert (first.version, second.version) == (1, 2)
    changed = msgspec.structs.replace(
        before["wechat", "2"], hall="C", tier=3
    )  # the columns that the file has not: kept
    assert after == before | {("wechat", "2"): changed, ("wechat", "3"): after["wechat", "3"]}
    assert (changed.anchor, changed.broadcaster, changed.fans) == ("乙", "乙", 200)


async def test_the_same_file_again_changes_nothing_and_moves_no_version(database):
    conn = await database.connect()
    await load(conn, THREE)
    before = await read_roster(conn)
    again = await load(conn, THREE, replace=True)
    assert again.plan.moves == ()
    assert await read_roster(conn) == before
    assert await conn.fetchval("SELECT count(*) FROM roster_change") == 2


async def test_a_dry_run_tells_all_and_writes_nothing(database):
    conn = await database.connect()
    await load(conn, THREE)
    before = await read_roster(conn)
    dry = await load(conn, "platform,room,主播\nwechat,1,丁\nwechat,3,戊\n", replace=True, dry_run=True)
    assert dry.change_id is None
    assert await read_roster(conn) == before
    assert await conn.fetchval("SELECT count(*) FROM roster_change") == 1
    told = list(change_lines(dry.plan, None))
    assert told[:2] == ["+ wechat 3  戊", "~ wechat 1  anchor 甲 -> 丁, broadcaster 甲 -> 丁"]
    assert sorted(told[2:]) == ["- doudian 9  甲", "- wechat 2  乙"]
    assert list(change_lines(dry.plan, 1))[2:4][1] == "- ... and 1 more (--all shows them)"


async def test_replace_retires_what_is_not_listed_and_asks_when_that_is_much(database):
    conn = await database.connect()
    await import_rooms(conn, many(100), by_whom="li", source="r.csv")
    five = await import_rooms(conn, many(95), by_whom="li", source="r.csv", replace=True)
    assert len(five.plan.retired) == 5
    with pytest.raises(RosterRefused, match="5 of 95 active rooms are not in the file and would be retired; look at"):
        await import_rooms(conn, many(90), by_whom="li", source="r.csv", replace=True)
    assert len(await roster(conn)) == 95
    await import_rooms(conn, many(90), by_whom="li", source="r.csv", replace=True, yes=True)
    assert len(await roster(conn)) == 90


async def test_a_retired_room_that_is_listed_again_comes_back_under_its_id(database):
    conn = await database.connect()
    await load(conn, THREE)
    before = await roster(conn)
    await load(conn, "platform,room\nwechat,1\n", replace=True, yes=True)
    back = await load(conn, "platform,room\nwechat,2\n")
    assert len(back.plan.added) == 1
    assert (await roster(conn))["wechat", "2"] == before["wechat", "2"]


async def test_undo_takes_back_one_change_after_the_other(database):
    conn = await database.connect()
    await load(conn, THREE)
    one = await roster(conn)
    await load(conn, "platform,room,hall\nwechat,1,Z\nwechat,7,Z\n")
    two = await roster(conn)
    await load(conn, "platform,room,hall\nwechat,2,Y\n", replace=True, yes=True)
    assert len(await roster(conn)) == 1
    await undo(conn, by_whom="wang")
    assert await roster(conn) == two
    await undo(conn, by_whom="wang")
    assert await roster(conn) == one
    await undo(conn, by_whom="wang")
    assert await roster(conn) == {}
    with pytest.raises(RosterRefused, match="there is no change of the roster left to undo"):
        await undo(conn, by_whom="wang")
    assert (await read_roster(conn))[0] == 6  # each of them moved the version: a running monitor follows


async def test_undo_is_itself_logged_and_a_dry_one_is_not(database):
    conn = await database.connect()
    await load(conn, THREE)
    dry = await undo(conn, by_whom="wang", dry_run=True)
    assert len(dry.plan.retired) == 3
    assert len(await roster(conn)) == 3
    done = await undo(conn, by_whom="wang")
    row = await conn.fetchrow("SELECT * FROM roster_change WHERE roster_change_id = $1", done.change_id)
    assert (row["action"], row["by_whom"], row["undoes"], row["retired"]) == ("undo", "wang", 1, 3)
    assert row["source"] == "import 1 of r.csv by li"


async def test_the_log_keeps_each_room_before_and_after(database):
    conn = await database.connect()
    await load(conn, THREE)
    await load(conn, "platform,room,hall\nwechat,1,Z\nwechat,7,Z\n")
    rows = await conn.fetch(
        "SELECT before ->> 'hall' AS old, after ->> 'hall' AS new, after ->> 'external_id' AS room,"
        " (after ->> 'room_id')::int = room_id AS own FROM roster_change_room WHERE roster_change_id = 2 ORDER BY room"
    )
    assert [tuple(row) for row in rows] == [("A", "Z", "1", True), (None, "Z", "7", True)]


async def test_adopt_takes_in_what_a_feed_sees_with_its_hall(database):
    conn = await database.connect()
    await conn.execute(
        "INSERT INTO feed (feed, kind, platform, hall, signals) VALUES ('hall-a', 'srs', 'srs', 'A', '{live}')"
    )
    await conn.execute(
        "INSERT INTO room_unlisted (feed, platform, external_id, first_at, last_at)"
        " VALUES ('hall-a', 'srs', 'live/x', now(), now()), ('hall-b', 'srs', 'live/x', now(), now()),"
        " ('hall-a', 'srs', 'live/y', now(), now())"
    )
    await adopt(conn, "hall-a", "live/x", by_whom="li")
    room = (await roster(conn))["srs", "live/x"]
    assert room.hall == "A"
    assert [row["external_id"] for row in await conn.fetch("SELECT external_id FROM room_unlisted")] == ["live/y"]
    await undo(conn, by_whom="li")
    assert await roster(conn) == {}
    with pytest.raises(RosterRefused, match=r"feed 'hall-a' saw no unlisted room 'live/z'; livemon sql"):
        await adopt(conn, "hall-a", "live/z", by_whom="li")


@pytest.mark.parametrize("room", ["a\nb", "a\u202eb", " a", "x" * 129, ""])
async def test_an_id_that_a_file_may_not_hold_is_not_adopted_either(database, room):
    conn = await database.connect()
    await conn.execute(
        "INSERT INTO room_unlisted (feed, platform, external_id, first_at, last_at)"
        " VALUES ('hall-a', 'srs', $1, now(), now())",
        room,
    )
    with pytest.raises(RosterRefused, match="let the publisher use another name"):
        await adopt(conn, "hall-a", room, by_whom="li")
    assert await roster(conn) == {}


async def test_imports_at_the_same_time_take_turns(database):
    async def one(number):
        conn = await database.connect()
        await import_rooms(conn, many(60, hall=f"H{number}"), by_whom=f"p{number}", source="r.csv", replace=True)
        await conn.close()

    await asyncio.gather(*(one(number) for number in range(6)))
    conn = await database.connect()
    rows = await conn.fetch("SELECT by_whom, added, changed FROM roster_change ORDER BY roster_change_id")
    assert [(row["added"], row["changed"]) for row in rows] == [(60, 0)] + [(0, 60)] * 5
    halls = {room.hall for room in (await roster(conn)).values()}
    assert halls == {rows[-1]["by_whom"].replace("p", "H")}
    # Each change began where the one before it ended.
    broken = await conn.fetchval(
        "SELECT count(*) FROM roster_change_room AS b JOIN roster_change_room AS a"
        " ON a.room_id = b.room_id AND a.roster_change_id = b.roster_change_id - 1 WHERE a.after <> b.before"
    )
    assert broken == 0


async def test_12_000_rooms(database):
    conn = await database.connect()
    outcome = await import_rooms(conn, many(12_000), by_whom="li", source="r.csv")
    assert len(outcome.plan.added) == 12_000
    assert await conn.fetchval("SELECT count(*) FROM room WHERE active") == 12_000
    assert await conn.fetchval("SELECT count(DISTINCT room_id) FROM roster_change_room") == 12_000


async def test_the_roster_is_capped_at_load(database):
    conn = await database.connect()
    await import_rooms(conn, many(5), by_whom="li", source="r.csv", rooms_max=5)
    with pytest.raises(RosterFull, match="the roster would hold 6 active rooms, and at most 5 are allowed; retire"):
        await import_rooms(conn, many(6), by_whom="li", source="r.csv", rooms_max=5)
    assert len(await roster(conn)) == 5


async def test_an_export_imported_again_changes_nothing(database):
    conn = await database.connect()
    odd = (
        'platform,room,anchor,contact,notes,tier,fans\nwechat,-1,=1+1,+86138,"a,""b""",9,0\nsrs,live/房间,\'=x,@me,,,\n'
    )
    await load(conn, odd + "wechat,1234567890123456789,甲 乙,0012,,1,\n")
    before = await read_roster(conn)
    for exported in (export_csv(before[1]), export_csv(before[1], for_excel=True)):
        assert exported.startswith(b"\xef\xbb\xbfplatform,room,anchor")
        assert b",=" not in exported
        again = await load(conn, exported.decode("utf-8-sig"), replace=True)
        assert again.plan.moves == ()
    assert b"\t1234567890123456789" in export_csv(before[1], for_excel=True)
    assert await read_roster(conn) == before


async def test_a_roster_file_fills_an_empty_database_only(database, tmp_path: Path):
    conn = await database.connect()
    path = tmp_path / "roster.csv"
    path.write_bytes(THREE.encode("gb18030"))
    filled = await fill_empty(conn, path)
    assert filled is not None
    assert len(await roster(conn)) == 3
    path.write_text("platform,room\nwechat,77\n")
    assert await fill_empty(conn, path) is None
    await load(conn, "platform,room\nwechat,5\n", replace=True, yes=True)
    assert await fill_empty(conn, path) is None  # retired rooms are rooms
    assert list(await roster(conn)) == [("wechat", "5")]


async def test_a_bad_roster_file_fills_nothing(database, tmp_path: Path):
    conn = await database.connect()
    path = tmp_path / "roster.csv"
    path.write_text("platform,room\nwechat,1\nwechat,1.23457E+18\n")
    with pytest.raises(ConfigError, match=r"roster\.csv:3: room '1\.23457E\+18'"):
        await fill_empty(conn, path)
    path.write_text("platform,room\nwechat,1\nwechat,2\n")
    with pytest.raises(ConfigError, match=r"roster\.csv:1: the roster would hold 2 active rooms"):
        await fill_empty(conn, path, rooms_max=1)
    assert await read_roster(conn) == (0, [], [])


def test_people_and_their_fans_are_counted_once_in_all_their_rooms():
    rooms = plan_import([], rooms_of(THREE + "wechat,3,,A,7\nwechat,4,,A,\n")).rooms
    counts = totals(rooms)
    assert counts.rooms == {"doudian": 1, "wechat": 4}
    assert counts.broadcasters == 4  # 甲 in two rooms, 乙, and two rooms that name nobody
    assert counts.fans == 150 + 200 + 7
    assert totals_line(rooms) == "roster: 5 active rooms (doudian 1, wechat 4), 4 broadcasters, 357 fans"


def test_a_retired_room_counts_for_nobody():
    assert totals([RosterRoom(1, "wechat", "1", broadcaster="甲", fans=5, active=False)]).broadcasters == 0


def test_an_anchor_without_a_name_of_its_own_follows_the_broadcaster():
    def named(present, text):
        return plan_import(present, rooms_of(text)).rooms[0]

    first = named([], "platform,room,broadcaster\nwechat,1,甲\n")
    assert first.anchor == "甲"
    assert named([first], "platform,room,broadcaster\nwechat,1,乙\n").anchor == "乙"
    own = named([first], "platform,room,anchor\nwechat,1,小甲\n")
    assert (own.anchor, own.broadcaster) == ("小甲", "甲")
    assert named([own], "platform,room,broadcaster\nwechat,1,乙\n").anchor == "小甲"
