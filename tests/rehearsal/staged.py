"""A small stage for one platform: a play that is told room by room, a truth, and livemon's own listener with a disk."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import msgspec

from collectors.hook import App, Hook, HookRow, Meaning
from monitor import config
from monitor.http import hooks, listener
from monitor.http.guard import Guard
from monitor.http.hooks import Hooks, Outlets
from monitor.rehearsal.event.cast import Part
from monitor.rehearsal.event.order import Happened, Happening, Order
from monitor.rehearsal.event.play import Play, RoomNow
from monitor.rehearsal.event.tempo import Tempo
from monitor.rehearsal.scene import Platform, Scene, Settings
from monitor.rehearsal.truth import Fact, Truth
from tests.http.hook_site import Disk

BEGAN_AT = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=3)


def secret(name: str) -> bytes:
    return hashlib.sha256(name.encode()).hexdigest().encode()


def part(number: int = 7, platform: str = "nginx_rtmp", **changes: object) -> Part:
    one = Part(
        number=number, platform=platform, room=f"live/dl{number:05d}", anchor="大连雪姐家的海参", broadcaster="王雪",
        hall="A", city="大连", category="海鲜水产", tier=4, fans=800, shop="4460001", sells_on="push_json",
        product="海参", draw=13.0,
    )  # fmt: skip
    return msgspec.structs.replace(one, **changes)


class Told(Play):
    """A play that stands as `shown` says: of this part, when the clock shows so many seconds."""

    def __init__(self, parts: Sequence[Part], shown: Callable[[Part, float], RoomNow]) -> None:
        self.parts, self.shown, self.speed = parts, shown, 1.0

    def rooms(self, clock_s: float, numbers: Iterable[int] | None = None) -> list[RoomNow]:
        asked = [each.number for each in self.parts] if numbers is None else numbers
        return [self.room(number, clock_s) for number in asked]

    def room(self, index: int, clock_s: float) -> RoomNow:
        """That of the part with this number."""
        return self.shown(next(each for each in self.parts if each.number == index), clock_s)


def restless(each: Part, clock_s: float) -> RoomNow:
    """Off the air, publishing, frozen, dropped with waiting viewers or with none, by dice for each second."""
    dice = random.Random(f"{each.number} {int(clock_s)}")
    state, viewers = dice.choice(("off", "live", "live", "frozen", "dropped", "deserted")), dice.randrange(40)
    away_s = dice.choice((4.0, 20.0, 40.0))
    if state == "off":
        return RoomNow(each, False, signed_off=dice.random() < 0.5, away_s=away_s)
    publishing = state in ("live", "frozen")
    return RoomNow(
        each, True, publishing, 4.0 if state == "frozen" else 0.0,
        0 if state == "deserted" else viewers, 900 + each.number, 60.0, 55.5, 1500, 70, 90, 3,
        away_s=0.0 if publishing else away_s,
    )  # fmt: skip


@asynccontextmanager
async def staged(
    folder: Path, parts: Sequence[Part], shown: Callable[[Part, float], RoomNow] = restless,
    hooks_url: str = "http://127.0.0.1:9", speed: float = 10.0,
) -> AsyncIterator[Scene]:  # fmt: skip
    with Truth(folder / "truth.sqlite") as truth:
        async with aiohttp.ClientSession() as http:
            yield Scene(Told(parts, shown), Tempo(BEGAN_AT, speed), truth, http, hooks_url, secret)


class Listening:
    """livemon's listener with one feed, and what it kept."""

    def __init__(self, row: HookRow, app: App, url: str, disk: Disk) -> None:
        self.row, self.app, self.url, self.disk = row, app, url, disk

    def meanings(self) -> list[Meaning]:
        hook: Hook = self.row  # type: ignore[assignment]
        return [hook.parse(msgspec.msgpack.encode(it), at, self.app) for _, it, at in self.disk.kept]


@asynccontextmanager
async def listening(row: HookRow) -> AsyncIterator[Listening]:
    """On a port of loopback; its app's secret is that of `Scene.secret` under the app's name."""
    disk, app = Disk(), App(row.app, row.PLATFORM, "", (secret(row.app),))
    site = Hooks(Outlets(keep=disk.keep, full=(Disk.Full,), now=lambda: datetime.now(UTC)), Guard())
    site.serve_feeds([row], {row.app: app})
    served = await hooks.start(site, "127.0.0.1", 0)
    try:
        yield Listening(row, app, f"http://127.0.0.1:{served.port}", disk)
    finally:
        await listener.stop(served)


@asynccontextmanager
async def running(platform: Platform) -> AsyncIterator[None]:
    task = asyncio.ensure_future(platform.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(true: Callable[[], object], within_s: float = 20.0) -> None:
    """Wait until it is so; that it never becomes so is an error."""
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.005)


async def delivered(platform: Platform, events: Iterable[Happened]) -> None:
    """Tell the platform, and wait until livemon has taken all that came of it."""
    async with running(platform):
        for event in events:
            platform.happened(event)
        await until(lambda: not platform.waiting())


def sold(of: Part, number: int, whats: Sequence[Happening], **changes: object) -> list[Happened]:
    """An order and what happened to it, one thing every 7.3 seconds of the play."""
    order = Order(
        number=of.number * 1_000_000 + number, part=of, product=f"{3_700_000_000_000_000_000 + number}",
        title='大连"淡干"海参，500g 🎁', units=3, amount_minor=12_991 + number, currency="CNY",
        buyer=f"1@#{number:08x}", created_s=100.05 + number, refund_minor=5_003,
    )  # fmt: skip
    order = msgspec.structs.replace(order, **changes)
    events = []
    for step, what in enumerate(whats):
        at_s = order.created_s + 7.3 * step
        events.append(Happened(what, order, at_s, at_s))
    return events


def as_fact(meaning: Meaning) -> list[Fact]:
    """What livemon's rows say of money, as the truth would put it; the ref is not in a row, but in its event's id."""
    return [
        Fact(
            sale.platform, sale.shop or "", sale.order_id or "", sale.kind, sale.amount_minor, sale.currency, sale.at,
            sale.room, sale.event_id.partition(":refunded:")[2],
        )
        for sale in meaning.sales if sale.kind in ("paid", "refunded")
    ]  # fmt: skip


def loaded(folder: Path, *settings: Settings) -> config.Config:
    """These settings as livemon reads them."""
    (folder / "secrets").mkdir()
    for each in settings:
        for name, content in each.secrets.items():
            path = folder / "secrets" / name
            path.touch(mode=0o600)
            path.write_bytes(content + b"\n")
    (folder / "roster.csv").write_text("platform,room,anchor,hall\nnginx_rtmp,live/dl00007,雪姐,A\n", encoding="utf-8")
    top = 'data_dir = "data"\nroster = "roster.csv"\nhooks_listen = "127.0.0.1:8791"\n\n'
    path = folder / "livemon.toml"
    path.write_text(top + "\n".join(each.stanzas for each in settings), encoding="utf-8")
    return config.load(path)
