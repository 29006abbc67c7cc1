"""What is Twitch's own: a hundred ids a call, its pace read from its answers, its words, its list as it writes it."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from collectors.apis.twitch import TwitchApi
from collectors.apis.twitch_calls import BATCH_MAX, streams
from collectors.asked_frame import Asked, framed, unframed
from collectors.batch_polls import batches
from collectors.collector import FeedRefused, PartlyRead
from collectors.open_api import Answer, Call, Caller, Tokens
from collectors.platforms.twitch import Twitch
from monitor.live.failure import FeedFailed, innermost
from monitor.rehearsal.platforms.token_office import Pair
from monitor.rehearsal.platforms.twitch_api import FakeTwitch, PlayedStream

from ..accounts.simulated import EPOCH, now, simulate
from .stage import BLIND, LIVE, OFFLINE, Stage
from .straight import answered, straight
from .twitch_played import APP, ROOMS, PlayedTwitch

API = TwitchApi()
AT = datetime(2026, 11, 24, 12, 40, 1, tzinfo=UTC)
CAPTURED = Path(__file__).parents[1] / "feeds" / "twitch" / "captured" / "frames.jsonl"
ROW = Twitch(name="twitch", app="twitch", rooms=["1", "2"])
BASE = "http://127.0.0.1:1"


def caller(access: str = "T") -> Caller:
    return Caller(APP, BASE, BASE, "", None, Tokens(access, AT))


def page(*entries: dict[str, Any]) -> bytes:
    return framed(Asked(["1", "2"], "streams"), msgspec.json.encode({"data": entries, "pagination": {}}))


def entry(user_id: str, **more: Any) -> dict[str, Any]:
    return {"id": "40", "user_id": user_id, "type": "live", "viewer_count": 5} | more


# --- calls ------------------------------------------------------------------------------------------------------------


def test_no_call_has_more_than_a_hundred_ids_and_all_rooms_are_in_one() -> None:
    rooms = [str(number) for number in range(12_345)]
    shares = batches(rooms, BATCH_MAX).values()
    assert [len(share) for share in shares] == [100] * 123 + [45]
    assert [room for share in shares for room in share] == rooms


def test_the_fake_answers_what_the_call_asks_and_refuses_a_hundred_and_one() -> None:
    fake = FakeTwitch(APP.key, APP.secrets[0], lambda: AT)
    access = fake.office.issue("", AT).access
    assert answered(fake, streams(caller(access), [str(number) for number in range(100)])).status == 200
    assert len(fake.asked[0]) == 100
    assert answered(fake, streams(caller(access), [str(number) for number in range(101)])).status == 400
    assert answered(fake, streams(caller("other"), ["1"])).status == 401


def test_the_fake_writes_a_page_as_the_capture_has_it_byte_for_byte() -> None:
    first = msgspec.json.decode(CAPTURED.read_bytes().splitlines()[0])["frame"]
    asked, body = unframed(first.encode())
    [told] = msgspec.json.decode(body)["data"]
    fake = FakeTwitch(APP.key, APP.secrets[0], lambda: AT)
    fake.streams[told["user_id"]] = PlayedStream(
        told["id"], told["user_id"], told["user_login"], told["viewer_count"],
        datetime.fromisoformat(told["started_at"]), name=told["user_name"],
    )  # fmt: skip
    access = fake.office.issue("", AT).access
    assert answered(fake, streams(caller(access), asked.rooms)).body == body


# --- pages ------------------------------------------------------------------------------------------------------------


def test_a_stream_is_its_session_and_who_is_not_listed_is_absent() -> None:
    one, other = ROW.parse(page(entry("1", id="41")), AT)
    assert (one.live, one.viewers, one.session_key, one.evidence) == (True, 5, "41", "status")
    assert (other.live, other.evidence, other.viewers) == (False, "absent", None)


@pytest.mark.parametrize("count", [-1, None])
def test_a_number_of_viewers_that_is_none_is_unknown(count: int | None) -> None:
    assert ROW.parse(page(entry("1", viewer_count=count)), AT)[0].viewers is None


@pytest.mark.parametrize("broken", [entry("1", viewer_count="viele"), entry("1", id=""), entry("1", id=None)])
def test_an_entry_that_cannot_be_read_leaves_its_room_unseen_alone(broken: dict[str, Any]) -> None:
    with pytest.raises(PartlyRead) as caught:
        ROW.parse(page(broken, entry("2")), AT)
    assert [tick.room for tick in caught.value.ticks] == ["2"]
    assert caught.value.unseen == {"1": "bad_frame"}


@pytest.mark.parametrize("broken", [{"id": "40"}, 5, None, entry("99999")])
def test_an_entry_of_whom_nobody_knows_leaves_all_who_are_not_listed_unseen(broken: Any) -> None:
    with pytest.raises(PartlyRead) as caught:
        ROW.parse(page(broken, entry("2")), AT)
    assert "1" in caught.value.unseen
    assert not [tick for tick in caught.value.ticks if tick.live is False], "nobody is off air by such an answer"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"data":5}', b"<html>", b'{"data":[],"data":[]}'])
def test_what_is_no_page_leaves_its_rooms_unseen(body: bytes) -> None:
    with pytest.raises(PartlyRead) as caught:
        ROW.parse(framed(Asked(["1", "2"], "streams"), body), AT)
    assert caught.value.unseen.keys() == {"1", "2"}
    assert not caught.value.ticks


async def test_a_room_that_is_no_id_is_unseen_and_the_others_are_asked() -> None:
    played = PlayedTwitch()
    played.row = msgspec.structs.replace(played.row, rooms=[*ROOMS, "沈阳一号", "fisherdave185"])
    stage = Stage(played)
    async with stage.playing():
        await stage.until(lambda: [stage.of(room).state for room in ROOMS] == [OFFLINE, OFFLINE])
        await stage.until(lambda: stage.watch.feeds["twitch"].single.dark.keys() == {"沈阳一号", "fisherdave185"})
        await stage.messages_more(3)
        assert [stage.of(room).state for room in stage.rooms] == [OFFLINE, OFFLINE, BLIND, BLIND]
    assert all(asked == ROOMS for asked in played.fake.asked)


async def test_a_stream_with_another_id_is_another_session_and_a_flap_of_the_same_id_is_none() -> None:
    played = PlayedTwitch()
    one = ROOMS[0]
    played.on_air(one, 5)
    stage = Stage(played)
    async with stage.playing():
        await stage.until(lambda: stage.of(one).state == LIVE)
        kept = played.fake.streams.pop(one)
        await stage.until(lambda: "dropped" in stage.changes(one))
        played.fake.streams[one] = kept
        await stage.until(lambda: stage.of(one).state == LIVE)
        assert stage.changes(one) == ["opened", "dropped", "resumed"]
        played.fake.streams[one] = PlayedStream(**{**vars(kept), "id": "9"})
        await stage.until(lambda: len(stage.changes(one)) == 5)
    assert stage.changes(one)[3:] == ["closed", "opened"]


# --- pace and tokens --------------------------------------------------------------------------------------------------


def heard_for(seconds: float, fake: FakeTwitch, rooms: int, **more: Any) -> tuple[Counter[str], Counter[str]]:
    """Ask for so long. Returns how often each verdict was heard, and the first room of each hundred seen."""
    seen = Counter[str]()

    async def emit(frame: bytes, at: datetime) -> None:
        seen.update(unframed(frame)[0].rooms[:1])

    async def work() -> Counter[str] | Exception:
        row = Twitch(name="twitch", app="twitch", rooms=[str(number) for number in range(rooms)], **more)
        async with straight(row, API, APP, fake, now) as (line, verdicts), aiohttp.ClientSession() as http:
            task = asyncio.ensure_future(line.collect(http, emit, now))
            await asyncio.wait([task], timeout=seconds)
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled() and (error := task.exception()) is not None:
                assert isinstance(error, Exception)
                return innermost(error)
        return verdicts

    heard = simulate(work())
    if isinstance(heard, Exception):
        raise heard
    return heard, seen


@pytest.mark.parametrize("points", [800, 300, 60])
def test_what_is_left_is_read_in_each_answer_so_that_nobody_is_refused(points: int) -> None:
    """12,000 rooms at 5 s want 1,440 calls a minute."""
    fake = FakeTwitch(APP.key, APP.secrets[0], lambda: EPOCH, points_max=points)
    fake.now = now
    verdicts, seen = heard_for(180.0, fake, 12_000)
    assert verdicts["rate"] == 0
    assert 0.8 * 3 * points <= verdicts["ok"] <= 4 * points, (
        "the bucket is full at the start, and is filled three times"
    )
    assert len(seen) == 120
    assert max(seen.values()) - min(seen.values()) <= 2, "each waits as long as the others"


def test_few_rooms_are_asked_at_their_interval_whatever_is_left() -> None:
    fake = FakeTwitch(APP.key, APP.secrets[0], lambda: EPOCH)
    fake.now = now
    verdicts, seen = heard_for(100.0, fake, 250)
    assert set(seen.values()) <= {19, 20, 21}
    assert set(verdicts) == {"ok"}


def test_after_a_refusal_nothing_is_asked_until_the_platform_counts_anew() -> None:
    """Another program has the same app, and has spent all."""
    fake = FakeTwitch(APP.key, APP.secrets[0], lambda: EPOCH)
    fake.now = now
    fake._points = 0.5
    fake._points_at = EPOCH + timedelta(seconds=4)
    with pytest.raises(FeedFailed) as caught:
        heard_for(100.0, fake, 1)
    assert caught.value.reason == "rate_limited"
    assert 58 <= caught.value.wait_s <= 62, "the bucket is full in a minute"


def test_the_apps_token_comes_by_itself_and_is_renewed_when_it_is_not_taken_any_more() -> None:
    fake = FakeTwitch(APP.key, APP.secrets[0], lambda: EPOCH)
    fake.now = now
    issued = list[Pair]()
    issue = fake.office.issue

    def short(shop: str, at: datetime, access_until: datetime | None = None) -> Pair:
        """It is good for a minute, though the answer says four hours."""
        issued.append(issue(shop, at, access_until))
        issued[-1].void_from = at + timedelta(seconds=60)
        return issued[-1]

    fake.office.issue = short  # type: ignore[method-assign]
    verdicts, seen = heard_for(200.0, fake, 1)
    assert len(issued) == 4
    assert verdicts["token"] == 3
    assert seen["0"] in (39, 40, 41), "no beat is lost by it"


@pytest.mark.parametrize(("key", "secret"), [("OTHER", b"secret"), ("CLIENT", b"other")])
def test_a_wrong_key_or_secret_is_a_refusal_for_good(key: str, secret: bytes) -> None:
    fake = FakeTwitch(key, secret, lambda: EPOCH)
    fake.now = now
    with pytest.raises(FeedRefused):
        heard_for(60.0, fake, 1)


DATE = {"date": "Tue, 24 Nov 2026 12:40:18 GMT", "ratelimit-limit": "800"}
RESET = {**DATE, "ratelimit-reset": "1795524028"}  # ten seconds later


@pytest.mark.parametrize(
    ("status", "headers", "body", "verdict", "wait_s", "left"),
    [
        (200, {**RESET, "ratelimit-remaining": "799"}, b'{"data":[]}', "ok", 10, 799),
        (202, {**RESET, "ratelimit-remaining": "0"}, b'{"data":[]}', "ok", 10, 0),
        (200, {}, b'{"data":[]}', "ok", 0, None),
        (200, {"ratelimit-remaining": "-5", "ratelimit-reset": "never"}, b'{"data":[]}', "ok", 0, None),
        (429, {**RESET, "ratelimit-remaining": "0"}, b"{}", "rate", 10, None),
        (429, {"ratelimit-reset": "1795524028"}, b"", "rate", 0, None),
        (429, {**DATE, "ratelimit-reset": "1"}, b"", "rate", 0, None),
        (429, {**RESET, "ratelimit-remaining": "700"}, b'{"status":429}', "missing", 0, None),
        (401, {}, b'{"status":401,"error":"Unauthorized","message":"Invalid OAuth token"}', "token", 0, None),
        (400, {}, b'{"status":400,"message":"invalid client"}', "app", 0, None),
        (403, {}, b'{"status":403,"message":"invalid client secret"}', "app", 0, None),
        (400, {}, b'{"status":400,"message":"Invalid refresh token"}', "revoked", 0, None),
        (403, {}, b'{"status":403,"message":"subscription missing proper authorization"}', "forbidden", 0, None),
        (409, {}, b'{"status":409,"message":"subscription already exists"}', "ok", 0, None),
        (400, {}, b'{"status":400,"message":"malformed"}', "missing", 0, None),
        (503, {}, b'{"status":503}', "broken", 0, None),
    ],
)
def test_what_an_answer_says(
    status: int, headers: dict[str, str], body: bytes, verdict: str, wait_s: float, left: int | None
) -> None:
    judged = API.judge(Answer(status, headers, body))
    assert (judged.verdict, judged.wait_s, judged.left) == (verdict, wait_s, left)


# --- a user -----------------------------------------------------------------------------------------------------------


def test_a_user_lets_the_app_in_and_the_account_is_theirs() -> None:
    fake = FakeTwitch(APP.key, APP.secrets[0], lambda: AT)

    def body(call: Call | None) -> bytes:
        assert call is not None
        answer = answered(fake, call)
        assert API.judge(answer).verdict == "ok"
        return answer.body

    code = fake.office.code("94355978")
    tokens = API.granted(body(API.exchange(caller(), code, "https://h.example/oauth/twitch", AT)), None, AT).tokens
    with_tokens = msgspec.structs.replace(caller(), tokens=tokens)
    grant = API.completed(with_tokens, body(API.complete(with_tokens, AT)))
    assert (grant.anchor, grant.shop, grant.name) == ("94355978", "", "channel94355978")
    complete = msgspec.structs.replace(caller(), tokens=grant.tokens)
    assert API.complete(complete, AT) is None
    fresh = API.granted(body(API.refresh(complete, AT)), grant.tokens, AT).tokens
    assert fresh.access != tokens.access
    assert API.complete(msgspec.structs.replace(caller(), tokens=fresh), AT) is None, "whose it is stays known"
    fake.office.revoke("94355978")
    assert API.judge(answered(fake, API.refresh(complete, AT) or Call("", ""))).verdict == "revoked"
