"""People on duty: who is first holds it, looking changes nothing, what nobody takes calls, a handover says it all."""

import asyncio
import json
import re
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from monitor.alerts.handing_over import LOOK_S
from monitor.rehearsal.platforms.push_json import settings, signed, taken
from monitor.rehearsal.rtmp_hall import free_ports
from tests.acceptance.alerts.play import DROPPED, Event, drops, event, halls, links, told
from tests.acceptance.alerts.speeds import FAST
from tests.acceptance.hall import ask
from tests.alerts.chat import Chat

pytestmark = [pytest.mark.real, pytest.mark.slow]

# Five minutes are a constant of escalation: so the program is changed before it starts, as for planted faults. Nor does
# it look at silences each ten seconds, so that what a handover says of them it has asked for itself.
STEP_S = 15
IN_A_HURRY = f"""
from datetime import timedelta
import monitor.alerts.escalating, monitor.alerts.escalation, monitor.alerts.keeper
monitor.alerts.escalation.STEP, monitor.alerts.escalating.LOOK_S = timedelta(seconds={STEP_S}), 1.0
monitor.alerts.keeper.LOOK_S = 3600.0
"""
ZONE = ZoneInfo("Asia/Shanghai")
SHIFT = '[[shift]]\nname = "{}"\nstarts = "{:%H:%M}"\nends = "{:%H:%M}"\nduty = ["zhang", "li"]\n'
HALF_A_DAY = timedelta(hours=12)
LONG_AGO = datetime.now(UTC) - timedelta(hours=3)  # a change of shift that nobody is told of any more
FIRST_PIECE = re.compile(r"【交接】晚班→早班(?! \([2-9])")
READ_S_MAX, COMMAND_S_MAX = 4.0, 20.0  # the config, after SIGHUP; a command, where others work beside this
ROOMS, GRACE_S = 6, 600.0  # nobody who stopped is given up before all is handed over
PREVIEWS = ("DingTalkBot-LinkService/1.0", "Mozilla/5.0 (compatible; Bytespider)", "MicroMessenger/8.0")


class Group:
    """A hall's group, and what is known of its alerts."""

    def __init__(self, evening: Event, chat: Chat, http: aiohttp.ClientSession) -> None:
        self.evening, self.chat, self.http = evening, chat, http

    def of(self, room: str, tag: str = DROPPED) -> tuple[int, str]:
        """The number and the page of the alert of a room."""
        place = next(place for place, text in enumerate(self.chat.texts) if tag in text and f"主播{room}(" in text)
        number = re.search(r"#(\d+)", self.chat.texts[place])
        assert number is not None
        return int(number[1]), next(link for link in links(self.chat.shown[place]) if "/a/" in link)

    async def silences(self) -> list[dict[str, Any]]:
        url = f"http://127.0.0.1:{self.evening.ports.alertmanager}/api/v2/silences"
        async with self.http.get(url) as answer:
            return [each for each in await answer.json() if each["status"]["state"] != "expired"]

    async def standing(self) -> tuple[object, ...]:
        """All that a click could have changed."""
        actions = await ask(self.evening.livemon, "SELECT at, action, by_whom FROM alert_action ORDER BY 1, 2")
        alerts = await ask(self.evening.livemon, "SELECT number, outcome FROM alert ORDER BY 1, 2")
        return await self.silences(), actions, alerts, list(self.chat.texts)

    async def act(self, url: str, name: str, what: str = "take") -> int:
        headers = {"Origin": f"http://127.0.0.1:{self.evening.ports.livemon}"}
        async with self.http.post(url, data={"name": name, "do": what}, headers=headers) as answer:
            self.page = await answer.text()
            return answer.status


def test_duty(played):
    played(__name__)


async def scene(folder: Path) -> None:
    servers, chat, hooks = halls(4, ROOMS), Chat("feishu", time.time), free_ports(1)[0]
    pushed = settings("erp", "push_json", ["sales"], b"")
    (folder / "secrets").mkdir()
    (folder / "secrets" / "erp").touch(mode=0o600)
    (folder / "secrets" / "erp").write_text(SECRET)
    more = f'hooks_listen = "127.0.0.1:{hooks}"\ngrace_s = {GRACE_S}'
    async with (
        aiohttp.ClientSession() as http,
        event(
            folder, servers, {"group": chat}, FAST, more, shifts(LONG_AGO) + pushed.stanzas, change=IN_A_HURRY
        ) as evening,
    ):
        group = Group(evening, chat, http)
        await evening.live(4 * ROOMS)
        await drops(servers[:3], chat, (0.0, 0.5))
        await first_holds(group, servers)
        await looking_changes_nothing(group)
        async with asyncio.TaskGroup() as both:
            both.create_task(nobody_answers(group))
            both.create_task(the_shift_changes(group))
        await handed_over(group, servers[3], hooks)


SECRET = "a secret of an enterprise's own planning, long enough"


async def first_holds(group: Group, servers: list[Any]) -> None:
    """Two take #1 in the same instant; on the page of another it is as by command."""
    number, _ = group.of("h1r0")
    livemon = group.evening.livemon
    both = await asyncio.gather(*(livemon.command("ack", str(number), "--by", who) for who in ("张三", "李四")))
    assert sorted(code for code, _ in both) == [0, 1], both
    winner, loser = sorted(both)
    holder = "张三" if winner is both[0] else "李四"
    assert f"{holder} holds it" in winner[1]
    assert f"{holder} has it already" in loser[1]
    [silence] = await group.silences()
    assert silence["createdBy"] == holder
    assert f"#{number}" in silence["comment"]
    assert {each["value"] for each in silence["matchers"] if each["name"] == "room"} == {"live/h1r0"}

    _, page = group.of("h2r0")
    assert await group.act(page, "王五") == 200
    assert await group.act(page, "赵六") == 409
    assert "王五" in group.page
    assert sorted(each["createdBy"] for each in await group.silences()) == sorted([holder, "王五"])


async def looking_changes_nothing(group: Group) -> None:
    """A preview of each link of each message, also with queries that look like the form."""
    await asyncio.sleep(2.0)  # what was done has reached PostgreSQL
    before = await group.standing()
    urls = [url for message in group.chat.shown for url in links(message)]
    assert len(urls) >= 3
    for url in urls:
        for agent in PREVIEWS:
            for asked in (url, f"{url}?do=take&name=bot", f"{url}?do=end&name=bot"):
                async with group.http.get(asked, headers={"User-Agent": agent}) as answer:
                    assert answer.status == 200
                    assert "Set-Cookie" not in answer.headers
                async with group.http.head(asked) as answer:
                    assert answer.status < 500
    await asyncio.sleep(2.0)
    now = await group.standing()
    assert now[0] == before[0]
    acts = [[act for act in acts if act[1] != "escalated"] for acts in (before[1], now[1])]  # time goes on meanwhile
    assert acts[0] == acts[1]
    assert now[2] == before[2]


def shifts(change: datetime) -> str:
    """Two that change at this minute."""
    at = change.astimezone(ZONE)
    return SHIFT.format("晚班", at - HALF_A_DAY, at) + SHIFT.format("早班", at, at - HALF_A_DAY)


async def the_shift_changes(group: Group) -> None:
    """Nobody asks for a handover, and it is told once; what was silenced a moment before stands in it."""
    livemon = group.evening.livemon
    change = (datetime.now(UTC) + timedelta(seconds=READ_S_MAX + COMMAND_S_MAX + 60)).replace(second=0, microsecond=0)
    config = livemon.config.read_text(encoding="utf-8")
    livemon.config.write_text(config.replace(shifts(LONG_AGO), shifts(change)), encoding="utf-8")
    livemon.child.process.send_signal(signal.SIGHUP)
    await asyncio.sleep((change - datetime.now(UTC)).total_seconds() - COMMAND_S_MAX)
    await quiet(group, "hall=4", "换电缆")
    assert datetime.now(UTC) < change, "the command came too late for what this shows"
    place = await told(group.evening.office, "【交接】晚班→早班", within_s=30)
    assert datetime.now(UTC) >= change
    spoken = "\n".join(group.evening.office.texts[place:])
    (one, _), (two, _), (three, _) = map(group.of, ("h1r0", "h2r0", "h3r0"))
    await asyncio.sleep(2 * LOOK_S)
    assert len([text for text in group.evening.office.texts if FIRST_PIECE.match(text)]) == 1, spoken
    for words in (
        "未恢复的断流 3 间", f"#{one} ", f"#{two} 大连·主播h2r0", "王五 在处理", f"#{three} ", "静默 1 条",
        "由 孙七 设置", "换电缆", "接班 早班", "张三, 李四",
    ):  # fmt: skip
        assert words in spoken, (words, spoken)


async def quiet(group: Group, what: str, why: str) -> None:
    told = ("silence", what, "--for", "2h", "--by", "孙七", "--reason", why)
    code, said = await group.evening.livemon.command(*told)
    assert code == 0, said


async def nobody_answers(group: Group) -> None:
    """#3 is held by nobody: the first of the shift is called, then the second; of the others nobody is."""
    number, page = group.of("h3r0")
    for who in ("张三", "李四"):
        place = await told(group.chat, "【升级】", f"#{number}", f"请 {who} 处理", within_s=3 * STEP_S + 10)
        assert page.split("/a/")[0] in links(group.chat.shown[place])[0]
    called = [text for text in group.chat.texts if "【升级】" in text]
    assert len(called) == 2, called
    numbers = {group.of(room)[0] for room in ("h1r0", "h2r0")}
    assert not [text for text in called for held in numbers if f"#{held} " in text], called


async def handed_over(group: Group, blind: Any, hooks: int) -> None:
    livemon, folder = group.evening.livemon, group.evening.folder
    blind.how = "broken"
    (folder / "more.csv").write_text("platform,room,anchor,hall\nnginx_rtmp,live/new,新主播,3\n")
    code, said = await livemon.command("roster", "import", str(folder / "more.csv"), "--by", "周八")
    assert code == 0, said
    body = json.dumps({"sales": [{"event_id": "1:1:paid", "kind": "paid", "at": 1, "amount": "x", "currency": "CNY"}]})
    headers, data = signed(SECRET.encode(), "odd-1", body.encode(), datetime.now(UTC))
    async with group.http.post(f"http://127.0.0.1:{hooks}/hooks/erp", data=data, headers=headers) as answer:
        assert taken(answer.status, await answer.read())
    for _ in range(100):
        if (await livemon.look()).states["blind"]:
            break
        await asyncio.sleep(0.2)
    await asyncio.sleep(2.0)  # what was pushed has been read, and set aside
    await quiet(group, "hall=5", "换机位")
    code, said = await livemon.command("handover")
    assert code == 0, said
    (one, _), (three, _) = group.of("h1r0"), group.of("h3r0")
    for words in (
        "未恢复的断流 3 间", f"#{one} 大连·主播h1r0", "在处理", f"#{three} 大连·主播h3r0", "无人处理",
        "静默 2 条", "hall=", "由 孙七 设置", "换电缆", "换机位", "结束",
        "看不见的数据源 1 个", "hall-4", "没有被拒绝的授权", "没有待处理推送", "隔离数据 1 条",
        "周八:新增 1", "接班", "张三, 李四",
    ):  # fmt: skip
        assert words in said, (words, said)
    office = group.evening.office  # the robot that takes the rest: a handover is no one hall's
    place = await told(office, "【交接】", "未恢复的断流 3 间", within_s=10)
    spoken = "\n".join(office.texts[place:])
    missing = [line for line in said.splitlines() if line.strip() and line not in spoken]
    assert not missing, (missing, spoken)
