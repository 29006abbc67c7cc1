"""Twitch's socket: moved without a loss, found dead by its silence, closed in eight ways; what it costs is told."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from collectors.api_feed import Make, RoomUnseen
from collectors.apis.twitch import TwitchApi
from collectors.collector import BadFrame, FeedRefused
from collectors.eventsub_messages import CLOSED, Heard, event_frame, read_message
from collectors.eventsub_subscribing import Subscribing
from collectors.moved_address import is_of_the_house
from collectors.open_api import Caller, Tokens
from collectors.platforms.twitch_eventsub import ROOMS_MAX, TwitchEventsub
from monitor.rehearsal.platforms.twitch_api import FakeTwitch
from monitor.rehearsal.platforms.twitch_sockets import REASONS, Subscription

from .stage import BLIND, DROPPED, LIVE, OFFLINE, Stage
from .straight import answered
from .twitch_played import APP, ROOMS, PlayedEventsub

AT = datetime(2026, 11, 24, 12, 40, 1, tzinfo=UTC)
ONE, OTHER = ROOMS
SECOND = 1.0
ROW = TwitchEventsub(name="twitch-events", app="twitch", rooms=list(ROOMS))


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which were looked up. All names under localhost are this machine, whatever looks names up on it says of them."""
    looked_up, there = list[str](), socket.getaddrinfo

    def look_up(host: str, *more: Any, **other: Any) -> Any:
        looked_up.append(host)
        return there("127.0.0.1" if host.endswith("localhost") else host, *more, **other)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return looked_up


@asynccontextmanager
async def staged(keepalive_s: float = 0.0, cell: str = "") -> AsyncIterator[tuple[PlayedEventsub, Stage]]:
    """Both channels are off air, all is subscribed, the list was asked once, and will not be asked again."""
    played = PlayedEventsub()
    played.cell = cell
    played.row = msgspec.structs.replace(played.row, interval_s=3e6)  # so seldom that no beat comes meanwhile
    played.fake.sockets.keepalive_s = keepalive_s
    stage = Stage(played)
    async with stage.playing():
        await stage.until(lambda: stage.states == {ONE: OFFLINE, OTHER: OFFLINE})
        yield played, stage
        assert played.fake.sockets.said == [], "nothing may ever be said on such a socket"


def events(stage: Stage, room: str) -> list[bool | None]:
    """What was told of a room by the socket, in order."""
    ticks = [tick for heard in stage.put for _, tick in heard.ticks]
    return [tick.live for tick in ticks if tick.room == room and tick.evidence == "event"]


# --- events -----------------------------------------------------------------------------------------------------------


async def test_what_the_socket_tells_is_known_at_once_and_the_list_is_asked_once() -> None:
    async with staged() as (played, stage):
        assert [(it.type, it.of) for it in played.fake.subscribed] == [
            (kind, room) for room in ROOMS for kind in ("stream.online", "stream.offline")
        ]
        played.on_air(ONE, 5)
        await stage.until(lambda: stage.of(ONE).state == LIVE)
        played.off_air(ONE)
        await stage.until(lambda: stage.of(ONE).state == DROPPED)
        assert stage.of(OTHER).state == OFFLINE
        assert played.fake.asked == [ROOMS]
    assert stage.changes(ONE) == ["opened", "dropped"], "off air does not say why"


async def test_what_comes_twice_is_taken_once() -> None:
    async with staged() as (played, stage):
        about = {"id": "41", "type": "live", "started_at": "2026-11-24T12:40:00Z"}
        for message_id in ("a", "a", "b", "a"):
            assert played.fake.sockets.notify("stream.online", ONE, "one", about, message_id) == 1
        played.fake.sockets.notify("stream.online", OTHER, "other", about)
        await stage.until(lambda: stage.of(OTHER).state == LIVE)
        assert events(stage, ONE) == [True, True]
    assert stage.changes(ONE) == ["opened"]


async def test_a_message_that_cannot_be_read_is_kept_and_the_socket_goes_on() -> None:
    async with staged() as (played, stage):
        [session] = played.fake.sockets.sessions.values()
        played.fake.sockets.send_raw(session, '{"metadata":"沈阳"')
        played.on_air(ONE, 5)
        await stage.until(lambda: stage.of(ONE).state == LIVE)
        assert stage.quarantined == [event_frame('{"metadata":"沈阳"'.encode())]
        assert played.fake.sockets.welcomed == 1


# --- another socket ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["", "cell-b."])
async def test_a_session_that_moves_loses_no_event_and_begins_no_session_anew(cell: str, names: list[str]) -> None:
    """Something happens before, while and after; and what came over the old socket is still read when it is left."""
    async with staged(cell=cell) as (played, stage):
        sockets, subscribed = played.fake.sockets, list(played.fake.subscribed)
        played.on_air(ONE, 5)
        sockets.welcoming.clear()
        sockets.move()
        await stage.until(lambda: len(sockets.connections) == 2)
        played.on_air(OTHER, 6)
        await stage.until(lambda: stage.states == {ONE: LIVE, OTHER: LIVE})
        for _ in range(20):  # more than are read ahead
            played.off_air(OTHER)
            played.on_air(OTHER, 6)
        played.off_air(ONE)
        sockets.welcoming.set()  # in the same instant
        await stage.until(lambda: sockets.welcomed == 2)
        played.on_air(ONE, 7)
        await stage.until(lambda: events(stage, ONE) == [True, False, True])
        await stage.until(lambda: len(sockets.connections) == 1)
        played.off_air(OTHER)
        await stage.until(lambda: stage.of(OTHER).state == DROPPED)
        assert events(stage, OTHER) == [True, *[False, True] * 20, False]
        assert played.fake.subscribed == subscribed, "subscriptions move by themselves"
        assert played.fake.asked == [ROOMS], "nothing was lost, so nothing need be asked"
        assert not stage.failed
    assert stage.changes(ONE)[:2] == ["opened", "dropped"]
    assert [name for name in names if "local" in name] == (["localhost", f"{cell}localhost"] if cell else [])
    assert sockets.closed == [], "the old socket was left before its time was over"


async def test_a_session_moves_again_and_again() -> None:
    async with staged() as (played, stage):
        sockets = played.fake.sockets
        for number in range(2, 6):
            sockets.move()
            await stage.until(lambda number=number: sockets.welcomed == number)
            await stage.until(lambda: len(sockets.connections) == 1)
        played.on_air(ONE, 5)
        await stage.until(lambda: stage.of(ONE).state == LIVE)
        assert len(played.fake.subscribed) == 4
        assert not stage.failed


async def test_what_is_subscribed_to_after_a_move_is_in_the_name_of_the_new_session() -> None:
    played = PlayedEventsub()
    played.row = msgspec.structs.replace(played.row, interval_s=0.1)
    played.fake.gone.add(OTHER)
    stage = Stage(played)
    async with stage.playing():
        await stage.until(lambda: len(played.fake.subscribed) == 2)
        played.fake.sockets.move()
        await stage.until(lambda: played.fake.sockets.welcomed == 2 and len(played.fake.sockets.connections) == 1)
        played.fake.gone.discard(OTHER)
        await stage.until(lambda: len(played.fake.subscribed) == 4)
        assert played.fake.subscribed[3].session_id in played.fake.sockets.sessions
        assert set(stage.failed) == {"http_status"}, "of one room, which was only asked about meanwhile"
    assert not stage.spans(), "the feed itself was never lost"


async def test_an_old_socket_that_is_closed_by_4004_while_we_move_is_no_loss() -> None:
    async with staged() as (played, stage):
        sockets = played.fake.sockets
        sockets.grace_s = 0.2
        sockets.welcoming.clear()
        sockets.move()
        await stage.until(lambda: len(sockets.connections) == 2)
        await stage.until(lambda: sockets.closed == [4004] and len(sockets.connections) == 1)
        sockets.welcoming.set()
        await stage.until(lambda: sockets.welcomed == 2)
        played.on_air(ONE, 5)
        await stage.until(lambda: stage.of(ONE).state == LIVE)
        assert not stage.failed
        assert len(played.fake.subscribed) == 4


TWITCH = "wss://eventsub.wss.twitch.tv/ws?keepalive_timeout_seconds=10"


@pytest.mark.parametrize(
    "url",
    [
        "wss://cell-b.eventsub.wss.twitch.tv/ws?challenge=c&id=AgoQ",
        "wss://eventsub.wss.twitch.tv/ws?challenge=c&id=AgoQ",
        "wss://eventsub.wss.twitch.tv:443/ws",
        "WSS://Cell-A.EventSub.wss.twitch.tv/ws",
        "wss://a.cell_c.eventsub.wss.twitch.tv/",
    ],
)
def test_an_address_under_the_name_of_ours_is_of_the_house(url: str) -> None:
    assert is_of_the_house(url, TWITCH)
    assert is_of_the_house(url, "wss://EventSub.wss.twitch.tv:443/ws")


@pytest.mark.parametrize(
    "url",
    [
        "wss://eventsub.wss.twitch.tv.evil.example/ws",
        "wss://evileventsub.wss.twitch.tv/ws",
        "wss://wss.twitch.tv/ws",
        "wss://.eventsub.wss.twitch.tv/ws",
        "wss://evil..eventsub.wss.twitch.tv/ws",
        "wss://eventsub.wss.twitch.tv@evil.example/ws",
        "wss://cell-b.eventsub.wss.twitch.tv:443@evil.example/ws",
        "wss://user:word@cell-b.eventsub.wss.twitch.tv/ws",
        "wss://@eventsub.wss.twitch.tv/ws",
        "wss://evil.example\\.eventsub.wss.twitch.tv/ws",
        "wss://evil.example\\@eventsub.wss.twitch.tv/ws",
        "wss://evil.example%2f.eventsub.wss.twitch.tv/ws",
        "wss://evil.example /.eventsub.wss.twitch.tv/ws",
        "wss://evil.example?.eventsub.wss.twitch.tv/ws",
        "wss://evil.example#.eventsub.wss.twitch.tv/ws",
        "wss://evil.example／.eventsub.wss.twitch.tv/ws",
        "wss://沈阳.eventsub.wss.twitch.tv/ws",
        f"wss://{'a' * 64}.eventsub.wss.twitch.tv/ws",
        f"wss://{'a.' * 120}eventsub.wss.twitch.tv/ws",
        "ws://cell-b.eventsub.wss.twitch.tv/ws",
        "ws://cell-b.eventsub.wss.twitch.tv:443/ws",
        "https://cell-b.eventsub.wss.twitch.tv/ws",
        "wss://cell-b.eventsub.wss.twitch.tv:8443/ws",
        "wss://cell-b.eventsub.wss.twitch.tv:0/ws",
        "wss://cell-b.eventsub.wss.twitch.tv:x/ws",
        "//cell-b.eventsub.wss.twitch.tv/ws",
        "cell-b.eventsub.wss.twitch.tv",
        "wss:///ws",
        "wss://[/ws",
        "",
    ],
)
def test_any_other_address_is_of_another_house(url: str) -> None:
    assert not is_of_the_house(url, TWITCH)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_an_address_in_numbers_has_none_under_it(host: str) -> None:
    ours = f"ws://{host}/ws"
    assert is_of_the_house(f"ws://{host}:80/ws?id=x", ours)
    assert not is_of_the_house(f"ws://7.{host}/ws", ours)
    assert not is_of_the_house(f"ws://cell-b.{host}/ws", ours)


@pytest.mark.parametrize(
    "url", ["ws://127.0.0.1:1/ws?reconnect_id=x", "ws://127.0.0.1.evil.example/ws", "http://[", ""]
)
async def test_an_address_on_another_host_is_not_followed_but_begun_anew(url: str) -> None:
    async with staged() as (played, stage):
        sockets = played.fake.sockets
        [session] = sockets.sessions.values()
        told = {"session": {"id": session.id, "status": "reconnecting", "reconnect_url": url}}
        sockets.send(session, "session_reconnect", told)
        await stage.until(lambda: len(played.fake.asked) == 2)
        assert len(played.fake.subscribed) == 8
        assert stage.failed == ["closed"]


async def test_an_address_to_move_to_that_is_not_good_is_a_loss_by_4007() -> None:
    async with staged() as (played, stage):
        sockets = played.fake.sockets
        sockets.move(f"{sockets.url}?reconnect_id=unknown")
        await stage.until(lambda: len(played.fake.asked) == 2)
        assert sockets.closed == [4007]
        assert stage.failed == ["closed"]
        played.on_air(ONE, 5)
        await stage.until(lambda: stage.of(ONE).state == LIVE)


# --- losses -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", REASONS)
async def test_each_code_by_which_it_is_closed_is_named_and_begun_anew(
    code: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with staged() as (played, stage):
        played.on_air(ONE, 5)
        await stage.until(lambda: stage.of(ONE).state == LIVE)
        asked = len(played.fake.asked)
        played.fake.sockets.end(code)
        await stage.until(lambda: len(played.fake.asked) == asked + 1)
        assert len(played.fake.subscribed) == 8, "its subscriptions were lost with it"
        played.on_air(OTHER, 5)
        await stage.until(lambda: stage.states == {ONE: LIVE, OTHER: LIVE})
        assert stage.failed == ["closed"]
    assert f"Twitch closed the socket: {code} {CLOSED[code]}" in caplog.text
    assert stage.changes(ONE) == ["opened"]


async def test_who_subscribes_too_late_is_closed_by_4003_and_comes_again() -> None:
    played = PlayedEventsub()
    played.fake.sockets.unused_s = 0.0
    stage = Stage(played)
    async with stage.playing():
        await stage.until(lambda: 4003 in played.fake.sockets.closed)
        played.fake.sockets.unused_s = 10.0
        await stage.until(lambda: stage.states == {ONE: OFFLINE, OTHER: OFFLINE})


async def test_what_happened_while_nothing_was_heard_is_found_by_the_list() -> None:
    """One began, and one was another broadcast when we came back."""
    async with staged() as (played, stage):
        played.on_air(OTHER, 5)
        await stage.until(lambda: stage.of(OTHER).state == LIVE)
        played.fake.sockets.silent = True
        played.on_air(ONE, 6)
        played.off_air(OTHER)
        played.on_air(OTHER, 7)
        played.fake.sockets.silent = False
        stage.of(OTHER).session = msgspec.structs.replace(stage.of(OTHER).session, by_event=False)  # it is long ago
        played.fake.sockets.cut()
        await stage.until(lambda: stage.of(ONE).state == LIVE)
        await stage.until(lambda: stage.changes(OTHER) == ["opened", "closed", "opened"])
        assert stage.of(ONE).viewers == 6


async def test_a_socket_that_is_silent_is_given_up_by_its_keepalive() -> None:
    async with staged(keepalive_s=SECOND) as (played, stage):
        await stage.messages_more(2)  # keepalives: nothing else is told
        assert not stage.failed
        played.fake.sockets.silent = True
        played.on_air(ONE, 5)
        await stage.until(lambda: stage.failed == ["timeout"])
        played.fake.sockets.silent = False
        await stage.until(lambda: stage.of(ONE).state == LIVE)
        assert played.fake.asked == [ROOMS, ROOMS]


async def test_a_subscription_that_is_taken_back_is_subscribed_to_anew() -> None:
    async with staged() as (played, stage):
        played.fake.sockets.revoke(ONE, "user_removed")
        await stage.until(lambda: len(played.fake.asked) == 2)
        assert stage.failed == ["closed"]
        assert len(played.fake.subscribed) == 8


async def test_a_user_who_takes_back_the_apps_right_is_a_refusal_for_good() -> None:
    async with staged() as (played, stage):
        for room in ROOMS:
            played.fake.office.revoke(room)
            played.fake.sockets.revoke(room, "authorization_revoked")
        await stage.until(lambda: stage.watch.feeds["twitch-events"].refused)
        assert "link the account" in stage.watch.feeds["twitch-events"].refused
        assert stage.states == {ONE: BLIND, OTHER: BLIND}


# --- the list fails, and the socket does not --------------------------------------------------------------------------


@asynccontextmanager
async def asking_often() -> AsyncIterator[tuple[PlayedEventsub, Stage]]:
    played = PlayedEventsub()
    stage = Stage(played)
    async with stage.playing():
        await stage.until(lambda: stage.states == {ONE: OFFLINE, OTHER: OFFLINE})
        yield played, stage
        assert played.fake.sockets.welcomed == 1, "nothing was lost"
        assert len(played.fake.subscribed) == 4


@pytest.mark.parametrize("status", [503, 400])
async def test_a_question_that_fails_once_ends_no_socket_and_blinds_nobody(status: int) -> None:
    async with asking_often() as (played, stage):
        left = [status]

        def look(user_ids: Sequence[str]) -> None:
            played.fake.failing = {ONE: left.pop()} if left else {}

        played.fake.look = look
        await stage.until(lambda: stage.failed)
        await stage.messages_more(5)
        assert stage.failed == ["http_status"]
        played.on_air(ONE, 5)
        await stage.until(lambda: stage.of(ONE).state == LIVE)
        assert events(stage, ONE) == [True]
        assert stage.watch.feeds["twitch-events"].state == "ok"
    assert (stage.spans(), stage.spans(ONE), stage.spans(OTHER)) == ([], [], [])


@pytest.mark.parametrize("status", [503, 400])
async def test_while_no_question_is_answered_channels_are_blind_until_the_socket_tells_of_them(status: int) -> None:
    async with asking_often() as (played, stage):
        played.on_air(ONE, 5)
        await stage.until(lambda: stage.of(ONE).state == LIVE)
        played.fake.failing = {ONE: status}
        await stage.until(lambda: stage.states == {ONE: BLIND, OTHER: BLIND})
        assert stage.of(ONE).session.is_blind
        played.off_air(ONE)
        await stage.until(lambda: "dropped" in stage.changes(ONE))
        assert events(stage, ONE) == [True, False]
        played.fake.failing = {}
        await stage.until(lambda: stage.states == {ONE: DROPPED, OTHER: OFFLINE})
    assert stage.spans() == [], "the feed was never blind"
    assert stage.spans(OTHER)


# --- what it costs ----------------------------------------------------------------------------------------------------


class Straight:
    """A Platform that asks the fake, in the name of one user."""

    def __init__(self, fake: FakeTwitch) -> None:
        self.fake, self.access = fake, fake.office.issue("7", AT).access
        self.refused: set[str] = set()

    async def ask(self, make: Make, room: str = "", batch: Sequence[str] = ()) -> bytes:
        tokens = Tokens(self.access, AT)
        answer = answered(self.fake, make(Caller(APP, "http://127.0.0.1:1", "", "", tokens, tokens)))
        if room in self.refused or TwitchApi().judge(answer).verdict != "ok":
            raise RoomUnseen("http_status")
        return answer.body

    def unseen(self, room: str, reason: str) -> None: ...
    def patience(self, interval_s: float) -> None: ...


class Listening:
    """A session that nobody listens to."""

    def __init__(self, fake: FakeTwitch) -> None:
        self.id, self.subscriptions, self.used = "s1", list[Subscription](), asyncio.Event()
        fake.sockets.sessions[self.id] = self  # type: ignore[assignment]


async def subscribed(fake: FakeTwitch, rooms: list[str], refused: frozenset[str] = frozenset()) -> Subscribing:
    Listening(fake)
    platform = Straight(fake)
    platform.refused |= refused
    subscribing = Subscribing(lambda: "s1", rooms, platform)
    await subscribing.begin()
    return subscribing


def fake() -> FakeTwitch:
    return FakeTwitch(APP.key, APP.secrets[0], lambda: AT)


async def test_five_foreign_channels_are_what_one_user_may_hear() -> None:
    assert (await subscribed(fake(), list("12345"))).left == []
    with pytest.raises(FeedRefused, match=r"10 of 10\) after 5 of 6 channels"):
        await subscribed(fake(), list("123456"))


async def test_channels_whose_broadcasters_let_the_app_in_cost_nothing() -> None:
    played = fake()
    rooms = [str(number) for number in range(1, 21)]
    played.authorised.update(rooms[5:])
    assert (await subscribed(played, rooms)).left == []


async def test_what_another_connection_has_spent_may_be_free_in_a_while() -> None:
    played = fake()
    ghost = Subscription("g", "stream.online", "9", "7", "s0", 6, AT)
    played.sockets.sessions["s0"] = Listening(played)  # type: ignore[assignment]
    played.sockets.sessions["s0"].subscriptions.append(ghost)
    with pytest.raises(ConnectionResetError, match="6 of it elsewhere"):
        await subscribed(played, list("12345"))


async def test_a_channel_that_cannot_be_subscribed_to_is_tried_again_and_hinders_nobody() -> None:
    subscribing = await subscribed(fake(), ["1", "2", "沈阳", "3"], frozenset({"2"}))
    assert subscribing.left == ["2"]
    assert await subscribing.go_on() == "http_status"
    with pytest.raises(ConnectionResetError):
        await subscribed(fake(), ["2"], frozenset({"2"}))


async def test_more_channels_than_a_connection_takes_are_refused_before_anything_is_asked() -> None:
    rooms = [str(number) for number in range(ROOMS_MAX + 1)]
    row = msgspec.structs.replace(ROW, rooms=rooms)
    assert [where for where, _, _ in row.complaints()] == [("rooms",)]
    assert not list(msgspec.structs.replace(ROW, rooms=rooms[1:]).complaints())
    with pytest.raises(FeedRefused, match="151"):
        await row.collect(None, None, None, None)  # type: ignore[arg-type]


# --- messages ---------------------------------------------------------------------------------------------------------


def notification(**change: object) -> bytes:
    told = {
        "metadata": {
            "message_id": "m", "message_type": "notification", "message_timestamp": "2026-11-24T12:40:04.777412162Z",
        },
        "payload": {
            "subscription": {"type": "stream.online", "condition": {"broadcaster_user_id": "1"}},
            "event": {"broadcaster_user_id": "1", "id": "81299117"},
        },
    }  # fmt: skip
    for where, value in change.items():
        place: dict[str, object] = told
        *path, last = where.split("__")
        for part in path:
            place = place[part]  # type: ignore[assignment]
        place[last] = value
    return json.dumps(told).encode()


def test_an_event_is_told_at_twitchs_own_stamp() -> None:
    [tick] = ROW.parse(event_frame(notification()), AT)
    assert (tick.room, tick.live, tick.evidence, tick.session_key) == ("1", True, "event", "81299117")
    assert tick.at == datetime(2026, 11, 24, 12, 40, 4, 777412, UTC)
    [tick] = ROW.parse(event_frame(notification(payload__subscription__type="stream.offline")), AT)
    assert (tick.live, tick.session_key, tick.end) == (False, None, None)


@pytest.mark.parametrize(
    "change",
    [
        {"payload__event": None},
        {"payload__subscription": None},
        {"payload__event__broadcaster_user_id": "2"},
        {"payload__event__id": ""},
        {"payload__event__id": None},
        {"payload__subscription__type": "channel.cheer"},
        {"metadata__message_timestamp": "yesterday"},
        {"metadata": None},
    ],
)
def test_an_event_that_cannot_be_meant_is_a_bad_frame(change: dict[str, object]) -> None:
    with pytest.raises(BadFrame):
        ROW.parse(event_frame(notification(**change)), AT)


def test_so_many_ids_are_remembered_and_no_more() -> None:
    heard = Heard()
    messages = [read_message(notification(metadata__message_id=str(number))) for number in range(Heard.KEPT_MAX + 1)]
    assert all(map(heard.is_new, messages))
    assert not heard.is_new(messages[1])
    assert heard.is_new(messages[0])
    assert len(heard._ids) == Heard.KEPT_MAX
