"""Every board against the rules of lint.py and house_rules.py; what is not kept is a table of reasons, and no reason
outlives what it excuses. Then each rule against a small board that breaks it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.boards.house_rules import HOUSE_RULES, house_findings
from tests.boards.lint import RULES, Finding, findings
from tests.boards.stage import Json, made

ANY = "*"
ONE_SERVICE = "one livemon is watched: its sources have fixed uids, and a second one would be a second Grafana"
# Rule -> (board's uid, panel or $variable; ANY stands for all) -> why it is not kept there.
EXCUSED: dict[str, dict[tuple[str, str], str]] = {
    "template-datasource-rule": {(ANY, ANY): ONE_SERVICE},
    "panel-datasource-rule": {(ANY, ANY): ONE_SERVICE},
    "template-job-rule": {(ANY, ANY): "series are told apart by platform, hall and feed; one job has each of them"},
    "template-instance-rule": {(ANY, ANY): "one instance runs at a time; after a restart elsewhere boards go on"},
    "target-job-rule": {(ANY, ANY): "names begin with livemon_ and no other job has them"},
    "target-instance-rule": {(ANY, ANY): "one instance runs at a time; after a restart elsewhere boards go on"},
    "template-on-time-change-reload-rule": {
        (ANY, "$purpose_mark"): "what a database is for does not change with the time",
        ("livemon-room", "$room"): "rooms are those of the roster, whatever time is looked at",
    },
}


def every_finding(language: str) -> list[Finding]:
    boards = {board["uid"]: board for board in made(language).values()}
    return [found for board in boards.values() for found in (*findings(board), *house_findings(board, boards))]


def excuse(found: Finding) -> tuple[str, tuple[str, str]] | None:
    places = [(found.board, found.panel), (ANY, found.panel), (found.board, ANY), (ANY, ANY)]
    return next(((found.rule, place) for place in places if place in EXCUSED.get(found.rule, {})), None)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_boards_keep_every_rule_or_say_why_not(language: str):
    left = [found for found in every_finding(language) if excuse(found) is None]
    assert not left, "\n".join(map(str, left))


def test_no_reason_outlives_what_it_excuses():
    used = {excuse(found) for found in every_finding("zh")}
    assert {(rule, place) for rule, places in EXCUSED.items() for place in places} <= used
    assert set(EXCUSED) <= set(RULES) | set(HOUSE_RULES)
    assert all(len(reason.split()) > 4 for places in EXCUSED.values() for reason in places.values())


def test_there_are_the_fifteen_rules_of_the_linter():
    assert len(RULES) == 15


PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}
GOOD: Json = {
    "uid": "livemon-good",
    "title": "好",
    "editable": False,
    "links": [{"type": "link", "url": "/d/livemon-good?kiosk"}],
    "templating": {
        "list": [
            {"name": "datasource", "type": "datasource", "label": "Data source"},
            *(
                {"name": name, "type": "query", "label": name.capitalize(), "datasource": PROMETHEUS, "multi": True,
                 "includeAll": True, "allValue": ".+", "refresh": 2, "query": f"label_values(up, {name})"}
                for name in ("job", "instance")
            ),
            {"name": "hall", "type": "query", "datasource": {"type": "sql", "uid": "$datasource"}, "refresh": 2,
             "query": "SELECT hall FROM room LIMIT 999"},
        ]
    },
    "panels": [
        {
            "id": 1, "type": "timeseries", "title": "一", "description": "它", "datasource": PROMETHEUS,
            "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8}, "fieldConfig": {"defaults": {"unit": "short"}},
            "targets": [
                {"refId": "A", "datasource": PROMETHEUS,
                 "expr": 'sum(rate(livemon_room_drops_total{job=~"$job", instance=~"$instance"}[$__rate_interval]))'}
            ],
        },
        {
            "id": 2, "type": "table", "title": "二 $hall", "description": "它", "datasource": {"uid": "$datasource"},
            "gridPos": {"x": 12, "y": 0, "w": 12, "h": 8},
            "fieldConfig": {
                "defaults": {"unit": "none"},
                "overrides": [
                    {"matcher": {"id": "byName", "options": "n"}, "properties": [
                        {"id": "unit", "value": "currency:¥"},
                        {"id": "links", "value": [
                            {"url": "/d/livemon-good/x?var-hall=${__data.fields.hall}&${__url_time_range}"},
                            {"url": "/d/livemon-good/x?${hall:queryparam}"},
                        ]},
                    ]}
                ],
            },
            "targets": [{"refId": "A", "rawSql": "SELECT hall, n FROM x WHERE hall IN ($hall) AND $__timeFilter(at)"}],
        },
    ],
}  # fmt: skip


def put(value: Any, *path: str | int) -> Callable[[Json], None]:
    def change(board: Json) -> None:
        inner: Any = board
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value

    return change


def expression(text: str) -> Callable[[Json], None]:
    return put(text, "panels", 0, "targets", 0, "expr")


def of_good(text: str) -> Callable[[Json], None]:
    """Of an expression in which SELF stands for the labels that it must have."""
    return expression(text.replace("SELF", 'job=~"$job", instance=~"$instance"'))


VARIABLES, FIRST, SECOND = ("templating", "list"), ("panels", 0), ("panels", 1)
LINK = (*SECOND, "fieldConfig", "overrides", 0, "properties", 1, "value", 0, "url")
PLANTED: list[tuple[str, Callable[[Json], None]]] = [
    ("template-datasource-rule", put("constant", *VARIABLES, 0, "type")),
    ("template-datasource-rule", put("Source", *VARIABLES, 0, "label")),
    ("template-job-rule", put("Jobs", *VARIABLES, 1, "label")),
    ("template-job-rule", put(False, *VARIABLES, 1, "multi")),
    ("template-instance-rule", put(".*", *VARIABLES, 2, "allValue")),
    ("template-label-promql-rule", put("label_values(up{, job)", *VARIABLES, 1, "query")),
    ("template-label-promql-rule", put("labels(up, job)", *VARIABLES, 1, "query")),
    ("template-on-time-change-reload-rule", put(1, *VARIABLES, 3, "refresh")),
    ("panel-datasource-rule", put({"type": "prometheus", "uid": "fixed"}, *FIRST, "datasource")),
    ("panel-title-description-rule", put("", *FIRST, "description")),
    ("panel-title-description-rule", put("${purpose_mark}", *FIRST, "title")),
    ("panel-units-rule", put({}, *FIRST, "fieldConfig", "defaults")),
    ("panel-units-rule", put("units", *FIRST, "fieldConfig", "defaults", "unit")),
    ("panel-units-rule", put("yuan", *SECOND, "fieldConfig", "overrides", 0, "properties", 0, "value")),
    ("panel-no-targets-rule", put([], *FIRST, "targets")),
    ("target-promql-rule", expression("sum(")),
    ("target-promql-rule", expression(" ")),
    ("target-rate-interval-rule", of_good("sum(rate(a_total{SELF}[5m]))")),
    ("target-rate-interval-rule", of_good("sum(irate(a_total{SELF}[$__interval]))")),
    ("target-job-rule", expression('sum(up{job="livemon", instance=~"$instance"})')),
    ("target-instance-rule", expression('sum(up{job=~"$job"})')),
    ("target-counter-agg-rule", of_good("sum(a_total{SELF})")),
    ("target-counter-agg-rule", of_good("sum(max_over_time(a_total{SELF}[1h]))")),
    ("uneditable-dashboard", put(True, "editable")),
    ("ids", put(1, *SECOND, "id")),
    ("ids", put(None, *SECOND, "id")),
    ("ids", lambda board: board["panels"][0]["targets"].append(board["panels"][0]["targets"][0])),
    ("grid", put(11, *SECOND, "gridPos", "x")),
    ("grid", put(13, *SECOND, "gridPos", "x")),
    ("grid", put(0, *FIRST, "gridPos", "h")),
    ("links", put("/d/livemon-gone/x", *LINK)),
    ("links", put("https://example.org", "links", 0, "url")),
    ("links", put("/d/livemon-good/x?var-room=1", *LINK)),
    ("links", put("/d/livemon-good/x?var-hall=${__data.fields.place}", *LINK)),
    ("links", put("/d/livemon-good/x?var-hall=${__data.fields.n}", *LINK)),
    ("variables", put("/d/livemon-good/x?var-hall=${city}", *LINK)),
    ("variables", put("二 $city", *SECOND, "title")),
    ("variables", put("SELECT hall, n FROM x WHERE hall = '$city'", *SECOND, "targets", 0, "rawSql")),
    ("variables", put("SELECT hall, n FROM x WHERE $__timeFiltre(at)", *SECOND, "targets", 0, "rawSql")),
    ("options", put("SELECT hall FROM room", *VARIABLES, 3, "query")),
    ("options", put("SELECT hall FROM room LIMIT 1000", *VARIABLES, 3, "query")),
    ("options", put("SELECT room FROM room WHERE room LIKE '$__searchFilter'", *VARIABLES, 3, "query")),
    ("options", put("label_values(livemon_room_state, room)", *VARIABLES, 1, "query")),
    ("money", of_good("sum(increase(livemon_sales_minor_total{SELF}[1h]))")),
    ("every-room", of_good("livemon_room_state{SELF} == 2")),
    ("every-room", of_good("sum by (room) (livemon_room_viewers{SELF})")),
    ("every-room", of_good("sum without (job) (room:livemon_room_down:max{SELF})")),
]  # fmt: skip


def found_in(board: Json) -> set[str]:
    return {found.rule for found in (*findings(board), *house_findings(board, {board["uid"]: board}))}


def test_a_good_board_breaks_no_rule():
    assert found_in(GOOD) == set()


@pytest.mark.parametrize(("rule", "change"), PLANTED)
def test_each_rule_sees_what_breaks_it(rule: str, change: Callable[[Json], None]):
    board = copy.deepcopy(GOOD)
    change(board)
    assert rule in found_in(board)


def test_every_rule_is_broken_above():
    assert {rule for rule, _ in PLANTED} == set(RULES) | set(HOUSE_RULES)


@pytest.mark.parametrize(
    "text",
    [
        "topk(10, livemon_room_viewers{SELF})",
        'livemon_room_viewers{SELF, room="$hall"}',
        "count(sum by (room) (livemon_room_viewers{SELF}) > 3)",
        "sum without (room) (livemon_room_viewers{SELF})",
        "sum(increase(a_total{SELF}[1h]))",  # `increase` may have a span of its own
        "max_over_time(sum(livemon_room_viewers{SELF})[1h:1m])",
    ],
)
def test_what_is_allowed(text: str):
    board = copy.deepcopy(GOOD)
    of_good(text)(board)
    assert found_in(board) == set()
