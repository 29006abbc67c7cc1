"""Each message is told once, however the robot behaves meanwhile; a robot that does not answer is told of elsewhere."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import aiohttp
import pytest

from monitor.alerts import delivery as deliveries
from monitor.alerts.book_file import BookRefused
from monitor.alerts.delivery import Delivery, other_of
from monitor.alerts.notice import Link, Notice
from monitor.alerts.robots.voice import HttpVoice
from monitor.config_alerts import Match, Robot, Texts
from tests.alerts.chat import Chat, served
from tests.alerts.outbox import Hands, MemoryOutbox

KINDS = ["dingtalk", "feishu", "wecom"]


def drop(number: int, severity: str = "critical") -> Notice:
    links = (Link("我来处理", f"https://live.cn/a/{number}"),)
    return Notice("firing", severity, f"【断流】#{number}号 停", ("3 号馆",), links, (), number)


class House:
    """A hall's robot, the one that takes the rest, and what waits for them."""

    def __init__(self, folder: Path, http: aiohttp.ClientSession, hall: Chat, rest: Chat, hands: Hands) -> None:
        self.hands, self.http, self.outbox = hands, http, MemoryOutbox(hands)
        self.failures: list[str] = []
        self.robots = [self._robot(folder, "hall", hall, fallback="rest"), self._robot(folder, "rest", rest)]
        self.workers = [self.worker(row) for row in self.robots]

    def worker(self, row: Robot, cls: type[Delivery] = Delivery, **others: object) -> Delivery:
        voice = HttpVoice(row, self.http, self.hands.now, answer_s_max=2.0)
        other = other_of(row, self.robots)
        return cls(row, voice, self.outbox, self.hands.clock, self.failures.append, other, **others)  # type: ignore[arg-type]

    def _robot(self, folder: Path, name: str, chat: Chat, fallback: str = "") -> Robot:
        (folder / name).write_text(chat.url)
        (folder / name).chmod(0o600)
        return Robot(name=name, kind=chat.kind, url_file=folder / name, fallback=fallback)  # type: ignore[arg-type]

    async def put(self, *numbers: int, severity: str = "critical") -> None:
        await self.outbox.put([("hall", drop(number, severity), f"{number}:firing") for number in numbers])

    async def pass_(self, for_s: float) -> None:
        until_s = self.hands.passed_s + for_s
        while self.hands.passed_s < until_s:
            waits_s = [await worker.step() for worker in self.workers]
            self.hands.passed_s += max(0.05, min(waits_s))


def times_told(chat: Chat, number: int) -> int:
    return sum(text.count(f"#{number}号") for text in chat.texts)


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mood", ["down", "500", "too_fast", "gone"])
async def test_a_robot_that_fails_for_ten_minutes_is_told_each_once_when_it_is_back(
    tmp_path: Path, kind: str, mood: str, hands: Hands
):
    hall, rest = Chat(kind, hands.unix_s, mood=mood), Chat(kind, hands.unix_s)  # type: ignore[arg-type]
    async with served(hall, rest), aiohttp.ClientSession() as http:
        house = House(tmp_path, http, hall, rest, hands)
        await house.put(1, 2)
        await house.pass_(300)
        await house.put(*range(3, 31))
        await house.pass_(300)
        assert hall.shown == []
        assert hall.calls < 60, "a robot that is down is not hammered"
        hall.mood = "well"
        await house.pass_(660)
    assert [times_told(hall, number) for number in range(1, 31)] == [1] * 30
    assert [times_told(rest, number) for number in range(1, 31)] == [1] * 30, "the second channel heard of it, once"
    assert house.failures.count("hall") == hall.calls - len(hall.shown)
    assert set(house.outbox.states("hall")) == {"sent"}
    assert hall.blocked_times == rest.blocked_times == 0


async def test_a_robot_that_blocked_us_is_left_alone_for_its_ten_minutes(tmp_path: Path, hands: Hands):
    hall, rest = Chat("dingtalk", hands.unix_s, mood="too_fast"), Chat("dingtalk", hands.unix_s)
    async with served(hall, rest), aiohttp.ClientSession() as http:
        house = House(tmp_path, http, hall, rest, hands)
        await house.put(1, 2)
        await house.pass_(595)
        assert hall.calls == 1
        hall.mood = "well"
        await house.pass_(10)
    assert (times_told(hall, 1), times_told(hall, 2)) == (1, 1)
    assert (times_told(rest, 1), times_told(rest, 2)) == (1, 1)


async def test_a_slow_robot_is_waited_for_and_told_once(tmp_path: Path, hands: Hands):
    hall, rest = Chat("dingtalk", hands.unix_s, mood="slow", slow_s=0.5), Chat("dingtalk", hands.unix_s)
    async with served(hall, rest), aiohttp.ClientSession() as http:
        house = House(tmp_path, http, hall, rest, hands)  # waits four times as long, as it does in production
        await house.put(1)
        await house.pass_(60)
    assert times_told(hall, 1) == 1
    assert rest.shown == []
    assert deliveries.BACKOFF_S_MAX <= 60


@pytest.mark.parametrize("kind", KINDS)
async def test_a_flood_never_gets_a_robot_blocked_and_all_of_it_is_told(tmp_path: Path, kind: str, hands: Hands):
    hall, rest = Chat(kind, hands.unix_s), Chat(kind, hands.unix_s)
    async with served(hall, rest), aiohttp.ClientSession() as http:
        house = House(tmp_path, http, hall, rest, hands)
        for second in range(0, 300, 10):
            await house.put(*range(10 * second, 10 * second + 50))
            await house.put(*range(10_000 + second, 10_000 + second + 5), severity="info")
            await house.pass_(10)
        await house.pass_(300)
    assert hall.blocked_times == 0
    assert set(house.outbox.states("hall")) == {"sent"}
    assert all(times_told(hall, 10 * second + each) == 1 for second in range(0, 300, 10) for each in range(50))


async def test_a_critical_one_does_not_wait_behind_others(tmp_path: Path, hands: Hands):
    hall, rest = Chat("dingtalk", hands.unix_s), Chat("dingtalk", hands.unix_s)
    async with served(hall, rest), aiohttp.ClientSession() as http:
        house = House(tmp_path, http, hall, rest, hands)
        for number in range(100, 140):
            await house.put(number, severity="warning")
            await house.pass_(1)
        await house.put(1)
        began_s = hands.unix_s()
        await house.pass_(5)
    place = next(place for place, text in enumerate(hall.texts) if "#1号" in text)
    assert hall.shown_at_s[place] - began_s < 1.5


async def test_a_restart_does_not_begin_the_minute_anew(tmp_path: Path, hands: Hands):
    hall, rest = Chat("dingtalk", hands.unix_s), Chat("dingtalk", hands.unix_s)
    async with served(hall, rest), aiohttp.ClientSession() as http:
        house = House(tmp_path, http, hall, rest, hands)
        for number in range(60):
            await house.put(number)
            await house.pass_(0.3)
            house.workers[0] = house.worker(house.robots[0])
        await house.pass_(120)
    assert hall.blocked_times == 0
    assert [times_told(hall, number) for number in range(60)] == [1] * 60


async def test_after_a_day_what_is_not_critical_is_given_up_and_counted_and_what_is_goes_on(
    tmp_path: Path, hands: Hands
):
    hall, rest = Chat("dingtalk", hands.unix_s, mood="500"), Chat("dingtalk", hands.unix_s, mood="500")
    async with served(hall, rest), aiohttp.ClientSession() as http:
        house, given_up = House(tmp_path, http, hall, rest, hands), list[str]()
        house.workers[0] = house.worker(house.robots[0], given_up=given_up.append)
        await house.put(1)
        await house.put(2, severity="warning")
        await house.pass_(60)
        hands.passed_s += 24 * 3600
        before = house.failures.count("hall")
        await house.workers[0].step()
        assert house.outbox.states("hall") == ["waiting", "failed"]
        assert house.failures.count("hall") == before + 2  # given up, and one try more
        assert given_up == ["warning"]
        hands.passed_s += 24 * 3600
        hall.mood = rest.mood = "well"
        await house.pass_(60)
    assert (times_told(hall, 1), times_told(hall, 2)) == (1, 0)


async def test_two_robots_that_fail_do_not_throw_messages_at_each_other(tmp_path: Path, hands: Hands):
    hall, rest = Chat("wecom", hands.unix_s, mood="500"), Chat("wecom", hands.unix_s, mood="500")
    async with served(hall, rest), aiohttp.ClientSession() as http:
        house = House(tmp_path, http, hall, rest, hands)
        house.robots[1] = Robot(name="rest", kind="wecom", url_file=tmp_path / "rest", fallback="hall")
        house.workers = [house.worker(row) for row in house.robots]
        await house.put(1)
        await house.pass_(600)
        hall.mood = rest.mood = "well"
        await house.pass_(60)
    assert (len(house.outbox.states("hall")), len(house.outbox.states("rest"))) == (1, 1)
    assert (times_told(hall, 1), times_told(rest, 1)) == (1, 1)
    assert "机器人 hall 送不到,改由此处转达" in rest.texts[0]


async def test_without_a_fallback_only_what_is_critical_goes_elsewhere(tmp_path: Path, hands: Hands):
    hall, rest = Chat("dingtalk", hands.unix_s, mood="gone"), Chat("dingtalk", hands.unix_s)
    async with served(hall, rest), aiohttp.ClientSession() as http:
        house = House(tmp_path, http, hall, rest, hands)
        house.robots[0] = Robot(name="hall", kind="dingtalk", url_file=tmp_path / "hall")
        house.workers[0] = house.worker(house.robots[0])
        await house.put(1)
        await house.put(2, severity="info")
        await house.pass_(300)
    assert (times_told(rest, 1), times_told(rest, 2)) == (1, 0)


@pytest.mark.parametrize(
    ("purpose", "robots", "speaks"),
    [("event", False, True), ("rehearsal", True, True), ("rehearsal", False, False)],
)
async def test_in_a_rehearsal_robots_are_silent_unless_asked_for_and_then_say_so(
    tmp_path: Path, hands: Hands, purpose: str, robots: bool, speaks: bool
):
    hall, rest = Chat("dingtalk", hands.unix_s), Chat("dingtalk", hands.unix_s)
    async with served(hall, rest), aiohttp.ClientSession() as http:
        house = House(tmp_path, http, hall, rest, hands)
        house.workers = [house.worker(row, purpose=purpose, robots=robots) for row in house.robots]
        await house.put(*range(40))
        await house.pass_(120)
    for text, message in zip(hall.texts, hall.shown, strict=True):
        marks = [each.startswith("【演练】") for each in (text, message["markdown"]["title"])]
        assert marks == [purpose == "rehearsal"] * 2
    assert (hall.calls > 0) == speaks
    assert set(house.outbox.states("hall")) == {"sent"}


async def test_a_worker_that_runs_is_woken_by_what_is_put(tmp_path: Path, hands: Hands):
    hall, rest = Chat("dingtalk", hands.unix_s), Chat("dingtalk", hands.unix_s)
    async with served(hall, rest), aiohttp.ClientSession() as http:
        house = House(tmp_path, http, hall, rest, hands)
        running = asyncio.create_task(house.workers[0].run())
        await asyncio.sleep(0.01)
        await house.put(1)
        house.workers[0].wake()
        async with asyncio.timeout(0.8):  # sooner than it would look by itself
            while not hall.shown:
                await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_a_worker_that_is_stopped_waits_for_the_answer_that_is_on_its_way(tmp_path: Path, hands: Hands):
    hall, rest = Chat("dingtalk", hands.unix_s, mood="slow", slow_s=0.3), Chat("dingtalk", hands.unix_s)
    async with served(hall, rest), aiohttp.ClientSession() as http:
        house = House(tmp_path, http, hall, rest, hands)
        await house.put(1)
        running = asyncio.create_task(house.workers[0].run())
        await asyncio.sleep(0.1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert house.outbox.states("hall") == ["sent"]
    assert times_told(hall, 1) == 1


class FullDisk(MemoryOutbox):
    """Refuses what it is told for a while."""

    refusals = 20

    async def sent(self, ids: Sequence[int], at: datetime) -> None:
        self.refusals -= 1
        if self.refusals > 0:
            raise BookRefused("no space left on device")
        await super().sent(ids, at)


async def test_a_disk_that_refuses_does_not_have_a_message_told_again_and_again(tmp_path: Path, hands: Hands):
    hall, rest = Chat("dingtalk", hands.unix_s), Chat("dingtalk", hands.unix_s)
    async with served(hall, rest), aiohttp.ClientSession() as http:
        house = House(tmp_path, http, hall, rest, hands)
        house.outbox = FullDisk(hands)
        worker = house.worker(house.robots[0])
        await house.put(1)
        for _ in range(19):
            with pytest.raises(BookRefused):
                await worker.step()
        await worker.step()
    assert house.outbox.states("hall") == ["sent"]
    assert times_told(hall, 1) == 1


def test_who_hears_of_it_instead():
    hall = Match(hall=Texts(["3"]))
    files = {"kind": "dingtalk", "url_file": Path("u")}
    one, two = Robot(name="one", match=hall, **files), Robot(name="two", match=hall, **files)  # type: ignore[arg-type]
    rest = Robot(name="rest", fallback="two", **files)  # type: ignore[arg-type]
    assert other_of(one, [one, two, rest]) is rest
    assert other_of(rest, [one, two, rest]) is two
    assert other_of(one, [one]) is None
