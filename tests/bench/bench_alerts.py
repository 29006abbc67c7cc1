"""From the instant at which a stream is gone to a robot that has been told: everything in between is real.

Once with production settings (polls and scrapes each 5 s, the shipped rules and groups), once in a hurry. Phases of
polls, scrapes and evaluations are drawn at each start, so drops are spread over several starts, which run side by side.
A second drop of the same hall while the first goes on waits for the group's next turn; that is measured, too.
"""

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.acceptance.alerts.play import drops, event, halls
from tests.acceptance.alerts.speeds import FAST, PRODUCTION, Speed
from tests.alerts.chat import Chat

STARTS, HALLS, ROOMS = 4, 5, 10
GOAL_S = 20.0
APART_S = {PRODUCTION: (4.0, 8.0), FAST: (0.7, 1.6)}


async def start(folder: Path, speed: Speed) -> tuple[list[float], list[float]]:
    """First drops of each hall, and second ones."""
    servers, chat = halls(HALLS, ROOMS), Chat("feishu", time.time)
    async with event(folder, servers, {"group": chat}, speed) as evening:
        await evening.live(HALLS * ROOMS)
        first = await drops(servers, chat, APART_S[speed])
        return first, await drops(servers, chat, APART_S[speed], room=1)


async def measured(speed: Speed) -> tuple[list[float], list[float]]:
    with tempfile.TemporaryDirectory(prefix="livemon-bench-") as name:
        folders = [Path(name) / str(number) for number in range(STARTS)]
        os.chmod(name, 0o711)  # noqa: S103 - root's PostgreSQL runs as another user
        for folder in folders:
            folder.mkdir()
        starts = await asyncio.gather(*(start(folder, speed) for folder in folders))
    return [s for first, _ in starts for s in first], [s for _, second in starts for s in second]


def row(took_s: Sequence[float]) -> dict[str, float]:
    told = {"min_s": min(took_s), "p50_s": statistics.median(took_s), "max_s": max(took_s)}
    return {"drops": len(took_s)} | {name: round(seconds, 1) for name, seconds in told.items()}


def main() -> None:
    report: dict[str, object] = {"goal_s": GOAL_S}
    for name, speed in (("production", PRODUCTION), ("fast", FAST)):
        first, second = asyncio.run(measured(speed))
        report[name], report[f"{name}_second_of_a_hall"] = row(first), row(second)
        print(f"{name}: {sorted(round(s, 1) for s in first)}", flush=True)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
