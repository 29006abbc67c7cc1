"""The monitor as a process that platforms call: a signed delivery becomes a row, through kill and quarantine."""

import asyncio
import itertools
import json
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from collectors.orders.push_json import ACCEPTED, signature
from monitor.rehearsal.monitored import Livemon, samples
from monitor.rehearsal.rtmp_hall import free_ports

pytestmark = [pytest.mark.real]

CANARY = "王小明13800138000沈阳市和平区南京街"
SECRET = secrets.token_bytes(24).hex()
CONFIG = """\
data_dir = "data"
listen = "127.0.0.1:{port}"
hooks_listen = "127.0.0.1:{hooks}"
roster = "roster.csv"
{dsn}

[[app]]
name = "erp"
platform = "push_json"
secret_file = "erp"

[[feed]]
kind = "push_json"
name = "仓库"
app = "erp"
"""
NOWHERE = 'dsn = "postgresql://livemon_writer@/livemon?host=/nonexistent"'
RATE = '\n[[rate]]\ncoin = "音浪"\nminor_units = 10\nfrom = 2026-01-01T00:00:00+08:00\n'
number = itertools.count(1)


class Shop:
    """A config folder, and who delivers to the monitor that runs with it."""

    def __init__(self, folder: Path, database) -> None:
        self.folder, self.database = folder, database
        self.port, self.hooks = free_ports(2)
        (folder / "roster.csv").write_text("platform,room,anchor\npush_json,r1,一\n", encoding="utf-8")
        for name, text in (("erp", SECRET), ("pg", database.server.password("livemon_writer"))):
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(text)
        self.config = folder / "livemon.toml"
        self.configure()

    def configure(self, more: str = "", dsn: str = "") -> None:
        here = f'dsn = "postgresql://livemon_writer@/{self.database.name}?host={self.database.server.socket}"'
        dsn = dsn or f'{here}\ndsn_password_file = "pg"'
        text = CONFIG.format(port=self.port, hooks=self.hooks, dsn=dsn)
        self.config.write_text(text + more, encoding="utf-8")

    @asynccontextmanager
    async def livemon(self, ready: bool = True) -> AsyncIterator[Livemon]:
        async with Livemon(self.config, f"http://127.0.0.1:{self.port}") as livemon:
            if ready:
                await livemon.ready(1)
            yield livemon

    async def deliver(self, *sales: dict[str, object]) -> None:
        """Until it is taken; the answer is the exact one."""
        body = json.dumps({"sales": [self.sale(**sale) for sale in sales]}, ensure_ascii=False).encode()
        name = f"d{os.getpid()}-{next(number)}"
        url = f"http://127.0.0.1:{self.hooks}/hooks/仓库"
        async with aiohttp.ClientSession() as http, asyncio.timeout(30):
            while True:
                stamp = str(int(time.time()))
                headers = {
                    "Content-Type": "application/json", "X-Livemon-Timestamp": stamp, "X-Livemon-Id": name,
                    "X-Livemon-Signature": signature(stamp, name, body, SECRET.encode()),
                }  # fmt: skip
                try:
                    async with http.post(url, data=body, headers=headers) as reply:
                        assert (reply.status, await reply.read()) == (200, ACCEPTED.body)
                        return
                except aiohttp.ClientError:
                    await asyncio.sleep(0.1)

    def sale(self, **fields: object) -> dict[str, object]:
        told = {"kind": "paid", "at": datetime.now(UTC).isoformat(), "amount": "12.30", "currency": "CNY"}
        return told | {"buyer": CANARY, "shop": "s1"} | fields

    async def ask(self, question: str) -> list[tuple[object, ...]]:
        conn = await self.database.connect("owner")
        try:
            return [tuple(row) for row in await conn.fetch(question)]
        finally:
            await conn.close()

    async def until(self, question: str, answer: list[tuple[object, ...]], within_s: float = 20.0) -> None:
        found = None
        try:
            async with asyncio.timeout(within_s):
                while (found := await self.ask(question)) != answer:
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{question}: {found}, not {answer}") from None


@pytest.fixture
def shop(tmp_path, database) -> Shop:
    return Shop(tmp_path, database)


async def books(livemon: Livemon, kind: str) -> dict[str, float]:
    found = samples(await livemon.text("/metrics"))
    return {
        name.removeprefix("livemon_").removesuffix("_total"): value
        for name, labels, value in found
        if labels == {"kind": kind}
    }


async def test_a_delivery_is_a_row_once_and_nothing_of_the_buyer_is_left_to_read(shop):
    async with shop.livemon() as livemon:
        await shop.deliver({"event_id": "s1:1:paid"}, {"event_id": "s1:2:paid", "amount": None, "amount_minor": 5})
        await shop.deliver({"event_id": "s1:1:paid"})  # another delivery of the same fact
        await shop.until("SELECT event_id, amount_minor FROM sale ORDER BY 1", [("s1:1:paid", 1230), ("s1:2:paid", 5)])
        async with asyncio.timeout(10):
            while (told := await books(livemon, "sale"))["duplicates"] != 1 or told["spooled"]:
                await asyncio.sleep(0.1)
        frames = await books(livemon, "frame")
        assert (frames["received"], frames["written"], frames["spooled"], frames["books_difference"]) == (2, 2, 0, 0)
        assert told["books_difference"] == 0
        requests = {
            labels["outcome"]: value
            for name, labels, value in samples(await livemon.text("/metrics"))
            if name == "livemon_hook_requests_total" and labels["feed"] == "仓库"
        }
        assert requests["accepted"] == 2
        pages = await livemon.text("/metrics") + await livemon.text("/metrics/rooms")
    [(buyer,)] = await shop.ask("SELECT DISTINCT buyer FROM sale")
    assert len(buyer) == 32
    everything = await shop.ask("SELECT sale::text FROM sale UNION ALL SELECT quarantine::text FROM quarantine")
    read = [pages.encode(), repr(everything).encode(), livemon.log.read_bytes()]
    read += [path.read_bytes() for path in (shop.folder / "data").rglob("*") if path.is_file()]
    for piece in (CANARY[:3], CANARY[3:14], CANARY[14:]):
        assert not any(piece.encode() in text for text in read)


async def test_what_was_acknowledged_before_a_kill_without_postgresql_is_there_afterwards(shop):
    shop.configure(dsn=NOWHERE)
    async with shop.livemon(ready=False) as livemon:
        for order in range(20):
            await shop.deliver({"event_id": f"s1:{order}:paid"})
        livemon.child.process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(livemon.child.process.wait)
    shop.configure()
    async with shop.livemon() as livemon:
        await shop.deliver({"event_id": "s1:7:paid"})  # as its sender may, who never heard our answer
        await shop.until("SELECT count(*), sum(amount_minor)::int FROM sale", [(20, 20 * 1230)])


async def test_a_gift_without_a_rate_is_kept_apart_and_counts_when_there_is_one(shop):
    gift = {"event_id": "s1:g1:gift", "kind": "gift", "amount": None, "currency": "", "coin": "音浪", "coins": 88}
    async with shop.livemon() as livemon:
        await shop.deliver({"event_id": "s1:1:paid"}, gift)
        kept = [("sale", "no rate for coin", "s1:g1:gift")]
        await shop.until("SELECT kind, reason, sample FROM quarantine", kept)
        [(payload,)] = await shop.ask("SELECT payload FROM quarantine")
        assert CANARY[:3].encode() not in payload
        shop.configure(RATE)
        livemon.child.process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(10):
            while "the config was read again" not in livemon.log.read_text():
                await asyncio.sleep(0.1)
        code, said = await livemon.command("quarantine", "show", "1")
        assert "encrypted under the spool key" in said
        assert CANARY[:3] not in said
        code, said = await livemon.command("quarantine", "retry", "--all")
        assert code == 0, said
        await shop.until("SELECT event_id, amount_minor, currency FROM sale WHERE kind = 'gift'",
                         [("s1:g1:gift", 880, "CNY")])  # fmt: skip
        await shop.until("SELECT state FROM quarantine", [("retried",)])
        assert (await books(livemon, "sale"))["books_difference"] == 0


async def test_another_spool_key_is_refused_and_a_rotated_one_is_not(shop):
    async with shop.livemon():
        await shop.deliver({"event_id": "s1:1:paid"})
        await shop.until("SELECT count(*) FROM sale", [(1,)])
    made = shop.folder / "data" / "spool.key"
    old = made.read_text()
    made.write_text("A" * 43 + "=\n")
    child = Livemon(shop.config, f"http://127.0.0.1:{shop.port}")
    code, said = await child.command("run")
    assert code == 2
    assert "encrypted under another spool key" in said
    made.write_text("A" * 43 + "=\n" + old)  # rotated: the new one first
    async with shop.livemon():
        await shop.deliver({"event_id": "s1:2:paid"})
        await shop.until("SELECT count(*) FROM sale", [(2,)])
