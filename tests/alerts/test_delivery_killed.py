"""kill -9 while a robot is down: with the real book, each message is told once when both are back."""

import asyncio
import random
import signal
import sys
import time
from pathlib import Path

from tests.alerts.chat import Chat, served

FIRST = 3
EACH = 3  # more messages each time it begins
KILLS = 4
COUNT = FIRST + KILLS * EACH


async def begun(folder: Path, count: int) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "tests.alerts.robot_process", str(folder), str(count)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"begun\n"
    return process


async def killed(process: asyncio.subprocess.Process) -> None:
    process.send_signal(signal.SIGKILL)
    await process.wait()


async def told(chat: Chat, count: int) -> None:
    async with asyncio.timeout(30):
        while sum(text.count("号") for text in chat.texts) < count:
            await asyncio.sleep(0.02)


async def test_killed_in_between_neither_lost_nor_doubled(tmp_path: Path):
    chance = random.Random(7)
    chat = Chat("feishu", time.time)
    async with served(chat):
        (tmp_path / "url").write_text(chat.url)
        (tmp_path / "url").chmod(0o600)
        process = await begun(tmp_path, FIRST)
        await told(chat, FIRST)
        await asyncio.sleep(0.2)  # the last answer is written
        await killed(process)
        for number, mood in enumerate(["500", "down"] * (KILLS // 2), 1):
            chat.mood, calls = mood, chat.calls  # type: ignore[assignment]
            process = await begun(tmp_path, FIRST + number * EACH)
            await asyncio.sleep(chance.uniform(0.6, 1.2))
            assert chat.calls > calls, "it goes on trying"
            await killed(process)
        process = await begun(tmp_path, COUNT)
        chat.mood = "well"
        await told(chat, COUNT)
        await asyncio.sleep(1.5)  # what would be told a second time is told by now
        await killed(process)
    assert [sum(text.count(f"#{number}号") for text in chat.texts) for number in range(COUNT)] == [1] * COUNT
    assert chat.blocked_times == 0
