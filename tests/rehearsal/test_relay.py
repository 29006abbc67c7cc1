"""A relay reports what it sees of its rooms; what livemon makes of it is what the truth says was told."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from collectors.orders.push_json import PushJson
from collectors.tick import Tick
from monitor.rehearsal.event.cast import Part
from monitor.rehearsal.event.play import RoomNow
from monitor.rehearsal.platforms.relay import REPORT_S, Relay
from monitor.rehearsal.scene import Scene
from monitor.rehearsal.truth import NOT_TOLD, OFF_AIR, frames_of, viewers_of
from tests.rehearsal.staged import BEGAN_AT, Listening, listening, loaded, part, restless, running, staged, until

WECHAT = [part(number, "wechat", room=f"sphLN{number:05d}", sells_on="wechat") for number in range(30)]
ROW = PushJson(name="relay-wechat", app="relay-wechat", platform="wechat", tells=["live", "viewers"])
AT = BEGAN_AT + timedelta(seconds=30, microseconds=123_456)
LIVE = RoomNow(WECHAT[0], True, True, viewers=40, views_total=900, likes_total=3000, broadcast=2)
DROPPED = msgspec.structs.replace(LIVE, publishing=False)
FROZEN = msgspec.structs.replace(LIVE, frozen_s=5.0)
SIGNED_OFF = RoomNow(WECHAT[0], False, broadcast=2, signed_off=True)
BROKE_OFF = RoomNow(WECHAT[0], False, broadcast=2)

Frame = tuple[datetime, list[int | None]]


def by_hand(scene: Scene) -> Relay:
    """Its own next report is days away: a test that runs into the next ten seconds would hear that one, too."""
    return Relay(scene, "wechat", report_s=1e6)


def frames(scene: Scene) -> list[Frame]:
    scene.truth.flush()
    found: list[Frame] = []
    for feed, at, outcome, blob in frames_of(scene.truth.path):
        assert (feed, outcome) == ("relay-wechat", "answered")
        assert blob is not None
        found.append((at, list(viewers_of(blob))))
    return found


def understood(heard: Listening, parts: Sequence[Part]) -> list[Frame]:
    """As frames of the truth, what livemon understands of what it kept."""
    found: list[Frame] = []
    for meaning in heard.meanings():
        assert not meaning.bad
        assert len({tick.at for tick in meaning.ticks}) == 1
        ticks = {tick.room: tick for tick in meaning.ticks}
        assert len(ticks) == len(meaning.ticks)
        found.append((meaning.ticks[0].at, [says(ticks.get(each.room)) for each in parts]))
    return found


def says(tick: Tick | None) -> int | None:
    if tick is None:
        return NOT_TOLD
    return tick.viewers if tick.live else OFF_AIR


async def test_once_a_minute_all_rooms_are_told_of(tmp_path: Path) -> None:
    """For a livemon that has just begun to listen: rooms that are off the air are offline, not unseen."""
    async with (
        listening(ROW) as heard,
        staged(tmp_path, WECHAT[:1], lambda each, clock_s: SIGNED_OFF, hooks_url=heard.url) as scene,
    ):
        one = by_hand(scene)
        for number in range(13):
            one.report(AT + timedelta(seconds=10 * number))
        async with running(one):
            await until(lambda: not one.waiting())
        told = [round((tick.at - AT).total_seconds()) for meaning in heard.meanings() for tick in meaning.ticks]
    assert told == [0, 60, 120]


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        (None, LIVE, (True, 40, None)), (None, DROPPED, (False, None, None)),
        (None, SIGNED_OFF, (False, None, None)),
        (LIVE, LIVE, (True, 40, None)), (LIVE, FROZEN, (True, 40, None)), (LIVE, DROPPED, (False, None, None)),
        (LIVE, SIGNED_OFF, (False, None, "ended")), (LIVE, BROKE_OFF, (False, None, None)),
        (DROPPED, DROPPED, None), (DROPPED, LIVE, (True, 40, None)), (DROPPED, BROKE_OFF, None),
        (DROPPED, SIGNED_OFF, (False, None, "ended")), (SIGNED_OFF, SIGNED_OFF, None), (BROKE_OFF, BROKE_OFF, None),
        (SIGNED_OFF, DROPPED, None), (BROKE_OFF, LIVE, (True, 40, None)),
    ],
)  # fmt: skip
async def test_a_room_is_told_of_while_it_is_live_and_when_it_stops(
    tmp_path: Path, then: RoomNow | None, now: RoomNow, told: tuple[bool, int | None, str | None] | None
) -> None:
    stands = [then or BROKE_OFF]
    async with (
        listening(ROW) as heard,
        staged(tmp_path, WECHAT[:1], lambda each, clock_s: stands[0], hooks_url=heard.url) as scene,
    ):
        one = by_hand(scene)
        if then is not None:
            one.report(AT)
            one.deliveries._queue.clear()
        stands[0] = now
        one.report(AT + timedelta(seconds=10))
        async with running(one):
            await until(lambda: not one.waiting())
        ticks = [tick for meaning in heard.meanings() for tick in meaning.ticks]
        assert [(tick.live, tick.viewers, tick.end) for tick in ticks] == ([] if told is None else [told])
        says = NOT_TOLD if told is None else 40 if told[0] else OFF_AIR
        assert [viewers for _, viewers in frames(scene)] == [[says]]


async def test_a_live_room_is_told_with_its_totals_and_the_name_of_its_broadcast(tmp_path: Path) -> None:
    async with listening(ROW) as heard, staged(tmp_path, WECHAT[:1], lambda *_: LIVE, hooks_url=heard.url) as scene:
        one = by_hand(scene)
        one.report(AT)
        async with running(one):
            await until(lambda: not one.waiting())
        at = AT.replace(microsecond=123_000)
        assert heard.meanings()[0].ticks == [
            Tick("relay-wechat", "sphLN00000", at, "status", True, 40, 900, 3000, None, None, "sphLN00000-2")
        ]


async def test_livemon_understands_what_the_truth_says_was_told(tmp_path: Path) -> None:
    async with (
        listening(ROW) as heard,
        staged(tmp_path, [part(99), *WECHAT], restless, hooks_url=heard.url) as scene,
    ):
        one = by_hand(scene)
        async with running(one):
            for number in range(40):
                one.report(AT + timedelta(seconds=REPORT_S * number))
            await until(lambda: not one.waiting())
        assert understood(heard, WECHAT) == frames(scene)
        told = {viewers for _, frame in frames(scene) for viewers in frame}
        assert {NOT_TOLD, OFF_AIR} < told


async def test_a_big_report_is_cut_into_bodies_that_livemon_takes(tmp_path: Path) -> None:
    crowd = [part(number, "wechat", room=f"sph{'直' * 20}{number:05d}") for number in range(1_203)]
    async with (
        listening(ROW) as heard,
        staged(
            tmp_path, crowd, lambda each, _: RoomNow(each, True, True, viewers=each.number), hooks_url=heard.url
        ) as scene,
    ):  # fmt: skip
        one = by_hand(scene)
        one.report(AT)
        assert one.waiting() == 3
        async with running(one):
            await until(lambda: not one.waiting())
        assert [len(meaning.ticks) for meaning in heard.meanings()] == [500, 500, 203]
        assert understood(heard, crowd) == frames(scene)
        assert [max(now) for now in zip(*[viewers for _, viewers in frames(scene)], strict=True)] == list(range(1_203))
        assert max(len(delivery.body) for _, delivery, _ in heard.disk.kept) < 300_000


async def test_what_livemon_cannot_take_is_told_again_in_its_order_and_counts_once(tmp_path: Path) -> None:
    async with listening(ROW) as heard, staged(tmp_path, WECHAT, restless, hooks_url=heard.url) as scene:
        one = by_hand(scene)
        one.deliveries.retries_s = (0.02,)
        one.trouble.twice = True
        heard.disk.broken = True
        async with running(one):
            for number in range(3):
                one.report(AT + timedelta(seconds=REPORT_S * number))
            await until(lambda: one.deliveries.failures >= 3)
            assert (frames(scene), one.waiting()) == ([], 3)
            heard.disk.broken = False
            await until(lambda: not one.waiting())
        told = frames(scene)
        assert [(at - AT).total_seconds() for at, _ in told] == pytest.approx([0, 10, 20], abs=0.001)
        assert understood(heard, WECHAT) == told
        # Named by its content: kept once, also by a livemon that was killed before it could say so.
        assert all(name.startswith("sha256-") for name in heard.disk.named)


@pytest.mark.parametrize("changes", [{"feed": "hang"}, {"pushing": False}])
async def test_in_trouble_it_sees_nothing_and_makes_nothing_up_later(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    stands = [LIVE]
    async with (
        listening(ROW) as heard,
        staged(tmp_path, WECHAT[:1], lambda *_: stands[0], hooks_url=heard.url) as scene,
        running(one := by_hand(scene)),
    ):
        one.report(AT)
        await until(lambda: not one.waiting())
        for name, value in changes.items():
            setattr(one.trouble, name, value)
        one.report(AT + timedelta(seconds=10))
        stands[0] = SIGNED_OFF
        one.report(AT + timedelta(seconds=20))
        assert one.waiting() == 0
        one.trouble.feed, one.trouble.pushing = None, True
        one.report(AT + timedelta(seconds=30))
        await until(lambda: not one.waiting())
        assert [viewers for _, viewers in frames(scene)] == [[40], [OFF_AIR]]
        assert [meaning.ticks[0].end for meaning in heard.meanings()] == [None, "ended"]
        assert [(at - AT).total_seconds() for at, _ in frames(scene)] == pytest.approx([0, 30], abs=0.001)


async def test_it_keeps_only_so_much_that_nobody_takes(tmp_path: Path) -> None:
    async with staged(tmp_path, WECHAT[:1], lambda *_: LIVE) as scene:
        one = Relay(scene, "wechat", waiting_max=5)
        for number in range(9):
            one.report(AT + timedelta(seconds=10 * number))
        assert one.waiting() == 5


async def test_it_reports_by_itself_once_each_time_and_not_when_others_do(tmp_path: Path) -> None:
    async with listening(ROW) as heard, staged(tmp_path, WECHAT[:1], lambda *_: LIVE, hooks_url=heard.url) as scene:
        one, other = Relay(scene, "wechat", report_s=0.25), Relay(scene, "doudian", report_s=0.25)
        assert one.offset_s != other.offset_s
        async with running(one):
            await until(lambda: len(frames(scene)) >= 4)
        turns = [((at - BEGAN_AT).total_seconds() - one.offset_s) / 0.25 for at, _ in frames(scene)]
        assert len({round(turn) for turn in turns}) == len(turns) >= 4


async def test_its_settings_are_a_feed_of_livemon(tmp_path: Path) -> None:
    async with staged(tmp_path, WECHAT) as scene:
        config = loaded(tmp_path, Relay(scene, "wechat").settings())
    [feed] = config.feeds
    assert feed == msgspec.structs.replace(ROW, rooms=feed.rooms)
