"""HLS from ffmpeg's own muxer behind a plain web server: on air, frozen, thawed, ended, seen through the real watch."""

import asyncio
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from collectors.servers.hls import Hls
from monitor.rehearsal.program import Program
from monitor.rehearsal.rtmp_hall import tool
from tests.platforms.stage import DROPPED, LIVE, OFFLINE, Stage

from .looked import Looked
from .test_halls import Real

pytestmark = [pytest.mark.real, pytest.mark.slow]
ROOMS = ["直播/一", "live/nobody"]
SEGMENT_S = 2


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Where lists are written, and the address at which they are served."""
    (tmp_path / "直播").mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield tmp_path, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def publish(room: str, where: Path, loops: Path) -> Program:
    source = ["-re", "-stream_loop", "-1", "-i", str(loops / "loop.flv"), "-c", "copy", "-f", "hls"]
    how = ["-hls_time", str(SEGMENT_S), "-hls_list_size", "4", "-hls_flags", "delete_segments"]
    command = [tool("ffmpeg", "apt-get install ffmpeg"), "-nostdin", "-v", "error", *source, *how]
    return Program([*command, str(where / f"{room}.m3u8")], where / "ffmpeg.out")


async def test_a_list_is_on_air_stalls_moves_again_and_ends(folder: tuple[Path, str], loops: Path):
    where, address = folder
    row = Hls(name="cdn", url=address + "/{room}.m3u8", rooms=ROOMS, interval_s=0.5)
    stage, room = Stage(Real(row)), ROOMS[0]  # type: ignore[arg-type]

    async def is_in(state: int, within_s: float) -> float:
        began = asyncio.get_running_loop().time()
        async with asyncio.timeout(within_s):
            while stage.of(room).state != state:
                await asyncio.sleep(0.01)
        return asyncio.get_running_loop().time() - began

    def causes() -> list[tuple[str, str]]:
        return [(one.change, one.cause) for heard in stage.put for one in heard.changes if one.room == room]

    with publish(room, where, loops) as encoder:
        async with stage.playing():
            await is_in(LIVE, 20.0)
            encoder.freeze()
            took_s = await is_in(DROPPED, 20.0)
            assert took_s < 2 * SEGMENT_S + row.STALL_S + 2 * row.interval_s + 1.0
            encoder.thaw()
            await is_in(LIVE, 10.0)
            await asyncio.sleep(2 * SEGMENT_S)
            await asyncio.to_thread(encoder.stop)
            await is_in(OFFLINE, 5.0)
    assert causes() == [("opened", "status"), ("dropped", "stall"), ("resumed", "status"), ("closed", "ended")]
    assert stage.changes(ROOMS[1]) == []
    assert stage.failed == []


async def test_a_list_that_moves_and_one_that_stands_are_told_as_such_by_a_player(
    folder: tuple[Path, str], loops: Path
):
    where, address = folder
    row = Hls(name="cdn", url=address + "/{room}.m3u8", rooms=ROOMS, interval_s=0.5, probe_url=address + "/{room}.m3u8")
    looked, room = Looked(row), ROOMS[0]
    with publish(room, where, loops):
        async with looked.watching():
            await looked.comes_to(room, LIVE)
            looked.prober.suspect(row.name, ROOMS[1], "missing")
            await looked.is_so(lambda: looked.found("nothing") == 1)
            looked.prober.suspect(row.name, room, "thin")
            await looked.is_so(lambda: looked.found("moving") == 1)
    again = Looked(row)
    with publish(room, where, loops) as encoder:
        async with again.watching():
            await again.comes_to(room, LIVE)
            encoder.freeze()
            await again.comes_to(room, DROPPED)
            await again.is_so(lambda: again.found("nothing") == 1, 30.0)
