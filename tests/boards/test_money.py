"""Money on every board: asked of SQL, never of PromQL, and each sum says until when it counts and when that is old."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from grafana.boards.panels import GREY, STALE, count_of, money, ranking, rows
from grafana.boards.queries import promql, sql
from tests.boards.stage import NAMES, ROOT, Json, made, title

# Counters of money are right for shape and alerts: `rate` and `increase` of them are estimates between two scrapes.
COUNTERS = re.compile(r"\b[\w:]*(?:_minor\b|_minor_total|livemon_\w*(?:sales|refunds|gmv))[\w:]*")
# What the SQL of a sum must hold: the words for both, and the minute after which one becomes the other.
AS_OF = re.compile(r"截至|as of")
OLD = re.compile(STALE.removeprefix("^"))
MINUTE = re.compile(r"interval '(?:60 seconds|1 minute)'")


def violations(board: Json) -> Iterator[str]:
    for panel in board["panels"]:
        yield from (f"{title(panel)}: {fault}" for fault in _faults(panel))
    for asked in _texts({"variables": board["templating"], "annotations": board["annotations"]}, ("expr", "query")):
        if COUNTERS.search(asked):
            yield f"a variable or annotation asks Prometheus for money: {asked}"


def _faults(panel: Json) -> Iterator[str]:
    targets = panel.get("targets", [])
    for target in targets:
        if found := COUNTERS.search(target.get("expr", "")):
            yield f"asks Prometheus for {found[0]}"
    if '"currency:' not in json.dumps(panel.get("fieldConfig", {})):
        return
    for target in targets:
        if "rawSql" not in target:
            yield "shows money that is not asked of SQL"
        elif panel["type"] in ("stat", "gauge"):
            yield from _faults_of_a_sum(panel, target)


def _faults_of_a_sum(panel: Json, target: Json) -> Iterator[str]:
    text = target["rawSql"]
    if target["format"] != "time_series" or not re.search(r"\bAS metric\b", text):
        yield "a sum without a name that could say until when it counts"
    for must, fault in (
        (AS_OF, "does not say until when"),
        (OLD, "never says that it is old"),
        (MINUTE, "is not old after a minute"),
    ):
        if not must.search(text):
            yield f"a sum that {fault}"
    if panel.get("options", {}).get("textMode") not in ("value_and_name", "name"):
        yield "a sum whose name is not shown"
    grey = {"id": "color", "value": {"mode": "fixed", "fixedColor": GREY}}
    if not any(
        told["matcher"] == {"id": "byRegexp", "options": f"/{STALE}/"} and grey in told["properties"]
        for told in panel["fieldConfig"]["overrides"]
    ):
        yield "a sum that does not turn grey"


def _texts(part: Any, names: tuple[str, ...]) -> Iterator[str]:
    if isinstance(part, list):
        for each in part:
            yield from _texts(each, names)
    elif isinstance(part, dict):
        for name, value in part.items():
            if name in names and isinstance(value, str):
                yield value
            yield from _texts(value, names)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", NAMES)
def test_money_is_asked_of_sql_and_says_until_when(name: str, language: str):
    assert list(violations(made(language)[name])) == []


def test_there_is_money_to_look_at():
    sums = [
        title(panel)
        for board in made("zh").values()
        for panel in board["panels"]
        if panel["type"] == "stat" and "currency" in json.dumps(panel["fieldConfig"])
    ]
    assert len(sums) >= 6


def one(panel: Any) -> Json:
    """A board that has only this panel."""
    written = json.loads(json.dumps(panel.build(), default=lambda part: part.to_json()))
    return {"panels": [written], "templating": {}, "annotations": {}}


GOOD = """SELECT now() AS time, 1 AS value,
CASE WHEN at > now() - interval '60 seconds' THEN '截至 ' ELSE '停更 ' END AS metric"""


def changed(change: Callable[[Json], object]) -> Json:
    board = copy.deepcopy(one(money("成交额", "x", GOOD)))
    change(board["panels"][0])
    return board


def asking(text: str) -> Json:
    return changed(lambda panel: panel["targets"][0].update(rawSql=text))


def test_a_good_sum_is_good():
    assert list(violations(asking(GOOD))) == []


PLANTED = {
    "asks Prometheus": one(count_of("x", "x", "sum(increase(livemon_sales_minor_total[1d])) / 100", [(None, "blue")])),
    "asks Prometheus for livemon_room_s": one(count_of("x", "x", "sum(rate(livemon_room_sales_minor_total[1m]))", [])),
    "asks Prometheus for platform:": one(count_of("x", "x", "sum(platform:livemon_room_sales_minor:rate1m)", [])),
    "asks Prometheus for livemon_room_r": one(count_of("x", "x", "sum(livemon_room_refunds_minor_total)", [])),
    "not asked of SQL": one(ranking("x", "x", promql("sum(livemon_viewers)"), unit="currency:¥")),
    "without a name": asking(GOOD.replace("AS metric", "AS words")),
    "does not say until when": asking(GOOD.replace("截至", "")),
    "never says that it is old": asking(GOOD.replace("停更", "")),
    "is not old after a minute": asking(GOOD.replace("60 s", "600 s")),
    "name is not shown": changed(lambda panel: panel["options"].update(textMode="value")),
    "does not turn grey": changed(lambda panel: panel["fieldConfig"].update(overrides=[])),
    "a variable or annotation": {
        **asking(GOOD), "templating": {"list": [{"query": "label_values(livemon_sales_minor_total, x)"}]},
    },
}  # fmt: skip


@pytest.mark.parametrize("fault", PLANTED)
def test_each_planted_violation_is_found(fault: str):
    assert [found for found in violations(PLANTED[fault]) if fault in found]


def test_a_table_may_show_money_of_sql_without_that():
    board = one(rows("x", "x", sql("SELECT 1 AS gmv"), []).unit("currency:financial:¥"))
    assert list(violations(board)) == []


def test_counters_of_money_that_exist_are_known_to_the_check():
    """Of the metrics that livemon exposes, and of what Prometheus records of them."""
    written = "\n".join(path.read_text() for path in (ROOT / "monitor/http").glob("*.py"))
    written += "\n".join(path.read_text() for path in (ROOT / "prometheus/rules").glob("*.yml"))
    of_money = set(re.findall(r"\b(?:\w+:)?livemon_\w*_minor\w*(?::\w+)?", written))
    assert {"livemon_sales_minor_total", "livemon_room_sales_minor_total"} <= of_money
    assert [name for name in of_money if not COUNTERS.search(name)] == []
    assert not COUNTERS.search("sum(rate(livemon_orders_total[1m]))")
