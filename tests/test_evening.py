"""The first evening as a whole: the real monitor, scraped by a real Prometheus, heard by a real Alertmanager."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from monitor.rehearsal.rtmp_hall import free_ports
from tests.boards.stage import queries, with_values

pytestmark = [pytest.mark.real, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[1]
WAIT_S_MAX = 90.0
LIVEMON = "from monitor.cli import main; raise SystemExit(main())"
PLAN = """
title = "一晚"
opens = "20:30"

[[fault]]
what = "streams_drop"
minute = 0.2
lasts_s = 100
platform = "nginx_rtmp"
"""


@asynccontextmanager
async def running(*command: str | Path, log: Path, wants_output: bool = False) -> AsyncIterator[Process]:
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *map(str, command), cwd=ROOT, stdout=PIPE if wants_output else DEVNULL, stderr=errors
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGINT if wants_output else signal.SIGTERM)
                drained = process.stdout.read() if process.stdout else asyncio.sleep(0)
                await asyncio.wait_for(asyncio.gather(process.wait(), drained), 60)


class Evening:
    """The ports of this evening, and what to ask of them."""

    def __init__(self, http: aiohttp.ClientSession, folder: Path) -> None:
        self.http, self.folder = http, folder
        self.prometheus, self.alertmanager = free_ports(2)
        self.demo: Process | None = None

    def configure(self, livemon: str) -> Path:
        """The committed configuration, with the addresses of this evening in place of compose's names."""
        text = (ROOT / "prometheus" / "prometheus.yml").read_text()
        for name, address in {
            "livemon:8790": livemon,
            "alertmanager:9093": f"127.0.0.1:{self.alertmanager}",
            "localhost:9090": f"127.0.0.1:{self.prometheus}",
            "rules/*.yml": f"{ROOT}/prometheus/rules/*.yml",
        }.items():
            assert name in text
            text = text.replace(name, address)
        file = self.folder / "prometheus.yml"
        file.write_text(text)
        return file

    async def ask(self, path: str, **parameters: str) -> Any:
        async with self.http.get(f"http://127.0.0.1:{self.prometheus}/api/v1/{path}", params=parameters) as reply:
            return (await reply.json())["data"]

    async def alerts(self) -> set[str]:
        async with self.http.get(f"http://127.0.0.1:{self.alertmanager}/api/v2/alerts") as reply:
            return {alert["labels"]["alertname"] for alert in await reply.json()}


async def until(what: str, answer: Callable[[], Awaitable[Any]]) -> Any:
    """Ask twice a second until the answer is yes; connections refused, and "not ready" in plain text, are a no."""
    try:
        async with asyncio.timeout(WAIT_S_MAX):
            while True:
                try:
                    if found := await answer():
                        return found
                except (aiohttp.ClientConnectionError, aiohttp.ContentTypeError):
                    pass
                await asyncio.sleep(0.5)
    except TimeoutError:
        pytest.fail(f"not within {WAIT_S_MAX:g} s: {what}")


@pytest.fixture
async def evening(tmp_path: Path) -> AsyncIterator[Evening]:
    async with AsyncExitStack() as stack:
        evening = Evening(await stack.enter_async_context(aiohttp.ClientSession()), tmp_path)
        demo = [
            sys.executable,
            "-c",
            LIVEMON,
            "rehearse",
            "--rooms",
            "300",
            "--faults",
            tmp_path / "plan.toml",
            "--data-dir",
        ]
        (tmp_path / "plan.toml").write_text(PLAN)
        evening.demo = await stack.enter_async_context(
            running(*demo, tmp_path / "demo", log=tmp_path / "demo.log", wants_output=True)
        )
        assert evening.demo.stdout is not None
        async with asyncio.timeout(WAIT_S_MAX):
            while not (found := re.search(rb"http://(\S+)/metrics/rooms", await evening.demo.stdout.readline())):
                assert not evening.demo.stdout.at_eof(), (tmp_path / "demo.log").read_text()
        await stack.enter_async_context(
            running(
                "prometheus-alertmanager",
                f"--config.file={ROOT / 'prometheus' / 'alertmanager.yml'}",
                f"--storage.path={tmp_path / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{evening.alertmanager}",
                "--cluster.listen-address=",
                log=tmp_path / "alertmanager.log",
            )
        )
        await stack.enter_async_context(
            running(
                "prometheus",
                f"--config.file={evening.configure(found[1].decode())}",
                f"--storage.tsdb.path={tmp_path / 'prometheus'}",
                f"--web.listen-address=127.0.0.1:{evening.prometheus}",
                log=tmp_path / "prometheus.log",
            )
        )
        yield evening


async def test_the_kit_works_together(evening: Evening):
    async def all_up() -> bool:
        targets = (await evening.ask("targets"))["activeTargets"]
        return len(targets) == 4 and all(target["health"] == "up" for target in targets)

    await until("all four jobs are scraped", all_up)
    groups = (await evening.ask("rules"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {rule["name"] for rule in rules} >= {"LivemonRoomDropped", "LivemonFeedBlind", "LivemonTargetMissing"}
    assert not [rule["lastError"] for rule in rules if rule.get("lastError")]

    for name, query in queries("expr", board="hall").items():
        text = with_values(query, {"hall": ".*"})

        async def answered(text: str = text) -> bool:  # a rule may have to count it first
            return bool((await evening.ask("query", query=text))["result"])

        await until(f"{name} has data", answered)
        result = (await evening.ask("query", query=text))["result"]
        assert len(result) <= 10, f"{name}: one line or a few"
    rooms = (await evening.ask("query", query="count(livemon_room_info)"))["result"][0]["value"][1]
    assert rooms == "300"

    async def seen() -> bool:  # feeds begin spread over their intervals
        blind = (await evening.ask("query", query="sum(livemon_feed_up == bool 0)"))["result"][0]["value"][1]
        return bool(blind == "0")

    await until("every feed is seen", seen)

    async def told(alert: str) -> bool:
        return alert in await evening.alerts()

    await until("a room that dropped reaches Alertmanager", lambda: told("LivemonRoomDropped"))
    assert "LivemonTargetMissing" not in await evening.alerts()

    assert evening.demo is not None
    assert evening.demo.stdout is not None
    os.kill(evening.demo.pid, signal.SIGINT)
    await evening.demo.stdout.read()
    await evening.demo.wait()
    await until("the end of the monitor reaches Alertmanager", lambda: told("LivemonTargetMissing"))
