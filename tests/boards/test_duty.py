"""Duty: its numbers from a small story by promtool, its tables from rooms of which one is in every state, worked out by
hand."""

import json
import re
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import promql_parser
import pytest
import yaml

from tests.boards.macros import Opened, sql_sent
from tests.boards.stage import ROOT, panels, queries, title, with_values
from tests.postgres import FreshDatabase
from tests.sql.stage import ZONE, Sql, Stage

METRICS = "\n".join(path.read_text() for path in (ROOT / "monitor" / "http").glob("*.py"))
RECORDING = ROOT / "prometheus" / "rules" / "recording.yml"
ODD_HALL = 'O\'Brien "3" (a|b)'

SERIES = {
    'livemon_rooms{platform="p", state="live"}': "5x200",
    'livemon_rooms{platform="q", state="live"}': "2x200",
    'livemon_rooms{platform="p", state="dropped"}': "3x200",
    'livemon_rooms{platform="p", state="lost"}': "1x200",
    'livemon_rooms{platform="q", state="lost"}': "1x200",
    'livemon_rooms{platform="p", state="blind"}': "4x200",
    'livemon_rooms{platform="p", state="unwatched"}': "6x200",
    **{f'livemon_room_info{{platform="p", room="{n}", hall="A", city="c"}}': "1x200" for n in range(6)},
    # expected and offline: two; expected and dropped, offline and not expected: none of them
    **{f'livemon_room_state{{platform="p", room="{n}"}}': f"{state}x200" for n, state in enumerate((0, 0, 2, 0, 3, 1))},
    **{
        f'livemon_room_expected{{platform="p", room="{n}"}}': f"{expected}x200"
        for n, expected in enumerate((1, 1, 1, 0, 1, 1))
    },
    'livemon_feed_up{feed="a", platform="p", hall="A"}': "0x200",
    'livemon_feed_up{feed="b", platform="p", hall=""}': "1x200",
    'livemon_deliveries_failed_total{robot="群"}': "0x20 30x180",
    'up{job="livemon", instance="i"}': "1x200",
    'up{job="livemon-rooms", instance="i"}': "1x200",
}
NUMBERS = {
    "监控本身": 1, "断流未恢复": 2, "断流": 3, "未按时开播": 2, "看不见": 4, "失联数据源": 1,
    "直播中": 7, "无数据源": 6,
}  # fmt: skip
EXPRESSIONS = queries("expr", board="duty")


@pytest.mark.parametrize("query", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_promql_parses_asks_known_metrics_and_never_for_every_room(query: str):
    text = with_values(query, {})
    assert isinstance(promql_parser.parse(text), promql_parser.AggregateExpr)
    names = set(re.findall(r"\b(?:livemon_\w+|up)\b", text)) - {"livemon_rooms_expected"}
    assert names
    assert not {name for name in names if name != "up" and f'"{name}"' not in METRICS and name not in METRICS}


def test_promql_says_what_the_story_shows(tmp_path: Path):
    checks = []
    for _, panel in panels(board="duty"):
        for target in panel["targets"]:
            told = NUMBERS.get(target.get("legendFormat", "") or title(panel))
            if "expr" in target and told is not None:
                text = with_values(target["expr"], {})
                checks.append({"expr": text, "eval_time": "500s", "exp_samples": [{"labels": "{}", "value": told}]})
    assert len(checks) == 6 + 5  # numbers, states over time
    # 30 more at 105 s: told for ten minutes
    (failed,) = [t["expr"] for _, p in panels(board="duty") for t in p["targets"] if "[10m]" in t.get("expr", "")]
    for at, above in (("500s", 1), ("995s", 0)):
        sample = {"labels": "{}", "value": 1 if above else 0}
        checks.append({"expr": f"({failed}) > bool 0", "eval_time": at, "exp_samples": [sample]})
    story = {
        "interval": "5s",
        "input_series": [{"series": series, "values": values} for series, values in SERIES.items()],
        "promql_expr_test": checks,
    }
    case = tmp_path / "duty_test.yml"
    case.write_text(
        yaml.safe_dump(
            {"rule_files": [str(RECORDING)], "evaluation_interval": "5s", "tests": [story]}, allow_unicode=True
        )
    )
    done = subprocess.run(["promtool", "test", "rules", case], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


async def alert(
    sql: Sql, number: int, name: str, at: datetime, severity: str = "critical", over: bool = False, **labels: str
) -> UUID:
    alert_id = uuid4()
    await sql.execute(
        "INSERT INTO alert (alert_id, number, fingerprint, alertname, severity, labels, summary, starts_at, ends_at)"
        " VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9)",
        *(alert_id, number, f"f{number}", name, severity, json.dumps(labels), f"摘要{number}", at),
        at + timedelta(minutes=1) if over else None,
    )
    return alert_id


async def act(sql: Sql, of: UUID, action: str, at: datetime, by: str, until: datetime | None = None) -> None:
    await sql.execute(
        "INSERT INTO alert_action (at, alert, action, by_whom, reason, until) VALUES ($1, $2, $3, $4, '换电缆', $5)",
        *(at, of, action, by, until),
    )


class Evening:
    """One room in each state. Times are minutes before `now`."""

    def __init__(self, database: FreshDatabase) -> None:
        self.database, self.now = database, datetime.now(ZONE).replace(microsecond=0)
        self.rooms: dict[str, int] = {}

    def ago(self, minutes: float) -> datetime:
        return self.now - timedelta(minutes=minutes)

    async def play(self) -> None:
        sql = await self.database.connect("writer")
        stage = Stage(sql)
        await stage.ready()
        for name in ("停", "丢", "迟", "早", "盲", "播"):
            self.rooms[name] = await stage.room(f"live/{name}")
        self.rooms["无"] = await stage.room("无'\"$x", platform="wechat")
        await sql.execute("UPDATE room SET hall = '' WHERE platform = 'wechat'")
        await sql.execute("UPDATE room SET hall = $1, tier = 2 WHERE external_id = 'live/播'", ODD_HALL)
        await stage.feed("hall-a", [self.rooms[name] for name in ("停", "丢", "迟", "早", "播")])
        await stage.feed("hall-b", [self.rooms["盲"]])
        await stage.blind("hall-b", self.ago(5), None)
        await self._broadcasts(stage)
        await self._alerts(sql)
        await sql.close()

    async def _broadcasts(self, stage: Stage) -> None:
        rooms, ago = self.rooms, self.ago
        for name in ("停", "丢", "迟", "早"):
            await stage.slot(rooms[name], ago(20), ago(-60))
        await stage.ticks(rooms["停"], (ago(3), True, 80), (ago(1.5), True, 120), (ago(0.8), False, 0))
        await stage.session(rooms["停"], ("opened", ago(19), "status"), ("dropped", ago(1), "stall"))
        await stage.ticks(rooms["丢"], (ago(18), True, 7))  # longer before its stop than counts
        changes = ("opened", ago(19), "status"), ("dropped", ago(10), "status"), ("closed", ago(8), "lost")
        await stage.session(rooms["丢"], *changes)
        await stage.ticks(rooms["迟"], (ago(0.1), False, 0))
        await stage.ticks(rooms["早"], (ago(0.1), False, 0))
        changes = ("opened", ago(15), "status"), ("dropped", ago(4), "event"), ("closed", ago(4), "ended")
        await stage.session(rooms["早"], *changes)
        await stage.session(rooms["播"], ("opened", ago(30), "status"))
        await stage.ticks(rooms["播"], (ago(0.1), True, 40))

    async def _alerts(self, sql: Sql) -> None:
        ago, place = self.ago, {"platform": "nginx_rtmp", "hall": "一号馆"}
        dropped = await alert(sql, 1, "LivemonRoomDropped", ago(0.9), **place, room="live/停", anchor="主播live/停")
        await act(sql, dropped, "acknowledged", ago(0.8), "王五", ago(-9))
        await act(sql, dropped, "acknowledged", ago(0.5), "张三", ago(-9))  # who took it last
        outage = await alert(sql, 2, "LivemonHallOutage", ago(9), **place)
        await act(sql, outage, "acknowledged", ago(8), "李四", ago(1))  # renewed by livemon: `until` says nothing
        late = [
            await alert(sql, number, "LivemonRoomNotStarted", ago(4), "critical", **place, room=room)
            for number, room in ((3, "live/迟"), (4, "live/早"))
        ]
        for each in late:
            await act(sql, each, "silenced", ago(2), "赵六", ago(-30))
        await act(sql, late[0], "silenced", ago(200), "赵六", ago(3))  # that one is over
        unseen = await alert(sql, 5, "LivemonFeedBlind", ago(5), "critical", feed="hall-b", **place)
        await act(sql, unseen, "silenced", ago(5), "赵六", ago(3))  # of nobody any more
        await alert(sql, 6, "LivemonQuarantine", ago(50), "warning")
        await alert(sql, 7, "LivemonWatchdog", ago(500), "none")
        await alert(sql, 8, "LivemonRoomLost", ago(60), "critical", over=True, **place, room="live/停")

    async def shown(self, name: str, language: str = "zh") -> list[dict[str, Any]]:
        """Rows of the panel with this title, as livemon_reader; spans of seconds as whole minutes."""
        (panel,) = [panel for _, panel in panels(language, board="duty") if title(panel) == name]
        reader = await self.database.connect("reader")
        text = sql_sent(panel["targets"][0]["rawSql"], Opened(self.ago(60), self.now))
        rows = [dict(row) for row in await reader.fetch(text)]
        await reader.close()
        for row in rows:
            row |= {name: int(value // 60) for name, value in row.items() if name in SPANS and value is not None}
        return rows


SPANS = {"down_s", "age_s", "late_s", "left_s", "blind_s"}


@pytest.fixture
async def evening(database: FreshDatabase) -> Evening:
    made = Evening(database)
    await made.play()
    return made


def of(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


@pytest.mark.real
async def test_stops_have_their_age_their_viewers_and_who_holds_them(evening: Evening):
    rows = await evening.shown("现在断流")
    ago = evening.ago
    assert of(rows, "external_id", "state_code", "stopped_at", "down_s", "viewers_before", "holder", "contact") == [
        ("live/停", 2, ago(1), 1, 120, "张三", "zhang"),  # its own alert was taken
        ("live/丢", 4, ago(10), 10, None, "李四", "zhang"),  # that of its hall was
    ]
    assert of(rows, "room_id", "slot_ends_at") == [(evening.rooms[name], ago(-60)) for name in ("停", "丢")]


@pytest.mark.real
async def test_open_alerts_the_worst_first_with_who_has_them(evening: Evening):
    rows = await evening.shown("未结束的告警")
    until = f"静默至 {evening.ago(-30):%H:%M}"
    assert of(rows, "number", "severity", "what", "age_s", "holder") == [
        ("#1", "critical", "摘要1", 0, "张三"),
        ("#3", "critical", "摘要3", 4, until),
        ("#4", "critical", "摘要4", 4, until),
        ("#5", "critical", "摘要5", 5, None),
        ("#2", "critical", "摘要2", 9, "李四"),
        ("#6", "warning", "摘要6", 50, None),
    ]
    assert rows[0]["room_id"] == evening.rooms["停"]
    assert (rows[3]["feed"], rows[3]["hall"], rows[3]["hall_pattern"]) == ("hall-b", "一号馆", "一号馆")
    english = await evening.shown("Open alerts", "en")
    assert english[0]["what"] == "LivemonRoomDropped"
    assert await evening.shown("待接手") == [{"alerts": 1}]  # the blind feed


@pytest.mark.real
async def test_one_line_for_each_hall_the_worst_first(evening: Evening):
    rows = await evening.shown("各场馆")
    counted = ("hall", "platform", "lost", "dropped", "not_started", "blind", "unwatched", "live", "expected", "rooms")
    assert of(rows, *counted) == [
        ("一号馆", "", 1, 1, 2, 1, 0, 0, 4, 5),
        ("无场馆", "wechat", 0, 0, 0, 0, 1, 0, 0, 1),
        (ODD_HALL, "", 0, 0, 0, 0, 0, 1, 0, 1),
    ]
    assert [row["hall_pattern"] for row in rows] == ["一号馆", ".*", "O.Brien .3. .a.b."]


@pytest.mark.real
async def test_what_should_be_on_air_and_is_not(evening: Evening):
    rows = await evening.shown("应在播而未播")
    assert of(rows, "external_id", "verdict", "late_s") == [("live/迟", "missing", 20), ("live/早", "ended_early", 4)]


@pytest.mark.real
async def test_what_nobody_can_see(evening: Evening):
    blind = await evening.shown("现在看不见")
    assert of(blind, "feed", "blind_s", "rooms", "cause", "room_id") == [("hall-b", 5, 1, "timeout", None)]
    (unwatched,) = await evening.shown("无数据源的直播间")
    assert unwatched["external_id"] == "无'\"$x"
    assert "未配置数据源" in unwatched["why"]


@pytest.mark.real
async def test_a_silence_is_one_row_with_all_that_it_hides(evening: Evening):
    rows = await evening.shown("静默")
    assert of(rows, "by_whom", "reason", "alerts", "what", "left_s", "until") == [
        ("赵六", "换电缆", 2, "摘要3, 摘要4", 29, evening.ago(-30))
    ]
