"""The conversation on an order socket: a message is kept on disk first and confirmed then, and silence ends it all."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from .collector import Emit, FeedRefused, Now, every
from .hook import App
from .trust import trusted

Message = bytes | str

MESSAGE_BYTES_MAX = 1_048_576
QUEUED_MAX = 16  # messages read ahead; above it the platform has to wait
KEEPING_MAX = 64  # messages on their way to the disk: one group of the spool
REPLY_S_MAX = 10.0
UNREADABLE_MAX = 3  # of one connection; whoever sends more of them does not speak this language
NO_KEY = re.compile(r"sign|app.?key|secret|auth|permission|forbidden|签名|授权|权限|密钥", re.IGNORECASE)


class Said(msgspec.Struct, frozen=True):
    """What a message comes to: the frame to keep (empty: none), and what confirms it (None: nothing does)."""

    frame: bytes = b""
    confirmation: Message | None = None


Hear = Callable[[Message], Said]
"""Reads one message; what it cannot read is a frame that nothing confirms. Raises what ends the connection."""


class Straight(connect):
    """Goes nowhere else than it was sent: what it says of us must not follow a redirect."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def connection(
    url: str,
    headers: Mapping[str, str] | None = None,
    message_bytes_max: int = MESSAGE_BYTES_MAX,
    address: str = "",
) -> connect:
    """One attempt, bounded in all ways. It is retried by `supervise` alone. `address`: that of the host, where whoever
    looked it up found it fit to be called."""
    parts = urlsplit(url)
    return Straight(
        url,
        host=address or parts.hostname,
        port=parts.port or (443 if parts.scheme == "wss" else 80),
        ssl=trusted() if parts.scheme == "wss" else None,
        proxy=None,
        compression=None,
        open_timeout=REPLY_S_MAX,
        ping_interval=None,  # we ping ourselves, as the answer is the feed's pulse
        close_timeout=1.0,
        max_size=message_bytes_max,
        additional_headers=dict(headers or {}),
        max_queue=QUEUED_MAX,
        user_agent_header="livemon",
    )


async def converse(
    socket: ClientConnection,
    emit: Emit,
    now: Now,
    hear: Hear,
    beat: Callable[[], Message],
    beat_s: float,
    reply_s_max: float = REPLY_S_MAX,
) -> None:
    """Hear until the connection fails. A message is confirmed when `emit` has returned, and at no other time."""
    conversation = Conversation(socket, emit, now, reply_s_max)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(conversation.beat(beat, beat_s), name="beat")
            await conversation.listen(hear, group)
    except ExceptionGroup as failures:
        raise _first(failures) from failures


class Conversation:
    """One connection. What it lost is not confirmed, and comes again with the next one."""

    def __init__(self, socket: ClientConnection, emit: Emit, now: Now, reply_s_max: float) -> None:
        self.socket, self.emit, self.now, self.reply_s_max = socket, emit, now, reply_s_max
        self.free = asyncio.Semaphore(KEEPING_MAX)
        self.held = False  # have we let the platform wait since this was last asked?

    async def listen(self, hear: Hear, group: asyncio.TaskGroup) -> None:
        unreadable = 0
        while True:
            message = await self.socket.recv()
            at, said = self.now(), hear(message)
            if said.frame and said.confirmation is None:
                unreadable += 1
                if unreadable > UNREADABLE_MAX:
                    raise FeedRefused("what answers there does not speak this platform's language: is the url right?")
            if said.frame:
                self.held = self.held or self.free.locked()
                await self.free.acquire()
                group.create_task(self.keep(said, at), name="keep")
            elif said.confirmation is not None:
                await self.say(said.confirmation)

    async def keep(self, said: Said, at: datetime) -> None:
        try:
            await self.emit(said.frame, at)
            if said.confirmation is not None:
                await self.say(said.confirmation)
        finally:
            self.free.release()

    async def beat(self, words: Callable[[], Message], every_s: float) -> None:
        """Say what the platform wants to hear now and then; a pong is the proof that somebody is there."""
        async for _ in every(every_s):
            await self.say(words())
            async with asyncio.timeout(self.reply_s_max):
                pong = asyncio.ensure_future(await self.socket.ping())
            await self.answered(pong)
            await self.emit(b"", self.now())

    async def answered(self, pong: asyncio.Future[float]) -> None:
        """A pong stands behind the messages that came before it: while our disk holds them up, it cannot be read."""
        while not (await asyncio.wait([pong], timeout=self.reply_s_max))[0]:
            held, self.held = self.held, self.free.locked()
            if not held and not self.held:
                raise TimeoutError(f"no pong within {self.reply_s_max:g} s")
        pong.result()

    async def say(self, message: Message) -> None:
        """A peer that takes nothing any more has left, whatever TCP believes."""
        async with asyncio.timeout(self.reply_s_max):
            await self.socket.send(message)


def _first(failures: ExceptionGroup[Exception]) -> Exception:
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first


async def with_each_secret(app: App, talk: Callable[[bytes], Awaitable[None]]) -> None:
    """While a secret is rotated two are live: the app is refused only when it is with both."""
    refused = FeedRefused(f"app {app.name}: it has no secret")
    for secret in app.secrets:
        try:
            await talk(secret)
        except FeedRefused as error:
            refused = error
        else:
            return
    raise refused


def turned_away(platform: str, told: str) -> Exception:
    """How the platform turned us away: for good where it names the key or the right to be there, else for now."""
    reason = f"{platform} turned us away: {told[:120]}"
    return FeedRefused(reason) if NO_KEY.search(told) else ConnectionResetError(reason)
