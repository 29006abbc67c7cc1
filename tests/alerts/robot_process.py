"""A process that puts COUNT messages into the book in FOLDER, once each, and tells one robot until it is killed."""

import asyncio
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import aiohttp

from monitor.alerts.book import Book
from monitor.alerts.delivery import Clock, Delivery
from monitor.alerts.hearing import Hearing
from monitor.alerts.notice import Notice
from monitor.alerts.robots.voice import HttpVoice
from monitor.config_alerts import Robot


def now() -> datetime:
    return datetime.now(UTC)


async def main(folder: Path, count: int) -> None:
    robot = Robot(name="hall", kind="feishu", url_file=folder / "url")
    book: Any = cast(Any, None)
    outbox = Hearing(Book(folder / "alerts"), book, [], book, now)
    notices = [Notice("firing", "critical", f"【断流】#{number}号 停", episode=number) for number in range(count)]
    await outbox.put([("hall", notice, f"{notice.episode}:firing") for notice in notices])
    async with aiohttp.ClientSession() as http:
        clock = Clock(now, time.monotonic, lambda low, high: low)
        worker = Delivery(robot, HttpVoice(robot, http, now), outbox, clock, lambda name: None)
        print("begun", flush=True)
        await worker.run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
