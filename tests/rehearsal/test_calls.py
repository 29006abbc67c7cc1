"""What played servers call is written as the real ones wrote it, and livemon understands of it what their pages say."""

import asyncio
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from aiohttp import web

from collectors.hook import App, Delivery, Hook
from collectors.servers.nginx_rtmp import NginxRtmp
from collectors.servers.nginx_rtmp_hooks import NginxRtmpHooks
from collectors.servers.node_media_server_hooks import NodeMediaServerHooks
from collectors.servers.srs_hooks import SrsHooks
from collectors.servers.zlmediakit_hooks import ZlmediakitHooks
from collectors.tick import Tick
from monitor.rehearsal.event.cast import Part
from monitor.rehearsal.event.play import RoomNow
from monitor.rehearsal.event.tempo import Tempo
from monitor.rehearsal.house import CALLING, CALLS, SERVERS, shown
from monitor.rehearsal.manners import server_of
from monitor.rehearsal.platforms.calls import Caller
from monitor.rehearsal.platforms.stream import Streams
from monitor.rehearsal.scene import Scene, Trouble
from monitor.rehearsal.truth import OFF_AIR, Truth, frames_of, viewers_of
from tests.own_servers import ROWS as ROWS_ASKED
from tests.own_servers import served
from tests.rehearsal.server_pages import AT
from tests.rehearsal.staged import loaded, part, running, staged, until
from tests.rehearsal.test_fake_servers import EVENING, Scripted, skeleton, watched

FEEDS = Path(__file__).parents[1] / "feeds"
ROWS: dict[str, Hook] = {
    "nginx_rtmp": NginxRtmpHooks(name="call-a", app="a"), "srs": SrsHooks(name="call-a", app="a"),
    "node_media_server": NodeMediaServerHooks(name="call-a", app="a"),
    "zlmediakit": ZlmediakitHooks(name="call-a", app="a"),
}  # fmt: skip
ALL = pytest.mark.parametrize("kind", CALLS)


@pytest.fixture
def truth(tmp_path: Path) -> Iterator[Truth]:
    with Truth(tmp_path / "truth.sqlite") as truth:
        yield truth


def calling(truth: Truth, kind: str, speed: float = 1.0) -> Caller:
    play = Scripted(speed, 4, EVENING)
    scene = Scene(play, Tempo(AT, speed), truth, cast(Any, None), "", lambda name: b"")
    return Caller(scene, "call", "A", Streams(play, [0], SERVERS[kind].COUNTING), CALLS[kind], Trouble())


def meant(kind: str, body: bytes, at: datetime) -> list[Tick]:
    delivery = Delivery("POST", "/hooks/call-a", "", {}, body)
    return list(ROWS[kind].parse(msgspec.msgpack.encode(delivery), at, App("a", "nginx_rtmp")).ticks)


def told(truth: Truth, kind: str, speed: float = 1.0) -> list[tuple[float, bool | None, float, str | None]]:
    """Each call: when, live or not, of when it says that it is, and the key."""
    caller, found = calling(truth, kind, speed), []
    for half in range(800):
        clock_s = half / 2
        for call in caller.look(AT + timedelta(seconds=clock_s)).get(0, ()):
            [tick] = meant(kind, call.told, AT + timedelta(seconds=clock_s))
            assert (call.live, call.at or tick.at) == (tick.live, tick.at)
            found.append((clock_s, tick.live, round((tick.at - AT).total_seconds(), 2), tick.session_key))
    return found


@pytest.mark.parametrize("speed", [1.0, 7.0])
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("nginx_rtmp", [(10, 1), (50, 0), (60, 1), (100, 0), (140, 1), (300, 0)]),
        ("srs", [(10, 1), (50, 0), (60, 1), (100, 0), (140, 1), (300, 0)]),
        # Ten seconds away are no end to these, forty are one that is told late.
        ("node_media_server", [(10, 1), (60, 1), (130, 0), (140, 1), (330, 0)]),
        ("zlmediakit", [(10, 1), (115, 0), (140, 1), (315, 0)]),
    ],
)  # fmt: skip
def test_each_server_tells_of_publishers_in_its_way(
    truth: Truth, kind: str, expected: list[tuple[int, int]], speed: float
) -> None:
    calls = told(truth, kind, speed)
    assert [(at_s, int(bool(live))) for at_s, live, _, _ in calls] == expected
    late_s = 30.0 if kind == "node_media_server" else 0.0
    assert [at_s - (0.0 if live else late_s) for at_s, live, _, _ in calls] == [of_s for _, _, of_s, _ in calls]


@ALL
def test_the_key_of_a_call_is_the_key_of_the_page(truth: Truth, kind: str) -> None:
    rows = {"nginx_rtmp": NginxRtmp(name="s", url="http://127.0.0.1/stat")} | ROWS_ASKED
    pages = {second: tick.session_key or "" for second, tick in watched(kind, 1.0, row=rows[kind])}
    begun = [(int(at_s), key) for at_s, live, _, key in told(truth, kind) if live]
    assert all(key and pages[second].endswith(key) for second, key in begun)
    assert len({key for _, key in begun}) == len(begun)


@ALL
def test_calls_are_written_as_they_were_recorded(truth: Truth, kind: str) -> None:
    """Of Node-Media-Server no end was recorded: it is written as a beginning is."""
    caller = calling(truth, kind)
    ours = [call.told for half in range(700) for call in caller.look(AT + timedelta(seconds=half / 2)).get(0, ())]
    case = "documented" if kind == "zlmediakit" else "one_evening"
    lines = (FEEDS / f"{kind}_hooks" / case / "frames.jsonl").read_text(encoding="utf-8").splitlines()
    real = [str(msgspec.json.decode(line)["body"]) for line in lines]
    begin, end = MODELS[kind]
    for words, body in ((begin, ours[0]), (end, ours[-1])):
        model = next(text for text in real if all(word in text for word in words))
        assert bones(body) == bones(model.replace("&token=abc", "").replace('{"token":"abc"}', "{}").encode())


MODELS = {
    "nginx_rtmp": (["call=publish&"], ["call=publish_done"]), "srs": (["on_publish"], ["on_unpublish"]),
    "node_media_server": (["postPublish"], ["postPublish"]),
    "zlmediakit": (['"regist":true', '"schema":"rtmp"'], ['"regist":false', '"schema":"rtmp"']),
}  # fmt: skip


def bones(body: bytes) -> str:
    return skeleton(body) if body.startswith(b"{") else re.sub(r"\d+", "0", body.decode())


@ALL
async def test_each_call_that_was_taken_is_a_frame_of_its_room_and_no_other_is(tmp_path: Path, kind: str) -> None:
    """livemon takes them, is away, is back; the server does not try again."""
    hall = next(hall for hall in CALLING if server_of(hall) == kind)
    parts, bodies, away = [part(number, hall=hall) for number in range(5, 9)], list[tuple[bytes, str]](), list[bool]()

    async def hear(request: web.BaseRequest) -> web.StreamResponse:
        assert request.path == f"/hooks/call-{hall.lower()}"
        if away:
            return web.Response(status=503)
        bodies.append((await request.read(), request.query["token"]))
        return web.Response()

    async with served(hear) as url, staged(tmp_path, parts, restarting, hooks_url=url, speed=1.0) as scene:
        [played] = shown(scene, ())
        await played.open()
        config = loaded(tmp_path, played.settings())
        assert {feed.name for feed in config.feeds} == {f"hall-{hall.lower()}", f"call-{hall.lower()}"}
        async with running(played):
            await until(lambda: len(bodies) >= 6)
            away.append(True)
            await asyncio.sleep(1.2)
            away.clear()
            await until(lambda: len(bodies) >= 12)
        await played.close()
        scene.truth.flush()
        frames = list(frames_of(scene.truth.path))
    assert {token for _, token in bodies} == {(tmp_path / f"secrets/call-{hall.lower()}").read_text().strip()}
    taken = [viewers_of(blob)[0] for _, _, outcome, blob in frames if outcome != "failed" and blob is not None]
    assert "failed" in {outcome for _, _, outcome, _ in frames}
    assert {feed for feed, *_ in frames} == {f"call-{hall.lower()}:{each.room}" for each in parts}
    said = sum(len(meant(kind, body, AT)) for body, _ in bodies)
    assert 0 <= said - len(taken) <= len(parts)  # what was under way when it ended
    assert set(taken) <= {0, OFF_AIR}


def restarting(each: Part, clock_s: float) -> RoomNow:
    """On air for a second with another encoder each time, and for a second as if it had been off for a minute."""
    lap = int(clock_s)
    return RoomNow(
        each, True, lap % 2 == 0, 0.0, 3, 1000 * each.number + lap // 2 % 900, clock_s % 2, clock_s, 900,
        away_s=lap % 2 * 60.0,
    )  # fmt: skip
