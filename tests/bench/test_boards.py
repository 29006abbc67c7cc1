"""The benchmark of boards: the past that it makes is livemon's own page at many instants, and every board is asked."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.bench import __main__ as table
from tests.bench import bench_boards
from tests.bench.boards_past import Past, past, room_lines
from tests.bench.history_questions import BOARDS
from tests.boards.asked import Asked, opened_at
from tests.boards.macros import Opened

NOW = datetime(2026, 11, 28, 7, 3, 12, tzinfo=UTC)


def test_every_board_with_promql_is_asked_for_its_own_span() -> None:
    boards = bench_boards.asked_by_boards(NOW)
    with_promql = {path.stem for path in BOARDS.rglob("*.json") if '"expr"' in path.read_text()}
    assert set(boards) == with_promql >= {"hall"}
    opened, asked = boards["hall"]
    assert (opened.to_at - opened.from_at).total_seconds() == 3600
    assert {each.instant for each in asked} == {True, False}


def test_no_board_asks_for_the_series_of_single_rooms_which_rules_add_up() -> None:
    """A join of 12,000 rooms is a tenth of a second of Prometheus, for each number on each screen."""
    boards = bench_boards.asked_by_boards(NOW)
    assert bench_boards.families_of(each.text for _, asked in boards.values() for each in asked) == set()
    rules = {name: text for name, _, text in bench_boards.rules_over_rooms()}
    assert "livemon_room_info" in bench_boards.families_of(rules.values())
    assert "feed:livemon_feed_messages:rate5m" not in rules


async def test_the_page_holds_what_boards_ask_for_and_no_more() -> None:
    lines = await room_lines(12, {"livemon_room_state"})
    names = [line.split(b"{")[0] for line in lines]
    assert names.count(b"livemon_room_state") == 12
    assert {name for name in names if b":" not in name} == {b"livemon_room_state"}
    assert b"platform_hall_city_state_expected:livemon_rooms:count" in names


@pytest.mark.real
async def test_prometheus_knows_the_whole_past(tmp_path: Path) -> None:
    """Two minutes of twelve rooms, a sample every 5 s: none is missing and none is of another time."""
    async with past(tmp_path, 12, {"livemon_room_state"}, 2, pull_s=1) as made:
        opened = Opened(datetime.fromtimestamp(made.from_at, UTC), datetime.fromtimestamp(made.to_at, UTC))
        told = await made.client.ask(
            "query", query="sum(count_over_time(livemon_room_state[10m]))", time=str(made.to_at)
        )
        assert told["result"][0]["value"][1] == str(12 * 25)
        last = await made.client.ask("query", query="max(timestamp(livemon_room_state))", time=str(made.to_at))
        assert float(last["result"][0]["value"][1]) == pytest.approx(made.to_at, abs=0.01)
        row = await bench_boards.cost_of("b", opened, list(_asked()), made)
    assert (row["queries"], row["series_at_most"]) == (2, 12)
    with pytest.raises(ProcessLookupError):
        _alive(made)


def _asked() -> Iterator[Asked]:
    yield Asked("b", "p A", "promql", "livemon_room_state", instant=True)
    yield Asked("b", "p B", "promql", "sum(livemon_room_state)")


def _alive(made: Past) -> None:
    if not Path(f"/proc/{made.client.process}").exists():
        raise ProcessLookupError


def test_the_table_has_a_row_for_each_board_and_its_sql_at_the_largest_size() -> None:
    cost = {"queries": 2, "p50_ms": 10.0, "p95_ms": 20.0, "cores_at_5_s": 0.1}
    report = {"rooms": 12_000, "boards": [cost | {"board": "a", "cpu_s": 0.1}, cost | {"board": "b", "cpu_s": 0.5}]}
    report["rules"] = [{"rule": "a:b:sum", "every_s": 5.0, "cpu_s": 0.2, "cores": 0.04}]
    assert [row[0].split()[1] for row in table._boards(report)] == ["b", "a", "a:b:sum"]
    questions = [{"kind": "board", "name": f"hall {n}", "warm_ms": {"p50": 1.0, "p95": 3.0}} for n in (1, 2)]
    small, large = {"percent": 1, "questions": []}, {"percent": 10, "questions": questions}
    ((what, ours, *_),) = table._boards_sql({"sizes": [small, large]})
    assert (what, ours) == ("board hall opened: its 2 SQL, history of 10 %", "p50 2, p95 6 ms")


def test_a_board_opens_at_its_own_time() -> None:
    whole_day = {"time": {"from": "now/d", "to": "now/d"}, "timezone": "Asia/Shanghai"}
    opened = opened_at(whole_day, NOW)
    assert opened.from_at.isoformat() == "2026-11-28T00:00:00+08:00"
    assert opened.to_at.isoformat() == "2026-11-28T23:59:59.999000+08:00"
    week = opened_at({"time": {"from": "now-7d", "to": "now"}}, NOW)
    assert (week.to_at, (week.to_at - week.from_at).days) == (NOW, 7)
    assert week.interval.total_seconds() == 900  # a thousand points or fewer
    with pytest.raises(ValueError, match="now/w"):
        opened_at({"time": {"from": "now/w"}}, NOW)
