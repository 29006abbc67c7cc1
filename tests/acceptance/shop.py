"""What the acceptance tests of sales share: shops that deliver to a real monitor, and judges of what became of it."""

import asyncio
import itertools
import json
import os
import secrets
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collectors.collector import FeedRow
from collectors.hook import App, Delivery
from collectors.orders.push_json import ACCEPTED, signature
from monitor.facts import RosterRoom
from monitor.keys import BUYER_KEY, SPOOL_KEY, keys_of
from monitor.live.watch import Watch
from monitor.rates import Rates
from monitor.reading import Reader
from monitor.rehearsal.monitored import Livemon, samples
from monitor.rehearsal.rtmp_hall import free_ports
from monitor.sale_rules import SaleRules
from monitor.store.cipher import Cipher
from monitor.store.frames import FrameLane
from monitor.store.store import Store
from tests.orders.chinese import DOUDIAN, KWAIXIAODIAN, WECHAT
from tests.store.way import Counted, connecting, no_more

SECRET = secrets.token_bytes(24).hex()
ERP = App("erp", "push_json", "", (SECRET.encode(),))
APPS = (ERP, DOUDIAN, KWAIXIAODIAN, WECHAT)
KINDS = {"erp": "push_json", "doudian-main": "doudian", "kuaishou-main": "kwaixiaodian", "wechat-main": "wechat_shop"}
FEEDS = {"erp": "erp", "doudian": "doudian-main", "ks": "kuaishou-main", "wechat": "wechat-main"}
CONFIG = """\
data_dir = "data"
listen = "127.0.0.1:{port}"
hooks_listen = "127.0.0.1:{hooks}"
trusted_proxies = ["127.0.0.1/32"]
roster = "roster.csv"
dsn = "postgresql://livemon_writer@/{database}?host={door}"
dsn_password_file = "pg"
"""
number = itertools.count(1)


class Shop:
    """A config folder with all feeds, whose PostgreSQL is behind a door that the test opens."""

    def __init__(self, folder: Path, database: Any) -> None:
        self.folder, self.database = folder, database
        self.port, self.hooks = free_ports(2)
        self.door = folder / "door"
        (folder / "roster.csv").write_text("platform,room,anchor\npush_json,r1,一\n", encoding="utf-8")
        self._secret("pg", database.server.password("livemon_writer"))
        text = CONFIG.format(port=self.port, hooks=self.hooks, database=database.name, door=self.door)
        for app in APPS:
            self._secret(f"{app.name}.secret", app.secrets[0].decode())
            text += f'\n[[app]]\nname = "{app.name}"\nplatform = "{app.platform}"\nsecret_file = "{app.name}.secret"\n'
            text += f'key = "{app.key}"\n' if app.key else ""
            if app.token:
                self._secret(f"{app.name}.token", app.token.decode())
                text += f'token_file = "{app.name}.token"\n'
        for name, app_name in FEEDS.items():
            text += f'\n[[feed]]\nkind = "{KINDS[app_name]}"\nname = "{name}"\napp = "{app_name}"\n'
        self.config = folder / "livemon.toml"
        self.config.write_text(text, encoding="utf-8")

    def _secret(self, name: str, text: str) -> None:
        (self.folder / name).touch(mode=0o600)
        (self.folder / name).write_text(text)

    def open_door(self) -> None:
        self.door.symlink_to(self.database.server.socket)

    @asynccontextmanager
    async def livemon(self, ready: bool = True) -> AsyncIterator[Livemon]:
        """The real monitor; without `ready` only its hooks are waited for."""
        async with Livemon(self.config, f"http://127.0.0.1:{self.port}") as livemon:
            if ready:
                await livemon.ready(1)
            async with asyncio.timeout(30):
                while True:
                    livemon.must_run()
                    with suppress(OSError):
                        _, writer = await asyncio.open_connection("127.0.0.1", self.hooks)
                        writer.close()
                        break
                    await asyncio.sleep(0.02)
            yield livemon

    async def deliver(self, *sales: dict[str, object], line: "Line | None" = None) -> None:
        """One push of these sales, which must be taken."""
        status, body = await (line or Line(self.hooks)).post("erp", pushed([sale(**told) for told in sales]))
        assert (status, body) == (200, ACCEPTED.body)

    async def ask(self, question: str) -> list[tuple[Any, ...]]:
        conn = await self.database.connect("owner")
        try:
            return [tuple(row) for row in await conn.fetch(question)]
        finally:
            await conn.close()

    async def until(self, question: str, answer: list[tuple[Any, ...]], within_s: float = 20.0) -> None:
        found = None
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while (found := await self.ask(question)) != answer:
                    await asyncio.sleep(0.1)
        assert found == answer, question

    @asynccontextmanager
    async def desk(self, rows: Iterable[FeedRow], ahead_s: float = 0.0) -> AsyncIterator["Desk"]:
        """The monitor's own spool and keys in this process, on a clock that is ahead; PostgreSQL is there."""
        made = Desk(self, list(rows), ahead_s)
        tasks = [asyncio.create_task(work) for work in (made.store.run(), made.lane.run(), made.reader.run())]
        try:
            yield made
        finally:
            for task in tasks[1:]:
                task.cancel()
            await asyncio.gather(*tasks[1:], return_exceptions=True)
            made.store.stop()
            await tasks[0]


class Desk:
    def __init__(self, shop: Shop, rows: list[FeedRow], ahead_s: float) -> None:
        data, self.ahead_s = shop.folder / "data", ahead_s
        self.store = Store(data / "spool", connecting(shop.database), self.now, Counted(), no_more)
        cipher = Cipher([key.reveal() for key in keys_of(None, data / SPOOL_KEY)])
        self.lane, watch = FrameLane(self.store.spool, self.store.sealer, cipher), Watch()
        watch.load([RosterRoom(1, "push_json", "r1")], (), rows, self.now())
        rules = SaleRules(keys_of(None, data / BUYER_KEY)[0].reveal(), Rates())
        apps = {app.name: app for app in APPS}
        self.reader = Reader(
            self.store, self.lane, watch, self.now, rules, lambda row: apps.get(getattr(row, "app", ""))
        )

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time() + self.ahead_s, UTC)


def sale(**fields: object) -> dict[str, object]:
    told = {"kind": "paid", "at": datetime.now(UTC).isoformat(), "amount_minor": 1230, "currency": "CNY", "shop": "s1"}
    return told | fields


def pushed(sales: list[dict[str, object]], **more: object) -> Delivery:
    return signed(json.dumps({"sales": sales} | more, ensure_ascii=False).encode())


def signed(body: bytes) -> Delivery:
    """A delivery of push_json, under a name of its own."""
    stamp, name = str(int(time.time())), f"d{os.getpid()}-{next(number)}"
    told = signature(stamp, name, body, ERP.secrets[0])
    headers = {"x-livemon-timestamp": stamp, "x-livemon-id": name, "x-livemon-signature": told}
    return Delivery("POST", "/hooks/erp", "", headers, body)


class Line:
    """A connection that a platform's proxy keeps open, for one delivery after the other."""

    def __init__(self, port: int, client: str = "203.0.113.7") -> None:
        self.port, self.client = port, client
        self.ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, feed: str, delivery: Delivery) -> tuple[int, bytes]:
        """Status and body of the answer. Raises OSError and EOFError where there is none."""
        try:
            self.ends = self.ends or await asyncio.open_connection("127.0.0.1", self.port)
            reader, writer = self.ends
            path = f"/hooks/{feed}" + (f"?{delivery.query}" if delivery.query else "")
            told = {"Host": "x", "X-Forwarded-For": self.client, "Content-Type": "application/json"} | delivery.headers
            told["Content-Length"] = str(len(delivery.body))
            head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
            writer.write(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + delivery.body)
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = int(answer.partition(b"content-length: ")[2].split(b"\r\n")[0])
            body = await reader.readexactly(size)
        except BaseException:
            self.close()
            raise
        if b"connection: close" in answer:
            self.close()
        return int(answer.split()[1]), body

    def close(self) -> None:
        if self.ends is not None:
            self.ends[1].close()
            self.ends = None


class Flood:
    """So many deliveries a second over several lines, each of one sale; `acknowledged` are the numbers of the 2xx."""

    def __init__(self, port: int, per_s: int = 500, lines: int = 16) -> None:
        self.port, self.per_s, self.lines = port, per_s, lines
        self.acknowledged: set[int] = set()
        self.sent: set[int] = set()
        self.answers: Counter[int | str] = Counter()
        self.waits: list[float] = []

    async def run(self, numbers: Iterable[int], first: Callable[[], object] = lambda: None) -> None:
        """Until all are sent, or livemon is gone. Waits count from the instant at which each was due."""
        queue, loop = enumerate(numbers), asyncio.get_running_loop()
        began, gone = loop.time(), False

        async def send(line: Line) -> None:
            nonlocal gone
            for place, event in queue:
                due = began + place / self.per_s
                await asyncio.sleep(due - loop.time())
                if gone:
                    break
                self.sent.add(event)
                try:
                    told = sale(event_id=f"s1:{event}:paid", amount_minor=event)
                    status, _ = await line.post("erp", pushed([told]))
                except (OSError, EOFError) as error:
                    self.answers[type(error).__name__] += 1
                    gone = True
                    break
                self.waits.append(loop.time() - due)
                self.answers[status] += 1
                if 200 <= status < 300:
                    self.acknowledged.add(event)
                    first()
            line.close()

        await asyncio.gather(*(send(Line(self.port, f"203.0.113.{n}")) for n in range(self.lines)))

    def p99_ms(self) -> float:
        return statistics.quantiles(self.waits, n=100)[98] * 1e3


async def books(livemon: Livemon, kind: str) -> dict[str, float]:
    return {
        name.removeprefix("livemon_").removesuffix("_total"): value
        for name, labels, value in samples(await livemon.text("/metrics"))
        if labels == {"kind": kind}
    }


async def drained(livemon: Livemon, within_s: float = 60.0, frames: int = 0) -> None:
    """Until all but so many pending frames are read, and all sales are written; then the books balance."""
    told: dict[str, dict[str, float]] = {}
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while True:
                told = {kind: await books(livemon, kind) for kind in ("frame", "sale")}
                if (told["frame"]["spooled"], told["sale"]["spooled"]) == (frames, 0):
                    break
                await asyncio.sleep(0.2)
    assert (told["frame"]["spooled"], told["sale"]["spooled"]) == (frames, 0), f"{told}\n{livemon.last_words()}"
    assert told["frame"]["books_difference"] == told["sale"]["books_difference"] == 0
