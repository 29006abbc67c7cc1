"""A proxy that fails on purpose: between a client and a server, with knobs that a test turns while bytes flow.

async with FaultProxy("/run/x/.s.PGSQL.5432") as proxy:      # or ("127.0.0.1", 5432)
    connect(f"postgresql://u:p@127.0.0.1:{proxy.port}/db?sslmode=disable")
    proxy.traps.append(Trap("up", b"COMMIT;", "deliver"))    # the next COMMIT arrives, its answer does not
"""

import asyncio
import contextlib
import socket
import struct
from collections import Counter
from collections.abc import Awaitable
from pathlib import Path
from typing import Literal, Self

Mode = Literal["pass", "refuse", "reset", "black_hole", "half_open"]
"""`refuse`: nobody listens. `reset`: accepted and reset at once. `black_hole`: bytes go nowhere, either way, and no
reset of one side reaches the other. `half_open`: what the client says arrives, the answers do not."""
Direction = Literal["up", "down"]
Fate = Literal["deliver", "drop", "hole", "hold"]
Address = str | Path | tuple[str, int]
ANSWER_S_MAX = 5.0
CHUNK = 65_536


class Trap:
    """Springs once, `after` bytes beyond the end of `needle` (an empty needle: from now on).

    `deliver`: the bytes arrive, the answer is awaited and held back, then both sides are reset.
    `drop`: what completes the needle is not forwarded, then both sides are reset.
    `hole`: the link is a black hole from that byte on; the server's side stays open for as long as the proxy runs.
    `hold`: nothing more goes this way; who dies on one side is missed on the other.
    """

    def __init__(self, direction: Direction, needle: bytes, fate: Fate, after: int = 0, sparing: int = 0) -> None:
        """`sparing`: so many needles pass by before."""
        self.direction, self.needle, self.fate, self.after, self.sparing = direction, needle, fate, after, sparing
        self.sprung = asyncio.Event()


class _Link:
    """One client's connection and the one to the server that was opened for it."""

    def __init__(self, down: asyncio.StreamWriter, up: asyncio.StreamWriter) -> None:
        self.writers: dict[str, asyncio.StreamWriter] = {"up": up, "down": down}
        self.holed = self.muted = False
        self.answered = asyncio.Event()
        self.tails = {"up": b"", "down": b""}  # the end of what was seen: a needle may lie across two chunks
        self.left: dict[int, int] = {}  # of a trap whose needle was seen: bytes until it springs

    def reset(self) -> None:
        for writer in self.writers.values():
            _reset(writer)


class FaultProxy:
    def __init__(self, upstream: Address, listen: str | Path | None = None) -> None:
        """Listens on loopback TCP, or on the unix socket `listen`. `upstream` may be assigned anew."""
        self.upstream, self.listen = upstream, listen
        self.mode: Mode = "pass"
        self.delay_s = 0.0  # before each chunk
        self.rate: float | None = None  # bytes a second, each way
        self.chop: int | None = None  # bytes in one write at most
        self.traps: list[Trap] = []
        self.count: Counter[str] = Counter()  # accepted, refused, each fate; bytes up and down
        self.port = 0
        self._server: asyncio.Server | None = None
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        self.reset_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _open(self) -> None:
        if self.listen is not None:
            self._server = await asyncio.start_unix_server(self._accept, self.listen)
        else:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def turn(self, mode: Mode) -> None:
        """Links that a black hole swallowed stay swallowed when it ends; only new ones pass."""
        if mode == "refuse" and self._server is not None:
            self._server.close()
            self._server = None
        elif self.mode == "refuse" and mode != "refuse":
            await self._open()
        if mode == "black_hole":
            for link in self._links:
                link.holed = True
        self.mode = mode

    def reset_all(self) -> None:
        """Cut every link, both sides."""
        for link in list(self._links):
            link.reset()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.count["accepted"] += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self.mode == "reset":
            _reset(writer)
            return
        if self.mode == "black_hole":
            await asyncio.Event().wait()
        try:
            up_reader, up_writer = await self._reach()
        except OSError:
            self.count["refused"] += 1
            _reset(writer)
            return
        link = _Link(writer, up_writer)
        self._links.add(link)
        try:
            await _both(self._pump(link, "up", reader), self._pump(link, "down", up_reader))
        finally:
            self._links.discard(link)
            link.reset()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.upstream, tuple):
            return await asyncio.open_connection(*self.upstream)
        return await asyncio.open_unix_connection(self.upstream)

    async def _pump(self, link: _Link, direction: Direction, reader: asyncio.StreamReader) -> None:
        """From one side to the other until either ends; a holed link ends for neither."""
        writer = link.writers[direction]
        while chunk := await _read(reader):
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            if self.rate:
                await asyncio.sleep(len(chunk) / self.rate)
            if direction == "down" and link.muted:
                link.answered.set()
                await asyncio.Event().wait()
            if link.holed or (self.mode == "half_open" and direction == "down"):
                await asyncio.Event().wait()
            trap, at = self._trapped(link, direction, chunk)
            if trap is None:
                await self._forward(writer, direction, chunk)
            else:
                await self._spring(link, trap, chunk, at)
        if link.holed or link.muted:
            await asyncio.Event().wait()

    def _trapped(self, link: _Link, direction: Direction, chunk: bytes) -> tuple[Trap | None, int]:
        """The first trap that springs within this chunk, and at which of its bytes."""
        tail = link.tails[direction]
        seen = tail + chunk
        link.tails[direction] = seen[-64:]
        for trap in self.traps:
            if trap.direction != direction:
                continue
            left = link.left.get(id(trap))
            if left is None:
                start = max(0, len(tail) - max(0, len(trap.needle) - 1))  # one wholly in the tail was seen before
                found = seen.find(trap.needle, start)
                if found < 0:
                    continue
                if trap.sparing:
                    trap.sparing -= 1
                    continue
                left = found + len(trap.needle) - len(tail) + trap.after
            if left <= len(chunk):
                self.traps.remove(trap)
                return trap, left
            link.left[id(trap)] = left - len(chunk)
        return None, 0

    async def _spring(self, link: _Link, trap: Trap, chunk: bytes, at: int) -> None:
        self.count[trap.fate] += 1
        writer = link.writers[trap.direction]
        if trap.fate == "deliver":
            link.muted = True  # before the bytes go: the answer must not slip through
            await self._forward(writer, trap.direction, chunk)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ANSWER_S_MAX):
                    await link.answered.wait()
        elif trap.after:
            await self._forward(writer, trap.direction, chunk[:at])
        link.holed = trap.fate == "hole"
        trap.sprung.set()
        if trap.fate in ("hole", "hold"):
            await asyncio.Event().wait()
        link.reset()

    async def _forward(self, writer: asyncio.StreamWriter, direction: Direction, chunk: bytes) -> None:
        step = self.chop or len(chunk)
        for start in range(0, len(chunk), step):
            writer.write(chunk[start : start + step])
            with contextlib.suppress(ConnectionError):
                await writer.drain()
        self.count[direction] += len(chunk)


async def _both(one: Awaitable[None], other: Awaitable[None]) -> None:
    """Until the first of them ends; then the other is cancelled."""
    tasks = [asyncio.ensure_future(one), asyncio.ensure_future(other)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(CHUNK)
    except ConnectionError:
        return b""


def _reset(writer: asyncio.StreamWriter) -> None:
    """RST, not FIN, where there is such a thing."""
    plug = writer.get_extra_info("socket")
    if plug is not None and plug.family == socket.AF_INET:
        with contextlib.suppress(OSError):
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
