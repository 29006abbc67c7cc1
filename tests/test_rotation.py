"""F67: a secret is rotated in a running monitor while deliveries flow, and none of them is refused."""

import asyncio
import signal
import time
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from collectors.orders.push_json import signature
from monitor.rehearsal.monitored import Livemon
from monitor.rehearsal.rtmp_hall import free_ports

pytestmark = [pytest.mark.real]

OLD, NEW = b"canary-of-yesterday", b"canary-of-tomorrow"
PER_S = 100
CONFIG = """
data_dir = "var"
dsn = "postgresql://livemon_writer@/livemon?host=/nonexistent"
listen = "127.0.0.1:{port}"
hooks_listen = "127.0.0.1:{hooks_port}"
trusted_proxies = ["127.0.0.1/32"]

[[app]]
name = "mcn"
platform = "push_json"
secret_file = {files}

[[feed]]
kind = "push_json"
name = "mcn-a"
app = "mcn"
"""


class Sender:
    """Sends so many deliveries a second, signed with the secrets in turn; counts the answers by secret and status."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http, self.url, self.sent = http, url, 0
        self.secrets: tuple[bytes, ...] = (OLD,)
        self.answers: Counter[tuple[bytes, int]] = Counter()

    async def flow(self, seconds: float) -> None:
        """To the end of each delivery that was begun."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            while loop.time() < began + seconds:
                group.create_task(self.send())
                await asyncio.sleep(max(0.0, began + self.sent / PER_S - loop.time()))

    async def send(self) -> None:
        self.sent += 1
        secret = self.secrets[self.sent % len(self.secrets)]
        stamp, name, body = str(int(time.time())), f"d{self.sent}", b'{"sales": []}'
        headers = {
            "Content-Type": "application/json",
            "X-Livemon-Timestamp": stamp,
            "X-Livemon-Id": name,
            "X-Livemon-Signature": signature(stamp, name, body, secret),
        }
        async with self.http.post(self.url, data=body, headers=headers) as answer:
            await answer.read()
            self.answers[secret, answer.status] += 1


async def taken_over(livemon: Livemon, times: int) -> None:
    livemon.child.process.send_signal(signal.SIGHUP)
    async with asyncio.timeout(10):
        while livemon.log.read_text().count("the config was read again") < times:
            await asyncio.sleep(0.05)


async def test_no_delivery_is_refused_while_both_secrets_hold_and_the_old_one_is_after(tmp_path: Path) -> None:
    port, hooks_port = free_ports(2)
    for name, secret in (("old", OLD), ("new", NEW)):
        (tmp_path / name).write_bytes(secret + b"\n")
        (tmp_path / name).chmod(0o600)
    config = tmp_path / "livemon.toml"

    def write(files: str) -> None:
        config.write_text(CONFIG.format(port=port, hooks_port=hooks_port, files=files))

    write('"old"')
    async with Livemon(config, f"http://127.0.0.1:{port}") as livemon, aiohttp.ClientSession() as http:
        async with asyncio.timeout(20):
            while "hooks are taken at" not in (livemon.log.read_text() if livemon.log.exists() else ""):
                livemon.must_run()
                await asyncio.sleep(0.1)
        sender = Sender(http, f"http://127.0.0.1:{hooks_port}/hooks/mcn-a")
        flowing = asyncio.create_task(sender.flow(4.0))
        await asyncio.sleep(0.5)
        write('["new", "old"]')
        await taken_over(livemon, 1)
        sender.secrets = (OLD, NEW)
        await asyncio.sleep(1.0)
        sender.secrets = (NEW,)
        await asyncio.sleep(0.3)
        write('"new"')
        await taken_over(livemon, 2)
        await flowing
        assert {status for _, status in sender.answers} == {200}
        assert sender.answers[OLD, 200] > 50
        assert sender.answers[NEW, 200] > 100
        sender.secrets = (OLD,)
        await sender.send()
        assert sender.answers[OLD, 401] == 1
        counted = {
            line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
            for line in (await livemon.text("/metrics")).splitlines()
            if line.startswith("livemon_hook_requests_total")
        }
        family = 'livemon_hook_requests_total{{feed="mcn-a",outcome="{}"}}'
        assert counted[family.format("accepted")] == sender.sent - 1
        assert counted[family.format("bad_signature")] == 1
    assert "canary" not in livemon.log.read_text()
