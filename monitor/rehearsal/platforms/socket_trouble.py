"""How a message socket of a played platform fails when a director says so: cut, silent, 502, or a page instead."""

import asyncio
import http
from collections.abc import Callable, Sequence

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from ..scene import How, Trouble

LOOK_EVERY_S = 0.1


class SocketTrouble:
    """`cut` ends all connections, in the middle of a message where one waits; `connections` are the open ones."""

    def __init__(self, trouble: Trouble, connections: Sequence[ServerConnection], cut: Callable[[], None]) -> None:
        self.trouble, self._connections, self._cut = trouble, connections, cut

    @property
    def delivering(self) -> bool:
        """Whether messages go out."""
        return self.trouble.pushing and self.trouble.feed is None

    async def at_the_door(self, connection: ServerConnection, request: Request) -> Response | None:
        """What a client that connects is told; None: it may come in."""
        while self.trouble.feed == "hang":
            if connection.transport.is_closing():
                break
            await asyncio.sleep(LOOK_EVERY_S)
        match self.trouble.feed:
            case None:
                return None
            case "error":
                return connection.respond(http.HTTPStatus.BAD_GATEWAY, "<html>502 Bad Gateway</html>\n")
            case "garbage":
                return connection.respond(http.HTTPStatus.OK, "<html>系统维护中</html>\n")
        connection.transport.abort()
        return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "")  # nobody hears it

    async def run(self) -> None:
        """Do to the open connections what the trouble says, until cancelled."""
        struck: How | None = None
        while True:
            how = self.trouble.feed
            if how != struck:
                self._strike(how)
                struck = how
            await asyncio.sleep(LOOK_EVERY_S)

    def _strike(self, how: How | None) -> None:
        """Who hangs reads nothing more: so no ping is answered either."""
        if how not in (None, "hang"):
            self._cut()
        for connection in self._connections:
            if how == "hang":
                connection.transport.pause_reading()
            elif how is None:
                connection.transport.resume_reading()
