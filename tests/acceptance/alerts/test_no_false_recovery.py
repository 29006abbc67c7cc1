"""【恢复】 is said of what is seen to be back, and of nothing else: Alertmanager's `resolved` is no proof.

Not of a drop that grace closed, not of one that turned blind, not of those that were dropped when livemon was killed.
"""

import asyncio
import re
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from tests.acceptance.alerts.play import DROPPED, Event, event, halls, hosted, told, until
from tests.acceptance.alerts.speeds import FAST
from tests.acceptance.hall import ask
from tests.alerts.chat import Chat

pytestmark = [pytest.mark.real, pytest.mark.slow]

STOPPED, BACK = 50, 45
IN_HALL, IN_WECHAT, IN_KUAISHOU = 6, 600, 60  # fifty are told one by one there, and as an outage here
GRACE_S = 65.0  # of time in which livemon sees them: half as long again as the fifty wait
QUIET_S = 5.0  # longer than Alertmanager's groups wait, for messages that are not wanted
TAG = re.compile(r"^【(\w+)】", re.MULTILINE)
NUMBER, CLOCK = re.compile(r"#\d+"), re.compile(r"(\d\d):(\d\d):(\d\d)")
TOLD = Counter(停播=2, 断流=2, 平台断流=1)
OUTCOMES = (
    "SELECT outcome, count(DISTINCT number) FROM alert WHERE labels ->> 'platform' = 'wechat'"
    " AND outcome IN ('recovered', 'not_recovered') GROUP BY 1 ORDER BY 1 DESC"
)


class Evening:
    """Three halls, a hosted platform some of whose rooms drop, another with an outage, and the group's robot."""

    def __init__(self) -> None:
        self.chat = Chat("feishu", time.time)
        self.one, self.two, self.three = halls(3, IN_HALL)
        self.wechat, self.kuaishou = hosted("wechat", IN_WECHAT), hosted("kuaishou", IN_KUAISHOU)
        self.servers = [self.one, self.two, self.three, self.wechat, self.kuaishou]

    def tags(self) -> Counter[str]:
        """What the messages are about."""
        return Counter(found[1] for text in self.chat.texts if (found := TAG.search(text)))

    async def told(self, *words: str, within_s: float = 60.0) -> str:
        place = await told(self.chat, *words, within_s=within_s)
        return self.chat.texts[place]

    async def only(self, tags: Counter[str]) -> None:
        """Nothing else is told, also not a little later."""
        await asyncio.sleep(QUIET_S)
        assert self.tags() == tags, "\n".join(self.chat.texts)


def test_no_recovery_is_told_that_is_none(played):
    played(__name__)


async def scene(folder: Path, change: str = "") -> None:
    """`change`: Python, for planted bugs."""
    evening = Evening()
    rooms = sum(len(server.rooms) for server in evening.servers)
    more = f"grace_s = {GRACE_S}"
    async with event(folder, evening.servers, {"group": evening.chat}, FAST, more, change=change) as running:
        await running.livemon.ready(rooms)
        await running.plan([("nginx_rtmp", evening.one.rooms[0]), *(("wechat", room) for room in evening.wechat.rooms)])
        await running.live(rooms)
        await they_stop(evening)
        await one_turns_blind(evening, running)
        await livemon_is_killed(evening, running)
        await livemon_is_stopped(evening, running)
        await most_return(evening)
        await the_others_do_not(evening, running)


async def they_stop(evening: Evening) -> None:
    """One room of a hall that should be on air, one that need not be, two of a third hall; fifty of each platform."""
    for server, count in ((evening.one, 1), (evening.three, 1), (evening.two, 2)):
        server.stop(server.rooms[:count])
    for server in (evening.wechat, evening.kuaishou):
        server.stop(server.rooms[:STOPPED])
    for words in (
        (DROPPED, "主播h1r0"), (DROPPED, "主播h3r0"), ("【断流】", "2 个直播间", "2 号馆"),
        ("【断流】", f"{STOPPED} 个直播间(视频号)"), ("【平台断流】", "快手"),
    ):  # fmt: skip
        await evening.told(*words)
    await evening.only(TOLD)


async def one_turns_blind(evening: Evening, running: Event) -> None:
    """Alertmanager calls the drops of a hall resolved as soon as its server cannot be seen."""
    evening.two.how = "broken"
    await evening.told("【看不见】", "hall-2")
    await until(lambda: firing(running, hall="2"), 0, within_s=30)
    await evening.only(TOLD + Counter(看不见=1))


async def livemon_is_killed(evening: Evening, running: Event) -> None:
    """For so long that every alert of a room ends."""
    running.livemon.kill()
    for platform in ("wechat", "kuaishou"):
        await until(lambda platform=platform: firing(running, platform=platform), 0, within_s=60)
    running.livemon.start()
    await they_fire_again(running)
    await evening.only(TOLD + Counter(看不见=1))


async def livemon_is_stopped(evening: Evening, running: Event) -> None:
    """And started at once: their alerts go on meanwhile."""
    await running.livemon.leave()
    running.livemon.start()
    await they_fire_again(running)
    await evening.only(TOLD + Counter(看不见=1))


async def most_return(evening: Evening) -> None:
    """The server can be seen again, and with it one of its two rooms."""
    evening.two.how = "well"
    evening.two.begin(evening.two.rooms[:1])
    for server in (evening.wechat, evening.kuaishou):
        server.begin(server.rooms[:BACK])
    digest = await evening.told("【恢复】", f"{BACK} 个直播间(视频号)")
    assert f"另有 {BACK - 10} 个" in digest, digest
    stayed = [f"主播wechat{room}(" for room in range(BACK, STOPPED)]
    assert not [anchor for anchor in stayed if anchor in digest], digest
    for of in ("主播h2r0(", "hall-2", "快手"):
        await evening.told("【恢复】", of)
    back = [text for text in evening.chat.texts if "【恢复】" in text]
    assert len(back) == 4, "\n".join(back)
    assert not [text for text in back if "主播h2r1(" in text], back


async def the_others_do_not(evening: Evening, running: Event) -> None:
    """Those that grace closes are told so, each once, by the number and the time of their drop."""
    for anchor in ("主播h1r0(", "主播h3r0("):
        stop, end = await evening.told(DROPPED, anchor), await evening.told("【未恢复】", anchor)
        assert NUMBER.findall(stop)[:1] == NUMBER.findall(end)[:1], (stop, end)
        later = (clock(end) - clock(stop)) % timedelta(days=1)  # it is the alert's, some seconds after the stop
        assert later < timedelta(seconds=10), (stop, end)
    await evening.told("【未恢复】", f"{STOPPED - BACK} 个直播间(视频号)")
    await asyncio.sleep(QUIET_S)
    tags = evening.tags()
    assert tags.pop("未恢复") >= 3, evening.chat.texts  # a fourth is the other room of the hall that was blind
    assert tags == TOLD + Counter(看不见=1, 恢复=4), evening.chat.texts
    wanted = [("recovered", str(BACK)), ("not_recovered", str(STOPPED - BACK))]
    assert await ask(running.livemon, OUTCOMES) == wanted


def clock(text: str) -> timedelta:
    """The first time of day in a message."""
    hours, minutes, seconds = map(int, CLOCK.findall(text)[0])
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


async def firing(running: Event, **labels: str) -> int:
    """How many alerts of stopped rooms Prometheus has with these labels."""
    url = f"http://127.0.0.1:{running.ports.prometheus}/api/v1/alerts"
    async with running.livemon.http.get(url) as answer:
        told = [alert["labels"] for alert in (await answer.json())["data"]["alerts"] if alert["state"] == "firing"]
    return sum(labels.items() <= each.items() and "feed" not in each for each in told)


async def they_fire_again(running: Event) -> None:
    for count, name, platform in ((STOPPED, "LivemonRoomDropped", "wechat"), (1, "LivemonPlatformOutage", "kuaishou")):
        await until(
            lambda name=name, platform=platform: firing(running, alertname=name, platform=platform), count, within_s=60
        )
