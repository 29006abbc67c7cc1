"""What may happen to ws_json (W1 to W14 of the reliability page): a dead or lying peer is blind time, never a drop."""

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.platforms.described_house import SECRET, Hearing, Service, until
from tests.platforms.test_described import ROOMS, loaded
from tests.platforms.test_described_faults import answering, broadcasts


@asynccontextmanager
async def heard(folder: Path, **changed: str) -> AsyncIterator[tuple[Service, Hearing]]:
    """All rooms live, all subscribed."""
    async with Service(broadcasts()).serving() as service:
        async with Hearing(loaded(folder, "socket", service.url, **changed), ROOMS).hearing() as hearing:
            await until(lambda: all(hearing.changes(room) for room in ROOMS))
            await until(lambda: list(service.sockets.values()) == [set(ROOMS)])
            yield service, hearing


async def back(service: Service, hearing: Hearing) -> None:
    """Connected and seen again, and no room was thought to have stopped."""
    hearing.hurry()
    connects, messages = service.connects, hearing.messages
    await until(lambda: hearing.messages > messages and service.sockets)
    assert service.connects >= connects
    assert [hearing.changes(room) for room in ROOMS] == [["opened"]] * len(ROOMS)


Act = Callable[[web.WebSocketResponse], Awaitable[None]]


async def raw(socket: web.WebSocketResponse, wire: bytes) -> None:
    """Bytes that no library would send."""
    transport = socket._req.transport if socket._req else None
    assert transport is not None
    transport.write(wire)


FAULTS: dict[str, tuple[Act, str]] = {
    "W1 a message over the limit": (lambda socket: socket.send_str(" " * 70_000), "closed"),
    "W2 compressed without having agreed": (lambda socket: raw(socket, b"\xc1\x02\x4b\x04"), "closed"),
    "W3 fragments without end": (lambda socket: raw(socket, b"\x01\x010" + b"\x00\x010" * 70_000), "closed"),
    "W4 not UTF-8": (lambda socket: raw(socket, b"\x81\x02\xff\xfe"), "closed"),
    "W4 a reserved opcode": (lambda socket: raw(socket, b"\x83\x00"), "closed"),
    "W4 masked by the server": (lambda socket: raw(socket, b"\x81\x81\x00\x00\x00\x000"), "closed"),
    "W11 a close of one byte": (lambda socket: raw(socket, b"\x88\x010"), "closed"),
    "W11 a close without sense": (lambda socket: raw(socket, b"\x88\x02\x03\xe7"), "closed"),
    "gone without a word": (lambda socket: raw(socket, b"\x88\x00"), "closed"),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_peer_that_breaks_the_protocol_is_left_and_found_again(name: str, tmp_path: Path) -> None:
    act, reason = FAULTS[name]
    async with heard(tmp_path, body_bytes_max="65536") as (service, hearing):
        (socket,) = service.sockets
        await act(socket)
        await until(lambda: hearing.failed)
        assert hearing.failed[0] == reason
        await back(service, hearing)


MESSAGES = {
    "no JSON": "<html>",
    "NaN": '{"type": "live", "data": NaN}',
    "no room": '{"type": "live", "data": {"on": true}}',
    "live is a table": '{"type": "live", "data": {"roomId": "10086", "on": {}}}',
    "W10 more than a row holds": '{"type": "live", "data": {"roomId": "10086", "on": true, "watching": 2147483648}}',
    "W10 less than none": '{"type": "live", "data": {"roomId": "10086", "on": true, "watching": -1}}',
    "a time of another century": '{"type": "live", "data": {"roomId": "10086", "on": true, "ts": 1}}',
    "no list": '{"type": "live", "data": 7}',
}


@pytest.mark.parametrize("name", MESSAGES)
async def test_a_message_that_means_nothing_is_kept_for_a_person(name: str, tmp_path: Path) -> None:
    async with heard(tmp_path) as (service, hearing):
        (socket,) = service.sockets
        await socket.send_str(MESSAGES[name])
        await until(lambda: hearing.quarantined)
        await service.change("10086", viewers=999)
        await until(lambda: (tick := hearing.last("10086")) and tick.viewers == 999)
    assert hearing.quarantined[0][0].decode() == MESSAGES[name]
    assert (hearing.failed, hearing.blind(), service.connects) == (["bad_frame"], [], 1)


async def test_a_room_that_we_do_not_watch_changes_nothing_of_ours(tmp_path: Path) -> None:
    """W13."""
    async with heard(tmp_path) as (service, hearing):
        (socket,) = service.sockets
        await socket.send_str('{"type": "live", "data": {"roomId": "别人", "on": true, "watching": 5}}')
        await until(lambda: "别人" in hearing.watch.feeds["data-service"].unlisted)
    assert [hearing.changes(room) for room in ROOMS] == [["opened"]] * len(ROOMS)


async def test_what_happened_an_hour_ago_decides_nothing(tmp_path: Path) -> None:
    """W14: a service that plays its backlog to whoever comes back."""
    async with heard(tmp_path) as (service, hearing):
        (socket,) = service.sockets
        for number in range(200):
            await socket.send_str(
                f'{{"type": "live", "data": {{"roomId": "10086", "on": false, "ts": {1_700_000_000_000 + number}}}}}'
            )
        await service.change("10087", viewers=999)
        await until(lambda: (tick := hearing.last("10087")) and tick.viewers == 999)
    assert hearing.changes("10086") == ["opened"]


async def test_who_stops_and_comes_back_within_one_message_is_on_air(tmp_path: Path) -> None:
    """And who comes and goes is not."""
    async with heard(tmp_path, state_interval_s="60.0") as (service, hearing):
        (socket,) = service.sockets
        changes = [("10086", False), ("10087", True), ("10086", True), ("10087", False)]
        told = [{"roomId": room, "on": on} for room, on in changes]
        await socket.send_str(json.dumps({"type": "live", "data": told}))
        await until(lambda: len(hearing.changes("10087")) == 2)
    assert [hearing.changes(room) for room in ROOMS[:2]] == [["opened", "dropped", "resumed"], ["opened", "dropped"]]


async def test_a_silent_peer_is_found_and_its_rooms_are_blind(tmp_path: Path) -> None:
    """Its connection lives, its pongs come, and nothing is said: the service behind it sees nothing."""
    async with heard(tmp_path, silence_s_max="1.0", state_interval_s="60.0") as (service, hearing):
        service.mute = True
        await until(lambda: "silence" in hearing.blind())
        service.mute = False
        await back(service, hearing)


@pytest.mark.parametrize("count", [True, False])
async def test_a_pong_counts_only_where_it_is_said_to(count: bool, tmp_path: Path) -> None:
    changed = {"heartbeat": "", "heartbeat_reply": "", "pongs_count": str(count).lower()}
    async with heard(tmp_path, **changed, silence_s_max="1.3") as (_, hearing):
        messages = hearing.messages
        await until(lambda: hearing.messages >= messages + 2 if count else "silence" in hearing.blind())
        assert not (count and hearing.failed)


HANDSHAKES = {
    "W12 no switch": (answering(200), "http_status"),
    "W12 a redirect to another host": (answering(302, Location="http://127.0.0.1:1/live"), "http_status"),
    "W12 a redirect on the same host": (answering(307, Location="/live?again"), "http_status"),
    "W12 a false key": (answering(101, Upgrade="websocket", Connection="Upgrade", Sec_WebSocket_Accept="x"), "connect"),
    "not our token": (answering(401, body=SECRET), "refused"),
    "forbidden": (answering(403), "auth"),
    "too many": (answering(429, Retry_After="0"), "rate_limited"),
    "broken": (answering(503), "http_status"),
}


@pytest.mark.parametrize("name", HANDSHAKES)
async def test_a_handshake_that_fails_is_named(name: str, tmp_path: Path) -> None:
    reply, reason = HANDSHAKES[name]
    async with heard(tmp_path) as (service, hearing):
        service.handshakes = [reply]
        (socket,) = service.sockets
        await raw(socket, b"\x88\x00")
        await until(lambda: len(hearing.failed) >= 2)
        assert hearing.failed[:2] == ["closed", reason]
        await back(service, hearing)


async def test_after_each_connect_all_rooms_are_asked_for(tmp_path: Path) -> None:
    """What happened while nobody listened is not missed, and a room that the state does not list is no longer live."""
    async with heard(tmp_path) as (service, hearing):
        (socket,) = service.sockets
        service.sockets[socket].clear()  # of this change nobody is told
        await service.change("10086", live=False)
        await raw(socket, b"\x88\x00")
        await until(lambda: hearing.changes("10086") == ["opened", "dropped"])
    assert service.connects == 2
    assert sum(request.path == "/live/rooms" for request in service.requests) == 2


async def test_a_platform_says_that_our_token_ended(tmp_path: Path) -> None:
    async with heard(tmp_path, refused_when="\"type == 'revoked'\"") as (service, hearing):
        (socket,) = service.sockets
        await socket.send_str('{"type": "revoked"}')
        await until(lambda: hearing.failed)
        assert (hearing.failed, hearing.blind()) == (["refused"], ["refused"])


async def test_rooms_are_subscribed_in_messages_of_so_many(tmp_path: Path) -> None:
    async with heard(tmp_path, rooms_per_message="2") as (service, _):
        pass
    assert [json.loads(said)["rooms"] for said in service.said if said != "ping"] == [ROOMS[:2], ROOMS[2:4], ROOMS[4:]]


async def test_no_secret_is_seen(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with heard(tmp_path) as (service, hearing):
        (socket,) = service.sockets
        await socket.send_str(f'{{"type": "live", "data": "{SECRET}"}}')
        await until(lambda: hearing.quarantined)
        service.handshakes = [answering(401, body=SECRET), answering(302, Location=f"/?{SECRET}")]
        await raw(socket, b"\x88\x00")
        await until(lambda: len(hearing.failed) >= 3)
    told = [b"".join(frame + why.encode() for frame, why in hearing.quarantined)]
    told += [line.getMessage().encode() for line in caplog.records if line.name.startswith("monitor")]
    assert b"***" in told[0]
    assert not any(b"s3cret" in text for text in told)


async def test_a_secret_that_no_header_may_hold_is_not_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The libraries would say it in their error."""
    async with Service(broadcasts()).serving() as service:
        row = loaded(tmp_path, "socket", service.url)
        (tmp_path / "secrets/data-service").write_text("令牌-canary", encoding="utf-8")
        async with Hearing(row, ROOMS).hearing() as hearing:
            await until(lambda: hearing.failed)
    assert hearing.failed[0] == "refused"
    assert "canary" not in caplog.text
