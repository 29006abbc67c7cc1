"""A real Node-Media-Server whose webhook we are: its publishers stay on air while we are slow, flooded or down."""

import asyncio
import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collectors.hook import App
from collectors.servers.node_media_server_hooks import NodeMediaServerHooks
from collectors.tick import Tick
from monitor.live.clock import wall_time
from monitor.rehearsal.program import Program
from monitor.rehearsal.rtmp_hall import free_ports, tool
from tests.http.hook_site import Site, hooked, status
from tests.http.test_server_hooks import call

from .node_media_server import installed
from .test_hooks_real import SERVER, TOKEN

pytestmark = [pytest.mark.real, pytest.mark.slow]

APPS = {"halls": App("halls", "node_media_server", secrets=(TOKEN.encode(),))}
ROW = NodeMediaServerHooks(name="hall-a", app="halls")
TRUSTED = {"trusted": (SERVER,)}
Publish = Callable[[str], Program]


@contextlib.contextmanager
def hall(folder: Path, loop: Path, hooks: int) -> Iterator[Publish]:
    """A server that calls us at this port; gives what publishes into a room."""
    rtmp, http = free_ports(2)
    config = {
        "bind": "127.0.0.1", "notify": {"url": f"http://127.0.0.1:{hooks}/hooks/hall-a?token={TOKEN}"},
        "auth": {"play": False, "publish": False}, "rtmp": {"port": rtmp}, "http": {"port": http},
        "record": {"path": str(folder / "record")}, "store": {"path": str(folder / "data"), "maxHistory": 100},
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    shutil.copy(loop, folder)
    ffmpeg = [tool("ffmpeg", "apt-get install ffmpeg"), "-nostdin", "-v", "error", "-re", "-stream_loop", "-1"]
    with contextlib.ExitStack() as programs:
        command = [tool("node", "apt-get install nodejs"), str(installed()), "-c", str(folder / "config.json")]
        programs.enter_context(Program(command, folder / "nms.out"))

        def publish(room: str) -> Program:
            to = ["-i", str(folder / loop.name), "-c", "copy", "-f", "flv", f"rtmp://127.0.0.1:{rtmp}/{room}"]
            return programs.enter_context(Program([*ffmpeg, *to], folder / "ffmpeg.out"))

        yield publish


async def on_air(publish: Publish, *rooms: str, for_s: float = 3.0) -> list[Program]:
    """Encoders that all are on air for so long; the server may still be starting."""
    until = time.monotonic() + 15
    while True:
        encoders = [publish(room) for room in rooms]
        await asyncio.sleep(for_s)
        if all(encoder.running for encoder in encoders):
            return encoders
        assert time.monotonic() < until, "they were refused, or cut"
        for encoder in encoders:
            encoder.kill()


def told(site: Site) -> list[Tick]:
    return [tick for _, frame, at in site.held for tick in ROW.parse(frame, at, APPS["halls"]).ticks]


async def test_a_second_publisher_is_another_and_an_end_is_told_late_with_its_own_time(tmp_path: Path, loop: Path):
    async with hooked([ROW], apps=APPS, limits=TRUSTED) as site:
        site.disk.gate.clear()  # whatever the disk does, it is not asked
        with hall(tmp_path, loop, site.port) as publish:
            (encoder,) = await on_air(publish, "live/room1")
            ours = told(site)[-1]
            assert (ours.room, ours.live) == ("live/room1", True)
            second = publish("live/room1")
            assert await asyncio.to_thread(second.process.wait, 10) != 0
            assert told(site)[-1].session_key != ours.session_key
            killed_at = wall_time()
            encoder.kill()
            while told(site)[-1].live:
                assert (wall_time() - killed_at).total_seconds() < 45
                await asyncio.sleep(0.2)
            ended = told(site)[-1]
            assert ended.session_key == ours.session_key
            assert abs((ended.at - killed_at).total_seconds()) < 2
            assert (wall_time() - killed_at).total_seconds() > 25


async def test_a_flooded_endpoint_refuses_no_publisher_sheds_and_counts(tmp_path: Path, loop: Path) -> None:
    async with hooked([ROW], apps=APPS, limits=TRUSTED, held_max=5) as site:
        with hall(tmp_path, loop, site.port) as publish:
            await on_air(publish, "live/room1")
            over = asyncio.Event()

            async def flood() -> None:
                while not over.is_set():
                    with contextlib.suppress(OSError):
                        request = call(b"{}", TOKEN, Content_Type="text/plain")
                        assert status(await site.ask(request, host="127.0.0.2")) in (0, 200)
                    await asyncio.sleep(0.01)

            held = [await site.connect("127.0.0.2") for _ in range(40)]
            floods = [asyncio.create_task(flood()) for _ in range(10)]
            try:
                await on_air(publish, *(f"live/flood{number}" for number in range(4)))
            finally:
                over.set()
                await asyncio.gather(*floods)
                for _, writer in held:
                    writer.close()
            assert site.outcomes[("hall-a", "shed")] > 0


async def test_an_endpoint_that_hangs_or_is_down_refuses_no_publisher(tmp_path: Path, loop: Path) -> None:
    (port,) = free_ports(1)
    enough = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await enough.wait()
        writer.close()

    with hall(tmp_path, loop, port) as publish:
        (first,) = await on_air(publish, "live/room1")  # nobody listens
        async with await asyncio.start_server(hang, "127.0.0.1", port):
            await on_air(publish, "live/room2")
            assert first.running
            enough.set()
