"""What played clouds call is written as documented, tried again as documented, and understood as the play had it."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import aiohttp
import msgspec
import pytest
from yarl import URL

from collectors.hook import Delivery
from collectors.tick import Tick
from monitor.rehearsal.event.play import RoomNow
from monitor.rehearsal.event.script import Broadcast, Fault
from monitor.rehearsal.event.tempo import Tempo
from monitor.rehearsal.house import CLOUD_CALLS, shown
from monitor.rehearsal.platforms.calls import Call, Caller, Habit, Stamped
from monitor.rehearsal.platforms.cloud import Cloud
from monitor.rehearsal.platforms.cloud_words import signed_within
from monitor.rehearsal.platforms.stream import Counting, Stream, Streams
from monitor.rehearsal.scene import Scene, Trouble
from monitor.rehearsal.truth import NOT_TOLD, OFF_AIR, Truth, frames_of, viewers_of
from tests.rehearsal.clouded import KINDS, delivered, understood
from tests.rehearsal.small_evening import broadcast
from tests.rehearsal.staged import listening, loaded, part, running, secret, staged, until
from tests.rehearsal.test_fake_servers import Scripted

FEEDS = Path(__file__).parents[1] / "feeds"
HALLS = {"tencent_live": "K", "aliyun_live": "L", "volcengine_live": "M"}
ALL = pytest.mark.parametrize("kind", KINDS)
NOON = datetime(2026, 11, 19, 12, tzinfo=UTC)
KEY = b"callback-key-of-a-test"  # of the documented frames


@pytest.fixture
def truth(tmp_path: Path) -> Iterator[Truth]:
    with Truth(tmp_path / "truth.sqlite") as truth:
        yield truth


def caller(
    truth: Truth, kind: str, *script: Broadcast, speed: float = 1.0, room: str = "live/room1", http: object = None,
    words: Any = None, trouble: Trouble | None = None,
) -> Caller:  # fmt: skip
    play = Scripted(speed, 4, *script, hall=HALLS[kind])
    play.tempo = Tempo(NOON, speed)
    play.parts = [part(0, room=room, hall=HALLS[kind])]
    scene = Scene(play, play.tempo, truth, cast(Any, http), "http://livemon", lambda name: KEY)
    streams = Streams(play, [0], Counting())
    return Caller(scene, "cloud", HALLS[kind], streams, words or CLOUD_CALLS[kind], trouble or Trouble())


def looks(one: Caller, from_s: float, to_s: float, step_s: float = 0.5) -> Iterator[tuple[float, Call]]:
    """All that it calls of its room, and when it looked; the first look is a step before `from_s`."""
    one.look(NOON + timedelta(seconds=from_s - step_s))
    for number in range(round((to_s - from_s) / step_s)):
        clock_s = from_s + number * step_s
        for call in one.look(NOON + timedelta(seconds=clock_s)).get(0, ()):
            yield clock_s, call


def meant(kind: str, call: Call, at: datetime) -> Tick:
    return understood(KINDS[kind](name="cloud", app="a"), call, at, at, KEY)


# --- byte for byte ----------------------------------------------------------------------------------------------------

# Scripts in which happens what the documented frames tell of, and the numbers of these.
DOCUMENTED: dict[str, tuple[Broadcast, list[int]]] = {
    "tencent_live": (
        broadcast(0, 0, 3600, 3600, Fault(600, 610, "drop"), Fault(1770, 1800, "freeze"), Fault(1800, 1805, "drop")),
        [0, 2, 3, 6, 7, 8],  # without an odd event, and without a push that takes over
    ),
    "aliyun_live": (broadcast(0, 0.2, 1200, 1200, Fault(600.1, 600.6, "drop")), [0, 1, 2, 3]),
    "volcengine_live": (broadcast(0, 0.029, 900.029, 900, Fault(600.029, 601.529, "drop")), [0, 2, 3, 4]),
}  # fmt: skip
CHINESE = {"tencent_live": (9, 4000), "aliyun_live": (4, 1300)}  # a begin in a room of such a name


def documented(kind: str) -> list[tuple[datetime, Delivery]]:
    found = []
    for line in (FEEDS / kind / "documented" / "frames.jsonl").read_text(encoding="utf-8").splitlines():
        told = msgspec.json.decode(line)
        delivery = Delivery(CLOUD_CALLS[kind].HABIT.method, "", told["query"], told["headers"], told["body"].encode())
        found.append((datetime.fromisoformat(told["at"]), delivery))
    return found


def unnamed(delivery: Delivery) -> tuple[object, ...]:
    """Without what names a push, and how long one of them lasted, which takes the place of another there."""
    body = delivery.body.decode()
    body = re.sub(r'"(sequence|session_id|sequence_id|push_duration)":"[^"]+"', r'"\1":""', body)
    return delivery.method, delivery.query, delivery.headers, body


@ALL
def test_calls_are_written_as_documented(truth: Truth, kind: str) -> None:
    script, numbers = DOCUMENTED[kind]
    frames = documented(kind)
    calls = [call for _, call in looks(caller(truth, kind, script), -1.0, script.ends_s + 5)]
    assert len(calls) == len(numbers)
    for number, call in zip(numbers, calls, strict=True):
        at, real = frames[number]
        assert unnamed(delivered(kind, call, at, KEY)) == unnamed(real)


@pytest.mark.parametrize("kind", CHINESE)
def test_chinese_names_are_written_as_documented(truth: Truth, kind: str) -> None:
    number, begins_s = CHINESE[kind]
    at, real = documented(kind)[number]
    one = caller(truth, kind, broadcast(0, begins_s, begins_s + 900), room="live/直播间一")
    [(_, call)] = looks(one, begins_s - 1, begins_s + 5)
    assert unnamed(delivered(kind, call, at, KEY)) == unnamed(real)


def test_tencent_says_how_long_a_push_was_and_names_it_the_same_at_both_ends(truth: Truth) -> None:
    script, _ = DOCUMENTED["tencent_live"]
    told = [
        msgspec.json.decode(call.told) for _, call in looks(caller(truth, "tencent_live", script), -1.0, 3605)
    ]  # fmt: skip
    assert [each.get("push_duration") for each in told] == [None, "600000", None, "1190000", None, "1795000"]
    keys = [each["sequence"] for each in told]
    assert keys[0] == keys[1] != keys[2] == keys[3] != keys[4] == keys[5] != keys[0]


# --- what is called when ----------------------------------------------------------------------------------------------

EVENING = broadcast(
    0, 10.4, 400.3, 400, Fault(50.7, 60.2, "drop"), Fault(100, 115, "freeze"), Fault(200, 230, "freeze"),
    Fault(230, 250.5, "drop"), Fault(300, 310, "freeze"), Fault(310, 320, "drop"),
)  # fmt: skip
# Of each call when it is made, live or not, and of when livemon takes it to be.
TOLD = {
    "tencent_live": [
        (10.5, 1, 10.001), (51, 0, 50), (60.5, 1, 60.001), (230, 0, 230), (250.5, 1, 250.001), (310, 0, 310),
        (320, 1, 320.001), (400.5, 0, 400),
    ],
    "aliyun_live": [
        (12.5, 1, 10.001), (51, 0, 50), (62.5, 1, 60.001), (230, 0, 230), (252.5, 1, 250.001), (310, 0, 310),
        (322, 1, 320.001), (400.5, 0, 400),
    ],
    "volcengine_live": [
        (10.5, 1, 10.4), (51, 0, 50.7), (60.5, 1, 60.2), (230, 0, 230), (250.5, 1, 250.5), (310, 0, 310),
        (320, 1, 320), (400.5, 0, 400.3),
    ],
}  # fmt: skip


@pytest.mark.parametrize("speed", [1.0, 7.0])
@ALL
def test_each_cloud_tells_of_pushes_in_its_way(truth: Truth, kind: str, speed: float) -> None:
    """That who froze is cut is the play's; one who froze and was not is not told of."""
    found = []
    for clock_s, call in looks(caller(truth, kind, EVENING, speed=speed), 0, 500):
        tick = meant(kind, call, NOON + timedelta(seconds=clock_s))
        assert (call.live, call.at) == (tick.live, tick.at)
        assert tick.room == "live/room1"
        found.append((clock_s, int(call.live), round((tick.at - NOON).total_seconds(), 3)))
    assert found == TOLD[kind]


@ALL
def test_a_push_has_a_key_of_its_own_if_its_cloud_names_pushes(truth: Truth, kind: str) -> None:
    ticks = [
        meant(kind, call, NOON + timedelta(seconds=at_s)) for at_s, call in looks(caller(truth, kind, EVENING), 0, 500)
    ]
    keys = [(tick.session_key, then.session_key) for tick, then in zip(ticks[::2], ticks[1::2], strict=True)]
    if kind == "aliyun_live":
        assert set(keys) == {(None, None)}
    else:
        assert all(one == other and one for one, other in keys)
        assert len(set(keys)) == 4


ENDS = [
    (broadcast(0, 10, 90, 90), "ended", 1),
    (broadcast(0, 10, 90, 90, Fault(80, 95, "freeze")), "ended", 3),  # signed off, and the encoder hung
    (broadcast(0, 10, 300, 300, Fault(90, 100, "drop")), "failed", 12),
    (broadcast(0, 10, 300, 300, Fault(60, 90, "freeze"), Fault(90, 100, "drop")), "failed", 8),
    (broadcast(0, 10, 300, 300, Fault(60, 90, "freeze"), Fault(90, 9e9, "drop"), ending="broke_off"), "failed", 8),
    (broadcast(0, 10, 300, 300, Fault(90, 9e9, "drop"), ending="broke_off"), "failed", 12),
]  # fmt: skip


@pytest.mark.parametrize(("script", "end", "code"), ENDS)
def test_tencent_alone_says_why_a_push_ended(truth: Truth, script: Broadcast, end: str, code: int) -> None:
    for kind in KINDS:
        (_, began), (at_s, ended), *_ = looks(caller(truth, kind, script), 0, 400)
        assert (began.live, ended.live, at_s) == (True, False, 90)
        tick = meant(kind, ended, NOON + timedelta(seconds=at_s))
        assert tick.end == (end if kind == "tencent_live" else None)
        if kind == "tencent_live":
            assert msgspec.json.decode(ended.told)["errcode"] == code
            assert msgspec.json.decode(began.told)["errcode"] == 0


@ALL
def test_the_first_look_calls_nothing_and_the_end_of_what_it_found_is_told(truth: Truth, kind: str) -> None:
    one = caller(truth, kind, EVENING)
    assert one.look(NOON + timedelta(seconds=20)) == {}
    assert one.look(NOON + timedelta(seconds=49)) == {}
    [call] = one.look(NOON + timedelta(seconds=51))[0]
    assert not call.live


@ALL
def test_who_was_away_between_two_looks_was_away_when_he_was(truth: Truth, kind: str) -> None:
    """A loop that stood for 20 seconds: both are told, as of their instants."""
    one = caller(truth, kind, EVENING)
    one.look(NOON + timedelta(seconds=45))
    gone, back = one.look(NOON + timedelta(seconds=65))[0]
    instants = [round((call.at - NOON).total_seconds(), 3) for call in (gone, back) if call.at is not None]
    assert instants == ([50.7, 60.2] if kind == "volcengine_live" else [50.0, 60.001])
    assert (gone.live, back.live) == (False, True)


# --- how it is posted -------------------------------------------------------------------------------------------------


class Wire:
    """livemon as a client sees it, without a socket: `answers` one after the other, 200 for ever after."""

    def __init__(self, *answers: int | type[Exception]) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[str, str, bytes]] = []

    @asynccontextmanager
    async def request(self, method: str, url: URL, data: bytes | None, **more: Any) -> AsyncIterator[Any]:
        assert more["allow_redirects"] is False
        self.sent.append((method, str(url), data or b""))
        answer = self.answers.pop(0) if self.answers else 200
        if not isinstance(answer, int):
            raise answer
        yield cast(Any, Answered(answer))


class Answered:
    def __init__(self, status: int) -> None:
        self.status = status


class Hasty:
    """Tencent's words, tried again at once."""

    KIND = "tencent_live"
    HABIT = Habit(signed_within, token=False, retries_s=(0.01, 0.01), stamped=cast(Stamped, "seconds"))

    def told(self, stream: Stream, live: bool, since_at: datetime, at: datetime) -> bytes:
        return CLOUD_CALLS[self.KIND].told(stream, live, since_at, at)


def frames(truth: Truth) -> list[tuple[str, int | None]]:
    truth.flush()
    return [(outcome, None if blob is None else viewers_of(blob)[0]) for _, _, outcome, blob in frames_of(truth.path)]


async def posted(one: Caller, *calls: Call) -> None:
    """Each found by a look of its own."""
    before: asyncio.Task[None] | None = None
    for each in calls:
        one.waiting += 1
        before = asyncio.ensure_future(one._tell([each], before))
        await asyncio.sleep(0)
    assert before is not None
    await before
    assert one.waiting == 0


def call(second: int, live: bool = True) -> Call:
    return Call("live/room1", b'{"n":%d}' % second, live, NOON + timedelta(seconds=second))


@pytest.mark.parametrize("failure", [503, 401, 307, aiohttp.ClientConnectionError, TimeoutError, ConnectionResetError])
async def test_what_was_not_taken_is_tried_again_with_the_same_bytes_and_what_follows_waits(
    truth: Truth, failure: int | type[Exception]
) -> None:
    wire = Wire(failure, failure)
    await posted(caller(truth, "tencent_live", EVENING, http=wire, words=Hasty()), call(1), call(2, live=False))
    bodies = [body for _, _, body in wire.sent]
    assert [body[:6] for body in bodies] == [b'{"n":1'] * 3 + [b'{"n":2']
    assert len(set(bodies)) == 2
    assert {(method, url) for method, url, _ in wire.sent} == {("POST", "http://livemon/hooks/cloud-k")}
    told = frames(truth)
    assert [each for each in told if each[0] == "stamped"] == [("stamped", 0), ("stamped", OFF_AIR)]
    assert [each for each in told if each[0] == "failed"] == [("failed", None)] * 2
    assert [each for each in told if each[0] == "alive"] == [("alive", NOT_TOLD)] * 2


async def test_what_is_never_taken_is_given_up_and_what_follows_is_told(truth: Truth) -> None:
    wire = Wire(503, 503, 503)
    await posted(caller(truth, "tencent_live", EVENING, http=wire, words=Hasty()), call(1), call(2, live=False))
    assert [body[:6] for _, _, body in wire.sent] == [b'{"n":1'] * 3 + [b'{"n":2']
    assert [each for each in frames(truth) if each[0] == "stamped"] == [("stamped", OFF_AIR)]


async def test_what_waited_for_others_has_had_a_part_of_its_time(truth: Truth) -> None:
    """Else whoever listens to nothing would be called of things that are longer and longer ago."""
    wire = Wire(*[503] * 9)
    await posted(caller(truth, "tencent_live", EVENING, http=wire, words=Hasty()), *map(call, range(1, 4)))
    tries = Counter(body[:6] for _, _, body in wire.sent)
    assert tries[b'{"n":1'] == 3
    assert tries[b'{"n":2'] < 3
    assert tries[b'{"n":3'] < 3
    habit = CLOUD_CALLS["tencent_live"].HABIT
    assert [len(habit.left_s(late_s)) for late_s in (0.01, 59.9, 60.0, 700.0, 720.0, 9e9)] == [12, 12, 11, 1, 0, 0]


async def test_while_nothing_is_delivered_calls_wait_and_the_truth_says_so(truth: Truth) -> None:
    wire, trouble = Wire(), Trouble(pushing=False)
    one = caller(truth, "tencent_live", EVENING, http=wire, words=Hasty(), trouble=trouble)
    task = asyncio.ensure_future(posted(one, call(1), call(2)))
    await asyncio.sleep(0.05)
    assert (wire.sent, one.waiting, frames(truth)) == ([], 2, [("failed", None)])
    trouble.pushing = True
    await asyncio.wait_for(task, 5)
    assert [body[:6] for _, _, body in wire.sent] == [b'{"n":1', b'{"n":2']


async def test_what_is_told_twice_is_the_same_twice_and_one_frame(truth: Truth) -> None:
    wire = Wire()
    trouble = Trouble(twice=True)
    await posted(caller(truth, "tencent_live", EVENING, http=wire, words=Hasty(), trouble=trouble), call(1))
    assert len(wire.sent) == 2
    assert wire.sent[0] == wire.sent[1]
    assert sorted(outcome for outcome, _ in frames(truth)) == ["alive", "stamped"]


TRIES = {
    "tencent_live": ("POST", 20.0, [60.0] * 12), "aliyun_live": ("GET", 5.0, [1.0] * 4),
    "volcengine_live": ("POST", 4.0, [3.0] * 3),
}  # fmt: skip


@ALL
def test_a_cloud_tries_as_often_as_it_says(kind: str) -> None:
    habit, (method, timeout_s, first) = CLOUD_CALLS[kind].HABIT, TRIES[kind]
    assert (habit.method, habit.timeout_s, habit.token) == (method, timeout_s, False)
    assert list(habit.retries_s[: len(first)]) == first
    if kind == "volcengine_live":
        assert 540 < sum(habit.retries_s) < 600
    else:
        assert len(habit.retries_s) == len(first)


# --- before livemon's own listener ------------------------------------------------------------------------------------


@ALL
async def test_livemon_takes_each_call_once_and_understands_it_as_the_truth_has_it(tmp_path: Path, kind: str) -> None:
    """Real sockets; the disk takes nothing for a while, and everything is told twice."""
    hall, name = HALLS[kind], f"cloud-{HALLS[kind].lower()}"
    parts = [part(number, hall=hall, room=f"live/直播间{number}") for number in range(5, 9)]
    row = KINDS[kind](name=name, app=name)
    async with (
        listening(cast(Any, row)) as site,
        staged(tmp_path, parts, restarting, hooks_url=site.url, speed=1.0) as scene,
    ):
        [cloud] = shown(scene, ())
        assert isinstance(cloud, Cloud)
        config = loaded(tmp_path, cloud.settings())
        assert [(feed.name, feed.hall, feed.platform) for feed in config.feeds] == [(name, hall, "nginx_rtmp")]
        assert (tmp_path / f"secrets/{name}").read_bytes().strip() == secret(name)
        await cloud.open()
        async with running(cloud):
            await until(lambda: len(site.disk.kept) >= 6)
            cloud.trouble.twice = True
            await until(lambda: len(site.disk.kept) >= 12)
            site.disk.broken = True
            await until(lambda: "failed" in outcomes(scene.truth))
            site.disk.broken = False
            await until(lambda: len(site.disk.kept) >= 16)
        await cloud.close()
        scene.truth.flush()
        found = list(frames_of(scene.truth.path))
    assert all(site.disk.named)
    ticks = [tick for meaning in site.meanings() for tick in meaning.ticks]
    understood = {(f"{name}:{tick.room}", tick.at, tick.live) for tick in ticks}
    assert len(understood) == len(ticks)
    told = [
        (feed, at, viewers_of(blob)[0] != OFF_AIR) for feed, at, outcome, blob in found
        if outcome == "stamped" and blob is not None
    ]  # fmt: skip
    assert set(told) <= understood
    assert len(understood) - len(told) <= len(parts)  # what was under way when it ended
    assert in_order(ticks)


def outcomes(truth: Truth) -> set[str]:
    return {outcome for outcome, _ in frames(truth)}


def in_order(ticks: Sequence[Tick]) -> bool:
    rooms = {tick.room for tick in ticks}
    instants = [[tick.at for tick in ticks if tick.room == room] for room in rooms]
    return all(each == sorted(each) for each in instants)


def restarting(each: Any, clock_s: float) -> RoomNow:
    """On air for three seconds with another encoder each time, and away for one; each room at beats of its own."""
    lap, at_s = divmod(clock_s + each.number * 0.7, 4.0)
    publishing = at_s < 3.0
    return RoomNow(
        each, True, publishing, 0.0, 3, 10 * each.number + int(lap) % 10_000 * 1000, at_s if publishing else 0.0,
        clock_s, 900, away_s=0.0 if publishing else at_s - 3.0,
    )  # fmt: skip
