"""From the stream's stop to the robot: all between is real, and waits are shortened. `make bench` measures more."""

import re
import time
from pathlib import Path

import pytest

from tests.acceptance.alerts.play import drops, event, halls, links, told
from tests.acceptance.alerts.speeds import FAST
from tests.alerts.chat import Chat

pytestmark = [pytest.mark.real, pytest.mark.slow]

DROPS = 3
S_MAX = 10.0  # half of what production settings are given; usually it takes three seconds
FIRST = re.compile(
    r"^【停播】#\d+ 大连·主播\w+\(自建 nginx-rtmp\)\d\d:\d\d:\d\d 停播,该来源不区分下播与断流,已 \d+ 秒", re.MULTILINE
)


def test_a_drop_is_told_in_seconds_and_its_return_once(played):
    played(__name__)


async def scene(folder: Path) -> None:
    servers, chat = halls(DROPS, rooms=6), Chat("feishu", time.time, secret="")
    async with event(folder, servers, {"group": chat}, FAST) as evening:
        await evening.live(6 * DROPS)
        took_s = await drops(servers, chat, (0.5, 1.5))
        assert max(took_s) < S_MAX, took_s
        assert len(chat.shown) == DROPS, chat.texts
        for server in servers:
            text = chat.texts[await told(chat, f"主播h{server.hall}r0(", within_s=0.1)]
            assert FIRST.search(text), text
            assert all(words in text for words in ("停前在线", f"{server.hall} 号馆,联系人 张三", "我来处理")), text
        assert all(f"http://127.0.0.1:{evening.ports.livemon}/a/" in links(message)[-1] for message in chat.shown)
        for server in servers:
            server.begin(server.rooms[:1])
        for server in servers:
            await told(chat, "【恢复】", f"主播h{server.hall}r0", within_s=30)
        assert len(chat.shown) == 2 * DROPS, chat.texts
