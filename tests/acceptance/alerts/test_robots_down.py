"""Robots that fail in each way while livemon is killed: each message is told once, and failures reach somebody else."""

import asyncio
import time
from pathlib import Path
from typing import get_args

import pytest

from tests.acceptance.alerts.play import DROPPED, event, halls, told
from tests.acceptance.alerts.speeds import FAST
from tests.alerts.chat import Chat, Mood

pytestmark = [pytest.mark.real, pytest.mark.slow]

# A robot's own patience is what it is: too fast for Feishu means ten seconds, and not DingTalk's ten minutes.
ROBOTS: tuple[tuple[str, Mood], ...] = (
    ("dingtalk", "down"),
    ("feishu", "500"),
    ("feishu", "too_fast"),
    ("wecom", "slow"),
)
assert {mood for _, mood in ROBOTS} <= set(get_args(Mood))
SLOW_S = 12.0
BACK_S_MAX = 60.0  # the longest back-off is 30 s
DEAD_S = 2.0
GRACE = "grace_s = 600.0"  # a drop is one until its robot is well again


def test_each_is_told_once_whatever_its_robot_does(played):
    played(__name__)


async def scene(folder: Path) -> None:
    servers = halls(len(ROBOTS), rooms=6)
    chats = {
        f"hall-{place}": Chat(kind, time.time, mood=mood, slow_s=SLOW_S) for place, (kind, mood) in enumerate(ROBOTS, 1)
    }
    second = Chat("feishu", time.time)
    lines = {name: f'match = {{ hall = "{name[5:]}" }}\nfallback = "second"' for name in chats} | {"second": ""}
    async with event(folder, servers, chats | {"second": second}, FAST, GRACE, robot_lines=lines) as evening:
        await evening.live(6 * len(ROBOTS))
        for server in servers:
            server.stop(server.rooms[:1])
        await told(chats["hall-4"], DROPPED, "主播h4r0", within_s=SLOW_S + 15)
        for server in servers[:3]:
            name, anchor = f"hall-{server.hall}", f"主播h{server.hall}r0"
            place = await told(second, "送不到", anchor, within_s=60)
            assert name in second.texts[place]
            assert not chats[name].shown
            assert chats[name].calls >= 3

        await asyncio.sleep(1.0)  # killed between a robot's answer and the note of it, livemon would tell it again
        evening.livemon.kill()
        await asyncio.sleep(DEAD_S)
        evening.livemon.start()
        await evening.livemon.ready(6 * len(ROBOTS))
        await asyncio.sleep(3.0)  # they are still as they were
        assert not any(chats[f"hall-{server.hall}"].shown for server in servers[:3])
        for chat in chats.values():
            chat.mood = "well"
        for server in servers[:3]:
            await told(chats[f"hall-{server.hall}"], DROPPED, f"主播h{server.hall}r0", within_s=BACK_S_MAX)
        for server in servers:
            server.begin(server.rooms[:1])
        for server in servers:
            await told(chats[f"hall-{server.hall}"], "【恢复】", f"主播h{server.hall}r0", within_s=60)
        await asyncio.sleep(5.0)
    for server in servers:
        own = [text[:4] for text in chats[f"hall-{server.hall}"].texts if f"主播h{server.hall}r0" in text]
        assert sorted(own) == sorted(["【恢复】", DROPPED]), chats[f"hall-{server.hall}"].texts
        elsewhere = [text for text in second.texts if f"主播h{server.hall}r0" in text and DROPPED in text]
        assert len(elsewhere) == (1 if server in servers[:3] else 0), second.texts
