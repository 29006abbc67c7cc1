"""Prometheus and Alertmanager as they are shipped, to the second; or with the same configuration and less waiting.

What is rewritten: addresses, how long scraping, evaluation and groups wait, `for` and `keep_firing_for` of rooms and
feeds. No expression is touched, so what is measured over a minute is measured over a minute; and what says that
PostgreSQL or livemon itself is away waits as long as ever, as they start as slowly as ever.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from shutil import which
from typing import Any, NamedTuple

import aiohttp
import yaml

from monitor.rehearsal.program import Program

SHIPPED = Path(__file__).resolve().parents[3] / "prometheus"
WAITS = re.compile(r"^(\s*(?:for|keep_firing_for|interval): )(\d+)(s|m|h)$", re.MULTILINE)
SECONDS = {"s": 1, "m": 60, "h": 3600}
HURRIED = ("rooms.yml", "feeds.yml")
START_S_MAX = 30.0
ADDRESSES = ("livemon:8790", "localhost:9090", "alertmanager:9093")


class Speed(NamedTuple):
    """How often is looked, for how long is waited. `scale` divides waits of rules; no `scrape_s`: all as shipped."""

    poll_s: float = 5.0  # livemon asks its feeds
    scrape_s: int | None = None
    scale: float = 1.0
    group_wait_s: int = 2
    group_interval_s: int = 5


PRODUCTION = Speed()
FAST = Speed(poll_s=0.5, scrape_s=1, scale=5.0, group_wait_s=1, group_interval_s=3)


class Ports(NamedTuple):
    livemon: int
    prometheus: int
    alertmanager: int

    def moved(self, text: str) -> str:
        """The text with each shipped address replaced by where it is here."""
        for address, port in zip(ADDRESSES, self, strict=True):
            text = text.replace(address, f"127.0.0.1:{port}")
        return text


@asynccontextmanager
async def watching(folder: Path, ports: Ports, speed: Speed) -> AsyncIterator[None]:
    """Both run while the block does; livemon may come and go."""
    folder.mkdir()
    _write_alertmanager(folder / "alertmanager.yml", ports, speed)
    _write_prometheus(folder, ports, speed)
    commands = (
        (
            [_program("prometheus-alertmanager", "alertmanager"), f"--config.file={folder}/alertmanager.yml",
             f"--storage.path={folder}/silences", f"--web.listen-address=127.0.0.1:{ports.alertmanager}",
             "--cluster.listen-address=", "--log.level=warn"],
            ports.alertmanager,
        ),
        (
            [_program("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
             f"--web.listen-address=127.0.0.1:{ports.prometheus}", "--log.level=warn"],
            ports.prometheus,
        ),
    )  # fmt: skip
    with ExitStack() as programs:
        for command, port in commands:
            program = programs.enter_context(Program(command, folder / f"{Path(command[0]).name}.log"))
            await _ready(program, port)
        yield


def _program(*names: str) -> str:
    found = next(filter(None, map(which, names)), None)
    assert found is not None, f"bash tests/tools.sh installs {names[0]}"
    return found


def _write_alertmanager(path: Path, ports: Ports, speed: Speed) -> None:
    config = yaml.safe_load(ports.moved((SHIPPED / "alertmanager.yml").read_text()))
    if speed.scrape_s is not None:
        config["route"] |= {"group_wait": f"{speed.group_wait_s}s", "group_interval": f"{speed.group_interval_s}s"}
    path.write_text(yaml.safe_dump(config))


def _write_prometheus(folder: Path, ports: Ports, speed: Speed) -> None:
    config: dict[str, Any] = yaml.safe_load(ports.moved((SHIPPED / "prometheus.yml").read_text()))
    if speed.scrape_s is not None:
        every = f"{speed.scrape_s}s"
        config["global"] = {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    (folder / "rules").mkdir()
    for shipped in sorted((SHIPPED / "rules").glob("*.yml")):
        rules = shipped.read_text()
        (folder / "rules" / shipped.name).write_text(hurried(rules, speed) if shipped.name in HURRIED else rules)


def hurried(rules: str, speed: Speed) -> str:
    """The same rules with shorter waits, never below one evaluation."""
    if speed.scrape_s is None:
        return rules
    least_s = speed.scrape_s

    def shorter(found: re.Match[str]) -> str:
        seconds = int(found[2]) * SECONDS[found[3]]
        return f"{found[1]}{max(least_s, round(seconds / speed.scale))}s"

    return WAITS.sub(shorter, rules)


async def _ready(program: Program, port: int) -> None:
    async with asyncio.timeout(START_S_MAX), aiohttp.ClientSession() as http:
        while True:
            assert program.running, program.log.read_text()
            try:
                async with http.get(f"http://127.0.0.1:{port}/-/ready") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass  # it does not listen yet
            await asyncio.sleep(0.1)
