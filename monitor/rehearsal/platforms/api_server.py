"""The socket of a played open API: every request of whatever path is answered by one plain function.

The rules of a platform are in its fake, and can be asked without a socket, too. What is in trouble in a drill is this
socket alone: nothing that comes in while it is gets to the fake, so no token is voided by a call that nobody answers.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from ..scene import How, Trouble

BODY_BYTES_MAX = 1 << 20
LOOK_EVERY_S = 0.2  # whether a trouble is over, or the caller gone
SHUTDOWN_S_MAX = 2.0
BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\r\n"
NOT_WHAT_WAS_ASKED = "<!DOCTYPE html><html><body><p>系统维护中，请稍后再试</p></body></html>".encode()


@dataclass(frozen=True)
class Asked:
    """One request. Header names are lower case; `query` has each name once, unescaped; `query_string` is as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    remote: str = "127.0.0.1"
    query_string: str = ""


@dataclass(frozen=True)
class Told:
    """One answer: a document, or the bytes themselves."""

    document: object
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        if isinstance(self.document, bytes):
            return self.document
        return json.dumps(self.document, ensure_ascii=False, separators=(",", ":")).encode()


class ApiServer:
    """`answer` is asked for each request; what stands in `planned` is said first, once each: outages for tests.

    `trouble`, where a director sets one, is obeyed at each request: connections are cut without an answer, or none
    comes until it is over, or 502, or a page that is no answer. Several sockets of a platform may share one.
    """

    def __init__(self, answer: Callable[[Asked], Told], trouble: Trouble | None = None) -> None:
        self._answer = answer
        self._runner: web.AppRunner | None = None
        self.planned: list[Told] = []
        self.trouble = trouble or Trouble()

    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """The base of its addresses, without a slash at the end."""
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        app.router.add_route("*", "/{path:.*}", self._hear)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S_MAX)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        at_port: int = self._runner.addresses[0][1]
        return f"http://{host}:{at_port}"

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _hear(self, request: web.Request) -> web.Response:
        asked = Asked(
            request.method, request.path, dict(request.query),
            {name.lower(): value for name, value in request.headers.items()}, await request.read(),
            request.remote or "", request.query_string,
        )  # fmt: skip
        how = self.trouble.feed
        if how == "hang":
            how = await self._hung(request)
        if how is not None:
            return in_trouble(request, how)
        told = self.planned.pop(0) if self.planned else self._answer(asked)
        return web.Response(
            body=told.body, status=told.status, headers=told.headers, content_type="application/json", charset="utf-8"
        )

    async def _hung(self, request: web.Request) -> How | None:
        """What is to be done when the hanging is over: an answer at last, unless the caller left meanwhile."""
        while self.trouble.feed == "hang":
            if left(request):
                return "refuse"
            await asyncio.sleep(LOOK_EVERY_S)
        return "refuse" if left(request) else self.trouble.feed


def left(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def in_trouble(request: web.Request, how: How) -> web.Response:
    if how == "error":
        return web.Response(body=BAD_GATEWAY, status=502, content_type="text/html")
    if how == "garbage":
        return web.Response(body=NOT_WHAT_WAS_ASKED, content_type="text/html", charset="utf-8")
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)  # nobody reads it: the connection is gone
