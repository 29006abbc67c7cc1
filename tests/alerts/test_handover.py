"""What is handed over at a change of shift can be read aloud, says what it could not ask, and is told once."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts.alert import Episode
from monitor.alerts.contacts import Contact
from monitor.alerts.handing_over import HandingOver, Make
from monitor.alerts.handover import PIECE_BYTES_MAX, SHOWN_MAX, notices
from monitor.alerts.handover_data import (
    FeedStands,
    FramesStand,
    FromDatabase,
    Reader,
    Refused,
    RosterChange,
    Standing,
    from_database,
)
from monitor.alerts.hold import Hold
from monitor.alerts.notice import Language
from monitor.alerts.shift import Turn
from monitor.alerts.sight import DROPPED, LOST, RoomSight
from monitor.alerts.silence import Matcher, Silence, Status, acknowledgement
from tests.alerts.duty_book import dropped, episode
from tests.postgres import FreshDatabase

ZONE = ZoneInfo("Asia/Shanghai")
CHANGE = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)  # 08:00 in Dalian
HOUR = timedelta(hours=1)
NIGHT = Turn("night", CHANGE - 12 * HOUR, CHANGE, ("zhang",))
DAY = Turn("day", CHANGE, CHANGE + 12 * HOUR, ("wang",))
WANG = Contact("wang", "王五", "13900139000")
ROOMS = (
    RoomSight("wechat", "1", "王姐海鲜", "大连", "3", 1, "zhang", DROPPED, CHANGE - timedelta(minutes=3), "", 12_340),
    RoomSight("wechat", "2", "", "", "3", None, "", LOST, CHANGE - 9 * HOUR),
)
FEED = {"alertname": "LivemonFeedBlind", "severity": "critical", "feed": "wx", "platform": "wechat"}
FULL = Standing(
    at=CHANGE,
    over=NIGHT,
    on=DAY,
    stopped=ROOMS,
    episodes=(
        episode(4821, dropped("1"), since=CHANGE - timedelta(minutes=2)),
        episode(4822, FEED, since=CHANGE - 2 * HOUR, annotations={"summary": "看不见"}),
    ),
    holds={4821: Hold("张三", "已打电话", CHANGE - timedelta(minutes=1), CHANGE + timedelta(minutes=9), "s", True)},
    silences=(
        Silence(
            id="s2", matchers=(Matcher("hall", "5"),), starts_at=CHANGE - HOUR, ends_at=CHANGE + HOUR,
            created_by="李四", comment="换电缆",
        ),
        Silence(
            id="s3", matchers=(Matcher("hall", "6"),), starts_at=CHANGE + HOUR, ends_at=CHANGE + 2 * HOUR,
            created_by="李四", comment="", status=Status("pending"),
        ),
    ),
    feeds=(FeedStands("wx", "wechat", "", "blind", CHANGE - 2 * HOUR, 5_000, "connect"),),
    frames=(FramesStand("doudian", 1_200, CHANGE - HOUR),),
    refused_count=1,
    database=FromDatabase(
        {"sale": 7, "tick": 1_000},
        (Refused("doudian", "77", "海鲜店", "赵六", "token revoked"),),
        1,
        (RosterChange(CHANGE - 5 * HOUR, "li", "import", "r.csv", 12, 3, 1),),
    ),
)  # fmt: skip


def read(standing: Standing, language: Language = "zh") -> list[str]:
    told = notices(standing, ZONE, language, (WANG,))
    return [line for notice in told for line in notice.lines]


def test_it_is_read_aloud() -> None:
    assert read(FULL) == [
        "未恢复的断流 2 间:",
        "1. #4821 大连·王姐海鲜(视频号 1),3 号馆,07:57 停,停前在线 12,340;张三 在处理,07:59 起 (已打电话)。",
        "2. 2(视频号 2),3 号馆,11-19 23:00 停;无人处理。",
        "其他告警 1 条:",
        "1. #4822 wx 视频号 数据源失联,06:00 起;无人处理。",
        "看不见的数据源 1 个:",
        "1. wx(视频号)看不见,06:00 起,涉及 5,000 间 (connect)。",
        "静默 2 条:",
        '1. hall="5",由 李四 设置,09:00 结束 (换电缆)。',
        '2. hall="6",09:00 开始,由 李四 设置,10:00 结束。',
        "被拒绝的授权 1 个:",
        "1. 抖音 海鲜店,联系人 赵六:token revoked。",
        "隔离数据 1,007 条(订单事件 7, 采样 1,000)。",
        "本班名册变更 1 次:",
        "1. 03:00 li:新增 12,修改 3,移除 1。",
        "待处理推送 1,200 条:",
        "1. doudian 1,200 条,最早 07:00。",
        "接班 day,08:00 至 20:00:王五。",
    ]
    (notice,) = notices(FULL, ZONE, "zh", (WANG,))
    assert (notice.kind, notice.title, notice.mentions) == ("handover", "【交接】night→day", (WANG,))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_quiet_shift_says_of_each_thing_that_there_is_none(language: Language) -> None:
    lines = read(Standing(at=CHANGE, database=FromDatabase()), language)
    assert len(lines) == 8
    assert all(line.startswith(("没有", "本班名册没有", "所有数据源正常", "No", "All feeds")) for line in lines)


def test_both_languages_name_the_same() -> None:
    assert len(read(FULL, "en")) == len(read(FULL, "zh"))
    assert read(FULL, "en")[1] == (
        "1. #4821 大连·王姐海鲜 (WeChat 1), hall 3, down since 07:57, 12,340 viewers before; "
        "张三 is on it since 07:59 (已打电话)."
    )


NOT_STARTED = dropped("7") | {"alertname": "LivemonRoomNotStarted", "city": "大连"}


@pytest.mark.parametrize(
    ("labels", "summary", "zh", "en"),
    [
        (NOT_STARTED, "", '大连·王姐"海鲜\\(视频号) 到点未开播', '大连·王姐"海鲜\\ (WeChat) has not started'),
        (dropped("7"), "", '王姐"海鲜\\(视频号) 断流', '王姐"海鲜\\ (WeChat) Dropped'),
        (FEED, "看不见", "wx 视频号 数据源失联", "wx WeChat feed is blind"),
        ({"alertname": "LivemonDiskSlow"}, "", "磁盘落盘很慢", "disk is slow"),
        ({"alertname": "Theirs", "job": "node"}, "机房空调停了", "node 机房空调停了", "node 机房空调停了"),
        ({"alertname": "Theirs", "job": "node"}, "", "node Theirs", "node Theirs"),
    ],
)  # fmt: skip
def test_of_each_alert_it_is_said_whom_it_is_about(labels: Mapping[str, str], summary: str, zh: str, en: str) -> None:
    """A room that has not begun, or one that stopped and is given up: nobody looks at a screen to learn its name."""
    standing = Standing(
        at=CHANGE, episodes=(episode(7, labels, since=CHANGE - HOUR, annotations={"summary": summary}),)
    )
    assert f"1. #7 {zh},07:00 起;无人处理。" in read(standing)
    assert f"1. #7 {en}, since 07:00; nobody is on it." in read(standing, "en")


def test_what_could_not_be_asked_is_said() -> None:
    lines = read(
        Standing(at=CHANGE, refused_count=3, database_why="'refused'", alertmanager_failing_since=CHANGE - HOUR)
    )
    assert lines[0] == "Alertmanager 自 07:00 没有应答:处理人和静默是那时的情况。"
    assert "被拒绝的授权 3 个。" in lines
    assert "数据库没有应答,隔离数据、名册变更和授权明细未知:'refused'。" in lines
    assert not any("没有隔离数据" in line for line in lines)


def test_five_thousand_rooms_are_counted_and_the_first_named() -> None:
    rooms = tuple(
        RoomSight("wechat", str(number), "直播间" * 30, state=DROPPED, since=CHANGE) for number in range(5_000)
    )
    told = notices(Standing(at=CHANGE, stopped=rooms, database=FromDatabase()), ZONE, "zh", (WANG,))
    lines = [line for notice in told for line in notice.lines]
    assert lines[0] == "未恢复的断流 5,000 间:"
    assert f"另有 {5_000 - SHOWN_MAX:,} 条。" in lines
    assert all(len("\n".join(notice.lines).encode()) <= PIECE_BYTES_MAX for notice in told)
    assert [notice.title for notice in told] == [
        f"【交接】现在→无人值班 ({n}/{len(told)})" for n in range(1, len(told) + 1)
    ]
    assert [bool(notice.mentions) for notice in told] == [False] * (len(told) - 1) + [True]


class Shift(NamedTuple):
    name: str
    starts: str
    ends: str
    duty: tuple[str, ...]


class House:
    """All that is asked; `reader` None: PostgreSQL is down. Silences are known once somebody has looked."""

    def __init__(self, reader: Reader | None = None) -> None:
        self.reader, self.looked = reader, False

    async def look(self) -> None:
        self.looked = True

    async def open_episodes(self) -> Sequence[Episode]:
        return FULL.episodes

    def holds(self) -> Mapping[int, Hold]:
        return FULL.holds

    def silences(self) -> Sequence[Silence]:
        mine = acknowledgement(4821, "张三", "", dropped("1"), CHANGE, CHANGE + HOUR)
        over = Silence(
            matchers=(Matcher("hall", "9"),), starts_at=CHANGE - HOUR, ends_at=CHANGE, status=Status("expired")
        )
        return (*FULL.silences, mine, over) if self.looked else ()

    def alertmanager_failing_since(self) -> datetime | None:
        return None

    def stopped(self) -> Sequence[RoomSight]:
        return ROOMS

    def feeds(self) -> Sequence[FeedStands]:
        return FULL.feeds

    def frames(self) -> Sequence[FramesStand]:
        return FULL.frames

    def refused_count(self) -> int:
        return 1

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reader]:
        if self.reader is None:
            raise ConnectionRefusedError("connection refused")
        yield self.reader


class Group:
    """The outbox: each key is told once."""

    def __init__(self) -> None:
        self.told: dict[str, list[str]] = {}
        self.puts = 0

    async def tell(self, make: Make, key: str) -> None:
        self.puts += 1
        self.told.setdefault(key, [line for notice in make("zh") for line in notice.lines])


def handing(house: House, group: Group, clock: list[datetime]) -> HandingOver:
    shifts = (Shift("night", "20:00", "08:00", ("zhang",)), Shift("day", "08:00", "20:00", ("wang",)))
    return HandingOver(
        house, lambda: shifts, lambda ids: [WANG] if "wang" in ids else [], group.tell, lambda: clock[0], ZONE
    )


async def test_each_change_of_shift_is_told_once_also_over_a_restart_and_without_postgresql() -> None:
    group, clock = Group(), [CHANGE - timedelta(seconds=1)]
    one = handing(House(), group, clock)
    await one.tend()
    assert group.told == {}
    for seconds in (0, 5, 10):
        clock[0] = CHANGE + timedelta(seconds=seconds)
        await one.tend()
    assert group.puts == 1
    await handing(House(), group, clock).tend()
    assert list(group.told) == ["handover 2026-11-20T00:00:00+00:00"]
    (lines,) = group.told.values()
    assert "静默 2 条:" in lines  # of the last seconds, too; neither the acknowledgement nor what is over
    assert any(line.startswith("数据库没有应答") and "connection refused" in line for line in lines)
    clock[0] = CHANGE + 12 * HOUR
    await one.tend()
    assert len(group.told) == 2


async def test_a_change_that_was_slept_through_is_not_told_hours_later() -> None:
    group = Group()
    await handing(House(), group, [CHANGE + HOUR]).tend()
    assert group.told == {}


async def test_by_command_it_is_printed_and_sent_only_if_that_is_wanted() -> None:
    group = Group()
    one = handing(House(), group, [CHANGE + HOUR])
    lines = await one.command(send=False, language="en")
    assert (lines[0], group.told) == ("[HANDOVER] night → day", {})
    await one.command(send=True, language="en")
    assert len(group.told) == 1


@pytest.mark.real
async def test_what_postgresql_knows_is_read_by_the_reader(database: FreshDatabase) -> None:
    writer, reader = await database.connect("writer"), await database.connect("reader")
    try:
        for kind, state, place in (
            ("sale", "kept", 0),
            ("sale", "kept", 1),
            ("tick", "kept", 2),
            ("tick", "dropped", 3),
        ):
            await writer.execute(
                "INSERT INTO quarantine (received_at, feed, kind, reason, payload, state, origin, place) VALUES "
                "(now(), 'f', $1, 'r', '', $2, '00000000-0000-0000-0000-000000000001', $3)", kind, state, place,
            )  # fmt: skip
        for at, by in ((CHANGE - 13 * HOUR, "earlier"), (CHANGE - HOUR, "li")):
            await writer.execute(
                "INSERT INTO roster_change (at, by_whom, action, added, changed, retired) "
                "VALUES ($1, $2, 'import', 1, 2, 3)",
                at, by,
            )  # fmt: skip
        await writer.execute(
            "INSERT INTO account_state (app, platform, shop, anchor, at, granted, refused, name, contact, gone) "
            "VALUES ('a', 'doudian', '77', '', now(), true, 'revoked', '海鲜店', '赵六', false)"
        )
        found = await from_database(reader, NIGHT.starts_at)
    finally:
        await writer.close()
        await reader.close()
    assert found == FromDatabase(
        {"sale": 2, "tick": 1},
        (Refused("doudian", "77", "海鲜店", "赵六", "revoked"),),
        1,
        (RosterChange(CHANGE - HOUR, "li", "import", "", 1, 2, 3),),
    )
