"""Serves pages about rooms over HTTP as own servers do, and records of each answer whether the reader has had it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import NamedTuple

from ..scene import Trouble
from ..truth import Truth

READ_S_MAX = 30.0  # who has not read by then has gone
LINGER_S_MAX = 5.0  # who keeps the connection for so long after all was written has had it
LOOK_EVERY_S = 0.2  # nobody tells us that a trouble is over: it is looked at
BODY_BYTES_MAX = 64 * 1024  # of a question
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


class Asked(NamedTuple):
    """A question as it came: `shown` are the lines of its head, as they stood on the wire."""

    method: str
    path: str
    query: str
    shown: Sequence[bytes] = ()
    body: bytes = b""


class Answer(NamedTuple):
    """`viewers` as a `Page` says them. Without a body it is the server's own page of HTML.

    `feed`: whose frame it is, where that is not the server's own. `heard`: what it says instead, once it is known that
    the reader has had it, or has not. One of another status than 200 and 404 is no frame.
    """

    body: bytes | None
    viewers: Sequence[int] | None = None
    status: int = 200
    feed: str = ""
    heard: Callable[[bool], Sequence[int] | None] | None = None


Answers = Callable[[datetime, Asked], Answer | None]
"""What is answered at this instant; None: there is no such page."""


def one_page(path: str, page: Page, key: bytes = b"") -> Answers:
    """A single page on a path. `key`: a header that whoever asks must show, as it stands on the wire."""

    def answers(at: datetime, asked: Asked) -> Answer | None:
        if (asked.method, asked.path) != ("GET", path):
            return None
        return Answer(None, status=401) if key and key not in asked.shown else Answer(*page(at, asked.query))

    return answers


class PageServer:
    """A free port of loopback. Each answer is a frame of `feed` in the truth.

    An answer counts when all of it was written and the reader then closed in good order: one that ran out of time
    leaves bytes unread, and the kernel tells by a reset. `trouble.feed` says how it fails; every request that falls
    into the trouble has failed, also one that hangs until the trouble is over: its state would be another instant's.
    """

    def __init__(
        self, feed: str, answers: Answers, truth: Truth, trouble: Trouble, now: Callable[[], datetime],
        server: str, content_type: str,
    ) -> None:  # fmt: skip
        self.feed, self.answers = feed, answers
        self.truth, self.trouble, self.now = truth, trouble, now
        self.server, self.content_type = server, content_type
        self._listening: asyncio.Server | None = None
        self._busy: set[asyncio.Task[None] | None] = set()

    async def open(self) -> str:
        """The address of the server, without a path."""
        self._listening = await asyncio.start_server(self._hear, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._listening.sockets[0].getsockname()[1]}"

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
                asked = await _asked(reader)
            at = self.now()
            answer = self.answers(at, asked)
            if answer is None:
                await self._told(reader, writer, 404)
            elif answer.status not in (200, 404):
                await self._told(reader, writer, answer.status, answer.body)
            else:
                await self._answer(reader, writer, at, answer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass  # the reader left before it had asked, or asked for nothing that HTTP knows
        finally:
            writer.transport.abort()
            self._busy.discard(task)

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, at: datetime, answer: Answer
    ) -> None:
        how, viewers = self.trouble.feed, answer.viewers
        had = False
        try:
            if how is None:
                had = await self._told(reader, writer, answer.status, answer.body)
            elif how == "hang":
                await self._hang(reader)
            elif how != "refuse":  # that one gets no answer at all
                await self._told(reader, writer, 502 if how == "error" else 200)
        finally:
            if answer.heard is not None:
                viewers = answer.heard(had)
            if viewers is not None or not had:
                told = viewers if had else None
                self.truth.served(answer.feed or self.feed, at, told, "answered" if had else "failed")

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
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: int, body: bytes | None = None
    ) -> bool:
        """Whether the reader has had it. Without a body it is the server's own page of HTML."""
        content_type = "text/html" if body is None else self.content_type
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


async def _asked(reader: asyncio.StreamReader) -> Asked:
    """Raises ValueError for what is no question, or has too long a body."""
    head = await reader.readuntil(b"\r\n\r\n")
    method, target, *_ = head.split(b" ", 2)
    path, _, query = target.decode("ascii").partition("?")
    shown = head.split(b"\r\n")[1:-2]
    lengths = [int(line.partition(b":")[2]) for line in shown if line.lower().startswith(b"content-length:")]
    if sum(lengths) > BODY_BYTES_MAX:
        raise ValueError("too long a question")
    return Asked(method.decode("ascii"), path, query, shown, await reader.readexactly(sum(lengths)))
