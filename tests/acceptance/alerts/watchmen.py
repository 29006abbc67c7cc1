"""A real Prometheus with the repository's rules and a real Alertmanager before one livemon: what fires, what ever did.

Their configurations are the committed ones, with the addresses of this test in place of compose's names. Two things are
rewritten, and nothing else:

- how often is scraped and evaluated: each second, or each `scrape_s`;
- durations of the rules that a test names in `faster`: `for`, `keep_firing_for`, `[ranges]` and `offset`s are divided
  by that number; a `for` of at most 15 s stays, no range gets shorter than five scrapes. Thresholds and labels stay.
"""

import asyncio
import logging
import re
import shutil
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from monitor.rehearsal.program import Program
from monitor.rehearsal.rtmp_hall import free_ports

PROMETHEUS = Path(__file__).resolve().parents[3] / "prometheus"
ALERTMANAGERS = ("prometheus-alertmanager", "alertmanager")
START_S_MAX = 20.0
FOR_S_KEPT = 15.0
log = logging.getLogger(__name__)
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
SPAN = re.compile(r"(?<=\[)(\d+)(ms|s|m|h|d)(?=\])|(?<=offset )(\d+)(ms|s|m|h|d)\b")


class Watchmen:
    """What Prometheus says of one livemon. An alert is its name, or its name and some of its labels."""

    def __init__(self, http: aiohttp.ClientSession, prometheus: str, alertmanager: str) -> None:
        self.http, self.prometheus, self.alertmanager = http, prometheus, alertmanager

    async def ask(self, query: str) -> list[dict[str, Any]]:
        """The labels of what an instant query finds."""
        async with self.http.get(f"{self.prometheus}/api/v1/query", params={"query": query}) as reply:
            told = await reply.json()
        assert told["status"] == "success", told
        return [{**found["metric"], "value": float(found["value"][1])} for found in told["data"]["result"]]

    async def firing(self) -> list[dict[str, str]]:
        """The labels of all that fires now."""
        async with self.http.get(f"{self.prometheus}/api/v1/alerts") as reply:
            told = await reply.json()
        return [alert["labels"] for alert in told["data"]["alerts"] if alert["state"] == "firing"]

    async def ever_fired(self) -> set[str]:
        """The names of all that fired since this Prometheus runs, however briefly."""
        return {found["alertname"] for found in await self.ask('max_over_time(ALERTS{alertstate="firing"}[1h])')}

    async def fires(self, name: str, within_s: float, **labels: str) -> None:
        await self._becomes(name, labels, within_s, there=True)

    async def clears(self, name: str, within_s: float, **labels: str) -> None:
        await self._becomes(name, labels, within_s, there=False)

    async def _becomes(self, name: str, labels: Mapping[str, str], within_s: float, there: bool) -> None:
        wanted, fired = {"alertname": name, **labels}, list[dict[str, str]]()
        began_s = time.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while True:
                    fired = await self.firing()
                    if any(wanted.items() <= one.items() for one in fired) == there:
                        how = "fires" if there else "cleared"
                        log.info("%s %s after %.1f s", " ".join(wanted.values()), how, time.monotonic() - began_s)
                        return
                    await asyncio.sleep(0.3)
        names = sorted({one["alertname"] for one in fired})
        raise AssertionError(
            f"{wanted} {'does not fire' if there else 'still fires'} after {within_s:g} s, but {names}"
        )

    async def rules_are_whole(self) -> None:
        """No rule was skipped or failed."""
        async with self.http.get(f"{self.prometheus}/api/v1/rules") as reply:
            groups = (await reply.json())["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        assert len(rules) > len(list(PROMETHEUS.glob("rules/*.yml")))
        assert not [rule for rule in rules if rule.get("lastError")]


@asynccontextmanager
async def watching(
    folder: Path, livemon: str, faster: Mapping[str, float] | None = None, scrape_s: int = 1
) -> AsyncIterator[Watchmen]:
    """Both programs, before the livemon that listens on `livemon` (host:port), which need not be there yet."""
    folder.mkdir()
    prometheus, alertmanager = (f"127.0.0.1:{port}" for port in free_ports(2))
    write_rules(folder / "rules", faster or {}, scrape_s)
    addresses = {"livemon:8790": livemon, "alertmanager:9093": alertmanager, "localhost:9090": prometheus}
    write_config(folder / "prometheus.yml", addresses, scrape_s)
    _copy("alertmanager.yml", folder, {"livemon:8790": livemon})
    async with AsyncExitStack() as stack:
        _start(
            stack, folder, ALERTMANAGERS, f"--config.file={folder}/alertmanager.yml", "--cluster.listen-address=",
            f"--storage.path={folder}/alertmanager", f"--web.listen-address={alertmanager}", "--log.level=warn",
        )  # fmt: skip
        _start(
            stack, folder, ("prometheus",), f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address={prometheus}", "--log.level=warn",
        )  # fmt: skip
        http = await stack.enter_async_context(aiohttp.ClientSession())
        for address in (alertmanager, prometheus):
            await _ready(http, f"http://{address}/-/ready", folder)
        yield Watchmen(http, f"http://{prometheus}", f"http://{alertmanager}")


def write_config(path: Path, addresses: Mapping[str, str], scrape_s: int) -> None:
    told = yaml.safe_load(_with((PROMETHEUS / path.name).read_text(encoding="utf-8"), addresses))
    told["global"] |= {
        "scrape_interval": f"{scrape_s}s", "evaluation_interval": "1s", "scrape_timeout": f"{min(4, scrape_s)}s",
    }  # fmt: skip
    path.write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")


def write_rules(folder: Path, faster: Mapping[str, float], scrape_s: int) -> None:
    """The rules, with the durations of those in `faster` divided; a name that no rule has is a slip of the test."""
    folder.mkdir()
    known = set[str]()
    for file in PROMETHEUS.glob("rules/*.yml"):
        told = yaml.safe_load(file.read_text(encoding="utf-8"))
        for group in told["groups"]:
            group["interval"] = "1s"
            for rule in group["rules"]:
                name = rule.get("alert") or rule["record"]
                known.add(name)
                if name in faster:
                    hurry(rule, faster[name], scrape_s)
        (folder / file.name).write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
    assert set(faster) <= known, set(faster) - known


def hurry(rule: dict[str, Any], by: float, scrape_s: int) -> None:
    """Divide the durations of one rule, in place."""
    for key in ("for", "keep_firing_for"):
        if key in rule and (key != "for" or seconds(rule[key]) > FOR_S_KEPT):
            rule[key] = f"{round(1000 * seconds(rule[key]) / by)}ms"

    def shorter(found: re.Match[str]) -> str:
        count, unit = found[1] or found[3], found[2] or found[4]
        least_s = 5.0 * scrape_s if found[1] else 0.0
        return f"{round(1000 * max(least_s, int(count) * UNITS[unit] / by))}ms"

    rule["expr"] = SPAN.sub(shorter, rule["expr"])


def seconds(duration: str) -> float:
    found = re.fullmatch(r"(\d+)(ms|s|m|h|d)", duration)
    assert found is not None, duration
    return int(found[1]) * UNITS[found[2]]


def every_alert() -> set[str]:
    """The names of all that the repository's rules can raise."""
    files = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in PROMETHEUS.glob("rules/*.yml")]
    rules = [rule for told in files for group in told["groups"] for rule in group["rules"]]
    return {rule["alert"] for rule in rules if "alert" in rule}


def _copy(name: str, folder: Path, addresses: Mapping[str, str]) -> None:
    (folder / name).write_text(_with((PROMETHEUS / name).read_text(encoding="utf-8"), addresses), encoding="utf-8")


def _with(text: str, addresses: Mapping[str, str]) -> str:
    for name, address in addresses.items():
        assert name in text, name
        text = text.replace(name, address)
    return text


def _start(stack: AsyncExitStack, folder: Path, names: tuple[str, ...], *arguments: str) -> None:
    program = next(filter(None, map(shutil.which, names)), None)
    assert program is not None, f"bash tests/tools.sh installs {names[0]}"
    child = stack.enter_context(Program([program, *arguments], folder / f"{names[0]}.log"))
    stack.callback(child.stop, signal.SIGTERM)


async def _ready(http: aiohttp.ClientSession, url: str, folder: Path) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(START_S_MAX):
            while True:
                with suppress(aiohttp.ClientError):
                    async with http.get(url) as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.1)
    raise AssertionError("\n".join(log.read_text(errors="replace")[-2000:] for log in folder.glob("*.log")))
