"""Bounds what a client may hold open: connections, the time its headers take, the time it takes to read an answer."""

import asyncio
import ipaddress
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from aiohttp import web

from .outline import Outline

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Refusal = Literal["header_deadline", "reading_stalled", "client_connections", "connections", "malformed"]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TOO_LATE = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
QUIET_S = 10.0
"""Of the same complaint in the log, one in so many seconds."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one listener allows. aiohttp bounds the size of headers itself (8,190 bytes, 128 fields)."""

    header_s_max: float = 5.0
    idle_s_max: float = 75.0
    stalled_s_max: float = 30.0  # an answer that the client does not take
    client_connections_max: int = 50
    connections_max: int = 4_000
    trusted_more_max: int = 1_000  # beyond these for trusted proxies alone: a flood of others must not shut them out
    trusted: Sequence[Network] = ()  # proxies: many clients behind one address, so only the global cap counts


@dataclass
class Guard:
    """The connections of one listener. `refused` is called with the reason of each one that was cut."""

    limits: Limits = field(default_factory=Limits)
    refused: Callable[[Refusal], None] = lambda reason: None
    connections: "set[GuardedHandler]" = field(default_factory=set)
    by_client: Counter[str] = field(default_factory=Counter)
    said_at: dict[str, float] = field(default_factory=dict)

    def refuses(self, client: str, address: Address | None) -> Refusal | None:
        trusted = self.trusts(address)
        if len(self.connections) >= self.limits.connections_max + (self.limits.trusted_more_max if trusted else 0):
            return "connections"
        if self.by_client[client] >= self.limits.client_connections_max and not trusted:
            return "client_connections"
        return None

    def enter(self, connection: "GuardedHandler", client: str) -> None:
        self.connections.add(connection)
        self.by_client[client] += 1

    def leave(self, connection: "GuardedHandler", client: str) -> None:
        self.connections.discard(connection)
        self.by_client[client] -= 1
        if not self.by_client[client]:
            del self.by_client[client]

    def abort_all(self) -> None:
        """At the end: a client that does not take its answer must not hold up our stop."""
        for connection in tuple(self.connections):
            connection.abort()

    def trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self.limits.trusted)

    def say(self, what: str, error: BaseException | None = None) -> None:
        """Log it, but not each time: a flood of bad requests must not become a flood of lines."""
        now = asyncio.get_running_loop().time()
        if now - self.said_at.get(what, -QUIET_S) >= QUIET_S:
            self.said_at[what] = now
            log.error("%s", what, exc_info=error)

    def server(self, runner_server: web.Server) -> Callable[[], "GuardedHandler"]:
        """The protocol factory to listen with, in place of aiohttp's own."""
        return lambda: GuardedHandler(runner_server, self)


def address_of(host: str | None) -> Address | None:
    """An address as it is written; of an IPv4 one in IPv6 clothes the IPv4 one."""
    try:
        address = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def client_of(host: str | None) -> str:
    """Whom a connection counts for: its address, of IPv6 the /64 that one customer has."""
    address = address_of(host)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return "local" if address is None else str(address)


class GuardedHandler(web.RequestHandler):
    """aiohttp's protocol with deadlines; its public hooks are all that is used."""

    __slots__ = ("_deadline", "_guard", "_heard", "_in_request", "_line", "_outline", "_peer", "_stalled")

    def __init__(self, server: web.Server, guard: Guard) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=guard.limits.idle_s_max,
            access_log=None,  # type: ignore[arg-type]  # aiohttp takes None for none
            lingering_time=2.0,
            auto_decompress=False,  # nobody sends us anything packed that we would take
        )
        self._guard = guard
        self._peer = ""
        self._line: asyncio.Transport | None = None  # aiohttp forgets its own as soon as it means to close it
        self._in_request = False
        self._heard = False
        self._outline = Outline()
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        host = str(peer[0]) if isinstance(peer, tuple) else None  # a Unix socket has none
        self._peer = client_of(host)
        line = cast(asyncio.Transport, transport)
        refusal = self._guard.refuses(self._peer, address_of(host))
        if refusal is not None:
            self._guard.refused(refusal)
            line.abort()
            return
        self._line = line
        self._guard.enter(self, self._peer)
        super().connection_made(transport)
        self._expect_headers()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_clocks()
        if self._line is not None:
            self._line = None
            self._guard.leave(self, self._peer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._in_request:
            self._heard = True
            if self._deadline is None:
                self._expect_headers()
        self._outline.take(data)
        super().data_received(data)

    def headers_arrived(self) -> None:
        self._in_request = True
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        if isinstance(resp, web.HTTPException):  # raised before any of our middlewares: it may repeat what was sent
            resp = bare(resp.status)
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            # The next headers' clock starts with their first byte; until then aiohttp's keep-alive timer runs.
            self._in_request = False
            self._heard = self._outline.runs_on(request)
            if self._heard and self._line is not None:
                self._expect_headers()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self._loop.call_later(self._guard.limits.stalled_s_max, self._cut, "reading_stalled")

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def abort(self) -> None:
        self._stop_clocks()
        if self._line is not None:
            self._line.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """A fixed answer: aiohttp's own repeats what was sent, and writes a traceback for each malformed request."""
        if status >= 500:
            self._guard.say("a page failed", exc)
        else:
            self._guard.refused("malformed")
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun already")
        return bare(status)

    def log_exception(self, *args: Any, **kw: Any) -> None:
        self._guard.say("the web server failed", kw.get("exc_info"))

    def _expect_headers(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._loop.call_later(self._guard.limits.header_s_max, self._too_late)

    def _too_late(self) -> None:
        if self._heard and self._line is not None and not self._line.is_closing():
            self._line.write(TOO_LATE)
            self._line.close()
            self._guard.refused("header_deadline")
        else:
            self._cut("header_deadline")

    def _cut(self, reason: Refusal) -> None:
        self._guard.refused(reason)
        self.abort()

    def _stop_clocks(self) -> None:
        for clock in (self._deadline, self._stalled):
            if clock is not None:
                clock.cancel()
        self._deadline = self._stalled = None


def bare(status: int) -> web.Response:
    """A refusal that says its number and nothing else, and the end of the connection."""
    response = web.Response(status=status, text=f"{status}\n", headers={"Server": "livemon"})
    response.force_close()
    return response


@web.middleware
async def tell_guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The first middleware of a guarded app: its headers have come, so their deadline is off."""
    if isinstance(request.protocol, GuardedHandler):
        request.protocol.headers_arrived()
    return await handler(request)
