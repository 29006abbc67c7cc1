"""Schedules: times as people write them, every message, and what an import replaces in a real PostgreSQL."""

import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from monitor.facts import RosterRoom, Slot
from monitor.problem import ConfigError
from monitor.roster import import_rooms, read_roster
from monitor.roster_file import read_roster_file
from monitor.schedule import import_slots, plan_schedule
from monitor.schedule_file import ScheduleFile, read_schedule_file

ZONE = ZoneInfo("Asia/Shanghai")
HEADER = "platform,room,starts_at,ends_at\n"
ROOMS = {("wechat", "1"): RosterRoom(1, "wechat", "1"), ("wechat", "2"): RosterRoom(2, "wechat", "2", active=False)}


def read(text: str | bytes, zone: ZoneInfo = ZONE) -> ScheduleFile:
    return read_schedule_file(text if isinstance(text, bytes) else text.encode(), "s.csv", zone)


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-19 20:00", utc(19, 12)),
        ("2026/11/19 20:00:00", utc(19, 12)),
        ("2026.11.19  8:05", utc(19, 0, 5)),
        ("2026年11月19日 20:00", utc(19, 12)),
        ("２０２６－１１－１９ ２０：００", utc(19, 12)),
        ("2026-11-19T20:00+08:00", utc(19, 12)),
        ("2026-11-19T20:00:00.000+0530", utc(19, 14, 30)),
        ("2026-11-19 12:00Z", utc(19, 12)),
        ("2026-11-19 00:00 -03:00", utc(19, 3)),
        ("2026-11-18 24:00", utc(18, 16)),
    ],
)
def test_times_as_people_write_them(written, meant):
    file = read(f"平台,直播间,开始,结束\nwechat,1,{written},2026-12-01 00:00\n")
    assert file.problems == ()
    assert file.slots[0].starts_at == meant
    assert file.slots[0].starts_at.tzinfo is UTC


def test_a_spreadsheet_gives_its_own_times():
    book, file = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["平台", "直播间", "开始时间", "结束时间"])
    book.active.append(["wechat", 123456, datetime(2026, 11, 19, 20, 30), "2026-11-19 23:00"])  # noqa: DTZ001
    book.save(file)
    slot = read(file.getvalue()).slots[0]
    assert (slot.external_id, slot.starts_at, slot.ends_at) == ("123456", utc(19, 12, 30), utc(19, 15))


NO_TIME = "is no date with a time; write it as 2026-11-19 20:00"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("wechat,1,2026-11-19,2026-11-20 00:00\n", f"s.csv:2: starts_at '2026-11-19' {NO_TIME}"),
        ("wechat,1,20:00,2026-11-20 00:00\n", f"s.csv:2: starts_at '20:00' {NO_TIME}"),
        ("wechat,1,2026-11-19 20:00,\n", f"s.csv:2: ends_at '' {NO_TIME}"),
        (
            "wechat,1,2026-11-19 20:00,2026-11-31 00:00\n",
            "s.csv:2: ends_at '2026-11-31 00:00' is no date of the calendar;",
        ),
        (
            "wechat,1,2026-11-19 20:00,2026-11-19 24:01\n",
            "s.csv:2: ends_at '2026-11-19 24:01' is no date of the calendar;",
        ),
        (
            "wechat,1,1026-11-19 20:00,2026-11-19 21:00\n",
            "s.csv:2: starts_at '1026-11-19 20:00' is not in this century;",
        ),
        (
            "wechat,1,2026-11-19T20:00+99:00,2026-11-19 21:00\n",
            "s.csv:2: starts_at '2026-11-19T20:00+99:00' has no possible offset; write it as +08:00",
        ),
        (
            "wechat,1,2026-11-19 20:00,2026-11-19 01:00\n",
            "s.csv:2: ends_at '2026-11-19 01:00' is not after starts_at; a broadcast past midnight ends on",
        ),
        (
            "wechat,1,2026-11-19 20:00,2027-11-19 01:00\n",
            "s.csv:2: the broadcast lasts more than 31 days; correct the date of starts_at or ends_at",
        ),
        (
            "wechat,1.23457E+18,2026-11-19 20:00,2026-11-19 21:00\n",
            "s.csv:2: room '1.23457E+18' is what Excel leaves of a long number, its digits are lost; format the column",
        ),
        (
            "wechat,1,2026-11-19 20:00,2026-11-19 22:00\nwechat,1,2026-11-19 23:00,2026-11-19 23:30\n"
            "wechat,1,2026-11-19 21:59,2026-11-19 22:10\n",
            "s.csv:4: overlaps with the broadcast of room '1' at line 2; correct the times, or remove one of the two",
        ),
        (
            "wechat,1,2026-11-19 20:00,2026-11-19 22:00\nwechat,1,2026-11-19 20:00,2026-11-19 22:00\n",
            "s.csv:3: overlaps with the broadcast of room '1' at line 2; correct the times, or remove one of the two",
        ),
    ],
)
def test_each_error_names_its_line_and_what_to_do(rows, message):
    problems = read(HEADER + rows).problems
    assert len(problems) == 1
    assert str(problems[0]).startswith(message)


def test_all_four_columns_are_required():
    assert [str(problem) for problem in read("platform,room,开始\n").problems] == [
        "s.csv:1: required column ends_at is missing; add it to the row of headings"
    ]


def test_a_time_that_the_clocks_jump_over_is_refused():
    problems = read(HEADER + "x,1,2026-03-29 02:30,2026-03-29 05:00\n", ZoneInfo("Europe/Berlin")).problems
    assert [str(problem) for problem in problems] == [
        "s.csv:2: starts_at '2026-03-29 02:30' does not exist in Europe/Berlin; "
        "clocks are put forward there; add an offset"
    ]


def test_broadcasts_may_follow_each_other_without_a_break_and_run_at_once_in_two_rooms():
    rows = "wechat,1,2026-11-19 20:00,2026-11-19 21:00\nwechat,1,2026-11-19 21:00,2026-11-19 22:00\n"
    assert read(HEADER + rows + rows.replace(",1,", ",2,")).problems == ()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "wechat,9,2026-11-19 20:00,2026-11-19 21:00\n",
            "s.csv:2: room '9' of wechat is not in the roster; correct the id, or import the room with",
        ),
        (
            "wechat,2,2026-11-19 20:00,2026-11-19 21:00\n",
            "s.csv:2: room '2' of wechat is retired from the roster; correct",
        ),
        (
            "wechat,1,2026-11-19 20:00,2026-11-19 21:00\n",
            "s.csv:2: overlaps with the broadcast that is planned from 2026-11-19 18:00 to 2026-11-19 20:30; that",
        ),
    ],
)
def test_each_row_must_fit_the_roster_and_what_stays(row, message):
    present = [Slot(1, utc(19, 10), utc(19, 12, 30))]
    with pytest.raises(ConfigError) as refused:
        plan_schedule(read(HEADER + row).slots, ROOMS, present, file="s.csv", zone=ZONE)
    assert [str(problem)[: len(message)] for problem in refused.value.problems] == [message]


async def load(conn, rows, **choices):
    return await import_slots(conn, read(HEADER + rows).slots, file="s.csv", zone=ZONE, **choices)


async def planned(conn):
    _, rooms, slots = await read_roster(conn)
    name = {room.room_id: room.external_id for room in rooms}
    return {(name[slot.room_id], slot.starts_at, slot.ends_at) for slot in slots}


@pytest.mark.real
async def test_an_import_replaces_the_named_rooms_from_its_first_start_on(database):
    conn = await database.connect()
    await import_rooms(
        conn, read_roster_file(b"platform,room\nwechat,1\nwechat,2\n", "r").rooms, by_whom="li", source="r"
    )
    await load(
        conn,
        "wechat,1,2026-11-18 20:00,2026-11-18 22:00\nwechat,1,2026-11-19 20:00,2026-11-19 22:00\n"
        "wechat,1,2026-11-20 20:00,2026-11-20 22:00\nwechat,2,2026-11-20 20:00,2026-11-20 22:00\n",
    )
    before = await planned(conn)
    assert len(before) == 4
    rows = "wechat,1,2026-11-19 20:00,2026-11-19 23:00\nwechat,1,2026-11-21 20:00,2026-11-21 22:00\n"
    dry = await load(conn, rows, dry_run=True)
    assert await planned(conn) == before
    plan = await load(conn, rows)
    assert plan == dry
    assert (len(plan.added), len(plan.removed), plan.unchanged, plan.rooms) == (2, 2, 0, 1)
    assert await planned(conn) == {
        ("1", utc(18, 12), utc(18, 14)),
        ("1", utc(19, 12), utc(19, 15)),
        ("1", utc(21, 12), utc(21, 14)),
        ("2", utc(20, 12), utc(20, 14)),
    }


@pytest.mark.real
async def test_only_an_import_that_changes_something_moves_the_version(database):
    conn = await database.connect()
    await import_rooms(conn, read_roster_file(b"platform,room\nwechat,1\n", "r").rooms, by_whom="li", source="r")
    rows = "wechat,1,2026-11-19 20:00,2026-11-19 22:00\n"
    versions = []
    for dry_run in (True, False, False):
        await load(conn, rows, dry_run=dry_run)
        versions.append((await read_roster(conn))[0])
    assert versions == [1, 2, 2]


@pytest.mark.real
async def test_one_bad_row_and_nothing_is_loaded(database):
    conn = await database.connect()
    await import_rooms(conn, read_roster_file(b"platform,room\nwechat,1\n", "r").rooms, by_whom="li", source="r")
    with pytest.raises(ConfigError, match="room '9' of wechat is not in the roster"):
        await load(conn, "wechat,1,2026-11-19 20:00,2026-11-19 22:00\nwechat,9,2026-11-19 20:00,2026-11-19 22:00\n")
    assert await read_roster(conn) == (1, (await read_roster(conn))[1], [])
