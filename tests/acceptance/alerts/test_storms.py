"""A storm is a message: 5,000 of 12,000 rooms, a hall's server, a blind feed; and one true drop in the midst of it.

A quarter of that here, so that it takes two minutes; `STORM_ROOMS=12000` plays all of it.
"""

import asyncio
import os
import re
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.alerts.play import DROPPED, Event, event, halls, hosted, told
from tests.acceptance.alerts.speeds import Speed
from tests.alerts.chat import Chat

pytestmark = [pytest.mark.real, pytest.mark.slow]

ROOMS = int(os.environ.get("STORM_ROOMS", "3000"))
IN_OUTAGE, STAY_DOWN, IN_HALL = ROOMS * 5_000 // 12_000, ROOMS * 300 // 12_000, min(200, ROOMS // 60)
SPEED = Speed(poll_s=1.0, scrape_s=2, scale=5.0, group_wait_s=2, group_interval_s=4)
QUIET_S = 8.0  # after the last message that is wanted, for those that are not
TAG = re.compile(r"^【(\w+)】", re.MULTILINE)
FLAPS = 4


class Hall:
    """A hosted platform in an outage, another one that is well, three halls, and the group's robot."""

    def __init__(self) -> None:
        self.chat = Chat("feishu", time.time)
        self.one, self.two, self.three = halls(3, IN_HALL)
        self.wechat = hosted("wechat", IN_OUTAGE)
        self.others = hosted("kuaishou", ROOMS - IN_OUTAGE - 3 * IN_HALL)
        self.servers = [self.one, self.two, self.three, self.wechat, self.others]
        self.heard = 0

    def tags(self) -> Counter[str]:
        """What each message since the last look is about."""
        new, self.heard = self.chat.texts[self.heard :], len(self.chat.texts)
        return Counter(found[1] for text in new if (found := TAG.search(text)))

    async def told(self, *words: str, within_s: float = 90.0) -> str:
        place = await told(self.chat, *words, within_s=within_s, after=self.heard)
        return self.chat.texts[place]


def test_storms(played):
    played(__name__)


async def scene(folder: Path) -> None:
    hall = Hall()
    async with event(folder, hall.servers, {"group": hall.chat}, SPEED, more="grace_s = 600.0") as evening:
        await evening.livemon.ready(ROOMS)
        await evening.plan(("wechat", room) for room in hall.wechat.rooms)
        await evening.live(ROOMS)
        assert hall.tags() == Counter()
        await all_at_once(hall)
        await back_but_for_some(hall)
        await blind(hall, evening)


async def all_at_once(hall: Hall) -> None:
    """A platform, a hall, one room that flaps and one that is truly down, all in one minute."""
    hall.wechat.stop(hall.wechat.rooms)
    hall.two.stop(hall.two.rooms)
    hall.one.stop(hall.one.rooms[:1])
    for _ in range(FLAPS):
        hall.three.stop(hall.three.rooms[:1])
        await asyncio.sleep(4.0)
        hall.three.begin(hall.three.rooms[:1])
        await asyncio.sleep(2.0)
    outage = await hall.told("【平台断流】", "视频号")
    assert f"{IN_OUTAGE:,}" in outage, outage
    await hall.told("【场馆断流】", "2 号馆")
    await hall.told(DROPPED, "主播h1r0")
    await hall.told(DROPPED, "主播h3r0")
    hall.one.begin(hall.one.rooms[:1])
    hall.two.begin(hall.two.rooms)
    for place in ("2 号馆", "主播h1r0", "主播h3r0"):
        await hall.told("【恢复】", place)
    assert hall.tags() == Counter(平台断流=1, 场馆断流=1, 停播=2, 恢复=3), hall.chat.texts


async def back_but_for_some(hall: Hall) -> None:
    """One message that the outage is over, one of those who stay down, and one when they are back.

    Meanwhile (who comes back last has half a minute) a hall's server dies, and one room of another hall truly stops.
    """
    hall.wechat.begin(hall.wechat.rooms[STAY_DOWN:])
    await hall.told("【恢复】", "视频号")
    hall.two.how = "broken"
    hall.one.stop(hall.one.rooms[1:2])
    await hall.told("【看不见】", "hall-2")
    await hall.told(DROPPED, "主播h1r1")
    hall.two.how = "well"
    hall.one.begin(hall.one.rooms[1:2])
    digest = await hall.told("【断流】", f"{STAY_DOWN:,} 个直播间(视频号)停播")
    assert f"另有 {STAY_DOWN - 10:,} " in digest, digest
    hall.wechat.begin(hall.wechat.rooms[:STAY_DOWN])
    for place in ("hall-2", "主播h1r1", f"{STAY_DOWN:,} 个直播间(视频号)"):
        await hall.told("【恢复】", place)
    assert hall.tags() == Counter(恢复=4, 断流=1, 看不见=1, 停播=1), hall.chat.texts


async def blind(hall: Hall, evening: Event) -> None:
    """The same 5,000 rooms cannot be seen: one message, and no drop."""
    hall.wechat.how = "broken"
    await hall.told("【看不见】", "wechat")
    await asyncio.sleep(QUIET_S)
    assert (await evening.livemon.look()).states["blind"] == IN_OUTAGE
    hall.wechat.how = "well"
    await hall.told("【恢复】", "wechat")
    await asyncio.sleep(QUIET_S)
    assert hall.tags() == Counter(看不见=1, 恢复=1), hall.chat.texts
