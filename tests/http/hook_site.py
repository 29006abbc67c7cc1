"""A hooks listener that really listens, a kind of feed with a signature, and a disk that is a list."""

import asyncio
import hashlib
import hmac
import ipaddress
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from collectors.hook import NO_DETAILS, Accepted, App, CalledRow, Delivery, Details, HookRow, Meaning, Refused, Reply
from monitor.http import hooks, listener
from monitor.http.body import Bodies
from monitor.http.guard import Guard, Limits
from monitor.http.hooks import Hooks, Outlets, Rates

NOW = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
SECRET = b"s3cret-of-the-platform"
LOCAL = ipaddress.ip_network("127.0.0.0/8")


class Signed(HookRow, tag="signed", frozen=True, kw_only=True):
    """A platform that signs id, time and raw body."""

    PLATFORM = "signed"
    HEADERS = ("x-id", "x-stamp", "x-signature")
    BODY_BYTES_MAX = 100_000

    def verify(self, delivery: Delivery, app: App, now: datetime) -> Accepted | Refused:
        name, stamp, told = (delivery.headers.get(header, "") for header in self.HEADERS)
        if not stamp.isascii() or not stamp.isdigit() or not told.isascii():
            return Refused("malformed")
        right = [signature(name, stamp, delivery.body, secret) for secret in app.secrets]
        if not any([hmac.compare_digest(told, each) for each in right]):
            return Refused("bad_signature")
        if abs(int(stamp) - now.timestamp()) > 300:
            return Refused("stale")
        return Accepted(Reply(b'{"code":0}'), name, probe=delivery.body == b"probe", once=name.startswith("once"))

    def answer_check(self, delivery: Delivery, app: App) -> Reply | None:
        if delivery.query == "forged":
            return Reply(b"", "text/plain", 401)
        asked = re.fullmatch(r"echo=([\w-]{1,64})", delivery.query)
        return Reply(asked[1].encode(), "text/plain") if asked else None

    def parse(self, frame: bytes, at: datetime, app: App, details: Details = NO_DETAILS) -> Meaning:
        return Meaning()


def signature(name: str, stamp: str, body: bytes, secret: bytes = SECRET) -> str:
    return hmac.new(secret, f"{name}\n{stamp}\n".encode() + body, hashlib.sha256).hexdigest()


def signed_headers(body: bytes, name: str, secret: bytes = SECRET, late_s: int = 0) -> dict[str, str]:
    stamp = str(int(NOW.timestamp()) + late_s)
    return {"X-Id": name, "X-Stamp": stamp, "X-Signature": signature(name, stamp, body, secret)}


def post(
    body: bytes = b"{}",
    name: str = "d1",
    path: str = "/hooks/shop",
    secret: bytes = SECRET,
    late_s: int = 0,
    method: str = "POST",
    **headers: str | None,
) -> bytes:
    """A request as it goes over the wire; a header given as None is left out, with _ for -."""
    told: dict[str, str | None] = {"Host": "x", "Content-Type": "application/json", "Content-Length": str(len(body))}
    told |= signed_headers(body, name, secret, late_s) | {key.replace("_", "-"): text for key, text in headers.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{key}: {text}" for key, text in told.items() if text is not None)]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


@dataclass
class Disk:
    """What was kept, in its order. `gate` holds every write back; `broken` refuses it; else one takes `takes_s`."""

    class Full(Exception):
        pass

    takes_s: float = 0.0
    broken: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: int = 0
    kept: list[tuple[str, Delivery, datetime]] = field(default_factory=list)
    named: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    async def keep(self, feed: str, frame: bytes, received_at: datetime, once: str = "") -> int:
        self.waiting += 1
        try:
            await asyncio.sleep(self.takes_s)
            await self.gate.wait()
        finally:
            self.waiting -= 1
        if self.broken:
            raise Disk.Full("no room")
        self.named.append(once)
        self.kept.append((feed, msgspec.msgpack.decode(frame, type=Delivery), received_at))
        return len(self.kept)


@dataclass
class Site:
    port: int
    hooks: Hooks
    disk: Disk
    outcomes: Counter[tuple[str, str]]
    heard: Counter[str]
    refused: Counter[str]
    held: list[tuple[str, bytes, datetime]]

    async def connect(self, host: str = "127.0.0.1") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, local_addr=(host, 0))

    async def ask(self, request: bytes, host: str = "127.0.0.1", patience_s: float = 3.0) -> bytes:
        """All that is answered until the listener closes, or what came by then and "(still open)"."""
        reader, writer = await self.connect(host)
        writer.write(request)
        answer = b""
        try:
            async with asyncio.timeout(patience_s):
                while piece := await reader.read(65_536):
                    answer += piece
        except ConnectionResetError:
            pass
        except TimeoutError:
            answer += b"(still open)"
        finally:
            writer.close()
        return answer


@asynccontextmanager
async def hooked(
    rows: Sequence[CalledRow] = (Signed(name="shop", app="main"), Signed(name="other", app="second")),
    secrets: tuple[bytes, ...] = (SECRET,),
    limits: dict[str, Any] | None = None,
    bodies: Bodies | None = None,
    rates: Rates | None = None,
    takes_s: float = 0.0,
    apps: Mapping[str, App] | None = None,
    held_max: int = 1_000,
) -> AsyncIterator[Site]:
    outcomes: Counter[tuple[str, str]] = Counter()
    heard: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    disk, held = Disk(takes_s), list[tuple[str, bytes, datetime]]()

    def hold(feed: str, frame: bytes, at: datetime) -> bool:
        if len(held) < held_max:
            held.append((feed, frame, at))
            return True
        return False

    outlets = Outlets(
        keep=disk.keep,
        full=(Disk.Full,),
        now=lambda: NOW,
        heard=lambda feed, at: heard.update([feed]),
        counted=lambda feed, outcome: outcomes.update([(feed, outcome)]),
        hold=hold,
    )
    guard = Guard(Limits(**(limits or {})), lambda reason: refused.update([reason]))
    site = Hooks(outlets, guard, bodies or Bodies(), rates=rates or Rates())
    site.serve_feeds(rows, apps if apps is not None else apps_of(secrets))
    served = await hooks.start(site, "127.0.0.1", 0)
    try:
        yield Site(served.port, site, disk, outcomes, heard, refused, held)
    finally:
        await listener.stop(served)


def apps_of(secrets: tuple[bytes, ...]) -> dict[str, App]:
    return {
        "main": App("main", "signed", "key", secrets),
        "second": App("second", "signed", "key", (b"s3cret-of-another",)),
    }


def status(answer: bytes) -> int:
    return int(answer.split(None, 2)[1]) if answer.startswith(b"HTTP/1.") else 0
