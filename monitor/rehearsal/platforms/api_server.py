"""The socket of a played open API: every request of whatever path is answered by one plain function.

The rules of a platform are in its fake, and can be asked without a socket, too.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

BODY_BYTES_MAX = 1 << 20


@dataclass(frozen=True)
class Asked:
    """One request. Header names are lower case; `query` has each name once, unescaped."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    remote: str = "127.0.0.1"


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
    """`answer` is asked for each request; what stands in `planned` is said first, once each: outages for tests."""

    def __init__(self, answer: Callable[[Asked], Told]) -> None:
        self._answer = answer
        self._runner: web.AppRunner | None = None
        self.planned: list[Told] = []

    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """The base of its addresses, without a slash at the end."""
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        app.router.add_route("*", "/{path:.*}", self._hear)
        self._runner = web.AppRunner(app, access_log=None)
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
            request.remote or "",
        )  # fmt: skip
        told = self.planned.pop(0) if self.planned else self._answer(asked)
        return web.Response(
            body=told.body, status=told.status, headers=told.headers, content_type="application/json", charset="utf-8"
        )
