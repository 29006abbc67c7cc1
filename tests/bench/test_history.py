"""The benchmark of history: what it makes is what livemon's own roll makes, and what it asks is what boards ask."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.bench import bench_history, history_questions
from tests.bench.history_check import differences
from tests.bench.history_data import Size, counted, days_of, make, zone
from tests.bench.history_questions import Question, questions
from tests.postgres import FreshDatabase

NOW = datetime(2026, 11, 28, 7, 3, 12, tzinfo=UTC)


@pytest.mark.real
async def test_the_history_that_is_made_is_what_the_roll_makes_of_its_ticks(empty_database: FreshDatabase) -> None:
    now = datetime.now(UTC)
    await make(empty_database.settings, Size(0, 60, 2, timedelta(minutes=15)), now)
    owner = await empty_database.connect("owner")
    try:
        rows = await counted(owner)
        assert rows["tick_raw"] > 100_000
        assert min(rows.values()) > 0
        assert await differences(owner) == 0
        # The check itself finds a single second, and a single fen, in any row.
        for change in (
            "UPDATE session_minute SET measured_us = measured_us - 1000000 WHERE measured_us > 0",
            "UPDATE minute_sum SET gmv_minor = gmv_minor + 1",
            "UPDATE session_hour SET peak_at = peak_at + interval '1 minute'",
            "UPDATE shop_hour SET buyers = buyers + 1",
            "UPDATE item_hour SET gmv_minor = gmv_minor - 1",
        ):
            transaction = owner.transaction()
            await transaction.start()
            await owner.execute(change)
            assert await differences(owner) > 0, change
            await transaction.rollback()
        ((first, last, newest),) = await owner.fetch(
            "SELECT min(at), max(at), (SELECT max(opened_at) FROM session) FROM tick_raw"
        )
        assert now < last < now + timedelta(minutes=15)
        assert newest < now, "a session that is still to come would be the newest"
        assert timedelta(hours=44) < last - first < timedelta(hours=47)
    finally:
        await owner.close()


@pytest.mark.parametrize("hour", range(24))
def test_it_is_nine_in_the_evening_when_a_history_is_made(hour: int) -> None:
    now = NOW.replace(hour=hour)
    days = days_of(Size(1, 1, 3, timedelta(minutes=15)), now)
    assert -12 <= int(zone(now)[:3]) <= 14
    since_s = now.timestamp() - days[-1].from_s
    assert 21 * 3600 <= since_s < 22 * 3600
    assert [(day.to_s - day.from_s) for day in days[:-1]] == [86_400, 86_400]
    assert days[-1].to_s - now.timestamp() == pytest.approx(15 * 60, abs=60)
    assert [day.date.toordinal() - days[0].date.toordinal() for day in days] == [0, 1, 2]


def test_a_board_is_asked_as_grafana_asks(tmp_path: Path) -> None:
    board = {
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [
                {
                    "name": "hall",
                    "type": "query",
                    "query": "SELECT hall FROM room",
                    "includeAll": True,
                    "allValue": ".*",
                    "current": {"value": "$__all"},
                },
                {"name": "kind", "type": "custom", "query": "a,b", "current": {"value": ["it's"]}},
            ]
        },
        "panels": [
            {
                "title": "one",
                "targets": [{"rawSql": "SELECT 1 WHERE '' ~ '^(${hall:pipe})$' AND x = ${kind:sqlstring}"}],
            },
            {
                "title": "row",
                "panels": [
                    {"title": "two", "targets": [{"rawSql": "SELECT 2 WHERE $__timeFilter(r.at)", "refId": "B"}]}
                ],
            },
            {"title": "three", "targets": [{"rawSql": "SELECT $__unheard(at)"}, {"expr": "up"}]},
        ],
    }
    (tmp_path / "b.json").write_text(json.dumps(board))
    asked = {question.name: question for question in questions(NOW, tmp_path) if question.kind == "board"}
    assert {name: question.text for name, question in asked.items() if name != "b three "} == {
        "b $hall": "SELECT hall FROM room",
        "b one ": "SELECT 1 WHERE '' ~ '^(.*)$' AND x = 'it''s'",
        "b two B": "SELECT 2 WHERE r.at BETWEEN '2026-11-28T01:03:12Z' AND '2026-11-28T07:03:12Z'",
    }
    assert "$__unheard" in (asked["b three "].not_understood or "")
    assert asked["b one "].not_understood is None


def test_every_board_and_every_ready_question_is_asked_and_understood() -> None:
    asked = questions(NOW)
    assert {question.name for question in asked if question.kind == "ready"} == {
        path.stem for path in history_questions.READY.glob("*.sql")
    }
    assert {question.name.split()[0] for question in asked if question.kind == "board"} >= {"hall"}
    assert len([question for question in asked if question.kind == "view"]) >= 15
    assert [question.name for question in asked if question.not_understood] == []
    assert not [question.name for question in asked if history_questions.SESSION in question.text]
    assert len({question.text for question in asked}) == len(asked)


def test_the_p95_is_by_the_nearest_rank_and_growth_from_the_smallest_size() -> None:
    assert bench_history._ranks([float(n) for n in range(1, 11)]) == {"p50": 5.5, "p95": 10.0}
    assert bench_history._ranks([float(n) for n in range(1, 101)]) == {"p50": 50.5, "p95": 95.0}
    assert bench_history._ranks([]) is None
    row = {"kind": "view", "name": "a"}
    sizes = [
        {"percent": 1, "questions": [row | {"cold_ms": {"p95": 9.0}, "warm_ms": {"p95": 2.0}}]},
        {"percent": 10, "questions": [row | {"cold_ms": None, "warm_ms": {"p95": 5.0}, "failed": "no"}]},
    ]
    assert bench_history.growth(sizes) == [
        row | {"cold_1": 9.0, "warm_1": 2.0, "cold_10": None, "warm_10": 5.0, "failed": "no", "warm_growth": 2.5}
    ]


def test_what_is_not_of_a_board_may_have_dollars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.sql").write_text("SELECT $1, '$__x'")
    monkeypatch.setattr(history_questions, "READY", tmp_path)
    assert questions(NOW, tmp_path)[-1] == Question("ready", "a", "SELECT $1, '$__x'", None)
