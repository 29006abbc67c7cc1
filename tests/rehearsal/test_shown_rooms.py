"""Platforms that show their rooms themselves: what livemon's own kinds hear is what the truth says was told."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from math import inf
from pathlib import Path

import pytest

from monitor.rehearsal.compare.case import feeds_of, ways_in
from monitor.rehearsal.compare.frames import STAMPED_S
from monitor.rehearsal.event.script import Broadcast
from monitor.rehearsal.house import SHOWN_BY
from monitor.rehearsal.platforms.bilibili_rooms import AT_THE_END
from monitor.rehearsal.scene import How, Platform, Scene
from monitor.rehearsal.truth import NOT_TOLD, OFF_AIR, Fact, facts_of, feeds_in, frames_of

from .shown import PARTS_MAX, Ear, eared, says
from .small_evening import broadcast
from .staged import until

POLLED = ("twitch", "youtube", "taobao")
polled = pytest.mark.parametrize("platform", POLLED)
AT_THE_END_US = round(AT_THE_END.total_seconds() * 1e6)
HOWS: tuple[How, ...] = ("refuse", "hang", "error", "garbage")


def kind(platform: str) -> Callable[[Scene], Platform]:
    return SHOWN_BY[platform]


def outcomes(ear: Ear) -> list[str]:
    """Of all frames, in order."""
    ear.flush()
    return [outcome for _, _, outcome, _ in frames_of(ear.scene.truth.path)]


@polled
async def test_each_answer_is_a_frame_of_the_truth(tmp_path: Path, platform: str) -> None:
    async with eared(tmp_path, kind(platform), platform, interval_s=0.05) as ear:
        await until(lambda: len(ear.said) >= 60)
    told = ear.truth()
    values = set[int]()
    for feed, members in feeds_of(ear.scene.play, ways_in(feeds_in(ear.scene.truth.path))).items():
        for place, number in enumerate(members):
            if (part := ear.scene.play.parts[number]).platform == platform:
                said, heard = [viewers[place] for _, viewers in told[feed]], ear.of_room(part)
                assert heard == said[: len(heard)]
                assert len(heard) >= len(said) - 1 >= 0  # one may have been on its way when all ended
                values.update(heard)
    assert OFF_AIR in values
    assert max(values) > 0
    assert not ear.ended


async def test_a_list_of_many_pages_is_one_look(tmp_path: Path) -> None:
    async with eared(tmp_path, kind("taobao"), "taobao", interval_s=0.05) as ear:
        console = ear.platform
        at, pages, after = ear.scene.now(), list[bytes](), ""
        console.page_rooms = 3  # type: ignore[attr-defined]
        for _ in range(20):
            body, viewers = console.page(at, f"size=3&after={after}")  # type: ignore[attr-defined]
            pages.append(body)
            after = body.split(b'"next":"')[1].split(b'"')[0].decode()
            assert (viewers is None) == bool(after)
            if not after:
                break
        await until(lambda: len(ear.said) >= 3)
    assert len(pages) > 2
    assert all(NOT_TOLD not in said for _, said in ear.said)  # complete: each room is told of
    assert "failed" not in outcomes(ear)


@pytest.mark.parametrize("how", HOWS)
@polled
async def test_who_is_asked_in_trouble_tells_nothing_and_goes_on_afterwards(
    tmp_path: Path, platform: str, how: How
) -> None:
    async with eared(tmp_path, kind(platform), platform, interval_s=0.05) as ear:
        await until(lambda: ear.said)
        ear.platform.trouble.feed = how
        await asyncio.sleep(0.5)
        before = len(ear.said)
        await asyncio.sleep(0.3)
        assert len(ear.said) == before
        ear.platform.trouble.feed = None
        await until(lambda: len(ear.said) > before + 1)
    assert ("failed" in outcomes(ear)) == (platform == "taobao")


# --- what is told unasked ---


async def test_a_data_service_tells_who_is_there_and_whoever_comes_asks(tmp_path: Path) -> None:
    async with eared(tmp_path, kind("xiaohongshu"), "xiaohongshu", interval_s=1.0, state_interval_s=0.5) as ear:
        service = ear.platform
        await until(lambda: ear.said and sum(map(len, service.wanted.values())) == len(ear.parts))  # type: ignore[attr-defined]
        for _ in range(6):
            service.report(ear.scene.now())  # type: ignore[attr-defined]
            await asyncio.sleep(0.02)
        await until(lambda: outcomes(ear).count("stamped") == 6 and outcomes(ear).count("answered") >= 3)
        await asyncio.sleep(0.1)
    told = {(at, tuple(said)) for at, said in ear.truth()["socket-xiaohongshu"]}
    stamped = {at for _, at, outcome, _ in frames_of(ear.scene.truth.path) if outcome == "stamped"}
    heard = {(at, tuple(said)) for at, said in ear.said}
    assert {frame for frame in told if frame[0] in stamped} <= heard
    assert {said for at, said in told if at not in stamped} >= {said for at, said in heard if at not in stamped}
    assert len(stamped) == 6


async def test_what_no_client_of_a_data_service_can_hear_is_no_frame(tmp_path: Path) -> None:
    async with eared(tmp_path, kind("xiaohongshu"), "xiaohongshu", interval_s=1.0) as ear:
        service = ear.platform
        await until(lambda: ear.said and sum(map(len, service.wanted.values())) == len(ear.parts))  # type: ignore[attr-defined]
        for trouble in ("feed", "pushing"):
            setattr(service.trouble, trouble, "refuse" if trouble == "feed" else False)
            service.report(ear.scene.now())  # type: ignore[attr-defined]
            service.trouble.feed, service.trouble.pushing = None, True
    assert "stamped" not in outcomes(ear)


def evening(starts_s: float, ends_s: float) -> list[Broadcast]:
    """One broadcast from this second to that one, and none after it."""
    return [broadcast(0, starts_s, ends_s, ends_s), broadcast(1, inf, inf, inf, ending="absent")]


ON_AND_OFF = [evening(4.0 + number, 12.0 + number) for number in range(PARTS_MAX)]
ON_AIR = [evening(-600.0, 9000.0)] * PARTS_MAX


def compared(at: datetime) -> datetime:
    """As exactly as the comparison finds the frame of a tick."""
    us = round(STAMPED_S * 1e6)
    return at.replace(microsecond=at.microsecond // us * us)


async def test_bilibili_tells_of_beginnings_and_ends_with_their_stamps(tmp_path: Path) -> None:
    async with eared(tmp_path, kind("bilibili"), "bilibili", ON_AND_OFF, interval_s=1.0) as ear:
        await until(lambda: sum(tick.live is False for tick in ear.ticks) == len(ear.parts), 60.0)
    told = [(feed, at, said[0]) for feed, frames in ear.truth().items() for at, said in frames]
    stamped = {(feed, at) for feed, at, outcome, _ in frames_of(ear.scene.truth.path) if outcome == "stamped"}
    heard = {(f"heard-bilibili:{it.room}", compared(it.at), says(it)) for it in ear.ticks}
    assert heard == {(feed, compared(at), said) for feed, at, said in told if (feed, at) in stamped}
    assert sum(it.evidence == "event" for it in ear.ticks) == 2 * len(ear.parts)
    assert len(ear.ticks) == len(told)
    assert "alive" in outcomes(ear)


async def test_likes_and_gifts_of_bilibili_are_what_the_truth_says(tmp_path: Path) -> None:
    async with eared(tmp_path, kind("bilibili"), "bilibili", ON_AIR, interval_s=1.0) as ear:
        await until(lambda: len(listeners(ear)) == len(ear.parts))
        rooms = ear.platform.rooms  # type: ignore[attr-defined]
        for _ in range(20):  # what is given in a second is a matter of luck: now and then nothing is
            for part in ear.parts * 5:
                rooms._liked(part)
            if given(ear):
                break
            await asyncio.sleep(0.5)
        await until(lambda: len(ear.ticks) >= len(ear.parts))
        gifts = {fact.order_id: (fact.amount_minor, fact.room, fact.at) for fact in given(ear)}
        await until(lambda: len({sale.event_id for sale in ear.sales}) >= len(gifts))
    assert gifts
    assert gifts == {sale.event_id: (sale.amount_minor, sale.room, sale.at) for sale in ear.sales}


async def test_what_nobody_in_a_room_of_bilibili_can_hear_has_failed(tmp_path: Path) -> None:
    async with eared(tmp_path, kind("bilibili"), "bilibili", ON_AND_OFF, interval_s=1.0) as ear:
        ear.platform.trouble.feed = "refuse"
        await until(lambda: len(failed(ear)) >= len(ear.parts), 60.0)
        assert not ear.ticks
        assert {feed for feed, at in failed(ear)} == {f"heard-bilibili:{part.room}" for part in ear.parts}


async def test_when_a_listener_left_is_noted(tmp_path: Path) -> None:
    """He may be back before the next message: what he says of himself then is true."""
    async with eared(tmp_path, kind("bilibili"), "bilibili", ON_AIR, interval_s=1.0) as ear:
        await until(lambda: len(listeners(ear)) == len(ear.parts))
        assert "failed" not in outcomes(ear)
        ear.platform.fake.sockets.cut()  # type: ignore[attr-defined]
        await until(lambda: outcomes(ear).count("failed") == len(ear.parts))
        assert not failed(ear), "no message was lost"
    (tmp_path / "other").mkdir()
    async with eared(tmp_path / "other", kind("xiaohongshu"), "xiaohongshu", interval_s=1.0) as ear:
        await until(lambda: ear.said)
        assert "failed" not in outcomes(ear)
        ear.platform.cut()  # type: ignore[attr-defined]
        await until(lambda: "failed" in outcomes(ear))


def failed(ear: Ear) -> list[tuple[str, datetime]]:
    """Messages that nobody can have heard: they are of one moment of a second, what else failed is of any."""
    ear.flush()
    frames = frames_of(ear.scene.truth.path)
    return [(feed, at) for feed, at, outcome, _ in frames if outcome == "failed" and at.microsecond == AT_THE_END_US]


def listeners(ear: Ear) -> list[object]:
    return [it for there in ear.platform.fake.sockets.heard.values() for it in there]  # type: ignore[attr-defined]


def given(ear: Ear) -> list[Fact]:
    ear.flush()
    return [fact for fact, _ in facts_of(ear.scene.truth.path)]
