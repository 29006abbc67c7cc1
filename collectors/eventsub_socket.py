"""Hears one EventSub session, over one socket after the other as Twitch asks for it, until it is lost.

Nothing is ever said on such a socket: who does is sent away. Pings are Twitch's, and answered by the library.
"""

import asyncio

from websockets import ConnectionClosed
from websockets.asyncio.client import ClientConnection

from .collector import BadFrame, Emit, Now
from .eventsub_messages import CLOSED, Heard, Message, Session, event_frame, read_message
from .moved_address import is_of_the_house
from .order_socket import REPLY_S_MAX, connection

LATE = 1.2  # times what was promised may pass without a sign of life: the way here does not always take as long
CLOSED_CHARS_MAX = 120


class EventSubSocket:
    """From `begin` on the work goes on in the task group, and fails when the session is lost.

    `session_id` is what the session is called now: it is another one after each move.
    """

    def __init__(self, url: str, emit: Emit, now: Now, group: asyncio.TaskGroup) -> None:
        self._url, self._emit, self._now, self._group = url, emit, now, group
        self._heard = Heard()
        self._moving = False  # to another socket; whatever becomes of this one meanwhile is no loss
        self._socket: ClientConnection | None = None  # the one that speaks for the session
        self.session_id = ""

    async def begin(self) -> None:
        await self._open(self._url)

    async def _open(self, url: str) -> None:
        opened = asyncio.Event()
        self._group.create_task(self._hold(url, opened), name="eventsub")
        await opened.wait()

    async def _hold(self, url: str, opened: asyncio.Event) -> None:
        async with connection(url) as socket:
            async with asyncio.timeout(REPLY_S_MAX):
                welcome = await self._welcome(socket)
            self._socket, self.session_id, self._moving = socket, welcome.id, False
            opened.set()
            keepalive_s = welcome.keepalive_timeout_seconds or REPLY_S_MAX
            await self._listen(socket, keepalive_s)

    async def _welcome(self, socket: ClientConnection) -> Session:
        """The first message, with which this socket takes over."""
        try:
            message = read_message(_bytes(await socket.recv()))
        except ConnectionClosed as error:
            raise _closed(error) from error
        if message.type != "session_welcome" or message.payload.session is None:
            raise EOFError(f"Twitch began with {message.type[:CLOSED_CHARS_MAX]} in place of a welcome")
        return message.payload.session

    async def _listen(self, socket: ClientConnection, keepalive_s: float) -> None:
        """An old socket is heard until it is closed: what Twitch sent over it is not sent again over the new one."""
        while True:
            try:
                async with asyncio.timeout(LATE * keepalive_s):
                    body = _bytes(await socket.recv())
            except TimeoutError as error:
                if self._moving or socket is not self._socket:
                    return
                raise TimeoutError(f"nothing was heard for {keepalive_s:g} s, not even a keepalive") from error
            except ConnectionClosed as error:
                if self._moving or socket is not self._socket:
                    return
                raise _closed(error) from error
            await self._take(body, socket)

    async def _take(self, body: bytes, socket: ClientConnection) -> None:
        at = self._now()
        try:
            message = read_message(body)
        except BadFrame:
            await self._emit(event_frame(body), at)  # `parse` says what is to be said of it
            return
        match message.type if self._heard.is_new(message) else "":
            case "notification":
                await self._emit(event_frame(body), at)
            case "session_reconnect":
                self._move(message, socket)
            case "revocation":
                status = message.payload.subscription.status if message.payload.subscription else ""
                raise EOFError(f"Twitch took a subscription back: {status[:CLOSED_CHARS_MAX]}")
            case _:
                await self._emit(b"", at)

    def _move(self, message: Message, old: ClientConnection) -> None:
        """Subscriptions move by themselves, when the other socket is welcome. Until then this one is heard."""
        url = (message.payload.session.reconnect_url if message.payload.session else None) or ""
        if self._moving or old is not self._socket:
            return
        if not is_of_the_house(url, self._url):
            raise EOFError("Twitch asked to move to another host: begun anew instead")
        self._moving = True
        self._group.create_task(self._move_to(url, old), name="move")

    async def _move_to(self, url: str, old: ClientConnection) -> None:
        await self._open(url)
        await old.close()


def _bytes(message: str | bytes) -> bytes:
    return message if isinstance(message, bytes) else message.encode()


def _closed(error: ConnectionClosed) -> EOFError:
    """The outcome by its name; a close without a code is the network's."""
    if error.rcvd is None:
        return EOFError("the socket broke")
    said = CLOSED.get(error.rcvd.code) or error.rcvd.reason[:CLOSED_CHARS_MAX]
    return EOFError(f"Twitch closed the socket: {error.rcvd.code} {said}")
