"""Acknowledgements and silences against a real Alertmanager: who is first, what is renewed, what ends, what is said."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from monitor.alerts import keeper as keeping
from monitor.alerts.alert import Episode
from monitor.alerts.duty import Duty, RoomWord, Unnamed, person, why
from monitor.alerts.hold import holds
from monitor.alerts.keeper import Keeper
from monitor.alerts.silence import Matcher, Silence, Status, acknowledgement
from monitor.alerts.silences import Alertmanager, AlertmanagerError, Listed, Unreachable
from tests.alerts.duty_book import MemoryBook, dropped, episode
from tests.alerts.real_alertmanager import Running, running

pytestmark = pytest.mark.real
A, B = dropped("1"), dropped("2")


@pytest.fixture
async def real(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as program:
        yield program


class Watch:
    """Duty, its keeper, and a clock that stands ahead of Alertmanager's by `ahead`."""

    def __init__(self, real: Running, book: MemoryBook) -> None:
        self.ahead = timedelta(0)
        self.over: list[tuple[str, list[str]]] = []
        self.ended: list[tuple[str, str, str]] = []
        self.book, self.real = book, real
        self.api = Alertmanager(real.http, real.url)
        self.keeper = Keeper(self.api, book, self.now, self._over)
        self.duty = Duty(book, self.api, self.keeper, self._end_room, self.now)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    async def _over(self, silence: Silence, heard: object) -> None:
        assert isinstance(heard, list)
        self.over.append((silence.comment, [each.labels["room"] for each in heard if isinstance(each, Listed)]))

    async def _end_room(self, platform: str, room: str, by: str) -> RoomWord:
        self.ended.append((platform, room, by))
        return "ended"

    async def active(self) -> list[Silence]:
        return [each for each in await self.api.silences() if each.state == "active"]


async def test_the_first_holds_it_and_the_second_is_told_who(real: Running) -> None:
    await real.fire(A, B)
    watch = Watch(real, MemoryBook(episode(4821, A), episode(4822, B)))
    outcomes = await asyncio.gather(
        watch.duty.acknowledge(4821, "张三", "已联系"),
        watch.duty.acknowledge(4821, "李四"),
        watch.duty.acknowledge(4821, "张三"),
    )
    assert [(each.word, each.by) for each in outcomes] == [
        ("held", "张三"),
        ("held_by_other", "张三"),
        ("held", "张三"),
    ]
    (silence,) = await watch.api.silences()  # none was made and taken back
    assert (silence.comment, silence.created_by) == ("livemon ack #4821 by 张三: 已联系", "张三")
    assert 590 <= (silence.ends_at - silence.starts_at).total_seconds() <= 601
    by_room = {each.labels["room"]: each.status for each in await watch.api.alerts([Matcher("platform", "wechat")])}
    assert (by_room["1"].state, by_room["2"].state) == ("suppressed", "active")
    assert watch.book.actions == [(4821, "acknowledged", "张三", "已联系")]
    hold = watch.duty.hold(4821)
    assert hold is not None
    assert (hold.by, hold.reason, watch.duty.hold(4822)) == ("张三", "已联系", None)


async def test_two_livemons_agree_who_was_first(real: Running) -> None:
    await real.fire(A)
    one, other = (Watch(real, MemoryBook(episode(7, A))) for _ in range(2))
    outcomes = await asyncio.gather(one.duty.acknowledge(7, "张三"), other.duty.acknowledge(7, "李四"))
    (silence,) = await one.active()
    assert {each.by for each in outcomes} == {silence.by}
    assert sorted(each.word for each in outcomes) == ["held", "held_by_other"]


async def test_it_is_renewed_under_its_id_while_it_fires_and_ends_with_it(real: Running) -> None:
    await real.fire(A)
    watch = Watch(real, MemoryBook(episode(7, A)))
    await watch.duty.acknowledge(7, "张三")
    (before,) = await watch.active()
    watch.ahead = timedelta(minutes=5)  # so that Alertmanager counts as settled, too
    await watch.keeper.tend()
    (after,) = await watch.active()
    assert (after.id, after.starts_at) == (before.id, before.starts_at)
    assert after.ends_at - before.ends_at > timedelta(minutes=4)
    await real.resolve(A)
    await watch.keeper.tend()
    assert [each.id for each in await watch.active()] == [before.id]  # one look may have come between two evaluations
    await watch.keeper.tend()
    assert watch.book.judged == ["f7"]
    watch.book.end(7)
    await watch.keeper.tend()
    assert (await watch.active(), watch.book.judged, watch.over) == ([], ["f7"], [])


async def test_who_took_a_drop_holds_it_when_it_is_lost(real: Running) -> None:
    lost = A | {"alertname": "LivemonRoomLost"}
    await real.fire(A)
    watch = Watch(real, MemoryBook(episode(7, A)))
    await watch.duty.acknowledge(7, "张三", "已联系")
    await real.fire(lost)
    watch.book.episodes[7] = episode(7, lost)
    for _ in range(3):
        hold = holds(await watch.book.open_episodes(), await watch.api.silences(), watch.now())[7]
        assert (hold.by, hold.reason, hold.acknowledged) == ("张三", "已联系", True)  # at no time nobody's
        await watch.keeper.tend()
    assert len(await watch.active()) == 2  # it fires on for a while beside its successor
    await real.resolve(A)
    await watch.keeper.tend()
    (silence,) = await watch.active()
    assert (watch.over, silence.takes(lost), silence.takes(A), silence.by, silence.reason) == (
        [],
        True,
        False,
        "张三",
        "已联系",
    )
    assert watch.book.actions == [(7, "acknowledged", "张三", "已联系")]
    other = lost | {"room": "2"}
    assert holds([episode(7, other)], [silence], watch.now()) == {}  # the #7 of another livemon


async def test_who_took_it_holds_it_while_its_room_is_out_of_sight(real: Running) -> None:
    await real.fire(A)
    watch = Watch(real, MemoryBook(episode(7, A)))
    await watch.duty.acknowledge(7, "张三")
    await real.resolve(A)
    watch.ahead = timedelta(minutes=5)
    for _ in range(4):
        await watch.keeper.tend()
    (silence,) = await watch.active()
    assert silence.ends_at - watch.now() > timedelta(minutes=9)
    assert (watch.book.judged, watch.duty.hold(7) is not None) == (["f7"], True)
    await real.fire(A)  # of which Alertmanager tells nobody
    await watch.keeper.tend()
    assert [each.labels["room"] for each in watch.book.heard] == ["1"]
    await real.resolve(A)
    watch.book.end(7)
    for _ in range(3):
        await watch.keeper.tend()
    assert await watch.active() == []


async def test_what_ends_under_a_silence_is_judged(real: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a platform, of a feed: Alertmanager never tells that it is over, and it would hide what comes later."""
    monkeypatch.setattr(keeping, "SETTLED_S", 0.0)
    monkeypatch.setattr(keeping, "ROOMS_EVERY", timedelta(0))
    out, blind, goes_on = (
        {"alertname": name, "severity": "critical", "platform": "wechat"}
        for name in ("LivemonPlatformOutage", "LivemonFeedBlind", "LivemonWriterBlocked")
    )
    absent = A | {"alertname": "LivemonRoomNotStarted"}
    watchdog = {"alertname": "LivemonWatchdog", "severity": "info"}
    await real.fire(out, blind, goes_on, absent, watchdog)
    watch = Watch(real, MemoryBook())
    everything = await watch.api.alerts([])
    for number, each in enumerate(everything):
        watch.book.episodes[number] = Episode(number, each.alert)
    fingerprints = {each.labels["alertname"]: each.fingerprint for each in everything}
    await looks(watch, 3)
    assert watch.book.judged == []
    await real.resolve(out, blind, absent)
    await looks(watch, 1)
    assert watch.book.judged == []  # one look may have come between two evaluations
    await looks(watch, 1)
    over = (out, blind, absent)
    assert sorted(watch.book.judged) == sorted(fingerprints[each["alertname"]] for each in over)


@pytest.mark.parametrize("gone", ["an hour ago", "with all it said"])
async def test_nothing_is_over_because_prometheus_is_away(
    gone: str, real: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it said ends after four minutes, of each alert at another moment."""
    monkeypatch.setattr(keeping, "SETTLED_S", 0.0)
    blocked, watchdog = A | {"alertname": "LivemonWriterBlocked"}, {"alertname": "LivemonWatchdog", "severity": "info"}
    await real.fire(blocked, watchdog)
    watch = Watch(real, MemoryBook())
    for number, each in enumerate(await watch.api.alerts([])):
        watch.book.episodes[number] = Episode(number, each.alert)
    (number,) = (one for one, each in watch.book.episodes.items() if each.alert.name == "LivemonWriterBlocked")
    assert (await watch.duty.acknowledge(number, "张三")).word == "held"
    await looks(watch, 1)
    await real.resolve(blocked, *([watchdog] if gone == "with all it said" else []))
    watch.ahead = timedelta(minutes=3)
    await looks(watch, 4)
    assert (watch.book.judged, watch.duty.hold(number) is not None) == ([], True)


async def looks(watch: Watch, times: int) -> None:
    for _ in range(times):
        await watch.keeper.tend()


async def test_acknowledgements_of_another_livemon_hold_nothing_here_and_stay(real: Running) -> None:
    """Each counts its own alerts from 1."""
    await real.fire(A, B)
    other, watch = Watch(real, MemoryBook(episode(1, B))), Watch(real, MemoryBook(episode(1, A)))
    assert (await other.duty.acknowledge(1, "李四")).word == "held"
    outcome = await watch.duty.acknowledge(1, "张三")
    assert (outcome.word, outcome.by) == ("held", "张三")
    await real.resolve(B)  # out of sight, there
    watch.ahead = timedelta(minutes=5)
    await looks(watch, 4)
    assert sorted(each.by for each in await watch.active()) == ["张三", "李四"]


async def test_a_clock_ahead_of_alertmanagers_holds_all_the_same(real: Running) -> None:
    await real.fire(A)
    watch = Watch(real, MemoryBook(episode(7, A)))
    watch.ahead = timedelta(seconds=2)
    assert (await watch.duty.acknowledge(7, "张三")).word == "held"
    assert (await watch.duty.silence(7, "张三", timedelta(hours=2), "")).word == "silenced"
    assert [each.state for each in await watch.api.silences()] == ["active", "active"]


async def test_an_alertmanager_that_has_yet_to_be_told_ends_nothing(real: Running) -> None:
    watch = Watch(real, MemoryBook(episode(7, A)))
    await watch.duty.acknowledge(7, "张三")
    for _ in range(keeping.MISSED_MAX + 1):
        await watch.keeper.tend()
    assert len(await watch.active()) == 1
    assert watch.book.judged == []


async def test_what_is_held_on_another_screen_is_held_here(real: Running) -> None:
    await real.fire(A)
    watch = Watch(real, MemoryBook(episode(7, A)))
    now = datetime.now(UTC)
    await watch.api.put(
        Silence(
            matchers=(Matcher("hall", "[23]", True), Matcher("tier", "1", False, False)), starts_at=now,
            ends_at=now + timedelta(hours=1), created_by="Kim", comment="power works",
        )
    )  # fmt: skip
    await watch.keeper.tend()
    await watch.keeper.tend()
    hold = watch.duty.hold(7)
    assert hold is not None
    assert (hold.by, hold.reason, hold.acknowledged) == ("Kim", "power works", False)
    assert watch.book.actions == [(7, "silenced", "Kim", "power works")]
    assert (await watch.duty.acknowledge(7, "张三")).word == "held"  # who wants quiet has not taken it


async def test_a_silence_that_ends_while_its_rooms_are_down_is_said_once(real: Running) -> None:
    await real.fire(A)
    watch = Watch(real, MemoryBook(episode(7, A)))
    await watch.duty.silence(7, "张三", timedelta(hours=2), "换电缆")
    (silence,) = await watch.active()
    assert {(each.name, each.value) for each in silence.matchers} == {("platform", "wechat"), ("room", "1")}
    await watch.keeper.tend()
    assert watch.over == []
    await watch.api.expire(silence.id)
    watch.ahead = timedelta(seconds=2)
    for _ in range(3):
        await watch.keeper.tend()
    assert watch.over == [("换电缆", ["1"])]


async def test_nothing_is_said_of_one_whose_rooms_are_back_or_silenced_anew(real: Running) -> None:
    await real.fire(A, B)
    watch = Watch(real, MemoryBook(episode(7, A), episode(8, B)))
    for number in (7, 8, 8):
        await watch.duty.silence(number, "张三", timedelta(hours=2), f"{number}")
    await real.resolve(A)
    gone = [each.id for each in await watch.active()]
    for each in (await watch.active())[:]:
        if each.comment == "7" or each.id == max(gone):
            await watch.api.expire(each.id)
    watch.ahead = timedelta(seconds=2)
    await watch.keeper.tend()
    assert watch.over == []


async def test_who_is_over_or_unknown_cannot_be_taken(real: Running) -> None:
    watch = Watch(real, MemoryBook())
    assert (await watch.duty.acknowledge(1, "张三")).word == "no_episode"
    assert (await watch.duty.silence(1, "张三", timedelta(hours=2), "")).word == "no_episode"
    assert (await watch.duty.end(1, "张三")).word == "no_episode"
    assert await watch.active() == []


async def test_a_sign_off_goes_to_the_watch_and_into_the_book(real: Running) -> None:
    platform = {"alertname": "LivemonFeedBlind", "severity": "critical", "feed": "f"}
    watch = Watch(real, MemoryBook(episode(7, A), episode(8, platform)))
    assert (await watch.duty.end(7, "张三", "主播已下播")).word == "ended"
    assert (await watch.duty.end(8, "张三")).word == "no_room"
    assert watch.ended == [("wechat", "1", "张三")]
    assert watch.book.actions == [(7, "ended", "张三", "主播已下播")]


async def test_an_alertmanager_that_is_gone_is_said_and_what_was_known_stays(real: Running) -> None:
    await real.fire(A)
    watch = Watch(real, MemoryBook(episode(7, A)))
    await watch.duty.acknowledge(7, "张三")
    nowhere = Alertmanager(real.http, "http://127.0.0.1:9", 1.0)
    watch.keeper._alertmanager = watch.duty._alertmanager = nowhere
    await watch.keeper.tend()
    assert watch.duty.hold(7) is not None
    assert watch.keeper.failing_since is not None
    outcome = await watch.duty.acknowledge(7, "李四")
    assert outcome.word == "unreachable"
    assert "does not answer" in outcome.detail


async def test_one_that_is_refused_holds_up_no_other() -> None:
    done = []

    async def work(number: int, error: Exception | None = None) -> None:
        if error is not None:
            raise error
        done.append(number)

    with pytest.raises(AlertmanagerError, match="400"):
        await keeping._all([work(1), work(2, AlertmanagerError("400")), work(3)])
    with pytest.raises(Unreachable):
        await keeping._all([work(4), work(5, Unreachable("gone")), work(6)])
    assert done == [1, 3, 4]


async def test_what_is_no_alertmanager_is_refused_and_bounded() -> None:
    async def page(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/alerts"):
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(80):
                await response.write(b" " * (1 << 20))
            return response
        if request.method == "POST":
            return web.Response(status=400, text="bad\x1b[31m matcher")
        return web.Response(text="<html>")

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", page)
    async with TestServer(app) as server, ClientSession() as http:
        api = Alertmanager(http, str(server.make_url("/")))
        with pytest.raises(AlertmanagerError, match="is no Alertmanager"):
            await api.silences()
        with pytest.raises(AlertmanagerError, match="more than"):
            await api.alerts([])
        with pytest.raises(AlertmanagerError, match=r"400 to POST /silences: 'bad\\x1b\[31m matcher'"):
            await api.put(acknowledgement(1, "z", "", A, datetime.now(UTC), datetime.now(UTC)))
        with pytest.raises(AlertmanagerError, match="no id of a silence"):
            await api.expire("../alerts")


@pytest.mark.parametrize(
    ("matcher", "takes"),
    [
        (Matcher("room", "1"), True),
        (Matcher("room", "1", is_equal=False), False),
        (Matcher("tier", ""), True),
        (Matcher("room", "[12]", True), True),
        (Matcher("room", "", True), False),
        (Matcher("hall", "3.", True), False),  # anchored at both ends
        (Matcher("room", "(", True), False),
        (Matcher("room", "(", True, False), False),
    ],
)
def test_what_a_matcher_takes(matcher: Matcher, takes: bool) -> None:
    assert matcher.takes(A) is takes


def test_a_silence_that_is_over_or_to_come_holds_nothing() -> None:
    now = datetime.now(UTC)
    mine = acknowledgement(7, "张三", "", A, now, now + timedelta(minutes=10))
    for state in ("expired", "pending"):
        other = Silence(matchers=mine.matchers, starts_at=now, ends_at=mine.ends_at, status=Status(state))  # type: ignore[arg-type]
        assert holds([episode(7, A)], [other], now) == {}
    assert holds([episode(7, A)], [mine], now + timedelta(minutes=11)) == {}
    assert holds([episode(8, A)], [mine], now) == {}


@pytest.mark.parametrize("text", ["", "  ", "x" * 65, "张三: 李四", "<b>", "a\u202eb"])
def test_who_is_nobody(text: str) -> None:
    with pytest.raises(Unnamed):
        person(text)


def test_names_and_reasons_stand_on_one_line() -> None:
    assert person("  张  三\n") == "张 三"
    assert why("x\ny\x00z" + "a" * 600) == "x y z" + "a" * 495
