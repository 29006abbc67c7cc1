"""One piece for every kind of hosted platform: an evening, and all that goes wrong in it. Blind is never down."""

import pytest

from .kinds import KINDS
from .stage import BLIND, DROPPED, LIVE, OFFLINE, Stage

pytestmark = pytest.mark.parametrize("kind", KINDS)


def staged(kind: str) -> Stage:
    return Stage(KINDS[kind]())


async def test_a_room_goes_on_air_and_off_and_the_other_does_not(kind: str) -> None:
    stage = staged(kind)
    one, other = stage.rooms
    stage.played.on_air(one, 7)
    async with stage.playing():
        await stage.until(lambda: stage.counts(one, 7))
        await stage.until(lambda: stage.states == {one: LIVE, other: OFFLINE})
        stage.played.on_air(one, 1_234)
        await stage.until(lambda: stage.counts(one, 1_234))
        stage.played.off_air(one)
        await stage.until(lambda: stage.of(one).state in (DROPPED, OFFLINE))
        stage.played.on_air(other, 1)
        await stage.until(lambda: stage.of(other).state == LIVE)
        await stage.messages_more(4)
        assert stage.of(one).state in (DROPPED, OFFLINE)
    assert stage.changes(one)[:2] in (["opened", "dropped"], ["opened", "closed"])
    assert stage.changes(other) == ["opened"]
    assert not stage.quarantined


async def test_what_a_platform_counts_is_counted_once(kind: str) -> None:
    stage = staged(kind)
    one = stage.rooms[0]
    stage.played.on_air(one, 5, 100)
    async with stage.playing():
        await stage.until(lambda: stage.of(one).state == LIVE)
        if not stage.played.totals:
            await stage.ticks_more(one, 2)
            assert (stage.of(one).views_seen, stage.of(one).views_total) == (None, 0), "what nobody tells is not zero"
            return
        await stage.until(lambda: stage.of(one).views_seen == 100)
        first = stage.of(one).views_total
        for total in (150, 151, 151, 400):
            stage.played.on_air(one, 5, total)
            await stage.ticks_more(one, 2)
        await stage.until(lambda: stage.of(one).views_total - first == 300)


@pytest.mark.parametrize("how", ["refuse", "error", "garbage"])
async def test_a_platform_that_is_away_is_blind_time_and_no_room_drops(kind: str, how: str) -> None:
    stage = staged(kind)
    one, other = stage.rooms
    stage.played.on_air(one, 7)
    async with stage.playing():
        await stage.until(lambda: stage.states == {one: LIVE, other: OFFLINE})
        stage.played.trouble.feed = how  # type: ignore[assignment]
        await stage.until(lambda: stage.states == {one: BLIND, other: BLIND})
        assert stage.of(one).viewers is None
        stage.played.trouble.feed = None
        await stage.until(lambda: stage.states == {one: LIVE, other: OFFLINE})
        await stage.messages_more(4)
    assert stage.changes(one) == ["opened"], "the same session goes on"
    assert stage.changes(other) == []
    assert stage.spans() or (stage.spans(one) and stage.spans(other))
    assert stage.failed


async def test_who_is_told_to_be_slower_is_slower_and_no_room_drops(kind: str) -> None:
    stage = staged(kind)
    one = stage.rooms[0]
    stage.played.on_air(one, 7)
    async with stage.playing():
        await stage.until(lambda: stage.of(one).state == LIVE)
        stage.played.too_fast(True)
        await stage.until(lambda: "rate_limited" in stage.failed)
        stage.played.too_fast(False)
        await stage.ticks_more(one, 2)
        assert stage.of(one).state == LIVE
    assert stage.changes(one) == ["opened"]


async def test_a_refusal_is_of_whom_it_concerns(kind: str) -> None:
    stage = staged(kind)
    one, other = stage.rooms
    stage.played.on_air(one, 7)
    stage.played.on_air(other, 8)
    async with stage.playing():
        await stage.until(lambda: stage.states == {one: LIVE, other: LIVE})
        stage.played.lock_out(one)
        await stage.until(lambda: stage.of(one).state == BLIND)
        if stage.played.auth == "room":
            await stage.ticks_more(other, 3)
            assert stage.of(other).state == LIVE
            assert stage.watch.feeds[stage.played.row.name].state == "ok"
        else:
            await stage.until(lambda: stage.watch.feeds[stage.played.row.name].refused)
            assert stage.of(other).state == BLIND
    assert stage.changes(one) == ["opened"]
    assert {"auth", "refused"} & set(stage.failed)


async def test_an_answer_that_cannot_be_read_blinds_its_room_and_is_kept(kind: str) -> None:
    stage = staged(kind)
    one, other = stage.rooms
    stage.played.on_air(one, 7)
    stage.played.on_air(other, 8)
    async with stage.playing():
        await stage.until(lambda: stage.states == {one: LIVE, other: LIVE})
        stage.played.garble(one)
        await stage.until(lambda: stage.of(one).state == BLIND)
        await stage.ticks_more(other, 3)
        assert stage.of(other).state == LIVE
    assert stage.quarantined
    assert "bad_frame" in stage.failed
    assert stage.changes(one) == ["opened"]


async def test_a_room_that_an_answer_leaves_out_is_not_down_at_once(kind: str) -> None:
    stage = staged(kind)
    one, other = stage.rooms
    stage.played.leave_out(one, True)
    stage.played.on_air(other, 8)
    async with stage.playing():
        await stage.until(lambda: stage.of(other).state == LIVE)
        if stage.played.partial == "absent":
            await stage.until(lambda: stage.of(one).state == OFFLINE)
        else:
            await stage.until(lambda: stage.of(one).state == BLIND)
        stage.played.leave_out(one, False)
        stage.played.on_air(one, 9)
        await stage.until(lambda: stage.of(one).state == LIVE)
    assert stage.changes(one) == ["opened"]
