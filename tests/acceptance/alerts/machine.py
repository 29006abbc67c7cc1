"""What can be wrong with livemon's machine: no processor, a slow disk, a slow line, a wall clock that is set.

    python -m tests.acceptance.alerts.machine OFFSET_FILE run --config C

is livemon as it is, on a machine whose wall clock is ahead by the seconds that the file holds. Nobody can set the clock
of one process alone, and that of the machine is everybody's: so this one is handed to livemon's Clock, as by its tests.
"""

import asyncio
import fcntl
import os
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, override

from aiohttp import ClientError, ClientSession, web

from monitor import app, cli
from monitor.live.clock import Clock
from monitor.rehearsal.monitored import Livemon
from monitor.rehearsal.program import Program

FIFREEZE, FITHAW = 0xC0045877, 0xC0045878


class SetLivemon(Livemon):
    """As Livemon, on a wall clock that the test sets."""

    def __init__(self, config: Path, url: str) -> None:
        super().__init__(config, url)
        self.offset = config.with_name("offset")
        self.set_wall(0.0)

    def set_wall(self, ahead_s: float) -> None:
        self.offset.with_suffix(".new").write_text(str(ahead_s))
        self.offset.with_suffix(".new").rename(self.offset)

    @override
    def start(self) -> None:
        command = [sys.executable, "-m", "tests.acceptance.alerts.machine", str(self.offset), "run", "--config"]
        self.child = self.end.enter_context(Program([*command, str(self.config)], self.log))
        self.away, self.began_s = False, time.monotonic()


class SlowLine:
    """A proxy between Prometheus and livemon that thinks about each answer for `wait_s`."""

    def __init__(self, livemon: str) -> None:
        self.livemon, self.wait_s, self.address = livemon, 0.0, ""

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._pass_on)
        runner = web.AppRunner(app)
        async with ClientSession() as self.http:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.address = f"127.0.0.1:{runner.addresses[0][1]}"
            try:
                yield
            finally:
                await runner.cleanup()

    async def _pass_on(self, request: web.Request) -> web.Response:
        try:
            async with self.http.get(f"http://{self.livemon}{request.path}") as answer:
                await asyncio.sleep(self.wait_s)
                return web.Response(status=answer.status, body=await answer.read(), content_type="text/plain")
        except ClientError:
            return web.Response(status=502)


@asynccontextmanager
async def meanwhile(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """While the block runs, so does this; it must not end before."""
    task = asyncio.create_task(work)
    try:
        yield
        assert not task.done(), task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def taken_processor(livemon: Livemon, away_s: float = 2.4, ours_s: float = 0.4) -> None:
    """Again and again livemon gets no processor for so long, as where a machine is oversold."""
    try:
        while True:
            livemon.child.freeze()
            await asyncio.sleep(away_s)
            livemon.child.thaw()
            await asyncio.sleep(ours_s)
    finally:
        livemon.child.thaw()


async def slow_disk(folder: Path, slow_s: float = 0.7, fast_s: float = 0.15) -> None:
    """Again and again no write to the disk that is mounted there comes to an end for so long."""
    disk = os.open(folder, os.O_RDONLY)
    try:
        while True:
            freezing = asyncio.create_task(asyncio.to_thread(fcntl.ioctl, disk, FIFREEZE, 0))
            try:
                await asyncio.shield(freezing)
                await asyncio.sleep(slow_s)
            finally:
                await freezing  # who is cancelled meanwhile has it frozen all the same
                fcntl.ioctl(disk, FITHAW, 0)
            await asyncio.sleep(fast_s)
    finally:
        os.close(disk)


def main(offset: Path, *words: str) -> int:
    def wall() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(offset.read_text()))

    setattr(app, "Clock", partial(Clock, wall=wall))  # noqa: B010 (the one place where livemon takes its clock)
    return cli.main(list(words))


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), *sys.argv[2:]))
