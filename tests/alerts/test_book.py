"""The book: what was answered is on disk with all that comes of it, once, whatever happens to the process."""

import asyncio
import itertools
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from monitor.alerts.alert import Episode
from monitor.alerts.book import Book, Entry
from monitor.alerts.book_file import BookRefused
from monitor.alerts.hearing import Hearing
from monitor.alerts.kept import DROPPED, Kept
from monitor.alerts.notice import Notice
from monitor.alerts.sight import BLIND, LIVE, OFFLINE
from monitor.alerts.sight import DROPPED as ROOM_DROPPED
from monitor.alerts.telling_facts import bring
from monitor.alerts.webhook import Group
from monitor.facts import AlertAction, AlertEpisode, Heard
from tests.alerts.hall import AT, Hall, alert, over
from tests.alerts.telling import Words, robot

ROOT = Path(__file__).parents[2]
NOTICE = Notice("test", "warning", "题", ("行",))
CRITICAL = Notice("firing", "critical", "题", episode=7)


@pytest.fixture
def book(tmp_path):
    opened = Book(tmp_path / "alerts")
    yield opened
    opened.close()


def kept(number: int = 1, **more) -> Kept:
    return Kept(Episode(number, alert(DROPPED, number)), AT, **more)


def put(book: Book, *notices: tuple[str, Notice, str]) -> None:
    book.write(Entry(messages=notices), AT)


# --- the outbox ------------------------------------------------------------------------------------------------------


def test_a_robot_is_told_each_key_once(book):
    put(book, ("a", NOTICE, "k"), ("a", CRITICAL, "k"), ("b", NOTICE, "k"), ("a", NOTICE, "l"))
    put(book, ("a", NOTICE, "k"))
    assert [(one.notice, one.tries, one.created_at, one.severity) for one in book.outbox.due("a", AT)] == [
        (NOTICE, 0, AT, "warning"),
        (NOTICE, 0, AT, "warning"),
    ]
    book.outbox.sent([one.id for one in book.outbox.due("a", AT)], AT)
    put(book, ("a", NOTICE, "k"))
    assert book.outbox.due("a", AT) == []
    assert book.outbox.sent_since("a", AT) == [AT]
    assert book.outbox.sent_since("a", AT + timedelta(seconds=1)) == []
    assert [one.robot for one in book.outbox.others(["a", "馆"])] == ["b"]
    assert book.outbox.others(["b"]) == []


def test_what_was_not_told_is_due_again_later_and_what_is_given_up_never(book):
    put(book, ("a", NOTICE, "k"), ("a", CRITICAL, "l"))
    first, second = (one.id for one in book.outbox.due("a", AT))
    book.outbox.again([first], AT + timedelta(seconds=30), "500")
    book.outbox.failed([second], "too old", AT)
    assert book.outbox.due("a", AT + timedelta(seconds=29)) == []
    (one,) = book.outbox.due("a", AT + timedelta(seconds=30))
    assert (one.id, one.tries) == (first, 1)
    book.outbox.sent([second], AT)  # a late answer
    assert len(book.outbox.due("a", AT + timedelta(days=1))) == 1


def test_critical_ones_are_never_behind_the_limit(book):
    put(book, *(("a", NOTICE, str(number)) for number in range(600)), ("a", CRITICAL, "c"))
    due = book.outbox.due("a", AT)
    assert len(due) == 500
    assert due[-1].notice == CRITICAL


def test_what_was_sent_is_forgotten_after_a_week_and_what_waits_never(book):
    put(book, ("a", NOTICE, "k"), ("a", NOTICE, "l"))
    book.outbox.sent([book.outbox.due("a", AT)[0].id], AT)
    book.prune(AT + timedelta(days=8))
    assert book.file.rows("SELECT key FROM message") == [("l",)]


# --- episodes and facts ----------------------------------------------------------------------------------------------


def test_an_episode_is_told_to_postgresql_when_it_begins_and_when_it_ends(book):
    one = kept()
    book.write(Entry([one]), AT)
    book.write(Entry([one.told(AT, ["a"])]), AT)
    ended = one.heard(over(one.alert, AT), AT).ended("recovered", AT)
    book.write(Entry([ended]), AT)
    facts = [fact for _, fact in book.facts()]
    assert [(fact.number, fact.ends_at, fact.outcome) for fact in facts] == [(1, None, ""), (1, AT, "recovered")]
    assert facts[0].labels == {"platform": "p", "room": "1"}


def test_an_action_is_written_once(book):
    action = AlertAction(AT, "acknowledged", "张三", "f", AT, "", AT + timedelta(minutes=10))
    book.act(1, action)
    book.act(1, action)
    assert [fact for _, fact in book.facts()] == [action]


def test_what_is_written_is_read_by_the_next_process(tmp_path):
    book = Book(tmp_path)
    long_ago = AT - timedelta(hours=6)
    past = kept(2).heard(over(kept(2).alert, AT), AT).ended("quiet", AT)
    older = kept(3).heard(over(kept(3).alert, long_ago), long_ago).ended("recovered", long_ago)
    one = kept(1, told_at=AT, told_to=("a", "b"), stop_at=AT)
    book.write(Entry([one, past, older], storms={"g": AT + timedelta(minutes=1)}), AT)
    book.close()
    again = Book(tmp_path)
    memory = again.memory(AT)
    assert (list(memory.open.values()), list(memory.past.values())) == ([one], [past])
    assert (memory.next_number, memory.storms) == (4, {"g": AT + timedelta(minutes=1)})
    assert again.episode(3) == older.episode
    assert again.episode(9) is None
    again.close()


def test_of_one_number_the_episode_that_goes_on_is_shown(book):
    first = kept().heard(over(kept().alert, AT), AT).ended("quiet", AT)
    goes_on = Kept(Episode(1, alert(DROPPED, 1, AT - timedelta(seconds=5))), AT)
    book.write(Entry([first, goes_on]), AT)
    assert book.episode(1) == goes_on.episode
    assert book.memory(AT).numbered(1) == goes_on


def test_a_number_is_never_given_twice(book):
    book.write(Entry([kept(41).ended("quiet", AT)]), AT)
    book.prune(AT + timedelta(days=40))
    assert book.file.rows("SELECT count(*) FROM episode") == [(0,)]
    assert book.memory(AT).next_number == 42


def test_a_person_s_word_is_kept_by_its_room_whether_or_not_there_was_an_alert(book):
    minute = timedelta(minutes=1)
    for at, room in ((AT, "馆/1"), (AT + minute, "2"), (AT + 2 * minute, "馆/1")):
        book.end_room("p", room, at)
    assert book.ended_by_people(AT) == [(("p", "2"), AT + minute), (("p", "馆/1"), AT + 2 * minute)]
    assert book.ended_by_people(AT + 2 * minute) == [(("p", "馆/1"), AT + 2 * minute)]
    book.prune(AT + timedelta(days=30) + 2 * minute)
    assert book.file.rows("SELECT room FROM ended_room") == [("馆/1",)]


# --- the file --------------------------------------------------------------------------------------------------------


def test_nobody_else_may_read_it_and_nobody_may_open_it_twice(tmp_path, book):
    path = tmp_path / "alerts" / "alerts.sqlite"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert book.file.rows("PRAGMA synchronous") == [(2,)]
    with pytest.raises(BookRefused):
        Book(tmp_path / "alerts")


@pytest.mark.parametrize("garbage", [b"no database at all" * 100, None])
def test_a_damaged_book_is_set_aside_and_a_new_one_begun(tmp_path, garbage, caplog):
    book = Book(tmp_path)
    book.write(Entry([kept(number) for number in range(1, 200)]), AT)
    book.close()
    path = tmp_path / "alerts.sqlite"
    raw = path.read_bytes()
    path.write_bytes(garbage or raw[:8_192] + os.urandom(8_192) + raw[16_384:])
    again = Book(tmp_path)
    assert again.memory(AT).next_number == 1
    assert "set aside" in caplog.text
    assert len(list(tmp_path.glob("damaged-*-alerts.sqlite"))) == 1
    again.close()


def test_a_transaction_that_fails_leaves_nothing(book):
    book.file.sql.execute("PRAGMA max_page_count = 20")
    with pytest.raises(BookRefused):
        book.write(Entry([kept(number) for number in range(2_000)], [("a", NOTICE, "k")]), AT)
    assert book.file.rows("SELECT count(*) FROM episode") == [(0,)]
    book.file.sql.execute("PRAGMA max_page_count = 100000")
    book.write(Entry([kept()], [("a", NOTICE, "k")]), AT)


# --- hearing ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def hall(tmp_path):
    world = Hall()
    robots = [robot("3", hall="3"), robot("rest", "en")]
    world.hearing = Hearing(Book(tmp_path / "alerts"), world.sight, robots, Words(), lambda: world.now)
    yield world
    await world.hearing.close()


async def told(hall: Hall, name: str) -> list[tuple[str, str, tuple[str, ...]]]:
    due = await hall.hearing.due(name, hall.now)
    await hall.hearing.sent([one.id for one in due], hall.now)
    return [(one.notice.kind, one.notice.title, one.notice.lines) for one in due]


async def test_from_a_word_of_alertmanager_to_the_robots_and_back(hall):
    hall.stand([1, 2], ROOM_DROPPED, hall="3")
    hall.stand(3, ROOM_DROPPED)
    drops = [alert(DROPPED, room) for room in (1, 2, 3)]
    await hall.hearing.hear(Group("g", {}, tuple(drops), truncated=4))
    await hall.hearing.hear(Group("g", {}, tuple(drops), truncated=4))
    assert await told(hall, "3") == [("firing", "zh 6 of 3", ("#1", "#2"))]
    assert await told(hall, "rest") == [("firing", "en 5 of 3", ("#3",))]
    assert [episode.number for episode in await hall.hearing.open_episodes()] == [1, 2, 3]
    hall.stand([1, 2, 3], LIVE)
    await hall.hearing.hear(Group("g", {}, tuple(over(drop, hall.now) for drop in drops)))
    assert await told(hall, "3") == [("recovered", "zh", ("#1", "#2"))]
    assert await told(hall, "rest") == [("recovered", "en", ("#3",))]
    assert (await hall.hearing.episode(2)).end == "recovered"


async def test_what_the_disk_refuses_was_not_heard_and_is_told_when_it_is_heard_again(hall):
    hall.stand(range(2_000), ROOM_DROPPED)
    drops = tuple(alert(DROPPED, room) for room in range(2_000))
    hall.hearing._book.file.sql.execute("PRAGMA max_page_count = 20")
    with pytest.raises(BookRefused):
        await hall.hearing.hear(Group("g", {}, drops))
    assert await hall.hearing.open_episodes() == []
    hall.hearing._book.file.sql.execute("PRAGMA max_page_count = 1000000")
    await hall.hearing.hear(Group("g", {}, drops))
    assert [title for _, title, _ in await told(hall, "rest")] == ["en 2000 of 2000"]


async def test_one_that_is_cut_off_half_way_leaves_no_gap_between_book_and_memory(hall):
    hall.stand(range(500), ROOM_DROPPED)
    for room in range(50):
        task = asyncio.ensure_future(hall.hearing.hear(Group("g", {}, (alert(DROPPED, room),))))
        for _ in range(room % 3 + 1):
            await asyncio.sleep(0)
        task.cancel()
    await hall.hearing.hear()
    numbers = [episode.number for episode in await hall.hearing.open_episodes()]
    rows = hall.hearing._book.file.rows("SELECT number FROM episode ORDER BY number")
    assert sorted(numbers) == [row[0] for row in rows] == sorted(set(numbers))
    assert len(numbers) > 30


async def test_duty_may_end_what_alertmanager_hides_and_say_what_was_done(hall):
    hall.stand(1, ROOM_DROPPED)
    await hall.hearing.hear(Group("g", {}, (alert(DROPPED, 1),)))
    await hall.hearing.acted(1, "acknowledged", hall.now, "张三", "去看了", hall.now + timedelta(minutes=10))
    await hall.hearing.acted(1, "acknowledged", hall.now, "张三", "去看了", hall.now + timedelta(minutes=10))
    with pytest.raises(ValueError, match="no action"):
        await hall.hearing.acted(1, "drank tea", hall.now, "张三", "", None)
    hall.stand(1, BLIND)
    await hall.hearing.stopped([alert(DROPPED, 1).fingerprint])
    await hall.hearing.hear()
    assert await told(hall, "rest") == [("firing", "en 1 of 1", ("#1",))]
    hall.stand(1, OFFLINE)
    await hall.hearing.hear()
    assert await told(hall, "rest") == [("not_recovered", "en", ("#1",))]


async def test_what_a_person_ended_is_not_said_not_to_have_recovered(hall):
    hall.stand(1, ROOM_DROPPED)
    await hall.hearing.hear(Group("g", {}, (drop := alert(DROPPED, 1),)))
    await told(hall, "rest")
    hall.stand(1, OFFLINE)
    await hall.hearing.acted(1, "ended", hall.now, "张三", "下播了", None)
    await hall.hearing.hear(Group("g", {}, (drop,)))  # it fires for some seconds more
    await hall.hearing.hear(Group("g", {}, (over(drop, hall.now),)))
    assert await told(hall, "rest") == []
    assert await hall.hearing.open_episodes() == []


class Lane:
    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.sealed = 0

    async def room(self, ticks: int = 0, facts: int = 0) -> None: ...

    def put(self, heard: Heard) -> None:
        self.heard.append(heard)

    async def on_disk(self) -> None:
        if len(self.heard) == 1:
            raise InterruptedError  # killed before it was sealed
        self.sealed += 1


async def test_facts_stay_in_the_book_until_the_spool_has_them(hall):
    hall.stand(1, ROOM_DROPPED)
    await hall.hearing.hear(Group("g", {}, (alert(DROPPED, 1),)))
    await hall.hearing.acted(1, "note", hall.now, "张三", "", None)
    lane = Lane()
    with pytest.raises(InterruptedError):
        await bring(hall.hearing, lane, lane)
    assert await bring(hall.hearing, lane, lane) == 2
    assert await bring(hall.hearing, lane, lane) == 0
    first, again = lane.heard
    assert (first.alerts, first.actions) == (again.alerts, again.actions)
    (episode,), (action,) = again.alerts, again.actions
    assert isinstance(episode, AlertEpisode)
    assert (action.fingerprint, action.starts_at) == (episode.fingerprint, episode.starts_at)


# --- kill -9 ---------------------------------------------------------------------------------------------------------


def test_kill_9_neither_loses_nor_doubles(tmp_path):
    """What was answered is there, whole: each episode with its message to each robot and its fact."""
    chance, answered = random.Random(7), set[int]()
    for _ in range(6):
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.alerts.telling", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout
        lines = iter(child.stdout.readline, "")
        first = list(itertools.islice(lines, 5))
        time.sleep(chance.uniform(0.0, 0.15))
        child.send_signal(signal.SIGKILL)
        answered |= {int(line) for line in [*first, *lines] if line.endswith("\n")}
        child.wait()
    with closing(sqlite3.connect(tmp_path / "alerts.sqlite")) as sql:
        kept = [msgspec.msgpack.decode(row[0], type=Kept) for row in sql.execute("SELECT kept FROM episode")]
        rows = sql.execute("SELECT robot, notice FROM message").fetchall()
        facts = sql.execute("SELECT count(*) FROM fact").fetchone()[0]
    rooms = {int(one.alert.labels["room"]): one.number for one in kept}
    assert len(answered) >= 30
    assert answered <= rooms.keys()
    numbers = Counter(one.number for one in kept)
    assert set(numbers.values()) == {1}
    for name in ("a", "b"):
        said = Counter(
            line for to, raw in rows if to == name for line in msgspec.msgpack.decode(raw, type=Notice).lines
        )
        assert said == Counter(f"#{number}" for number in numbers)
    assert facts == len(kept)
