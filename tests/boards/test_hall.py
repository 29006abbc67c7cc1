"""The board of a hall: its numbers from a small story by promtool, its tables from a real PostgreSQL."""

import re
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import promql_parser
import pytest
import yaml

from tests.boards.stage import ROOT, panels, queries, title, variables, with_values
from tests.postgres import FreshDatabase
from tests.sql.stage import ZONE, Stage

RECORDED = str(ROOT / "prometheus" / "rules" / "recording.yml")  # its curves are of what rules add up
METRICS = "\n".join(path.read_text() for path in [*(ROOT / "monitor" / "http").glob("*.py"), Path(RECORDED)])

# Value of $hall -> what every number of the board must say of the series below.
SERIES = {
    'livemon_room_state{platform="p", room="1"}': "1x3",
    'livemon_room_state{platform="p", room="2"}': "2x3",
    'livemon_room_state{platform="p", room="3"}': "3x3",
    'livemon_room_state{platform="p", room="4"}': "4x3",
    'livemon_room_state{platform="p", room="5"}': "5x3",
    'livemon_room_state{platform="p", room="6"}': "0x3",
    **{f'livemon_room_info{{platform="p", room="{n}", anchor="a", hall="A", tier=""}}': "1x3" for n in range(1, 6)},
    'livemon_room_info{platform="p", room="6", anchor="a", hall="", tier=""}': "1x3",
    **{f'livemon_room_expected{{platform="p", room="{n}"}}': f"{n % 2}x3" for n in range(1, 7)},
    'livemon_room_viewers{platform="p", room="1"}': "40x3",
    'livemon_room_viewers{platform="p", room="6"}': "2x3",
    'livemon_feed_up{feed="a", platform="p", hall="A"}': "0x3",
    'livemon_feed_up{feed="b", platform="p", hall="B"}': "0x3",
    'livemon_push_missed_total{feed="a"}': "0x1 3x2",
    'livemon_push_missed_total{feed="b"}': "7x3",
    'livemon_feed_witnessed{feed="a"}': "1x3",
    'livemon_feed_witnessed{feed="b"}': "0x3",
    'livemon_accounts{platform="p", state="refused"}': "4x3",
    'livemon_accounts{platform="q", state="refused"}': "1x3",
    'livemon_accounts{platform="p", state="expiring"}': "2x3",
    'livemon_accounts{platform="p", state="ok"}': "9x3",
    'up{job="livemon", instance="i"}': "1x3",
    'up{job="livemon-rooms", instance="i"}': "0x3",
}
OF_ORDERS = {"漏推": 3, "无旁证": 1, "授权被拒": 5, "授权即将到期": 2}
OF_HALL_A = OF_ORDERS | {
    "直播中": 1,
    "应播未播": 2,
    "断流": 1,
    "断流未恢复": 1,
    "看不见": 1,
    "无数据源": 1,
    "监控本身": 0,
}
NUMBERS = {
    "A": OF_HALL_A | {"失联数据源": 1, "在线人数": 40, "未开播": 0},
    ".*": OF_HALL_A | {"失联数据源": 2, "在线人数": 42, "未开播": 1},
}


def expanded(query: str, hall: str) -> str:
    return with_values(query, {"hall": hall})


@pytest.mark.parametrize("query", queries("expr", board="hall").values(), ids=queries("expr", board="hall"))
def test_promql_parses_asks_known_metrics_and_never_for_every_room(query: str):
    text = expanded(query, ".*")
    assert isinstance(promql_parser.parse(text), promql_parser.AggregateExpr)  # one line or a few, never 12,000
    names = set(re.findall(r"\b(?:livemon_\w+|up)\b", text))
    assert names
    assert not {name for name in names if name != "up" and name not in METRICS}


@pytest.mark.parametrize("hall", NUMBERS)
def test_promql_says_what_a_small_hall_shows(tmp_path: Path, hall: str):
    checks = []
    for _, panel in panels(board="hall"):
        for target in panel["targets"]:
            if "expr" in target:
                words = title(panel)
                told = NUMBERS[hall][target["legendFormat"] if target["legendFormat"] in NUMBERS[hall] else words]
                sample = {"labels": '{platform="p"}' if "by (platform)" in target["expr"] else "{}", "value": told}
                checks.append({"expr": expanded(target["expr"], hall), "eval_time": "10s", "exp_samples": [sample]})
    assert len(checks) == 19  # 12 numbers, viewers, 6 states
    story = {
        "interval": "5s",
        "input_series": [{"series": s, "values": v} for s, v in SERIES.items()],
        "promql_expr_test": checks,
    }
    case = tmp_path / "board_test.yml"
    case.write_text(
        yaml.safe_dump({"rule_files": [RECORDED], "evaluation_interval": "5s", "tests": [story]}, allow_unicode=True)
    )
    done = subprocess.run(["promtool", "test", "rules", case], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
async def small_hall(database: FreshDatabase) -> FreshDatabase:
    sql = await database.connect("writer")
    stage = Stage(sql)
    await stage.ready()
    room = await stage.room("live/1")
    await stage.feed("hall-a", [room])
    at = datetime.now(ZONE) - timedelta(minutes=10)
    await stage.session(
        room,
        ("opened", at, "status"),
        ("dropped", at + timedelta(seconds=60), "status"),
        ("resumed", at + timedelta(seconds=70), "status"),
    )
    await stage.ticks(room, (datetime.now(ZONE), True, 7))
    await stage.blind("hall-a", at, at + timedelta(seconds=20))
    await sql.execute("UPDATE feed SET hall = '一号馆'")
    await sql.close()
    return database


@pytest.mark.real
@pytest.mark.parametrize("role", ["reader", "hall"])
@pytest.mark.parametrize(("hall", "rows"), [(".*", 1), ("A|一号馆", 1), ("B", 0)])
async def test_every_sql_panel_answers_those_who_may_only_read(
    small_hall: FreshDatabase, role: str, hall: str, rows: int
):
    sql = await small_hall.connect(role)
    for name, query in queries("rawSql", board="hall").items():
        found = await sql.fetch(expanded(query, hall))
        assert len(found) == rows, name
    await sql.close()


@pytest.mark.real
async def test_the_halls_offered_are_patterns_that_no_query_minds(small_hall: FreshDatabase):
    writer, reader = await small_hall.connect("writer"), await small_hall.connect("reader")
    await writer.execute("UPDATE room SET hall = $1", 'O\'Brien "3" (a|b) `$x\\')
    (variable,) = variables("hall", "hall")
    (option,) = await reader.fetch(variable["query"])
    assert option["__text"] == 'O\'Brien "3" (a|b) `$x\\'
    for query in queries("rawSql", board="hall").values():
        try:
            await reader.fetch(expanded(query, option["__value"]))
        except asyncpg.PostgresSyntaxError as error:
            pytest.fail(f"{error}: {query}")
    assert len(await reader.fetch(expanded(queries("rawSql", board="hall")["hall 直播间 A"], option["__value"]))) == 1
    for query in queries("expr", board="hall").values():
        promql_parser.parse(expanded(query, option["__value"]))
    await writer.close()
    await reader.close()
