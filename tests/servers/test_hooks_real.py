"""A real nginx-rtmp that asks us for leave: its publishers go on air while our endpoint is slow, flooded or down."""

import asyncio
import contextlib
import ipaddress
import re
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

import collectors
from collectors.hook import App, Delivery
from collectors.query import first_fields
from collectors.servers.nginx_rtmp import NginxRtmp
from collectors.servers.nginx_rtmp_hooks import NginxRtmpHooks
from collectors.tick import Tick
from monitor.facts import RosterRoom
from monitor.live.clock import wall_time
from monitor.live.session import LIVE
from monitor.live.watch import Watch
from monitor.rehearsal.rtmp_hall import RtmpHall, free_ports
from tests.http.hook_site import Site, hooked, status
from tests.http.test_server_hooks import call

from .conftest import Hall
from .stubborn_publisher import StubbornPublisher

pytestmark = pytest.mark.real

TOKEN = "t0ken-of-the-hall"
APP = App("halls", "nginx_rtmp", secrets=(TOKEN.encode(),))
ROW = NginxRtmpHooks(name="hall-a", app="halls")
SERVER = ipaddress.ip_network("127.0.0.1/32")  # strangers come from 127.0.0.2
STANZA = (Path(collectors.__file__).with_name("README.md")).read_text(encoding="utf-8")
ROOM = "live/room1"


def calls(port: int, *names: str) -> str:
    return "".join(f"{name} http://127.0.0.1:{port}/hooks/hall-a?token={TOKEN}; " for name in names)


def relay(port: int, to: int) -> str:
    """The server of the stanza, as it stands there, with these ports."""
    stanza = STANZA.partition("## nginx_rtmp_hooks\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```nginx\n(server \{.*?\n\})\n", stanza, re.DOTALL)
    return str(block).replace("127.0.0.1:8092", f"127.0.0.1:{port}").replace("127.0.0.1:8791", f"127.0.0.1:{to}")


def told(site: Site) -> list[Tick]:
    return [tick for _, frame, at in site.held for tick in ROW.parse(frame, at, APP).ticks]


def decoded(frame: bytes) -> bytes:
    return msgspec.msgpack.decode(frame, type=Delivery).body


def polled(hall: RtmpHall, room: str = ROOM) -> Tick:
    feed = NginxRtmp(name="hall-a", url=hall.stat_url, rooms=[room])
    return {tick.room: tick for tick in feed.parse(hall.stat(), wall_time())}[room]


async def until(true: Callable[[], object], hall: RtmpHall, within_s: float = 10.0) -> float:
    began = time.monotonic()
    while not await asyncio.to_thread(true):
        assert time.monotonic() - began < within_s, hall.last_words()
        await asyncio.sleep(0.02)
    return time.monotonic() - began


@contextlib.asynccontextmanager
async def endpoint(**settings: object) -> AsyncIterator[Site]:
    async with hooked([ROW], apps={"halls": APP}, limits={"trusted": (SERVER,)}, **settings) as site:  # type: ignore[arg-type]
        site.disk.gate.clear()  # whatever the disk does, it is not asked
        yield site


async def test_hook_and_poll_name_one_publisher_and_a_stop_is_told_at_once(hall_of: Hall) -> None:
    async with endpoint() as site:
        live = calls(site.port, "on_publish", "on_publish_done", "on_update") + "notify_update_timeout 1s;"
        hall = await asyncio.to_thread(hall_of, live=live)
        encoder = hall.publish(ROOM)
        await until(lambda: polled(hall).live, hall)
        key = polled(hall).session_key or ""
        begun = told(site)[0]
        assert (begun.room, begun.live) == (ROOM, True)
        assert key.endswith(begun.session_key or "?")

        second = hall.publish(ROOM)  # refused
        assert await asyncio.to_thread(second.process.wait, 10) != 0
        assert polled(hall).session_key == key
        others = {tick.session_key for tick in told(site)} - {begun.session_key}
        assert len(others) == 1
        assert [tick.live for tick in told(site) if tick.session_key in others] == [True, False]

        encoder.kill()
        first = begun.session_key
        assert await until(lambda: (told(site)[-1].session_key, told(site)[-1].live) == (first, False), hall, 5) < 1.0
        assert {outcome for _, outcome in site.outcomes} == {"accepted"}


async def test_a_second_publisher_who_is_refused_and_stays_takes_nothing_over(hall_of: Hall) -> None:
    """nginx tells him that the name is taken, cuts nobody, and calls for him as for the first."""
    poll = NginxRtmp(name="hall-a", url="http://127.0.0.1/stat", rooms=[ROOM])
    hooks = msgspec.structs.replace(ROW, name="hooks", rooms=[ROOM])
    watch = Watch()
    watch.load([RosterRoom(1, "nginx_rtmp", ROOM)], (), [poll, hooks], wall_time())
    changes: list[str] = []
    keys: set[str | None] = set()
    heard = 0

    async with endpoint() as site:
        live = calls(site.port, "on_publish", "on_publish_done", "on_update") + "notify_update_timeout 1s;"
        hall = await asyncio.to_thread(hall_of, live=live)

        def hear() -> None:
            """All that was called since the last poll, then a poll."""
            nonlocal heard
            steps = []
            new, heard = site.held[heard:], len(site.held)
            for _, frame, _ in new:
                at = wall_time()  # the endpoint has a clock of its own
                steps.append(watch.hear("hooks", at, hooks.parse(frame, at, APP).ticks, at, whole=False))
                keys.add(watch.rooms[0].session.key)
            asked_at = wall_time()
            steps.append(watch.hear("hall-a", asked_at, poll.parse(hall.stat(), asked_at), wall_time()))
            changes.extend(change.change for step in steps for change in step.changes)

        hall.publish(ROOM)
        await until(lambda: polled(hall).live, hall)
        key = polled(hall).session_key or "?"
        await asyncio.to_thread(hear)
        keys.clear()
        with await asyncio.to_thread(StubbornPublisher, hall.rtmp_port, ROOM) as second:
            await until(lambda: second.refused, hall)
            began = time.monotonic()
            while time.monotonic() - began < 5.0:
                await asyncio.sleep(0.25)
                await asyncio.to_thread(hear)
            updates = [frame for _, frame, _ in site.held if b"update_publish" in frame]
            assert len({first_fields(decoded(frame)).get("clientid") for frame in updates}) == 2
            assert not second.cut
        await until(lambda: b"publish_done" in site.held[-1][1], hall)
        await asyncio.to_thread(hear)
        room = watch.rooms[0]
        assert (room.state, room.drops_total, changes, keys) == (LIVE, 0, ["opened"], {key})


async def test_a_name_that_a_publisher_made_up_is_no_other_room(hall_of: Hall) -> None:
    async with endpoint() as site:
        hall = await asyncio.to_thread(hall_of, live=calls(site.port, "on_publish"))
        hall.publish("live/room1?clientid=999&name=room2&call=publish_done&app=other")
        hall.publish("live?name=room2&app=other/room3")
        await until(lambda: len(told(site)) == 2, hall)
        assert {(tick.room, tick.live) for tick in told(site)} <= {("live/room1", True), ("live/room3", True)}
        assert "999" not in {(tick.session_key or "")[1:] for tick in told(site)}


async def test_a_flooded_endpoint_refuses_no_publisher_sheds_and_counts(hall_of: Hall) -> None:
    rooms = [f"live/room{n}" for n in range(1, 9)]
    async with endpoint(held_max=5) as site:
        hall = await asyncio.to_thread(hall_of, live=calls(site.port, "on_publish", "on_publish_done"))
        flooding = asyncio.Event()

        async def flood() -> None:
            while not flooding.is_set():
                with contextlib.suppress(OSError):
                    assert status(await site.ask(call(token=TOKEN), host="127.0.0.2")) in (0, 200)
                await asyncio.sleep(0.01)

        held = [await site.connect("127.0.0.2") for _ in range(50)]  # as many as a stranger may
        floods = [asyncio.create_task(flood()) for _ in range(10)]
        try:
            encoders = [hall.publish(room) for room in rooms]
            await until(lambda: all(polled(hall, room).live for room in rooms), hall, 20)
            await asyncio.sleep(1.0)
            assert all(encoder.running for encoder in encoders)
        finally:
            flooding.set()
            await asyncio.gather(*floods)
            for _, writer in held:
                writer.close()
        assert site.outcomes[("hall-a", "shed")] > 0
        assert len(site.held) == 5


async def test_with_the_relay_of_the_stanza_an_endpoint_that_hangs_or_is_down_refuses_no_publisher(
    hall_of: Hall,
) -> None:
    ours, between = free_ports(2)
    live = calls(between, "on_publish", "on_publish_done", "on_update") + "notify_update_timeout 1s;"
    hall = await asyncio.to_thread(hall_of, live=live, http=relay(between, ours))
    encoder = hall.publish(ROOM)  # nobody listens
    down_s = await until(lambda: polled(hall).live, hall)

    enough = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await enough.wait()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", ours):
        other = hall.publish("live/room2")
        hung_s = await until(lambda: polled(hall, "live/room2").live, hall)
        await asyncio.sleep(3.0)  # updates of both meet the one that hangs
        assert polled(hall).live
        assert polled(hall, "live/room2").live
        enough.set()
    assert encoder.running
    assert other.running
    assert down_s < 3
    assert 1 < hung_s < 6


async def test_without_it_nginx_lets_nobody_publish_while_the_endpoint_is_down(hall_of: Hall) -> None:
    """Why the stanza wants it; and that who asks for ends alone need no relay."""
    (nobody,) = free_ports(1)
    hall = await asyncio.to_thread(hall_of, live=calls(nobody, "on_publish"))
    assert await asyncio.to_thread(hall.publish(ROOM).process.wait, 10) != 0
    assert polled(hall).live is False
    hall.__exit__(None, None, None)
    only_ends = await asyncio.to_thread(hall_of, live=calls(nobody, "on_publish_done"))
    encoder = only_ends.publish(ROOM)
    await until(lambda: polled(only_ends).live, only_ends)
    encoder.stop()
    await until(lambda: not polled(only_ends).live, only_ends)
