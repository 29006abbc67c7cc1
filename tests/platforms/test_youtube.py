"""What is YouTube's own: a quota spread over the day, viewers that may be hidden, an end that is told, the key."""

import asyncio
import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import msgspec
import pytest

from collectors.apis.youtube import YoutubeApi
from collectors.apis.youtube_calls import PACIFIC, interval_of, videos
from collectors.asked_frame import Asked, framed, unframed
from collectors.collector import PartlyRead
from collectors.hook import App
from collectors.open_api import Answer, Caller
from collectors.platforms.youtube import Youtube
from monitor.rehearsal.platforms.youtube_api import FakeYoutube, PlayedVideo

from ..accounts.simulated import EPOCH, now, simulate
from .stage import BLIND, LIVE, OFFLINE, Stage
from .straight import answered, straight
from .youtube_played import ROOMS, PlayedYoutube

API = YoutubeApi()
AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = "AIzaSyKEY-of-the-project"
APP = App("youtube", "youtube", "", (KEY.encode(),))
ROW = Youtube(name="youtube", app="youtube", rooms=["a", "b"])
BEGAN, ENDED = {"actualStartTime": "2026-11-24T11:00:00Z"}, {"actualEndTime": "2026-11-24T11:59:59Z"}


def page(*items: Any) -> bytes:
    return framed(Asked(["a", "b"]), msgspec.json.encode({"kind": "youtube#videoListResponse", "items": items}))


def item(video: str, **details: str) -> dict[str, Any]:
    return {"kind": "youtube#video", "id": video, "liveStreamingDetails": details}


# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("details", "live", "viewers", "end"),
    [
        ({}, False, None, None),
        ({"scheduledStartTime": "2026-11-24T13:00:00Z"}, False, None, None),
        (BEGAN, True, None, None),
        (BEGAN | {"concurrentViewers": "0"}, True, 0, None),
        (BEGAN | {"concurrentViewers": "1234"}, True, 1234, None),
        (BEGAN | ENDED, False, None, "ended"),
        (BEGAN | ENDED | {"concurrentViewers": "7"}, False, None, "ended"),
        ({"concurrentViewers": "7"}, False, None, None),
    ],
)
def test_how_a_video_stands(details: dict[str, str], live: bool, viewers: int | None, end: str | None) -> None:
    tick, other = ROW.parse(page(item("a", **details)), AT)
    assert (tick.live, tick.viewers, tick.end, tick.evidence, tick.at) == (live, viewers, end, "status", AT)
    assert (other.room, other.live, other.evidence) == ("b", False, "absent")


@pytest.mark.parametrize(
    "broken",
    [
        item("a", **BEGAN, concurrentViewers="viele"),
        item("a", **BEGAN, concurrentViewers="-1"),
        item("a", **BEGAN, concurrentViewers="１２"),
        item("a", actualStartTime="yesterday"),
        {"id": "a", "liveStreamingDetails": {"concurrentViewers": 5}},
        {"id": "a", "liveStreamingDetails": []},
    ],
)
def test_an_entry_that_cannot_be_read_leaves_its_room_unseen_alone(broken: Any) -> None:
    with pytest.raises(PartlyRead) as caught:
        ROW.parse(page(broken, item("b", **BEGAN)), AT)
    assert [(tick.room, tick.live) for tick in caught.value.ticks] == [("b", True)]
    assert caught.value.unseen == {"a": "bad_frame"}


@pytest.mark.parametrize("broken", [{}, None, 5, item("stranger", **BEGAN)])
def test_an_entry_of_whom_nobody_knows_puts_nobody_off_air(broken: Any) -> None:
    with pytest.raises(PartlyRead) as caught:
        ROW.parse(page(broken, item("b", **BEGAN)), AT)
    assert "a" in caught.value.unseen
    assert not [tick for tick in caught.value.ticks if not tick.live]


async def test_what_ended_is_ended_and_no_drop() -> None:
    played = PlayedYoutube()
    one, other = ROOMS
    played.on_air(one, 0)
    stage = Stage(played)
    async with stage.playing():
        await stage.until(lambda: stage.states == {one: LIVE, other: OFFLINE})
        assert stage.of(one).viewers is None, "nobody watches, or the number is hidden"
        played.off_air(one)
        await stage.until(lambda: stage.of(one).state == OFFLINE)
    assert stage.changes(one) == ["opened", "closed"]
    [closed] = [change for heard in stage.put for change in heard.changes if change.change == "closed"]
    assert closed.cause == "ended"


async def test_a_room_that_is_no_id_is_unseen_and_the_others_are_asked() -> None:
    played = PlayedYoutube()
    played.row = msgspec.structs.replace(played.row, rooms=[*ROOMS, "沈阳,一号"])
    stage = Stage(played)
    async with stage.playing():
        await stage.until(lambda: stage.watch.feeds["youtube"].single.dark.keys() == {"沈阳,一号"})
        await stage.messages_more(2)
        assert [stage.of(room).state for room in stage.rooms] == [OFFLINE, OFFLINE, BLIND]
    assert all(ids == ROOMS for _, ids in played.fake.asked)


# --- the quota --------------------------------------------------------------------------------------------------------


def test_the_interval_is_what_a_days_units_allow() -> None:
    assert interval_of(50, 10_000) == pytest.approx(9.504)
    assert interval_of(51, 10_000) == interval_of(100, 10_000) == pytest.approx(19.008)
    assert interval_of(500, 10_000) == pytest.approx(95.04)
    assert interval_of(50, 1_000_000) < 0.1


def played_for(
    seconds: float, fake: FakeYoutube, rooms: int, starts: int = 1, **more: Any
) -> tuple[Counter[str], Counter[str]]:
    """Ask in so many lives, one after the other. Returns how often each verdict was heard, and each room seen."""
    seen, total = Counter[str](), Counter[str]()

    async def emit(frame: bytes, at: datetime) -> None:
        seen.update(unframed(frame)[0].rooms)

    async def work() -> None:
        row = Youtube(name="youtube", app="youtube", rooms=[f"v-{number}" for number in range(rooms)], **more)
        for _ in range(starts):
            async with straight(row, API, APP, fake, now) as (line, verdicts), aiohttp.ClientSession() as http:
                task = asyncio.ensure_future(line.collect(http, emit, now))
                await asyncio.wait([task], timeout=seconds / starts)
                task.cancel()
                await asyncio.wait([task])
                total.update(verdicts)

    simulate(work())
    return total, seen


def test_a_day_of_many_rooms_stays_within_the_quota_and_uses_it() -> None:
    """Whoever begins anew, even several times a day, asks once of each and goes on as before."""
    starts = 9
    fake = FakeYoutube("", KEY.encode(), lambda: EPOCH, units=1_000)
    fake.now = now
    verdicts, seen = played_for(33 * 3_600, fake, 480, starts, units_per_day=1_000)
    assert set(verdicts) == {"ok"}
    assert 850 < max(fake.spent.values()) <= 1_000, "from the eighth hour to the 32nd it is one day in California"
    assert len(seen) == 480
    assert max(seen.values()) - min(seen.values()) <= 2 * starts


def test_few_rooms_are_asked_no_more_often_than_the_interval_says() -> None:
    fake = FakeYoutube("", KEY.encode(), lambda: EPOCH)
    fake.now = now
    _, seen = played_for(1_000, fake, 2)
    assert set(seen.values()) <= {99, 100, 101}


@pytest.mark.parametrize(
    ("at", "wait_s"),
    [
        (datetime(2026, 11, 24, 23, 0, tzinfo=PACIFIC), 3_600),
        (datetime(2026, 11, 24, 0, 0, tzinfo=PACIFIC), 86_400),
        (datetime(2026, 11, 1, 0, 0, tzinfo=PACIFIC), 90_000),  # clocks go back that day
        (datetime(2026, 3, 8, 0, 0, tzinfo=PACIFIC), 82_800),
    ],
)
def test_a_quota_that_is_spent_is_anew_at_midnight_in_california(at: datetime, wait_s: float) -> None:
    fake = FakeYoutube("", KEY.encode(), lambda: at.astimezone(UTC), units=0)
    judged = API.judge(answered(fake, videos(Caller(APP, "http://h", ""), ["a"])))
    assert (judged.verdict, judged.detail, judged.wait_s) == ("rate", "403 quotaExceeded", wait_s)


# --- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "reason", "message", "verdict"),
    [
        (403, "quotaExceeded", "", "rate"),
        (403, "rateLimitExceeded", "", "rate"),
        (400, "keyInvalid", "Bad Request", "app"),
        (400, "badRequest", "API key not valid. Please pass a valid API key.", "app"),
        (400, "badRequest", "Bad Request", "missing"),
        (403, "accessNotConfigured", "", "app"),
        (403, "ipRefererBlocked", "", "address"),
        (404, "videoNotFound", "", "missing"),
        (500, "backendError", "", "broken"),
        (503, "", "", "broken"),
    ],
)
def test_what_a_refusal_says(status: int, reason: str, message: str, verdict: str) -> None:
    told = {"error": {"code": status, "message": message, "errors": [{"reason": reason}] if reason else []}}
    judged = API.judge(Answer(status, {}, msgspec.json.encode(told)))
    assert judged.verdict == verdict
    assert message not in judged.detail or not message


def test_fifty_are_asked_in_a_call_and_the_key_is_shown_nowhere() -> None:
    ids = [f"v-_{number}" for number in range(50)]
    call = videos(Caller(APP, "http://h/v3", ""), ids)
    assert call.url == f"http://h/v3/videos?part=liveStreamingDetails&id={','.join(ids)}&key={KEY}"
    assert KEY not in repr(call)


async def test_neither_a_refusal_nor_a_fault_shows_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    played = PlayedYoutube()
    stage = Stage(played)
    async with stage.playing():
        await stage.until(lambda: OFFLINE in stage.states.values())
        played.trouble.feed = "error"
        await stage.until(lambda: "http_status" in stage.failed)
        played.trouble.feed = None
        played.lock_out(ROOMS[0])
        await stage.until(lambda: stage.watch.feeds["youtube"].refused)
        told = stage.watch.feeds["youtube"].refused
    key = played.app.secrets[0].decode()
    assert key not in caplog.text
    assert key not in told


def test_a_video_is_on_air_from_its_beginning_to_its_end() -> None:
    clock = [AT]
    fake = FakeYoutube("", KEY.encode(), lambda: clock[0])
    video = fake.videos["a"] = PlayedVideo("a", scheduled_at=AT)
    found = []
    for change in ({}, {"began_at": AT}, {"viewers": 3}, {"viewers": 0}, {"ended_at": AT + timedelta(hours=1)}):
        for name, value in change.items():
            setattr(video, name, value)
        body = answered(fake, videos(Caller(APP, "http://h", ""), ["a"])).body
        [tick] = ROW.parse(framed(Asked(["a"]), body), AT)
        found.append((tick.live, tick.viewers, tick.end))
    assert found == [
        (False, None, None),
        (True, None, None),
        (True, 3, None),
        (True, None, None),
        (False, None, "ended"),
    ]
