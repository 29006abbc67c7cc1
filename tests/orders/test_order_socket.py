"""Both order sockets: confirmed only when it is on disk, and gone when the platform is."""

import asyncio
import http
from collections.abc import AsyncIterator
from datetime import datetime

import msgspec
import pytest
import websockets
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from collectors import order_socket
from collectors.collector import FeedRefused
from collectors.order_socket import KEEPING_MAX, MESSAGE_BYTES_MAX, UNREADABLE_MAX, turned_away
from monitor.live.failure import reason_of
from tests.orders.socket_stage import NO_HTTP, NOW, Disk, Stage, pinduoduo, taobao, until


@pytest.fixture(params=[taobao, pinduoduo], ids=lambda platform: platform.__name__)
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    async with request.param() as stage:
        yield stage


async def test_nothing_is_confirmed_before_it_is_on_disk(stage: Stage) -> None:
    stage.disk.turns.clear()
    stage.sell()
    async with stage.hearing():
        await until(lambda: stage.disk.asked)
        pulses = stage.disk.pulses
        await until(lambda: stage.disk.pulses >= pulses + 3)  # the conversation goes on meanwhile
        assert stage.confirmations == []
        stage.disk.turns.set()
        await until(lambda: stage.confirmed == 1)
    assert len(stage.disk.kept) == 1
    assert len(stage.confirmations) == 1


async def test_what_was_not_kept_comes_again(stage: Stage) -> None:
    stage.disk.turns.clear()
    stage.sell()
    async with stage.hearing():
        await until(lambda: stage.disk.asked)
    assert stage.disk.kept == []
    assert stage.confirmations == []
    stage.disk.turns.set()
    async with stage.hearing():
        await until(lambda: stage.confirmed == 1)
    assert len(stage.disk.kept) == 1


async def test_a_disk_that_fails_ends_the_feed_unconfirmed(stage: Stage) -> None:
    async def full(frame: bytes, at: datetime) -> None:
        if frame:
            raise OSError(28, "No space left on device")

    stage.sell()
    with pytest.raises(OSError, match="No space"):
        await stage.feed.collect(NO_HTTP, full, lambda: NOW, stage.app)
    assert stage.confirmations == []


async def test_a_connection_cut_inside_a_message_loses_nothing(stage: Stage) -> None:
    async with stage.hearing() as hearing:
        stage.sell("11")
        await until(lambda: stage.confirmed == 1)
        stage.sell("22")
        stage.fake.cut()
        with pytest.raises(websockets.ConnectionClosed) as ended:
            await asyncio.wait_for(asyncio.shield(hearing), 5)
        assert reason_of(ended.value) == "closed"
    async with stage.hearing():
        await until(lambda: stage.confirmed == 2)
    assert {sale_of(stage, frame) for frame in stage.disk.kept} == {"11", "22"}


async def test_many_are_on_their_way_at_once_but_not_all(stage: Stage) -> None:
    stage.disk.turns.clear()
    for number in range(200):
        stage.sell(str(10_000 + number))
    async with stage.hearing():
        await until(lambda: len(stage.disk.asked) >= KEEPING_MAX)
        await asyncio.sleep(0.05)
        assert len(stage.disk.asked) == KEEPING_MAX
        stage.disk.turns.set()
        await until(lambda: stage.confirmed == 200)
    assert [sale_of(stage, frame) for frame in stage.disk.kept] == [str(10_000 + number) for number in range(200)]


async def test_garbage_is_kept_for_a_person_and_confirmed_to_nobody(stage: Stage) -> None:
    async with stage.hearing():
        await stage.say("{garbage")
        stage.sell()
        await until(lambda: stage.confirmed == 1)
    assert len(stage.confirmations) == 1
    bad, good = stage.disk.kept
    with pytest.raises(ValueError, match=r"tmc: |bad_json: "):
        stage.feed.parse(bad, NOW, stage.app)
    assert stage.feed.parse(good, NOW, stage.app).needs


async def test_who_speaks_another_language_is_refused(stage: Stage) -> None:
    async with stage.hearing() as hearing:
        for _ in range(UNREADABLE_MAX + 1):
            await stage.say("<html>")
        with pytest.raises(FeedRefused, match="is the url right"):
            await asyncio.wait_for(asyncio.shield(hearing), 5)


async def test_a_message_over_the_limit_ends_the_connection(stage: Stage) -> None:
    async with stage.hearing() as hearing:
        await stage.say("x" * (MESSAGE_BYTES_MAX + 1))
        with pytest.raises(websockets.ConnectionClosed) as ended:
            await asyncio.wait_for(asyncio.shield(hearing), 5)
    assert ended.value.sent is not None
    assert ended.value.sent.code == 1009


async def test_a_slow_disk_is_not_the_platforms_silence() -> None:
    """The pong waits behind messages that wait for the disk; when the disk is back, so is the pulse."""
    disk = Disk()
    disk.turns.clear()

    async def flood(connection: ServerConnection) -> None:
        for number in range(KEEPING_MAX + 200):
            await connection.send(str(number))
        async for _ in connection:
            pass

    def hear(message: order_socket.Message) -> order_socket.Said:
        return order_socket.Said(f"{message!r}".encode(), "ack")

    async with serve(flood, "127.0.0.1", 0, ping_interval=None) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with order_socket.connection(url) as socket:
            talk = asyncio.ensure_future(
                order_socket.converse(socket, disk.emit, lambda: NOW, hear, lambda: "beat", 0.05, 0.1)
            )
            await until(lambda: len(disk.asked) == KEEPING_MAX)
            pulses = disk.pulses
            await asyncio.sleep(0.5)  # five times what a pong may take
            assert not talk.done()
            assert disk.pulses <= pulses + 1
            disk.turns.set()
            await until(lambda: disk.pulses > pulses + 1 and len(disk.kept) == KEEPING_MAX + 200)
            talk.cancel()
            await asyncio.wait([talk])


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 3000, 4001])
async def test_however_the_platform_closes_the_feed_ends(stage: Stage, code: int) -> None:
    async with stage.hearing() as hearing:
        await stage.fake.connections[0].close(code, "维护")
        with pytest.raises(websockets.ConnectionClosed):
            await asyncio.wait_for(asyncio.shield(hearing), 5)


async def test_a_wrong_secret_is_refused_and_the_second_one_is_tried(stage: Stage) -> None:
    app, stage.app = stage.app, msgspec.structs.replace(stage.app, secrets=(b"wrong", b"older"))
    with pytest.raises(FeedRefused):
        await stage.hear()
    stage.app = msgspec.structs.replace(app, secrets=(b"new, not yet known", *app.secrets))
    stage.sell()
    async with stage.hearing():
        await until(lambda: stage.confirmed == 1)
    stage.app = msgspec.structs.replace(app, secrets=())
    with pytest.raises(FeedRefused, match="no secret"):
        await stage.hear()


async def test_a_cancelled_feed_is_gone_at_once(stage: Stage) -> None:
    stage.disk.turns.clear()
    stage.sell()
    async with stage.hearing():
        await until(lambda: stage.disk.asked)
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 1.0
    await until(lambda: not stage.fake.connections)


async def test_a_peer_that_answers_no_ping_has_left() -> None:
    """TCP holds, the handshake was fine, and nothing comes: not one pulse."""
    reply_s_max, pulses, over = 0.2, 0, asyncio.Event()

    async def deaf(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await over.wait()
        connection.transport.abort()

    async def emit(frame: bytes, at: datetime) -> None:
        nonlocal pulses
        pulses += 1

    async with serve(deaf, "127.0.0.1", 0, ping_interval=None) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        with pytest.raises(TimeoutError):
            async with order_socket.connection(url) as socket:
                await order_socket.converse(
                    socket, emit, lambda: NOW, lambda _: order_socket.Said(), lambda: "beat", 0.1, reply_s_max
                )
        over.set()
    assert pulses == 0


@pytest.mark.parametrize("location", ["ws://elsewhere.invalid/", "/another"])
async def test_a_redirect_is_not_followed(location: str) -> None:
    async def elsewhere(connection: ServerConnection) -> None: ...

    def redirect(connection: ServerConnection, request: Request) -> Response:
        answer = connection.respond(http.HTTPStatus.FOUND, "")
        answer.headers["Location"] = location
        return answer

    async with serve(elsewhere, "127.0.0.1", 0, process_request=redirect) as server:
        with pytest.raises(websockets.InvalidStatus, match="HTTP 302"):
            async with order_socket.connection(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"):
                pass


@pytest.mark.parametrize(
    ("told", "kind"),
    [("1004 invalid sign", FeedRefused), ("0 签名错误", FeedRefused), ("27 app_key not found", FeedRefused),
     ("500 server busy", ConnectionResetError), ("", ConnectionResetError), ("3 group 不存在", ConnectionResetError)],
)  # fmt: skip
def test_only_what_names_the_key_is_for_good(told: str, kind: type[Exception]) -> None:
    assert type(turned_away("TMC", told)) is kind


def sale_of(stage: Stage, frame: bytes) -> str:
    (need,) = stage.feed.parse(frame, NOW, stage.app).needs
    return need.key
