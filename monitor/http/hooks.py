"""The listener that platforms call: bounds, signature, replay, disk, and only then the answer. It parses nothing.

An own server that asks for leave is answered what lets its publisher on air, whatever becomes of its call.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, cast
from urllib.parse import quote

import msgspec
from aiohttp import web

from collectors.collector import FeedRow
from collectors.hook import Accepted, App, CalledRow, Delivery, Hook, Refused, Reply
from collectors.server_hook import ServerHookRow
from monitor.accounts.door import Door

from . import oauth
from .body import Bodies
from .forwarded import caller
from .guard import Guard, GuardedHandler, address_of
from .listener import SHUTDOWN_S_MAX, Served, require_hardened, serve
from .outcome import Outcome, Turned
from .rate import Bucket
from .replay import Replays


class Keep(Protocol):
    """Comes back when the frame is on disk; with `once`, when one kept under that name before is."""

    def __call__(self, feed: str, frame: bytes, received_at: datetime, once: str = "") -> Awaitable[object]: ...


UPGRADES = ("Upgrade", "HTTP2-Settings")
OAUTH = "/oauth/"
ESCAPED = re.compile("%[0-9A-Fa-f]{2}")


@dataclass(frozen=True, kw_only=True)
class Outlets:
    """Where the hooks lead to."""

    keep: Keep
    full: tuple[type[Exception], ...]  # what `keep` raises when the disk takes no more
    now: Callable[[], datetime]
    heard: Callable[[str, datetime], None] = lambda feed, at: None
    counted: Callable[[str, Outcome], None] = lambda feed, outcome: None
    took: Callable[[float], None] = lambda seconds: None  # from a body's last byte to its answer
    hold: Callable[[str, bytes, datetime], bool] = lambda feed, frame, at: False  # in memory; False: no room


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What one feed may deliver in earnest: beyond it somebody else has its key."""

    per_s: float = 2_000.0
    burst: float = 10_000.0


@dataclass
class Target:
    """One feed that is called, and the application whose secrets verify it."""

    row: CalledRow
    app: App
    bucket: Bucket

    @property
    def hook(self) -> Hook:
        return cast(Hook, self.row)  # every CalledRow of a config is a Hook: a test sees to it

    @property
    def allow(self) -> Reply | None:
        """What an own server is answered in any case."""
        return self.row.ALLOW if isinstance(self.row, ServerHookRow) else None


@dataclass
class Hooks:
    outlets: Outlets
    guard: Guard = field(default_factory=Guard)
    bodies: Bodies = field(default_factory=Bodies)
    replays: Replays = field(default_factory=Replays)
    rates: Rates = field(default_factory=Rates)
    targets: dict[str, Target] = field(default_factory=dict)  # by the path as it stands in a request
    door: Door | None = None  # where the owners of shops come in; None: no app is linked here

    def serve_feeds(self, rows: Iterable[FeedRow], apps: Mapping[str, App]) -> None:
        """The feeds and secrets of the present config; what a feed has used of its rate stays used."""
        before = {target.row.name: target.bucket for target in self.targets.values()}
        self.targets = {
            f"/hooks/{quote(row.name, safe='')}": Target(
                row,
                apps.get(row.app) or App("", row.platform or row.PLATFORM),
                before.get(row.name) or Bucket(self.rates.per_s, self.rates.burst),
            )
            for row in rows
            if isinstance(row, CalledRow)
        }

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request. Refusals are a bare number: nothing of the request comes back, nor why."""
        if isinstance(request.protocol, GuardedHandler):
            request.protocol.headers_arrived()
        path, _, query = request.raw_path.partition("?")
        target = self.targets.get(ESCAPED.sub(lambda escape: escape[0].upper(), path))
        outcome: Outcome = "failed"
        try:
            if self.door is not None and path.startswith(OAUTH):
                outcome, response = await self._welcome(self.door, request, path.removeprefix(OAUTH), query)
            else:
                outcome, reply = await self._answer(request, target, path, query)
                response = answered(reply)
        except Turned as turned:
            outcome = turned.outcome
            response = turned_away(turned, target)
        except ConnectionError:
            outcome = "gone"
            raise
        except Exception as error:
            if target is None or target.allow is None:
                raise
            self.guard.say("a hook of an own server failed", error)
            response = turned_away(Turned("failed"), target)
        finally:
            self.outlets.counted(target.row.name if target else "", outcome)
        response.headers["Server"] = "livemon"
        if response.status >= 300 or not self.guard.trusts(address_of(request.remote)):
            response.force_close()  # who is no trusted proxy gets one request a connection: nothing to smuggle into
        return response

    async def _welcome(
        self, door: Door, request: web.BaseRequest, app: str, query: str
    ) -> tuple[Outcome, web.Response]:
        """The owner of a shop, sent by our link or by the platform: a page of its own, of which nothing is kept."""
        if request.method != "GET":
            raise Turned("not_found")
        response = await oauth.answer(door, app, query)
        return ("check" if response.status < 400 else "bad_request"), response

    async def _answer(
        self, request: web.BaseRequest, target: Target | None, path: str, query: str
    ) -> tuple[Outcome, Reply]:
        if target is None:
            raise Turned("not_found")
        if any(name in request.headers for name in UPGRADES):
            raise Turned("bad_request")
        if request.method == "GET" and target.row.METHOD != "GET":
            return "check", check(target, delivery_of(request, target.row, path, query, b""))
        if request.method != target.row.METHOD:
            raise Turned("wrong_method", target.row.METHOD)
        body = b"" if request.method == "GET" else await self._body(request, target.row)
        loop = asyncio.get_running_loop()
        began, at = loop.time(), self.outlets.now()
        delivery = delivery_of(request, target.row, path, query, body)
        verdict = target.hook.verify(delivery, target.app, at)
        if isinstance(verdict, Refused):
            raise Turned(verdict.reason)
        outcome = await self._take(target, verdict, delivery, at)
        self.outlets.took(loop.time() - began)
        return outcome, verdict.reply

    async def _body(self, request: web.BaseRequest, row: CalledRow) -> bytes:
        encoding = request.headers.get("Content-Encoding", "identity")
        if encoding.lower() != "identity" or request.content_type not in row.CONTENT_TYPES:
            raise Turned("unsupported")
        client = caller(request.remote, request.headers.getall("X-Forwarded-For", ()), self.guard.trusts)
        return await self.bodies.read(request, row.BODY_BYTES_MAX, client)

    async def _take(self, target: Target, verdict: Accepted, delivery: Delivery, at: datetime) -> Outcome:
        """A true delivery: onto the disk, unless it is a test or has been there before."""
        now, feed = asyncio.get_running_loop().time, target.row.name
        if not target.bucket.take(now()):
            raise Turned("rate_limited")
        if verdict.probe:
            return "probe"
        if target.allow is not None:
            frame = msgspec.msgpack.encode(Delivery(delivery.method, delivery.path, "", {}, delivery.body))
            if not self.outlets.hold(feed, frame, at):
                raise Turned("shed")
            self.outlets.heard(feed, at)
            return "accepted"

        async def keep() -> None:
            once = (verdict.delivery_id,) if verdict.once else ()
            await self.outlets.keep(feed, msgspec.msgpack.encode(delivery), at, *once)
            self.outlets.heard(feed, at)

        try:
            if not verdict.delivery_id:
                await keep()
                return "accepted"
            fate = await self.replays.once(feed, verdict.delivery_id, delivery.body, keep, now)
        except self.outlets.full:
            raise Turned("full") from None
        if fate == "replayed":
            raise Turned("replayed")
        return fate


def answered(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, body=reply.body, headers={"Content-Type": reply.content_type})


def turned_away(turned: Turned, target: Target | None) -> web.Response:
    """A bare number; an own server hears what lets its publisher on air, and perhaps was not heard out."""
    if target is None or target.allow is None:
        return web.Response(status=turned.status, text=f"{turned.status}\n", headers=turned.headers)
    response = answered(target.allow)
    response.force_close()
    return response


def check(target: Target, delivery: Delivery) -> Reply:
    """The answer to a platform that looks whether the URL is ours."""
    reply = target.hook.answer_check(delivery, target.app)
    if reply is None:
        raise Turned("wrong_method")
    if reply.status == 401:
        raise Turned("bad_signature")
    return reply


def delivery_of(request: web.BaseRequest, row: CalledRow, path: str, query: str, body: bytes) -> Delivery:
    """What is verified and kept. A header that is there twice, or is no text, could be read in two ways: refused."""
    headers = {}
    for name in row.HEADERS:
        found = request.headers.getall(name, ())
        if len(found) > 1:
            raise Turned("malformed")
        if found:
            headers[name] = found[0]
    try:
        "".join((query, *headers.values())).encode()
    except UnicodeEncodeError:  # bytes that are no UTF-8 come as surrogates
        raise Turned("malformed") from None
    return Delivery(request.method, path, query, headers, body)


async def start(hooks: Hooks, host: str, port: int) -> Served:
    """Listen. Raises WeakParser, and OSError if the address is taken."""
    require_hardened()
    runner = web.ServerRunner(web.Server(hooks.answer), shutdown_timeout=SHUTDOWN_S_MAX)
    return await serve(runner, host, port, hooks.guard)
