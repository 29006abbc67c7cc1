"""What each board costs Prometheus when it is open on 12,000 rooms: all its PromQL once, as Grafana asks it, and how
much of a core that is when somebody lets it refresh every 5 s. And what it costs to record, for all boards at once, the
sums over single rooms that they ask for.

Boards whose span is longer than the past that is made are asked for it all the same, and find as much as there is. What
the SQL of a board takes, bench_history measures at every size.

    [BOARDS_MINUTES=60] [BOARDS_ROOMS=12000] python -m tests.bench.bench_boards
"""

import asyncio
import json
import os
import re
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from tests.bench.boards_past import Past, past
from tests.bench.history_questions import BOARDS
from tests.boards.asked import Asked, asked_of, opened_at
from tests.boards.macros import Chosen, Opened, promql_sent

ROOMS, MINUTES, TURNS, REFRESH_S = 12_000, 60.0, 3, 5
RULES = Path(__file__).parents[2] / "prometheus" / "rules" / "recording.yml"
OF_ROOMS = re.compile(r"(?<![:\w])livemon_room_\w+")  # not the name of a sum, as platform:livemon_room_viewers:sum is
CHOSEN = {"feed": Chosen(".*", True, True)}  # variables by PromQL, which nobody answers here
type Json = dict[str, Any]


def asked_by_boards(now: datetime) -> dict[str, tuple[Opened, list[Asked]]]:
    """Board -> as it is open, and its PromQL; the same text in two panels is asked twice, as Grafana does."""
    found = {}
    for path in sorted(BOARDS.rglob("*.json")):
        board: Json = json.loads(path.read_text())
        asked = [each for each in asked_of(path.stem, board) if each.language == "promql" and each.what[0] != "$"]
        if asked:
            found[path.stem] = opened_at(board, now, CHOSEN), asked
    return found


def rules_over_rooms() -> list[tuple[str, float, str]]:
    """What reads the series of every room to record a few: name, every how many seconds, PromQL."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    rules = [(each["record"], group["interval"], each["expr"]) for group in groups for each in group["rules"]]
    return [(name, float(every.rstrip("s")), text) for name, every, text in rules if OF_ROOMS.search(text)]


def families_of(texts: Iterable[str]) -> set[str]:
    """Of the page of rooms, those that are asked for."""
    return set(OF_ROOMS.findall(" ".join(texts)))


async def answered(asked: Asked, opened: Opened, made: Past) -> tuple[float, int]:
    """Milliseconds, and how many series came back."""
    text = promql_sent(asked.text, opened)
    began = time.perf_counter()
    if asked.instant:
        data = await made.client.ask("query", query=text, time=str(made.to_at))
    else:
        step_s = max(opened.interval.total_seconds(), opened.scrape.total_seconds())
        span_s = (opened.to_at - opened.from_at).total_seconds()
        data = await made.client.ask(
            "query_range", query=text, start=str(made.to_at - span_s), end=str(made.to_at), step=str(step_s)
        )
    return (time.perf_counter() - began) * 1000, len(data["result"])


async def cost_of(board: str, opened: Opened, asked: list[Asked], made: Past) -> Json:
    """Each question one after another, all of them TURNS times; a board that never answers fails the benchmark."""
    sums, cpu, slowest, most = [], [], ("", 0.0), 0
    for _ in range(TURNS):
        before, took = made.client.cpu_s, 0.0
        for each in asked:
            ms, series = await answered(each, opened, made)
            took, most = took + ms, max(most, series)
            slowest = max(slowest, (each.what, ms), key=lambda told: told[1])
        sums.append(took)
        cpu.append(made.client.cpu_s - before)
    row = {
        "board": board, "queries": len(asked), "p50_ms": round(statistics.median(sums), 1),
        "p95_ms": round(max(sums), 1), "cpu_s": round(statistics.median(cpu), 3),
        "cores_at_5_s": round(statistics.median(cpu) / REFRESH_S, 3), "slowest": slowest[0],
        "slowest_ms": round(slowest[1], 1), "series_at_most": most,
    }  # fmt: skip
    print(row, file=sys.stderr)
    return row


async def cost_of_rule(name: str, every_s: float, text: str, made: Past) -> Json:
    """What it takes to find them; that a few series are then stored does not count."""
    before, series = made.client.cpu_s, 0
    for _ in range(TURNS):
        series = len((await made.client.ask("query", query=text, time=str(made.to_at)))["result"])
    cpu_s = (made.client.cpu_s - before) / TURNS
    cores = round(cpu_s / every_s, 3)
    row = {"rule": name, "every_s": every_s, "cpu_s": round(cpu_s, 3), "cores": cores, "series": series}
    print(row, file=sys.stderr)
    return row


async def measure(rooms: int, minutes: float) -> Json:
    boards, rules = asked_by_boards(datetime.now(UTC)), rules_over_rooms()
    texts = [*(each.text for _, asked in boards.values() for each in asked), *(text for *_, text in rules)]
    with tempfile.TemporaryDirectory(prefix="livemon-bench-boards-") as folder:
        async with past(Path(folder), rooms, families_of(texts), minutes) as made:
            rows = [await cost_of(name, opened, asked, made) for name, (opened, asked) in boards.items()]
            recorded = [await cost_of_rule(*rule, made) for rule in rules]
            return {
                "name": "boards", "rooms": rooms, "minutes": minutes, "series": made.series, "samples": made.samples,
                "filled_s": round(made.filled_s, 1), "boards": rows, "rules": recorded,
            }  # fmt: skip


def main() -> None:
    os.nice(10)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clears up as Ctrl-C does
    rooms, minutes = int(os.environ.get("BOARDS_ROOMS", ROOMS)), float(os.environ.get("BOARDS_MINUTES", MINUTES))
    print(json.dumps(asyncio.run(measure(rooms, minutes))))


if __name__ == "__main__":
    main()
