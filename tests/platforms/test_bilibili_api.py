"""The rules of Bilibili's interfaces against the played platform: signatures, codes, tokens."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from collectors import asked_frame
from collectors.apis.bilibili import BilibiliApi, read_room, room_info
from collectors.apis.bilibili_calls import BATCH_MAX, beat, end, read_beaten, read_started, start
from collectors.collector import BadFrame, PartlyRead
from collectors.hook import App
from collectors.open_api import Answer, Call, Caller, Judged, Tokens
from collectors.platforms.bilibili_oauth import BilibiliOauth
from monitor.rehearsal.platforms.api_server import Asked, Told
from monitor.rehearsal.platforms.bilibili_api import FakeBilibili
from monitor.rehearsal.platforms.token_office import CallBook

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
API, APP_ID = BilibiliApi(), 1_234_567_890_123
BASE = "https://x.example"


def played(**more: object) -> FakeBilibili:
    fake = FakeBilibili("KEY", b"SECRET", lambda: NOW, **more)  # type: ignore[arg-type]
    fake.codes["CODE5"] = "5"
    return fake


def caller(access: str = "CODE5", secret: bytes = b"SECRET") -> Caller:
    return Caller(App("a", "bilibili", "KEY", (secret,)), BASE, BASE, "", Tokens(access, NOW))


def told(fake: FakeBilibili, call: Call, remote: str = "127.0.0.1") -> Answer:
    method = "GET" if call.body is None else "POST"
    answer = fake.answer(Asked(method, call.url.removeprefix(BASE), {}, call.headers, call.body or b"", remote))
    return Answer(answer.status, {}, answer.body)


def judged(fake: FakeBilibili, call: Call, remote: str = "127.0.0.1") -> Judged:
    return API.judge(told(fake, call, remote))


def test_a_run_is_begun_kept_alive_and_ended() -> None:
    fake = played()
    game = read_started(told(fake, start(caller(), APP_ID, NOW)).body)
    assert (game.room, bool(game.game_id), len(game.links)) == ("5", True, 1)
    assert read_beaten(told(fake, beat(caller(), [game.game_id, "game-77"], NOW)).body) == {"game-77"}
    assert judged(fake, end(caller(), APP_ID, game.game_id, NOW)).verdict == "ok"
    assert judged(fake, end(caller(), APP_ID, game.game_id, NOW)) == Judged("missing", "7000")


def test_the_body_that_is_sent_is_the_one_that_is_signed() -> None:
    call = start(caller(), APP_ID, NOW)
    assert call.body == b'{"code":"CODE5","app_id":1234567890123}'
    assert call.headers["x-bili-content-md5"] == hashlib.md5(call.body, usedforsecurity=False).hexdigest()
    assert call.headers["x-bili-signature-version"] == "1.0"
    assert "CODE5" not in repr(call)


@pytest.mark.parametrize(
    ("call", "verdict"),
    [
        (start(caller(secret=b"ANOTHER"), APP_ID, NOW), ("app", "4002")),
        (start(caller(), APP_ID, NOW - timedelta(minutes=11)), ("clock", "4003")),
        (start(caller("CODE6"), APP_ID, NOW), ("missing", "6000")),
        (start(caller(), 7, NOW), ("app", "8002")),
        (beat(caller(), [str(number) for number in range(BATCH_MAX + 1)], NOW), ("broken", "7004")),
        (beat(caller(), ["game-1", "game-1"], NOW), ("broken", "7005")),
    ],
)
def test_each_refusal_has_its_own_word(call: Call, verdict: tuple[str, str]) -> None:
    said = judged(played(), call)
    assert (said.verdict, said.detail) == verdict


def test_a_nonce_is_never_used_twice() -> None:
    fake, calls = played(), [beat(caller(), [], NOW) for _ in range(100)]
    assert {judged(fake, call).verdict for call in calls} == {"ok"}
    assert judged(fake, calls[0]).detail == "4004"


def test_a_code_that_is_over_an_address_a_rate_and_an_app_that_is_not_published() -> None:
    fake = played(book=CallBook(per_s=1, addresses=frozenset({"127.0.0.1"})))
    fake.expired.add("CODE5")
    assert judged(fake, start(caller(), APP_ID, NOW), "10.0.0.9") == Judged("address", "4007")
    assert judged(fake, start(caller(), APP_ID, NOW)) == Judged("revoked", "7007")
    assert judged(fake, start(caller(), APP_ID, NOW)) == Judged("rate", "4009")
    assert judged(played(published=False), start(caller(), APP_ID, NOW)) == Judged("forbidden", "5004")


def test_a_run_that_nobody_kept_alive_is_over_and_its_room_cools_down() -> None:
    now = [NOW]
    fake = FakeBilibili("KEY", b"SECRET", lambda: now[0])
    fake.codes["CODE5"] = "5"
    assert judged(fake, start(caller(), APP_ID, now[0])).verdict == "ok"
    now[0] += timedelta(seconds=61)
    assert judged(fake, start(caller(), APP_ID, now[0])) == Judged("missing", "7001", 10.0)
    now[0] += timedelta(seconds=10)
    assert judged(fake, start(caller(), APP_ID, now[0])).verdict == "ok"


def test_five_may_listen_to_a_room_and_no_sixth() -> None:
    fake = played()
    said = [judged(fake, start(caller(), APP_ID, NOW)).detail for _ in range(6)]
    assert said == ["0"] * 5 + ["7010"]


@pytest.mark.parametrize("data", ["null", "[]", "{}", '{"game_info":{},"anchor_info":{"room_id":5}}'])
def test_an_answer_that_lacks_what_was_asked_for_is_a_bad_frame(data: str) -> None:
    with pytest.raises(BadFrame):
        read_started(f'{{"code":0,"data":{data}}}'.encode())


# --- accounts ---------------------------------------------------------------------------------------------------------


def test_an_account_is_linked_refreshed_once_and_asked() -> None:
    fake = played()
    code = fake.office.code("5")
    pair = API.granted(told(fake, API.exchange(caller(), code, "", NOW)).body, None, NOW).tokens
    assert pair.access_until == NOW + timedelta(days=30), "an instant, whatever its name says"
    room = read_room(told(fake, room_info(caller(pair.access), NOW)).body)
    assert (room.room_id, room.is_streaming) == (5, False)
    asking = Caller(caller().app, BASE, BASE, "", pair)
    refresh = API.refresh(asking, NOW)
    assert refresh is not None
    fresh = API.granted(told(fake, refresh).body, pair, NOW).tokens
    assert judged(fake, refresh).verdict == "token", "a refresh token is good once"
    assert judged(fake, room_info(caller(pair.access), NOW)).verdict == "token"
    fake.on_air.add("5")
    assert read_room(told(fake, room_info(caller(fresh.access), NOW)).body).is_streaming


def test_an_answer_of_another_room_leaves_its_own_unseen() -> None:
    """P11: a cache that mixes up its answers."""
    body = b'{"code":0,"data":{"room_id":6,"is_streaming":false}}'
    with pytest.raises(PartlyRead) as caught:
        BilibiliOauth(name="b", app="a").parse(asked_frame.framed(asked_frame.Asked(["5"]), body), NOW)
    assert (caught.value.unseen, list(caught.value.ticks)) == ({"5": "bad_frame"}, [])


def test_a_question_of_an_account_is_signed_with_its_version_and_its_token_beside() -> None:
    call = room_info(caller("TOKEN"), NOW)
    assert call.body is None
    assert call.headers["access-token"] == "TOKEN"
    assert call.headers["x-bili-signature-version"] == "2.0"
    assert call.headers["x-bili-content-md5"] == "d41d8cd98f00b204e9800998ecf8427e"
    assert "TOKEN" not in call.url


@pytest.mark.parametrize(("told_s", "until"), [(3600, NOW + timedelta(hours=1)), (1_798_113_600, None)])
def test_the_end_of_a_token_is_a_span_or_an_instant(told_s: int, until: datetime | None) -> None:
    body = f'{{"code":0,"data":{{"access_token":"a","refresh_token":"r","expires_in":{told_s}}}}}'.encode()
    assert API.granted(body, None, NOW).tokens.access_until == (until or datetime.fromtimestamp(told_s, UTC))


@pytest.mark.parametrize("told_s", ["0", "-1", "1795521599", "1e400", "null", '"x"', str(2**60)])
def test_tokens_at_their_end_are_none(told_s: str) -> None:
    with pytest.raises(BadFrame):
        API.granted(f'{{"code":0,"data":{{"access_token":"a","expires_in":{told_s}}}}}'.encode(), None, NOW)


def test_each_host_is_the_platforms_own_unless_the_config_says_otherwise() -> None:
    app = App("a", "bilibili", "KEY", (b"SECRET",))
    asking = Caller(app, API.BASE, API.AUTH_BASE, "", Tokens("T", NOW))
    assert start(asking, 1, NOW).url == "https://live-open.biliapi.com/v2/app/start"
    assert room_info(asking, NOW).url == "https://member.bilibili.com/arcopen/fn/live/room/info"
    assert API.exchange(asking, "C", "", NOW).url == "https://api.bilibili.com/x/account-oauth2/v1/token"
    assert room_info(caller(), NOW).url.startswith(BASE)


def test_the_status_says_what_the_body_does_not() -> None:
    for answer, verdict in (
        (Told(b"<html>", 502), "broken"),
        (Told(b"", 429), "rate"),
        (Told({"code": 0}, 502), "broken"),
    ):
        assert API.judge(Answer(answer.status, {}, answer.body)).verdict == verdict
