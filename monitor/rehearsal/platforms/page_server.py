"""Serves one page about rooms over HTTP as own servers do, and records of each answer whether the reader has had it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from email.utils import format_datetime

from ..scene import Trouble
from ..truth import Truth

READ_S_MAX = 30.0  # who has not read by then has gone
LINGER_S_MAX = 5.0  # who keeps the connection for so long after all was written has had it
LOOK_EVERY_S = 0.2  # nobody tells us that a trouble is over: it is looked at
REASONS = {200: "OK", 401: "Unauthorized", 404: "Not Found", 502: "Bad Gateway"}
HEAD = "HTTP/1.1 {status} {reason}\r\nServer: {server}\r\nDate: {date}\r\nContent-Type: {content_type}\r\n"
HEAD_END = "Content-Length: {length}\r\nConnection: close\r\n\r\n"
HTML = (
    "<html>\r\n<head><title>{title}</title></head>\r\n"
    "<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
)

Page = Callable[[datetime, str], tuple[bytes, Sequence[int] | None]]
"""The page as it stands at this instant for this query, and what it says of each room, in the order of the feed's cast;
None where other pages follow: what they say together is said by the last one."""


class PageServer:
    """One path on a free port of loopback. Each answer is a frame of `feed` in the truth.

    An answer counts when all of it was written and the reader then closed in good order: one that ran out of time
    leaves bytes unread, and the kernel tells by a reset. `trouble.feed` says how it fails; every request that falls
    into the trouble has failed, also one that hangs until the trouble is over: its state would be another instant's.
    `key`: a header that whoever asks must show, as it stands on the wire.
    """

    def __init__(
        self, feed: str, path: str, page: Page, truth: Truth, trouble: Trouble, now: Callable[[], datetime],
        server: str, content_type: str, key: bytes = b"",
    ) -> None:  # fmt: skip
        self.feed, self.path, self.page = feed, path, page
        self.truth, self.trouble, self.now = truth, trouble, now
        self.server, self.content_type, self.key = server, content_type, key
        self._listening: asyncio.Server | None = None
        self._busy: set[asyncio.Task[None] | None] = set()

    async def open(self) -> str:
        """The URL of the page."""
        self._listening = await asyncio.start_server(self._hear, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._listening.sockets[0].getsockname()[1]}{self.path}"

    async def close(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening.abort_clients()
            await asyncio.gather(*(task for task in self._busy if task is not None))
            await self._listening.wait_closed()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._busy.add(task)
        try:
            async with asyncio.timeout(READ_S_MAX):
                head = await reader.readuntil(b"\r\n\r\n")
            method, target, *_ = head.split(b" ", 2)
            path, _, query = target.decode("ascii").partition("?")
            if method != b"GET" or path != self.path:
                await self._told(reader, writer, 404)
            elif self.key and self.key not in head.split(b"\r\n"):
                await self._told(reader, writer, 401)
            else:
                await self._answer(reader, writer, query)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass  # the reader left before it had asked, or asked for nothing that HTTP knows
        finally:
            writer.transport.abort()
            self._busy.discard(task)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, query: str) -> None:
        at, how = self.now(), self.trouble.feed
        viewers: Sequence[int] | None = ()
        had = False
        try:
            if how is None:
                page, viewers = self.page(at, query)
                had = await self._told(reader, writer, 200, self.content_type, page)
            elif how == "hang":
                await self._hang(reader)
            elif how != "refuse":  # that one gets no answer at all
                await self._told(reader, writer, 502 if how == "error" else 200)
        finally:
            if viewers is not None or not had:
                self.truth.served(self.feed, at, viewers if had else None, "answered" if had else "failed")

    async def _hang(self, reader: asyncio.StreamReader) -> None:
        """Until the trouble is over, or the reader has left."""
        while self.trouble.feed == "hang":
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await reader.read(1)
                return
            except TimeoutError:
                pass  # still there

    async def _told(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: int,
        content_type: str = "text/html", body: bytes | None = None,
    ) -> bool:  # fmt: skip
        """Whether the reader has had it. Without a body it is the server's own page of HTML."""
        if body is None:
            body = HTML.format(title=f"{status} {REASONS[status]}" if status != 200 else "Welcome to nginx!").encode()
        date = format_datetime(self.now(), usegmt=True)
        head = HEAD.format(
            status=status, reason=REASONS[status], server=self.server, date=date, content_type=content_type
        )
        writer.transport.set_write_buffer_limits(0)  # drained means: in the kernel's hands
        writer.write((head + HEAD_END.format(length=len(body))).encode() + body)
        try:
            async with asyncio.timeout(READ_S_MAX):
                await writer.drain()
        except OSError:  # gone, or out of time
            return False
        try:
            async with asyncio.timeout(LINGER_S_MAX):
                await reader.read(1)
        except TimeoutError:
            return True
        except OSError:
            return False
        return True
